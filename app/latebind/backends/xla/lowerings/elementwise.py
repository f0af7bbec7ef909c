"""Elementwise operations that are one operation of StableHLO or CHLO, whatever the dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.lowerings.complexes import COMPLEX_FUNCTIONS, larger, ordered
from latebind.backends.xla.lowerings.integers import integer_power
from latebind.ir.node import Node

Lowering = Callable[[Context, Node, Operands], Operands]

FLOAT32: Final = np.dtype(np.float32)

_SAME: Final = (
    *("and", "ceil", "complex", "cosine", "floor", "is_finite", "negate", "not", "or", "optimization_barrier"),
    *("popcnt", "round_nearest_afz", "round_nearest_even", "rsqrt", "sign", "sine", "subtract", "tan"),
    *("xor", "count_leading_zeros"),
)
#: CHLO's functions that are as accurate as ours; the others are decomposed.
_CHLO: Final = (
    *("acos", "acosh", "asin", "asinh", "atan", "conj", "cosh", "erf", "erfc"),
    *("is_inf", "is_neg_inf", "is_pos_inf", "lgamma", "sinh", "tan"),
)


def _direct(operation: str) -> Lowering:
    def lower(context: Context, node: Node, operands: Operands) -> Operands:
        return context.ops(operation, operands, node.types)

    return lower


for _name in _SAME:
    Context.register(f"stablehlo::{_name}")(_direct(_name))
for _name in _CHLO:
    Context.register(f"chlo::{_name}")(_direct(f"chlo.{_name}"))


@Context.register("stablehlo::log_plus_one")
def log_plus_one(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own; of small float64, where it loses up to 6 bits, the series of FreeBSD's `s_log1p.c`."""
    (x,) = operands
    if x.type.dtype.kind == "c":
        return (COMPLEX_FUNCTIONS["log_plus_one"](context, x),)
    if x.type.dtype != np.float64:
        return (context.op("log_plus_one", x),)
    far = context.op("log", context.op("add", context.splat(1, x.type), x))
    low = context.compare("GT", x, context.splat(_LOG1P_RANGE[0], x.type))
    high = context.compare("LT", x, context.splat(_LOG1P_RANGE[1], x.type))
    return (context.select(context.op("and", low, high), _log1p_series(context, x), far),)


#: Where the series holds: 1 + x between sqrt(2) / 2 and sqrt(2).
_LOG1P_RANGE: Final = (-0.29289321881345254, 0.41421356237309515)
#: Coefficients of the series in the square of x / (2 + x), the highest first.
_LOG1P_SERIES: Final = (
    1.479819860511658591e-1,
    1.531383769920937332e-1,
    1.818357216161805012e-1,
    2.222219843214978396e-1,
    2.857142874366239149e-1,
    3.999999999940941908e-1,
    6.666666666666735130e-1,
)


def _log1p_series(context: Context, x: Emitted) -> Emitted:
    half_square = context.op("multiply", context.splat(0.5, x.type), context.op("multiply", x, x))
    ratio = context.op("divide", x, context.op("add", context.splat(2, x.type), x))
    square = context.op("multiply", ratio, ratio)
    series = context.splat(0, x.type)
    for coefficient in _LOG1P_SERIES:
        series = context.op("multiply", square, context.op("add", context.splat(coefficient, x.type), series))
    correction = context.op("multiply", ratio, context.op("add", half_square, series))
    return context.op("subtract", x, context.op("subtract", half_square, correction))


@Context.register("stablehlo::atan2", "stablehlo::cbrt")
def function_of_flushed(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own, which gives NaN or a wrong sign where only half of its steps flush a denormal number to zero."""
    if context.device.type == "cpu" and operands[0].type.dtype != np.float16:
        operands = [_flushed(context, operand) for operand in operands]
    return context.ops(node.kind.name, operands, node.types)


def _flushed(context: Context, operand: Emitted) -> Emitted:
    smallest = context.splat(float(np.finfo(operand.type.dtype.name).tiny), operand.type)
    zero = context.op("multiply", operand, context.splat(0, operand.type))
    return context.select(context.compare("LT", context.op("abs", operand), smallest), zero, operand)


@Context.register(*(f"stablehlo::{name}" for name in COMPLEX_FUNCTIONS if name != "log_plus_one"))
def function_of_floats(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own for floats; complex numbers have infinities and branch cuts of their own."""
    (operand,) = operands
    name = node.kind.name
    if operand.type.dtype.kind == "c":
        return (COMPLEX_FUNCTIONS[name](context, operand),)
    if name == "logistic" and operand.type.dtype == np.float16:
        # In float32 the exponential does not overflow.
        return (context.convert(context.op(name, context.convert(operand, FLOAT32)), operand.type.dtype),)
    return (context.op(name, operand),)


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


@Context.register("stablehlo::add", "stablehlo::multiply")
def add(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own; of booleans `or` and `and`, since XLA folds constants as numbers of one bit."""
    return (combined(context, node.kind.name, *operands),)


def combined(context: Context, name: str, lhs: Emitted, rhs: Emitted) -> Emitted:
    """Return two values of any dtype combined by the body of a reduction."""
    if name in ("maximum", "minimum"):
        return extremum_of(context, name, lhs, rhs)
    if lhs.type.dtype.kind == "b":
        name = {"add": "or", "multiply": "and"}.get(name, name)
    return context.op(name, lhs, rhs)


@Context.register("chlo::square")
def square(context: Context, node: Node, operands: Operands) -> Operands:
    """A product with itself."""
    return (context.op("multiply", operands[0], operands[0]),)


@Context.register("stablehlo::power")
def power(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own; of integers products of squares, because XLA's looks at the lowest bits of exponents only."""
    base, exponent = operands
    if base.type.dtype.kind not in "iu":
        return (context.op("power", base, exponent),)
    return (integer_power(context, base, exponent),)


@Context.register("numpy::signbit")
def signbit(context: Context, node: Node, operands: Operands) -> Operands:
    """Whether the bits, read as an integer, are negative."""
    (operand,) = operands
    bits = operand.type.with_dtype(np.dtype(f"i{operand.type.dtype.itemsize}"))
    return (context.compare("LT", context.op("bitcast_convert", operand, type=bits), context.splat(0, bits)),)
