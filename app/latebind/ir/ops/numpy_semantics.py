"""Operations that NumPy has and StableHLO lacks, with NumPy's results."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from latebind.errors import ShapeMismatchError
from latebind.ir.attributes import integer
from latebind.ir.expression import Expr
from latebind.ir.node import Attributes, Value
from latebind.ir.opkind import OpKind
from latebind.ir.ops import complex_functions, float_bits, real_functions
from latebind.ir.ops.declare import (
    FLOAT,
    FLOAT_OR_COMPLEX,
    NUMERIC,
    REAL,
    check_dimension,
    check_kind,
    declare,
    same_type_rule,
)
from latebind.ir.ops.elementwise import BOOL
from latebind.ir.ops.formula import formula, widened
from latebind.ir.optable import Decompose
from latebind.ir.types import DType, TensorType

if TYPE_CHECKING:
    from latebind.ir.builder import IrBuilder

Types = tuple[TensorType, ...]
INT64: Final = np.dtype(np.int64)


def _infer_signbit(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_kind(types[0], FLOAT)
    return (types[0].with_dtype(BOOL),)


def _infer_arg_extremum(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, dimension = types[0], integer(attributes, "dimension")
    check_dimension(dimension, operand.rank, "dimension")
    if not operand.shape[dimension]:
        raise ShapeMismatchError(f"dimension {dimension} must not be empty")
    return (TensorType.of((*operand.shape[:dimension], *operand.shape[dimension + 1 :]), INT64),)


def _infer_cumulative(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_kind(types[0], NUMERIC)
    check_dimension(integer(attributes, "dimension"), types[0].rank, "dimension")
    return (types[0],)


# Division


def _signs_differ(x: Expr, y: Expr) -> Expr:
    return (x < 0).differs(y < 0)


def _floor_divide_integers(x: Expr, y: Expr) -> Expr:
    """Truncated quotient, less one where the remainder's sign is not the divisor's; 0 for a divisor of 0."""
    quotient = x / y
    if x.dtype.kind == "u":
        return quotient
    rest = x.apply("remainder", y)
    return (rest.differs(0) & _signs_differ(rest, y)).where(quotient - 1, quotient)


@widened
def _floor_divide_floats(x: Expr, y: Expr) -> Expr:
    """NumPy's `npy_floor_divide`: from the exact remainder, snapped to the nearest integer."""
    rest = x.apply("remainder", y)
    quotient = (x - rest) / y
    quotient = (rest.differs(0) & _signs_differ(rest, y)).where(quotient - 1, quotient)
    floor = quotient.apply("floor")
    snapped = (quotient - floor > 0.5).where(floor + 1, floor)
    result = quotient.equals(0).where(float_bits.copysign(x.splat(0), x / y), snapped)
    return y.equals(0).where(x / y, result)


def _floor_divide(x: Expr, y: Expr) -> Expr:
    return _floor_divide_floats(x, y) if x.dtype.kind == "f" else _floor_divide_integers(x, y)


@widened
def _remainder_floats(x: Expr, y: Expr) -> Expr:
    rest = x.apply("remainder", y)
    moved = _signs_differ(rest, y).where(rest + y, rest)
    result = rest.equals(0).where(float_bits.copysign(x.splat(0), y), moved)
    return y.equals(0).where(x.splat(math.nan), result)


def _remainder(x: Expr, y: Expr) -> Expr:
    """Remainder with the sign of the divisor; 0 for an integer divisor of 0, NaN for a float one."""
    if x.dtype.kind == "f":
        return _remainder_floats(x, y)
    rest = x.apply("remainder", y)
    if x.dtype.kind == "u":
        return rest
    return (rest.differs(0) & _signs_differ(rest, y)).where(rest + y, rest)


def _power(x: Expr, y: Expr) -> Expr:
    """`stablehlo::power`, except that a negative integer exponent gives the reciprocal truncated to an integer."""
    if x.dtype.kind != "i":
        return x.apply("power", y)
    parity = (y & 1).equals(0).where(x.splat(1), -1)
    reciprocal = x.equals(1).where(x, x.equals(-1).where(parity, 0))
    return (y < 0).where(reciprocal, x.apply("power", y.apply("maximum", 0)))


# Rounding, logarithms


def _round(x: Expr) -> Expr:
    return x.apply("round_nearest_even") if x.dtype.kind == "f" else x


def _round_complex(z: Expr) -> Expr:
    x, y = complex_functions.parts(z)
    return complex_functions.join(_round(x), _round(y))


def _trunc(x: Expr) -> Expr:
    return (x < 0).where(x.apply("ceil"), x.apply("floor")) if x.dtype.kind == "f" else x


def _exp2(x: Expr) -> Expr:
    return x.splat(2).apply("power", x)


def _exp2_complex(z: Expr) -> Expr:
    return complex_functions.scale(z, math.log(2)).apply("exponential")


def _complex_logarithm(base: float) -> Callable[[Expr], Expr]:
    return lambda z: complex_functions.scale(z.apply("log"), 1 / math.log(base))


# Along a dimension


def _lowest(dtype: DType, sign: int) -> bool | int | float | complex:
    """Value that loses every comparison for the largest (`sign=1`) or smallest (`sign=-1`) value of a dtype."""
    if dtype.kind == "b":
        return sign < 0
    if dtype.kind in "iu":
        return int(np.iinfo(dtype.name).min if sign > 0 else np.iinfo(dtype.name).max)
    return complex(-sign * math.inf, -sign * math.inf) if dtype.kind == "c" else -sign * math.inf


