"""Operations that make or move elements."""

from __future__ import annotations

import numpy as np
import pytest

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("shape", "dimensions", "target"),
    [
        ((), (), (2, 3)),
        ((3,), (1,), (2, 3)),
        ((3,), (0,), (3, 2)),
        ((1, 3), (0, 1), (2, 3)),
        ((2, 1), (0, 1), (2, 3)),
        ((2, 3), (2, 0), (3, 4, 2)),
        ((2, 3), (0, 2), (2, 5, 3)),
        ((1,), (0,), (0,)),
        ((2, 0), (0, 1), (2, 0)),
    ],
)
def test_broadcast_in_dim(graph, shape, dimensions, target):
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    order = np.argsort(dimensions) if dimensions else ()
    unit = [1] * len(target)
    for dimension, extent in zip(dimensions, shape, strict=True):
        unit[dimension] = extent
    expected = np.broadcast_to(x.transpose(order).reshape(unit), target)
    value = graph.parameter(x)
    spread = graph.op("stablehlo::broadcast_in_dim", value, broadcast_dimensions=dimensions, shape=target)
    plain, computed = graph.run(spread, graph.op("stablehlo::sine", spread))
    np.testing.assert_array_equal(plain, expected)
    np.testing.assert_array_equal(computed, np.sin(expected))


def test_a_broadcast_is_not_made_where_numpy_broadcasts(graph):
    x, row = graph.parameter(np.ones((4, 3))), graph.parameter(np.ones(3))
    total = graph.op("stablehlo::add", x, graph.expand(row, 4, 3))
    assert "add(p0, p1)" in graph.lower(total).text
    assert "broadcast" not in graph.lower(total).text.replace("stablehlo::broadcast_in_dim", "")


@pytest.mark.parametrize("shape", [(24,), (4, 6), (2, 3, 4), (1, 24, 1)])
def test_reshape(graph, shape):
    np.testing.assert_array_equal(graph.apply("stablehlo::reshape", X, shape=shape), X.reshape(shape))


def test_reshape_to_and_from_zero_dimensions(graph):
    assert graph.apply("stablehlo::reshape", np.array([[3.0]]), shape=()).shape == ()
    np.testing.assert_array_equal(graph.apply("stablehlo::reshape", np.float32(3), shape=(1, 1)), [[3]])
    assert graph.apply("stablehlo::reshape", np.zeros((0, 3)), shape=(5, 0)).shape == (5, 0)


