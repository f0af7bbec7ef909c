"""Elementwise operations: a table of functions by family of dtypes, and the few that look further."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

import numpy as np
import torch

from latebind.backends.torch.dtypes import carrier, is_reinterpreted, native
from latebind.backends.torch.kernels import complexes, floats, integers, unsigned
from latebind.backends.torch.lowering import BOOL, Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.ir.attributes import element_type
from latebind.ir.node import Node
from latebind.ir.types import DType

#: A PyTorch function, or a kernel; a kernel with an argument `dtype` gets the operands'.
Function = Callable[..., Any]


def family(dtype: DType) -> str:
    """Return the key of a dtype in the table.

    Boolean `b`, signed integer `i`, uint8 `y`, other unsigned integer `u`, float `f`, complex `c`.
    """
    if is_reinterpreted(dtype):
        return "u"
    return "y" if dtype.kind == "u" else dtype.kind


#: Functions per operation: by family, or `*` for all others. `None` returns the operand.
FUNCTIONS: Final[dict[str, dict[str, Function | None]]] = {
    "stablehlo::abs": {"*": torch.abs},
    "stablehlo::add": {"b": torch.logical_or, "c": complexes.add, "*": torch.add},
    "stablehlo::and": {"*": torch.bitwise_and},
    "stablehlo::atan2": {"*": torch.atan2},
    "stablehlo::cbrt": {"*": floats.cube_root},
    "stablehlo::ceil": {"*": torch.ceil},
    "stablehlo::complex": {"*": torch.complex},
    "stablehlo::cosine": {"*": torch.cos},
    "stablehlo::count_leading_zeros": {"*": integers.count_leading_zeros},
    "stablehlo::divide": {
        "i": integers.divide,
        "y": integers.divide_bytes,
        "u": unsigned.divide,
        "*": torch.div,
    },
    "stablehlo::exponential": {"*": torch.exp},
    "stablehlo::exponential_minus_one": {"c": complexes.exponential_minus_one, "*": torch.expm1},
    "stablehlo::floor": {"*": torch.floor},
    "stablehlo::imag": {"c": torch.imag},
    "stablehlo::is_finite": {"*": torch.isfinite},
    "stablehlo::log": {"*": torch.log},
    "stablehlo::log_plus_one": {"c": complexes.log_plus_one, "*": torch.log1p},
    "stablehlo::logistic": {"c": complexes.logistic, "*": torch.sigmoid},
    "stablehlo::maximum": {"u": unsigned.maximum, "c": complexes.maximum, "*": torch.maximum},
    "stablehlo::minimum": {"u": unsigned.minimum, "c": complexes.minimum, "*": torch.minimum},
    "stablehlo::multiply": {"b": torch.logical_and, "*": torch.mul},
    "stablehlo::negate": {"c": complexes.negative, "*": torch.neg},
    "stablehlo::not": {"*": torch.bitwise_not},
    "stablehlo::or": {"*": torch.bitwise_or},
    "stablehlo::popcnt": {"*": integers.population_count},
    "stablehlo::power": {"u": unsigned.power, "c": complexes.power, "*": torch.pow},
    "stablehlo::real": {"c": torch.real, "*": None},
    "stablehlo::remainder": {
        "i": integers.remainder,
        "y": integers.remainder_bytes,
        "u": unsigned.remainder,
        "*": floats.remainder,
    },
    "stablehlo::round_nearest_afz": {"*": floats.round_nearest_away},
    "stablehlo::round_nearest_even": {"*": torch.round},
    "stablehlo::rsqrt": {"*": torch.rsqrt},
    "stablehlo::shift_left": {"*": integers.shift_left},
    "stablehlo::shift_right_arithmetic": {
        "y": integers.shift_right_bytes,
        "u": unsigned.shift_right,
        "*": integers.shift_right_arithmetic,
    },
    "stablehlo::shift_right_logical": {"y": integers.shift_right_bytes, "*": integers.shift_right_logical},
    "stablehlo::sign": {"f": floats.sign, "c": complexes.sign, "*": torch.sign},
    "stablehlo::sine": {"*": torch.sin},
    "stablehlo::sqrt": {"*": torch.sqrt},
    "stablehlo::subtract": {"c": complexes.subtract, "*": torch.sub},
    "stablehlo::tan": {"*": torch.tan},
    "stablehlo::tanh": {"*": torch.tanh},
    "stablehlo::xor": {"*": torch.bitwise_xor},
    "chlo::acos": {"c": complexes.acos, "*": torch.acos},
    "chlo::acosh": {"*": torch.acosh},
    "chlo::asin": {"*": torch.asin},
    "chlo::asinh": {"*": torch.asinh},
    "chlo::atan": {"*": torch.atan},
    "chlo::atanh": {"*": torch.atanh},
    "chlo::conj": {"c": torch.conj_physical, "*": None},
    "chlo::cosh": {"*": torch.cosh},
    "chlo::digamma": {"*": torch.digamma},
    "chlo::erf": {"*": torch.erf},
    "chlo::erf_inv": {"*": torch.erfinv},
    "chlo::erfc": {"*": torch.erfc},
    "chlo::is_inf": {"*": torch.isinf},
    "chlo::is_neg_inf": {"*": torch.isneginf},
    "chlo::is_pos_inf": {"*": torch.isposinf},
    "chlo::lgamma": {"*": torch.lgamma},
    "chlo::next_after": {"*": torch.nextafter},
    "chlo::sinh": {"*": torch.sinh},
    "chlo::square": {"c": complexes.square, "*": torch.square},
    "chlo::tan": {"*": torch.tan},
    "numpy::copysign": {"*": torch.copysign},
    "numpy::exp2": {"*": torch.exp2},
    "numpy::floor_divide": {
        "i": integers.floor_divide,
        "y": integers.divide_bytes,
        "u": unsigned.divide,
        "*": floats.floor_divide,
    },
    "numpy::hypot": {"*": torch.hypot},
    "numpy::log10": {"*": torch.log10},
    "numpy::log2": {"*": torch.log2},
    "numpy::logaddexp": {"*": torch.logaddexp},
    "numpy::power": {"u": unsigned.power, "c": complexes.power, "*": torch.pow},
    "numpy::remainder": {
        "i": integers.floor_remainder,
        "y": integers.remainder_bytes,
        "u": unsigned.remainder,
        "*": floats.floor_remainder,
    },
    "numpy::round": {"f": torch.round, "c": complexes.rounded, "*": None},
    "numpy::signbit": {"*": torch.signbit},
    "numpy::trunc": {"f": torch.trunc, "*": None},
}

_INT32: Final = np.dtype(np.int32)
_EQUALITY: Final[dict[str, Function]] = {"EQ": torch.eq, "NE": torch.ne}
#: Functions per comparison, as above.
_COMPARISONS: Final[dict[str, dict[str, Function]]] = {
    "GE": {"u": unsigned.comparison(torch.ge), "c": complexes.greater_equal, "*": torch.ge},
    "GT": {"u": unsigned.comparison(torch.gt), "c": complexes.greater, "*": torch.gt},
    "LE": {"u": unsigned.comparison(torch.le), "c": complexes.less_equal, "*": torch.le},
    "LT": {"u": unsigned.comparison(torch.lt), "c": complexes.less, "*": torch.lt},
}
#: Integer divisions by a constant that is neither 0 nor -1, as PyTorch calls with their options.
_PLAIN_DIVISIONS: Final[dict[str, tuple[Function, dict[str, str]]]] = {
    "stablehlo::divide": (torch.div, {"rounding_mode": "trunc"}),
    "stablehlo::remainder": (torch.fmod, {}),
    "numpy::floor_divide": (torch.div, {"rounding_mode": "floor"}),
    "numpy::remainder": (torch.remainder, {}),
}
#: Exponents for which NumPy's `**` takes another function than `power`.
_EXPONENTS: Final[dict[float, Function]] = {2.0: torch.square, 0.5: torch.sqrt, -1.0: torch.reciprocal}
#: Exponents for which powers of complex numbers are products.
_SMALL_POWERS: Final = frozenset(map(complex, range(1, 100)))


def chosen(kind: str, dtype: DType) -> Function | None:
    """Return the function of an elementwise operation for operands of a dtype."""
    choices = FUNCTIONS[kind]
    return choices.get(family(dtype), choices.get("*"))


def bound(function: Function, dtype: DType) -> Function:
    """Return a kernel that wants to know the dtype with that argument given; other functions as they are."""
    if isinstance(function, FunctionType) and "dtype" in inspect.signature(function).parameters:
        return lambda *operands: function(*operands, dtype=carrier(dtype))
    return function


def apply(context: Context, function: Function, operands: Terms, dtype: DType) -> Term:
    """Add an elementwise function, or the calls of an elementwise kernel."""
    if isinstance(function, FunctionType):
        return context.elementwise_kernel(bound(function, operands[0].type.dtype), operands, dtype)
    return context.elementwise(function, operands, dtype)


def _elementwise(context: Context, node: Node, operands: Terms) -> Terms:
    function = chosen(node.kind.qualified, operands[0].type.dtype)
    if function is None:
        return operands
    return (apply(context, function, operands, node.types[0].dtype),)


def _division(context: Context, node: Node, operands: Terms) -> Terms:
    """Divisors that are known and harmless take PyTorch's division as it is."""
    dtype, known = node.types[0].dtype, operands[1].constant
    if family(dtype) in "iy" and known is not None and not np.isin(known, (0, -1)).any():
        function, options = _PLAIN_DIVISIONS[node.kind.qualified]
        return (context.elementwise(function, operands, dtype, **options),)
    return _elementwise(context, node, operands)


