"""Programs that `latebind run` can run: latebind's examples by name, and the user's files."""

from __future__ import annotations

import importlib
import pkgutil
import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Protocol

import numpy as np

import latebind.examples
from latebind.errors import ProgramNotFoundError
from latebind.examples.context import RunContext
from latebind.runtime.lazy import LazyTensor

#: Named results of a program, in host memory.
Results = dict[str, "np.typing.NDArray[np.generic]"]


#: Bytes at a file's beginning that are looked at.
_BEGINNING: Final = 4096


class Program(Protocol):
    """Something to run."""

    @property
    def label(self) -> str:
        """What the user called it."""

    def run(self, context: RunContext) -> Results:
        """Run it in the current container and return its named results."""


@dataclass(frozen=True, slots=True)
class Example:
    """A module of `latebind.examples` with a function `main(context)` that returns named results."""

    label: str

    def run(self, context: RunContext) -> Results:
        """Call its `main`."""
        module = importlib.import_module(f"{latebind.examples.__name__}.{self.label}")
        return _on_host(module.main(context))


@dataclass(frozen=True, slots=True)
class Script:
    """A user's file, run from top to bottom as `__main__`; its results are the global arrays and floats at the end."""

    path: Path

    @property
    def label(self) -> str:
        """The path as the user gave it."""
        return str(self.path)

    def run(self, context: RunContext) -> Results:
        """Run the file with `sys.argv` and `sys.path` as `python FILE` would set them."""
        with _as_main(self.path, context.arguments):
            variables = runpy.run_path(str(self.path), run_name="__main__")
        return _on_host(
            {
                name: value
                for name, value in variables.items()
                if not name.startswith("_") and isinstance(value, LazyTensor | float)
            }
        )


def find_program(text: str) -> Program:
    """Return the program of this name or path.

    Raises
    ------
    ProgramNotFoundError
        If there is none; the message gives the nearest name.
    """
    path = Path(text)
    if path.suffix == ".py" or path.name != text:
        if not path.is_file():
            raise ProgramNotFoundError(_no_file(path, text))
        if path.suffix == ".py" and _is_binary(path):
            raise ProgramNotFoundError(f"{text!r} is no Python program: it has zero bytes, which source code has not")
        return Script(path)
    names = example_names()
    if text in names:
        return Example(text)
    if path.is_file():
        raise ProgramNotFoundError(
            f"{text!r} is one of latebind's programs if it is a name, and a file if it ends in .py or has a folder: "
            f"write './{text}' to run the file of this name"
        )
    near = get_close_matches(text, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}."
    raise ProgramNotFoundError(
        f"there is no program {text!r}: {hint} A file of your own is named by its path, 'program.py'"
    )


def _no_file(path: Path, text: str) -> str:
    if path.exists():
        return f"{text!r} is no file"
    try:
        neighbours = sorted(each.name for each in path.parent.glob("*.py"))
    except OSError:
        neighbours = []
    near = get_close_matches(path.name, neighbours, n=1)
    hint = f"; did you mean {str(path.with_name(near[0]))!r}?" if near else ""
    return f"there is no program file {text!r}{hint}"


def _is_binary(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return b"\0" in stream.read(_BEGINNING)
    except OSError:  # running it says why
        return False


def example_names() -> list[str]:
    """Return the names of latebind's own programs."""
    modules = {module.name for module in pkgutil.iter_modules(latebind.examples.__path__)}
    return sorted(name for name in modules - latebind.examples.NO_PROGRAMS if not name.startswith("_"))


@contextmanager
def _as_main(path: Path, arguments: tuple[str, ...]) -> Iterator[None]:
    argv, search_path = sys.argv, list(sys.path)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, search_path


def _on_host(results: Mapping[str, object] | None) -> Results:
    return {name: np.asarray(value) for name, value in (results or {}).items()}
