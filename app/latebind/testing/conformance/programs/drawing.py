"""A program that is being drawn: its lines, run on the reference as they come, and what is known of its arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st

from latebind.errors import LatebindError
from latebind.ir.types import DType
from latebind.testing.conformance.programs.worth import Worth, either, stored

#: dtypes of the arrays that programs start from.
DTYPES: Final = ("int64", "float64", "float32", "int32", "int8", "uint8", "float16", "bool")

#: Their shapes, simplest first.
SHAPES: Final = ((), (2,), (3, 4), (4,), (1, 4), (2, 3, 2), (0, 3), (3, 1), (7,), (2, 0, 3), (1, 1))


@dataclass(slots=True)
class Storage:
    """What is known of some memory, which an array and its views share."""

    worth: Worth


@dataclass(slots=True)
class Variable:
    """An array of the program.

    Attributes
    ----------
    name : str
    shape : tuple of int
    dtype : numpy.dtype
    storage : Storage
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    storage: Storage

    @property
    def worth(self) -> Worth:
        """What is known of its values."""
        return self.storage.worth


class Drawing:
    """Draws a program line by line.

    Parameters
    ----------
    namespace
        Names that lines see: `lb` and `np`. The arrays of the reference are added to it.
    current
        Makes the reference's container the current one.
    """

    #: Hypothesis's source of choices, for the step that is being drawn.
    source: st.DrawFn

    def __init__(self, namespace: dict[str, Any], current: AbstractContextManager[object]) -> None:
        self.names = namespace
        self.current = current
        self.lines: list[str] = []
        self.variables: list[Variable] = []
        self._count = 0

    # Choices

    def draw(self, strategy: st.SearchStrategy[Any]) -> Any:
        """Draw a value."""
        return self.source(strategy)

    def pick(self, choices: Sequence[Any]) -> Any:
        """Draw one of several."""
        return self.draw(st.sampled_from(choices))

    def variable(self, fits: Callable[[Variable], bool] = lambda variable: True) -> Variable | None:
        """Draw an array with a property, or return `None` if there is none. Newer ones come first."""
        fitting = [variable for variable in reversed(self.variables) if fits(variable)]
        return self.pick(fitting) if fitting else None

    # Lines

    def run(self, line: str) -> bool:
        """Run a line on the reference and keep it, unless latebind refuses it there, as it does everywhere."""
        try:
            with self.current:
                exec(line, self.names)
        except LatebindError:
            return False
        self.lines.append(line)
        return True

    def assign(
        self, text: str, worth: Callable[[DType], Worth | None] | Worth | None, *, storage: Storage | None = None
    ) -> Variable | None:
        """Assign an expression to a new name.

        Parameters
        ----------
        text
            The expression.
        worth
            What is known of its values, given its dtype; `None` gives the line up.
        storage
            The memory that it shares, if it is a view.
        """
        name = f"x{self._count}"
        if worth is None or not self.run(f"{name} = {text}"):
            return None
        made = self.names[name]
        dtype = np.dtype(made.dtype)
        known = worth(dtype) if callable(worth) else stored(worth, dtype)
        if known is None:
            del self.names[name]
            self.lines.pop()
            return None
        self._count += 1
        variable = Variable(name, tuple(made.shape), dtype, storage or Storage(known))
        self.variables.append(variable)
        return variable

    def write(self, line: str, target: Variable, worth: Worth | None) -> bool:
        """Run a line that writes into an array; what is known then holds for the old and the new values."""
        known = None if worth is None else stored(worth, target.dtype)
        if known is None or not self.run(line):
            return False
        target.storage.worth = either(target.worth, known)
        return True

    def forget(self, variable: Variable) -> bool:
        """Delete a variable."""
        if len(self.variables) == 1 or not self.run(f"del {variable.name}"):
            return False
        self.variables.remove(variable)
        return True

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def start(self) -> None:
        """Make an array of small integers."""
        shape = self.pick(SHAPES)
        dtype = np.dtype(self.pick(DTYPES))
        count = int(np.prod(shape))
        low = 0 if dtype.kind in "ub" else -4
        high = 1 if dtype.kind == "b" else 4
        values = self.draw(st.lists(st.integers(low, high), min_size=count, max_size=count))
        text = f"lb.asarray(np.array({values}, dtype={dtype.name!r}).reshape({shape}))"
        self.assign(text, Worth(high))
