"""Elementwise operations on floats that need more than one NumPy call."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


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


def next_after_half(x: Array, y: Array) -> Array:
    """Return the next float16 after `x` in the direction of `y`; `y` where they are equal."""
    result: Array = np.where(np.equal(x, y), y, np.nextafter(x, y))
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


def total_order(x: Array) -> Array:
    """Return integers in the total order of IEEE 754: -NaN, -inf, ..., -0, +0, ..., inf, NaN."""
    signed = np.dtype(f"i{x.dtype.itemsize}")
    bits = np.asarray(x).view(signed)
    return np.where(bits < 0, bits ^ np.iinfo(signed.name).max, bits)
