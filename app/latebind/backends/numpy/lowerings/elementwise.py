"""Elementwise operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables, broadcast_type
from latebind.ir.attributes import element_type
from latebind.ir.node import Node

Lowering = Callable[[Context, Node, Variables], Variables]

#: Operations that are one ufunc, whatever the dtype.
UFUNCS: Final = {
    "stablehlo::abs": "absolute",
    "stablehlo::add": "add",
    "stablehlo::and": "bitwise_and",
    "stablehlo::atan2": "arctan2",
    "stablehlo::cbrt": "cbrt",
    "stablehlo::ceil": "ceil",
    "stablehlo::cosine": "cos",
    "stablehlo::exponential": "exp",
    "stablehlo::floor": "floor",
    "stablehlo::is_finite": "isfinite",
    "stablehlo::log": "log",
    "stablehlo::log_plus_one": "log1p",
    "stablehlo::maximum": "maximum",
    "stablehlo::minimum": "minimum",
    "stablehlo::multiply": "multiply",
    "stablehlo::negate": "negative",
    "stablehlo::not": "invert",
    "stablehlo::or": "bitwise_or",
    "stablehlo::remainder": "fmod",
    "stablehlo::round_nearest_even": "rint",
    "stablehlo::shift_left": "left_shift",
    "stablehlo::shift_right_arithmetic": "right_shift",
    "stablehlo::sine": "sin",
    "stablehlo::sqrt": "sqrt",
    "stablehlo::subtract": "subtract",
    "stablehlo::tan": "tan",
    "stablehlo::tanh": "tanh",
    "stablehlo::xor": "bitwise_xor",
    "chlo::acos": "arccos",
    "chlo::acosh": "arccosh",
    "chlo::asin": "arcsin",
    "chlo::asinh": "arcsinh",
    "chlo::atan": "arctan",
    "chlo::atanh": "arctanh",
    "chlo::conj": "conjugate",
    "chlo::cosh": "cosh",
    "chlo::is_inf": "isinf",
    "chlo::sinh": "sinh",
    "chlo::square": "square",
    "chlo::tan": "tan",
    "numpy::copysign": "copysign",
    "numpy::exp2": "exp2",
    "numpy::floor_divide": "floor_divide",
    "numpy::hypot": "hypot",
    "numpy::log10": "log10",
    "numpy::log2": "log2",
    "numpy::logaddexp": "logaddexp",
    "numpy::remainder": "remainder",
    "numpy::signbit": "signbit",
}

#: Operations that are one kernel, whatever the dtype.
KERNELS: Final = {
    "stablehlo::complex": "make_complex",
    "stablehlo::count_leading_zeros": "count_leading_zeros",
    "stablehlo::popcnt": "population_count",
    "stablehlo::round_nearest_afz": "round_nearest_away",
}

_COMPARISONS: Final = {
    "EQ": "equal",
    "NE": "not_equal",
    "GE": "greater_equal",
    "GT": "greater",
    "LE": "less_equal",
    "LT": "less",
}

#: Exponents for which NumPy's `**` takes another ufunc than `power`.
_EXPONENT_UFUNCS: Final = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}


def _ufunc(function: str) -> Lowering:
    def lower(context: Context, node: Node, operands: Variables) -> Variables:
        return (context.ufunc(function, operands, node.types[0].dtype),)

    return lower


def _kernel(function: str) -> Lowering:
    def lower(context: Context, node: Node, operands: Variables) -> Variables:
        return (context.elementwise(function, operands, node.types[0].dtype),)

    return lower


def _same(context: Context, node: Node, operands: Variables) -> Variables:
    return operands


def _by_kind(default: Lowering, **others: Lowering) -> Lowering:
    """Choose a lowering by the dtype kind of operand 0."""

    def lower(context: Context, node: Node, operands: Variables) -> Variables:
        return others.get(operands[0].type.dtype.kind, default)(context, node, operands)

    return lower


for _kind, _function in UFUNCS.items():
    Context.register(_kind)(_ufunc(_function))
for _kind, _function in KERNELS.items():
    Context.register(_kind)(_kernel(_function))
Context.register("stablehlo::divide")(
    _by_kind(_ufunc("divide"), i=_kernel("divide_truncating"), u=_ufunc("floor_divide"))
)
Context.register("stablehlo::shift_right_logical")(_by_kind(_ufunc("right_shift"), i=_kernel("shift_right_logical")))
Context.register("numpy::round")(_by_kind(_ufunc("rint"), i=_same, u=_same))
Context.register("numpy::trunc")(_by_kind(_ufunc("trunc"), i=_same, u=_same))
Context.register("stablehlo::exponential_minus_one")(_by_kind(_ufunc("expm1"), c=_kernel("expm1_complex")))
Context.register("stablehlo::sign")(_by_kind(_ufunc("sign"), f=_kernel("signum")))


@Context.register("stablehlo::power", "numpy::power")
def power(context: Context, node: Node, operands: Variables) -> Variables:
    """Constant exponents take the ufunc that NumPy's `**` takes; integers with negative exponents a kernel."""
    base, exponent = operands
    dtype, known = node.types[0].dtype, exponent.constant
    if known is not None and known.ndim == 0 and dtype.kind != "u":
        if dtype.kind == "i":
            function = "square" if known == 2 else "power" if int(known) >= 0 else "power_wrapping"
        else:
            function = _EXPONENT_UFUNCS.get(known.item(), "power")
        if function in _EXPONENT_UFUNCS.values():
            return (context.ufunc(function, (base,), dtype),)
        if function == "power":
            return (context.ufunc(function, operands, dtype),)
    if dtype.kind == "i":
        return (context.elementwise("power_wrapping", operands, dtype),)
    return (context.ufunc("power", operands, dtype),)


