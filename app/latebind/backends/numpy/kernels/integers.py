"""Elementwise operations on integers that need more than one NumPy call."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def divide_truncating(x: Array, y: Array) -> Array:
    """Divide signed integers, truncating towards zero; `x / 0` is 0 and `INT_MIN / -1` is `INT_MIN`."""
    quotient = np.floor_divide(x, y)
    inexact = np.not_equal(np.multiply(quotient, y), x)
    inexact &= np.less(x, 0) != np.less(y, 0)
    inexact &= np.not_equal(y, 0)
    result: Array = np.add(quotient, inexact, dtype=x.dtype)
    return result


def power_wrapping(x: Array, y: Array) -> Array:
    """Raise signed integers to powers, wrapping; negative exponents as StableHLO `power`: 0 unless `x` is 1 or -1.

    `0` to a negative power is 0, as in integer division by zero.
    """
    negative = np.less(y, 0)
    if not negative.any():
        result: Array = np.power(x, y)
        return result
    powers = np.power(x, np.where(negative, y & 1, y))
    unit = np.equal(x, 1) | np.equal(x, -1)
    result = np.where(negative & ~unit, x.dtype.type(0), powers)
    return result


def shift_right_logical(x: Array, y: Array) -> Array:
    """Shift signed integers right with zeros moved in; 0 where the shift is outside the width."""
    unsigned = _unsigned(x.dtype)
    shifted = np.right_shift(np.asarray(x).view(unsigned), np.asarray(y).view(unsigned))
    result: Array = np.asarray(shifted).view(x.dtype)
    return result


def population_count(x: Array) -> Array:
    """Count the bits that are set."""
    result: Array = np.bitwise_count(np.asarray(x).view(_unsigned(x.dtype))).astype(x.dtype)
    return result


def count_leading_zeros(x: Array) -> Array:
    """Count the zero bits above the highest bit that is set; the width for 0."""
    width = 8 * x.dtype.itemsize
    bits = np.array(x).view(_unsigned(x.dtype))
    shift = 1
    while shift < width:
        bits |= bits >> bits.dtype.type(shift)
        shift *= 2
    result: Array = (width - np.bitwise_count(bits)).astype(x.dtype)
    return result


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"u{dtype.itemsize}")