@pytest.mark.parametrize("permutation", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_transpose(graph, permutation):
    found = graph.apply("stablehlo::transpose", X, permutation=permutation)
    np.testing.assert_array_equal(found, X.transpose(permutation))


def test_reshape_of_a_transposed_value(graph):
    value = graph.op("stablehlo::transpose", graph.parameter(X), permutation=(2, 0, 1))
    (found,) = graph.run(graph.op("stablehlo::reshape", value, shape=(8, 3)))
    np.testing.assert_array_equal(found, X.transpose(2, 0, 1).reshape(8, 3))


def test_slice_and_reverse(graph):
    found = graph.apply("stablehlo::slice", X, start_indices=(0, 1, 0), limit_indices=(2, 3, 4), strides=(1, 1, 3))
    np.testing.assert_array_equal(found, X[:, 1:3, ::3])
    found = graph.apply("stablehlo::slice", X, start_indices=(1, 1, 2), limit_indices=(1, 3, 4), strides=(1, 2, 1))
    assert found.shape == (0, 1, 2)
    np.testing.assert_array_equal(graph.apply("stablehlo::reverse", X, dimensions=(0, 2)), X[::-1, :, ::-1])
    np.testing.assert_array_equal(graph.apply("stablehlo::reverse", X, dimensions=()), X)


def test_movement_of_a_uniform_value(graph):
    uniform = graph.expand(graph.constant(np.float32(7)), 2, 3)
    moved = [
        graph.op("stablehlo::transpose", uniform, permutation=(1, 0)),
        graph.op("stablehlo::reshape", uniform, shape=(6,)),
        graph.slice(uniform, (0, 1), (1, 3)),
        graph.op("stablehlo::reverse", uniform, dimensions=(0,)),
    ]
    for value, found in zip(moved, graph.run(*moved), strict=True):
        np.testing.assert_array_equal(found, np.full(value.shape, 7, np.float32))


def test_movement_of_a_value_that_repeats_along_one_dimension(graph):
    row = np.arange(3, dtype=np.float32)
    full = np.broadcast_to(row, (2, 3))
    value = graph.expand(graph.parameter(row), 2, 3)
    results = {
        "transpose": (graph.op("stablehlo::transpose", value, permutation=(1, 0)), full.T),
        "reshape": (graph.op("stablehlo::reshape", value, shape=(3, 2)), full.reshape(3, 2)),
        "slice": (graph.slice(value, (1, 2), (0, 2)), full[1:2, 0:2]),
        "reverse": (graph.op("stablehlo::reverse", value, dimensions=(1,)), full[:, ::-1]),
        "joined": (graph.op("stablehlo::concatenate", value, value, dimension=0), np.concatenate([full, full])),
    }
    for found, (_, expected) in zip(
        graph.run(*(value for value, _ in results.values())), results.values(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_concatenate(graph):
    parts = [X, X[:, :1], X[:, :0]]
    found = graph.apply("stablehlo::concatenate", *parts, dimension=1)
    np.testing.assert_array_equal(found, np.concatenate(parts, 1))
    np.testing.assert_array_equal(graph.apply("stablehlo::concatenate", X, dimension=0), X)


def reference_pad(x, value, low, high, interior):
    for axis, (lo, hi, inner) in enumerate(zip(low, high, interior, strict=True)):
        n = x.shape[axis]
        rows = []
        for i in range(n):
            rows.append(np.take(x, i, axis))
            if i < n - 1:
                rows.extend([np.full_like(rows[0], value)] * inner)
        empty = np.full((*x.shape[:axis], *x.shape[axis + 1 :]), value, x.dtype)
        rows = [empty] * max(lo, 0) + rows + [empty] * max(hi, 0)
        rows = rows[max(-lo, 0) : len(rows) - max(-hi, 0)]
        shape = (*x.shape[:axis], 0, *x.shape[axis + 1 :])
        x = np.stack(rows, axis) if rows else np.zeros(shape, x.dtype)
    return x


@pytest.mark.parametrize("seed", range(40))
def test_pad(graph, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rng.integers(0, 5, 2)).astype(np.float32)
    while True:
        low, high = (tuple(map(int, rng.integers(-3, 4, 2))) for _ in range(2))
        interior = tuple(map(int, rng.integers(0, 3, 2)))
        shape = [n + max(n - 1, 0) * i + lo + hi for n, i, lo, hi in zip(x.shape, interior, low, high, strict=True)]
        if min(shape) >= 0:
            break
    found = graph.apply(
        "stablehlo::pad", x, np.float32(9), edge_padding_low=low, edge_padding_high=high, interior_padding=interior
    )
    np.testing.assert_array_equal(found, reference_pad(x, np.float32(9), low, high, interior))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float16, np.float32, np.complex64])
@pytest.mark.parametrize("count", [0, 5, 100, 6000])
def test_iota(graph, dtype, count):
    graph.parameter(np.zeros(1))
    for dimension in (0, 1):
        shape = (count, 2) if dimension == 0 else (2, count)
        (found,) = graph.run(graph.op("stablehlo::iota", iota_dimension=dimension, shape=shape, dtype=np.dtype(dtype)))
        along = np.arange(count).astype(dtype).reshape((-1, 1) if dimension == 0 else (1, -1))
        np.testing.assert_array_equal(found, np.broadcast_to(along, shape))


def test_barrier_list_and_sizes(graph):
    first, second = graph.apply_all("stablehlo::optimization_barrier", X, X[0])
    np.testing.assert_array_equal(first, X)
    np.testing.assert_array_equal(second, X[0])
    assert graph.apply("stablehlo::get_dimension_size", X, dimension=2) == 4
