"""Elementwise operations give NumPy's results in the type of the node, and what the contract settles beyond."""

from __future__ import annotations

import numpy as np
import pytest

FLOATS = [np.float16, np.float32, np.float64]
COMPLEX = [np.complex64, np.complex128]
INTS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
SHAPES = [(), (0,), (3, 4)]


def sample(dtype, shape=(3, 4), seed=0):
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        return rng.integers(max(-9, np.iinfo(dtype).min), 9, shape).astype(dtype)
    if dtype.kind == "c":
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    return np.asarray(rng.normal(size=shape)).astype(dtype)


def specials(dtype):
    values = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.5, np.inf, -np.inf, np.nan]
    return np.array(values).astype(dtype)


def expm1(x):
    """C's: where a part of a complex number is not finite, NumPy's own disagrees with its `exp`."""
    if x.dtype.kind != "c":
        return np.expm1(x)
    power = np.exp(x)
    open_ended = np.empty_like(power)
    open_ended.real, open_ended.imag = power.real - 1, power.imag
    return np.where(np.isfinite(x), np.expm1(x), open_ended)


def assert_same(found, expected):
    """Equal; within an ulp for complex numbers, whose loops in NumPy round by alignment (with and without FMA)."""
    if found.dtype.kind == "c":
        np.testing.assert_allclose(found, expected, rtol=2 * np.finfo(found.dtype).eps)
    else:
        np.testing.assert_array_equal(found, expected)


UNARY = {
    "stablehlo::ceil": np.ceil,
    "stablehlo::cosine": np.cos,
    "stablehlo::exponential": np.exp,
    "stablehlo::exponential_minus_one": expm1,
    "stablehlo::floor": np.floor,
    "stablehlo::log": np.log,
    "stablehlo::log_plus_one": np.log1p,
    "stablehlo::negate": np.negative,
    "stablehlo::round_nearest_even": np.rint,
    "stablehlo::sine": np.sin,
    "stablehlo::sqrt": np.sqrt,
    "stablehlo::tan": np.tan,
    "stablehlo::tanh": np.tanh,
    "stablehlo::cbrt": np.cbrt,
    "stablehlo::abs": np.abs,
    "stablehlo::is_finite": np.isfinite,
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
    "chlo::tan": np.tan,
    "chlo::is_inf": np.isinf,
    "chlo::is_pos_inf": np.isposinf,
    "chlo::is_neg_inf": np.isneginf,
    "numpy::exp2": np.exp2,
    "numpy::log2": np.log2,
    "numpy::log10": np.log10,
    "numpy::round": np.round,
    "numpy::signbit": np.signbit,
    "numpy::trunc": np.trunc,
}
ONLY_REAL = {
    "stablehlo::ceil", "stablehlo::floor", "stablehlo::round_nearest_even", "stablehlo::cbrt", "stablehlo::is_finite",
    "chlo::is_inf", "chlo::is_pos_inf", "chlo::is_neg_inf", "numpy::signbit", "numpy::trunc",
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX)
@pytest.mark.parametrize("name", UNARY)
def test_unary_functions_are_numpys(graph, name, dtype):
    if np.dtype(dtype).kind == "c" and name in ONLY_REAL:
        pytest.skip("not defined for complex operands")
    with np.errstate(all="ignore"):
        for x in [sample(dtype, shape) for shape in SHAPES] + [specials(dtype)]:
            assert_same(graph.apply(name, x), UNARY[name](x))


BINARY = {
    "stablehlo::add": np.add,
    "stablehlo::subtract": np.subtract,
    "stablehlo::multiply": np.multiply,
    "stablehlo::maximum": np.maximum,
    "stablehlo::minimum": np.minimum,
}


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX + INTS)
@pytest.mark.parametrize("name", BINARY)
def test_binary_arithmetic_is_numpys(graph, name, dtype):
    with np.errstate(all="ignore"):
        for shape in SHAPES:
            x, y = sample(dtype, shape, 1), sample(dtype, shape, 2)
            assert_same(graph.apply(name, x, y), BINARY[name](x, y))


def next_after(x, y):
    """C's: `y` where the two are equal. NumPy's own gives `x` for two float16 zeros."""
    return np.where(x == y, y, np.nextafter(x, y))


