"""Bounded integers: bounds to a first value and a number of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latebind.array.data_type_functions import astype
from latebind.array.operands import ArrayLike, as_array, checked_dtype, host_array
from latebind.array.random.arguments import DTypeLike, Size, result_shape, size_of
from latebind.array.random.bit_generator import Philox
from latebind.array.rules.common import BOOL, integer
from latebind.array.rules.random_numbers import BITS, INTEGERS, integer_blocks
from latebind.errors import DTypeMismatchError
from latebind.ir.ops.random_numbers import UINT32, UINT64, blocks_of
from latebind.ir.promotion import integer_range
from latebind.ir.types import DType
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array

_WORD = 1 << 64
#: More integers than that take two words each.
_ONE_WORD = 1 << 32


def draw_integers(
    bits: Philox, low: ArrayLike, high: ArrayLike | None, size: Size, dtype: DTypeLike, endpoint: bool
) -> Array:
    """Draw integers; see `Generator.integers`."""
    found = checked_dtype(bits.ground.executor.options.default_integral if dtype is None else dtype)
    if found.kind not in "iub":
        raise DTypeMismatchError(f"random.integers gives integers or booleans, not {found.name}")
    if high is None:
        low, high = 0, low
    if isinstance(low, LazyTensor) or isinstance(high, LazyTensor):
        return _between_arrays(bits, low, high, size, found, endpoint)
    if np.ndim(low) or np.ndim(high):  # type: ignore[arg-type]
        return _between_host(bits, low, high, size, found, endpoint)
    first, last = (integer("random.integers", "a bound", one) for one in (low, high))  # type: ignore[arg-type]
    last -= not endpoint
    _check_bounds(first, last, found, endpoint)
    shape, count = size_of("integers", size), last - first + 1
    if found in (UINT32, UINT64) and count == 1 << 8 * found.itemsize:
        return bits.draw(BITS, (), blocks_of(shape, found), shape=shape, dtype=found)
    words = 1 if count <= _ONE_WORD else 2
    operands = (np.uint64(first % _WORD), np.uint64(count % _WORD))
    return bits.draw(INTEGERS, operands, integer_blocks(shape, words), shape=shape, dtype=found, words=words)


def _range(dtype: DType) -> tuple[int, int]:
    return (0, 1) if dtype == BOOL else integer_range(dtype)


def _check_bounds(first: int, last: int, dtype: DType, endpoint: bool) -> None:
    smallest, largest = _range(dtype)
    if first < smallest:
        raise ValueError(f"random.integers: low = {first} is out of bounds for {dtype.name}")
    if last > largest:
        raise ValueError(f"random.integers: high = {last + (not endpoint)} is out of bounds for {dtype.name}")
    if first > last:
        relation = "low > high" if endpoint else "low >= high"
        raise ValueError(f"random.integers: {relation} ({first} and {last + (not endpoint)})")


def _objects(value: Any) -> np.ndarray:
    """Return host bounds as Python integers, which hold 2**64 as well."""
    found = np.asarray(value, dtype=object)
    for one in found.flat:
        integer("random.integers", "a bound", one)
    return found


def _between_host(bits: Philox, low: Any, high: Any, size: Size, dtype: DType, endpoint: bool) -> Array:
    first, last = np.broadcast_arrays(_objects(low), _objects(high) - (not endpoint))
    for one, other in zip(first.flat, last.flat, strict=True):
        _check_bounds(int(one), int(other), dtype, endpoint)
    count = last - first + 1
    words = 1 if max(map(int, count.flat), default=1) <= _ONE_WORD else 2
    shape = result_shape("integers", size, [first.shape])
    operands = [np.asarray(one % _WORD).astype(np.uint64) for one in (first, count)]
    return bits.draw(INTEGERS, operands, integer_blocks(shape, words), shape=shape, dtype=dtype, words=words)


def _between_arrays(bits: Philox, low: ArrayLike, high: ArrayLike, size: Size, dtype: DType, endpoint: bool) -> Array:
    bounds = [as_array(one if isinstance(one, LazyTensor) else host_array(one), bits.ground) for one in (low, high)]
    if any(one.dtype.kind not in "iu" for one in bounds):
        raise DTypeMismatchError("random.integers: bounds have to be integers")
    first, last = (astype(one, UINT64) for one in bounds)
    span = last - first
    if endpoint:
        span = span + 1
    words = 1 if dtype.itemsize <= 4 else 2
    shape = result_shape("integers", size, [first.shape, last.shape])
    return bits.draw(INTEGERS, (first, span), integer_blocks(shape, words), shape=shape, dtype=dtype, words=words)
