"""Arguments of draws: sizes, dtypes, and parameters of distributions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, SupportsIndex, TypeAlias

import numpy as np

from latebind.array.creation_functions import shape_of
from latebind.array.operands import ArrayLike, checked_dtype, host_array
from latebind.array.rules.common import broadcast_shape
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.types import DType
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.tape import Ground

Size: TypeAlias = "SupportsIndex | Sequence[SupportsIndex] | None"
DTypeLike: TypeAlias = Any

FLOATS: Final = (np.dtype(np.float32), np.dtype(np.float64))

#: The largest mean of a Poisson number: ten standard deviations above it, int64 ends. NumPy's limit.
POISSON_LARGEST: Final = float(2**63 - 1 - 10 * 3037000500)

#: What a parameter has to be: a test of host values, and how the message says it.
Condition: TypeAlias = tuple[Callable[[np.ndarray], np.ndarray], str]
CONDITIONS: Final[dict[str, Condition]] = {
    "finite": (np.isfinite, "has to be finite"),
    "nonnegative": (lambda x: ~np.signbit(x) | (x == 0), "must not be negative"),
    "positive": (lambda x: x > 0, "has to be positive"),
    "probability": (lambda x: (x > 0) & (x <= 1), "has to be above 0 and at most 1"),
    "share": (lambda x: (x >= 0) & (x <= 1), "has to be between 0 and 1"),
    "proper share": (lambda x: (x >= 0) & (x < 1), "has to be at least 0 and below 1"),
    "above one": (lambda x: x > 1, "has to be above 1"),
    "count": (lambda x: (x >= 0) & (x < 2.0**63) & (x == np.floor(x)), "has to be whole numbers from 0 to 2**63 - 1"),
    "billion": (lambda x: (x >= 0) & (x < 1e9) & (x == np.floor(x)), "has to be whole numbers from 0 to 999999999"),
    "poisson": (lambda x: (x >= 0) & (x <= POISSON_LARGEST), f"has to be between 0 and {POISSON_LARGEST:.10g}"),
    "any": (lambda x: np.ones(np.shape(x), np.bool_), ""),
}


def size_of(name: str, size: Size) -> tuple[int, ...]:
    """Return `size` as a shape; `None` is a single number, zero-dimensional.

    Raises
    ------
    ShapeMismatchError
        If an extent is negative.
    DTypeMismatchError
        If one is no integer.
    """
    return () if size is None else shape_of(f"random.{name}", size)


def result_shape(name: str, size: Size, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape of a draw: the size, to which the parameters have to broadcast, or their own if it is `None`.

    Raises
    ------
    ShapeMismatchError
        If they do not.
    """
    if size is None:
        return broadcast_shape(f"random.{name}", shapes)
    shape = size_of(name, size)
    try:
        fits = np.broadcast_shapes(shape, *shapes) == shape
    except ValueError:
        fits = False
    if not fits:
        listed = ", ".join(map(str, shapes))
        raise ShapeMismatchError(f"random.{name}: parameters of shape {listed} do not broadcast to size {shape}")
    return shape


def float_dtype(name: str, dtype: DTypeLike, ground: Ground) -> DType:
    """Return the dtype of a draw; by default the container's default real dtype.

    Raises
    ------
    DTypeMismatchError
        If it is neither float32 nor float64.
    """
    found = checked_dtype(ground.executor.options.default_real if dtype is None else dtype)
    if found not in FLOATS:
        raise DTypeMismatchError(f"random.{name} gives float32 or float64, not {found.name}")
    return found


def parameter(name: str, what: str, value: ArrayLike, condition: str) -> ArrayLike:
    """Return a parameter as an operand, checked where its value is known.

    Lazy arrays, and numbers that are arguments of a captured function, are not looked at.

    Raises
    ------
    ValueError
        If a value breaks the condition.
    DTypeMismatchError
        If the values are no real numbers.
    """
    if isinstance(value, ScalarArgument):
        return value
    if isinstance(value, LazyTensor):
        kind = value._type.dtype.kind
    elif type(value) is float or type(value) is int:
        value, kind = float(value), "f"
        checked(name, what, np.float64(value), condition)
        return value
    else:
        value = host_array(value)
        kind = value.dtype.kind
        if kind in "iuf":
            checked(name, what, value, condition)
    if kind not in "iuf":
        raise DTypeMismatchError(f"random.{name}: {what} has to be real numbers")
    return value


def checked(name: str, what: str, values: Any, condition: str) -> None:
    """Raise `ValueError` if a value breaks a condition."""
    test, message = CONDITIONS[condition]
    if not np.all(test(values)):
        raise ValueError(f"random.{name}: {what} {message}")


def shape_of_operand(value: ArrayLike) -> tuple[int, ...]:
    """Return the shape of a parameter."""
    if isinstance(value, LazyTensor):
        return value._type.shape
    return () if isinstance(value, ScalarArgument) else np.shape(value)  # type: ignore[arg-type]
