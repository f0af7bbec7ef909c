"""What counts as equal, and how a difference is measured."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.backends.shadow.comparison import Tolerance, compare, identical

DEFAULT = Tolerance()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_half_of_the_digits_have_to_agree(dtype):
    epsilon = float(np.finfo(dtype).eps)
    value = np.array([100.0], dtype)
    assert compare(value * (1 + 0.5 * epsilon**0.5), value, DEFAULT) is None
    assert compare(value * (1 + 2 * epsilon**0.5), value, DEFAULT) is not None


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_what_cancels_is_compared_with_the_size_of_the_result(dtype):
    epsilon = float(np.finfo(dtype).eps)
    reference = np.array([1000.0, 0.0], dtype)
    assert compare(np.array([1000.0, 8000 * epsilon], dtype), reference, DEFAULT) is None
    assert compare(np.array([1000.0, 32000 * epsilon], dtype), reference, DEFAULT) is not None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (np.array([np.nan, 1.0]), np.array([np.nan, 1.0]), True),
        (np.array([np.nan, 1.0]), np.array([1.0, 1.0]), False),
        (np.array([np.inf]), np.array([np.inf]), True),
        (np.array([np.inf]), np.array([-np.inf]), False),
        (np.array([np.inf]), np.array([1e308]), False),
        (np.array([0.0]), np.array([-0.0]), True),
        (np.array([complex(np.nan, 1)]), np.array([complex(0, np.nan)]), True),
        (np.array([2**62, 1]), np.array([2**62, 1]), True),
        (np.array([2**62 + 1]), np.array([2**62]), False),
        (np.array([True]), np.array([False]), False),
        (np.array([], np.float64), np.array([], np.float64), True),
        (np.array(3.0), np.array(3.0), True),
        (np.float16([60000]), np.float16([-60000]), False),
    ],
)
def test_what_is_equal(one, other, equal):
    assert (compare(one, other, DEFAULT) is None) is equal


def test_a_difference_is_measured():
    difference = compare(np.array([[1.0, 2.0], [3.5, 5.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]), DEFAULT)
    assert (difference.first, difference.values) == ((1, 0), (3.5, 3.0))
    assert (difference.count, difference.size) == (2, 4)
    # Exact: all numbers are sums of few powers of two.
    assert (difference.absolute, difference.relative) == (1.0, 0.25)
    assert difference.ulp == 2**50, "from 3 to 3.5 there are 2**50 doubles, as many as from 4 to 5"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ulps_count_representable_values_across_zero(dtype):
    smallest = np.finfo(dtype).smallest_subnormal
    difference = compare(np.array([smallest], dtype), np.array([-smallest], dtype), Tolerance(0.0, 0.0))
    assert difference.ulp == 2


def test_integers_have_no_ulp_and_do_not_overflow():
    difference = compare(np.array([2**63 - 1]), np.array([-(2**63)]), DEFAULT)
    assert difference.ulp is None
    assert difference.absolute == float(2**64 - 1)
    assert compare(np.array([True, False]), np.array([True, True]), DEFAULT).first == (1,)


def test_identical_means_the_same_bits():
    assert identical(np.array([np.nan]), np.array([np.nan]))
    assert not identical(np.array([0.0]), np.array([-0.0]))
    assert not identical(np.array([1.0]), np.array([1.0], np.float32))
    assert identical(np.arange(6).reshape(2, 3).T, np.arange(6).reshape(2, 3).T.copy())
