"""Indices mean what they mean in NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.errors import LatebindError, OutOfBoundsError, ShapeMismatchError

BOUNDS = (None, -4, -3, -1, 0, 1, 2, 3, 4)
STEPS = (None, -3, -2, -1, 1, 2, 3)


@pytest.mark.parametrize("extent", [0, 1, 3])
def test_every_slice_of_a_short_axis(extent: int) -> None:
    host = np.arange(extent)
    lazy = lb.asarray(host)
    slices = [slice(*parts) for parts in itertools.product(BOUNDS, BOUNDS, STEPS)]
    expected = [host[one] for one in slices]
    found = [lazy[one] for one in slices]
    lb.mark_step()
    for one, ours, theirs in zip(slices, found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=str(one))


@pytest.mark.parametrize("step", STEPS)
def test_every_slice_of_a_short_axis_assigned(step: int | None) -> None:
    for start, stop in itertools.product(BOUNDS, BOUNDS):
        key = slice(start, stop, step)
        host = np.arange(4)
        lazy = lb.asarray(host)
        value = 10 + np.arange(host[key].size)
        host[key] = value
        lazy[key] = lb.asarray(value)
        np.testing.assert_array_equal(lazy, host, err_msg=str(key))


ENTRIES: list[Any] = [1, -1, slice(None), slice(1, None), None, Ellipsis, [1, 0], np.array([[0, 1], [1, 1]]), True]


@pytest.mark.parametrize("key", list(itertools.product(ENTRIES, repeat=2)), ids=repr)
def test_every_pair_of_entries_reads_and_writes_as_numpy(key: tuple[Any, Any]) -> None:
    host = np.arange(24).reshape(2, 3, 4)
    _compare(host, key)


@pytest.mark.parametrize("key", list(itertools.combinations_with_replacement(ENTRIES[:8], 3)), ids=repr)
def test_three_entries_read_and_write_as_numpy(key: tuple[Any, Any, Any]) -> None:
    host = np.arange(16).reshape(2, 2, 2, 2)
    for order in {id(one): one for one in itertools.permutations(key)}.values():
        _compare(host, order)


def _compare(host: np.ndarray, key: Any) -> None:
    lazy = lb.asarray(host)
    try:
        expected = host[key]
    except IndexError:
        with pytest.raises(IndexError):
            lazy[key]
        return
    np.testing.assert_array_equal(lazy[key], expected, err_msg=str(key))
    host = host.copy()
    host[key] = -5
    lazy[key] = -5
    np.testing.assert_array_equal(lazy, host, err_msg=str(key))


def test_an_index_that_is_data_is_not_read() -> None:
    lazy = lb.arange(5) * 10
    position = lb.sum(lb.asarray([1, 2]))
    found = lazy[position]
    assert found.shape == ()
    assert int(found) == 30


def test_a_mask_closes_the_recording_only_where_its_values_are_needed(executor: Any) -> None:
    lazy = lb.arange(5)
    steps = executor.metrics.counter("Recordings")
    lazy[lazy > 2] = 0
    lazy[lazy == 0] += 1
    assert executor.metrics.counter("Recordings") > steps
    steps = executor.metrics.counter("Recordings")
    lazy[lazy > 1] = lb.asarray(9)
    assert executor.metrics.counter("Recordings") == steps
    np.testing.assert_array_equal(lazy, [1, 1, 9, 1, 1])


@pytest.mark.parametrize("value", [7, 7.9, np.float32(7), np.array(7), [7]])
def test_a_value_is_converted_when_it_is_assigned(value: Any) -> None:
    lazy = lb.zeros(3, dtype=lb.int8)
    lazy[1] = value
    lazy[2:] = lb.asarray(value)
    assert lazy.dtype == lb.int8
    np.testing.assert_array_equal(lazy, [0, 7, 7])


def test_where_indices_repeat_the_last_value_stays() -> None:
    lazy = lb.zeros(3)
    lazy[[1, 1, 1]] = [1, 2, 3]
    np.testing.assert_array_equal(lazy, [0, 3, 0])


@pytest.mark.parametrize("kind", ["host", "list", "data"])
def test_negative_indices_in_arrays_count_from_the_end(kind: str) -> None:
    host = np.array([-1, 0, -3])
    index: Any = {"host": host, "list": host.tolist(), "data": lb.asarray(host)}[kind]
    np.testing.assert_array_equal(lb.arange(3)[index], [2, 0, 0])


@pytest.mark.parametrize("index", [3, -4])
def test_an_index_out_of_bounds_is_an_error_when_it_is_recorded(index: int) -> None:
    lazy = lb.arange(3)
    message = f"index {index} is out of bounds for axis 0 with size 3"
    for key in (index, [0, index], np.array([index]), np.int64(index)):
        with pytest.raises(OutOfBoundsError, match=message):
            lazy[key]
        with pytest.raises(OutOfBoundsError, match=message):
            lazy[key] = 0
    np.testing.assert_array_equal(lazy, [0, 1, 2])


@pytest.mark.parametrize("index", [3, -4])
def test_an_index_out_of_bounds_that_is_data_is_an_error_at_the_first_use(any_executor: object, index: int) -> None:
    lazy, bad = lb.arange(3), lb.asarray([0, index])
    message = rf"^(.*test_indexing.py:\d+: )?index {index} is out of bounds for axis 0 with size 3$"
    with pytest.raises(OutOfBoundsError, match=message):
        np.asarray(lazy[bad] + 1)
    with pytest.raises(OutOfBoundsError, match=message):
        np.asarray(lb.take(lazy, bad, axis=0))
    with pytest.raises(OutOfBoundsError, match=message):
        np.asarray(lb.take_along_axis(lazy, bad))
    np.testing.assert_array_equal(lazy, [0, 1, 2])


def test_an_assignment_out_of_bounds_poisons_only_what_depends_on_it() -> None:
    lazy, other = lb.arange(3), lb.arange(3)
    lazy[lb.asarray([5])] = 1
    independent = other + 1
    with pytest.raises(OutOfBoundsError):
        np.asarray(lazy)
    with pytest.raises(OutOfBoundsError):
        np.asarray(lazy + 1)
    np.testing.assert_array_equal(independent, [1, 2, 3])


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (slice(None, None, 0), ValueError, "slice step cannot be zero"),
        (slice(0.5, 1), TypeError, "not a slice of integers"),
    ],
)
def test_what_is_no_slice_is_numpys_error(key: slice, error: type[Exception], message: str) -> None:
    lazy = lb.zeros((2, 3))
    with pytest.raises(error, match=message):
        lazy[key]
    with pytest.raises(LatebindError, match=message):
        lazy[key] = 1


def test_an_ellipsis_that_stands_for_no_axis_separates_index_arrays() -> None:
    host = np.arange(12).reshape(3, 4)
    lazy = lb.asarray(host)
    np.testing.assert_array_equal(lazy[None, [0, 1], ..., 0], host[None, [0, 1], ..., 0])
    np.testing.assert_array_equal(lazy[[0, 1], ..., [0, 1]], host[[0, 1], ..., [0, 1]])


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ((0, 0, 0), "too many indices: the array has 2 dimensions, but 3 were indexed"),
        (1.5, "only integers, slices.* got 1.5"),
        ("a", "only integers, slices.* got 'a'"),
        ((Ellipsis, Ellipsis), "only one ellipsis"),
        (np.array([0.5]), "got an array of float64"),
        (np.array([True]), r"a boolean index of shape \(1,\) does not fit an array of shape \(2, 3\)"),
    ],
)
def test_what_is_no_index_is_an_index_error(key: Any, message: str) -> None:
    lazy = lb.zeros((2, 3))
    with pytest.raises(IndexError, match=message):
        lazy[key]
    with pytest.raises(LatebindError, match=message):
        lazy[key] = 1


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (0, 0)])
def test_a_mask_without_elements_chooses_nothing_as_in_numpy(shape: tuple[int, ...]) -> None:
    host, mask = np.ones((2, 3)), np.zeros(shape, bool)
    lazy = lb.asarray(host)
    for key in (mask, lb.asarray(mask)):
        found = np.asarray(lazy[key])
        assert found.shape == host[mask].shape and found.dtype == host.dtype
        lazy[key] = 5
    np.testing.assert_array_equal(lazy, host)


@pytest.mark.parametrize("shape", [(3, 0), (0, 2), (2, 3, 0)])
def test_a_mask_without_elements_has_to_fit_along_its_other_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(IndexError, match="a boolean index of shape"):
        lb.ones((2, 3))[np.zeros(shape, bool)]


@pytest.mark.parametrize("key", [slice(0, 2), [0, 1], (slice(None), 0), Ellipsis])
def test_an_assignment_that_does_not_broadcast_is_refused_and_changes_nothing(key: Any) -> None:
    lazy = lb.zeros((2, 3))
    with pytest.raises(ShapeMismatchError, match=r"a value of shape .* does not broadcast to the region"):
        lazy[key] = lb.ones((5, 5))
    np.testing.assert_array_equal(lazy, np.zeros((2, 3)))


def test_an_index_that_moves_in_a_loop_compiles_no_program_per_position(make_executor: Any) -> None:
    executor = make_executor(interpretations=0)
    lazy = lb.zeros(50)
    for position in range(1, 50):
        lazy[position] = lazy[position - 1] + 1
        lb.mark_step()
    compiled = sum(executor.metrics.counter(name) for name in ("UncachedCompile", "ScalarPromotion", "VariantCompile"))
    assert compiled <= 5
    np.testing.assert_array_equal(lazy, np.arange(50.0))


def test_a_mask_s_elements_are_taken_and_set_at_once_where_values_are_host_arrays() -> None:
    """The mask is read anyway: nothing is recorded, and no index arrays are made."""
    with lb.build_container(backend="numpy") as made:
        host = np.linspace(-2.0, 2.0, 12).reshape(3, 4)
        x = lb.asarray(host)
        inside = x > 0
        tape = made.executor().ground().tape
        chosen = x[inside]
        assert not tape().records  # the comparison was run, the choice not recorded
        x[inside] = chosen * 2.0  # pending when it is assigned
        assert not tape().records
        expected = host.copy()
        expected[host > 0] *= 2.0
        np.testing.assert_array_equal(x, expected)
        rows = lb.asarray(host)[1:]  # a view: the write reaches its base
        rows[rows < 0] = lb.asarray([7.0, 8.0])
        expected = host[1:].copy()
        expected[expected < 0] = [7.0, 8.0]
        np.testing.assert_array_equal(rows, expected)


def test_values_that_do_not_fit_a_mask_are_refused() -> None:
    x = lb.arange(4.0)
    with pytest.raises(lb.errors.ShapeMismatchError):
        x[x > 1] = lb.asarray([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(x, np.arange(4.0))
