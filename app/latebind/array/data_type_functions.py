"""Data type functions of the array API standard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from latebind.array.conversion import check_conversion
from latebind.array.operands import ArrayLike, apply, as_array, as_arrays, checked_dtype
from latebind.array.rules.common import broadcast_shape, integer
from latebind.array.rules.elementwise import ASTYPE, COPY
from latebind.array.rules.shapes import BROADCAST_TO
from latebind.errors import DTypeMismatchError
from latebind.ir.types import DType
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array
    from latebind.array.creation_functions import Device, DTypeLike

Kind: TypeAlias = "DType | str | tuple[Kind, ...]"


@dataclass(frozen=True, slots=True)
class FInfo:
    """Limits of a floating-point dtype, or of the parts of a complex one.

    Attributes
    ----------
    bits : int
        Bits of one number.
    eps : float
        Difference between 1 and the next larger number.
    max, min : float
        Largest and smallest finite number.
    smallest_normal : float
        Smallest positive number with full precision.
    dtype : numpy.dtype
        The real dtype.
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True, slots=True)
class IInfo:
    """Limits of an integer dtype.

    Attributes
    ----------
    bits : int
        Bits of one number.
    max, min : int
        Largest and smallest number.
    dtype : numpy.dtype
    """

    bits: int
    max: int
    min: int
    dtype: DType


def astype(x: ArrayLike, dtype: DTypeLike, /, *, copy: bool = True, device: Device = None) -> Array:
    """Convert to a dtype.

    Floats are truncated to integers; `docs/semantics.md` says what becomes of NaN and of what is out of range.

    Parameters
    ----------
    x : Array or array-like
    dtype : dtype
    copy : bool
        Whether the result is an array of its own even if nothing changes.
    device : BackendDevice or str, optional
        Where to put the result.

    Raises
    ------
    DTypeMismatchError
        If the dtype is not supported, or `x` is complex and the dtype is real.
    """
    array, wanted = as_array(x), checked_dtype(dtype)
    if device is not None:
        array = array.to_device(device)
    if array.dtype == wanted:
        return apply(COPY, array) if copy else array
    check_conversion("astype", array.dtype, wanted)
    return apply(ASTYPE, array, dtype=wanted)


def broadcast_arrays(*arrays: ArrayLike) -> tuple[Array, ...]:
    """Broadcast arrays against each other; each result is an array of its own.

    Raises
    ------
    ShapeMismatchError
        If the shapes do not broadcast.
    """
    found = as_arrays(*arrays)
    shape = broadcast_shape("broadcast_arrays", [array.shape for array in found])
    return tuple(apply(BROADCAST_TO, array, shape=shape) for array in found)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape to which shapes broadcast.

    Raises
    ------
    ShapeMismatchError
        If they do not.
    """
    return broadcast_shape("broadcast_shapes", shapes)


def broadcast_to(x: ArrayLike, /, shape: tuple[int, ...]) -> Array:
    """Repeat an array to a shape. The result is an array of its own, which may be written, unlike NumPy's.

    Raises
    ------
    ShapeMismatchError
        If the array does not broadcast to the shape.
    """
    extents = shape if isinstance(shape, Sequence) else (shape,)
    return apply(BROADCAST_TO, as_array(x), shape=tuple(integer("broadcast_to", "an extent", n) for n in extents))


def can_cast(from_: DType | LazyTensor, to: DTypeLike, /) -> bool:
    """Return whether a dtype, or an array's, can be converted to another one without losing anything."""
    return bool(np.can_cast(_dtype_of(from_), checked_dtype(to)))


def finfo(type: DTypeLike | LazyTensor, /) -> FInfo:
    """Return the limits of a floating-point or complex dtype, or of an array's.

    Raises
    ------
    DTypeMismatchError
        For other dtypes.
    """
    dtype = _dtype_of(type)
    if dtype.kind not in "fc":
        raise DTypeMismatchError(f"finfo takes a floating-point dtype, got {dtype.name}: use iinfo for integers")
    found = np.finfo(dtype)  # type: ignore[type-var]
    eps, largest, least, normal = map(float, (found.eps, found.max, found.min, found.smallest_normal))
    return FInfo(found.bits, eps, largest, least, normal, np.dtype(found.dtype))


def iinfo(type: DTypeLike | LazyTensor, /) -> IInfo:
    """Return the limits of an integer dtype, or of an array's.

    Raises
    ------
    DTypeMismatchError
        For other dtypes.
    """
    dtype = _dtype_of(type)
    if dtype.kind not in "iu":
        raise DTypeMismatchError(f"iinfo takes an integer dtype, got {dtype.name}: use finfo for floating point")
    found = np.iinfo(dtype)  # type: ignore[type-var]
    return IInfo(found.bits, int(found.max), int(found.min), dtype)


def isdtype(dtype: DType, kind: Kind) -> bool:
    """Return whether a dtype is of a kind.

    Parameters
    ----------
    dtype : dtype
    kind : dtype, str or tuple of these
        "bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating" or "numeric".

    Raises
    ------
    DTypeMismatchError
        If there is no such kind.
    """
    try:
        return bool(np.isdtype(dtype, kind))  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise DTypeMismatchError(f"isdtype: {error}") from None


def result_type(*arrays_and_dtypes: ArrayLike | DType) -> DType:
    """Return the dtype to which arrays, dtypes and Python numbers promote; Python numbers are weak.

    Raises
    ------
    DTypeMismatchError
        If there is none, or no argument.
    """
    if not arrays_and_dtypes:
        raise DTypeMismatchError("result_type needs at least one array, dtype or number")
    try:
        found: DType = np.result_type(*map(_promotable, arrays_and_dtypes))
    except TypeError as error:
        raise DTypeMismatchError(f"result_type: {error}") from None
    return checked_dtype(found)


def _promotable(value: Any) -> Any:
    if isinstance(value, ScalarArgument):
        return type(value.value)()
    if isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic):
        return type(value)()
    return _dtype_of(value)


def _dtype_of(value: Any) -> DType:
    if isinstance(value, LazyTensor):
        return value._type.dtype
    if isinstance(value, (np.ndarray, np.generic)):
        return checked_dtype(value.dtype)
    return checked_dtype(value)
