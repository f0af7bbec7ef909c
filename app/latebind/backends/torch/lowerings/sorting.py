"""Sorting."""

from __future__ import annotations

import operator
from typing import Final

import torch

from latebind.backends.torch.dtypes import carrier
from latebind.backends.torch.kernels import complexes, unsigned
from latebind.backends.torch.lowering import INT64, Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.elementwise import converted, family
from latebind.backends.torch.lowerings.movement import full_operands, is_iota_along
from latebind.ir.attributes import integer
from latebind.ir.node import Node

_PAIR: Final = 2


@Context.register("stablehlo::sort")
def sort(context: Context, node: Node, operands: Terms) -> Terms:
    """`sort` of the first operand; others are gathered at its positions."""
    axis = integer(node.attributes, "dimension") % node.types[0].rank
    descending = node.attributes["comparison_direction"] == "GT"
    key, *others = full_operands(context, node, operands)
    # Only floats can tell a stable sort of values from another one, by the sign of zeros.
    stable = bool(others) or (node.attributes.get("is_stable") is True and key.type.dtype.kind in "fc")
    values, order = _sorted(context, key, axis, descending, stable)
    results = [values]
    for value, other in zip(node.operands[1:], others, strict=True):
        if len(operands) == _PAIR and is_iota_along(value.node, axis):
            results.append(converted(context, order, value.dtype))
        else:
            results.append(context.call(torch.gather, other, axis, order, type=other.type))
    return results


def _sorted(context: Context, key: Term, axis: int, descending: bool, stable: bool) -> tuple[Term, Term]:
    """Return the sorted values and their positions."""
    type, dtype = key.type, key.type.dtype
    positions = type.with_dtype(INT64)
    if dtype.kind == "c":
        order = context.kernel(complexes.sort_order, key, type=positions, dim=axis, descending=descending)
        return context.call(torch.gather, key, axis, order, type=type), order
    flipped = family(dtype) == "u"
    if flipped:
        key = context.kernel(unsigned.flipped, key, type=type, dtype=carrier(dtype))
    both = context.call(torch.sort, key, type=type, dim=axis, stable=stable, descending=descending)
    values = context.call(operator.getitem, both, 0, type=type)
    order = context.call(operator.getitem, both, 1, type=positions)
    if flipped:
        values = context.kernel(unsigned.flipped, values, type=type, dtype=carrier(dtype))
    return values, order
