"""Rules that move elements: transposition, reshaping, broadcasting, joining, padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from latebind.array.rules.common import cast, expand
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


def _reshape(b: IrBuilder, x: Value, *, shape: tuple[int, ...]) -> Value:
    return reshape_value(b, x, shape)


def _reshape_back(b: IrBuilder, x: Value, value: Value, *, shape: tuple[int, ...]) -> Value:
    return reshape_value(b, value, x.shape)


RESHAPE: Final = Rule("reshape", _reshape, Rule("reshape", _reshape_back))


def _broadcast_to(b: IrBuilder, x: Value, *, shape: tuple[int, ...]) -> Value:
    return expand(b, x, shape)


BROADCAST_TO: Final = Rule("broadcast_to", _broadcast_to)


def _concat(b: IrBuilder, *values: Value, axis: int) -> Value:
    dtype = promote_dtypes(*(value.dtype for value in values))
    return b.op("stablehlo::concatenate", *(cast(b, value, dtype) for value in values), dimension=axis)


CONCAT: Final = Rule("concat", _concat)


def permute(array: Array, axes: Sequence[int]) -> Array:
    """Return a view with the axes in this order."""
    return take_view(TRANSPOSE, array, (("axes", tuple(axes)),))  # type: ignore[return-value]


def matrix_transpose(array: Array) -> Array:
    """Return a view with the last two axes exchanged."""
    if array.ndim < 2:
        raise ShapeMismatchError(f"a matrix transpose needs at least 2 dimensions, got shape {array.shape}")
    axes = [*range(array.ndim - 2), array.ndim - 1, array.ndim - 2]
    return permute(array, axes)
