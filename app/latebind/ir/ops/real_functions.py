"""Formulas of hyperbolic and inverse functions of float32 and float64, right at zeros, infinities and NaN.

Each stays within a few units in the last place of the correctly rounded result.
"""

from __future__ import annotations

import math

import numpy as np

from latebind.ir.expression import Expr
from latebind.ir.ops.float_bits import LAYOUT, copysign, split_exponent


def half_exponential_product(a: Expr, factor: Expr) -> Expr:
    """`exp(a) / 2 * factor` for large positive `a`, without the overflow of `exp(a)`."""
    root = (a * 0.5).apply("exponential")
    return root * 0.5 * factor * root


def sinh(x: Expr) -> Expr:
    """From expm1 for small arguments, from half the exponential for large ones."""
    a = abs(x)
    e = a.apply("exponential_minus_one")
    large = half_exponential_product(a, a.splat(1))
    return copysign((a > 20).where(large, (e + e / (e + 1)) * 0.5), x)


def cosh(x: Expr) -> Expr:
    """From the exponential and its reciprocal; half the exponential for large arguments."""
    a = abs(x)
    e = a.apply("exponential")
    return (a > 20).where(half_exponential_product(a, a.splat(1)), (e + 1 / e) * 0.5)


def asin(x: Expr) -> Expr:
    """`atan2(x, sqrt(1 - x**2))`."""
    return x.apply("atan2", ((1 - x) * (1 + x)).apply("sqrt"))


def acos(x: Expr) -> Expr:
    """`atan2(sqrt(1 - x**2), x)`."""
    return ((1 - x) * (1 + x)).apply("sqrt").apply("atan2", x)


def atan(x: Expr) -> Expr:
    """`atan2(x, 1)`."""
    return x.apply("atan2", 1)


def _large(x: Expr) -> Expr:
    """Whether the square of `x` is so large that adding one does not change it."""
    return x > 2 / float(np.finfo(x.dtype.name).eps)


def asinh(x: Expr) -> Expr:
    """`log1p(|x| + x**2 / (1 + sqrt(x**2 + 1)))` with the sign of `x`; `log(2 |x|)` where the square is large."""
    a = abs(x)
    small = (a + a * a / (1 + (a * a + 1).apply("sqrt"))).apply("log_plus_one")
    return copysign(_large(a).where(a.apply("log") + math.log(2), small), x)


def acosh(x: Expr) -> Expr:
    """`log1p(t + sqrt(2 t + t**2))` with `t = x - 1`; `log(2 x)` where the square is large."""
    t = x - 1
    small = (t + (t * 2 + t * t).apply("sqrt")).apply("log_plus_one")
    invalid = (x < 1).where(x.splat(math.nan), small)
    return _large(x).where(x.apply("log") + math.log(2), invalid)


def atanh(x: Expr) -> Expr:
    """`log1p(2 |x| / (1 - |x|)) / 2` with the sign of `x`."""
    a = abs(x)
    return copysign((a * 2 / (1 - a)).apply("log_plus_one") * 0.5, x)


def hypot(x: Expr, y: Expr) -> Expr:
    """Length of `(x, y)` without overflow; infinite if one is infinite, even if the other is NaN."""
    a, b = abs(x), abs(y)
    large, small = a.apply("maximum", b), a.apply("minimum", b)
    ratio = small / large
    length = large * (1 + ratio * ratio).apply("sqrt")
    length = large.equals(0).where(large, length)
    return (x.is_inf() | y.is_inf()).where(x.splat(math.inf), length)


def _log_of_parts(x: Expr, total: Expr) -> Expr:
    """Replace what `total` gives outside the positive finite numbers by what the natural logarithm gives there.

    Scaled, a denormal number is positive only on an engine that does not flush it to zero.
    """
    _, width = LAYOUT[x.dtype]
    return ((x * 2.0 ** (width + 1) > 0) & (x < math.inf)).where(total, x.apply("log"))


def log2(x: Expr) -> Expr:
    """Exponent plus the logarithm of the significand, so that powers of two are exact."""
    exponent, mantissa = split_exponent(x)
    return _log_of_parts(x, exponent + mantissa.apply("log") * (1 / math.log(2)))


def log10(x: Expr) -> Expr:
    """Exponent and significand apart, with log10(2) in two parts (FreeBSD msun, `e_log10.c` and `e_log10f.c`)."""
    single = x.dtype == np.float32
    high = 3.0102920532e-01 if single else 3.01029995663611771306e-01
    low = 7.9034151668e-07 if single else 3.69423907715893078616e-13
    exponent, mantissa = split_exponent(x)
    return _log_of_parts(x, (exponent * low + mantissa.apply("log") * (1 / math.log(10))) + exponent * high)


def log_add_exp(x: Expr, y: Expr) -> Expr:
    """`log(exp(x) + exp(y))` without overflow, with NumPy's results at infinities."""
    difference = x - y
    total = x.apply("maximum", y) + (-abs(difference)).apply("exponential").apply("log_plus_one")
    return x.equals(y).where(x + math.log(2), total)
