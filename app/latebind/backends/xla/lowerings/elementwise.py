"""Elementwise operations that are one operation of StableHLO or CHLO, whatever the dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.lowerings.complexes import larger, ordered
from latebind.ir.node import Node

Lowering = Callable[[Context, Node, Operands], Operands]

FLOAT32: Final = np.dtype(np.float32)

_SAME: Final = (
    *("abs", "add", "and", "atan2", "cbrt", "ceil", "complex", "cosine", "exponential", "exponential_minus_one"),
    *("floor", "is_finite", "log", "log_plus_one", "multiply", "negate", "not", "or", "optimization_barrier"),
    *("popcnt", "round_nearest_afz", "round_nearest_even", "rsqrt", "sign", "sine", "sqrt", "subtract", "tan", "tanh"),
    *("xor", "count_leading_zeros"),
)
_CHLO: Final = (
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "conj", "cosh", "digamma", "erf", "erf_inv", "erfc"),
    *("is_inf", "is_neg_inf", "is_pos_inf", "lgamma", "sinh", "square", "tan"),
)


def _direct(operation: str) -> Lowering:
    def lower(context: Context, node: Node, operands: Operands) -> Operands:
        return context.ops(operation, operands, node.types)

    return lower


for _name in _SAME:
    Context.register(f"stablehlo::{_name}")(_direct(_name))
for _name in _CHLO:
    Context.register(f"chlo::{_name}")(_direct(f"chlo.{_name}"))


@Context.register("stablehlo::logistic")
def logistic(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own; float16 in float32, where the exponential does not overflow."""
    (operand,) = operands
    if operand.type.dtype != np.float16:
        return (context.op("logistic", operand),)
    return (context.convert(context.op("logistic", context.convert(operand, FLOAT32)), operand.type.dtype),)


@Context.register("stablehlo::compare")
def compare(context: Context, node: Node, operands: Operands) -> Operands:
    """A comparison; complex numbers by real, then imaginary part."""
    lhs, rhs = operands
    direction = str(node.attributes["comparison_direction"])
    if lhs.type.dtype.kind == "c" and direction not in ("EQ", "NE"):
        return (ordered(context, direction, lhs, rhs),)
    total = node.attributes.get("compare_type") == "TOTALORDER"
    return (context.compare(direction, lhs, rhs, "TOTALORDER" if total else None),)


@Context.register("stablehlo::select")
def select(context: Context, node: Node, operands: Operands) -> Operands:
    """A choice; the predicate may be one for all."""
    return (context.select(*operands),)


@Context.register("stablehlo::maximum", "stablehlo::minimum")
def extremum(context: Context, node: Node, operands: Operands) -> Operands:
    """The larger or smaller value; NaN wins."""
    return (extremum_of(context, node.kind.name, *operands),)


def extremum_of(context: Context, name: str, lhs: Emitted, rhs: Emitted) -> Emitted:
    """Return `maximum` or `minimum` of two values of any dtype."""
    if lhs.type.dtype.kind == "c":
        return larger(context, lhs, rhs, "GE" if name == "maximum" else "LE")
    return context.op(name, lhs, rhs)


@Context.register("stablehlo::clamp")
def clamp(context: Context, node: Node, operands: Operands) -> Operands:
    """`minimum(maximum(operand, min), max)`; XLA's own clamp drops NaN bounds."""
    shape = operands[1].type.shape
    low, operand, high = (context.broadcast(bound, shape) for bound in operands)
    return (extremum_of(context, "minimum", extremum_of(context, "maximum", operand, low), high),)


@Context.register("stablehlo::real", "stablehlo::imag")
def part_of_complex(context: Context, node: Node, operands: Operands) -> Operands:
    """One part of complex numbers; floats are their own real part, their imaginary part is 0."""
    (operand,) = operands
    if operand.type.dtype.kind == "c":
        return context.ops(node.kind.name, operands, node.types)
    return operands if node.kind.name == "real" else (context.splat(0, node.types[0]),)


@Context.register("stablehlo::power")
def power(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's power; integers to negative powers are 0 unless the base is 1 or -1."""
    base, exponent = operands
    type = node.types[0]
    result = context.op("power", base, exponent)
    if type.dtype.kind != "i":
        return (result,)
    zero, one, minus_one = (context.splat(value, type) for value in (0, 1, -1))
    odd = context.compare("NE", context.op("and", exponent, one), zero)
    reciprocal = context.select(
        context.compare("EQ", base, minus_one),
        context.select(odd, minus_one, one),
        context.select(context.compare("EQ", base, one), one, zero),
    )
    return (context.select(context.compare("LT", exponent, zero), reciprocal, result),)


@Context.register("numpy::signbit")
def signbit(context: Context, node: Node, operands: Operands) -> Operands:
    """Whether the bits, read as an integer, are negative."""
    (operand,) = operands
    bits = operand.type.with_dtype(np.dtype(f"i{operand.type.dtype.itemsize}"))
    return (context.compare("LT", context.op("bitcast_convert", operand, type=bits), context.splat(0, bits)),)