for _kind in FUNCTIONS:
    Context.register(_kind)(_division if _kind in _PLAIN_DIVISIONS else _elementwise)


@Context.register("stablehlo::power", "numpy::power")
def power(context: Context, node: Node, operands: Terms) -> Terms:
    """Constant exponents take the function that NumPy's `**` takes."""
    base, exponent = operands
    dtype, known = node.types[0].dtype, exponent.constant
    if known is not None and known.ndim == 0:
        if dtype.kind == "c" and known.item() in _SMALL_POWERS:
            return (_repeated_product(context, base, int(known.item().real)),)
        function = _EXPONENTS.get(known.item())
        if function is torch.square:
            return (context.elementwise(torch.mul, (base, base), dtype),)
        if function is not None and dtype.kind == "f":
            return (context.elementwise(function, (base,), dtype),)
    return _elementwise(context, node, operands)


def _repeated_product(context: Context, base: Term, exponent: int) -> Term:
    """Raise complex numbers to a positive integer by squaring and multiplying, as NumPy does."""
    result: Term | None = None
    while exponent:
        if exponent & 1:
            result = base if result is None else context.elementwise(torch.mul, (result, base), base.type.dtype)
        exponent >>= 1
        if exponent:
            base = context.elementwise(torch.mul, (base, base), base.type.dtype)
    assert result is not None
    return result


