"""Indexing by data: against StableHLO's definitions, written out element by element."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

X = np.arange(30, dtype=np.float32).reshape(5, 6)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64])
@pytest.mark.parametrize("start", [0, 1, 3, 100, -1, -100])
def test_dynamic_slices_are_moved_inside(graph, start, dtype):
    if start < 0 and np.dtype(dtype).kind == "u":
        pytest.skip("not a value of the dtype")
    at = min(max(start, 0), 3)
    first, second = np.array(start).astype(dtype), np.array(2).astype(dtype)
    found = graph.apply("stablehlo::dynamic_slice", X, first, second, slice_sizes=(2, 3))
    np.testing.assert_array_equal(found, X[at : at + 2, 2:5])
    update = np.full((2, 3), -1, np.float32)
    expected = X.copy()
    expected[at : at + 2, 2:5] = -1
    np.testing.assert_array_equal(graph.apply("stablehlo::dynamic_update_slice", X, update, first, second), expected)
    # The same with starts that are constants.
    x, new = graph.parameter(X), graph.parameter(update)
    starts = graph.constant(first), graph.constant(second)
    window = graph.op("stablehlo::dynamic_slice", x, *starts, slice_sizes=(2, 3))
    updated = graph.op("stablehlo::dynamic_update_slice", x, new, *starts)
    np.testing.assert_array_equal(graph.run(window)[0], X[at : at + 2, 2:5])
    np.testing.assert_array_equal(graph.run(updated)[0], expected)
    text = graph.lower(window, updated).text
    assert f"[{at or ''}:{at + 2}, 2:5]" in text and "slice_at" not in text


def test_dynamic_update_slice_of_uniform_values(graph):
    zeros = graph.expand(graph.constant(np.float32(0)), 3, 3)
    one = graph.expand(graph.constant(np.float32(1)), 1, 3)
    row, zero = graph.parameter(np.int64(1)), graph.constant(np.int64(0))
    (found,) = graph.run(graph.op("stablehlo::dynamic_update_slice", zeros, one, row, zero))
    np.testing.assert_array_equal(found, [[0, 0, 0], [1, 1, 1], [0, 0, 0]])


def test_an_update_that_is_the_whole_or_nothing(graph):
    zero = np.int64(0)
    new = np.ones((5, 6), np.float32)
    np.testing.assert_array_equal(graph.apply("stablehlo::dynamic_update_slice", X, new, zero, zero), new)
    np.testing.assert_array_equal(graph.apply("stablehlo::dynamic_update_slice", X, new[:0], zero, zero), X)


def reference_gather(x, indices, a):
    axis = a["index_vector_dim"]
    if axis == indices.ndim:
        indices = indices[..., None]
    vectors = np.moveaxis(indices, axis, -1)
    batch_shape = vectors.shape[:-1]
    dropped = a["collapsed_slice_dims"] + a["operand_batching_dims"]
    window = [size for d, size in enumerate(a["slice_sizes"]) if d not in dropped]
    rank = len(batch_shape) + len(window)
    batch_dims = [d for d in range(rank) if d not in a["offset_dims"]]
    shape = [0] * rank
    for d, extent in zip(batch_dims, batch_shape, strict=True):
        shape[d] = extent
    for d, extent in zip(a["offset_dims"], window, strict=True):
        shape[d] = extent
    result = np.zeros(shape, x.dtype)
    for index in product(*map(range, shape)):
        batch = [index[d] for d in batch_dims]
        full = [0] * x.ndim
        for position, d in enumerate(a["start_index_map"]):
            start = int(vectors[tuple(batch)][position])
            full[d] = min(max(start, 0), x.shape[d] - a["slice_sizes"][d])
        for d, b in zip(a["operand_batching_dims"], a["start_indices_batching_dims"], strict=True):
            full[d] = batch[b - (b > axis)]
        for d, offset in zip([d for d in range(x.ndim) if d not in dropped], a["offset_dims"], strict=True):
            full[d] += index[offset]
        result[index] = x[tuple(full)]
    return result


def random_indexing(rng):
    """Dimension numbers that gather and scatter share: roles of operand dimensions, batch shape, index vectors."""
    rank = int(rng.integers(1, 4))
    shape = tuple(map(int, rng.integers(1, 5, rank)))
    roles = [["collapsed", "window", "batching"][int(rng.integers(3))] for _ in range(rank)]
    batching = tuple(d for d in range(rank) if roles[d] == "batching")
    collapsed = tuple(d for d in range(rank) if roles[d] == "collapsed")
    window = [d for d in range(rank) if roles[d] == "window"]
    indexed = [d for d in range(rank) if roles[d] != "batching" and rng.random() < 0.7]
    rng.shuffle(indexed)
    extra = tuple(map(int, rng.integers(1, 4, rng.integers(0, 3))))
    batch_shape = [shape[d] for d in batching] + list(extra)
    order = [int(d) for d in rng.permutation(len(batch_shape))]
    batch_shape = [batch_shape[d] for d in order]
    index_batching = [order.index(position) for position in range(len(batching))]
    axis = int(rng.integers(0, len(batch_shape) + 1))
    index_shape = [*batch_shape[:axis], len(indexed), *batch_shape[axis:]]
    if len(indexed) == 1 and rng.random() < 0.3:
        axis, index_shape = len(batch_shape), batch_shape
    index_batching = tuple(b + (b >= axis) for b in index_batching)
    dtype = [np.int64, np.int32, np.uint64, np.int8][int(rng.integers(4))]
    indices = rng.integers(-2 if np.dtype(dtype).kind == "i" else 0, 6, index_shape).astype(dtype)
    full = rng.random() < 0.5
    sizes = tuple(
        1 if d not in window else shape[d] if full else int(rng.integers(1, shape[d] + 1)) for d in range(rank)
    )
    total = len(batch_shape) + len(window)
    offset = tuple(sorted(map(int, rng.permutation(total)[: len(window)])))
    return shape, indices, axis, collapsed, batching, index_batching, tuple(map(int, indexed)), sizes, offset, window


@pytest.mark.parametrize("seed", range(200))
def test_gather_follows_the_specification(graph, seed):
    rng = np.random.default_rng(seed)
    shape, indices, axis, collapsed, batching, index_batching, indexed, sizes, offset, _ = random_indexing(rng)
    x = rng.normal(size=shape).astype(np.float32)
    attributes = {
        "offset_dims": offset, "collapsed_slice_dims": collapsed, "operand_batching_dims": batching,
        "start_indices_batching_dims": index_batching, "start_index_map": indexed, "index_vector_dim": axis,
        "slice_sizes": sizes,
    }  # fmt: skip
    found = graph.apply("stablehlo::gather", x, indices, **attributes)
    np.testing.assert_array_equal(found, reference_gather(x, indices, attributes))


def reference_scatter(x, indices, updates, a, function):
    axis = a["index_vector_dim"]
    if axis == indices.ndim:
        indices = indices[..., None]
    vectors = np.moveaxis(indices, axis, -1)
    dropped = a["inserted_window_dims"] + a["input_batching_dims"]
    result = x.copy()
    batch_dims = [d for d in range(updates.ndim) if d not in a["update_window_dims"]]
    for index in product(*map(range, updates.shape)):
        batch = [index[d] for d in batch_dims]
        full = [0] * x.ndim
        for position, d in enumerate(a["scatter_dims_to_operand_dims"]):
            full[d] = int(vectors[tuple(batch)][position])
        for d, b in zip(a["input_batching_dims"], a["scatter_indices_batching_dims"], strict=True):
            full[d] = batch[b - (b > axis)]
        for d, offset in zip([d for d in range(x.ndim) if d not in dropped], a["update_window_dims"], strict=True):
            full[d] += index[offset]
        if all(0 <= at < extent for at, extent in zip(full, x.shape, strict=True)):
            result[tuple(full)] = function(result[tuple(full)], updates[index])
    return result


@pytest.mark.parametrize("name", [None, "add", "maximum", "multiply"])
@pytest.mark.parametrize("seed", range(100))
def test_scatter_follows_the_specification(graph, body, seed, name):
    rng = np.random.default_rng(seed)
    shape, indices, axis, inserted, batching, index_batching, indexed, sizes, offset, window = random_indexing(rng)
    batch_shape = list(indices.shape)
    if axis < indices.ndim:
        del batch_shape[axis]
    extents, windows = iter(batch_shape), iter([sizes[d] for d in window])
    total = len(batch_shape) + len(window)
    update_shape = [next(windows) if d in offset else next(extents) for d in range(total)]
    # Whole numbers: sums and products are exact in any order. Assigned ones are all equal: any order is right.
    updates = rng.integers(1, 3, update_shape).astype(np.float32) if name else np.full(update_shape, 7, np.float32)
    x = rng.integers(0, 9, shape).astype(np.float32)
    attributes = {
        "update_window_dims": offset, "inserted_window_dims": inserted, "input_batching_dims": batching,
        "scatter_indices_batching_dims": index_batching, "scatter_dims_to_operand_dims": indexed,
        "index_vector_dim": axis, "update_computation": body(name) if name else None,
    }  # fmt: skip
    function = {None: lambda a, b: b, "add": np.add, "maximum": np.maximum, "multiply": np.multiply}[name]
    found = graph.apply("stablehlo::scatter", x, indices, updates, **attributes)
    np.testing.assert_array_equal(found, reference_scatter(x, indices, updates, attributes, function))


TAKE_ROWS = {
    "offset_dims": (1,), "collapsed_slice_dims": (0,), "start_index_map": (0,), "index_vector_dim": 1,
    "slice_sizes": (1, 6),
}  # fmt: skip


def test_picking_rows_is_one_take(graph):
    value = graph.op("stablehlo::gather", graph.parameter(X), graph.parameter(np.array([4, 0, 9])), **TAKE_ROWS)
    np.testing.assert_array_equal(graph.run(value)[0], X[[4, 0, 4]])
    assert "p0.take(p1, 0, None, 'clip')" in graph.lower(value).text


def test_picking_elements_is_one_index_expression(graph):
    pairs = np.array([[0, 1], [4, 5], [7, -1]])
    value = graph.op(
        "stablehlo::gather", graph.parameter(X), graph.parameter(pairs), offset_dims=(), collapsed_slice_dims=(0, 1),
        start_index_map=(0, 1), index_vector_dim=1, slice_sizes=(1, 1),
    )  # fmt: skip
    np.testing.assert_array_equal(graph.run(value)[0], [1, 29, 24])
    assert "p0[clamped(p1[:, 0], 4), clamped(p1[:, 1], 5)]" in graph.lower(value).text


def test_constant_indices_are_clamped_once(graph):
    value = graph.op(
        "stablehlo::gather", graph.parameter(X), graph.constant(np.array([[0, 4, 7], [1, 5, -1]], np.int32)),
        offset_dims=(), collapsed_slice_dims=(0, 1), start_index_map=(0, 1), index_vector_dim=0, slice_sizes=(1, 1),
    )  # fmt: skip
    np.testing.assert_array_equal(graph.run(value)[0], [1, 29, 24])
    assert "p0[c1, c2]" in graph.lower(value).text


def test_duplicates_accumulate(graph, body):
    found = graph.apply(
        "stablehlo::scatter", np.zeros((3, 2)), np.array([[1], [1], [5], [0]]), np.ones((4, 2)),
        update_window_dims=(1,), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), index_vector_dim=1,
        update_computation=body("add"),
    )  # fmt: skip
    np.testing.assert_array_equal(found, [[1, 1], [2, 2], [0, 0]])


def test_gather_of_nothing(graph):
    found = graph.apply("stablehlo::gather", X, np.zeros((0, 1), np.int64), **TAKE_ROWS)
    assert found.shape == (0, 6)
