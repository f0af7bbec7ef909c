"""Tensor contraction as matrix multiplication, so that BLAS does it."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import torch

from latebind.backends.torch.dtypes import carrier
from latebind.backends.torch.kernels.products import matmul_of_integers
from latebind.backends.torch.lowering import BOOL, INT64, Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.elementwise import converted
from latebind.backends.torch.lowerings.movement import full_operands, reshaped, transposed
from latebind.ir.attributes import ints
from latebind.ir.node import Node
from latebind.ir.types import DType

#: dtypes that are multiplied in another one. float16 is rounded once; counts of booleans do not wrap in int64.
_COMPUTED_IN: Final[dict[str, DType]] = {"float16": np.dtype(np.float32), "bool": np.dtype(np.int64)}


@Context.register("stablehlo::dot_general")
def dot_general(context: Context, node: Node, operands: Terms) -> Terms:
    """`matmul` of operands that are transposed (a view, which BLAS takes) and reshaped where needed."""
    type = node.types[0]
    dtype = _COMPUTED_IN.get(type.dtype.name, type.dtype)
    if context.compiler == "inductor" and dtype.kind in "iu" and dtype.itemsize < INT64.itemsize:
        dtype = INT64  # Inductor turns some products into sums, which it leaves in int64
    lhs, rhs = (converted(context, operand, dtype) for operand in full_operands(context, node, operands))
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
        product = context.elementwise(torch.mul, (lhs, rhs), dtype)
    return (reshaped(context, _as(context, product, type.dtype), type.shape),)


def _as(context: Context, product: Term, dtype: DType) -> Term:
    if dtype is BOOL and product.type.dtype is not BOOL:
        return context.call(torch.ne, product, 0, type=product.type.with_dtype(BOOL))
    return converted(context, product, dtype)


def _others(rank: int, dimensions: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dimension for dimension in range(rank) if dimension not in dimensions)


def _grouped(
    context: Context, operand: Term, batch: tuple[int, ...], rows: tuple[int, ...], columns: tuple[int, ...]
) -> Term:
    """Return the operand as a stack of matrices; without batch dimensions, an empty group is left out."""
    operand = transposed(context, operand, batch + rows + columns)
    shape = operand.type.shape
    first, second = len(batch), len(batch) + len(rows)
    groups = [shape[first:second], shape[second:]]
    extents = [math.prod(group) for group in groups if group or batch]
    return reshaped(context, operand, (*shape[:first], *extents))


def _matmul(context: Context, lhs: Term, rhs: Term, batch_rank: int) -> Term:
    rows = lhs.type.shape[batch_rank:-1]
    columns = rhs.type.shape[batch_rank + 1 :]
    type = lhs.type.with_shape((*lhs.type.shape[:batch_rank], *rows, *columns))
    if type.dtype.kind in "iu" and not context.is_host:
        return context.kernel(matmul_of_integers, lhs, rhs, type=type, dtype=carrier(type.dtype))
    return context.call(torch.matmul, lhs, rhs, type=type)
