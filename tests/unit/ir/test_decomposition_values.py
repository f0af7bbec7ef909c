"""Decompositions against NumPy and the C library, at ordinary and special values of every dtype that they admit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Array = np.ndarray[Any, Any]
Compute = Callable[..., Array]

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
#: In units in the last place of the reference result. float16 is computed in float32, so only its rounding differs.
ULPS = {"float16": 1.0, "float32": 8.0, "float64": 8.0}

_RNG = np.random.default_rng(7)
_ORDINARY = np.concatenate([_RNG.normal(size=200), _RNG.normal(size=200) * 30, 10.0 ** _RNG.uniform(-300, 300, 200)])


def reals(dtype: str) -> Array:
    """Ordinary values, both signs, and the edges of a float dtype."""
    info = np.finfo(dtype)
    edges = [0.0, 1.0, 2.0, 0.5, info.tiny, info.smallest_subnormal, info.max, 1 + info.eps, 1 - info.epsneg, math.inf]
    with np.errstate(all="ignore"):
        positive = np.concatenate([np.array(edges, dtype), np.abs(_ORDINARY).astype(dtype)])
    return np.concatenate([positive, -positive, np.array([math.nan], dtype)])


def pairs(dtype: str) -> tuple[Array, Array]:
    """All pairs of special values, and as many of ordinary ones."""
    info = np.finfo(dtype)
    special = [0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 0.1, 7.5, -2.25, math.inf, -math.inf, math.nan, info.max, info.tiny]
    grid = np.array(list(itertools.product(special, repeat=2))).astype(dtype)
    ordinary = _RNG.normal(size=(300, 2)).astype(dtype) * np.array([10, 3], dtype)
    both = np.concatenate([grid, ordinary])
    return np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])


def integer_pairs(dtype: str) -> tuple[Array, Array]:
    info = np.iinfo(dtype)
    special = {0, 1, 2, 3, 7, 100, info.max, info.min, info.max - 1, info.min + 1, -1 if info.min else 5}
    grid = np.array(list(itertools.product(sorted(special), repeat=2)), dtype=dtype)
    return np.ascontiguousarray(grid[:, 0]), np.ascontiguousarray(grid[:, 1])


def check_ulps(actual: Array, expected: Array, ulps: float, absolute: float = 0.0) -> None:
    """Same NaN, infinities and signs of zero; elsewhere within some units in the last place."""
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(actual), np.isinf(expected))
    number = ~np.isnan(expected)
    zero = number & (expected == 0) & (actual == 0)
    np.testing.assert_array_equal(np.signbit(actual[zero]), np.signbit(expected[zero]))
    rest = np.isfinite(expected)
    with np.errstate(all="ignore"):
        error = np.abs(actual[rest].astype(np.float64) - expected[rest].astype(np.float64))
        # One step towards zero, because the largest number has no neighbour above.
        unit = np.spacing(np.nextafter(np.abs(expected[rest]), expected.dtype.type(0))).astype(np.float64)
        excess = error - ulps * unit - absolute
    worst = int(np.argmax(excess))
    assert excess[worst] <= 0, (actual[rest][worst], expected[rest][worst], error[worst] / unit[worst])
    np.testing.assert_array_equal(actual[np.isinf(expected)], expected[np.isinf(expected)])


UNARY: dict[str, Callable[[Array], Array]] = {
    "chlo::acos": np.arccos,
    "chlo::acosh": np.arccosh,
    "chlo::asin": np.arcsin,
    "chlo::asinh": np.arcsinh,
    "chlo::atan": np.arctan,
    "chlo::atanh": np.arctanh,
    "chlo::cosh": np.cosh,
    "chlo::sinh": np.sinh,
    "chlo::square": np.square,
    "chlo::tan": np.tan,
    "numpy::exp2": np.exp2,
    "numpy::log10": np.log10,
    "numpy::log2": np.log2,
    "numpy::round": np.rint,
    "numpy::trunc": np.trunc,
}
BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "chlo::next_after": np.nextafter,
    "numpy::copysign": np.copysign,
    "numpy::floor_divide": np.floor_divide,
    "numpy::hypot": np.hypot,
    "numpy::logaddexp": np.logaddexp,
    "numpy::power": np.power,
    "numpy::remainder": np.remainder,
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", UNARY)
def test_unary_functions_agree_with_numpy(compute: Compute, kind: str, dtype: str) -> None:
    x = reals(dtype)
    with np.errstate(all="ignore"):
        expected = UNARY[kind](x)
    check_ulps(compute(kind, x), expected, ULPS[dtype])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", BINARY)
def test_binary_functions_agree_with_numpy(compute: Compute, kind: str, dtype: str) -> None:
    x, y = pairs(dtype)
    with np.errstate(all="ignore"):
        expected = BINARY[kind](x, y)
    if kind == "chlo::next_after":
        expected = np.where(x == y, y, expected)  # the array API's rule, which NumPy breaks for float16 zeros
    exact = kind not in ("numpy::hypot", "numpy::logaddexp", "numpy::power")
    # log(exp(x) + exp(y)) crosses zero: there the error is that of the operands.
    absolute = 8 * float(np.finfo(dtype).eps) if kind == "numpy::logaddexp" else 0.0
    check_ulps(compute(kind, x, y), expected, 0.0 if exact else ULPS[dtype], absolute)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("kind", ["numpy::floor_divide", "numpy::remainder"])
def test_integer_division_is_numpys_also_by_zero_and_at_the_minimum(compute: Compute, kind: str, dtype: str) -> None:
    x, y = integer_pairs(dtype)
    with np.errstate(all="ignore"):
        expected = BINARY[kind](x, y)
    np.testing.assert_array_equal(compute(kind, x, y), expected)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_power_wraps_and_truncates_negative_exponents(compute: Compute, dtype: str) -> None:
    info = np.iinfo(dtype)
    bases = [0, 1, 2, 3, info.max] + ([-1, -2] if info.min else [])
    exponents = [0, 1, 2, 5, 70] + ([-1, -2, -7] if info.min else [])
    x, y = (np.array(c, dtype) for c in zip(*itertools.product(bases, exponents), strict=True))
    expected = []
    for base, exponent in zip(x.tolist(), y.tolist(), strict=True):
        if exponent >= 0:
            wrapped = pow(base, exponent, 2**info.bits)
            expected.append(wrapped - 2**info.bits if wrapped > info.max else wrapped)
        else:
            expected.append({1: 1, -1: 1 - 2 * (exponent % 2)}.get(base, 0))
    np.testing.assert_array_equal(compute("numpy::power", x, y), np.array(expected, dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_predicates_agree_with_numpy(compute: Compute, dtype: str) -> None:
    x = reals(dtype)
    np.testing.assert_array_equal(compute("chlo::is_inf", x), np.isinf(x))
    np.testing.assert_array_equal(compute("chlo::is_pos_inf", x), np.isposinf(x))
    np.testing.assert_array_equal(compute("chlo::is_neg_inf", x), np.isneginf(x))
    np.testing.assert_array_equal(compute("numpy::signbit", x), np.signbit(x))


def test_logarithms_of_exact_powers_are_exact(compute: Compute) -> None:
    exponents = np.arange(-1074.0, 1024.0)
    np.testing.assert_array_equal(compute("numpy::log2", np.ldexp(1.0, exponents.astype(int))), exponents)
    tens = np.array([10.0**k for k in range(23)])
    np.testing.assert_array_equal(compute("numpy::log10", tens), np.arange(23.0))


# Error and gamma functions


def special_arguments() -> Array:
    rng = np.random.default_rng(3)
    return np.concatenate([rng.uniform(-6, 6, 400), rng.uniform(-27, 27, 100), 10.0 ** rng.uniform(-20, 2, 100)])


@pytest.mark.parametrize(("kind", "function"), [("chlo::erf", math.erf), ("chlo::erfc", math.erfc)])
def test_error_functions_agree_with_the_c_library(
    compute: Compute, kind: str, function: Callable[[float], float]
) -> None:
    x = np.concatenate([special_arguments(), [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0]])
    expected = np.array([function(v) for v in x.tolist()])
    check_ulps(compute(kind, x), expected, 16)
    single = x.astype(np.float32)
    expected = np.array([function(v) for v in single.tolist()], dtype=np.float32)
    check_ulps(compute(kind, single), expected, 24)
    half = x.astype(np.float16)
    check_ulps(compute(kind, half), np.array([function(v) for v in half.tolist()], dtype=np.float16), 1)


def test_erf_inv_inverts_erf(compute: Compute) -> None:
    y = np.concatenate([np.linspace(-1, 1, 501)[1:-1], 1 - 10.0 ** -np.arange(1, 16.0), [1e-300, -1e-12]])
    x = compute("chlo::erf_inv", y)
    # The condition of erf at x turns a relative error of 2e-15 in x into this much in y.
    slope = 2 / math.sqrt(math.pi) * np.exp(-x * x) * np.abs(x)
    with np.errstate(all="ignore"):
        back = np.array([math.erf(v) for v in x.tolist()])
    assert np.all(np.abs(back - y) <= 2e-15 * slope + 2.3e-16 * np.abs(y))
    edges = compute("chlo::erf_inv", np.array([1.0, -1.0, 0.0, -0.0, 1.5, -1.5, math.nan]))
    np.testing.assert_array_equal(edges, [math.inf, -math.inf, 0.0, -0.0, math.nan, math.nan, math.nan])
    assert math.copysign(1, edges[3]) == -1


def test_lgamma_agrees_with_the_c_library(compute: Compute) -> None:
    x = np.concatenate([special_arguments(), [0.5, 1.0, 2.0, 1e10, 1e300, 171.0, -0.5, -100.5]])
    expected = np.array([math.lgamma(v) for v in x.tolist()])
    np.testing.assert_allclose(compute("chlo::lgamma", x), expected, rtol=1e-14, atol=1e-13)
    single = x[np.abs(x) < 1e30].astype(np.float32)
    expected = np.array([math.lgamma(v) for v in single.tolist()])
    np.testing.assert_allclose(compute("chlo::lgamma", single), expected, rtol=4e-6, atol=1e-5)
    poles = np.array([0.0, -0.0, -1.0, -2.0, -1e10, math.inf, -math.inf])
    np.testing.assert_array_equal(compute("chlo::lgamma", poles), np.full(7, math.inf))
    assert np.isnan(compute("chlo::lgamma", np.array([math.nan]))[0])


def test_digamma_agrees_with_known_values_and_its_recurrence(compute: Compute) -> None:
    euler = 0.57721566490153286061
    x = np.array([1.0, 0.5, 2.0, 0.25, 10.0, -0.5, 100.0])
    expected = [
        -euler,
        -euler - 2 * math.log(2),
        1 - euler,
        -math.pi / 2 - 3 * math.log(2) - euler,
        2.25175258906672110764,
        2 - euler - 2 * math.log(2),
        4.60016185273808653987,
    ]
    np.testing.assert_allclose(compute("chlo::digamma", x), expected, rtol=1e-14, atol=1e-14)
    y = np.concatenate([np.linspace(-8, 12, 173) + 0.013, 10.0 ** np.linspace(-6, 2, 30)])
    step = compute("chlo::digamma", y + 1) - compute("chlo::digamma", y)
    np.testing.assert_allclose(step, 1 / y, rtol=1e-12, atol=2e-12)
    edges = np.array([0.0, -0.0, -1.0, -7.0, math.inf, -math.inf, math.nan])
    np.testing.assert_array_equal(
        compute("chlo::digamma", edges), [-math.inf, math.inf, math.nan, math.nan, math.inf, math.nan, math.nan]
    )


# Complex


COMPLEX: dict[str, Callable[[Array], Array]] = {
    "chlo::acos": np.arccos,
    "chlo::acosh": np.arccosh,
    "chlo::asin": np.arcsin,
    "chlo::asinh": np.arcsinh,
    "chlo::atan": np.arctan,
    "chlo::atanh": np.arctanh,
    "chlo::conj": np.conj,
    "chlo::cosh": np.cosh,
    "chlo::sinh": np.sinh,
    "chlo::square": np.square,
    "numpy::exp2": np.exp2,
    "numpy::log10": np.log10,
    "numpy::log2": np.log2,
    "numpy::round": np.round,
}


def complex_grid(values: list[float], dtype: str) -> Array:
    out = np.empty(len(values) ** 2, dtype)
    out.real, out.imag = zip(*itertools.product(values, repeat=2), strict=True)
    return out


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("kind", COMPLEX)
def test_complex_functions_agree_with_numpy(compute: Compute, kind: str, dtype: str) -> None:
    eps = float(np.finfo(dtype).eps)
    z = complex_grid([0.0, -0.0, 1.0, -1.0, 0.3, -0.3, 2.5, -2.5, 1e-6, -1e-6, 40.0, -40.0, 1e4, -1e4], dtype)
    with np.errstate(all="ignore"):
        expected = COMPLEX[kind](z)
    actual = compute(kind, z)
    finite = np.isfinite(expected.real) & np.isfinite(expected.imag)
    np.testing.assert_array_equal(finite, np.isfinite(actual.real) & np.isfinite(actual.imag))
    # Relative to the larger part, as C99 implementations state it.
    assert np.all(np.abs(actual[finite] - expected[finite]) <= 16 * eps * np.abs(expected[finite]))
    if kind not in ("chlo::square",):
        for part in ("real", "imag"):
            clear = finite & (np.abs(getattr(expected, part)) > 32 * eps * np.abs(expected))
            same = np.signbit(getattr(actual, part)) == np.signbit(getattr(expected, part))
            assert np.all(same[clear]), z[clear & ~same]


@pytest.mark.parametrize("kind", [k for k in COMPLEX if k != "chlo::square"])
def test_complex_functions_agree_with_numpy_at_infinities_and_nan(compute: Compute, kind: str) -> None:
    special = [0.0, -0.0, 1.5, -1.5, math.inf, -math.inf, math.nan]
    z = complex_grid(special, "complex128")
    with np.errstate(all="ignore"):
        expected = COMPLEX[kind](z)
    actual = compute(kind, z)
    for part in ("real", "imag"):
        wanted, found = getattr(expected, part), getattr(actual, part)
        np.testing.assert_allclose(np.abs(found), np.abs(wanted), rtol=1e-15, err_msg=f"{part}: {z}")


# Along a dimension


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS, "complex64", "complex128"])
@pytest.mark.parametrize("kind", ["argmax", "argmin"])
def test_arg_extrema_take_the_first_occurrence(compute: Compute, kind: str, dtype: str) -> None:
    x = np.random.default_rng(5).integers(0, 3, size=(4, 7, 3)).astype(dtype)
    if dtype.startswith(("float", "complex")):
        x[1, 4:6, :] = math.nan
        x[0, :, 1] = math.inf
        x[0, :, 2] = -math.inf
    for dimension in range(3):
        actual = compute(f"numpy::{kind}", x, dimension=dimension)
        np.testing.assert_array_equal(actual, getattr(np, kind)(x, axis=dimension))


@pytest.mark.parametrize("dtype", ["int8", "uint16", "float32", "complex128"])
@pytest.mark.parametrize(("kind", "function"), [("cumulative_sum", np.cumsum), ("cumulative_prod", np.cumprod)])
def test_cumulative_operations_agree_with_numpy(
    compute: Compute, kind: str, function: Callable[..., Array], dtype: str
) -> None:
    x = np.random.default_rng(5).integers(1, 9, size=(3, 5, 1)).astype(dtype)
    for dimension in range(3):
        actual = compute(f"numpy::{kind}", x, dimension=dimension)
        np.testing.assert_array_equal(actual, function(x, axis=dimension, dtype=x.dtype))


# Lazy tensor core


def test_replication_pad_repeats_edges(compute: Compute) -> None:
    x = np.arange(12.0).reshape(3, 4)
    actual = compute("lazy_tensors::replication_pad", x, padding=(2, 1, 0, 3))
    np.testing.assert_array_equal(actual, np.pad(x, [(0, 3), (2, 1)], mode="edge"))


def test_replication_pad_backward_is_the_adjoint(compute: Compute) -> None:
    x, padding = np.random.default_rng(1).normal(size=(3, 4)), (2, 1, 0, 3)
    gradient = np.random.default_rng(2).normal(size=(6, 7))
    padded = compute("lazy_tensors::replication_pad", x, padding=padding)
    back = compute("lazy_tensors::replication_pad_backward", gradient, x, padding=padding)
    np.testing.assert_allclose((padded * gradient).sum(), (x * back).sum(), rtol=1e-13)


def test_lazy_kinds_with_a_meaning_decompose(compute: Compute) -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(
        compute("lazy_tensors::cast", x, dtype=np.dtype(np.int32)), np.arange(6).reshape(2, 3)
    )
    assert compute("lazy_tensors::ltc_get_dimensions_size", x, dimensions=(0, 1)) == 6
