"""Functions that move elements give NumPy's arrays, bit by bit, and views where NumPy gives views."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.property.comparison import assert_same, assert_same_outcome
from tests.property.strategies import ALL, arrays, axes, axis_sets, broadcastable, nonempty_shapes

import latebind as lb


@st.composite
def factorisations(draw: st.DrawFn, size: int) -> tuple[int, ...]:
    """A shape with this many elements, perhaps with its last extent left open."""
    shape = []
    rest = size
    while rest > 1 and len(shape) < 4:
        extent = draw(st.sampled_from([one for one in range(1, rest + 1) if rest % one == 0]))
        shape.append(extent)
        rest //= extent
    shape.append(rest)
    if size and draw(st.booleans()):
        shape[draw(st.integers(0, len(shape) - 1))] = -1
    return tuple(shape)


@given(x=arrays(), data=st.data())
def test_reshape(x: np.ndarray, data: st.DataObject) -> None:
    shape = data.draw(factorisations(x.size))
    assert_same(lb.reshape(lb.asarray(x), shape), x.reshape(shape))


@given(x=arrays(shape=nonempty_shapes), data=st.data())
def test_reshape_of_a_view_is_a_view_if_numpy_s_is(x: np.ndarray, data: st.DataObject) -> None:
    key = tuple(
        data.draw(st.sampled_from([slice(None), slice(None, None, 2), slice(None, None, -1), None, slice(0, 1)]))
        for _ in range(x.ndim)
    )
    order = data.draw(st.permutations(range(x.ndim)))
    expected, lazy = x.transpose(order)[key], lb.permute_dims(lb.asarray(x), order)[key]
    shape = data.draw(factorisations(expected.size))
    assert_same_outcome(lambda: lb.reshape(lazy, shape, copy=False), lambda: expected.reshape(shape, copy=False))
    assert_same(lb.reshape(lazy, shape), expected.reshape(shape))


@given(x=arrays(), data=st.data())
def test_permute_dims(x: np.ndarray, data: st.DataObject) -> None:
    order = tuple(axis - x.ndim if axis % 2 else axis for axis in data.draw(st.permutations(range(x.ndim))))
    assert_same(lb.permute_dims(lb.asarray(x), order), x.transpose(order))


@given(x=arrays(shape=nonempty_shapes), data=st.data())
def test_moveaxis_and_swapaxes(x: np.ndarray, data: st.DataObject) -> None:
    source, destination = data.draw(axes(x.ndim)), data.draw(axes(x.ndim))
    lazy = lb.asarray(x)
    assert_same(lb.moveaxis(lazy, source, destination), np.moveaxis(x, source, destination))
    assert_same(lb.swapaxes(lazy, source, destination), np.swapaxes(x, source, destination))
    several = data.draw(st.permutations(range(x.ndim)))
    places = data.draw(st.permutations(range(x.ndim)))
    assert_same(lb.moveaxis(lazy, several, places), np.moveaxis(x, several, places))


@given(x=arrays(), data=st.data())
def test_expand_dims_and_squeeze_are_inverse(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(axes(x.ndim + 1))
    widened = lb.expand_dims(lb.asarray(x), axis)
    assert_same(widened, np.expand_dims(x, axis))
    assert_same(lb.squeeze(widened, axis), x)
    assert_same(widened.squeeze(), x.squeeze())


@given(x=arrays(), data=st.data())
def test_flip(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(axis_sets(x.ndim))
    assert_same(lb.flip(lb.asarray(x), axis=axis), np.flip(x, axis=axis))


@given(x=arrays(), data=st.data())
def test_roll(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(axis_sets(x.ndim))
    count = len(axis) if isinstance(axis, tuple) else 1
    shift = data.draw(
        st.one_of(st.integers(-7, 7), st.lists(st.integers(-7, 7), min_size=count, max_size=count).map(tuple))
    )
    assume(axis != ())
    if axis is None and isinstance(shift, tuple):
        shift = shift[0]
    assert_same(lb.roll(lb.asarray(x), shift, axis=axis), np.roll(x, shift, axis=axis))


@given(x=arrays(), data=st.data())
def test_repeat(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(st.one_of(st.none(), axes(x.ndim)) if x.ndim else st.none())
    extent = x.size if axis is None else x.shape[axis]
    counts = st.lists(st.integers(0, 3), min_size=extent, max_size=extent).map(np.array)
    repeats: Any = data.draw(st.one_of(st.integers(0, 3), counts))
    if isinstance(repeats, np.ndarray):
        repeats = repeats.astype(np.int64)
    assert_same(lb.repeat(lb.asarray(x), repeats, axis=axis), np.repeat(x, repeats, axis=axis))


@given(x=arrays(), repetitions=st.lists(st.integers(0, 3), max_size=3).map(tuple))
def test_tile(x: np.ndarray, repetitions: tuple[int, ...]) -> None:
    assert_same(lb.tile(lb.asarray(x), repetitions), np.tile(x, repetitions))


@given(x=arrays(shape=nonempty_shapes), data=st.data())
def test_concat(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(st.one_of(st.none(), axes(x.ndim)))
    parts = [x]
    for _ in range(data.draw(st.integers(0, 2))):
        shape = list(x.shape)
        shape[axis or 0] = data.draw(st.integers(0, 3))
        parts.append(data.draw(arrays(ALL, tuple(shape))))
    with np.errstate(all="ignore"):
        expected = np.concatenate(parts, axis=axis)
    assert_same(lb.concat([lb.asarray(part) for part in parts], axis=axis), expected)


@given(x=arrays(), data=st.data())
def test_stack_and_unstack(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(axes(x.ndim + 1))
    parts = [x, *data.draw(st.lists(arrays(ALL, x.shape), max_size=2))]
    with np.errstate(all="ignore"):
        expected = np.stack(parts, axis=axis)
    lazy = lb.stack([lb.asarray(part) for part in parts], axis=axis)
    assert_same(lazy, expected)
    for found, wanted in zip(lb.unstack(lazy, axis=axis), np.unstack(expected, axis=axis), strict=True):
        assert_same(found, wanted)


@given(found=broadcastable(3))
def test_broadcasting(found: list[np.ndarray]) -> None:
    lazy = [lb.asarray(x) for x in found]
    expected = np.broadcast_arrays(*found)
    for one, wanted in zip(lb.broadcast_arrays(*lazy), expected, strict=True):
        assert_same(one, wanted)
    shape = expected[0].shape
    assert_same(lb.broadcast_to(lazy[0], (2, *shape)), np.broadcast_to(found[0], (2, *shape)))
    assert lb.broadcast_shapes(*(x.shape for x in found)) == shape


@pytest.mark.parametrize("name", ["tril", "triu"])
@given(x=arrays(shape=st.sampled_from([(3, 3), (2, 4), (4, 2), (2, 3, 2), (0, 3)])), k=st.integers(-4, 4))
def test_triangles(name: str, x: np.ndarray, k: int) -> None:
    assert_same(getattr(lb, name)(lb.asarray(x), k=k), getattr(np, name)(x, k=k))


@given(vectors=st.lists(arrays(shape=st.sampled_from([(), (1,), (2,), (3,)])), max_size=3), data=st.data())
def test_meshgrid(vectors: list[np.ndarray], data: st.DataObject) -> None:
    indexing = data.draw(st.sampled_from(["xy", "ij"]))
    expected = np.meshgrid(*vectors, indexing=indexing)
    found = lb.meshgrid(*map(lb.asarray, vectors), indexing=indexing)
    assert len(found) == len(expected)
    for one, wanted in zip(found, expected, strict=True):
        assert_same(one, wanted)
