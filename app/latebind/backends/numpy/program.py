"""`Program`: a generated function, before and after compilation, and where each of its lines comes from."""

from __future__ import annotations

import linecache
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FunctionType, TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from latebind.backends.numpy.namespace import NAMES
from latebind.errors import CompilationError, ExecutionError, failure_of
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

HostArray = npt.NDArray[np.generic]
#: Kind, origin and operand types of the operation that a statement comes from.
Site = tuple[OpKind, int, tuple[TensorType, ...]]


@dataclass(frozen=True, slots=True)
class SourcePart:
    """Text of one generated function.

    Attributes
    ----------
    name : str
        Name of the function.
    text : str
    first_line : int
        Number of its first line in the whole.
    body_line : int
        Number of its first statement's line in the whole.
    origins : list of int
        For each line of its body, the index of the statement that it belongs to.
    """

    name: str
    text: str
    first_line: int
    body_line: int
    origins: list[int]


@dataclass(frozen=True, slots=True)
class Source:
    """The generated text: one function, or several that hand on what is alive where one would be too long."""

    filename: str
    parts: list[SourcePart]

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n\n".join(part.text for part in self.parts)


@dataclass(slots=True)
class Program:
    """A lowered computation.

    Attributes
    ----------
    source : Source
    variables : dict of str to object
        Global variables of the generated function: constants and what is worked out once.
    sites : list of (OpKind, int, tuple of TensorType)
        Kind, origin and operand types for each statement.
    donated : frozenset of int
        Parameters whose buffers the function may write.
    borrowed : tuple of (int, int)
        Pairs of a result and the parameter whose memory it may see.
    run : callable or None
        The compiled function: arrays in, list of arrays out.
    """

    source: Source
    variables: dict[str, object]
    sites: list[Site]
    donated: frozenset[int]
    borrowed: tuple[tuple[int, int], ...]
    run: Callable[..., list[HostArray]] | None = field(default=None, repr=False)

    def compile(self) -> None:
        """Make `run`.

        Raises
        ------
        CompilationError
            If Python refuses the text.
        """
        if self.run is not None:
            return
        variables: dict[str, Any] = {"__builtins__": NAMES, **self.variables}
        functions = [self._compile_part(part, variables) for part in self.source.parts]
        self.run = functions[0] if len(functions) == 1 else _chain(functions)

    def _compile_part(self, part: SourcePart, variables: dict[str, Any]) -> Callable[..., list[HostArray]]:
        try:
            module = compile(part.text, self.source.filename, "exec", dont_inherit=True)
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise CompilationError(f"Python cannot compile {self.source.filename}: {error}") from error
        code = module.co_consts[0]
        if part.first_line > 1:
            code = code.replace(co_firstlineno=code.co_firstlineno + part.first_line - 1)
        return FunctionType(code, variables)

    def explain(self, error: Exception) -> ExecutionError:
        """Return the error that says which operation raised, with the user's origin."""
        filename = self.source.filename
        text = self.source.text
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        site = self._site(error.__traceback__)
        if site is None:
            return failure_of(f"{filename} failed: {type(error).__name__}: {error}", error)
        kind, origin, types = site
        shown = ", ".join(map(repr, types))
        return failure_of(f"{kind}({shown}) failed: {type(error).__name__}: {error}", error, origin=origin)

    def _site(self, traceback: TracebackType | None) -> Site | None:
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self.source.filename:
                return self.site_of_line(traceback.tb_lineno)
            traceback = traceback.tb_next
        return None

    def site_of_line(self, line: int) -> Site | None:
        """Return where a line of the text comes from; `None` for a line that is no statement."""
        parts = self.source.parts
        part = parts[max(bisect_right([part.first_line for part in parts], line) - 1, 0)]
        position = line - part.body_line
        return self.sites[part.origins[position]] if 0 <= position < len(part.origins) else None


def _chain(functions: Sequence[Callable[..., list[Any]]]) -> Callable[..., list[HostArray]]:
    """Return a function that runs the parts one after the other; each empties the list that it gets."""
    first, *rest = functions

    def run(*arguments: HostArray) -> list[HostArray]:
        state = first(*arguments)
        for part in rest:
            state = part(state)
        return state

    return run
