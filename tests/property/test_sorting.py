"""Sorting and searching in what is sorted give NumPy's results exactly; stable, also in descending order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.property.comparison import assert_same
from tests.property.strategies import ALL, REAL, arrays, axes, nonempty_shapes

import latebind as lb

EVERY = st.one_of(st.just(nonempty_shapes), st.just(st.sampled_from([(0,), (2, 0), (0, 3)])))


@given(x=arrays(shape=EVERY.flatmap(lambda shapes: shapes)), data=st.data(), stable=st.booleans())
def test_sort(x: np.ndarray, data: st.DataObject, stable: bool) -> None:
    axis = data.draw(axes(x.ndim))
    x = x + x.dtype.type(0) if x.dtype.kind in "fc" else x  # zeros of either sign are equal
    assert_same(lb.sort(lb.asarray(x), axis=axis, stable=stable), np.sort(x, axis=axis, kind="stable"))


@given(x=arrays(shape=EVERY.flatmap(lambda shapes: shapes)), data=st.data())
def test_argsort_is_stable(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(axes(x.ndim))
    assert_same(lb.argsort(lb.asarray(x), axis=axis), np.argsort(x, axis=axis, kind="stable"))


@given(x=arrays([dtype for dtype in ALL if dtype.kind != "c"], shape=nonempty_shapes), data=st.data())
def test_descending_order_is_stable_and_has_nan_first(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(axes(x.ndim))
    # Stable in descending order: sort the reversed array in ascending order and read both backwards.
    backwards = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    expected = x.shape[axis] - 1 - backwards
    lazy = lb.asarray(x)
    assert_same(lb.argsort(lazy, axis=axis, descending=True), expected)
    assert_same(lb.sort(lazy, axis=axis, descending=True), np.take_along_axis(x, expected, axis))


@given(x=arrays(shape=nonempty_shapes), data=st.data())
def test_take_along_axis_with_argsort_sorts(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(axes(x.ndim))
    lazy = lb.asarray(x)
    order = lb.argsort(lazy, axis=axis)
    assert_same(lb.take_along_axis(lazy, order, axis=axis), np.take_along_axis(x, np.asarray(order), axis))


@pytest.mark.parametrize("side", ["left", "right"])
@given(x=arrays(REAL, shape=st.sampled_from([(0,), (1,), (2,), (5,), (8,), (13,)])), data=st.data())
def test_searchsorted(side: str, x: np.ndarray, data: st.DataObject) -> None:
    values = data.draw(arrays([x.dtype]))
    ascending = np.sort(x)
    expected = np.searchsorted(ascending, values, side=side)
    assert_same(lb.searchsorted(lb.asarray(ascending), lb.asarray(values), side=side), expected)
    order = np.argsort(x, kind="stable")
    found = lb.searchsorted(lb.asarray(x), lb.asarray(values), side=side, sorter=lb.asarray(order))
    assert_same(found, expected)


@given(x=arrays())
def test_nonzero(x: np.ndarray) -> None:
    assume(x.ndim > 0)
    found, expected = lb.nonzero(lb.asarray(x)), np.nonzero(x)
    assert len(found) == len(expected)
    for one, wanted in zip(found, expected, strict=True):
        assert_same(one, wanted)
