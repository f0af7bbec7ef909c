"""Elementwise operations give the reference's results, for every dtype and at special values."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.slow

FLOATS = ["float16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]
SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
INTS = SIGNED + UNSIGNED
NUMBERS = INTS + FLOATS + COMPLEX
SPECIAL = [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -2.5, 3.5, 2, 3, 0.1, -9, 30, -30, np.inf, -np.inf, np.nan]


def values(dtype):
    """Special values, extremes and random numbers; odd in number, so that vector loops have a rest."""
    dtype = np.dtype(dtype)
    rng = np.random.default_rng(0)
    if dtype.kind == "b":
        return np.array([False, True, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        wide = rng.integers(info.min, info.max, 16, dtype=dtype, endpoint=True)
        return np.concatenate([np.array([0, 1, 2, 3, 7, info.max, info.max - 1, info.min, info.min + 1], dtype), wide])
    parts = np.concatenate([SPECIAL, rng.normal(size=19) * 2])
    if dtype.kind == "c":
        return np.array([complex(a, b) for a in parts[:22] for b in parts[:22]], dtype)
    return parts.astype(dtype)


def pairs(dtype):
    x = values(dtype)
    if np.dtype(dtype).kind == "c":
        x = x[np.isfinite(x)][::7]
    x, y = np.meshgrid(x, x)
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


#: Tolerance in units of the last place: PyTorch's vector functions are good to 1, NumPy's to 1 to 4.
EXACT = {
    "stablehlo::abs": "if", "stablehlo::ceil": "f", "stablehlo::count_leading_zeros": "iu", "stablehlo::floor": "f",
    "stablehlo::imag": "fc", "stablehlo::is_finite": "f", "stablehlo::negate": "iufc", "stablehlo::not": "biu",
    "stablehlo::popcnt": "iu", "stablehlo::real": "fc", "stablehlo::round_nearest_afz": "f",
    "stablehlo::round_nearest_even": "f", "stablehlo::sign": "if", "chlo::conj": "fc", "chlo::is_inf": "f",
    "chlo::is_neg_inf": "f", "chlo::is_pos_inf": "f", "chlo::square": "iuf", "numpy::round": "iufc",
    "numpy::signbit": "f", "numpy::trunc": "iuf",
}  # fmt: skip
NEAR = {
    "stablehlo::abs": "c", "stablehlo::cbrt": "f", "stablehlo::cosine": "fc", "stablehlo::exponential": "fc",
    "stablehlo::exponential_minus_one": "fc", "stablehlo::log": "fc", "stablehlo::log_plus_one": "f",
    "stablehlo::logistic": "f", "stablehlo::rsqrt": "f", "stablehlo::sine": "fc", "stablehlo::tan": "fc",
    "stablehlo::tanh": "fc", "chlo::acos": "fc", "chlo::acosh": "fc", "chlo::asin": "fc", "chlo::asinh": "fc",
    "chlo::atan": "fc", "chlo::atanh": "fc", "chlo::cosh": "fc", "chlo::erf": "f", "chlo::sinh": "fc",
    "chlo::tan": "fc", "numpy::exp2": "f", "numpy::log10": "fc", "numpy::log2": "fc", "stablehlo::sign": "c",
    "stablehlo::sqrt": "fc",
}  # fmt: skip


def cases(table, dtypes=("bool", *NUMBERS)):
    return [(name, dtype) for name, kinds in table.items() for dtype in dtypes if np.dtype(dtype).kind in kinds]


@pytest.mark.parametrize(("name", "dtype"), cases(EXACT))
def test_exact_functions(graph, name, dtype):
    graph.check_op(name, values(dtype), signs=True)


@pytest.mark.parametrize(("name", "dtype"), cases(NEAR))
def test_functions_within_a_few_ulp(graph, name, dtype):
    # PyTorch's and NumPy's vector loops are good to 1 and 4 ulp; a part of a complex result may cancel.
    x = values(dtype)
    if np.dtype(dtype).kind == "c":
        graph.check_op(name, x, rtol=8, atol=8)
    else:
        graph.check_op(name, x, rtol=6)


REMAINDERS = ("stablehlo::divide", "stablehlo::remainder", "numpy::floor_divide", "numpy::remainder")
BINARY = {
    "stablehlo::add": "biufc", "stablehlo::subtract": "iufc", "stablehlo::multiply": "biuf", "stablehlo::and": "biu",
    "stablehlo::or": "biu", "stablehlo::xor": "biu", "stablehlo::maximum": "biufc", "stablehlo::minimum": "biufc",
    "stablehlo::divide": "iuf", "stablehlo::remainder": "iuf", "numpy::floor_divide": "iuf",
    "numpy::remainder": "iuf", "chlo::next_after": "f", "numpy::copysign": "f", "stablehlo::power": "iu",
    "numpy::power": "iu", "stablehlo::shift_left": "iu", "stablehlo::shift_right_arithmetic": "iu",
    "stablehlo::shift_right_logical": "iu",
}  # fmt: skip


@pytest.mark.parametrize(("name", "dtype"), cases(BINARY))
def test_exact_functions_of_two_operands(graph, name, dtype):
    # Which of 0.0 and -0.0 is the larger one is nobody's business.
    graph.check_op(name, *pairs(dtype), signs="imum" not in name)


NEAR_BINARY = {
    "stablehlo::atan2": "f", "stablehlo::power": "f", "numpy::power": "f", "numpy::hypot": "f",
    "numpy::logaddexp": "f", "stablehlo::multiply": "c", "stablehlo::divide": "c",
}  # fmt: skip


@pytest.mark.parametrize(("name", "dtype"), cases(NEAR_BINARY))
def test_functions_of_two_operands_within_a_few_ulp(graph, name, dtype):
    # As above; PyTorch and NumPy round parts of complex products and quotients at other places.
    # `logaddexp` is a sum that cancels where the result is near 0.
    atol = 32 if np.dtype(dtype).kind == "c" else 4 if name == "numpy::logaddexp" else 0
    graph.check_op(name, *pairs(dtype), rtol=8, atol=atol)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_complex_powers(graph, dtype):
    x, y = pairs(dtype)
    x, y = x[np.abs(y) < 3], y[np.abs(y) < 3]
    # exp(y log x): the error of the logarithm grows with y and with the result, which is up to 1e4 here.
    graph.check_op("stablehlo::power", x, y, rtol=512, atol=512)
    zero, cases_ = np.zeros(4, dtype), np.array([0, 1, -1, 1j], dtype)
    graph.check_op("numpy::power", zero, cases_)


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("name", REMAINDERS)
def test_division_by_constants(graph, name, dtype):
    if np.dtype(dtype).kind == "c":
        return
    x = graph.parameter(values(dtype))
    for divisor in (0, 1, 3) if np.dtype(dtype).kind == "u" else (0, 1, -1, 3, -3):
        constant = graph.expand(graph.constant(np.array(divisor, dtype)), *x.shape)
        # The only difference is where NumPy rounds: `x / 3` of floats is one division on both.
        graph.check(graph.op(name, x, constant))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5])
def test_constant_exponents(graph, dtype, exponent):
    kind = np.dtype(dtype).kind
    if (kind in "iu" and exponent == 0.5) or (kind == "u" and exponent < 0):
        return
    x = values(dtype)
    x = x[np.isfinite(x)] if np.dtype(dtype).kind == "c" else x
    base, constant = graph.parameter(x), graph.constant(np.array(exponent, dtype))
    wide = {"float16": 4, "complex64": 64, "complex128": 64}.get(dtype, 8)
    graph.check(graph.op("stablehlo::power", base, graph.expand(constant, *x.shape)), rtol=wide, atol=wide)


@pytest.mark.parametrize("dtype", ["bool", *NUMBERS])
@pytest.mark.parametrize("direction", ["EQ", "NE", "LT", "LE", "GT", "GE"])
def test_comparisons(graph, dtype, direction):
    x = values(dtype)[:60]
    graph.check_op("stablehlo::compare", *map(np.copy, np.meshgrid(x, x)), comparison_direction=direction)


@pytest.mark.parametrize("dtype", FLOATS)
def test_total_order(graph, dtype):
    x = np.array([-np.nan, -np.inf, -1, -0.0, 0.0, 1, np.inf, np.nan], dtype)
    x[0], x[-1] = np.copysign(x[0], -1), np.copysign(x[-1], 1)
    x, y = map(np.copy, np.meshgrid(x, x))
    for direction in ("LT", "GE", "EQ"):
        graph.check_op("stablehlo::compare", x, y, comparison_direction=direction, compare_type="TOTALORDER")


@pytest.mark.parametrize("target", ["bool", *NUMBERS])
@pytest.mark.parametrize("source", ["bool", *NUMBERS])
def test_conversions(graph, source, target):
    x = values(source)
    if np.dtype(source).kind in "fc" and np.dtype(target).kind in "iu":
        # Out of range too, but where NumPy's own vector and scalar loops differ (uint32 and uint64).
        x = np.concatenate([x, np.array([127.5, 200, 256, -129, 40000], source)])
        if np.dtype(target).name in ("uint32", "uint64"):
            x = np.array([0, 1.9, 255, 30000, 3.5], source)
    graph.check_op("stablehlo::convert", x, dtype=np.dtype(target))
    graph.check_op("stablehlo::convert", x[1], dtype=np.dtype(target))
    constant = graph.constant(x[1])
    graph.check(graph.op("stablehlo::convert", graph.expand(constant, 3), dtype=np.dtype(target)))


@pytest.mark.parametrize("dtype", ["bool", *NUMBERS])
def test_select_and_clamp(graph, dtype):
    x = values(dtype)[:16]
    y, mask = x[::-1].copy(), np.arange(len(x)) % 3 == 0
    graph.check_op("stablehlo::select", mask, x, y)
    for pred in (np.True_, np.False_):
        graph.check_op("stablehlo::select", pred, x, y)
    low, high = sorted(x[~np.isnan(x)][1:3]) if np.dtype(dtype).kind != "b" else (np.False_, np.True_)
    graph.check_op("stablehlo::clamp", low, x, high)
    graph.check_op("stablehlo::clamp", np.full_like(x, low), x, high)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parts_of_complex_numbers(graph, dtype):
    x, y = values(dtype), values(dtype)[::-1].copy()
    graph.check_op("stablehlo::complex", x, y)
    z = graph.op("stablehlo::complex", *graph.parameters)
    graph.check(graph.op("stablehlo::real", z), graph.op("stablehlo::imag", z), graph.op("stablehlo::imag", z))


def test_special_functions(graph):
    x = np.array([0.1, -0.5, 0.9, 2.5, 7.0, -3.3, 0.0, 30.0])
    # The reference evaluates its own formulas (docs: relative error up to 2e-15, on top of 1e-14 absolute).
    for name in ("chlo::erf", "chlo::erfc", "chlo::lgamma", "chlo::digamma"):
        graph.check_op(name, x, rtol=64, atol=64)
    graph.check_op("chlo::erf_inv", np.array([0.0, 0.5, -0.9, 0.999, 1.0, -1.0]), rtol=64, atol=16)


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint32", "complex64", "bool"])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0), (2, 3, 4)])
def test_shapes(graph, dtype, shape):
    x = np.resize(values(dtype)[:9], shape)
    graph.check_op("stablehlo::add", x, x)
    graph.check_op("stablehlo::maximum", x, x)


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint64", "complex64", "bool"])
def test_broadcasts_are_not_made_before_they_are_needed(graph, dtype):
    x = graph.parameter(np.resize(values(dtype)[:9], (3, 4)))
    row = graph.parameter(np.resize(values(dtype)[:9], 4))
    scalar = graph.parameter(values(dtype)[1])
    rows, scalars = graph.expand(row, 3, 4), graph.expand(scalar, 3, 4)
    graph.check(graph.op("stablehlo::add", x, rows), graph.op("stablehlo::add", rows, scalars), rows, scalars)
    assert "expand" not in graph.lower(graph.op("stablehlo::add", x, rows)).text
