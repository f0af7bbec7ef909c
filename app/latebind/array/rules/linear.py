"""Rules of products: `matmul`, `tensordot`, `vecdot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from latebind.array.rules.common import broadcast_shape, expand, promote, reshape
from latebind.errors import ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.runtime.signature import Rule


def _contract(b: IrBuilder, x: Value, y: Value, batch: int, x_axes: Sequence[int], y_axes: Sequence[int]) -> Value:
    """Sum of products over pairs of axes; the first `batch` axes of both run together."""
    leading = tuple(range(batch))
    return b.op(
        "stablehlo::dot_general",
        x,
        y,
        lhs_batching_dimensions=leading,
        rhs_batching_dimensions=leading,
        lhs_contracting_dimensions=tuple(x_axes),
        rhs_contracting_dimensions=tuple(y_axes),
    )


def _matmul(b: IrBuilder, x: Value, y: Value) -> Value:
    """NumPy's `matmul`: vectors are rows on the left and columns on the right, leading axes broadcast."""
    if not x.shape or not y.shape:
        raise ShapeMismatchError(
            f"matmul: both operands need at least one dimension, got shapes {x.shape} and {y.shape}; use * for scalars"
        )
    if x.shape[-1] != y.shape[-2 if len(y.shape) > 1 else 0]:
        raise ShapeMismatchError(
            f"matmul: shapes {x.shape} and {y.shape} do not fit: the last axis of the first operand has to be as long "
            f"as the {'second to last' if len(y.shape) > 1 else 'only'} axis of the second"
        )
    x, y = promote(b, x, y)
    if len(y.shape) <= 2:
        return _contract(b, x, y, 0, [len(x.shape) - 1], [0])
    if len(x.shape) == 1:
        row = reshape(b, x, (1, *x.shape))
        product = _matmul(b, row, y)
        return reshape(b, product, (*product.shape[:-2], product.shape[-1]))
    leading = broadcast_shape("matmul", (x.shape[:-2], y.shape[:-2]))
    x, y = expand(b, x, (*leading, *x.shape[-2:])), expand(b, y, (*leading, *y.shape[-2:]))
    rank = len(leading)
    return _contract(b, x, y, rank, [rank + 1], [rank])


MATMUL: Final = Rule("matmul", _matmul)


def _tensordot(b: IrBuilder, x: Value, y: Value, *, axes: tuple[tuple[int, ...], tuple[int, ...]]) -> Value:
    for first, second in zip(*axes, strict=True):
        if x.shape[first] != y.shape[second]:
            raise ShapeMismatchError(
                f"tensordot: axis {first} of shape {x.shape} and axis {second} of shape {y.shape} differ in length"
            )
    x, y = promote(b, x, y)
    return _contract(b, x, y, 0, *axes)


TENSORDOT: Final = Rule("tensordot", _tensordot)


def _vecdot(b: IrBuilder, x: Value, y: Value) -> Value:
    """Sum of products along the last axis, the first operand conjugated; the other axes broadcast."""
    if x.shape[-1] != y.shape[-1]:
        raise ShapeMismatchError(f"vecdot: the summed axes of shapes {x.shape} and {y.shape} differ in length")
    x, y = promote(b, x, y)
    if x.dtype.kind == "c":
        x = b.op("chlo::conj", x)
    shape = broadcast_shape("vecdot", (x.shape, y.shape))
    rank = len(shape) - 1
    return _contract(b, expand(b, x, shape), expand(b, y, shape), rank, [rank], [rank])


VECDOT: Final = Rule("vecdot", _vecdot)