REAL_BINARY = {
    "stablehlo::atan2": np.arctan2,
    "stablehlo::divide": np.divide,
    "stablehlo::power": np.power,
    "stablehlo::remainder": np.fmod,
    "chlo::next_after": next_after,
    "numpy::copysign": np.copysign,
    "numpy::floor_divide": np.floor_divide,
    "numpy::hypot": np.hypot,
    "numpy::logaddexp": np.logaddexp,
    "numpy::power": np.power,
    "numpy::remainder": np.remainder,
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", REAL_BINARY)
def test_binary_functions_of_floats_are_numpys_at_special_values(graph, name, dtype):
    x, y = np.meshgrid(specials(dtype), specials(dtype))
    with np.errstate(all="ignore"):
        expected = REAL_BINARY[name](x, y)
    np.testing.assert_array_equal(graph.apply(name, x, y), expected)
    np.testing.assert_array_equal(np.signbit(graph.apply(name, x, y)), np.signbit(expected))


@pytest.mark.parametrize("dtype", INTS)
def test_integers_wrap(graph, dtype):
    top = np.array([np.iinfo(dtype).max, np.iinfo(dtype).min], dtype)
    one = np.ones(2, dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(graph.apply("stablehlo::add", top, one), top + one)
        np.testing.assert_array_equal(graph.apply("stablehlo::add", top[0], one[0]), top[0] + one[0])
        np.testing.assert_array_equal(graph.apply("stablehlo::negate", top[1]), -top[1])


@pytest.mark.parametrize("dtype", INTS)
def test_integer_division_truncates_and_gives_zero_for_zero(graph, dtype):
    info = np.iinfo(dtype)
    values = [info.min, info.max, 0, 1, 2, 3, 7] + ([-1, -2, -3, -7] if info.min < 0 else [])
    x, y = np.meshgrid(np.array(values, dtype), np.array(values, dtype))
    quotient = [0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
                for a, b in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)]  # fmt: skip
    rest = [
        0 if b == 0 else a - q * b for a, b, q in zip(x.ravel().tolist(), y.ravel().tolist(), quotient, strict=True)
    ]
    quotient = [q - 2 ** (8 * info.dtype.itemsize) if q > info.max else q for q in quotient]
    np.testing.assert_array_equal(graph.apply("stablehlo::divide", x, y).ravel(), np.array(quotient, dtype))
    np.testing.assert_array_equal(graph.apply("stablehlo::remainder", x, y).ravel(), np.array(rest, dtype))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(graph.apply("numpy::floor_divide", x, y), x // y)
        np.testing.assert_array_equal(graph.apply("numpy::remainder", x, y), x % y)


def test_integer_division_of_scalars(graph):
    for a, b, q in [(-7, 2, -3), (7, -2, -3), (7, 0, 0), (-7, 0, 0), (-8, 2, -4)]:
        assert graph.apply("stablehlo::divide", np.int32(a), np.int32(b)) == q


def test_integer_powers(graph):
    x = np.array([2, 3, -1, 1, 0, 5, -1, -1, 1, 0, 2], np.int32)
    y = np.array([10, 40, 3, 9, 0, -1, -3, -2, -7, -1, 40], np.int32)
    expected = [
        pow(a, b) if b >= 0 else {1: 1, -1: (-1) ** -b}.get(a, 0) for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
    wrapped = np.array([(int(v) + 2**31) % 2**32 - 2**31 for v in expected], np.int32)
    for name in ("stablehlo::power", "numpy::power"):
        np.testing.assert_array_equal(graph.apply(name, x, y), wrapped)
        np.testing.assert_array_equal(graph.apply(name, x[5], y[5]), wrapped[5])


@pytest.mark.parametrize("exponent", [2.0, 0.5, -1.0, 1.0, 3.0, 0.0])
def test_constant_exponents_give_what_numpys_operator_gives(graph, exponent):
    x = np.abs(sample(np.float32, (50,)))
    base = graph.parameter(x)
    scalar = graph.expand(graph.constant(np.float32(exponent)), 50)
    np.testing.assert_array_equal(graph.run(graph.op("stablehlo::power", base, scalar))[0], x**exponent)


def test_constant_integer_exponents(graph):
    x = np.arange(-4, 5)
    base = graph.parameter(x)
    for exponent, expected in [(2, x**2), (3, x**3), (0, x**0), (-1, [0, 0, 0, -1, 0, 1, 0, 0, 0])]:
        value = graph.op("stablehlo::power", base, graph.expand(graph.constant(np.int64(exponent)), 9))
        np.testing.assert_array_equal(graph.run(value)[0], expected)


@pytest.mark.parametrize("dtype", INTS)
def test_shifts_outside_the_width(graph, dtype):
    width = 8 * np.dtype(dtype).itemsize
    x = np.array([1, np.iinfo(dtype).max, np.iinfo(dtype).min, 5], dtype)
    for amount in (0, 1, width - 1, width, width + 1):
        s = np.full(4, amount, dtype)
        bits = [int(v) % 2**width for v in x]
        left = [(b << amount) % 2**width for b in bits]
        logical = [b >> amount for b in bits]
        arithmetic = [int(v) >> amount for v in x]
        unsigned = np.dtype(f"u{width // 8}")
        assert graph.apply("stablehlo::shift_left", x, s).view(unsigned).tolist() == left
        assert graph.apply("stablehlo::shift_right_logical", x, s).view(unsigned).tolist() == logical
        assert graph.apply("stablehlo::shift_right_arithmetic", x, s).tolist() == arithmetic


@pytest.mark.parametrize("dtype", INTS)
def test_bit_counts(graph, dtype):
    width = 8 * np.dtype(dtype).itemsize
    x = np.array([0, 1, 5, np.iinfo(dtype).max, np.iinfo(dtype).min], dtype)
    bits = [int(v) % 2**width for v in x]
    assert graph.apply("stablehlo::popcnt", x).tolist() == [b.bit_count() for b in bits]
    assert graph.apply("stablehlo::count_leading_zeros", x).tolist() == [width - b.bit_length() for b in bits]
    assert graph.apply("stablehlo::popcnt", x[2]) == 2


@pytest.mark.parametrize("dtype", [np.bool_, *INTS])
def test_bitwise_operations(graph, dtype):
    x, y = sample(dtype, seed=1), sample(dtype, seed=2)
    for name, function in [("and", np.bitwise_and), ("or", np.bitwise_or), ("xor", np.bitwise_xor)]:
        np.testing.assert_array_equal(graph.apply(f"stablehlo::{name}", x, y), function(x, y))
    np.testing.assert_array_equal(graph.apply("stablehlo::not", x), np.invert(x))


def test_sum_and_product_of_booleans_are_or_and_and(graph):
    x, y = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    np.testing.assert_array_equal(graph.apply("stablehlo::add", x, y), x | y)
    np.testing.assert_array_equal(graph.apply("stablehlo::multiply", x, y), x & y)


@pytest.mark.parametrize("dtype", [np.bool_, *FLOATS, *COMPLEX, *INTS])
def test_comparisons(graph, dtype):
    x, y = sample(dtype, seed=1), sample(dtype, seed=2)
    table = {"EQ": np.equal, "NE": np.not_equal, "LT": np.less, "LE": np.less_equal, "GT": np.greater}
    for direction, function in table.items():
        if direction in ("EQ", "NE") or np.dtype(dtype).kind != "c":
            found = graph.apply("stablehlo::compare", x, y, comparison_direction=direction)
            np.testing.assert_array_equal(found, function(x, y))


@pytest.mark.parametrize("dtype", FLOATS)
def test_total_order(graph, dtype):
    ordered = np.array([-np.nan, -np.inf, -1, -0.0, 0.0, 1, np.inf, np.nan], dtype)
    ordered[0] = np.copysign(ordered[0], -1)
    ordered[-1] = np.copysign(ordered[-1], 1)
    found = graph.apply(
        "stablehlo::compare", ordered[:-1], ordered[1:], comparison_direction="LT", compare_type="TOTALORDER"
    )
    assert found.all()


def test_select_takes_zero_dimensional_masks(graph):
    x, y = sample(np.float32, seed=1), sample(np.float32, seed=2)
    mask = sample(bool)
    np.testing.assert_array_equal(graph.apply("stablehlo::select", mask, x, y), np.where(mask, x, y))
    np.testing.assert_array_equal(graph.apply("stablehlo::select", np.True_, x, y), x)
    np.testing.assert_array_equal(graph.apply("stablehlo::select", np.False_, x, y), y)
    np.testing.assert_array_equal(graph.apply("stablehlo::select", np.False_, x[0, 0], y[0, 0]), y[0, 0])


def test_clamp_with_scalar_and_full_bounds(graph):
    x = sample(np.float32)
    low, high = np.float32(-0.5), np.full((3, 4), 0.5, np.float32)
    np.testing.assert_array_equal(graph.apply("stablehlo::clamp", low, x, high), np.clip(x, low, high))
    assert np.isnan(graph.apply("stablehlo::clamp", low, np.float32(np.nan), np.float32(1)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_sign_keeps_nan_and_negative_zero(graph, dtype):
    found = graph.apply("stablehlo::sign", specials(dtype))
    np.testing.assert_array_equal(found, [0, 0, 1, -1, 1, -1, 1, 1, -1, np.nan])
    assert np.signbit(found).tolist()[:2] == [False, True]
    np.testing.assert_array_equal(graph.apply("stablehlo::sign", np.array([-3, 0, 5])), [-1, 0, 1])


def test_round_nearest_away_from_zero(graph):
    x = np.array([0.5, -0.5, 1.5, 2.5, -2.5, 0.49999997, 8388609.0, -0.0, np.inf, np.nan], np.float32)
    expected = [1, -1, 2, 3, -3, 0, 8388609.0, -0.0, np.inf, np.nan]
    np.testing.assert_array_equal(graph.apply("stablehlo::round_nearest_afz", x), np.array(expected, np.float32))


@pytest.mark.parametrize("dtype", FLOATS)
def test_logistic_has_the_right_limits(graph, dtype):
    x = np.array([-1e4, -11.5, -1, 0, 1, 1e4, -np.inf, np.inf, np.nan], dtype)
    wide = 1 / (1 + np.exp(-x.astype(np.float64), where=np.abs(x) < 100, out=np.where(x > 0, 0, np.inf)))
    wide[-1] = np.nan
    # Three roundings: at most 2 ulp of the result.
    np.testing.assert_allclose(graph.apply("stablehlo::logistic", x), wide, rtol=4 * np.finfo(dtype).eps)


def test_rsqrt(graph):
    x = np.array([4.0, 0.25, 0, np.inf], np.float32)
    np.testing.assert_array_equal(graph.apply("stablehlo::rsqrt", x), np.array([0.5, 2, np.inf, 0], np.float32))


def test_complex_parts(graph):
    z = sample(np.complex64)
    np.testing.assert_array_equal(graph.apply("stablehlo::real", z), z.real)
    np.testing.assert_array_equal(graph.apply("stablehlo::imag", z), z.imag)
    np.testing.assert_array_equal(graph.apply("stablehlo::complex", z.real.copy(), z.imag.copy()), z)
    np.testing.assert_array_equal(graph.apply("stablehlo::imag", z.real.copy()), np.zeros((3, 4)))
    np.testing.assert_array_equal(graph.apply("stablehlo::complex", np.float64(1), np.float64(2)), 1 + 2j)


DTYPES = [np.bool_, *INTS, *FLOATS, *COMPLEX]


@pytest.mark.parametrize("target", DTYPES)
@pytest.mark.parametrize("source", DTYPES)
def test_convert_is_astype(graph, source, target):
    x = np.abs(sample(source)).astype(source)
    with np.errstate(all="ignore"):
        part = x.real if np.dtype(source).kind == "c" and np.dtype(target).kind not in "bc" else x
        expected = part.astype(target)
    np.testing.assert_array_equal(graph.apply("stablehlo::convert", x, dtype=np.dtype(target)), expected)
    found = graph.apply("stablehlo::convert", x[0, 0], dtype=np.dtype(target))
    np.testing.assert_array_equal(found, expected[0, 0])


def test_bitcasts(graph):
    x = sample(np.float32)
    i8, i32, i64 = (np.dtype(name) for name in ("int8", "int32", "int64"))
    np.testing.assert_array_equal(graph.apply("stablehlo::bitcast_convert", x, dtype=i32), x.view(i32))
    np.testing.assert_array_equal(graph.apply("stablehlo::bitcast_convert", x[0, 0], dtype=i32), x[0, 0].view(i32))
    np.testing.assert_array_equal(graph.apply("stablehlo::bitcast_convert", x, dtype=i8), x.view(i8).reshape(3, 4, 4))
    pairs = np.ascontiguousarray(x.reshape(3, 2, 2).transpose(1, 0, 2))
    value = graph.op("stablehlo::transpose", graph.parameter(x.reshape(3, 2, 2)), permutation=(1, 0, 2))
    found = graph.run(graph.op("stablehlo::bitcast_convert", value, dtype=i64))[0]
    np.testing.assert_array_equal(found, pairs.view(i64)[..., 0])


def test_no_warning_leaves_a_computation(graph, recwarn):
    np.testing.assert_array_equal(graph.apply("stablehlo::divide", np.float32(1), np.float32(0)), np.inf)
    graph.apply("stablehlo::convert", np.array([np.nan]), dtype=np.dtype(np.int32))
    graph.apply("stablehlo::convert", np.array([1j]), dtype=np.dtype(np.float64))
    graph.apply("stablehlo::add", np.int8(127), np.int8(1))
    assert not recwarn.list
