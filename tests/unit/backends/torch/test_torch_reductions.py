"""Reductions, windows, cumulative operations, extremes, sort and contractions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latebind.backends.torch.kernels.products import matmul_of_integers

pytestmark = pytest.mark.slow

FLOATS = ["float16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]
INTS = ["int8", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
ALL = ["bool", *INTS, *FLOATS, *COMPLEX]
BODIES = {"add": "biufc", "multiply": "biufc", "maximum": "biufc", "minimum": "biufc", "and": "biu", "or": "biu"}
CASES = [(name, dtype) for name, kinds in BODIES.items() for dtype in ALL if np.dtype(dtype).kind in kinds]


def data(dtype, shape, seed=0):
    """Small integers, whose sums and products are exact; extremes for integers; NaN and infinities are elsewhere."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    x = rng.integers(-1, 3, shape)
    return (x + 1j * rng.integers(-1, 3, shape)).astype(dtype) if dtype.kind == "c" else x.astype(dtype)


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_reduce(graph, body, name, dtype):
    for dimensions in [(0,), (1,), (2, 0), (0, 1, 2), ()]:
        for initial in (0, 1):
            # Products of up to 24 small complex numbers are exact too (below 2**24 times a few).
            x, start = data(dtype, (2, 3, 4)), np.array(initial, dtype)
            graph.check_op("stablehlo::reduce", x, start, dimensions=dimensions, body=body(name))


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_reduce_with_the_identity_and_of_nothing(graph, body, name, dtype):
    kind = np.dtype(dtype).kind
    info = np.iinfo(dtype) if kind in "iu" else None
    low, high = (info.min, info.max) if info else (-np.inf, np.inf) if kind != "b" else (False, True)
    all_ones = True if kind == "b" else info.max if kind == "u" else -1
    identity = {"multiply": 1, "maximum": low, "minimum": high, "and": all_ones}.get(name, 0)
    start = graph.constant(np.array(identity, dtype))
    for shape, dimensions in [((5, 7), (0,)), ((5, 7), (1,)), ((0, 3), (0,)), ((2, 0), (0,)), ((0, 3), (0, 1))]:
        value = graph.parameter(data(dtype, shape))
        graph.check(graph.op("stablehlo::reduce", value, start, dimensions=dimensions, body=body(name)))


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX])
def test_reduce_propagates_nan(graph, body, dtype):
    x = np.array([[1, np.nan, 2], [np.inf, 3, -np.inf]], dtype)
    for name in ("maximum", "minimum", "add"):
        graph.check_op("stablehlo::reduce", x, np.array(0, dtype), dimensions=(1,), body=body(name))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_sums_are_near(graph, body, dtype):
    x = np.random.default_rng(0).random((3, 100_001)).astype(dtype)
    # Both sum pairwise or in cascades: a few ulp of the result.
    graph.check_op("stablehlo::reduce", x, np.array(0, dtype), rtol=32, dimensions=(1,), body=body("add"))


@pytest.mark.parametrize(("name", "dtype"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_reduce_window(graph, body, name, dtype, seed):
    rng = np.random.default_rng(seed)
    x = data(dtype, rng.integers(2, 12, 2))
    window, strides, base, dilations = (tuple(map(int, rng.integers(1, m, 2))) for m in (4, 4, 3, 3))
    padding = ((int(rng.integers(-1, 4)), 3), (3, int(rng.integers(-1, 4))))
    graph.check_op(
        "stablehlo::reduce_window", x, np.array(1, dtype), body=body(name), window_dimensions=window,
        window_strides=strides, base_dilations=base, window_dilations=dilations, padding=padding,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "dtype"), [case for case in CASES if case[0] in ("add", "maximum", "and")])
def test_large_windows_and_windows_of_nothing(graph, body, name, dtype):
    for x, window, strides, padding in [
        (data(dtype, (20, 30)), (7, 9), (2, 3), ((0, 0), (1, 4))),
        (data(dtype, (5, 5)), (6, 1), (1, 1), ((0, 0), (0, 0))),
        (data(dtype, (0, 2)), (1, 1), (1, 1), ((2, 0), (0, 0))),
    ]:
        graph.check_op(
            "stablehlo::reduce_window", x, np.array(0, dtype), body=body(name), window_dimensions=window,
            window_strides=strides, base_dilations=(1, 1), window_dilations=(1, 2), padding=padding,
        )  # fmt: skip


@pytest.mark.parametrize("dtype", ALL)
def test_positions_of_extremes(graph, dtype):
    x = data(dtype, (5, 6))
    x[:, 3] = x[:, 1]
    if x.dtype.kind in "fc":
        x[1, 2] = x[1, 4] = np.nan
    for dimension in (0, 1):
        graph.check_op("numpy::argmax", x, dimension=dimension)
        graph.check_op("numpy::argmin", x, dimension=dimension)


@pytest.mark.parametrize("dtype", ALL[1:])
def test_cumulative_operations(graph, dtype):
    for dimension in (0, 1):
        graph.check_op("numpy::cumulative_sum", data(dtype, (5, 6)), dimension=dimension)
        graph.check_op("numpy::cumulative_prod", data(dtype, (5, 6)), dimension=dimension)
    graph.check_op("numpy::cumulative_sum", data(dtype, (0, 6)), dimension=0)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("direction", ["LT", "GT"])
def test_sort(graph, dtype, direction):
    x = data(dtype, (5, 7))
    for dimension in (0, 1, -1):
        for stable in (True, False):
            attributes = {"dimension": dimension, "comparison_direction": direction, "is_stable": stable}
            graph.check_op("stablehlo::sort", x, **attributes)


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX])
@pytest.mark.parametrize("direction", ["LT", "GT"])
def test_sort_of_special_values(graph, dtype, direction):
    parts = [0.0, np.nan, -0.0, -1.0, 0.0, np.inf, -np.inf]
    x = np.array([complex(a, b) for a in parts for b in parts] if dtype.startswith("c") else parts, dtype)
    attributes = {"dimension": 0, "comparison_direction": direction, "is_stable": True}
    graph.check_op("stablehlo::sort", x, **attributes, signs=not dtype.startswith("c"))
    graph.check_op("stablehlo::sort", x, np.arange(x.size), **attributes)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("direction", ["LT", "GT"])
