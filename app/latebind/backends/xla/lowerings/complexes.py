"""Complex numbers: their order, which StableHLO does not have, and functions where XLA errs at infinities and cuts.

The order is NumPy's: real part, then imaginary part. The functions follow Annex G of the C standard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from latebind.backends.xla.lowering import BOOL, Emitted
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.ir.ops.elementwise import PART_OF


def parts(context: Context, operand: Emitted) -> tuple[Emitted, Emitted]:
    """Return the real and the imaginary part."""
    type = operand.type.with_dtype(PART_OF[operand.type.dtype])
    return context.op("real", operand, type=type), context.op("imag", operand, type=type)


def is_nan(context: Context, operand: Emitted) -> Emitted:
    """Return where a float or complex value is NaN."""
    return context.compare("NE", operand, operand)


def either(context: Context, first: Emitted, *others: Emitted) -> Emitted:
    """Return where any of the truth values holds."""
    for other in others:
        first = context.op("or", first, other)
    return first


def both(context: Context, first: Emitted, *others: Emitted) -> Emitted:
    """Return where all of the truth values hold."""
    for other in others:
        first = context.op("and", first, other)
    return first


def ordered(context: Context, direction: str, lhs: Emitted, rhs: Emitted) -> Emitted:
    """Return `lhs < rhs` (`LT`, `LE`, `GT`, `GE`) as NumPy's ufuncs order complex numbers."""
    (left, left_imaginary), (right, right_imaginary) = parts(context, lhs), parts(context, rhs)
    known = both(
        context,
        context.compare("EQ", left_imaginary, left_imaginary),
        context.compare("EQ", right_imaginary, right_imaginary),
    )
    strictly = both(context, context.compare(direction[0] + "T", left, right), known)
    tie = both(
        context,
        context.compare("EQ", left, right),
        context.compare(direction, left_imaginary, right_imaginary),
    )
    return either(context, strictly, tie)


def larger(context: Context, lhs: Emitted, rhs: Emitted, direction: str) -> Emitted:
    """Return the larger (`GE`) or smaller (`LE`) of two complex numbers; the first NaN wins."""
    wins = either(context, ordered(context, direction, lhs, rhs), is_nan(context, lhs))
    return context.select(wins, lhs, rhs)


def precedes(context: Context, lhs: Emitted, rhs: Emitted) -> Emitted:
    """Return whether `lhs` comes before `rhs` in NumPy's order for sorting: NaN last, by real part, then imaginary."""
    (a, a_imaginary), (b, b_imaginary) = parts(context, lhs), parts(context, rhs)
    a_nan, b_nan = is_nan(context, a_imaginary), is_nan(context, b_imaginary)
    a_known = context.op("not", a_nan)
    less = both(context, context.compare("LT", a, b), either(context, a_known, b_nan))
    greater = both(context, context.compare("GT", a, b), b_nan, a_known)
    tied = either(context, context.compare("EQ", a, b), both(context, is_nan(context, a), is_nan(context, b)))
    by_imaginary = either(context, context.compare("LT", a_imaginary, b_imaginary), both(context, b_nan, a_known))
    nan_last = both(context, is_nan(context, b), context.op("not", is_nan(context, a)))
    return either(context, less, greater, both(context, tied, by_imaginary), nan_last)


def _is_infinite(context: Context, operand: Emitted) -> Emitted:
    return context.compare("EQ", context.op("abs", operand), context.splat(math.inf, operand.type))


def _with_sign_of(context: Context, magnitude: Emitted, sign: Emitted) -> Emitted:
    """Return a value with its sign replaced, that of zeros included."""
    bits = sign.type.with_dtype(np.dtype(f"i{sign.type.dtype.itemsize}"))
    negative = context.compare("LT", context.op("bitcast_convert", sign, type=bits), context.splat(0, bits))
    positive = context.op("abs", magnitude)
    return context.select(negative, context.op("negate", positive), positive)


def _is_not_finite(context: Context, operand: Emitted) -> Emitted:
    return context.op("not", context.op("is_finite", operand, type=operand.type.with_dtype(BOOL)))


def _complex(context: Context, real: Emitted | float, imaginary: Emitted | float, like: Emitted) -> Emitted:
    """Return a complex number; Python numbers become constants."""
    type = like.type.with_dtype(PART_OF[like.type.dtype])
    given = [part if isinstance(part, Emitted) else context.splat(part, type) for part in (real, imaginary)]
    return context.op("complex", *given, type=like.type)


