"""The stream is fixed: published vectors, NumPy's generator, and all backends agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri
from tests.unit.ir.conftest import run_core

from latebind.backends.numpy.kernels import random_numbers as kernels
from latebind.errors import TypeInferenceError
from latebind.injection.container import BoundContainer
from latebind.ir.builder import IrBuilder
from latebind.ir.decompositions import decompose
from latebind.ir.expression import Expr
from latebind.ir.ops.normal_quantile import normal_quantile
from latebind.ir.types import TensorType
from latebind.random import Philox, default_rng

Array = np.ndarray[Any, Any]

#: `kat_vectors` of Random123 1.14, philox4x64 with 10 rounds: counter, key, block.
PUBLISHED = (
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    (
        (2**64 - 1,) * 4,
        (2**64 - 1,) * 2,
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
)
#: Draws whose bits no engine may change.
EXACT = {
    "words": lambda r: r.bit_generator.random_raw(1001),
    "float64": lambda r: r.random(1001),
    "float32": lambda r: r.random((7, 143), np.float32),
    "small integers": lambda r: r.integers(-3, 12, 1001),
    "large integers": lambda r: r.integers(0, 3 * 2**61, 1001),
    "all integers": lambda r: r.integers(-(2**63), 2**63 - 1, 1001, endpoint=True),
    "bytes of integers": lambda r: r.integers(0, 256, 1001, np.uint8),
    "words of 32 bits": lambda r: r.integers(0, 2**32, 1001, np.uint32),
    "integers between arrays": lambda r: r.integers([0, 5], [[10], [2**40]], (501, 2, 2)),
    "permutation": lambda r: r.permutation(1001),
    "permuted": lambda r: r.permuted(np.arange(60).reshape(4, 15), axis=1),
    "choice": lambda r: r.choice(7, 1001, p=[0.1, 0.2, 0.0, 0.3, 0.15, 0.05, 0.2]),
}
#: Units in the last place by which engines may differ: contracted multiply-adds in the quantile's polynomials, and the
#: logarithm and square root of the tails.
NORMAL_ULPS = 12


def _previous(counter: tuple[int, ...]) -> int:
    """The counter one step before, because a generator steps before its first block, as NumPy's does."""
    return (sum(word << 64 * place for place, word in enumerate(counter)) - 1) % 2**256


@pytest.mark.parametrize(("counter", "key", "block"), PUBLISHED)
@pytest.mark.parametrize("backend", ["container", "xla", "torch"])
def test_the_published_vectors(
    request: pytest.FixtureRequest, backend: str, counter: tuple[int, ...], key: tuple[int, ...], block: tuple[int, ...]
) -> None:
    with request.getfixturevalue(backend):
        bits = Philox(key=np.array(key, np.uint64), counter=_previous(counter))
        assert tuple(map(int, bits.random_raw(4))) == block


@pytest.mark.parametrize("seed", [0, 12345678901234567890123, [1, 2, 3], np.random.SeedSequence(5)])
def test_the_words_are_those_of_numpys_philox(seed: Any) -> None:
    ours = Philox(seed)
    theirs = np.random.Philox(seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed))
    for size in (4, 12, 400):
        np.testing.assert_array_equal(ours.random_raw(size), theirs.random_raw(size))


def test_numbers_from_0_to_1_are_those_of_numpys_generator() -> None:
    ours, theirs = default_rng(3), np.random.Generator(np.random.Philox(3))
    np.testing.assert_array_equal(ours.random((5, 8)), theirs.random((5, 8)))
    np.testing.assert_array_equal(ours.random(16, np.float32), theirs.random(16, np.float32))


def test_the_counter_carries_into_its_last_word() -> None:
    start = 2**256 - 2
    ours, theirs = Philox(key=9, counter=start), np.random.Philox(key=9, counter=start)
    for size in (4, 8, 4):
        np.testing.assert_array_equal(ours.random_raw(size), theirs.random_raw(size))


