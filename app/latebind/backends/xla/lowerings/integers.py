"""Division, shifts and powers, whose edge cases engines answer differently: zero divisors, shifts beyond the width."""

from __future__ import annotations

import numpy as np

from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.ir.node import Node

_FLOAT32 = np.dtype(np.float32)


@Context.register("stablehlo::divide", "stablehlo::remainder")
def divide(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own quotient or remainder; of integers 0 where the divisor is 0."""
    lhs, rhs = operands
    half = lhs.type.dtype
    if half == np.float16 and node.kind.name == "divide":
        # XLA multiplies by the reciprocal of a divisor that is broadcast, which has too few bits in float16.
        lhs, rhs = context.convert(lhs, _FLOAT32), context.convert(rhs, _FLOAT32)
        return (context.convert(context.op("divide", lhs, rhs), half),)
    if lhs.type.dtype.kind not in "iu":
        return (context.op(node.kind.name, lhs, rhs),)
    # XLA's compiler divides constants that it folds, and dies of a divisor of 0.
    zero, one = context.splat(0, rhs.type), context.splat(1, rhs.type)
    none = context.compare("EQ", rhs, zero)
    result = context.op(node.kind.name, lhs, context.select(none, one, rhs))
    return (context.select(none, zero, result),)


@Context.register("stablehlo::shift_left", "stablehlo::shift_right_logical", "stablehlo::shift_right_arithmetic")
def shift(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own shift, which gives 0, or the sign, outside the width; unsigned values have no sign to repeat."""
    logical = node.kind.name == "shift_right_arithmetic" and operands[0].type.dtype.kind == "u"
    return context.ops("shift_right_logical" if logical else node.kind.name, operands, node.types)


def integer_power(context: Context, base: Emitted, exponent: Emitted) -> Emitted:
    """Return products of squares, wrapping; negative powers are 0 unless the base is 1 or -1."""
    type = base.type
    zero, one = context.splat(0, type), context.splat(1, type)
    result, factor = one, base
    signed = type.dtype.kind == "i"
    for bit in range(8 * type.dtype.itemsize - signed):
        taken = context.op("and", exponent, context.splat(1 << bit, type))
        result = context.select(context.compare("NE", taken, zero), context.op("multiply", result, factor), result)
        factor = context.op("multiply", factor, factor)
    if not signed:
        return result
    minus_one = context.splat(-1, type)
    odd = context.compare("NE", context.op("and", exponent, one), zero)
    reciprocal = context.select(
        context.compare("EQ", base, minus_one),
        context.select(odd, minus_one, one),
        context.select(context.compare("EQ", base, one), one, zero),
    )
    return context.select(context.compare("LT", exponent, zero), reciprocal, result)
