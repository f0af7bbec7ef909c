"""Formulas of the error functions and of the logarithm of the gamma function, for float32 and float64.

Tolerances are for float64, as tests/unit/ir measures them against the C library; in float32 they scale with the unit in
the last place.
"""

from __future__ import annotations

import math
from typing import Final

from latebind.ir.expression import Expr, horner
from latebind.ir.ops.float_bits import copysign

# Cephes, ndtr.c: erf(x) = x T(x^2) / U(x^2) for |x| <= 1; erfc(x) = exp(-x^2) P(x) / Q(x) below 8, R / S above.
_ERF_T: Final = (
    9.60497373987051638749e0,
    9.00260197203842689217e1,
    2.23200534594684319226e3,
    7.00332514112805075473e3,
    5.55923013010394962768e4,
)
_ERF_U: Final = (
    1.0,
    3.35617141647503099647e1,
    5.21357949780152679795e2,
    4.59432382970980127987e3,
    2.26290000613890934246e4,
    4.92673942608635921086e4,
)
_ERFC_P: Final = (
    2.46196981473530512524e-10,
    5.64189564831068821977e-1,
    7.46321056442269912687e0,
    4.86371970985681366614e1,
    1.96520832956077098242e2,
    5.26445194995477358631e2,
    9.34528527171957607540e2,
    1.02755188689515710272e3,
    5.57535335369399327526e2,
)
_ERFC_Q: Final = (
    1.0,
    1.32281951154744992508e1,
    8.67072140885989742329e1,
    3.54937778887819891062e2,
    9.75708501743205489753e2,
    1.82390916687909736289e3,
    2.24633760818710981792e3,
    1.65666309194161350182e3,
    5.57535340817727675546e2,
)
_ERFC_R: Final = (
    5.64189583547755073984e-1,
    1.27536670759978104416e0,
    5.01905042251180477414e0,
    6.16021097993053585195e0,
    7.40974269950448939160e0,
    2.97886665372100240670e0,
)
_ERFC_S: Final = (
    1.0,
    2.26052863220117276590e0,
    9.39603524938001434673e0,
    1.20489539808096656605e1,
    1.70814450747565897222e1,
    9.60896809063285878198e0,
    3.36907645100081516050e0,
)

# M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988): three rational functions for the quantile.
PPND_A: Final = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
PPND_B: Final = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
PPND_C: Final = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
PPND_D: Final = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
PPND_E: Final = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
PPND_F: Final = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)

# Lanczos approximation with g = 7 and 9 terms (P. Godfrey, 2001).
_LANCZOS_G: Final = 7.0
_LANCZOS: Final = (
    0.99999999999980993227684700473478,
    676.520368121885098567009190444019,
    -1259.13921672240287047156078755283,
    771.3234287776530788486528258894,
    -176.61502916214059906584551354,
    12.507343278686904814458936853,
    -0.13857109526572011689554707,
    9.984369578019570859563e-6,
    1.50563273514931155834e-7,
)

#: Bernoulli numbers B(2k) / (2k), highest first: the asymptotic series of digamma.
_DIGAMMA_SERIES: Final = (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12)
_DIGAMMA_SHIFT: Final = 10


def _erf_centre(x: Expr) -> Expr:
    """erf for |x| <= 1; finite, but meaningless, outside."""
    square = (x * x).apply("minimum", 1)
    return x * horner(square, _ERF_T) / horner(square, _ERF_U)


def _erfc_tail(a: Expr) -> Expr:
    """erfc for a >= 1. The square is split, so that its rounding does not grow in the exponential."""
    a = a.apply("minimum", 28)
    head = (a * 128 + 0.5).apply("floor") * (1 / 128)
    rest = a - head
    gauss = (-(head * head)).apply("exponential") * (-(head * 2 * rest + rest * rest)).apply("exponential")
    near = horner(a, _ERFC_P) / horner(a, _ERFC_Q)
    far = horner(a, _ERFC_R) / horner(a, _ERFC_S)
    return gauss * (a < 8).where(near, far)


