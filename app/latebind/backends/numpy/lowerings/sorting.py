"""Sorting."""

from __future__ import annotations

from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables
from latebind.backends.numpy.lowerings.movement import full_operands, is_iota_along
from latebind.ir.attributes import integer
from latebind.ir.node import Node


@Context.register("stablehlo::sort")
def sort(context: Context, node: Node, operands: Variables) -> Variables:
    """`ndarray.sort` of one operand, in place where it dies; several are taken in the order of the first."""
    rank = node.types[0].rank
    axis = integer(node.attributes, "dimension") % rank
    descending = node.attributes["comparison_direction"] == "GT"
    if len(operands) == 1:
        return _sort_one(context, node, operands, axis, descending)
    if len(operands) == 2 and is_iota_along(node.operands[1].node, axis):
        key = context.full(operands[0], node.operands[0].type)
        arguments = f"({{0}}, {axis}, {descending}, {node.types[1].dtype.name})"
        alone = (f"sort_with_positions{arguments}[0]", f"sort_positions{arguments}")
        return context.tuple_expression(f"sort_with_positions{arguments}", (key,), node.types, alone=alone)
    places = ", ".join(f"{{{position}}}" for position in range(len(operands)))
    text = f"sort_together({axis}, {descending}, {places})"
    return context.tuple_expression(text, full_operands(context, node, operands), node.types)


def _sort_one(context: Context, node: Node, operands: Variables, axis: int, descending: bool) -> Variables:
    """Sort one array; only floats can tell a stable sort of values from another one, by the sign of zeros."""
    type = node.types[0]
    operand = context.materialised(operands[0], type)
    stable = node.attributes.get("is_stable") is True and type.dtype.kind in "fc"
    kind = ", 'stable'" if stable else ""
    if not descending:
        return (context.update(f"{{0}}.sort({axis}{kind})", (operand,)),)
    backwards = f"[{':, ' * axis}::-1]"
    if stable:
        operand = context.view(f"{{0}}{backwards}", (operand,), type)
    ascending = context.update(f"{{0}}.sort({axis}{kind})", (operand,))
    return (context.view(f"{{0}}{backwards}", (ascending,), type),)
