"""Reductions, windows, cumulative operations, sorting, contraction."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

BODIES = {
    "add": np.add,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
}
IDENTITY = {"add": 0, "multiply": 1, "maximum": -np.inf, "minimum": np.inf}


def identity(name, dtype):
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        table = {"maximum": info.min, "minimum": info.max, "and": -1 if info.min < 0 else info.max, "or": 0}
        return {**IDENTITY, **table}[name]
    if np.dtype(dtype).kind == "b":
        return name in ("multiply", "minimum", "and")
    return IDENTITY[name]


@pytest.mark.parametrize(
    "dtype", [np.bool_, np.int8, np.int32, np.uint16, np.int64, np.float16, np.float32, np.complex64]
)
@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("dimensions", [(0,), (1,), (2, 0), (0, 1, 2), ()])
def test_reduce(graph, body, name, dtype, dimensions):
    kind = np.dtype(dtype).kind
    if (name in ("and", "or") and kind in "fc") or (name in ("maximum", "minimum") and kind == "c"):
        pytest.skip("not an operation of this dtype")
    x = np.random.default_rng(0).integers(0, 100, (2, 3, 4)).astype(dtype)
    with np.errstate(all="ignore"):
        expected = BODIES[name].reduce(x, axis=dimensions, dtype=dtype) if dimensions else x
    value = graph.parameter(x)
    for initial in (identity(name, dtype), 1):
        scalar = graph.constant(np.array(initial).astype(dtype))
        (found,) = graph.run(graph.op("stablehlo::reduce", value, scalar, dimensions=dimensions, body=body(name)))
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(found, BODIES[name](expected, np.array(initial).astype(dtype)))


def test_reduce_with_an_initial_value_that_is_data(graph, body):
    x, initial = np.arange(6.0).reshape(2, 3), np.float64(10)
    for name in ("add", "maximum"):
        found = graph.apply("stablehlo::reduce", x, initial, dimensions=(0,), body=body(name))
        np.testing.assert_array_equal(found, BODIES[name](BODIES[name].reduce(x, 0), initial))


def test_reduce_of_nothing_is_the_initial_value(graph, body):
    found = graph.apply(
        "stablehlo::reduce", np.zeros((0, 3)), np.float64(-np.inf), dimensions=(0,), body=body("maximum")
    )
    np.testing.assert_array_equal(found, np.full(3, -np.inf))
    found = graph.apply("stablehlo::reduce", np.zeros((0, 3)), np.float64(5), dimensions=(0, 1), body=body("add"))
    assert found == 5
    found = graph.apply("stablehlo::reduce", np.zeros((2, 0)), np.float64(5), dimensions=(0,), body=body("add"))
    assert found.shape == (0,)


def test_reduce_propagates_nan(graph, body):
    x = np.array([1, np.nan, 2], np.float32)
    for name in ("maximum", "minimum", "add"):
        found = graph.apply("stablehlo::reduce", x, np.float32(IDENTITY[name]), dimensions=(0,), body=body(name))
        assert np.isnan(found)


def test_reduce_of_a_broadcast(graph, body):
    x = np.arange(3, dtype=np.float32)
    value, zero = graph.expand(graph.parameter(x), 4, 3), graph.constant(np.float32(0))
    results = [graph.op("stablehlo::reduce", value, zero, dimensions=d, body=body("add")) for d in [(0,), (1,)]]
    first, second = graph.run(*results)
    np.testing.assert_array_equal(first, 4 * x)
    np.testing.assert_array_equal(second, np.full(4, 3))


def test_positions_of_extremes(graph):
    x = np.array([[1, 5, 5, 0], [np.nan, 3, np.nan, 9]], np.float32)
    for dimension in (0, 1):
        np.testing.assert_array_equal(graph.apply("numpy::argmax", x, dimension=dimension), x.argmax(dimension))
        np.testing.assert_array_equal(graph.apply("numpy::argmin", x, dimension=dimension), x.argmin(dimension))
    assert graph.apply("numpy::argmax", np.array([1, 3, 2]), dimension=0) == 1


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.float16, np.float32, np.complex64])
def test_cumulative_operations_keep_the_dtype(graph, dtype):
    x = np.random.default_rng(0).integers(1, 5, (3, 4)).astype(dtype)
    for dimension in (0, 1):
        found = graph.apply("numpy::cumulative_sum", x, dimension=dimension)
        np.testing.assert_array_equal(found, np.cumsum(x, dimension, dtype=dtype))
        found = graph.apply("numpy::cumulative_prod", x, dimension=dimension)
        np.testing.assert_array_equal(found, np.cumprod(x, dimension, dtype=dtype))


def reference_window(x, initial, window, strides, base, dilations, padding, function):
    shape = [(n - 1) * b + 1 if n else 0 for n, b in zip(x.shape, base, strict=True)]
    dilated = np.full(shape, initial, x.dtype)
    dilated[tuple(slice(None, None, b) for b in base)] = x
    crop = tuple(slice(max(-lo, 0), n - max(-hi, 0)) for n, (lo, hi) in zip(shape, padding, strict=True))
    dilated = np.pad(dilated[crop], [(max(lo, 0), max(hi, 0)) for lo, hi in padding], constant_values=initial)
    spans = [(w - 1) * d + 1 for w, d in zip(window, dilations, strict=True)]
    counts = [
        max(0, (n - s) // st + 1) if n >= s else 0 for n, s, st in zip(dilated.shape, spans, strides, strict=True)
    ]
    result = np.empty(counts, x.dtype)
    for index in product(*map(range, counts)):
        at = tuple(slice(i * st, i * st + s, d) for i, st, s, d in zip(index, strides, spans, dilations, strict=True))
        result[index] = function(function.reduce(dilated[at], axis=None), x.dtype.type(initial))
    return result


@pytest.mark.parametrize("seed", range(40))
def test_reduce_window(graph, body, seed):
    rng = np.random.default_rng(seed)
    name = ["add", "maximum", "multiply"][seed % 3]
    x = rng.integers(-5, 6, rng.integers(1, 15, 2)).astype(np.float32)
    window, strides, base, dilations = (tuple(map(int, rng.integers(1, m, 2))) for m in (12, 4, 3, 3))
    padding = tuple(tuple(map(int, rng.integers(-1, 4, 2))) for _ in range(2))
    attributes = {
        "window_dimensions": window, "window_strides": strides, "base_dilations": base,
        "window_dilations": dilations, "padding": padding,
    }  # fmt: skip
    if any((n - 1) * b + 1 + lo + hi < 0 for n, b, (lo, hi) in zip(x.shape, base, padding, strict=True)):
        pytest.skip("everything is cropped")
    for initial in (IDENTITY[name], 2):
        found = graph.apply("stablehlo::reduce_window", x, np.float32(initial), body=body(name), **attributes)
        expected = reference_window(x, initial, window, strides, base, dilations, padding, BODIES[name])
        np.testing.assert_allclose(found, expected, rtol=1e-5)  # order of at most 144 sums and products


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.int64, np.float16, np.float32, np.complex64])
@pytest.mark.parametrize("direction", ["LT", "GT"])
@pytest.mark.parametrize("dimension", [0, 1, -1])
def test_sort(graph, dtype, direction, dimension):
    x = np.random.default_rng(0).integers(0, 6, (5, 7)).astype(dtype)
    expected = np.sort(x, dimension) if direction == "LT" else np.flip(np.sort(x, dimension), dimension)
    for stable in (True, False):
        attributes = {"dimension": dimension, "comparison_direction": direction, "is_stable": stable}
        np.testing.assert_array_equal(graph.apply("stablehlo::sort", x, **attributes), expected)


def test_sort_puts_nan_last_and_keeps_the_order_of_zeros(graph):
    x = np.array([0.0, np.nan, -0.0, -1.0, 0.0, -np.inf], np.float32)
    found = graph.apply("stablehlo::sort", x, dimension=0, comparison_direction="LT", is_stable=True)
    np.testing.assert_array_equal(found, [-np.inf, -1, 0, 0, 0, np.nan])
    assert np.signbit(found[2:5]).tolist() == [False, True, False]
    found = graph.apply("stablehlo::sort", x, dimension=0, comparison_direction="GT", is_stable=True)
    np.testing.assert_array_equal(found, [np.nan, 0, 0, 0, -1, -np.inf])
    assert np.signbit(found[1:4]).tolist() == [False, True, False]


@pytest.mark.parametrize("direction", ["LT", "GT"])
def test_sort_moves_other_operands_along_stably(graph, direction):
    rng = np.random.default_rng(0)
    key = rng.integers(0, 4, (3, 20)).astype(np.float32)
    other, third = rng.normal(size=(3, 20)), rng.normal(size=(3, 20)).astype(np.float32)
    sign = 1 if direction == "LT" else -1
    order = np.argsort(sign * key, axis=1, kind="stable")
    found = graph.apply_all("stablehlo::sort", key, other, third, dimension=1, comparison_direction=direction)
    for array, source in zip(found, (key, other, third), strict=True):
        np.testing.assert_array_equal(array, np.take_along_axis(source, order, 1))


@pytest.mark.parametrize("direction", ["LT", "GT"])
def test_sort_with_an_iota_gives_positions(graph, direction):
    key = np.random.default_rng(0).integers(0, 4, (3, 20)).astype(np.float32)
    sign = 1 if direction == "LT" else -1
    order = np.argsort(sign * key, axis=1, kind="stable")
    iota = graph.op("stablehlo::iota", iota_dimension=1, shape=(3, 20), dtype=np.dtype(np.int32))
    attributes = {"dimension": 1, "comparison_direction": direction}
    node = graph.builder.make_generic("stablehlo::sort", [graph.parameter(key), iota], attributes)
    for wanted in ([0, 1], [1], [0]):
        found = graph.run(*(node.value(index) for index in wanted))
        for index, array in zip(wanted, found, strict=True):
            np.testing.assert_array_equal(array, [np.take_along_axis(key, order, 1), order][index])


def dot(graph, x, y, batch=((), ()), contract=((), ())):
    return graph.apply(
        "stablehlo::dot_general",
        x,
        y,
        lhs_batching_dimensions=batch[0],
        rhs_batching_dimensions=batch[1],
        lhs_contracting_dimensions=contract[0],
        rhs_contracting_dimensions=contract[1],
    )


def reference_dot(x, y, batch, contract):
    letters = "abcdefghijklmnop"
    left, right = list(letters[: x.ndim]), list(letters[8 : 8 + y.ndim])
    for a, b in zip(batch[0] + contract[0], batch[1] + contract[1], strict=True):
        right[b] = left[a]
    out = [left[a] for a in batch[0]]
    out += [c for d, c in enumerate(left) if d not in batch[0] + contract[0]]
    out += [c for d, c in enumerate(right) if d not in batch[1] + contract[1]]
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", x, y)


CONTRACTIONS = [
    ((3, 4), (4, 5), ((), ()), ((1,), (0,))),
    ((4, 3), (4, 5), ((), ()), ((0,), (0,))),
    ((4, 3), (5, 4), ((), ()), ((0,), (1,))),
    ((4,), (4,), ((), ()), ((0,), (0,))),
    ((4,), (4, 5), ((), ()), ((0,), (0,))),
    ((3, 4), (4,), ((), ()), ((1,), (0,))),
    ((3,), (5,), ((), ()), ((), ())),
    ((3, 2), (5, 2), ((), ()), ((), ())),
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


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.int64, np.float16, np.float32, np.complex128])
@pytest.mark.parametrize(("left", "right", "batch", "contract"), CONTRACTIONS)
def test_dot_general(graph, left, right, batch, contract, dtype):
    rng = np.random.default_rng(0)
    x, y = rng.integers(-3, 4, left).astype(dtype), rng.integers(-3, 4, right).astype(dtype)
    # Small integers: exact in every dtype, whatever the order of the sums.
    np.testing.assert_array_equal(dot(graph, x, y, batch, contract), reference_dot(x, y, batch, contract))


def test_a_plain_matrix_product_is_one_call_of_matmul(graph):
    x, y = (np.random.default_rng(seed).normal(size=(5, 5)) for seed in (0, 1))
    np.testing.assert_array_equal(dot(graph, x, y, contract=((1,), (0,))), x @ y)
    product = graph.op(
        "stablehlo::dot_general", *graph.parameters, lhs_batching_dimensions=(), rhs_batching_dimensions=(),
        lhs_contracting_dimensions=(1,), rhs_contracting_dimensions=(0,),
    )  # fmt: skip
    assert "matmul(p0, p1)" in graph.lower(product).text