@pytest.mark.parametrize("backend", ["xla", "torch"])
@pytest.mark.parametrize("name", EXACT)
def test_backends_give_the_same_bits(
    container: BoundContainer, request: pytest.FixtureRequest, name: str, backend: str
) -> None:
    found = []
    for one in (container, request.getfixturevalue(backend)):
        with one:
            rng = default_rng(17)
            found.append((np.asarray(EXACT[name](rng)), rng.bit_generator.state["state"]["counter"]))
    assert found[0][0].dtype == found[1][0].dtype
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("backend", ["xla", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_numbers_of_backends_agree_to_a_few_ulp(
    container: BoundContainer, request: pytest.FixtureRequest, dtype: str, backend: str
) -> None:
    found = []
    for one in (container, request.getfixturevalue(backend)):
        with one:
            found.append(np.asarray(default_rng(17).standard_normal(20_000, dtype)))
    np.testing.assert_array_max_ulp(found[0], found[1], NORMAL_ULPS, dtype)


def test_a_shape_does_not_change_the_order_of_the_numbers() -> None:
    for draw in ("random", "standard_normal"):
        flat = np.asarray(getattr(default_rng(1), draw)(60))
        np.testing.assert_array_equal(getattr(default_rng(1), draw)((3, 4, 5)), flat.reshape(3, 4, 5))
        np.testing.assert_array_equal(getattr(default_rng(1), draw)(7), flat[:7])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_quantile_kernel_gives_the_bits_of_the_formula(dtype: str) -> None:
    words = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, 5000)
    words = words.view({"float32": np.int32, "float64": np.int64}[dtype])
    b = IrBuilder()
    leaf = b.make_parameter(TensorType.of(words.shape, words.dtype))
    formula = normal_quantile(Expr(b, leaf.value()), np.dtype(dtype)).value
    result = np.empty(words.shape, dtype)
    kernels.fill_quantiles(words, result, np.empty((3, words.size), dtype))
    np.testing.assert_array_equal(result, run_core([formula], {leaf: words})[0])


@pytest.mark.parametrize("blocks", [0, 1, 2**64 - 1, 2**64, 2**200 + 5, 2**256 - 1])
def test_advancing_carries_as_the_decomposition_does(blocks: int) -> None:
    state = np.array([1, 2, 2**64 - 3, 2**64 - 1, 5, 6], np.uint64)
    b = IrBuilder()
    leaf = b.make_parameter(TensorType.of(state.shape, state.dtype))
    core = decompose([b.op("random::advance", leaf.value(), blocks=blocks)], lambda node: False, b)
    np.testing.assert_array_equal(kernels.philox_advance(state, blocks), run_core(core, {leaf: state})[0])


@pytest.mark.parametrize("distinct", [2, 17, 2**20, 2**64])
def test_orders_are_those_of_a_stable_sort_also_of_equal_keys(distinct: int) -> None:
    keys = np.random.default_rng(1).integers(0, distinct - 1, 3000, np.uint64, endpoint=True)
    for some in (keys, keys[:1], keys[:2], keys << np.uint64(11)):
        np.testing.assert_array_equal(kernels.order_of_words(some, 0), np.argsort(some, kind="stable"))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float64", 2e-15)])
def test_the_normal_quantile_is_accurate_into_the_tails(dtype: str, tolerance: float) -> None:
    """Relative to SciPy's `ndtri`; AS 241 states 1e-7 (PPND7) and 1e-16 (PPND16), to which rounding adds."""
    width = 8 * np.dtype(dtype).itemsize
    word = np.dtype(f"i{width // 8}")
    low = np.iinfo(word).min
    steps = [0, 1, 2, 1000, *(2**power for power in range(11, width - 1)), 3 * 2 ** (width - 3)]
    words = np.array([low + step for step in steps], word)
    result = np.empty(words.shape, dtype)
    kernels.fill_quantiles(words.copy(), result, np.empty((3, words.size), dtype))
    expected = ndtri((np.array(steps, np.longdouble) + 0.5).astype(np.float64) * 2.0**-width)
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance * 2**-8)
    mirrored = np.empty(words.shape, dtype)
    kernels.fill_quantiles(~words, mirrored, np.empty((3, words.size), dtype))
    np.testing.assert_array_equal(mirrored, -result)


@pytest.mark.parametrize(
    ("operation", "operands", "attributes", "message"),
    [
        ("bits", [((5,), "uint64")], {"shape": (2,), "dtype": np.dtype("u4")}, "six words of uint64"),
        ("bits", [((6,), "uint64")], {"shape": (2,), "dtype": np.dtype("i4")}, "dtype must be uint32 or uint64"),
        ("uniform", [((6,), "uint64")], {"shape": (-2,), "dtype": np.dtype("f4")}, "must not be negative"),
        ("normal", [((6,), "int64")], {"shape": (2,), "dtype": np.dtype("f4")}, "six words of uint64"),
        ("advance", [((6,), "uint64")], {"blocks": -1}, "blocks must not be negative"),
        ("order", [((6,), "int64")], {"dimension": 0}, "keys must be uint64"),
        (
            "integers",
            [((6,), "uint64"), ((), "int64"), ((), "uint64")],
            {"shape": (2,), "dtype": np.dtype("i4")},
            "low must be a zero-dimensional uint64",
        ),
    ],
)
def test_the_operations_state_what_they_take(
    operation: str, operands: list[tuple[tuple[int, ...], str]], attributes: dict[str, Any], message: str
) -> None:
    b = IrBuilder()
    values = [b.make_parameter(TensorType.of(shape, np.dtype(dtype))).value() for shape, dtype in operands]
    with pytest.raises(TypeInferenceError, match=message):
        b.op(f"random::{operation}", *values, **attributes)
