"""Integers: uniform over their range, every dtype and bound, and bounds that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import latebind as lb
from latebind.errors import DTypeMismatchError
from latebind.random import Philox, default_rng

DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


@pytest.mark.parametrize(("low", "high"), [(0, 10), (-7, 0), (0, 2), (5, 6), (0, 2**40), (-(2**62), 2**62)])
def test_integers_are_uniform(low: int, high: int) -> None:
    """Chi-square over at most ten equal cells: fails for a right generator with probability 1e-3 per seed."""
    drawn = np.asarray(default_rng(31).integers(low, high, 20_000))
    assert low <= drawn.min() and drawn.max() < high
    cells = min(high - low, 10)
    counted = np.bincount([(int(one) - low) * cells // (high - low) for one in drawn], minlength=cells)
    lengths = np.diff([-(-(high - low) * cell // cells) for cell in range(cells + 1)]).astype(float)
    assert cells == 1 or stats.chisquare(counted, lengths / lengths.sum() * 20_000).pvalue > 1e-3


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_whole_range_of_a_dtype(dtype: str) -> None:
    info = np.iinfo(dtype)
    drawn = np.asarray(default_rng(32).integers(info.min, info.max, 4000, dtype, endpoint=True))
    again = np.asarray(default_rng(32).integers(info.min, int(info.max) + 1, 4000, dtype))
    assert drawn.dtype == dtype
    np.testing.assert_array_equal(drawn, again)
    assert stats.kstest((drawn.astype(float) - info.min) / 2.0**info.bits, "uniform").pvalue > 1e-3


def test_integers_are_the_scaled_words() -> None:
    words = np.random.Philox(5).random_raw(8).astype(object)
    expected = [int(word) * 11 >> 64 for word in words]
    np.testing.assert_array_equal(default_rng(5).integers(11, size=8), expected)
    pairs = [int(high) << 64 | int(low) for low, high in words.reshape(-1, 2)]
    np.testing.assert_array_equal(default_rng(5).integers(3 * 2**61, size=4), [p * 3 * 2**61 >> 128 for p in pairs])


def test_booleans() -> None:
    drawn = np.asarray(default_rng(1).integers(0, 2, 1000, bool))
    assert drawn.dtype == np.bool_ and 400 < drawn.sum() < 600


@pytest.mark.parametrize("of", [np.asarray, lb.asarray])
def test_bounds_may_be_arrays(of: Any) -> None:
    low, high = of([-5, 0, 2**40]), of([[1], [2**40 + 2]])
    drawn = np.asarray(default_rng(1).integers([-5, 0, 2], of([[3], [9]]), (400, 2, 3)))
    assert (drawn >= [-5, 0, 2]).all() and (drawn < [[3], [9]]).all()
    assert drawn.min() == -5 and drawn.max() == 8 and (drawn[:, 0, 2] == 2).all()
    assert np.asarray(default_rng(1).integers(low[:2], high)).shape == (2, 2)
    narrow = np.asarray(default_rng(1).integers(of([0, 3]), 4, (300, 2), np.int16, endpoint=True))
    assert set(narrow[:, 0].tolist()) == set(range(5)) and set(narrow[:, 1].tolist()) == {3, 4}


def test_bounds_beyond_int64() -> None:
    drawn = np.asarray(default_rng(1).integers([0, 2**63], [2**64, 2**63 + 3], (200, 2), np.uint64))
    assert drawn[:, 0].max() > 2**63 and set(drawn[:, 1].tolist()) == {2**63, 2**63 + 1, 2**63 + 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 5), "low >= high"),
        ((0,), "low >= high"),
        ((6, 5, None, np.int64, True), "low > high"),
        ((-1, 5, None, np.uint8), "low = -1 is out of bounds for uint8"),
        ((0, 257, None, np.uint8), "high = 257 is out of bounds for uint8"),
        ((0, 3, None, bool), "out of bounds for bool"),
        (([0, 5], [3, 4]), "low >= high"),
        (([0, -1], 4, None, np.uint32), "low = -1 is out of bounds"),
    ],
)
def test_bounds_that_do_not_fit_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        default_rng(1).integers(*arguments)


def test_what_is_no_integer_is_refused() -> None:
    rng = default_rng(1)
    for arguments in ((0.5, 3), (0, [1.5, 2]), (0, lb.asarray(3.0))):
        with pytest.raises(DTypeMismatchError):
            rng.integers(*arguments)
    with pytest.raises(DTypeMismatchError, match="not float64"):
        rng.integers(3, dtype=float)


def test_bytes_are_those_of_the_words() -> None:
    assert default_rng(5).bytes(21) == np.random.Philox(5).random_raw(3).astype("<u8").tobytes()[:21]
    assert default_rng(5).bytes(0) == b""
    with pytest.raises(ValueError, match="negative"):
        default_rng(5).bytes(-1)


def test_keys_and_counters_out_of_range_are_refused() -> None:
    for arguments in ({"key": 2**128}, {"key": -1}, {"key": [1, 2, 3]}, {"counter": [0.5] * 4}, {"seed": 1, "key": 2}):
        with pytest.raises(ValueError):
            Philox(**arguments)
