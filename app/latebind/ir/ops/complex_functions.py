"""Formulas of hyperbolic and inverse functions of complex numbers.

Branch cuts and signed zeros follow W. Kahan, "Branch Cuts for Complex Elementary Functions" (1987); results at
infinities and NaN follow C99's Annex G, as NumPy does. Away from overflow each part is within a few units in the last
place of the larger part.
"""

from __future__ import annotations

import math

import numpy as np

from latebind.ir.expression import Expr
from latebind.ir.ops.float_bits import copysign
from latebind.ir.ops.real_functions import asinh as real_asinh
from latebind.ir.ops.real_functions import cosh as real_cosh
from latebind.ir.ops.real_functions import half_exponential_product, hypot
from latebind.ir.ops.real_functions import sinh as real_sinh


def parts(z: Expr) -> tuple[Expr, Expr]:
    """Return real and imaginary part."""
    return z.apply("real"), z.apply("imag")


def join(x: Expr, y: Expr) -> Expr:
    """Return the complex number of a real and an imaginary part."""
    return x.apply("complex", y)


def scale(z: Expr, factor: float) -> Expr:
    """Multiply both parts by a real number; a complex product would make NaN of infinities."""
    x, y = parts(z)
    return join(x * factor, y * factor)


def _not_finite(x: Expr) -> Expr:
    return ~x.apply("is_finite")


def _hyperbolic_product(x: Expr, hyperbolic: Expr, trigonometric: Expr, *, odd: bool) -> Expr:
    """`sinh(x) * t` (odd) or `cosh(x) * t`, also where the hyperbolic factor alone overflows."""
    a = abs(x)
    factor = copysign(trigonometric.splat(1), x) * trigonometric if odd else trigonometric
    return (a > 20).where(half_exponential_product(a, factor), hyperbolic * trigonometric)


def sinh(z: Expr) -> Expr:
    """`sinh(x) cos(y) + i cosh(x) sin(y)`."""
    x, y = parts(z)
    real = _hyperbolic_product(x, real_sinh(x), y.apply("cosine"), odd=True)
    imaginary = _hyperbolic_product(x, real_cosh(x), y.apply("sine"), odd=False)
    at_edge = _not_finite(y) & (x.equals(0) | x.is_inf())
    return join(at_edge.where(x, real), y.equals(0).where(y, imaginary))


def cosh(z: Expr) -> Expr:
    """`cosh(x) cos(y) + i sinh(x) sin(y)`."""
    x, y = parts(z)
    real = _hyperbolic_product(x, real_cosh(x), y.apply("cosine"), odd=False)
    imaginary = _hyperbolic_product(x, real_sinh(x), y.apply("sine"), odd=True)
    real = (_not_finite(y) & x.is_inf()).where(abs(x), real)
    imaginary = (_not_finite(y) & x.equals(0)).where(x, imaginary)
    return join(real, y.equals(0).where(y * copysign(x.splat(1), x), imaginary))


def _sides(z: Expr) -> tuple[Expr, Expr, Expr, Expr]:
    """Return the parts of `sqrt(1 - z)` and of `sqrt(1 + z)`; made part by part, to keep the sign of a zero."""
    x, y = parts(z)
    return *parts(join(1 - x, -y).apply("sqrt")), *parts(join(1 + x, y).apply("sqrt"))


def _is_large(x: Expr, y: Expr) -> Expr:
    """Whether 1 vanishes beside the square of `x + iy`; holds for infinities."""
    limit = 2 / float(np.finfo(x.dtype.name).eps)
    return (abs(x) > limit) | (abs(y) > limit)


def _log_of_double(x: Expr, y: Expr) -> Expr:
    """`log(2 |x + iy|)`; halved first, because the length may overflow."""
    return hypot(x * 0.5, y * 0.5).apply("log") + 2 * math.log(2)


def asin(z: Expr) -> Expr:
    """Kahan's CASIN; `atan2(x, |y|) + i log(2 |z|)` for large `z`."""
    x, y = parts(z)
    a, b, c, d = _sides(z)
    real = x.apply("atan2", a * c - b * d)
    imaginary = real_asinh(a * d - b * c)
    large = _is_large(x, y)
    real = large.where(x.apply("atan2", abs(y)), x.equals(0).where(x, real))
    return join(real, large.where(copysign(_log_of_double(x, y), y), imaginary))


def acos(z: Expr) -> Expr:
    """Kahan's CACOS; `atan2(|y|, x) - i log(2 |z|)` for large `z`."""
    x, y = parts(z)
    a, b, c, d = _sides(z)
    real = a.apply("atan2", c) * 2
    imaginary = real_asinh(b * c - a * d)
    large = _is_large(x, y)
    real = large.where(abs(y).apply("atan2", x), x.equals(0).where(x.splat(math.pi / 2), real))
    return join(real, large.where(copysign(_log_of_double(x, y), -y), imaginary))


def acosh(z: Expr) -> Expr:
    """`acos(z)` turned by a quarter, so that the real part is not negative."""
    real, imaginary = parts(acos(z))
    return join(abs(imaginary), copysign(real, z.apply("imag")))


def asinh(z: Expr) -> Expr:
    """`-i asin(i z)`."""
    x, y = parts(z)
    real, imaginary = parts(asin(join(-y, x)))
    return join(imaginary, -real)


def atan(z: Expr) -> Expr:
    """`-i atanh(i z)`."""
    x, y = parts(z)
    real, imaginary = parts(atanh(join(-y, x)))
    return join(imaginary, -real)


def atanh(z: Expr) -> Expr:
    """Kahan's CATANH: on the right half plane, and mirrored."""
    x, y = parts(z)
    sign = copysign(x.splat(1), x)
    x, y = abs(x), y * sign
    theta = math.sqrt(float(np.finfo(x.dtype.name).max)) / 4
    rho = 1 / theta
    height = abs(y) + rho
    real = (x * 4 / ((1 - x) * (1 - x) + height * height)).apply("log_plus_one") * 0.25
    imaginary = (y * 2).apply("atan2", (1 - x) * (1 + x) - height * height) * 0.5
    # On the line x = 1 the first formula loses digits; at the pole itself the result is infinite.
    line = x.equals(1)
    pole = line & y.equals(0)
    diagonal = (y * y + 4).apply("sqrt")
    near = diagonal.apply("log") - abs(y).apply("log")
    real_line = (abs(y) < 1).where(near, (diagonal / height).apply("log")) * 0.5
    imaginary_line = copysign((math.pi / 2 + (height * 0.5).apply("atan2", 1)) * 0.5, y)
    real = pole.where(x.splat(math.inf), line.where(real_line, real))
    imaginary = pole.where(y, line.where(imaginary_line, imaginary))
    large = (x > theta) | (abs(y) > theta)
    longer = x.apply("maximum", abs(y))
    u, v = x / longer, y / longer
    real_large = (x.is_inf() | y.is_inf()).where(x.splat(0), u / longer / (u * u + v * v))
    turned = copysign(y.splat(math.pi / 2), y)
    real = large.where(real_large, x.equals(0).where(x, real))
    imaginary = (large & (y.is_inf() | x.equals(x))).where(y.is_nan().where(y, turned), imaginary)
    return join(real * sign, imaginary * sign)
