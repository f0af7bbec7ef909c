"""`choice`, `permutation`, `permuted`, `shuffle`."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy import stats

import latebind as lb
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.random import default_rng

P = [0.1, 0.0, 0.4, 0.3, 0.2]


@pytest.mark.parametrize("length", [0, 1, 2, 1000])
def test_a_permutation_has_every_element_once(length: int) -> None:
    np.testing.assert_array_equal(np.sort(default_rng(1).permutation(length)), np.arange(length))


def test_all_orders_are_equally_likely() -> None:
    """Chi-square over the 24 orders of four; fails for a right generator with probability 1e-3 per seed."""
    lines = np.asarray(default_rng(41).permuted(np.tile(np.arange(4), (6000, 1)), axis=1))
    orders = {order: place for place, order in enumerate(permutations(range(4)))}
    counted = np.bincount([orders[tuple(line)] for line in lines.tolist()], minlength=24)
    assert stats.chisquare(counted).pvalue > 1e-3


def test_permutation_moves_whole_slices_and_leaves_the_array() -> None:
    x = lb.arange(24).reshape(2, 3, 4)
    before = np.array(x)
    moved = np.asarray(default_rng(3).permutation(x, axis=2))
    order = [before[0, 0].tolist().index(one) for one in moved[0, 0]]
    np.testing.assert_array_equal(moved, before[:, :, order])
    np.testing.assert_array_equal(x, before)


def test_permuted_keeps_lines_apart_or_mixes_everything() -> None:
    x = np.arange(300).reshape(3, 100)
    lines = np.asarray(default_rng(3).permuted(x, axis=1))
    np.testing.assert_array_equal(np.sort(lines, axis=1), x)
    assert (lines[0] != lines[1] - 100).any()
    mixed = np.asarray(default_rng(3).permuted(x))
    assert mixed.shape == x.shape and (np.sort(mixed, axis=None) == np.arange(300)).all()
    assert (mixed // 100 != x // 100).any()
    out = lb.asarray(x)
    assert default_rng(3).permuted(out, axis=1, out=out) is out
    np.testing.assert_array_equal(out, lines)


def test_shuffle_works_in_place_through_views() -> None:
    x = lb.arange(20).reshape(4, 5)
    view = x[:, 1:3]
    assert default_rng(3).shuffle(view) is None
    found = np.asarray(x)
    np.testing.assert_array_equal(found[:, [0, 3, 4]], np.arange(20).reshape(4, 5)[:, [0, 3, 4]])
    order = (found[:, 1] - 1) // 5
    assert sorted(order.tolist()) == [0, 1, 2, 3]
    np.testing.assert_array_equal(found[:, 2], order * 5 + 2)
    host = np.arange(10)
    default_rng(3).shuffle(host)
    np.testing.assert_array_equal(host, default_rng(3).permutation(10))
    with pytest.raises(DTypeMismatchError, match="list"):
        default_rng(3).shuffle([1, 2, 3])  # type: ignore[arg-type]


@pytest.mark.parametrize("of", [np.asarray, lb.asarray])
def test_choice_follows_the_probabilities(of: Any) -> None:
    drawn = np.asarray(default_rng(42).choice(5, 20_000, p=of(P)))
    counted = np.bincount(drawn, minlength=5)
    assert counted[1] == 0
    kept = [0, 2, 3, 4]
    assert stats.chisquare(counted[kept], np.array(P)[kept] * 20_000).pvalue > 1e-3


def test_choice_without_probabilities_is_uniform() -> None:
    counted = np.bincount(np.asarray(default_rng(43).choice(7, (100, 200))).ravel(), minlength=7)
    assert stats.chisquare(counted).pvalue > 1e-3


def test_choice_without_replacement_draws_each_once() -> None:
    assert len(set(np.asarray(default_rng(1).choice(1000, 900, replace=False)).tolist())) == 900
    drawn = np.asarray(default_rng(1).choice(5, 4, replace=False, p=P))
    assert sorted(drawn.tolist()) == [0, 2, 3, 4]


def test_choice_without_replacement_draws_one_after_the_other_by_weight() -> None:
    """The first of a draw follows `p`, and the second `p` of what is left: chi-square over ordered pairs."""
    p = np.array([0.5, 0.3, 0.2])
    rng = default_rng(44)
    pairs = [tuple(np.asarray(rng.choice(3, 2, replace=False, p=p)).tolist()) for _ in range(3000)]
    expected = {(i, j): p[i] * p[j] / (1 - p[i]) for i in range(3) for j in range(3) if i != j}
    counted = [pairs.count(pair) for pair in expected]
    assert stats.chisquare(counted, np.array(list(expected.values())) * 3000).pvalue > 1e-3


def test_choice_takes_slices_of_an_axis() -> None:
    x = np.arange(12).reshape(3, 4)
    drawn = np.asarray(default_rng(1).choice(lb.asarray(x), (2, 5), axis=1))
    assert drawn.shape == (3, 2, 5)
    np.testing.assert_array_equal(drawn, x[:, drawn[0]])
    assert default_rng(1).choice([1.5, 2.5]).dtype == np.float64
    assert default_rng(1).choice([], 0).shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 3), {}, "must not be empty"),
        (([], 3), {}, "must not be empty"),
        ((-1,), {}, "must not be negative"),
        ((3, 4), {"replace": False}, "cannot draw 4 of 3"),
        ((3,), {"p": [0.5, 0.5]}, "3 probabilities"),
        ((2,), {"p": [[0.5, 0.5]]}, "one dimension"),
        ((2,), {"p": [0.5, 0.6]}, "do not sum to 1"),
        ((2,), {"p": [1.5, -0.5]}, "must not be negative"),
        ((2,), {"p": [np.nan, 1]}, "finite"),
        ((3, 2), {"p": [1, 0, 0], "replace": False}, "fewer than 2 probabilities"),
    ],
)
def test_choices_that_cannot_be_made(arguments: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        default_rng(1).choice(*arguments, **options)


def test_axes_out_of_range_are_refused() -> None:
    rng = default_rng(1)
    for call in (lambda: rng.permutation(lb.zeros(3), axis=1), lambda: rng.permuted(lb.zeros(3), axis=1)):
        with pytest.raises(ShapeMismatchError, match="out of range"):
            call()
    with pytest.raises(DTypeMismatchError, match="at least one dimension"):
        rng.choice(lb.asarray(3.0))
