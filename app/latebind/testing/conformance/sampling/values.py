"""Values that the samples are made of: ordinary, wide, special, extreme, denormal, exact."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from latebind.ir.types import DType

Array = npt.NDArray[Any]

#: dtype of the parts of a complex dtype.
PARTS: Final[dict[str, DType]] = {"complex64": np.dtype("float32"), "complex128": np.dtype("float64")}


def generator(*key: object) -> np.random.Generator:
    """Return a generator of random numbers whose stream depends on nothing but the key."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def part_of(dtype: DType) -> DType:
    """Return the dtype of the parts of a complex dtype, or the dtype itself."""
    return PARTS.get(dtype.name, dtype)


def ordinary(dtype: DType, shape: tuple[int, ...], seed: int = 0) -> Array:
    """Return values of everyday size: floats around 1 and 10, integers over a sixteenth of their range."""
    rng = generator("ordinary", dtype.name, shape, seed)
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind in "iu":
        info = np.iinfo(dtype.name)
        high = max(int(info.max) // 16, 7)
        return np.asarray(rng.integers(-high if info.min else 0, high, shape, dtype=dtype.name, endpoint=True))
    if dtype.kind == "c":
        part = part_of(dtype)
        return joined(ordinary(part, shape, 2 * seed + 1), ordinary(part, shape, 2 * seed + 2), dtype)
    scale = np.where(rng.random(shape) < 0.3, 10.0, 1.0)
    return np.asarray(rng.standard_normal(shape) * scale).astype(dtype)


def exact(dtype: DType, shape: tuple[int, ...], seed: int = 0) -> Array:
    """Return small integers in any dtype: sums and products of a few are exact in all of them."""
    rng = generator("exact", dtype.name, shape, seed)
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    low = 0 if dtype.kind == "u" else -4
    values = np.asarray(rng.integers(low, 5, shape)).astype(dtype)
    if dtype.kind == "c":
        values = values + np.asarray(1j * rng.integers(-4, 5, shape)).astype(dtype)
    return values


def joined(real: Array, imaginary: Array, dtype: DType) -> Array:
    """Return complex numbers with these parts, signs of zeros and NaN included."""
    result = np.empty(np.broadcast_shapes(real.shape, imaginary.shape), dtype)
    result.real, result.imag = real, imaginary
    return result


def wide(dtype: DType, count: int = 200) -> Array:
    """Return floats of both signs over all normal magnitudes, or integers over all magnitudes."""
    rng = generator("wide", dtype.name, count)
    if dtype.kind == "b":
        return np.asarray(rng.random(count) < 0.5)
    if dtype.kind in "iu":
        info = np.iinfo(dtype.name)
        bits = rng.integers(0, info.bits, count)
        full = rng.integers(info.min, info.max, count, dtype=dtype.name, endpoint=True)
        return np.asarray(np.right_shift(full, bits.astype(dtype)))
    if dtype.kind == "c":
        values = wide(part_of(dtype), 2 * count)
        # Half of the exponents: squares of parts neither overflow nor vanish.
        values = (np.sign(values) * np.sqrt(np.abs(values))).astype(values.dtype)
        return joined(values[:count], values[count:], dtype)
    info_f = np.finfo(dtype.name)
    exponents = rng.uniform(float(np.log2(info_f.smallest_normal)) + 1, float(np.log2(info_f.max)) - 1, count)
    return np.asarray(np.exp2(exponents) * rng.choice([-1, 1], count)).astype(dtype)


@cache
def special(dtype: DType) -> tuple[Any, ...]:
    """Return the values at which operations go wrong: NaN, infinities, zeros of both signs, ends of the range, ones."""
    if dtype.kind == "b":
        return (False, True)
    if dtype.kind in "iu":
        info = np.iinfo(dtype.name)
        width = info.bits
        signed = (int(info.min), int(info.min) + 1, -width, -3, -2, -1) if info.min else ()
        return (*signed, 0, 1, 2, 3, 7, width - 1, width, width + 1, int(info.max) - 1, int(info.max))
    info_f = np.finfo(dtype.name)
    ends = (float(info_f.max), float(info_f.smallest_normal))
    positive = (0.0, 1.0, np.inf, 0.5, 2.0, 3.0, 1.5, 2.5, *ends)
    return (np.nan, *positive, *(-value for value in positive))


def special_array(dtype: DType) -> Array:
    """Return the special values; of complex numbers those with a part that is not finite."""
    if dtype.kind != "c":
        return np.array(special(dtype), dtype)
    parts = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.0], part_of(dtype))
    real, imaginary = (part.ravel() for part in np.meshgrid(parts, parts))
    values = joined(real, imaginary, dtype)
    return values[~np.isfinite(values)]


def branch_cuts(dtype: DType) -> Array:
    """Return complex numbers on both sides of the branch cuts: zeros of both signs beside the axes, and at 0 and 1."""
    axis = np.array([-3.0, -1.0, -0.5, 0.0, -0.0, 0.5, 1.0, 3.0], part_of(dtype))
    zeros = np.array([0.0, -0.0], part_of(dtype))
    along, across = (side.ravel() for side in np.meshgrid(axis, zeros))
    return np.concatenate([joined(along, across, dtype), joined(across, along, dtype)])


def special_pairs(dtype: DType) -> tuple[Array, Array]:
    """Return all pairs of special values; of complex numbers a random selection."""
    values = special_array(dtype)
    if dtype.kind == "c":
        rng = generator("pairs", dtype.name)
        picked = rng.integers(0, values.size, (2, 400))
        return values[picked[0]], values[picked[1]]
    left, right = (side.ravel() for side in np.meshgrid(values, values))
    return left, right


def denormal(dtype: DType) -> Array:
    """Return numbers below the smallest normal one, and that one, of both signs; in complex numbers in either part."""
    part = part_of(dtype)
    info = np.finfo(part.name)
    tiny = float(info.smallest_subnormal)
    normal = float(info.smallest_normal)
    values = np.array([tiny, 3 * tiny, normal / 2, normal - tiny, normal, -tiny, -normal / 2, -normal], part)
    if dtype.kind != "c":
        return values
    return np.concatenate([joined(values, values[::-1], dtype), joined(values, np.ones_like(values), dtype)])


def strided(array: Array) -> Array:
    """Return an equal array in awkward memory: every other element of a larger one, dimensions and order reversed."""
    larger = np.zeros((*(2 * extent for extent in array.shape[::-1]),), array.dtype)
    steps: tuple[Any, ...] = (..., *(slice(None, None, -2) for _ in array.shape))
    window: Array = larger[steps].T
    window[...] = array
    return window
