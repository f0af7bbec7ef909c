"""Random index expressions read and write what NumPy reads and writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tests.property.comparison import assert_same, assert_same_outcome
from tests.property.strategies import ALL, arrays

import latebind as lb

base_shapes = npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@st.composite
def index_arrays(draw: st.DrawFn, extent: int, shape: tuple[int, ...]) -> np.ndarray:
    """Indices within bounds, counted from either end."""
    count = int(np.prod(shape))
    values = draw(st.lists(st.integers(-extent, extent - 1), min_size=count, max_size=count))
    return np.array(values, draw(st.sampled_from([np.int64, np.int8]))).reshape(shape)


@st.composite
def advanced_keys(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A mixture of integers, slices, new axes, an ellipsis, index arrays and masks."""
    broadcast = draw(st.sampled_from([(), (2,), (3,), (2, 1), (1, 3), (0,)]))
    key: list[Any] = []
    axis = 0
    while axis < len(shape):
        extent = shape[axis]
        kind = draw(st.sampled_from(["int", "slice", "new", "array", "array", "mask"]))
        if kind == "new":
            key.append(None)
            continue
        if kind == "int":
            key.append(draw(st.integers(-extent, extent - 1)))
        elif kind == "slice":
            key.append(draw(st.slices(extent)))
        elif kind == "array":
            key.append(draw(index_arrays(extent, draw(st.sampled_from([broadcast, (), (1,)])))))
        else:
            key.append(np.array(draw(st.lists(st.booleans(), min_size=extent, max_size=extent))))
        axis += 1
        if axis < len(shape) and draw(st.integers(0, 4)) == 0:
            if Ellipsis not in [entry for entry in key if entry is Ellipsis]:
                key.append(Ellipsis)
            break
    return tuple(key)


def _on_device(key: tuple[Any, ...], chosen: list[bool]) -> tuple[Any, ...]:
    """Return the key with some of its arrays as arrays of ours, whose values are not known when recorded."""
    flags = iter(chosen)
    return tuple(lb.asarray(entry) if isinstance(entry, np.ndarray) and next(flags, False) else entry for entry in key)


@given(x=arrays(shape=base_shapes), data=st.data())
def test_reading_a_basic_index(x: np.ndarray, data: st.DataObject) -> None:
    key = data.draw(npst.basic_indices(x.shape, min_dims=0, max_dims=5, allow_newaxis=True))
    assert_same(lb.asarray(x)[key], x[key])


@given(x=arrays(shape=base_shapes), data=st.data())
def test_writing_a_basic_index(x: np.ndarray, data: st.DataObject) -> None:
    key = data.draw(npst.basic_indices(x.shape, min_dims=0, max_dims=5, allow_newaxis=True))
    value = data.draw(arrays([x.dtype], _region(data, np.shape(x[key]))))
    lazy = lb.asarray(x)
    x = x.copy()
    x[key] = value
    lazy[key] = lb.asarray(value)
    assert_same(lazy, x)


@given(x=arrays(shape=base_shapes), data=st.data())
def test_reading_any_index(x: np.ndarray, data: st.DataObject) -> None:
    key = data.draw(advanced_keys(x.shape))
    chosen = data.draw(st.lists(st.booleans(), max_size=3))
    assert_same_outcome(lambda: lb.asarray(x)[_on_device(key, chosen)], lambda: x[key], about=repr(key))


@given(x=arrays(shape=base_shapes), data=st.data())
def test_writing_any_index(x: np.ndarray, data: st.DataObject) -> None:
    key = data.draw(advanced_keys(x.shape))
    chosen = data.draw(st.lists(st.booleans(), max_size=3))
    try:
        region = x[key].shape
    except IndexError:
        region = ()
    value = data.draw(arrays([x.dtype], _region(data, region)))

    def written(array: Any, key: Any, value: Any) -> Any:
        array[key] = value
        return array

    assert_same_outcome(
        lambda: written(lb.asarray(x), _on_device(key, chosen), lb.asarray(value)),
        lambda: written(x.copy(), key, value),
        about=repr(key),
    )


def _region(data: st.DataObject, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape that broadcasts to a region."""
    first = data.draw(st.integers(0, len(shape)))
    return tuple(extent if data.draw(st.booleans()) else 1 for extent in shape[first:])


@given(x=arrays(shape=base_shapes), data=st.data(), lazily=st.booleans())
def test_masks_of_leading_axes(x: np.ndarray, data: st.DataObject, lazily: bool) -> None:
    rank = data.draw(st.integers(0, x.ndim))
    mask = data.draw(arrays([ALL[0]], x.shape[:rank]))
    key: Any = lb.asarray(mask) if lazily else mask
    assert_same(lb.asarray(x)[key], x[mask])
    value = data.draw(arrays([x.dtype], data.draw(st.sampled_from([(), x.shape[rank:], x[mask].shape]))))
    expected, found = x.copy(), lb.asarray(x)
    expected[mask] = value
    found[key] = lb.asarray(value)
    assert_same(found, expected)


@given(x=arrays(shape=base_shapes), data=st.data())
def test_take(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    indices = data.draw(index_arrays(x.shape[axis], data.draw(st.sampled_from([(), (0,), (3,), (2, 2)]))))
    assert_same(lb.take(lb.asarray(x), lb.asarray(indices), axis=axis), np.take(x, indices, axis=axis))


@given(x=arrays(shape=base_shapes), data=st.data())
def test_take_along_axis(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    shape = [data.draw(st.sampled_from([1, extent])) for extent in x.shape]
    shape[axis] = data.draw(st.integers(0, 5))
    indices = data.draw(index_arrays(x.shape[axis], tuple(shape)))
    expected = np.take_along_axis(x, indices, axis)
    assert_same(lb.take_along_axis(lb.asarray(x), lb.asarray(indices), axis=axis), expected)
