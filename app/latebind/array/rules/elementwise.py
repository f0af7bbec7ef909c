"""Elementwise operations: NumPy's promotion, broadcasting, then one IR operation or a few.

Each rule is named by the NumPy ufunc whose promotion it follows: `ufunc.resolve_dtypes` says to which dtypes the
operands are converted, so `sin` of int8 and `true_divide` of integers give what NumPy gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from latebind.array.rules.common import (
    BOOL,
    FLOAT64,
    broadcast,
    broadcast_shape,
    cast,
    expand,
    full,
    like,
    promote,
    require_numeric,
    reshape,
)
from latebind.errors import DTypeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.ir.promotion import weak_scalar_dtype
from latebind.ir.types import DType, TensorType
from latebind.runtime.signature import OperandKey, Rule

Emit = Callable[..., Value]
#: What a ufunc may be defined for, by the kinds of dtypes.
_KINDS: Final = {"boolean": "b", "integer": "iu", "real": "f", "complex": "c"}


@lru_cache(maxsize=4096)
def _loop(ufunc: np.ufunc, dtypes: tuple[DType, ...]) -> tuple[DType, ...]:
    """Return the dtypes of the ufunc's loop for these operands: operands, then result."""
    try:
        return ufunc.resolve_dtypes((*dtypes, None))
    except (TypeError, ValueError) as error:
        raise DTypeMismatchError(_not_defined(ufunc, dtypes, str(error))) from None


def _not_defined(ufunc: np.ufunc, dtypes: tuple[DType, ...], error: str) -> str:
    names = ", ".join(dtype.name for dtype in dtypes)
    # What NumPy says of booleans names the operator to use; otherwise, it is about its own casting rules.
    if "boolean" in error:
        return f"{ufunc.__name__} is not defined for {names}: convert the operands with astype ({error})"
    kinds = {np.dtype(one).kind for loop in ufunc.types for one in loop.partition("->")[0] if one not in "OmM"}
    words = [word for word, of in _KINDS.items() if kinds & set(of)]
    return f"{ufunc.__name__} is not defined for {names}, but for {' and '.join(words)} numbers: convert with astype"


def _elementwise(name: str, ufunc: np.ufunc, emit: Emit) -> Rule:
    def function(b: IrBuilder, *operands: Value) -> Value:
        *inputs, output = _loop(ufunc, tuple(value.dtype for value in operands))
        converted = [cast(b, value, dtype) for value, dtype in zip(operands, inputs, strict=True)]
        return cast(b, emit(b, *broadcast(b, name, *converted)), output)

    def infer(*types: TensorType) -> TensorType:
        dtype = _loop(ufunc, tuple(type.dtype for type in types))[-1]
        shape = types[0].shape
        if len(types) > 1 and types[1].shape != shape:
            shape = broadcast_shape(name, [type.shape for type in types])
        return TensorType.of(shape, dtype)

    rule = Rule(name, function)
    rule.infer = infer
    return rule


def _op(name: str, **attributes: str) -> Emit:
    def emit(b: IrBuilder, *operands: Value) -> Value:
        return b.op(name, *operands, **attributes)

    return emit


def _compare(direction: str) -> Emit:
    def emit(b: IrBuilder, x: Value, y: Value) -> Value:
        if x.dtype != y.dtype:
            return _compare_signs(b, x, y, direction)
        return b.op("stablehlo::compare", x, y, comparison_direction=direction)

    return emit


def _compare_signs(b: IrBuilder, x: Value, y: Value, direction: str) -> Value:
    """Compare int64 with uint64 exactly, which no common dtype could: a negative number is less than all unsigned."""
    signed, less = (x, "L") if x.dtype.kind == "i" else (y, "G")
    x, y = (cast(b, value, np.dtype(np.uint64)) for value in (x, y))
    compared = b.op("stablehlo::compare", x, y, comparison_direction=direction)
    negative = b.op("stablehlo::compare", signed, like(b, 0, signed), comparison_direction="LT")
    holds = direction == "NE" or direction[0] == less
    return b.op("stablehlo::select", negative, like(b, holds, compared), compared)


