"""Formulas that work on the bits of IEEE floats: sign, neighbours, exponent."""

from __future__ import annotations

from typing import Final

import numpy as np

from latebind.ir.expression import Expr
from latebind.ir.types import DType

#: Signed integer of the width of each float, and the number of bits of its stored significand.
LAYOUT: Final[dict[DType, tuple[DType, int]]] = {
    np.dtype(np.float16): (np.dtype(np.int16), 10),
    np.dtype(np.float32): (np.dtype(np.int32), 23),
    np.dtype(np.float64): (np.dtype(np.int64), 52),
}


def sign_bit(x: Expr) -> Expr:
    """Whether the sign bit is set, also of -0.0 and NaN."""
    return x.bits(LAYOUT[x.dtype][0]) < 0


def copysign(x: Expr, y: Expr) -> Expr:
    """Magnitude of `x` with the sign bit of `y`."""
    integer = LAYOUT[x.dtype][0]
    sign = int(np.iinfo(integer.name).min)
    return ((x.bits(integer) & ~sign) | (y.bits(integer) & sign)).bits(x.dtype)


def next_after(x: Expr, y: Expr) -> Expr:
    """Neighbour of `x` in the direction of `y`; `y` where they are equal, NaN where one is NaN (C's `nextafter`)."""
    integer = LAYOUT[x.dtype][0]
    bits = x.bits(integer)
    # As integers, the patterns of one sign are ordered by magnitude: one step away from zero is +1.
    away = (x < y).equals(x > 0)
    stepped = away.where(bits + 1, bits - 1).bits(x.dtype)
    smallest = copysign(x.splat(1, integer).bits(x.dtype), y)
    result = x.equals(0).where(smallest, stepped)
    return (x.is_nan() | y.is_nan()).where(x + y, x.equals(y).where(y, result))


def split_exponent(x: Expr) -> tuple[Expr, Expr]:
    """Return `e` and `m` with `x = m * 2**e` and `m` in `[sqrt(1/2), sqrt(2))`, for positive finite `x`."""
    integer, width = LAYOUT[x.dtype]
    info = np.finfo(x.dtype.name)
    tiny = x < float(info.tiny)
    scaled = tiny.where(x * 2.0 ** (width + 1), x)
    bias = int(info.maxexp) - 1
    bits = scaled.bits(integer)
    exponent = bits.apply("shift_right_arithmetic", width) - bias
    mantissa = ((bits & ((1 << width) - 1)) | (bias << width)).bits(x.dtype)
    large = mantissa >= 2.0**0.5
    exponent = large.where(exponent + 1, exponent) - tiny.where(x.splat(width + 1, integer), 0)
    return exponent.to(x.dtype), large.where(mantissa * 0.5, mantissa)
