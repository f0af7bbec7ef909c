"""Elementwise operations on floats that need more than one NumPy call."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Exponent bits, mantissa bits and unsigned dtype of each float dtype.
_LAYOUT: Final[dict[np.dtype[Any], tuple[int, int, np.dtype[Any]]]] = {
    np.dtype(np.float16): (5, 10, np.dtype(np.uint16)),
    np.dtype(np.float32): (8, 23, np.dtype(np.uint32)),
    np.dtype(np.float64): (11, 52, np.dtype(np.uint64)),
}


def filled(x: Array, shape: tuple[int, ...]) -> Array:
    """Return a new array of this shape with `x` broadcast into it."""
    result = np.empty(shape, x.dtype)
    result[...] = x
    return result


def logistic_half(x: Array) -> Array:
    """Return the logistic function of float16: in float32, where `exp` does not overflow."""
    wide = x.astype(np.float32)
    result: Array = (1 / (1 + np.exp(-wide))).astype(np.float16)
    return result


def round_nearest_away(x: Array) -> Array:
    """Round to the nearest integer, ties away from zero (StableHLO `round_nearest_afz`)."""
    whole = np.trunc(x)
    ties = np.absolute(x - whole) >= x.dtype.type(0.5)
    result: Array = np.copysign(np.add(np.absolute(whole), ties, dtype=x.dtype), x)
    return result


def signum(x: Array) -> Array:
    """Return the sign of floats; -0.0 and NaN are kept."""
    result: Array = np.copysign(np.sign(x), x)
    return result


def reduce_precision(x: Array, exponent_bits: int, mantissa_bits: int) -> Array:
    """Round to a float format with fewer bits and back (StableHLO `reduce_precision`)."""
    own_exponent, own_mantissa, unsigned = _LAYOUT[x.dtype]
    x = np.asarray(x)
    bits = x.view(unsigned).copy()
    one = unsigned.type(1)
    drop = own_mantissa - mantissa_bits
    if drop > 0:
        shift = unsigned.type(drop)
        bits += ((bits >> shift) & one) + unsigned.type((1 << (drop - 1)) - 1)
        bits &= unsigned.type(~((1 << drop) - 1) & ((1 << (8 * unsigned.itemsize)) - 1))
    result: Array = bits.view(x.dtype)
    if exponent_bits < own_exponent:
        result = _limit_exponent(result, exponent_bits, mantissa_bits)
    return np.where(np.isnan(x), x, result)


def _limit_exponent(x: Array, exponent_bits: int, mantissa_bits: int) -> Array:
    """Make values beyond an exponent range infinite, and those below it zero."""
    bias = 2 ** (exponent_bits - 1) - 1
    largest = x.dtype.type((2.0 - 2.0**-mantissa_bits) * 2.0**bias)
    smallest = x.dtype.type(2.0 ** (1 - bias))
    magnitude = np.absolute(x)
    limited = np.where(magnitude > largest, x.dtype.type(np.inf), magnitude)
    limited = np.where(magnitude < smallest, x.dtype.type(0), limited)
    result: Array = np.copysign(limited, x)
    return result


def total_order(x: Array) -> Array:
    """Return integers in the total order of IEEE 754: -NaN, -inf, ..., -0, +0, ..., inf, NaN."""
    unsigned = _LAYOUT[x.dtype][2]
    signed = np.dtype(f"i{unsigned.itemsize}")
    bits = np.asarray(x).view(signed)
    return np.where(bits < 0, bits ^ np.iinfo(signed).max, bits)
