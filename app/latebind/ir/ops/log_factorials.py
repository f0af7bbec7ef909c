"""Differences of logarithms of factorials, which keep their digits where the factorials are huge.

After C. Loader, "Fast and accurate computation of binomial probabilities" (2000): Stirling's series, whose large terms
are cancelled in the formula and not in floating point.
"""

from __future__ import annotations

from typing import Final

from latebind.ir.expression import Expr, horner

#: Stirling's series for the logarithm of the gamma function in `1 / z**2`, the highest power first.
_STIRLING: Final = (-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)
#: By how much arguments are raised before the series is summed, and up to where: the next term is below 3e-15.
_RAISED_BY: Final = 8
_RAISED_BELOW: Final = 16.0
_SERIES_ORDERS: Final = range(14, 3, -1)
_SMALL: Final = 0.03125
#: Coefficients of `(atanh(v) - v) / v**3` in `v**2`.
_ATANH: Final = tuple(1 / (2 * order + 3) for order in range(9, -1, -1))


def log1p_remainder(y: Expr) -> Expr:
    """Return `log1p(y) - (y - y**2 / 2 + y**3 / 3)` for `y > -1`, to full relative accuracy where `y` is small."""
    series = horner(y, [(-1.0) ** (order + 1) / order for order in _SERIES_ORDERS])
    square = y * y
    direct = y.apply("log_plus_one") - (y - square * 0.5 + square * y * (1 / 3))
    return (abs(y) < _SMALL).where(series * square * square, direct)


def _stirling_remainder(z: Expr) -> Expr:
    """Return `log(gamma(z)) - ((z - 1/2) log(z) - z + log(2 pi) / 2)` for `z >= 1`."""
    near = z < _RAISED_BELOW
    low = near.where(z, 1.0)
    raised = near.where(z + _RAISED_BY, z)
    inverse = 1 / raised
    series = horner(inverse * inverse, _STIRLING) * inverse
    rising = low
    for step in range(1, _RAISED_BY):
        rising = rising * (low + step)
    above = low + _RAISED_BY
    shifted = (above - 0.5) * above.apply("log") - _RAISED_BY - (low - 0.5) * low.apply("log") - rising.apply("log")
    return series + near.where(shifted, 0.0)


def _deviance(t: Expr) -> Expr:
    """Return `(1 + t) * log1p(t) - t` for `t > -1`, to full relative accuracy where `t` is small."""
    v = t / (t + 2)
    square = v * v
    near = 2 * square * (1 + (1 + v) * v * horner(square, _ATANH)) / (1 - v)
    return (abs(v) < 0.1).where(near, (t + 1) * t.apply("log_plus_one") - t)


def log_factorial_ratio(k: Expr, m: Expr) -> Expr:
    """Return `log(k!) - log(m!) - (k - m) * log(m + 1)` for whole numbers that are not negative.

    The term that is left out is the one that the other factors of a probability cancel.
    """
    t = (k - m) / (m + 1)
    grown = (m + 1) * _deviance(t) - t.apply("log_plus_one") * 0.5
    return grown + _stirling_remainder(k + 1) - _stirling_remainder(m + 1)
