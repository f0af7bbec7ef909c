"""Creation functions give NumPy's arrays, bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.property.comparison import assert_same
from tests.property.strategies import ALL, FLOATS, INTEGERS, SPECIAL, arrays, shapes

import latebind as lb

bounds = st.one_of(st.integers(-20, 20), st.floats(-10, 10).map(lambda value: round(value, 3) + 0.0))
steps = st.one_of(st.integers(-3, 3), st.sampled_from([0.1, 0.25, -0.3, 1.7])).filter(bool)


@given(start=bounds, stop=st.one_of(st.none(), bounds), step=steps)
def test_arange(start: float, stop: float | None, step: float) -> None:
    expected = np.arange(start, stop, step) if stop is not None else np.arange(0, start, step)
    assert_same(lb.arange(start, stop, step), expected)


@given(start=st.integers(-20, 20), stop=st.integers(-20, 20), step=steps, dtype=st.sampled_from(FLOATS))
def test_arange_of_a_floating_dtype(start: int, stop: int, step: float, dtype: np.dtype[Any]) -> None:
    assert_same(lb.arange(start, stop, step, dtype=dtype), np.arange(start, stop, step, dtype=dtype))


@given(start=st.integers(0, 20), length=st.integers(0, 10), step=st.integers(1, 9), dtype=st.sampled_from(INTEGERS))
def test_arange_of_an_integer_dtype(start: int, length: int, step: int, dtype: np.dtype[Any]) -> None:
    stop = start + length * step
    assume(stop <= np.iinfo(dtype).max)
    assert_same(lb.arange(start, stop, step, dtype=dtype), np.arange(start, stop, step, dtype=dtype))


complexes = st.builds(complex, st.integers(-3, 3), st.integers(-3, 3))


@given(
    start=st.one_of(bounds, complexes),
    stop=st.one_of(bounds, complexes),
    num=st.integers(0, 9),
    endpoint=st.booleans(),
    data=st.data(),
)
def test_linspace(start: complex, stop: complex, num: int, endpoint: bool, data: st.DataObject) -> None:
    dtypes = [None, *ALL[10:]] if isinstance(start, complex) or isinstance(stop, complex) else [None, *FLOATS, ALL[4]]
    dtype = data.draw(
        st.sampled_from(
            [one for one in dtypes if one is None or isinstance(start + stop, float | int) or one.kind == "c"]
        )
    )
    expected = np.linspace(start, stop, num, endpoint=endpoint, dtype=dtype)
    assert_same(lb.linspace(start, stop, num, endpoint=endpoint, dtype=dtype), expected)


@given(rows=st.integers(0, 4), columns=st.one_of(st.none(), st.integers(0, 4)), k=st.integers(-5, 5), data=st.data())
def test_eye(rows: int, columns: int | None, k: int, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(ALL))
    assert_same(lb.eye(rows, columns, k=k, dtype=dtype), np.eye(rows, columns, k=k, dtype=dtype))


@given(shape=shapes, data=st.data())
def test_full(shape: tuple[int, ...], data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(ALL))
    value = data.draw(st.sampled_from(SPECIAL[dtype]))
    assert_same(lb.full(shape, value, dtype=dtype), np.full(shape, value, dtype=dtype))
    assert_same(lb.zeros(shape, dtype=dtype), np.zeros(shape, dtype=dtype))
    assert_same(lb.ones(shape, dtype=dtype), np.ones(shape, dtype=dtype))


@given(x=arrays(), data=st.data())
def test_like(x: np.ndarray, data: st.DataObject) -> None:
    dtype = data.draw(st.one_of(st.none(), st.sampled_from(ALL)))
    lazy = lb.asarray(x)
    assert_same(lb.zeros_like(lazy, dtype=dtype), np.zeros_like(x, dtype=dtype))
    assert_same(lb.ones_like(lazy, dtype=dtype), np.ones_like(x, dtype=dtype))
    assert_same(lb.full_like(lazy, 1, dtype=dtype), np.full_like(x, 1, dtype=dtype))
    assert lb.empty_like(lazy, dtype=dtype).dtype == (dtype or x.dtype)


@given(x=arrays())
def test_asarray_round_trips(x: np.ndarray) -> None:
    assert_same(lb.asarray(x), x)
    assert_same(lb.asarray(x.tolist(), dtype=x.dtype).reshape(x.shape), x)


@given(
    values=st.recursive(
        st.integers(-5, 5) | st.floats(-2, 2) | st.booleans(), lambda part: st.lists(part, min_size=1, max_size=1)
    )
)
def test_asarray_of_nested_sequences(values: Any) -> None:
    assert_same(lb.asarray([values]), np.asarray([values]))
