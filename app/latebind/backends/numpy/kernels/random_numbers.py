"""Random numbers through `numpy.random.Philox`, whose words are those of `random::bits`.

`numpy.random` is imported at the first draw: `import numpy` does not load it.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from latebind.ir.ops.normal_quantile import CENTRE, QUANTILES, Coefficients

if TYPE_CHECKING:
    from numpy.random import Generator, Philox

Array = npt.NDArray[Any]

#: Elements that are worked on at a time: a few arrays of them fit the cache next to the processor.
_CHUNK: Final = 16384
_COUNTER_WORDS: Final = 4
_local = threading.local()


def _engine(state: Array) -> tuple[Philox, Generator]:
    """Return this thread's generator, set to a state."""
    try:
        philox, generator = _local.engine
    except AttributeError:
        from numpy.random import Generator, Philox

        philox = Philox(0)
        generator = Generator(philox)
        _local.engine = philox, generator
    philox.state = {
        "bit_generator": "Philox",
        "state": {"counter": state[2:], "key": state[:2]},
        "buffer": np.zeros(_COUNTER_WORDS, np.uint64),
        "buffer_pos": _COUNTER_WORDS,
        "has_uint32": 0,
        "uinteger": 0,
    }
    return philox, generator


def philox_bits(state: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return the words that follow a state."""
    size = math.prod(shape)
    words: Array = _engine(state)[0].random_raw(-(-size * dtype.itemsize // 8))
    if dtype.itemsize == 8:
        return words.reshape(shape)
    # "<": the low half of a word comes first, whatever the machine's byte order.
    halves = words.astype("<u8", copy=False).view("<u4")[:size]
    return halves.astype(dtype, copy=False).reshape(shape)


def philox_uniform(state: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return numbers in [0, 1)."""
    result: Array = _engine(state)[1].random(shape, dtype)
    return result


def philox_advance(state: Array, blocks: int) -> Array:
    """Return the state after a number of blocks."""
    result = state.copy()
    for word in range(2, 2 + _COUNTER_WORDS):
        blocks += int(state[word])
        result[word] = blocks & 0xFFFFFFFFFFFFFFFF
        blocks >>= 64
        if not blocks:
            break
    return result


def philox_integers(state: Array, low: Any, count: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return `low + floor(word * count / 2**64)`, as `random::integers` does."""
    words = philox_bits(state, (math.prod(shape),), np.dtype(np.uint64))
    result = np.empty(words.shape, dtype)
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    for start in range(0, words.size, _CHUNK):
        part = words[start : start + _CHUNK]
        rest = part & mask
        rest *= count
        rest >>= half
        part >>= half
        part *= count
        part += rest
        part >>= half
        part += low
        result[start : start + _CHUNK] = part
    return result.reshape(shape)


def philox_normal(state: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return standard normal numbers: `random::normal` in the same steps, the tails apart."""
    word = np.dtype(f"i{dtype.itemsize}")
    words = philox_bits(state, (math.prod(shape),), np.dtype(f"u{dtype.itemsize}")).view(word)
    result = np.empty(words.shape, dtype)
    scratch = np.empty((3, min(_CHUNK, words.size)), dtype)
    for start in range(0, words.size, _CHUNK):
        part = words[start : start + _CHUNK]
        fill_quantiles(part, result[start : start + _CHUNK], scratch[:, : part.size])
    return result.reshape(shape)


def fill_quantiles(words: Array, result: Array, scratch: Array) -> None:
    """Write the quantiles of words, signed, of which those of the tails are changed; scratch has three rows."""
    dtype = result.dtype
    table = QUANTILES[dtype]
    y, square, total = scratch
    np.add(words, dtype.type(0.5), out=y, dtype=dtype, casting="unsafe")
    y *= dtype.type(2.0 ** (1 - 8 * dtype.itemsize))
    np.multiply(y, dtype.type(0.5), out=result)
    np.multiply(result, result, out=square)
    np.subtract(dtype.type(0.180625), square, out=square)
    result *= _polynomial(square, table.centre[0], total)
    result /= _polynomial(square, table.centre[1], total)
    tails = np.flatnonzero(np.absolute(y, out=square) > dtype.type(CENTRE))
    if tails.size:
        result[tails] = np.copysign(_tail_magnitudes(words[tails], dtype), y[tails])


def _tail_magnitudes(words: Array, dtype: np.dtype[Any]) -> Array:
    table = QUANTILES[dtype]
    width = 8 * dtype.itemsize
    words ^= words >> (width - 1)
    np.subtract(np.iinfo(words.dtype).max, words, out=words)
    p = words.astype(dtype)
    p += dtype.type(0.5)
    p *= dtype.type(2.0**-width)
    r = np.sqrt(-np.log(p))
    far = np.flatnonzero(r > 5)
    near = r - dtype.type(1.6)
    result: Array = _polynomial(near, table.near[0], p)
    result = result / _polynomial(near, table.near[1], np.empty_like(p))
    if far.size:
        beyond = r[far] - dtype.type(5)
        quotient = _polynomial(beyond, table.far[0], np.empty_like(beyond))
        result[far] = quotient / _polynomial(beyond, table.far[1], np.empty_like(beyond))
    return result


def _polynomial(x: Array, coefficients: Coefficients, out: Array) -> Array:
    """Evaluate a polynomial whose highest coefficient comes first."""
    first, second, *rest = map(x.dtype.type, coefficients)
    np.multiply(x, first, out=out)
    out += second
    for coefficient in rest:
        out *= x
        out += coefficient
    return out


def order_of_words(keys: Array, axis: int) -> Array:
    """Return the positions that sort words of 64 bits, stably.

    Of one dimension, the high bits of the words are sorted with the positions in place of the low bits, for which NumPy
    has vector code; the words whose high bits are equal, which are few where words are random, are sorted again.
    """
    size = keys.shape[axis]
    if keys.ndim > 1 or size < 2:
        return np.argsort(keys, axis=axis, kind="stable")
    low = np.uint64((1 << (size - 1).bit_length()) - 1)
    packed = keys & ~low
    packed |= np.arange(size, dtype=np.uint64)
    packed.sort()
    order = (packed & low).view(np.int64)
    packed |= low
    equal = packed[1:] == packed[:-1]
    if equal.any():
        tied = np.zeros(size, np.bool_)
        tied[1:] = equal
        tied[:-1] |= equal
        places = np.flatnonzero(tied)
        found = order[places]
        order[places] = found[np.lexsort((found, keys[found]))]
    return order
