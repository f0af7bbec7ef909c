"""What the functions of this package share in reading their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from latebind.array.operands import ArrayLike, as_array
from latebind.array.rules.common import integer, normalize_axes
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.types import DType
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.tape import Ground

if TYPE_CHECKING:
    from latebind.array.array import Array

Order = Literal["C", "F", "A", "K"]


def ground_of(*values: object) -> Ground | None:
    """Return where the first lazy array among the values is; `None` if there is none."""
    return next((value._tape.ground for value in values if isinstance(value, LazyTensor)), None)


def alike(*values: ArrayLike) -> list[Array]:
    """Return array-likes as arrays on the device of the first lazy one; sequences may hold arrays."""
    ground = ground_of(*values)
    return [array_of(value, ground) for value in values]


def array_of(value: Any, ground: Ground | None = None) -> Array:
    """Return an array-like as an array; nested sequences that hold lazy arrays stay lazy."""
    if isinstance(value, (list, tuple)):
        from latebind.array.creation_functions import asarray

        return asarray(value, device=None if ground is None else ground.device)
    return as_array(value, ground)


def complex_of(real: Array, imaginary: Array) -> Array:
    """Return complex numbers of their parts; a sum with `1j * imaginary` would make NaN of infinities."""
    made = real.astype(np.complex64 if real.dtype == np.float32 else np.complex128)
    made.imag = imaginary
    return made


def floating(dtype: DType) -> DType:
    """Return the dtype to which NumPy's floating-point functions convert: float64 for integers and booleans."""
    return dtype if dtype.kind in "fc" else np.dtype(np.float64)


def limits(dtype: DType) -> np.finfo[Any]:
    """Return the limits of a floating-point or complex dtype."""
    return np.finfo(dtype)


def refuse(name: str, what: str, remedy: str) -> DTypeMismatchError:
    """Return the error for an argument of NumPy's that has no lazy form."""
    return DTypeMismatchError(f"{name}: {what} is not supported for lazy arrays: {remedy}")


def check_order(name: str, order: str | None) -> None:
    """Refuse a memory order that NumPy does not know; which one of NumPy's it is does not matter for the values.

    Raises
    ------
    ShapeMismatchError
        If it is not one of "C", "F", "A", "K".
    """
    if order not in (None, "C", "F", "A", "K"):
        raise ShapeMismatchError(f"{name}: order has to be one of 'C', 'F', 'A', 'K', got {order!r}")


def axes_of(name: str, axis: Any, rank: int) -> tuple[int, ...]:
    """Return an axis argument as axes counted from the front."""
    return normalize_axes(name, tuple(axis) if isinstance(axis, (list, np.ndarray)) else axis, rank)


def count_of(name: str, what: str, value: Any, least: int = 0) -> int:
    """Return an integer that must not be less than a bound.

    Raises
    ------
    ShapeMismatchError
        If it is.
    """
    found = integer(name, what, value)
    if found < least:
        raise ShapeMismatchError(f"{name}: {what} has to be {least} or more, got {found}")
    return found


def flat_unless(array: Array, axis: Any) -> tuple[Array, Any]:
    """Return an array and the axis to work on: the flattened one and 0 if no axis is given."""
    return (array.reshape((-1,)), 0) if axis is None else (array, axis)