def test_sort_moves_other_operands_along_stably(graph, dtype, direction):
    key = data(dtype, (3, 20)) // 1 if dtype.startswith("c") is False and dtype != "bool" else data(dtype, (3, 20))
    key[:, 10:] = key[:, :10]
    rng = np.random.default_rng(0)
    others = rng.normal(size=(3, 20)), rng.integers(0, 9, (3, 20)).astype(np.uint16)
    attributes = {"dimension": 1, "comparison_direction": direction}
    graph.check_op("stablehlo::sort", key, *others, **attributes)
    iota = graph.op("stablehlo::iota", iota_dimension=1, shape=(3, 20), dtype=np.dtype(np.int32))
    node = graph.builder.make_generic("stablehlo::sort", [graph.parameters[0], iota], attributes)
    graph.check(node.value(0), node.value(1))
    graph.check(node.value(1))


CONTRACTIONS = [
    ((3, 4), (4, 5), ((), ()), ((1,), (0,))),
    ((4, 3), (5, 4), ((), ()), ((0,), (1,))),
    ((4,), (4,), ((), ()), ((0,), (0,))),
    ((4,), (4, 5), ((), ()), ((0,), (0,))),
    ((3, 4), (4,), ((), ()), ((1,), (0,))),
    ((3,), (5,), ((), ()), ((), ())),
    ((), (5, 2), ((), ()), ((), ())),
    ((2, 3, 4), (4, 5, 6), ((), ()), ((2,), (0,))),
    ((2, 3, 4), (5, 4, 3), ((), ()), ((1, 2), (2, 1))),
    ((2, 3, 4), (2, 4, 5), ((0,), (0,)), ((2,), (1,))),
    ((2, 3, 4), (4, 2), ((0,), (1,)), ((2,), (0,))),
    ((2, 4), (2, 4), ((0,), (0,)), ((1,), (1,))),
    ((2, 4), (2, 5), ((0,), (0,)), ((), ())),
    ((2, 3), (2, 3), ((0, 1), (0, 1)), ((), ())),
    ((2, 3, 4, 5), (5, 3, 6, 2), ((1, 0), (1, 3)), ((3,), (0,))),
    ((3, 0), (0, 5), ((), ()), ((1,), (0,))),
    ((0, 4), (4, 5), ((), ()), ((1,), (0,))),
]


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize(("left", "right", "batch", "contract"), CONTRACTIONS)
def test_dot_general(graph, left, right, batch, contract, dtype):
    # Integers wrap, the other dtypes hold small integers: exact in every order of the sums.
    graph.check_op(
        "stablehlo::dot_general", data(dtype, left, 1), data(dtype, right, 2), lhs_batching_dimensions=batch[0],
        rhs_batching_dimensions=batch[1], lhs_contracting_dimensions=contract[0],
        rhs_contracting_dimensions=contract[1],
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8"])
def test_products_of_integers_in_floating_point_wrap(dtype):
    x, y = data(dtype, (2, 5, 300), 1), data(dtype, (2, 300, 4), 2)
    found = matmul_of_integers(torch.from_numpy(x), torch.from_numpy(y), dtype=getattr(torch, dtype))
    np.testing.assert_array_equal(found.numpy(), x @ y)
