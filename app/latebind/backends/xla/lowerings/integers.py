"""Operations on integers whose edge cases engines answer differently: division by zero, shifts beyond the width."""

from __future__ import annotations

from latebind.backends.xla.lowering import Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.ir.node import Node


@Context.register("stablehlo::divide", "stablehlo::remainder")
def divide(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own quotient or remainder; of integers 0 where the divisor is 0."""
    lhs, rhs = operands
    result = context.op(node.kind.name, lhs, rhs)
    if lhs.type.dtype.kind not in "iu":
        return (result,)
    zero = context.splat(0, rhs.type)
    return (context.select(context.compare("EQ", rhs, zero), zero, result),)


@Context.register("stablehlo::shift_left", "stablehlo::shift_right_logical", "stablehlo::shift_right_arithmetic")
def shift(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own shift, which gives 0, or the sign, outside the width; unsigned values have no sign to repeat."""
    logical = node.kind.name == "shift_right_arithmetic" and operands[0].type.dtype.kind == "u"
    return context.ops("shift_right_logical" if logical else node.kind.name, operands, node.types)
