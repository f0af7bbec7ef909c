"""Sets, memberships and questions about dtypes give NumPy's answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.property.comparison import assert_same
from tests.property.strategies import ALL, arrays, broadcastable

import latebind as lb

KINDS = ["bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric"]


@given(x=arrays())
def test_unique(x: np.ndarray) -> None:
    lazy = lb.asarray(x)
    # The standard has each NaN be a value of its own, as NumPy's functions of the same names.
    ours, theirs = lb.unique_all(lazy), np.unique_all(x)
    assert_same(ours.values, theirs.values, signed_zeros=False)
    # Equal elements (zeros of either sign) may be represented by any of them.
    assert_same(lb.astype(ours.counts, np.int64), theirs.counts.astype(np.int64))
    assert_same(ours.inverse_indices, theirs.inverse_indices)
    assert_same(lb.unique_values(lazy), ours.values, signed_zeros=False)
    assert_same(lb.unique_counts(lazy).counts, ours.counts)
    assert_same(lb.unique_inverse(lazy).inverse_indices, ours.inverse_indices)


@given(pair=broadcastable(2), invert=st.booleans())
def test_isin(pair: list[np.ndarray], invert: bool) -> None:
    x, among = pair
    assert_same(lb.isin(lb.asarray(x), lb.asarray(among), invert=invert), np.isin(x, among, invert=invert))


@given(x=arrays(), data=st.data())
def test_questions_about_dtypes(x: np.ndarray, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(ALL))
    kind: Any = data.draw(st.sampled_from(KINDS))
    assert lb.can_cast(lb.asarray(x), dtype) == np.can_cast(x.dtype, dtype)
    assert lb.isdtype(dtype, kind) == np.isdtype(dtype, kind)


@given(x=arrays())
def test_exchange_by_dlpack(x: np.ndarray) -> None:
    assert_same(lb.from_dlpack(x), x)
    lazy = lb.asarray(x)
    assert_same(np.from_dlpack(lazy), x)