def _unless(kinds: str, otherwise: Emit, emit: Emit) -> Emit:
    """Emit one thing for dtypes of these kinds, another for the rest."""

    def choose(b: IrBuilder, *operands: Value) -> Value:
        return (otherwise if operands[0].dtype.kind in kinds else emit)(b, *operands)

    return choose


def _same(b: IrBuilder, x: Value) -> Value:
    return x


def _false(b: IrBuilder, x: Value) -> Value:
    return full(b, False, x.shape, BOOL)


def _true(b: IrBuilder, x: Value) -> Value:
    return full(b, True, x.shape, BOOL)


def _parts(emit: Emit, join: str) -> Emit:
    """Apply a test to the real and the imaginary part."""

    def both(b: IrBuilder, x: Value) -> Value:
        return b.op(join, emit(b, b.op("stablehlo::real", x)), emit(b, b.op("stablehlo::imag", x)))

    return both


def _is_nan(b: IrBuilder, x: Value) -> Value:
    return b.op("stablehlo::compare", x, x, comparison_direction="NE")


def _is_finite(b: IrBuilder, x: Value) -> Value:
    return b.op("stablehlo::is_finite", x)


def _is_inf(b: IrBuilder, x: Value) -> Value:
    return b.op("chlo::is_inf", x)


def _logical(name: str) -> Emit:
    def emit(b: IrBuilder, *operands: Value) -> Value:
        return b.op(name, *(cast(b, value, BOOL) for value in operands))

    return emit


def _reciprocal(b: IrBuilder, x: Value) -> Value:
    return b.op("stablehlo::divide", like(b, 1, x), x)


def _complex_tanh(b: IrBuilder, z: Value) -> Value:
    """The standard has `tanh(inf + yj)` = 1 + 0j with the sign of y; C99 and NumPy give the zero that of sin(2y)."""
    x, y, found = b.op("stablehlo::real", z), b.op("stablehlo::imag", z), b.op("stablehlo::tanh", z)
    zero = b.op("numpy::copysign", like(b, 0, y), y)
    imaginary = b.op("stablehlo::select", _is_inf(b, x), zero, b.op("stablehlo::imag", found))
    return b.op("stablehlo::complex", b.op("stablehlo::real", found), imaginary)


def _complex_expm1(b: IrBuilder, z: Value) -> Value:
    """The standard has `expm1(-0 + 0j)` = 0 + 0j; NumPy keeps the sign of the real part."""
    found = b.op("stablehlo::exponential_minus_one", z)
    x = b.op("stablehlo::real", found)
    zero = like(b, 0, x)
    x = b.op("stablehlo::select", b.op("stablehlo::compare", x, zero, comparison_direction="EQ"), zero, x)
    return b.op("stablehlo::complex", x, b.op("stablehlo::imag", found))


def _exact_sign(b: IrBuilder, x: Value) -> Value:
    if x.dtype.kind == "u":
        return b.op("stablehlo::minimum", x, like(b, 1, x))
    sign = b.op("stablehlo::sign", x)
    if x.dtype.kind == "i":
        return sign
    zero = like(b, 0, x)
    return b.op("stablehlo::select", b.op("stablehlo::compare", x, zero, comparison_direction="EQ"), zero, sign)


def _subtract(b: IrBuilder, x: Value, y: Value) -> Value:
    require_numeric("subtract", x.dtype)
    return b.op("stablehlo::subtract", x, y)


