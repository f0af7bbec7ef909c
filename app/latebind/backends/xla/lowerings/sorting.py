"""Sorting."""

from __future__ import annotations

from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.lowerings.complexes import both, either, is_nan, precedes
from latebind.ir.attributes import integer
from latebind.ir.node import Node


@Context.register("stablehlo::sort")
def sort(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own, by a comparison that has NaN last (first if descending)."""
    dimension = integer(node.attributes, "dimension") % node.types[0].rank
    descending = node.attributes["comparison_direction"] == "GT"
    scalars = [operand.type.with_shape(()) for operand in operands for _ in range(2)]

    def body(arguments: Operands) -> Operands:
        lhs, rhs = arguments[:2]
        return (_before(context, rhs, lhs) if descending else _before(context, lhs, rhs),)

    region = context.region(scalars, body)
    # Which of two equal integers comes first cannot be told, unless others are sorted along.
    stable = len(operands) > 1 or operands[0].type.dtype.kind in "fc"
    attributes = f"dimension = {dimension} : i64, is_stable = {'true' if stable else 'false'}"
    return context.ops("sort", operands, node.types, attributes, region)


def _before(context: Context, lhs: Emitted, rhs: Emitted) -> Emitted:
    kind = lhs.type.dtype.kind
    if kind == "c":
        return precedes(context, lhs, rhs)
    less = context.compare("LT", lhs, rhs)
    if kind != "f":
        return less
    return either(context, less, both(context, is_nan(context, rhs), context.op("not", is_nan(context, lhs))))