def _reduce(x: Expr, init: bool | int | float | complex, dimension: int, body: str) -> Expr:
    initial = x.b.make_scalar(init, x.dtype).value()
    value = x.b.op(
        "stablehlo::reduce", x.value, initial, dimensions=(dimension,), body=OpKind.get(f"stablehlo::{body}")
    )
    return Expr(x.b, value)


def _arg_extremum(body: str, sign: int) -> Decompose:
    """Position of the extremum: the first position that holds it, or the first NaN."""

    def decompose(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
        x, dimension = Expr(b, operands[0]), integer(attributes, "dimension")
        kept = tuple(d for d in range(len(x.shape)) if d != dimension)

        def spread(reduced: Expr) -> Expr:
            value = b.op("stablehlo::broadcast_in_dim", reduced.value, broadcast_dimensions=kept, shape=x.shape)
            return Expr(b, value)

        hits = x.equals(spread(_reduce(x, _lowest(x.dtype, sign), dimension, body)))
        if x.dtype.kind in "fc":
            # Whatever a reduction with NaN gives, the first NaN is the position that is wanted.
            nan = x.is_nan()
            hits = spread(_reduce(nan, False, dimension, "or")).where(nan, hits)
        positions = Expr(b, b.op("stablehlo::iota", iota_dimension=dimension, shape=x.shape, dtype=INT64))
        candidates = hits.where(positions, x.shape[dimension])
        return (_reduce(candidates, x.shape[dimension], dimension, "minimum").value,)

    return decompose


def _cumulative(body: str, init: int) -> Decompose:
    """A window over everything up to each position: padding below, none above."""

    def decompose(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
        value, dimension = operands[0], integer(attributes, "dimension")
        rank, extent = len(value.shape), value.shape[dimension]
        if extent <= 1:
            return (value,)
        ones = (1,) * rank
        result = b.op(
            "stablehlo::reduce_window",
            value,
            b.make_scalar(init, value.dtype).value(),
            window_dimensions=tuple(extent if d == dimension else 1 for d in range(rank)),
            window_strides=ones,
            base_dilations=ones,
            window_dilations=ones,
            padding=tuple((extent - 1 if d == dimension else 0, 0) for d in range(rank)),
            body=OpKind.get(f"stablehlo::{body}"),
        )
        return (result,)

    return decompose


#: name: (operands, dtype kinds, decomposition, summary)
_ELEMENTWISE: Final[dict[str, tuple[str, frozenset[str], Decompose, str]]] = {
    "copysign": ("x y", FLOAT, formula(float_bits.copysign), "Magnitude of x with the sign of y."),
    "exp2": ("operand", FLOAT_OR_COMPLEX, formula(_exp2, _exp2_complex), "2 to the power of the operand."),
    "floor_divide": ("lhs rhs", REAL, formula(_floor_divide), "Quotient rounded down; integer x // 0 is 0."),
    "hypot": ("x y", FLOAT, formula(widened(real_functions.hypot)), "Length of (x, y)."),
    "log10": (
        "operand",
        FLOAT_OR_COMPLEX,
        formula(widened(real_functions.log10), _complex_logarithm(10)),
        "Logarithm to base 10.",
    ),
    "log2": (
        "operand",
        FLOAT_OR_COMPLEX,
        formula(widened(real_functions.log2), _complex_logarithm(2)),
        "Logarithm to base 2.",
    ),
    "logaddexp": ("x y", FLOAT, formula(widened(real_functions.log_add_exp)), "log(exp(x) + exp(y))."),
    "power": ("lhs rhs", NUMERIC, formula(_power), "Power; negative integer exponents truncate the reciprocal."),
    "remainder": ("lhs rhs", REAL, formula(_remainder), "Remainder with the sign of rhs; integer x % 0 is 0."),
    "round": ("operand", NUMERIC, formula(_round, _round_complex), "Nearest integer, ties to even."),
    "trunc": ("operand", REAL, formula(_trunc), "Integer part."),
}

for _name, (_operands, _kinds, _decompose, _summary) in _ELEMENTWISE.items():
    declare(f"numpy::{_name}", _operands, "", same_type_rule(_kinds), _summary, decompose=_decompose)

declare(
    "numpy::signbit",
    "operand",
    "",
    _infer_signbit,
    "Whether the sign bit is set, also of -0.0 and NaN.",
    decompose=formula(float_bits.sign_bit),
)
for _name, _body, _sign, _what in (("argmax", "maximum", 1, "largest"), ("argmin", "minimum", -1, "smallest")):
    declare(
        f"numpy::{_name}",
        "operand",
        "dimension",
        _infer_arg_extremum,
        f"First position of the {_what} element along a dimension, as int64; NaN wins.",
        decompose=_arg_extremum(_body, _sign),
    )
for _name, _body, _init in (("cumulative_sum", "add", 0), ("cumulative_prod", "multiply", 1)):
    declare(
        f"numpy::{_name}",
        "operand",
        "dimension",
        _infer_cumulative,
        f"{_body.capitalize()} up the elements along a dimension, each with all before it.",
        decompose=_cumulative(_body, _init),
    )