def _lexicographic(direction: str) -> Emit:
    """Compare complex numbers as NumPy does: real parts first, then imaginary parts."""

    def emit(b: IrBuilder, x: Value, y: Value) -> Value:
        re_x, re_y = b.op("stablehlo::real", x), b.op("stablehlo::real", y)
        im_x, im_y = b.op("stablehlo::imag", x), b.op("stablehlo::imag", y)
        strict = b.op("stablehlo::compare", re_x, re_y, comparison_direction=direction[0] + "T")
        for part in (im_x, im_y):
            strict = b.op("stablehlo::and", strict, b.op("stablehlo::compare", part, part, comparison_direction="EQ"))
        equal = b.op("stablehlo::compare", re_x, re_y, comparison_direction="EQ")
        tie = b.op("stablehlo::compare", im_x, im_y, comparison_direction=direction)
        return b.op("stablehlo::or", strict, b.op("stablehlo::and", equal, tie))

    return emit


def _extremum(name: str) -> Emit:
    """NumPy's maximum and minimum of complex numbers are lexicographic, and NaN wins."""

    def emit(b: IrBuilder, x: Value, y: Value) -> Value:
        if x.dtype == BOOL:
            return b.op("stablehlo::or" if name == "maximum" else "stablehlo::and", x, y)
        if x.dtype.kind != "c":
            return b.op(f"stablehlo::{name}", x, y)
        keep = _lexicographic("GE" if name == "maximum" else "LE")(b, x, y)
        keep = b.op("stablehlo::or", keep, _is_nan(b, x))
        return b.op("stablehlo::select", keep, x, y)

    return emit


#: Name in the array API: the ufunc whose promotion holds, and what is emitted.
_TABLE: Final[dict[str, tuple[np.ufunc, Emit]]] = {
    "abs": (np.absolute, _unless("ub", _same, _op("stablehlo::abs"))),
    "acos": (np.arccos, _op("chlo::acos")),
    "acosh": (np.arccosh, _op("chlo::acosh")),
    "add": (np.add, _unless("b", _op("stablehlo::or"), _op("stablehlo::add"))),
    "asin": (np.arcsin, _op("chlo::asin")),
    "asinh": (np.arcsinh, _op("chlo::asinh")),
    "atan": (np.arctan, _op("chlo::atan")),
    "atan2": (np.arctan2, _op("stablehlo::atan2")),
    "atanh": (np.arctanh, _op("chlo::atanh")),
    "bitwise_and": (np.bitwise_and, _op("stablehlo::and")),
    "bitwise_invert": (np.invert, _op("stablehlo::not")),
    "bitwise_left_shift": (np.left_shift, _op("stablehlo::shift_left")),
    "bitwise_or": (np.bitwise_or, _op("stablehlo::or")),
    "bitwise_right_shift": (
        np.right_shift,
        _unless("u", _op("stablehlo::shift_right_logical"), _op("stablehlo::shift_right_arithmetic")),
    ),
    "bitwise_xor": (np.bitwise_xor, _op("stablehlo::xor")),
    "cbrt": (np.cbrt, _op("stablehlo::cbrt")),
    "ceil": (np.ceil, _unless("iub", _same, _op("stablehlo::ceil"))),
    "conj": (np.conjugate, _unless("iubf", _same, _op("chlo::conj"))),
    "copysign": (np.copysign, _op("numpy::copysign")),
    "cos": (np.cos, _op("stablehlo::cosine")),
    "cosh": (np.cosh, _op("chlo::cosh")),
    "divide": (np.true_divide, _op("stablehlo::divide")),
    "equal": (np.equal, _compare("EQ")),
    "exp": (np.exp, _op("stablehlo::exponential")),
    "exp2": (np.exp2, _op("numpy::exp2")),
    "expm1": (np.expm1, _unless("c", _complex_expm1, _op("stablehlo::exponential_minus_one"))),
    "floor": (np.floor, _unless("iub", _same, _op("stablehlo::floor"))),
    "floor_divide": (np.floor_divide, _op("numpy::floor_divide")),
    "greater": (np.greater, _unless("c", _lexicographic("GT"), _compare("GT"))),
    "greater_equal": (np.greater_equal, _unless("c", _lexicographic("GE"), _compare("GE"))),
    "hypot": (np.hypot, _op("numpy::hypot")),
    "isfinite": (np.isfinite, _unless("iub", _true, _unless("c", _parts(_is_finite, "stablehlo::and"), _is_finite))),
    "isinf": (np.isinf, _unless("iub", _false, _unless("c", _parts(_is_inf, "stablehlo::or"), _is_inf))),
    "isnan": (np.isnan, _unless("iub", _false, _is_nan)),
    "less": (np.less, _unless("c", _lexicographic("LT"), _compare("LT"))),
    "less_equal": (np.less_equal, _unless("c", _lexicographic("LE"), _compare("LE"))),
    "log": (np.log, _op("stablehlo::log")),
    "log10": (np.log10, _op("numpy::log10")),
    "log1p": (np.log1p, _op("stablehlo::log_plus_one")),
    "log2": (np.log2, _op("numpy::log2")),
    "logaddexp": (np.logaddexp, _op("numpy::logaddexp")),
    "logical_and": (np.logical_and, _logical("stablehlo::and")),
    "logical_not": (np.logical_not, _logical("stablehlo::not")),
    "logical_or": (np.logical_or, _logical("stablehlo::or")),
    "logical_xor": (np.logical_xor, _logical("stablehlo::xor")),
    "maximum": (np.maximum, _extremum("maximum")),
    "minimum": (np.minimum, _extremum("minimum")),
    "multiply": (np.multiply, _unless("b", _op("stablehlo::and"), _op("stablehlo::multiply"))),
    "negative": (np.negative, _op("stablehlo::negate")),
    "nextafter": (np.nextafter, _op("chlo::next_after")),
    "not_equal": (np.not_equal, _compare("NE")),
    "positive": (np.positive, _same),
    "pow": (np.power, _unless("iu", _op("numpy::power"), _op("stablehlo::power"))),
    "reciprocal": (np.reciprocal, _reciprocal),
    "remainder": (np.remainder, _op("numpy::remainder")),
    "round": (np.rint, _op("stablehlo::round_nearest_even")),
    "sign": (np.sign, _exact_sign),
    "signbit": (np.signbit, _op("numpy::signbit")),
    "sin": (np.sin, _op("stablehlo::sine")),
    "sinh": (np.sinh, _op("chlo::sinh")),
    "sqrt": (np.sqrt, _op("stablehlo::sqrt")),
    "square": (np.square, lambda b, x: b.op("stablehlo::multiply", x, x)),
    "subtract": (np.subtract, _subtract),
    "tan": (np.tan, _op("stablehlo::tan")),
    "tanh": (np.tanh, _unless("c", _complex_tanh, _op("stablehlo::tanh"))),
    "trunc": (np.trunc, _unless("iub", _same, _op("numpy::trunc"))),
}

