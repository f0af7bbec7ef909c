"""Tensor contraction as matrix multiplication, so that BLAS does it."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables
from latebind.backends.numpy.lowerings.movement import full_operands, reshaped, transposed
from latebind.backends.numpy.statements import Variable
from latebind.ir.attributes import ints
from latebind.ir.node import Node

_HALF: Final = np.dtype(np.float16)
_SINGLE: Final = np.dtype(np.float32)


@Context.register("stablehlo::dot_general")
def dot_general(context: Context, node: Node, operands: Variables) -> Variables:
    """`matmul` of operands that are transposed (a view, which BLAS takes) and reshaped where needed.

    float16 is multiplied in float32 and rounded once; NumPy's own loop for it is slow and rounds each product.
    """
    lhs, rhs = full_operands(context, node, operands)
    type = node.types[0]
    if type.dtype == _HALF:
        lhs, rhs = (_converted(context, operand, _SINGLE) for operand in (lhs, rhs))
    batch, summed = (ints(node.attributes, f"lhs_{what}_dimensions") for what in ("batching", "contracting"))
    rhs_batch, rhs_summed = (ints(node.attributes, f"rhs_{what}_dimensions") for what in ("batching", "contracting"))
    lhs_free = _others(lhs.type.rank, batch + summed)
    rhs_free = _others(rhs.type.rank, rhs_batch + rhs_summed)
    if summed:
        lhs = _grouped(context, lhs, batch, lhs_free, summed)
        rhs = _grouped(context, rhs, rhs_batch, rhs_summed, rhs_free)
        product = _matmul(context, lhs, rhs, len(batch))
    else:
        lhs = transposed(context, lhs, batch + lhs_free)
        rhs = transposed(context, rhs, rhs_batch + rhs_free)
        lhs = reshaped(context, lhs, lhs.type.shape + (1,) * len(rhs_free))
        middle = (1,) * len(lhs_free)
        rhs = reshaped(context, rhs, rhs.type.shape[: len(batch)] + middle + rhs.type.shape[len(batch) :])
        product = context.ufunc("multiply", (lhs, rhs), lhs.type.dtype)
    product = _converted(context, product, type.dtype)
    return (reshaped(context, product, type.shape),)


def _others(rank: int, dimensions: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dimension for dimension in range(rank) if dimension not in dimensions)


def _converted(context: Context, operand: Variable, dtype: np.dtype[np.generic]) -> Variable:
    if operand.type.dtype == dtype:
        return operand
    return context.expression(f"{{0}}.astype({dtype.name})", (operand,), operand.type.with_dtype(dtype))


def _grouped(
    context: Context, operand: Variable, batch: tuple[int, ...], rows: tuple[int, ...], columns: tuple[int, ...]
) -> Variable:
    """Return the operand as a stack of matrices; without batch dimensions, an empty group is left out."""
    operand = transposed(context, operand, batch + rows + columns)
    shape = operand.type.shape
    first, second = len(batch), len(batch) + len(rows)
    groups = [shape[first:second], shape[second:]]
    extents = [math.prod(group) for group in groups if group or batch]
    return reshaped(context, operand, (*shape[:first], *extents))


def _matmul(context: Context, lhs: Variable, rhs: Variable, batch_rank: int) -> Variable:
    rows = lhs.type.shape[batch_rank:-1]
    columns = rhs.type.shape[batch_rank + 1 :]
    type = lhs.type.with_shape((*lhs.type.shape[:batch_rank], *rows, *columns))
    return context.ufunc_apart("matmul", (lhs, rhs), type)
