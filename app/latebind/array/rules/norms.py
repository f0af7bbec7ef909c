"""Rules of norms, and of products and sums of vectors and diagonals."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from latebind.array.rules.common import (
    FLOAT64,
    cast,
    like,
    normalize_axes,
    reduce,
    reshape,
    window,
)
from latebind.array.rules.factorisations import factors, matrices
from latebind.errors import ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.runtime.signature import Rule

#: Order of a norm, as the standard has them: a number, or the name of a matrix norm.
Order = int | float | str
_SINGLE: Final = np.dtype(np.float32)


def _sizes(b: IrBuilder, x: Value) -> Value:
    return x if x.dtype.kind == "u" else b.op("stablehlo::abs", x)


def _sum(b: IrBuilder, x: Value, axes: tuple[int, ...]) -> Value:
    return reduce(b, x, "stablehlo::add", 0, axes)


def _extreme(b: IrBuilder, name: str, x: Value, axes: tuple[int, ...], *, largest: bool) -> Value:
    """Largest or smallest size; nothing has the largest size 0."""
    if not largest and any(x.shape[axis] == 0 for axis in axes):
        raise ShapeMismatchError(f"{name}: the smallest of no elements is asked for, of an array of shape {x.shape}")
    return reduce(b, x, "stablehlo::maximum" if largest else "stablehlo::minimum", 0 if largest else math.inf, axes)


def _euclidean(b: IrBuilder, x: Value, axes: tuple[int, ...]) -> Value:
    if x.dtype.kind != "c":
        return b.op("stablehlo::sqrt", _sum(b, b.op("stablehlo::multiply", x, x), axes))
    parts = [b.op(f"stablehlo::{part}", x) for part in ("real", "imag")]
    squares = [b.op("stablehlo::multiply", part, part) for part in parts]
    return b.op("stablehlo::sqrt", _sum(b, b.op("stablehlo::add", *squares), axes))


def _floating(b: IrBuilder, x: Value) -> Value:
    """Return numbers to take norms of: integers in float64, float16 in float32."""
    if x.dtype.kind not in "fc":
        return cast(b, x, FLOAT64)
    return cast(b, x, _SINGLE) if x.dtype.name == "float16" else x


def _rounded(b: IrBuilder, found: Value, x: Value) -> Value:
    """Return a norm in half precision if the operand has it."""
    return cast(b, found, x.dtype) if x.dtype.name == "float16" else found


def _keep(b: IrBuilder, found: Value, x: Value, axes: tuple[int, ...], keepdims: bool) -> Value:
    if not keepdims:
        return found
    return reshape(b, found, tuple(1 if axis in axes else extent for axis, extent in enumerate(x.shape)))


def _vector_norm(b: IrBuilder, x: Value, *, axis: tuple[int, ...] | None, keepdims: bool, ord: int | float) -> Value:
    axes = normalize_axes("vector_norm", axis, len(x.shape))
    work = _floating(b, x)
    if ord == 2:
        found = _euclidean(b, work, axes)
    elif math.isinf(ord):
        found = _extreme(b, "vector_norm", _sizes(b, work), axes, largest=ord > 0)
    elif ord == 0:
        nonzero = b.op("stablehlo::compare", work, like(b, 0, work), comparison_direction="NE")
        found = _sum(b, cast(b, nonzero, _sizes(b, work).dtype), axes)
    elif ord == 1:
        found = _sum(b, _sizes(b, work), axes)
    else:
        sizes = _sizes(b, work)
        total = _sum(b, b.op("numpy::power", sizes, like(b, ord, sizes)), axes)
        found = b.op("numpy::power", total, like(b, 1 / ord, total))
    return _keep(b, _rounded(b, found, x), x, axes, keepdims)


VECTOR_NORM: Final = Rule("vector_norm", _vector_norm)


def _matrix_norm(b: IrBuilder, x: Value, *, keepdims: bool, ord: Order) -> Value:
    rank = len(x.shape)
    if rank < 2:
        raise ShapeMismatchError(f"matrix_norm takes matrices, with two dimensions at least, got shape {x.shape}")
    rows, columns = rank - 2, rank - 1
    if ord == "fro":
        found = _euclidean(b, _floating(b, x), (rows, columns))
    elif ord == "nuc" or ord in (2, -2):
        (values,) = factors(b, "linalg::svd", matrices("matrix_norm", b, x), mode="none")
        last = (rank - 2,)
        found = _sum(b, values, last) if ord == "nuc" else _extreme(b, "matrix_norm", values, last, largest=ord == 2)
    else:
        summed, rest = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = _sum(b, _sizes(b, _floating(b, x)), (summed,))
        found = _extreme(b, "matrix_norm", sums, (min(rest, rank - 2),), largest=float(ord) > 0)
    return _keep(b, _rounded(b, found, x), x, (rows, columns), keepdims)


MATRIX_NORM: Final = Rule("matrix_norm", _matrix_norm)


def _diagonal(b: IrBuilder, x: Value, *, offset: int) -> Value:
    """Every (N + 1)-th of the M N elements of a matrix."""
    if len(x.shape) < 2:
        raise ShapeMismatchError(f"diagonal takes matrices, with two dimensions at least, got shape {x.shape}")
    *batch, rows, columns = x.shape
    length = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    first = (offset if offset >= 0 else -offset * columns) if length else 0
    flat = reshape(b, x, (*batch, rows * columns))
    return b.op(
        "stablehlo::slice",
        flat,
        start_indices=(*(0,) * len(batch), first),
        limit_indices=(*batch, first + (length - 1) * (columns + 1) + 1 if length else 0),
        strides=(*(1,) * len(batch), columns + 1),
    )


DIAGONAL: Final = Rule("diagonal", _diagonal)


def _cross(b: IrBuilder, x1: Value, x2: Value, *, axis: int) -> Value:
    """The operands have one shape and dtype, and three elements along the axis."""
    parts = [[window(b, x, axis, index, index + 1) for index in range(3)] for x in (x1, x2)]
    found = []
    for index in range(3):
        one, two = (index + 1) % 3, (index + 2) % 3
        products = [b.op("stablehlo::multiply", parts[0][i], parts[1][j]) for i, j in ((one, two), (two, one))]
        found.append(b.op("stablehlo::subtract", *products))
    return b.op("stablehlo::concatenate", *found, dimension=axis)


CROSS: Final = Rule("cross", _cross)