@Context.register("stablehlo::exponential_minus_one")
def exponential_minus_one(context: Context, node: Node, operands: Terms) -> Terms:
    """`expm1`, which Inductor's code for floats is not."""
    if context.compiler == "inductor" and node.types[0].dtype.kind == "f":
        return (apply(context, floats.exponential_minus_one, operands, node.types[0].dtype),)
    return _elementwise(context, node, operands)


@Context.register("stablehlo::imag")
def imag(context: Context, node: Node, operands: Terms) -> Terms:
    """The imaginary part of floats is 0."""
    if operands[0].type.dtype.kind != "c":
        return (context.scalar(0, node.types[0].dtype),)
    return _elementwise(context, node, operands)


@Context.register("stablehlo::clamp")
def clamp(context: Context, node: Node, operands: Terms) -> Terms:
    """`minimum(maximum(operand, min), max)`."""
    low, operand, high = operands
    dtype = node.types[0].dtype
    for kind, bound_ in (("stablehlo::maximum", low), ("stablehlo::minimum", high)):
        function = chosen(kind, dtype)
        assert function is not None
        operand = apply(context, function, (operand, bound_), dtype)
    return (operand,)


@Context.register("stablehlo::compare")
def compare(context: Context, node: Node, operands: Terms) -> Terms:
    """A comparison; `TOTALORDER` compares integers that are in the total order of the floats."""
    direction, dtype = str(node.attributes["comparison_direction"]), operands[0].type.dtype
    if node.attributes.get("compare_type") == "TOTALORDER":
        signed = np.dtype(f"i{dtype.itemsize}")
        operands = [apply(context, floats.total_order, (operand,), signed) for operand in operands]
        dtype = signed
    function = _EQUALITY.get(direction)
    if function is None:
        choices = _COMPARISONS[direction]
        function = choices.get(family(dtype), choices["*"])
    return (apply(context, function, operands, BOOL),)


@Context.register("stablehlo::select")
def select(context: Context, node: Node, operands: Terms) -> Terms:
    """`where`."""
    return (context.elementwise(torch.where, operands, node.types[0].dtype),)


@Context.register("stablehlo::convert", "lazy_tensors::cast")
def convert(context: Context, node: Node, operands: Terms) -> Terms:
    """`to`, whose results are NumPy's; of complex numbers the real part, but booleans look at both parts."""
    return (converted(context, operands[0], element_type(node.attributes)),)


def _narrows(source: DType, dtype: DType) -> bool:
    return source.kind == "f" and dtype.kind in "iu" and dtype.itemsize < _INT32.itemsize


def converted(context: Context, operand: Term, dtype: DType) -> Term:
    """Return the operand with another dtype."""
    source, target = operand.type.dtype, operand.type.with_dtype(dtype)
    if source == dtype:
        return operand
    if operand.constant is not None and not operand.type.shape:
        with np.errstate(all="ignore"):
            value = operand.constant.real if source.kind == "c" and dtype.kind not in "bc" else operand.constant
            return context.constant(np.asarray(value.astype(dtype)))
    if source.kind == "c" and dtype.kind == "b":
        return context.call(torch.ne, operand, 0, type=target)
    if source.kind == "c" and dtype.kind != "c":
        part = np.dtype(f"f{source.itemsize // 2}")
        return converted(context, context.call(torch.real, operand, type=operand.type.with_dtype(part)), dtype)
    if is_reinterpreted(source) and is_reinterpreted(dtype) and source.itemsize == dtype.itemsize:
        return Term(operand.node, target)
    if (source.name, dtype.name) == ("float64", "uint8") or (
        context.compiler == "inductor" and _narrows(source, dtype)
    ):
        # NumPy (the processor) goes through int32, which tells out of range; PyTorch through int64, Inductor saturates.
        operand, source = context.call("to", operand, torch.int32, type=operand.type.with_dtype(_INT32)), _INT32
    seen = context.reinterpreted(operand.node, operand.type, native(source))
    node = context.graph.call_method("to", (seen.node, native(dtype)))
    node.meta["type"] = (target.shape, native(dtype))
    return context.reinterpreted(node, target, carrier(dtype))
