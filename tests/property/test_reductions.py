"""Reductions over any axes give NumPy's results.

Integers, booleans, extrema and positions are exact. Sums of floats may be added up in another order than NumPy's, so
each may be off by a few units in the last place of the largest partial result; float16 is accumulated in float32, which
NumPy does for some layouts only.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.property.comparison import assert_same, assert_same_outcome
from tests.property.strategies import ALL, INEXACT, NUMERIC, REAL, arrays, axes, axis_sets, examples

import latebind as lb

#: At most 64 elements of magnitude 2 are added, and at most 64 roundings happen.
SUM_ULPS = 64
#: Products and squares round more often.
PRODUCT_ULPS = 256


def _numpy(name: str) -> Any:
    return getattr(np, name)


@pytest.mark.parametrize("name", ["sum", "prod"])
@given(x=arrays(tame=True), data=st.data(), keepdims=st.booleans())
def test_totals(name: str, x: np.ndarray, data: st.DataObject, keepdims: bool) -> None:
    axis = data.draw(axis_sets(x.ndim))
    expected = _numpy(name)(x, axis=axis, keepdims=keepdims)
    assert_same(getattr(lb, name)(lb.asarray(x), axis=axis, keepdims=keepdims), expected, ulps=PRODUCT_ULPS)


@pytest.mark.parametrize("name", ["sum", "prod"])
@examples(0.5)
@given(x=arrays(tame=True), data=st.data())
def test_totals_in_another_dtype(name: str, x: np.ndarray, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(ALL))
    assume(x.dtype.kind != "c" or dtype.kind == "c")
    assume(dtype.kind not in "u" or x.dtype.kind in "ub")  # negative floats to unsigned are undefined in C
    with np.errstate(all="ignore"):
        expected = _numpy(name)(x, dtype=dtype)
    assert_same(getattr(lb, name)(lb.asarray(x), dtype=dtype), expected, ulps=PRODUCT_ULPS)


@pytest.mark.parametrize("name", ["max", "min"])
@given(x=arrays(), data=st.data(), keepdims=st.booleans())
def test_extrema(name: str, x: np.ndarray, data: st.DataObject, keepdims: bool) -> None:
    assume(x.dtype.kind != "c" or not np.isnan(x).any())  # which part of a complex NaN survives depends on the order
    axis = data.draw(axis_sets(x.ndim))
    # max(0.0, -0.0) may be either
    x = x + x.dtype.type(0) if x.dtype.kind in "fc" else x
    assert_same_outcome(
        lambda: getattr(lb, name)(lb.asarray(x), axis=axis, keepdims=keepdims),
        lambda: _numpy(name)(x, axis=axis, keepdims=keepdims),
        about=name,
    )


@pytest.mark.parametrize("name", ["all", "any", "count_nonzero"])
@given(x=arrays(), data=st.data(), keepdims=st.booleans())
def test_conditions(name: str, x: np.ndarray, data: st.DataObject, keepdims: bool) -> None:
    axis = data.draw(axis_sets(x.ndim))
    expected = np.asarray(_numpy(name)(x, axis=axis, keepdims=keepdims))
    if name == "count_nonzero":
        expected = expected.astype(np.int64)
    assert_same(getattr(lb, name)(lb.asarray(x), axis=axis, keepdims=keepdims), expected)


@given(x=arrays(tame=True), data=st.data(), keepdims=st.booleans())
def test_mean(x: np.ndarray, data: st.DataObject, keepdims: bool) -> None:
    axis = data.draw(axis_sets(x.ndim))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of empty slices
        expected = np.mean(x, axis=axis, keepdims=keepdims)
    assert_same(lb.mean(lb.asarray(x), axis=axis, keepdims=keepdims), expected, ulps=SUM_ULPS)


@pytest.mark.parametrize("name", ["var", "std"])
@given(x=arrays(tame=True), data=st.data(), correction=st.sampled_from([0, 1, 0.5, 100]), keepdims=st.booleans())
def test_variance(name: str, x: np.ndarray, data: st.DataObject, correction: float, keepdims: bool) -> None:
    axis = data.draw(axis_sets(x.ndim))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of empty slices
        expected = _numpy(name)(x, axis=axis, ddof=correction, keepdims=keepdims)
    found = getattr(lb, name)(lb.asarray(x), axis=axis, correction=correction, keepdims=keepdims)
    assert_same(found, expected, ulps=PRODUCT_ULPS)


@given(x=arrays(INEXACT, shape=(3, 4)), data=st.data())
def test_nan_and_infinity_propagate(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from([None, 0, 1]))
    with np.errstate(all="ignore"):
        expected = np.isfinite(np.sum(x.astype(np.complex128), axis=axis))
        found = np.isfinite(np.asarray(lb.sum(lb.asarray(x.astype(np.complex128)), axis=axis)))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@given(x=arrays(), data=st.data(), keepdims=st.booleans())
def test_positions_of_extrema(name: str, x: np.ndarray, data: st.DataObject, keepdims: bool) -> None:
    axis = data.draw(st.one_of(st.none(), axes(x.ndim)) if x.ndim else st.none())
    assert_same_outcome(
        lambda: getattr(lb, name)(lb.asarray(x), axis=axis, keepdims=keepdims),
        lambda: _numpy(name)(x, axis=axis, keepdims=keepdims),
        about=name,
    )


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
@given(x=arrays(tame=True), data=st.data(), include_initial=st.booleans())
def test_running_totals(name: str, x: np.ndarray, data: st.DataObject, include_initial: bool) -> None:
    axis = data.draw(st.one_of(st.none(), axes(x.ndim)) if x.ndim else st.none())
    assert_same_outcome(
        lambda: getattr(lb, name)(lb.asarray(x), axis=axis, include_initial=include_initial),
        lambda: _numpy(name)(x, axis=axis, include_initial=include_initial),
        ulps=PRODUCT_ULPS,
        about=name,
    )


@given(x=arrays([*REAL, ALL[0]], tame=True), data=st.data(), n=st.integers(0, 5))
def test_diff(x: np.ndarray, data: st.DataObject, n: int) -> None:
    assume(x.ndim > 0)
    axis = data.draw(axes(x.ndim))
    assert_same(lb.diff(lb.asarray(x), axis=axis, n=n), np.diff(x, axis=axis, n=n), ulps=SUM_ULPS)


@given(x=arrays(NUMERIC, shape=st.sampled_from([(2, 3), (3, 1)]), tame=True), data=st.data())
def test_diff_with_what_is_joined_first(x: np.ndarray, data: st.DataObject) -> None:
    sides = {side: x[:1] for side in ("prepend", "append") if data.draw(st.booleans())}
    expected = np.diff(x, axis=0, **sides)
    lazy = {side: lb.asarray(value) for side, value in sides.items()}
    assert_same(lb.diff(lb.asarray(x), axis=0, **lazy), expected, ulps=SUM_ULPS)
