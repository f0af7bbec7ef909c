"""Python's operators on arrays: the short recording path, and the general one behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import latebind.array.rules.direct  # noqa: F401  (fills in what the rules run directly)
from latebind.array.array import Array
from latebind.array.operands import apply, beyond, checked_dtype, is_scalar, to_ground
from latebind.array.output import fitted
from latebind.array.rules.elementwise import RULES
from latebind.array.rules.linear import MATMUL
from latebind.errors import ScalarRangeError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import binary_operator, record_unary, scalar_operator
from latebind.runtime.signature import Rule
from latebind.runtime.views import is_number, write

_BINARY: Final[dict[str, str]] = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
    "matmul": "matmul",
}
_RULES: Final = {**RULES, "matmul": MATMUL}
_COMPARISONS: Final[dict[str, str]] = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
_UNARY: Final[dict[str, str]] = {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert"}


def operand(value: Any, array: Array) -> Any:
    """Return the other operand of an operator as `apply` takes it, or `NotImplemented` if its type is foreign."""
    if isinstance(value, LazyTensor) or is_scalar(value):
        return value
    if isinstance(value, np.generic):
        checked_dtype(value.dtype)
    if isinstance(value, (np.ndarray, list, tuple)):
        host = np.asarray(value)
        checked_dtype(host.dtype)
        return to_ground(host, array._ground)
    return NotImplemented


def _slow(rule: Rule, *, reflected: bool = False) -> Callable[[Any, Any], Any]:
    def slow(self: Array, other: Any) -> Any:
        other = operand(other, self)
        if other is NotImplemented:
            return NotImplemented
        return apply(rule, other, self) if reflected else apply(rule, self, other)

    slow.__name__ = slow.__qualname__ = rule.name
    return slow


def _slow_comparison(rule: Rule) -> Callable[[Any, Any], Any]:
    """A comparison with an integer outside the dtype's range has a value, as in NumPy; it is not an error."""
    slow = _slow(rule)

    def compare(self: Array, other: Any) -> Any:
        try:
            return slow(self, other)
        except ScalarRangeError:
            return slow(self, beyond(other))

    compare.__name__ = compare.__qualname__ = rule.name
    return compare


#: Ufuncs that may raise halfway, or do not write where they read.
_NOT_IN_PLACE: Final = frozenset({"pow", "matmul"})


def _in_place(name: str, rule: Rule, compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    ufunc = None if rule.name in _NOT_IN_PLACE else rule.ufunc

    def operator(self: Array, other: Any) -> Any:
        tape = self._tape
        if tape.ident == 0 and ufunc is not None:
            direct = tape.ground.tape().direct
            if direct is not None and not is_number(self) and direct.update_by(ufunc, self, other):
                return self
        value = compute(self, other)
        if value is NotImplemented:
            return NotImplemented
        if not self._type.shape and is_number(self):
            return value
        if value._type is not self._type:
            value = fitted(name, self, value)
        write(self, value)
        return self

    operator.__name__ = operator.__qualname__ = name
    return operator


def _unary(rule: Rule) -> Callable[[Any], Any]:
    def operator(self: Array) -> Array:
        out = record_unary(rule, self, 2)
        return apply(rule, self) if out is None else out  # type: ignore[return-value]

    operator.__name__ = operator.__qualname__ = rule.name
    return operator


def _bind() -> None:
    for short, name in _BINARY.items():
        forward = binary_operator(_RULES[name], _slow(_RULES[name]), Array)
        setattr(Array, f"__{short}__", forward)
        reflected = scalar_operator(_RULES[name], _slow(_RULES[name], reflected=True))
        setattr(Array, f"__r{short}__", reflected)
        compute = binary_operator(_RULES[name], _slow(_RULES[name]), Array, depth=2)
        setattr(Array, f"__i{short}__", _in_place(f"__i{short}__", _RULES[name], compute))
    for short, name in _COMPARISONS.items():
        setattr(Array, f"__{short}__", binary_operator(RULES[name], _slow_comparison(RULES[name]), Array))
    for short, name in _UNARY.items():
        setattr(Array, f"__{short}__", _unary(RULES[name]))


_bind()
