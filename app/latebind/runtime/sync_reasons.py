"""What made a program wait, in the words of its author: from the call stack, when somebody watches."""

from __future__ import annotations

import opcode
import sys
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Final

from latebind.runtime.user_frames import user_frame

#: What the executor was asked for, where that is reason enough.
_OF_CAUSE: Final = {
    "leaf": "operand pending elsewhere",
    "loop": "loop cut",
    "limit": "trace limit",
    "capture": "first call of a compiled function",
    "sync": "sync()",
    "mark_step": "mark_step()",
    "wait_device_ops": "wait_device_ops()",
}
#: What the user wrote where these functions of ours were called.
_OF_FUNCTION: Final = {
    "__float__": "float()",
    "__int__": "int()",
    "__index__": "an index or a count",
    "__complex__": "complex()",
    "__repr__": "repr() or print()",
    "__str__": "str() or print()",
    "__format__": "formatting",
    "__array__": "numpy.asarray()",
    "to_numpy": "to_numpy()",
    "__iter__": "iteration",
    "__contains__": "in",
    "__dlpack__": "DLPack",
    "__dlpack_device__": "DLPack",
    "__reduce__": "pickle",
    "item": ".item()",
    "tolist": ".tolist()",
    "to_device": ".to_device()",
}
#: NumPy's protocols, and the parameter that is the function that the user called.
_PROTOCOLS: Final = {"__array_function__": "func", "__array_ufunc__": "ufunc"}
#: Modules whose reads decide a shape.
_SHAPES: Final = tuple(
    f"{name}.py" for name in ("searching_functions", "set_functions", "index_expressions", "indexing", "selected_views")
)
_CALLS: Final = ("__call__", "_call")
_INDEXING: Final = ("get", "put", "__getitem__", "__setitem__")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the user's program something was caused, and by what.

    Attributes
    ----------
    code, lasti
        The user's instruction.
    function : str
        The outermost function of latebind, or the function of NumPy, that it called; empty if that is unknown.
    shapes : bool
        Whether a shape that depends on data was wanted.
    """

    code: CodeType
    lasti: int
    function: str
    shapes: bool


def place_of_call() -> Place:
    """Return the user's instruction that the innermost call comes from, and what it called."""
    user = user_frame(1)
    frame: FrameType | None = sys._getframe(1)
    outermost, shapes = None, False
    while frame is not None and frame is not user:
        outermost = frame
        shapes = shapes or frame.f_code.co_filename.endswith(_SHAPES)
        frame = frame.f_back
    return Place(user.f_code, user.f_lasti, "" if outermost is None else _called(outermost), shapes)


def _called(frame: FrameType) -> str:
    """Return what the user called, where this is the outermost frame inside latebind."""
    name = frame.f_code.co_name
    parameter = _PROTOCOLS.get(name)
    if parameter is None:
        return name
    return f"numpy.{getattr(frame.f_locals.get(parameter), '__name__', 'a function')}"


def reason_of(cause: str, place: Place) -> str:
    """Return why something was waited for.

    Parameters
    ----------
    cause
        Of the event.
    place
        Where it comes from.
    """
    if cause == "leaf" and place.function in _CALLS:
        return "argument of a compiled function"
    known = _OF_CAUSE.get(cause)
    if known is not None:
        return known
    if place.shapes:
        what = "boolean mask" if place.function in _INDEXING else f"{place.function}()"
        return f"data-dependent shape: {what}"
    if place.function == "__bool__":
        return "if, while, and, or, not" if _decides(place) else "bool()"
    return _OF_FUNCTION.get(place.function, f"{place.function}()" if place.function else "a value was read")


def _decides(place: Place) -> bool:
    """Whether the user's instruction is a branch on the value."""
    if place.lasti < 0:
        return False
    name = opcode.opname[place.code.co_code[place.lasti]]
    return "JUMP" in name or name in ("UNARY_NOT", "TO_BOOL")
