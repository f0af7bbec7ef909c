"""Properties of the intricate functions of `latebind.numpy`: whatever the arguments, NumPy's result."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import latebind.numpy as lnp

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5)
#: Small integers as floats: sums and products of them are exact, so that only the logic counts.
EXACT = st.integers(-9, 9).map(float)
FLOATS = st.floats(-1e3, 1e3, width=64)


def arrays(shape: Any = SHAPES, elements: Any = EXACT) -> Any:
    return hnp.arrays(np.float64, shape, elements=elements)


def quietly(function: Any, *args: Any, **kwargs: Any) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


@given(st.data(), arrays(), st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap", "maximum", "minimum"]))
def test_pad(data: st.DataObject, x: np.ndarray, mode: str) -> None:
    widths = data.draw(st.tuples(*[st.tuples(st.integers(0, 12), st.integers(0, 12))] * x.ndim))
    np.testing.assert_array_equal(lnp.pad(lnp.asarray(x), widths, mode), np.pad(x, widths, mode))  # type: ignore[call-overload]


@given(st.data())
def test_einsum(data: st.DataObject) -> None:
    sizes = dict(zip("abcd", data.draw(st.tuples(*[st.integers(1, 3)] * 4)), strict=True))
    count = data.draw(st.integers(1, 4))
    terms = [data.draw(st.text("abcd", max_size=3)) for _ in range(count)]
    used = sorted(set("".join(terms)))
    output = data.draw(
        st.permutations(used).map("".join).flatmap(lambda s: st.integers(0, len(s)).map(lambda n: s[:n]))
    )
    operands = [data.draw(arrays(tuple(sizes[label] for label in term))) for term in terms]
    subscripts = data.draw(st.sampled_from([",".join(terms) + "->" + output, ",".join(terms)]))
    ours = lnp.einsum(subscripts, *map(lnp.asarray, operands))
    np.testing.assert_array_equal(ours, np.einsum(subscripts, *operands))  # integers: exact in any order


@given(
    st.lists(FLOATS, min_size=1, max_size=8, unique=True),
    arrays(st.integers(0, 9), st.floats(-2e3, 2e3) | st.sampled_from([np.nan, np.inf, -np.inf])),
    st.data(),
)
def test_interp(points: list[float], x: np.ndarray, data: st.DataObject) -> None:
    xp = np.sort(points)
    fp = data.draw(arrays(len(points), FLOATS))
    ends = data.draw(st.fixed_dictionaries({}, optional={"left": FLOATS, "right": FLOATS}))
    expected = quietly(np.interp, x, xp, fp, **ends)
    ours = lnp.interp(lnp.asarray(x), xp, fp, **ends)
    # One division and one product per element, and NumPy keeps the slopes of long inputs: a few units in the last
    # place of the largest value that takes part.
    np.testing.assert_allclose(ours, expected, rtol=1e-13, atol=1e-13 * float(np.abs(fp).max()) + 1e-300)


@given(
    arrays(st.integers(0, 30), FLOATS),
    st.integers(1, 8) | st.lists(FLOATS, min_size=2, max_size=6).map(sorted),
    st.none() | st.tuples(st.floats(-10, 0), st.floats(1, 10)),
    st.booleans(),
)
def test_histogram(x: np.ndarray, bins: Any, span: Any, weighted: bool) -> None:
    weights = np.arange(float(x.size)) if weighted else None
    expected = np.histogram(x, bins, span, weights=weights)
    counts, edges = lnp.histogram(lnp.asarray(x), bins, span, weights=weights)
    np.testing.assert_array_equal(edges, expected[1])
    np.testing.assert_array_equal(counts, expected[0])  # weights are whole numbers: sums are exact
    assert counts.dtype == expected[0].dtype


METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip


@given(st.data(), arrays(elements=EXACT | st.just(np.nan)), st.sampled_from(METHODS), st.booleans())
def test_quantile(data: st.DataObject, x: np.ndarray, method: str, ignore_nan: bool) -> None:
    q = data.draw(
        st.floats(0, 1) | st.lists(st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.9, 1.0]), min_size=1, max_size=4)
    )
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    name = "nanquantile" if ignore_nan else "quantile"
    expected = quietly(getattr(np, name), x, q, axis=axis, method=method)
    ours = getattr(lnp, name)(lnp.asarray(x), q, axis=axis, method=method)
    # Interpolation between integers below 10: a few units in the last place.
    np.testing.assert_allclose(ours, expected, rtol=1e-13, atol=1e-13)


@given(st.data(), arrays(st.integers(1, 9)), arrays(st.integers(1, 9)), st.sampled_from(["full", "same", "valid"]))
def test_convolve_and_correlate(data: st.DataObject, a: np.ndarray, v: np.ndarray, mode: Any) -> None:
    for name in ("convolve", "correlate"):
        ours = getattr(lnp, name)(lnp.asarray(a), lnp.asarray(v), mode)
        np.testing.assert_array_equal(ours, getattr(np, name)(a, v, mode))


@given(st.data(), arrays())
def test_insert_and_delete(data: st.DataObject, x: np.ndarray) -> None:
    axis = data.draw(st.integers(0, x.ndim - 1))
    length = x.shape[axis]
    places = data.draw(st.lists(st.integers(-length, length - 1), max_size=4))
    lazy = lnp.asarray(x)
    np.testing.assert_array_equal(
        lnp.delete(lazy, np.array(places, int), axis), np.delete(x, np.array(places, int), axis)
    )
    np.testing.assert_array_equal(
        lnp.insert(lazy, np.array(places, int), 5.0, axis), np.insert(x, np.array(places, int), 5.0, axis)
    )


@given(
    st.data(), arrays(), st.sampled_from(["add", "multiply", "maximum", "minimum", "subtract", "logical_xor", "fmax"])
)
def test_ufunc_methods(data: st.DataObject, x: np.ndarray, name: str) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    lazy, ours, theirs = lnp.asarray(x), getattr(lnp, name), getattr(np, name)
    np.testing.assert_array_equal(ours.reduce(lazy, axis=axis), theirs.reduce(x, axis=axis))
    np.testing.assert_array_equal(ours.accumulate(lazy, axis=axis), theirs.accumulate(x, axis=axis))
    starts = data.draw(st.lists(st.integers(0, x.shape[axis] - 1), min_size=1, max_size=4))
    np.testing.assert_array_equal(ours.reduceat(lazy, starts, axis=axis), theirs.reduceat(x, starts, axis=axis))


@given(st.data(), arrays(st.integers(1, 8)), st.sampled_from(["add", "subtract", "multiply", "maximum", "minimum"]))
def test_ufunc_at_counts_each_occurrence(data: st.DataObject, x: np.ndarray, name: str) -> None:
    places = data.draw(st.lists(st.integers(-x.size, x.size - 1), max_size=6))
    values = data.draw(arrays(len(places)))
    lazy = lnp.array(x)
    getattr(lnp, name).at(lazy, np.array(places, int), values)
    getattr(np, name).at(x, np.array(places, int), values)
    np.testing.assert_array_equal(lazy, x)  # whole numbers: exact in any order
