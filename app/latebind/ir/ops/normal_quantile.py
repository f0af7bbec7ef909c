"""The quantile of the normal distribution at an integer that is uniform over its dtype.

M. J. Wichura, Algorithm AS 241, Applied Statistics 37 (1988): PPND16 for float64, PPND7 for float32. Rational functions
for 85 % of the numbers, so that engines agree there but for contracted multiply-adds; a logarithm and a square root
in the tails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from latebind.ir.expression import Expr, horner
from latebind.ir.ops import special_functions as ppnd16
from latebind.ir.ops.float_bits import copysign
from latebind.ir.types import DType

Coefficients = tuple[float, ...]

#: Numbers up to this distance from the median, of at most 1, are central.
CENTRE: Final = 0.85


@dataclass(frozen=True, slots=True)
class Quantile:
    """Numerators and denominators, the highest power first: centre, tails, and far tails (below exp(-25))."""

    centre: tuple[Coefficients, Coefficients]
    near: tuple[Coefficients, Coefficients]
    far: tuple[Coefficients, Coefficients]


QUANTILES: Final[dict[DType, Quantile]] = {
    np.dtype(np.float32): Quantile(
        (
            (5.9109374720e1, 1.5929113202e2, 5.0434271938e1, 3.3871327179),
            (6.7187563600e1, 7.8757757664e1, 1.7895169469e1, 1.0),
        ),
        ((1.7023821103e-1, 1.3067284816, 2.7568153900, 1.4234372777), (1.2021132975e-1, 7.3700164250e-1, 1.0)),
        ((1.7337203997e-2, 4.2868294337e-1, 3.0812263860, 6.6579051150), (1.2258202635e-2, 2.4197894225e-1, 1.0)),
    ),
    np.dtype(np.float64): Quantile(
        (ppnd16.PPND_A, ppnd16.PPND_B), (ppnd16.PPND_C, ppnd16.PPND_D), (ppnd16.PPND_E, ppnd16.PPND_F)
    ),
}


def normal_quantile(word: Expr, dtype: DType) -> Expr:
    """Return the standard normal quantile of signed integers, whose range stands for the probabilities from 0 to 1.

    The distance to the nearer end is taken before the conversion to floating point: tails reach to half a step of
    the integers, 9.2 standard deviations of int64 and 6.3 of int32.
    """
    width = 8 * word.dtype.itemsize
    table = QUANTILES[dtype]
    y = (word.to(dtype) + 0.5) * 2.0 ** (1 - width)
    q = y * 0.5
    r = 0.180625 - q * q
    centre = q * horner(r, table.centre[0]) / horner(r, table.centre[1])
    folded = word ^ word.apply("shift_right_arithmetic", width - 1)
    p = ((2 ** (width - 1) - 1 - folded).to(dtype) + 0.5) * 2.0**-width
    r = (-p.apply("log")).apply("sqrt")
    near = horner(r - 1.6, table.near[0]) / horner(r - 1.6, table.near[1])
    far = horner(r - 5, table.far[0]) / horner(r - 5, table.far[1])
    return (abs(y) <= CENTRE).where(centre, copysign((r <= 5).where(near, far), y))