@Context.register("stablehlo::rsqrt")
def rsqrt(context: Context, node: Node, operands: Variables) -> Variables:
    """`reciprocal(sqrt(x))`, the second in place."""
    dtype = node.types[0].dtype
    return (context.ufunc("reciprocal", (context.ufunc("sqrt", operands, dtype),), dtype),)


@Context.register("stablehlo::logistic")
def logistic(context: Context, node: Node, operands: Variables) -> Variables:
    """`1 / (1 + exp(-x))`, whose limits are right although `exp` overflows; float16 in float32, where it does not."""
    dtype = node.types[0].dtype
    if dtype == np.float16:
        return (context.elementwise("logistic_half", operands, dtype),)
    if dtype.kind == "c":
        return (context.elementwise("logistic_complex", operands, dtype),)
    exponential = context.ufunc("exp", (context.ufunc("negative", operands, dtype),), dtype)
    total = context.ufunc("add", (exponential, context.scalar(1, dtype)), dtype)
    return (context.ufunc("reciprocal", (total,), dtype),)


@Context.register("chlo::next_after")
def next_after(context: Context, node: Node, operands: Variables) -> Variables:
    """`nextafter`; for two float16 zeros NumPy's gives the first, C's and all others the second."""
    dtype = node.types[0].dtype
    if dtype == np.float16:
        return (context.elementwise("next_after_half", operands, dtype),)
    return (context.ufunc("nextafter", operands, dtype),)


@Context.register("stablehlo::clamp")
def clamp(context: Context, node: Node, operands: Variables) -> Variables:
    """`minimum(maximum(operand, min), max)`."""
    low, operand, high = operands
    dtype = node.types[0].dtype
    return (context.ufunc("minimum", (context.ufunc("maximum", (operand, low), dtype), high), dtype),)


@Context.register("stablehlo::compare")
def compare(context: Context, node: Node, operands: Variables) -> Variables:
    """A comparison ufunc; `TOTALORDER` compares integers that are in the total order of the floats."""
    function = _COMPARISONS[str(node.attributes["comparison_direction"])]
    if node.attributes.get("compare_type") == "TOTALORDER":
        signed = np.dtype(f"i{operands[0].type.dtype.itemsize}")
        operands = [context.elementwise("total_order", (operand,), signed) for operand in operands]
    return (context.ufunc(function, operands, node.types[0].dtype),)


@Context.register("stablehlo::select")
def select(context: Context, node: Node, operands: Variables) -> Variables:
    """`where`; in place with `putmask` if one of the choices dies and the mask has its shape."""
    mask, on_true, on_false = operands
    type = node.types[0]
    if not mask.type.shape and on_true.type is on_false.type is type and type.shape:
        return (context.expression("({1} if {0} else {2}).copy()", operands, type),)
    in_place: tuple[tuple[int, str], ...] = ()
    if mask.type.shape == type.shape != ():
        if on_true.type is type or not on_true.type.shape:
            in_place += ((2, "putmask({2}, {0}, {1})"),)
        if on_false.type is type or not on_false.type.shape:
            in_place += ((1, "putmask({1}, logical_not({0}), {2})"),)
    result = broadcast_type((on_true, mask, on_false), type.dtype)
    return (context.expression("where({0}, {1}, {2})", operands, result, in_place=in_place),)


@Context.register("stablehlo::convert", "lazy_tensors::cast")
def convert(context: Context, node: Node, operands: Variables) -> Variables:
    """`astype`; of complex numbers the real part, but booleans look at both parts."""
    (operand,) = operands
    source, dtype = operand.type, element_type(node.attributes)
    if source.dtype == dtype:
        return operands
    part = ".real" if source.dtype.kind == "c" and dtype.kind not in "bc" else ""
    return (context.expression(f"{{0}}{part}.astype({dtype.name})", operands, source.with_dtype(dtype)),)


@Context.register("stablehlo::real", "stablehlo::imag")
def part_of_complex(context: Context, node: Node, operands: Variables) -> Variables:
    """A view of one part of complex numbers; floats are their own real part, their imaginary part is 0."""
    (operand,) = operands
    part, dtype = node.kind.name, node.types[0].dtype
    if operand.type.dtype.kind == "c":
        return (context.view(f"{{0}}.{part}", operands, operand.type.with_dtype(dtype)),)
    return operands if part == "real" else (context.scalar(0, dtype),)


@Context.register("chlo::is_pos_inf", "chlo::is_neg_inf")
def is_signed_infinity(context: Context, node: Node, operands: Variables) -> Variables:
    """Comparison with the infinity."""
    infinity = np.inf if node.kind.name == "is_pos_inf" else -np.inf
    constant = context.scalar(infinity, operands[0].type.dtype)
    return (context.ufunc("equal", (operands[0], constant), node.types[0].dtype),)
