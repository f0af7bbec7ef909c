"""Rules that move elements: transposition, reshaping, broadcasting, joining, padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from latebind.array.rules.common import broadcast_shape, cast, expand, normalize_axis, window
from latebind.array.rules.common import reshape as reshape_value
from latebind.array.rules.common import transpose as transpose_value
from latebind.errors import ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.ir.promotion import promote_dtypes
from latebind.runtime.signature import Rule
from latebind.runtime.views import take_view

if TYPE_CHECKING:
    from latebind.array.array import Array


def _transpose(b: IrBuilder, x: Value, *, axes: tuple[int, ...]) -> Value:
    return transpose_value(b, x, axes)


def _transpose_back(b: IrBuilder, x: Value, value: Value, *, axes: tuple[int, ...]) -> Value:
    return transpose_value(b, value, tuple(int(axis) for axis in np.argsort(axes)))


TRANSPOSE: Final = Rule("permute_dims", _transpose, Rule("permute_dims", _transpose_back))
TRANSPOSE.infer = lambda x, *, axes: x.with_shape(tuple(x.shape[axis] for axis in axes))


def _reshape(b: IrBuilder, x: Value, *, shape: tuple[int, ...]) -> Value:
    return reshape_value(b, x, shape)


def _reshape_back(b: IrBuilder, x: Value, value: Value, *, shape: tuple[int, ...]) -> Value:
    return reshape_value(b, value, x.shape)


RESHAPE: Final = Rule("reshape", _reshape, Rule("reshape", _reshape_back))
RESHAPE.infer = lambda x, *, shape: x.with_shape(shape)


def _broadcast_to(b: IrBuilder, x: Value, *, shape: tuple[int, ...]) -> Value:
    if broadcast_shape("broadcast_to", (x.shape, shape)) != shape:
        raise ShapeMismatchError(f"broadcast_to: an array of shape {x.shape} does not broadcast to the shape {shape}")
    return expand(b, x, shape)


BROADCAST_TO: Final = Rule("broadcast_to", _broadcast_to)


def _concat(b: IrBuilder, *values: Value, axis: int | None) -> Value:
    """Join along an axis; without one, the values are flattened first."""
    if axis is None:
        values, axis = tuple(reshape_value(b, value, (value.type.size,)) for value in values), 0
    else:
        axis = normalize_axis("concat", axis, len(values[0].shape))
    outer = {(len(value.shape), value.shape[:axis], value.shape[axis + 1 :]) for value in values}
    if len(outer) > 1:
        shapes = ", ".join(str(value.shape) for value in values)
        raise ShapeMismatchError(f"concat: the shapes {shapes} have to be equal except along axis {axis}")
    dtype = promote_dtypes(*(value.dtype for value in values))
    return b.op("stablehlo::concatenate", *(cast(b, value, dtype) for value in values), dimension=axis)


CONCAT: Final = Rule("concat", _concat)


def _stack(b: IrBuilder, *values: Value, axis: int) -> Value:
    """Join along a new axis."""
    shape = values[0].shape
    if any(value.shape != shape for value in values):
        shapes = ", ".join(str(value.shape) for value in values)
        raise ShapeMismatchError(f"stack: the arrays have to have one shape, got {shapes}")
    axis = normalize_axis("stack", axis, len(shape) + 1)
    widened = (*shape[:axis], 1, *shape[axis:])
    return _concat(b, *(reshape_value(b, value, widened) for value in values), axis=axis)


STACK: Final = Rule("stack", _stack)


def _repeat(b: IrBuilder, x: Value, *, repeats: int, axis: int) -> Value:
    """Each element `repeats` times in a row."""
    shape = x.shape
    repeated = (*shape[: axis + 1], repeats, *shape[axis + 1 :])
    dims = tuple(one if one <= axis else one + 1 for one in range(len(shape)))
    x = b.op("stablehlo::broadcast_in_dim", x, broadcast_dimensions=dims, shape=repeated)
    return reshape_value(b, x, (*shape[:axis], shape[axis] * repeats, *shape[axis + 1 :]))


REPEAT: Final = Rule("repeat", _repeat)


def _tile(b: IrBuilder, x: Value, *, repetitions: tuple[int, ...]) -> Value:
    """The whole array over and over, along each axis; `repetitions` has one number per axis of the result."""
    x = reshape_value(b, x, (1,) * (len(repetitions) - len(x.shape)) + x.shape)
    split = tuple(extent for pair in zip(repetitions, x.shape, strict=True) for extent in pair)
    dims = tuple(range(1, len(split), 2))
    tiled = b.op("stablehlo::broadcast_in_dim", x, broadcast_dimensions=dims, shape=split)
    return reshape_value(b, tiled, tuple(count * extent for count, extent in zip(repetitions, x.shape, strict=True)))


TILE: Final = Rule("tile", _tile)


def _roll(b: IrBuilder, x: Value, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Value:
    """Elements moved along axes; what leaves at the end comes back at the front."""
    for shift, axis in zip(shifts, axes, strict=True):
        extent = x.shape[axis]
        moved = shift % extent if extent else 0
        if moved:
            halves = window(b, x, axis, extent - moved, extent), window(b, x, axis, 0, extent - moved)
            x = b.op("stablehlo::concatenate", *halves, dimension=axis)
    return x


ROLL: Final = Rule("roll", _roll)


def permute(array: Array, axes: Sequence[int]) -> Array:
    """Return a view with the axes in this order."""
    return take_view(TRANSPOSE, array, (("axes", tuple(axes)),))  # type: ignore[return-value]


def matrix_transpose(array: Array) -> Array:
    """Return a view with the last two axes exchanged."""
    if array.ndim < 2:
        raise ShapeMismatchError(f"a matrix transpose needs at least 2 dimensions, got shape {array.shape}")
    axes = [*range(array.ndim - 2), array.ndim - 1, array.ndim - 2]
    return permute(array, axes)
