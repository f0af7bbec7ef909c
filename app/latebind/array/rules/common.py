"""What rules share: conversion, broadcasting, constants, reductions."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import SupportsIndex, TypeAlias

import numpy as np

from latebind.errors import AxisError, DTypeMismatchError, ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.ir.opkind import OpKind
from latebind.ir.promotion import promote_dtypes
from latebind.ir.types import DType

BOOL: DType = np.dtype(np.bool_)
INT64: DType = np.dtype(np.int64)
FLOAT64: DType = np.dtype(np.float64)

Number = bool | int | float | complex
#: What functions take as `axis`.
Axes: TypeAlias = SupportsIndex | Sequence[SupportsIndex] | None


def cast(b: IrBuilder, value: Value, dtype: DType) -> Value:
    """Convert to a dtype; to bool by comparison with zero, as NumPy does."""
    if value.dtype == dtype:
        return value
    if dtype == BOOL:
        return b.op("stablehlo::compare", value, like(b, 0, value), comparison_direction="NE")
    if value.dtype.kind == "c" and dtype.kind != "c":
        value = b.op("stablehlo::real", value)
        return cast(b, value, dtype)
    return b.make_cast(value, dtype).value()


def scalar(b: IrBuilder, number: Number, dtype: DType) -> Value:
    """Return a zero-dimensional constant."""
    return b.make_scalar(number, dtype).value()


def expand(b: IrBuilder, value: Value, shape: tuple[int, ...]) -> Value:
    """Broadcast to a shape by NumPy's rules."""
    return value if value.shape == shape else b.make_expand(value, shape).value()


def full(b: IrBuilder, number: Number, shape: tuple[int, ...], dtype: DType) -> Value:
    """Return a constant of this shape."""
    return expand(b, scalar(b, number, dtype), shape)


def like(b: IrBuilder, number: Number, value: Value) -> Value:
    """Return a constant with the shape and dtype of a value."""
    return full(b, number, value.shape, value.dtype)


def broadcast_shape(name: str, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape to which these broadcast.

    Raises
    ------
    ShapeMismatchError
        If they do not; the message names the operation and the shapes.
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, shapes))
        raise ShapeMismatchError(
            f"{name}: shapes {listed} do not broadcast: aligned from the last axis, extents must be equal or 1"
        ) from None


def broadcast(b: IrBuilder, name: str, *values: Value) -> list[Value]:
    """Broadcast values against each other."""
    shape = broadcast_shape(name, [value.shape for value in values])
    return [expand(b, value, shape) for value in values]


def promote(b: IrBuilder, *values: Value) -> list[Value]:
    """Convert values to the dtype to which they promote."""
    dtype = promote_dtypes(*(value.dtype for value in values))
    return [cast(b, value, dtype) for value in values]


def normalize_axes(name: str, axis: Axes, rank: int) -> tuple[int, ...]:
    """Return the axes counted from the front, ascending; all of them for `None`.

    Raises
    ------
    AxisError
        If an axis is out of range.
    ShapeMismatchError
        If one is given twice.
    DTypeMismatchError
        If an axis is not an integer.
    """
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, Sequence) else (axis,)
    found = tuple(sorted(normalize_axis(name, one, rank) for one in axes))
    if len(set(found)) != len(found):
        raise ShapeMismatchError(f"{name}: axis {tuple(axes)} names an axis twice")
    return found


def axes_attribute(name: str, axis: Axes) -> tuple[int, ...] | None:
    """Return an axis argument as an attribute: hashable, and not checked against a rank yet.

    Raises
    ------
    DTypeMismatchError
        If an axis is not an integer.
    """
    if axis is None:
        return None
    axes = axis if isinstance(axis, Sequence) else (axis,)
    return tuple(integer(name, "axis", one) for one in axes)


def normalize_axis(name: str, axis: SupportsIndex, rank: int) -> int:
    """Return an axis counted from the front.

    Raises
    ------
    AxisError
        If it is out of range.
    DTypeMismatchError
        If it is not an integer.
    """
    found = integer(name, "axis", axis)
    if not -rank <= found < rank:
        raise AxisError(f"{name}: axis {found} is out of range for an array with {rank} dimensions")
    return found % rank


def integer(name: str, what: str, value: SupportsIndex) -> int:
    """Return an argument that has to be an integer.

    Raises
    ------
    DTypeMismatchError
        If it is not.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise DTypeMismatchError(f"{name}: {what} has to be an integer, got {value!r}") from None


def reduce(
    b: IrBuilder, value: Value, body: str, initial: Number, axes: tuple[int, ...], *, keepdims: bool = False
) -> Value:
    """Reduce over axes with a named body."""
    shape = value.shape
    if axes:
        start = scalar(b, initial, value.dtype)
        value = b.op("stablehlo::reduce", value, start, dimensions=axes, body=OpKind.get(body))
    if keepdims:
        value = reshape(b, value, tuple(1 if axis in axes else extent for axis, extent in enumerate(shape)))
    return value


def reshape(b: IrBuilder, value: Value, shape: tuple[int, ...]) -> Value:
    """Return the value with another shape of the same size."""
    return value if value.shape == shape else b.op("stablehlo::reshape", value, shape=shape)


def window(b: IrBuilder, value: Value, axis: int, start: int, stop: int) -> Value:
    """Return what lies between two positions of one axis."""
    starts = tuple(start if one == axis else 0 for one in range(len(value.shape)))
    limits = tuple(stop if one == axis else extent for one, extent in enumerate(value.shape))
    strides = (1,) * len(value.shape)
    return b.op("stablehlo::slice", value, start_indices=starts, limit_indices=limits, strides=strides)


def transpose(b: IrBuilder, value: Value, axes: tuple[int, ...]) -> Value:
    """Permute the axes."""
    if axes == tuple(range(len(axes))):
        return value
    return b.op("stablehlo::transpose", value, permutation=axes)


def require_numeric(name: str, *dtypes: DType) -> None:
    """Raise if a dtype is bool, with which the operation has no meaning."""
    for dtype in dtypes:
        if dtype == BOOL:
            raise DTypeMismatchError(f"{name} takes numbers, got bool: convert with astype first")