def erf(x: Expr) -> Expr:
    """Error function: Cephes `ndtr.c`, relative error below 4e-16."""
    a = abs(x)
    return (a <= 1).where(_erf_centre(x), copysign(1 - _erfc_tail(a), x))


def erfc(x: Expr) -> Expr:
    """Complementary error function: Cephes `ndtr.c`, relative error below 2e-15 where the result is normal."""
    a = abs(x)
    tail = _erfc_tail(a)
    return (a <= 1).where(1 - _erf_centre(x), (x < 0).where(2 - tail, tail))


def erf_inv(y: Expr) -> Expr:
    """Inverse error function: Wichura's AS 241 for the normal quantile, relative error below 2e-15."""
    a = abs(y)
    q = y * 0.5
    r = 0.180625 - q * q
    centre = q * horner(r, PPND_A) / horner(r, PPND_B)
    r = (-((1 - a) * 0.5).apply("log")).apply("sqrt")
    near = horner(r - 1.6, PPND_C) / horner(r - 1.6, PPND_D)
    far = horner(r - 5, PPND_E) / horner(r - 5, PPND_F)
    tail = a.equals(1).where(a.splat(math.inf), (r <= 5).where(near, far))
    return (a <= 0.85).where(centre, copysign(tail, y)) * math.sqrt(0.5)


def lgamma(x: Expr) -> Expr:
    """Logarithm of |gamma(x)|: Lanczos (g = 7, n = 9) with reflection below 1/2.

    Relative error below 1e-14 on top of an absolute error of 1e-14, which shows near the zeros of the function.
    """
    reflect = x < 0.5
    z = reflect.where(-x, x - 1)
    series = z.splat(_LANCZOS[0])
    for index, coefficient in enumerate(_LANCZOS[1:], 1):
        series = series + coefficient / (z + index)
    base = _LANCZOS_G + 0.5
    log_t = (z * (1 / base)).apply("log_plus_one") + math.log(base)
    # z + 1/2 - t / log_t, times log_t: the plain (z + 1/2) log_t - t overflows earlier.
    total = (z + 0.5 - (z + base) / log_t) * log_t + series.apply("log") + 0.5 * math.log(2 * math.pi)
    a = abs(x)
    fraction = a - a.apply("floor")
    fraction = (fraction > 0.5).where(1 - fraction, fraction)
    sine = (fraction * math.pi).apply("sine").apply("log")
    mirrored = math.log(math.pi) - sine - total
    mirrored = sine.is_inf().where(-sine, mirrored)
    return x.is_inf().where(a, reflect.where(mirrored, total))


def digamma(x: Expr) -> Expr:
    """Derivative of lgamma: recurrence up to 10, then the asymptotic series; reflection below zero.

    As Cephes `psi.c`; relative error below 1e-14 on top of an absolute error of 1e-14, which shows near the zeros. As
    in SciPy, digamma of 0.0 and -0.0 is -inf and inf, of a negative integer NaN.
    """
    mirrored = x <= 0
    y = mirrored.where(1 - x, x)
    shift = y < _DIGAMMA_SHIFT
    steps = 1 / y
    for index in range(1, _DIGAMMA_SHIFT):
        steps = steps + 1 / (y + index)
    z = shift.where(y + _DIGAMMA_SHIFT, y)
    inverse = 1 / z
    square = inverse * inverse
    total = z.apply("log") - 0.5 * inverse - square * horner(square, _DIGAMMA_SERIES)
    total = shift.where(total - steps, total)
    fraction = x - x.apply("round_nearest_even")
    below = total - math.pi / (fraction * math.pi).apply("tan")
    below = fraction.equals(0).where(x.splat(math.nan), below)
    at_zero = copysign(x.splat(math.inf), -x)
    return x.equals(0).where(at_zero, mirrored.where(below, total))
