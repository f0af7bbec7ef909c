"""Set functions agree with NumPy's, NaN and zeros as the standard says, and read no more than they need."""

from __future__ import annotations

import numpy as np
import pytest

import latebind as lb

ARRAYS = [
    np.array([3, 1, 2, 3, 1, 1]),
    np.array([[2.5, -1.0], [2.5, 0.0], [-0.0, 7.0]]),
    np.array([True, False, True]),
    np.array([1 + 2j, 1 - 2j, 1 + 2j]),
    np.array(5, np.uint8),
    np.zeros((0, 3), np.float32),
    np.full(100, 4, np.int16),
]


@pytest.mark.parametrize("x", ARRAYS, ids=lambda x: f"{x.dtype}{list(x.shape)}")
def test_unique_elements_positions_and_counts_are_numpys(x):
    values, indices, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    found = lb.unique_all(lb.asarray(x))
    assert found.values.dtype == x.dtype and found.inverse_indices.shape == x.shape
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.inverse_indices, inverse.reshape(x.shape))
    np.testing.assert_array_equal(found.counts, counts)
    assert {part.dtype for part in found[1:]} == {np.dtype(np.int64)}
    np.testing.assert_array_equal(lb.unique_values(lb.asarray(x)), values)
    both = lb.unique_counts(lb.asarray(x))
    np.testing.assert_array_equal(both.values, values)
    np.testing.assert_array_equal(both.counts, counts)
    again = lb.unique_inverse(lb.asarray(x))
    np.testing.assert_array_equal(np.asarray(again.values)[np.asarray(again.inverse_indices)], x)


def test_each_nan_is_an_element_of_its_own():
    found = lb.unique_all(lb.asarray([np.nan, 1.0, np.nan, 1.0]))
    np.testing.assert_array_equal(found.values, [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(found.counts, [2, 1, 1])
    np.testing.assert_array_equal(found.indices, [1, 0, 2])


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize(
    ("x1", "x2"),
    [
        (np.array([[1, 5], [7, 2]]), np.array([2, 1, 9])),
        (np.array([0.5, np.nan, -0.0]), np.array([np.nan, 0.0])),
        (np.array([3, 4], np.int8), np.array([3.5, 4.0])),
        (np.array([1, 2]), np.zeros(0, np.int64)),
        (np.zeros((0, 2)), np.array([1.0])),
        (np.array(3), np.array([[1, 3]])),
        (np.array([True, False]), np.array([True])),
    ],
    ids=lambda x: f"{x.dtype}{list(x.shape)}" if isinstance(x, np.ndarray) else None,
)
def test_membership_is_numpys(x1, x2, invert):
    found = lb.isin(lb.asarray(x1), lb.asarray(x2), invert=invert)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, np.isin(x1, x2, invert=invert))


def test_membership_takes_python_numbers_on_either_side():
    x = lb.asarray([1, 2, 3], dtype=lb.int16)
    assert np.asarray(lb.isin(x, 2)).tolist() == [False, True, False]
    assert bool(lb.isin(2, x)) and not bool(lb.isin(7, x))


def test_membership_needs_no_values(executor):
    lb.isin(lb.asarray([1, 2]), lb.asarray([2]))
    assert executor.metrics.counter("Recordings") == 0