RULES: Final[dict[str, Rule]] = {name: _elementwise(name, ufunc, emit) for name, (ufunc, emit) in _TABLE.items()}
UFUNCS: Final[dict[str, np.ufunc]] = {name: ufunc for name, (ufunc, _) in _TABLE.items()}


def _divisor_dtype(key: OperandKey, array_dtypes: Sequence[DType]) -> DType:
    """`/` of integers is done in floating point, so its scalar need not fit the integers."""
    exact = key in (bool, int) and all(dtype.kind in "iub" for dtype in array_dtypes)
    return FLOAT64 if exact else weak_scalar_dtype(key, array_dtypes)


RULES["divide"].scalar_dtype = _divisor_dtype


def _floating_scalar(ufunc: np.ufunc) -> Callable[[OperandKey, Sequence[DType]], DType]:
    """A ufunc without loops for integers converts its scalar with the array, so it need not fit the integers."""

    def scalar_dtype(key: OperandKey, array_dtypes: Sequence[DType]) -> DType:
        if key is int and array_dtypes and all(dtype.kind in "iu" for dtype in array_dtypes):
            return _loop(ufunc, (array_dtypes[0], array_dtypes[0]))[0]
        return weak_scalar_dtype(key, array_dtypes)

    return scalar_dtype


for _name in ("atan2", "copysign", "hypot", "logaddexp", "nextafter"):
    RULES[_name].scalar_dtype = _floating_scalar(UFUNCS[_name])


