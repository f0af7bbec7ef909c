"""Every elementwise function on every dtype, special values included, gives NumPy's bits.

The NumPy backend calls the same loops of NumPy, so nothing is allowed to differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.property.comparison import assert_same, assert_same_outcome
from tests.property.strategies import ALL, SPECIAL, TAME, arrays, broadcastable, examples

import latebind as lb
from latebind.array.rules.elementwise import UFUNCS

UNARY = sorted(name for name, ufunc in UFUNCS.items() if ufunc.nin == 1 and name != "round")
BINARY = sorted(name for name, ufunc in UFUNCS.items() if ufunc.nin == 2)


@pytest.mark.parametrize("name", UNARY)
@examples(0.3)
@given(x=arrays())
def test_unary_function(name: str, x: np.ndarray) -> None:
    # NumPy's reciprocal of the integer 0 is undefined, and that of complex numbers is not its division; see below.
    assume(name != "reciprocal" or x.dtype.kind not in "iuc" or (x.dtype.kind != "c" and np.all(x != 0)))
    # NumPy's complex expm1 has NaN where its exp has zero or infinity; see below. The standard has other zeros.
    assume(name != "expm1" or x.dtype.kind != "c" or np.all(np.isfinite(x) & (x.real != 0)))
    assume(name != "tanh" or x.dtype.kind != "c" or not np.any(np.isinf(x.real)))
    assert_same_outcome(lambda: getattr(lb, name)(lb.asarray(x)), lambda: UFUNCS[name](x), about=name)


@pytest.mark.parametrize("name", BINARY)
@examples(0.4)
@given(pair=broadcastable(2))
def test_binary_function(name: str, pair: list[np.ndarray]) -> None:
    x, y = pair
    assume(not _is_refused_power(name, x, y))
    assert_same_outcome(lambda: getattr(lb, name)(lb.asarray(x), lb.asarray(y)), lambda: UFUNCS[name](x, y), about=name)


@pytest.mark.parametrize("name", BINARY)
@examples(0.3)
@given(x=arrays(), data=st.data())
def test_binary_function_with_a_python_scalar(name: str, x: np.ndarray, data: st.DataObject) -> None:
    scalar = data.draw(st.sampled_from([True, 0, 1, 3, 100, 0.5, -2.0, 1 + 2j]))
    first = data.draw(st.booleans())
    operands: list[Any] = [scalar, x] if first else [x, scalar]
    assume(not _is_refused_power(name, *operands))
    lazy = [lb.asarray(one) if isinstance(one, np.ndarray) else one for one in operands]
    # NumPy computes with the scalar as an array of its dtype; a 0-d array operand gives a NumPy scalar.
    assert_same_outcome(lambda: getattr(lb, name)(*lazy), lambda: UFUNCS[name](*operands), about=name)


def _is_refused_power(name: str, x: Any, y: Any) -> bool:
    """NumPy refuses negative integer exponents; latebind truncates the reciprocal (docs/semantics.md)."""
    if name != "pow" or np.result_type(x, y).kind not in "iu":
        return False
    return bool(np.any(np.asarray(y) < 0))


@given(x=arrays(ALL[-2:]))
def test_the_reciprocal_of_complex_numbers_is_their_division(x: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        expected = np.ones_like(x) / x
    assert_same(lb.reciprocal(lb.asarray(x)), expected)


@given(x=arrays(ALL[-2:]))
def test_expm1_of_what_is_not_finite_is_the_exponential_less_one(x: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        power = np.exp(x)
        expected = np.where(np.isfinite(x), np.expm1(x), power)
        expected.real = np.where(np.isfinite(x), expected.real, power.real - 1)
    # The standard's zero, which is positive: NumPy's has the sign of the operand's.
    expected.real = np.where(expected.real == 0, 0, expected.real)
    assert_same(lb.expm1(lb.asarray(x)), expected)


@given(x=arrays(ALL[-2:]))
def test_tanh_at_infinity_has_the_standard_s_zero(x: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        expected = np.array(np.tanh(x))
    expected.imag = np.where(np.isinf(x.real), np.copysign(0, x.imag), expected.imag)
    assert_same(lb.tanh(lb.asarray(x)), expected)


@given(x=arrays())
def test_round_takes_halves_to_even(x: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        expected = x if x.dtype.kind == "b" else np.round(x)
    assert_same(lb.round(lb.asarray(x)), expected)


@given(x=arrays())
def test_real_and_imaginary_part(x: np.ndarray) -> None:
    lazy = lb.asarray(x)
    assert_same(lb.real(lazy), x.real)
    assert_same(lb.imag(lazy), x.imag)


@given(found=broadcastable(3, [dtype for dtype in ALL if dtype.kind in "iuf"]), low=st.booleans(), high=st.booleans())
def test_clip(found: list[np.ndarray], low: bool, high: bool) -> None:
    x, least, most = found
    bounds = [bound if present else None for bound, present in ((least, low), (most, high))]
    lazy = [None if bound is None else lb.asarray(bound) for bound in bounds]
    expected = np.clip(x, *bounds) if low or high else x
    assert_same(lb.clip(lb.asarray(x), *lazy), expected, signed_zeros=False)


@given(x=arrays(ALL[1:12]), low=st.sampled_from([None, -1, 0, 1]), high=st.sampled_from([None, 2, 255, 2**40]))
def test_clip_takes_python_bounds_beyond_the_range_of_the_dtype_for_none(
    x: np.ndarray, low: int | None, high: int | None
) -> None:
    assume(x.dtype != np.float16 or high != 2**40)
    expected = x if low is None and high is None else np.clip(x, low, high)
    assert_same(lb.clip(lb.asarray(x), low, high), expected, signed_zeros=False)


@given(x=arrays(), data=st.data())
def test_astype_converts_as_numpy_does(x: np.ndarray, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(ALL))
    assume(x.dtype.kind != "c" or dtype.kind in "cb")
    # What C leaves undefined, NumPy's vector loops and scalar loops compute differently; the length selects the loop.
    assume(x.dtype.kind != "f" or dtype.kind not in "iu" or np.all(np.isfinite(x) & (np.abs(x) < 100)))
    with np.errstate(all="ignore"):
        expected = x.astype(dtype)
    assert_same(lb.astype(lb.asarray(x), dtype), expected)


@given(found=broadcastable(3))
def test_where(found: list[np.ndarray]) -> None:
    condition, x, y = found
    assert_same(lb.where(lb.asarray(condition), lb.asarray(x), lb.asarray(y)), np.where(condition.astype(bool), x, y))


@given(x=arrays(), condition=st.booleans(), scalar=st.sampled_from([True, 2, 0.5, 1j]))
def test_where_with_a_python_scalar_keeps_the_array_s_kind(x: np.ndarray, condition: bool, scalar: Any) -> None:
    mask = np.full(x.shape, condition)
    assert_same(lb.where(lb.asarray(mask), lb.asarray(x), scalar), np.where(mask, x, scalar))


def test_the_values_tried_cover_every_dtype() -> None:
    assert set(SPECIAL) == set(TAME) == set(ALL)
