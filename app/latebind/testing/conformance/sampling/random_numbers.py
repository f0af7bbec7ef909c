"""Samples of random numbers: the stream of Philox-4x64-10 is the same to the last bit on every backend."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latebind.ir.ops.random_numbers import INT64, UINT64, WORD_OF
from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import Array, Sample, sample, samples_of

#: Key and counter: at the start, and where the counter carries into its last word within the draw.
_STATES = {
    "start": (0, 0, 0, 0, 0, 0),
    "carry": (0x452821E638D01377, 0xBE5466CF34E90C6C, 2**64 - 3, 2**64 - 1, 2**64 - 1, 7),
}
_SHAPES = ((3, 5), (), (0, 2), (1000,))


def _states(dtype: DType) -> Iterator[tuple[str, Array]]:
    """States; of another dtype than uint64, which the type rules refuse, one sample says so."""
    for label, words in _STATES.items():
        yield label, np.array(words, UINT64) if dtype == UINT64 else np.zeros(len(words), dtype)


def _draws(dtype: DType, *results: DType) -> Iterator[Sample]:
    for label, state in _states(dtype):
        for result in results:
            for shape in _SHAPES:
                name = f"{label}-{result.name}-{'x'.join(map(str, shape))}"
                yield sample(name, state, shape=shape, dtype=result)


@samples_of("random::bits")
def bits(kind: str, dtype: DType) -> Iterator[Sample]:
    """Words of both widths."""
    return _draws(dtype, *(word for word, _ in WORD_OF.values()))


@samples_of("random::uniform", "random::normal")
def floats(kind: str, dtype: DType) -> Iterator[Sample]:
    """Both float dtypes."""
    return _draws(dtype, *WORD_OF)


@samples_of("random::integers")
def integers(kind: str, dtype: DType) -> Iterator[Sample]:
    """Counts from 1 to 2**32, first values on both sides of zero, narrow and wide results."""
    for label, state in _states(dtype):
        for result, low, count in ((INT64, -5, 11), (np.dtype(np.int8), -128, 256), (UINT64, 2**63, 2**32)):
            bounds = (np.array(low % 2**64, UINT64), np.array(count, UINT64))
            yield sample(f"{label}-{result.name}", state, *bounds, shape=(7, 3), dtype=result)
        one = (np.array(4, UINT64), np.array(1, UINT64))
        yield sample(f"{label}-one", state, *one, shape=(5,), dtype=INT64)
        coin = (np.array(0, UINT64), np.array(2, UINT64))
        yield sample(f"{label}-bool", state, *coin, shape=(50,), dtype=np.dtype(np.bool_))


#: Parameters below and above where proposals begin, edges, and pairs of both.
_VARIATES: tuple[tuple[str, tuple[tuple[float, ...], ...]], ...] = (
    ("gamma", ((0.0, 1e-3, 0.7, 1.0, 2.5, 30.0, 1e9),)),
    ("gamma_boost", ((1e-3, 0.7, 1.0, 5.0),)),
    ("poisson", ((0.0, 0.3, 9.0, 10.0, 77.0, 1e6, 1e12),)),
    ("binomial", ((0.0, 7.0, 50.0, 51.0, 1e4, 1e9), (0.3, 1.0, 0.9, 0.5, 0.001, 0.2))),
    ("hypergeometric", ((0.0, 5.0, 60.0, 500.0, 1e6), (3.0, 9.0, 60.0, 900.0, 1e3), (2.0, 7.0, 60.0, 1200.0, 5e5))),
    ("vonmises", ((0.0, 1e-6, 0.5, 4.0, 1e9),)),
    ("zipf", ((1.5, 2.0, 4.0, 50.0),)),
    ("logseries", ((0.0, 0.01, 0.5, 0.99),)),
)


@samples_of("random::variate")
def variates(kind: str, dtype: DType) -> Iterator[Sample]:
    """A carry and no elements, then every sampler, with blocks in groups that leave some out."""
    start, carry = (state for _, state in _states(dtype))
    for label, state, shape in (("carry", carry, (3, 5)), ("empty", start, (0, 3))):
        yield sample(label, state, np.full(shape, 1.5), sampler="gamma", group=1, period=1, start=0)
    for sampler, columns in _VARIATES:
        parameters = [np.tile(np.array(one), (6, 1)) for one in columns]
        yield sample(sampler, start, *parameters, sampler=sampler, group=2, period=5, start=3)


@samples_of("random::advance")
def advance(kind: str, dtype: DType) -> Iterator[Sample]:
    """Steps of one block, and of more than a word counts."""
    for label, state in _states(dtype):
        for blocks in (0, 1, 3, 2**64 - 1, 2**64, 2**200 + 5):
            yield sample(f"{label}-{blocks:x}", state, blocks=blocks)


@samples_of("random::order")
def order(kind: str, dtype: DType) -> Iterator[Sample]:
    """Words of both halves of their range, and keys that are equal; one dimension and two."""
    words = np.arange(1, 601, dtype=UINT64) * np.uint64(0x9E3779B97F4A7C15)
    if dtype != UINT64:
        words = np.zeros(600, dtype)
    yield sample("words", words, dimension=0)
    yield sample("equal", np.array(np.arange(600) % 2, dtype), dimension=0)
    for dimension in (0, 1):
        yield sample(f"dimension-{dimension}", words.reshape(20, 30), dimension=dimension)
    yield sample("empty", words[:0], dimension=0)
