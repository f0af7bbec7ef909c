"""Capturing a function: a recording whose leaves are the function's inputs, to be run again with others."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from latebind.backends.interface import BackendData
from latebind.errors import CaptureError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.tape import Ground, Scalar, Tape


class InputData(BackendData):
    """Stands for the data of an argument while a function is captured; it has no value to read."""

    __slots__ = ()

    def wait(self) -> NoReturn:
        from latebind.runtime.user_frames import user_line

        raise CaptureError(
            f"{user_line()}: the value of an argument is needed inside a function that is being captured by compile(): "
            "use where() instead of a branch on values or of x[mask], or read the value outside"
        )


class CaptureTape(Tape):
    """The recording of one call of the function.

    Attributes
    ----------
    captured : dict
        Arrays from outside the function that it reads or writes: `id` to the array and its data.
    leaf_arrays : list
        For each leaf, the captured array behind it, or `None` for an argument.
    made : dict
        Arrays that the function makes from host values, by `id`: constants of the capture, new at every call.
    """

    __slots__ = ("captured", "leaf_arrays", "made")

    capturing = True

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, limit=0)
        self.captured: dict[int, tuple[LazyTensor, BackendData]] = {}
        self.leaf_arrays: list[LazyTensor | None] = []
        self.made: dict[int, LazyTensor] = {}

    def leaf(self, array: LazyTensor, data: BackendData) -> int:
        """Return the operand code of a leaf, and remember the array behind it."""
        known = len(self.leaves)
        code = super().leaf(array, data)
        if len(self.leaves) > known:
            outside = not isinstance(data, InputData)
            self.leaf_arrays.append(array if outside else None)
            if outside:
                self.captured.setdefault(id(array), (array, data))
        return code

    def before_write(self, array: LazyTensor) -> None:
        """Keep the binding of an outside array that the function is about to write to."""
        tape = array._tape
        if tape is tape.ground and not isinstance(array._data, InputData):
            self.captured.setdefault(id(array), (array, array._data))

    def written(self) -> list[LazyTensor]:
        """Return the outside arrays that the function wrote to."""
        return [array for key, (array, _) in self.captured.items() if array._tape is self and key not in self.made]


def outlive_capture(array: LazyTensor) -> None:
    """Count an array that was made while a function is captured as one from outside, whose writes last."""
    tape = array._tape.ground.tape()
    if isinstance(tape, CaptureTape):
        tape.made.pop(id(array), None)


class ScalarArgument:
    """A number that was passed to a captured function.

    Combined with an array it becomes a parameter of the computation. Python code that needs the number itself gets it,
    and the captured call is then valid for that number only.

    Attributes
    ----------
    value : int, float or complex
    key : type or dtype
        What it is as an operand: a Python number takes the arrays' dtype, one of NumPy's has its own.
    position : int
        Which argument it is.
    read : bool
        Whether Python code has seen the value.
    line : str
        The user's line that was the first to see it.
    """

    __slots__ = ("_given", "key", "line", "position", "read", "value")

    def __init__(self, value: Scalar | np.number[Any], position: int) -> None:
        self._given: Any = value
        self.value: Scalar = value.item() if isinstance(value, np.generic) else value
        self.key = value.dtype if isinstance(value, np.generic) else type(value)
        self.position = position
        self.read = False
        self.line = ""

    def get(self) -> Any:
        """Return the number; from now on the captured call depends on it."""
        if not self.read:
            from latebind.runtime.user_frames import user_line

            self.read, self.line = True, user_line()
        return self._given

    def __repr__(self) -> str:
        return repr(self.get())

    def __format__(self, spec: str) -> str:
        return format(self.get(), spec)

    def __hash__(self) -> int:
        return hash(self.get())

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __complex__(self) -> complex:
        return complex(self.get())

    def __index__(self) -> int:
        return operator.index(self.get())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.get(), name)


def _number(value: object) -> object:
    return value.get() if isinstance(value, ScalarArgument) else value


def _binary(function: Callable[[Any, Any], Any]) -> Callable[[ScalarArgument, object], Any]:
    def operator(self: ScalarArgument, other: object) -> Any:
        if isinstance(other, LazyTensor):
            return NotImplemented
        return function(self.get(), _number(other))

    return operator


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[ScalarArgument, object], Any]:
    def operator(self: ScalarArgument, other: object) -> Any:
        return function(_number(other), self.get())

    return operator


def _unary(function: Callable[[Any], Any]) -> Callable[[ScalarArgument], Any]:
    def operator(self: ScalarArgument) -> Any:
        return function(self.get())

    return operator


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "divmod": divmod,
}
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "invert": operator.invert,
    "round": round,
    "trunc": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
}
for _name, _function in {**_ARITHMETIC, **_COMPARISONS}.items():
    setattr(ScalarArgument, f"__{_name}__", _binary(_function))
for _name, _function in _ARITHMETIC.items():
    setattr(ScalarArgument, f"__r{_name}__", _reflected(_function))
for _name, _one in _UNARY.items():
    setattr(ScalarArgument, f"__{_name}__", _unary(_one))