def _at_infinity(context: Context, z: Emitted, result: Emitted, below: float) -> Emitted:
    """Return a function like exp(z) where the real part is infinite and the imaginary part has no direction."""
    real, imaginary = parts(context, z)
    open_ended = _is_not_finite(context, imaginary)
    positive = both(context, open_ended, context.compare("EQ", real, context.splat(math.inf, real.type)))
    negative = both(context, open_ended, context.compare("EQ", real, context.splat(-math.inf, real.type)))
    result = context.select(negative, _complex(context, below, 0.0, z), result)
    return context.select(positive, _complex(context, math.inf, math.nan, z), result)


def exponential(context: Context, z: Emitted) -> Emitted:
    """Return exp(z): 0 or infinite where the real part is infinite, whatever the imaginary part."""
    return _at_infinity(context, z, context.op("exponential", z), 0.0)


def exponential_minus_one(context: Context, z: Emitted) -> Emitted:
    """Return exp(z) - 1: -1 or infinite where the real part is infinite, whatever the imaginary part."""
    return _at_infinity(context, z, context.op("exponential_minus_one", z), -1.0)


def _logarithm(name: str) -> Callable[[Context, Emitted], Emitted]:
    def lower(context: Context, z: Emitted) -> Emitted:
        """Return log(z) or log(1 + z): infinite where a part is, even if the other is NaN."""
        infinite = either(context, *(_is_infinite(context, part) for part in parts(context, z)))
        real, imaginary = parts(context, context.op(name, z))
        real = context.select(infinite, context.splat(math.inf, real.type), real)
        return context.op("complex", real, imaginary, type=z.type)

    return lower


def hyperbolic_tangent(context: Context, z: Emitted) -> Emitted:
    """Return tanh(z): a real part of zero stays, even if the imaginary part is not finite."""
    real, imaginary = parts(context, z)
    zero = context.compare("EQ", real, context.splat(0, real.type))
    on_axis = both(context, zero, _is_not_finite(context, imaginary))
    return context.select(on_axis, _complex(context, real, math.nan, z), context.op("tanh", z))


def modulus(context: Context, z: Emitted) -> Emitted:
    """Return abs(z): infinite where a part is, whatever the other."""
    real, imaginary = parts(context, z)
    infinite = either(context, _is_infinite(context, real), _is_infinite(context, imaginary))
    return context.select(infinite, context.splat(math.inf, real.type), context.op("abs", z, type=real.type))


def square_root(context: Context, z: Emitted) -> Emitted:
    """Return sqrt(z): the imaginary part keeps its sign, also of zeros; infinite where a part is."""
    whole, imaginary = parts(context, z)
    real, other = parts(context, context.op("sqrt", z))
    infinity = context.splat(math.inf, real.type)
    vertical = _is_infinite(context, imaginary)
    open_ended = is_nan(context, imaginary)
    right = both(context, open_ended, context.compare("EQ", whole, infinity))
    left = both(context, open_ended, context.compare("EQ", whole, context.op("negate", infinity)))
    real = context.select(either(context, vertical, right), infinity, real)
    other = context.select(vertical, imaginary, _with_sign_of(context, other, imaginary))
    other = context.select(left, infinity, other)
    return context.op("complex", real, other, type=z.type)


def logistic(context: Context, z: Emitted) -> Emitted:
    """Return 1 / (1 + exp(-z)) from the exponential that does not overflow."""
    real = parts(context, z)[0]
    right = context.compare("GE", real, context.splat(0, real.type))
    power = exponential(context, context.select(right, context.op("negate", z), z))
    one = context.splat(1, z.type)
    return context.op("divide", context.select(right, one, power), context.op("add", one, power))


#: Functions of one complex operand, by operation.
COMPLEX_FUNCTIONS: Final[Mapping[str, Callable[[Context, Emitted], Emitted]]] = {
    "exponential": exponential,
    "exponential_minus_one": exponential_minus_one,
    "log": _logarithm("log"),
    "log_plus_one": _logarithm("log_plus_one"),
    "tanh": hyperbolic_tangent,
    "abs": modulus,
    "sqrt": square_root,
    "logistic": logistic,
}
