"""Dtypes promote as NumPy 2's do: arrays by dtype, Python numbers weakly."""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.array import dtypes
from latebind.errors import DTypeMismatchError, ScalarRangeError

PAIRS = list(itertools.product(dtypes.ALL, repeat=2))
SCALARS: list[Any] = [True, 1, 1.5, 2j, np.float32(1), np.int8(1), np.float64(1)]


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "floor_divide", "pow", "equal", "less", "bitwise_and"])
def test_every_pair_of_dtypes(name: str) -> None:
    ufunc = {"pow": np.power}.get(name, getattr(np, name, None))
    for first, second in PAIRS:
        x, y = lb.ones((2,), dtype=first), lb.ones((2,), dtype=second)
        try:
            expected = ufunc(np.ones(2, first), np.ones(2, second)).dtype
        except TypeError:
            with pytest.raises(DTypeMismatchError, match=f"{ufunc.__name__} is not defined for"):
                getattr(lb, name)(x, y)
        else:
            assert getattr(lb, name)(x, y).dtype == expected, (name, first, second)


def test_result_type_of_every_pair() -> None:
    for first, second in PAIRS:
        expected = np.result_type(first, second)
        assert lb.result_type(first, second) == expected
        assert lb.result_type(lb.zeros(1, dtype=first), second) == expected
        assert lb.result_type(lb.zeros(1, dtype=first), np.zeros(1, second)) == expected


@pytest.mark.parametrize("scalar", SCALARS, ids=repr)
@pytest.mark.parametrize("symbol", ["add", "sub", "mul", "truediv", "lt", "eq"])
def test_scalars_are_weak_if_they_are_python_s(symbol: str, scalar: Any) -> None:
    function = getattr(operator, symbol)
    for dtype in dtypes.ALL:
        host, lazy = np.ones(2, dtype), lb.ones((2,), dtype=dtype)
        for ours, theirs in (((lazy, scalar), (host, scalar)), ((scalar, lazy), (scalar, host))):
            try:
                expected = function(*theirs)
            except TypeError:
                with pytest.raises(DTypeMismatchError):
                    function(*ours)
                continue
            found = function(*ours)
            assert found.dtype == expected.dtype, (symbol, dtype, scalar)
            np.testing.assert_array_equal(found, expected)


def test_result_type_of_scalars_is_weak() -> None:
    assert lb.result_type(lb.float32, 1.5) == lb.float32
    assert lb.result_type(lb.zeros(1, dtype=lb.int8), 1) == lb.int8
    assert lb.result_type(lb.int8, 1.5) == lb.float64
    assert lb.result_type(1, 2.5) == lb.float64
    assert lb.result_type(lb.float32, np.float64(1)) == lb.float64


def test_scalars_are_weak_beside_numpy_arrays_too() -> None:
    assert lb.add(1, np.ones(2, np.float32)).dtype == lb.float32
    assert lb.maximum(np.ones(2, np.int8), 1).dtype == lb.int8
    assert lb.add(1, 2.5).dtype == lb.float64
    assert lb.add(True, False).dtype == lb.bool


def test_a_python_integer_that_does_not_fit_is_refused_when_recorded() -> None:
    lazy = lb.ones(2, dtype=lb.uint8)
    for compute in (
        lambda: lazy + 256,
        lambda: -1 * lazy,
        lambda: lb.maximum(lazy, 300),
        lambda: lb.where(lazy, 300, lazy),
    ):
        with pytest.raises(ScalarRangeError, match=r"Python integer .* is out of bounds for uint8"):
            compute()
    assert (lazy + 255).dtype == lb.uint8


@pytest.mark.parametrize("number", [-1, 256, 2**63, -(2**70), 10**400])
@pytest.mark.parametrize("symbol", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_a_comparison_with_an_integer_beyond_the_range_has_a_value(symbol: str, number: int) -> None:
    function = getattr(operator, symbol)
    for dtype in (lb.uint8, lb.int64, lb.uint64):
        host = np.array([0, 5, 255], dtype)
        found = function(lb.asarray(host), number)
        np.testing.assert_array_equal(found, [function(int(one), number) for one in host])
        found = function(number, lb.asarray(host))
        np.testing.assert_array_equal(found, [function(number, int(one)) for one in host])


def test_int64_and_uint64_compare_exactly() -> None:
    signed = np.array([-1, 0, 2**63 - 1], np.int64)[:, None]
    unsigned = np.array([0, 2**63 - 1, 2**63, 2**64 - 1], np.uint64)
    for symbol in ("lt", "le", "gt", "ge", "eq", "ne"):
        function = getattr(operator, symbol)
        np.testing.assert_array_equal(function(lb.asarray(signed), lb.asarray(unsigned)), function(signed, unsigned))
        np.testing.assert_array_equal(function(lb.asarray(unsigned), lb.asarray(signed)), function(unsigned, signed))


@pytest.mark.parametrize("dtype", dtypes.ALL, ids=str)
def test_sums_widen_small_integers_to_the_default(make_executor: Any, dtype: np.dtype[Any]) -> None:
    for name in ("sum", "prod", "cumulative_sum"):
        assert getattr(lb, name)(lb.ones(3, dtype=dtype)).dtype == getattr(np, name)(np.ones(3, dtype)).dtype
    make_executor(default_integral="int32")
    widened = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
    assert lb.sum(lb.ones(3, dtype=dtype)).dtype == np.dtype(widened.get(dtype.name, dtype.name))


def test_default_dtypes_are_the_settings(make_executor: Any) -> None:
    make_executor(default_real="float32", default_integral="int32", default_complex="complex64")
    assert lb.asarray(1.5).dtype == lb.asarray([1.5, 2]).dtype == lb.zeros(2).dtype == lb.float32
    assert lb.asarray(1).dtype == lb.asarray([[1], [2]]).dtype == lb.arange(3).dtype == lb.full(2, 7).dtype == lb.int32
    assert lb.asarray(1j).dtype == lb.asarray([1j]).dtype == lb.linspace(0, 1j, 3).dtype == lb.complex64
    assert lb.linspace(0, 1, 3).dtype == lb.arange(0.0, 1.0).dtype == lb.eye(2).dtype == lb.float32
    assert lb.asarray([np.float64(1)]).dtype == lb.asarray(np.float64(1)).dtype == lb.float64
    assert lb.asarray(True).dtype == lb.bool
    with pytest.raises(ScalarRangeError):
        lb.asarray([2**40])
    assert (lb.zeros(2) + np.float64(1)).dtype == lb.float64  # promotion is NumPy's, whatever the defaults


def test_a_divisor_need_not_fit_the_integers() -> None:
    host = np.arange(3, dtype=np.int8)
    for lazy, numpy in (
        (lb.asarray(host) / 1000, host / 1000),
        (1000 / lb.asarray(host + 1), 1000 / (host + 1)),
        (lb.asarray(host.astype(np.uint8)) / -1, host.astype(np.uint8) / -1),
    ):
        assert lazy.dtype == numpy.dtype
        np.testing.assert_array_equal(lazy, numpy)