def _truth_dtype(key: OperandKey, array_dtypes: Sequence[DType]) -> DType:
    """Of an integer only its truth counts."""
    return np.dtype(np.int64) if key is int else weak_scalar_dtype(key, array_dtypes)


for _name in ("logical_and", "logical_or", "logical_xor"):
    RULES[_name].scalar_dtype = _truth_dtype


def _round_like_numpy(b: IrBuilder, x: Value) -> Value:
    if x.dtype.kind in "iub":
        return x
    if x.dtype.kind != "c":
        return b.op("stablehlo::round_nearest_even", x)
    parts = [b.op("stablehlo::round_nearest_even", b.op(f"stablehlo::{part}", x)) for part in ("real", "imag")]
    return b.op("stablehlo::complex", *parts)


#: NumPy refuses negative integer exponents of integers; one that is data cannot be refused when it is recorded.
RULES["pow"].least = {1: 0}
RULES["round"] = Rule("round", _round_like_numpy)


def _real(b: IrBuilder, x: Value) -> Value:
    return b.op("stablehlo::real", x) if x.dtype.kind == "c" else x


def _imag(b: IrBuilder, x: Value) -> Value:
    return b.op("stablehlo::imag", x) if x.dtype.kind == "c" else like(b, 0, x)


RULES["real"] = Rule("real", _real)
RULES["imag"] = Rule("imag", _imag)


def _put_real(b: IrBuilder, x: Value, value: Value) -> Value:
    return b.op("stablehlo::complex", value, b.op("stablehlo::imag", x)) if x.dtype.kind == "c" else value


def _put_imag(b: IrBuilder, x: Value, value: Value) -> Value:
    return b.op("stablehlo::complex", b.op("stablehlo::real", x), value)


#: The parts as views, as NumPy's attributes are.
REAL_VIEW: Final = Rule("real", _real, Rule("real", _put_real))
IMAG_VIEW: Final = Rule("imag", _imag, Rule("imag", _put_imag))


def _clip(b: IrBuilder, x: Value, *bounds: Value, low: bool, high: bool) -> Value:
    """The bounds that there are, the lower one first; all promote together."""
    x, *bounds_alike = promote(b, x, *bounds)
    given = iter(bounds_alike)
    for name, present in (("maximum", low), ("minimum", high)):
        if present:
            x = RULES[name].function(b, x, next(given))
    return x


CLIP: Final = Rule("clip", _clip)


def _astype(b: IrBuilder, x: Value, *, dtype: DType) -> Value:
    return cast(b, x, dtype)


ASTYPE: Final = Rule("astype", _astype)
ASTYPE.infer = lambda x, *, dtype: x.with_dtype(dtype)
#: A value of its own with the same contents: what a copy and a full assignment record.
COPY: Final = Rule("copy", lambda b, x: x)
COPY.infer = lambda x: x


def _where(b: IrBuilder, condition: Value, x: Value, y: Value) -> Value:
    dtype = np.result_type(x.dtype, y.dtype)
    condition, x, y = broadcast(b, "where", cast(b, condition, BOOL), cast(b, x, dtype), cast(b, y, dtype))
    return b.op("stablehlo::select", condition, x, y)


WHERE: Final = Rule("where", _where)


def _assign_where(b: IrBuilder, old: Value, mask: Value, new: Value) -> Value:
    """The elements of `old` under the mask replaced by a value that broadcasts."""
    rank = len(mask.shape)
    if new.type.size == 1:
        new = reshape(b, new, ())
    if old.shape[:rank] == mask.shape and rank < len(old.shape):
        dims = tuple(range(rank))
        mask = b.op("stablehlo::broadcast_in_dim", mask, broadcast_dimensions=dims, shape=old.shape)
    return b.op("stablehlo::select", expand(b, mask, old.shape), expand(b, cast(b, new, old.dtype), old.shape), old)


ASSIGN_WHERE: Final = Rule("__setitem__", _assign_where)
