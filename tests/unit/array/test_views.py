"""Views share their values with the array that they came from, where NumPy's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.errors import ShapeMismatchError

#: Every way to make a view of a 3 by 4 array, in latebind and in NumPy.
VIEWS: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "row": (lambda x: x[1], lambda x: x[1]),
    "column": (lambda x: x[:, -1], lambda x: x[:, -1]),
    "element": (lambda x: x[1, 2, ...], lambda x: x[1, 2, ...]),
    "everything": (lambda x: x[...], lambda x: x[...]),
    "window": (lambda x: x[1:, 1:3], lambda x: x[1:, 1:3]),
    "every second": (lambda x: x[::2, ::2], lambda x: x[::2, ::2]),
    "backwards": (lambda x: x[::-1, ::-2], lambda x: x[::-1, ::-2]),
    "new axis": (lambda x: x[:, None], lambda x: x[:, None]),
    "T": (lambda x: x.T, lambda x: x.T),
    "mT": (lambda x: x.mT, lambda x: x.mT),
    "permute_dims": (lambda x: lb.permute_dims(x, (1, 0)), lambda x: x.transpose(1, 0)),
    "transpose": (lambda x: x.transpose(), lambda x: x.transpose()),
    "swapaxes": (lambda x: x.swapaxes(0, 1), lambda x: x.swapaxes(0, 1)),
    "moveaxis": (lambda x: lb.moveaxis(x, 0, 1), lambda x: np.moveaxis(x, 0, 1)),
    "matrix_transpose": (lambda x: lb.matrix_transpose(x), lambda x: x.T),
    "reshape": (lambda x: x.reshape(2, 6), lambda x: x.reshape(2, 6)),
    "ravel": (lambda x: x.ravel(), lambda x: x.ravel()),
    "expand_dims": (lambda x: lb.expand_dims(x, 1), lambda x: np.expand_dims(x, 1)),
    "squeeze": (lambda x: lb.squeeze(x[:1], 0), lambda x: x[:1].squeeze(0)),
    "flip": (lambda x: lb.flip(x, axis=1), lambda x: np.flip(x, axis=1)),
    "unstack": (lambda x: lb.unstack(x, axis=1)[2], lambda x: np.unstack(x, axis=1)[2]),
    "reshape of rows": (lambda x: x[1:].reshape(4, 2), lambda x: x[1:].reshape(4, 2)),
    "view of a view of a view": (lambda x: x[1:].T[::2][0], lambda x: x[1:].T[::2][0]),
}

#: Operations whose results are arrays of their own.
COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": lambda x: x.copy(),
    "flatten": lambda x: x.flatten(),
    "reshape of a transpose": lambda x: x.T.reshape(-1),
    "reshape with copy": lambda x: x.reshape(12, copy=True),
    "index array": lambda x: x[[0, 1]],
    "mask": lambda x: x[np.array([True, False, True])],
    "broadcast_to": lambda x: lb.broadcast_to(x, (2, 3, 4)),
    "astype": lambda x: x.astype(x.dtype),
    "roll": lambda x: lb.roll(x, 1),
    "positive": lambda x: +x,
    "sort": lambda x: lb.sort(x),
    "concat": lambda x: lb.concat([x]),
    "clip without bounds": lambda x: lb.clip(x),
}


def pair() -> tuple[Any, np.ndarray]:
    host = np.arange(12.0).reshape(3, 4)
    return lb.asarray(host), host.copy()


@pytest.mark.parametrize("kind", VIEWS)
def test_a_write_through_a_view_changes_the_array(any_executor: object, kind: str) -> None:
    lazy, host = pair()
    ours, theirs = (make(array) for make, array in zip(VIEWS[kind], (lazy, host), strict=True))
    ours *= 10
    theirs *= 10
    np.testing.assert_array_equal(lazy, host)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", VIEWS)
def test_a_write_to_the_array_shows_in_a_view_that_was_taken_before(any_executor: object, kind: str) -> None:
    lazy, host = pair()
    ours, theirs = (make(array) for make, array in zip(VIEWS[kind], (lazy, host), strict=True))
    lazy[1:] = -1
    host[1:] = -1
    lazy += 0.5
    host += 0.5
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", VIEWS)
def test_an_element_assigned_through_a_view_shows_in_another_view(any_executor: object, kind: str) -> None:
    lazy, host = pair()
    ours, theirs = (make(array) for make, array in zip(VIEWS[kind], (lazy, host), strict=True))
    other, its_twin = lazy.T[1:], host.T[1:]
    ours[...] = ours + 100
    theirs[...] = theirs + 100
    np.testing.assert_array_equal(other, its_twin)


@pytest.mark.parametrize("kind", COPIES)
def test_a_write_to_a_copy_leaves_the_array_alone(kind: str) -> None:
    lazy, host = pair()
    copy = COPIES[kind](lazy)
    copy[...] = -1
    copy += 1
    np.testing.assert_array_equal(lazy, host)


@pytest.mark.parametrize("kind", COPIES)
def test_a_write_to_the_array_leaves_a_copy_alone(kind: str) -> None:
    lazy, _ = pair()
    copy = COPIES[kind](lazy)
    before = np.array(copy)
    lazy[...] = -1
    np.testing.assert_array_equal(copy, before)


def test_a_row_subtracted_in_place_changes_the_matrix() -> None:
    matrix, host = pair()
    row = matrix[1]
    row -= row.mean()
    host[1] -= host[1].mean()
    np.testing.assert_array_equal(matrix, host)


def test_an_update_that_overlaps_itself_reads_the_old_values() -> None:
    lazy, host = lb.arange(6), np.arange(6)
    lazy[1:] += lazy[:-1]
    host[1:] += host[:-1]
    np.testing.assert_array_equal(lazy, host)


def test_a_view_outlives_the_name_of_its_array() -> None:
    row = lb.arange(6).reshape(2, 3)[1]
    row += 1
    np.testing.assert_array_equal(row, [4, 5, 6])


def test_a_view_of_a_view_survives_writes_through_each_of_them() -> None:
    base = lb.zeros(4, dtype=lb.int64)
    middle = base[1:]
    end = middle[1:]
    end += 1
    middle += 1
    base += 1
    np.testing.assert_array_equal(base, [1, 2, 3, 3])
    np.testing.assert_array_equal(end, [3, 3])


def test_ravel_of_a_transpose_is_no_view_and_of_a_row_is_one() -> None:
    lazy, host = pair()
    lazy.T.ravel()[...] = 0
    host.T.ravel()[...] = 0
    lazy[1].ravel()[...] = 7
    host[1].ravel()[...] = 7
    np.testing.assert_array_equal(lazy, host)


def test_reshape_without_a_copy_refuses_where_numpy_refuses() -> None:
    lazy, _ = pair()
    assert lazy.reshape(4, 3, copy=False).shape == (4, 3)
    with pytest.raises(ShapeMismatchError, match=r"shape \(4, 3\) cannot be seen as \(12,\) without a copy"):
        lazy.T.reshape(12, copy=False)


def test_an_exported_value_does_not_change_when_the_array_is_written() -> None:
    lazy, host = pair()
    exported = np.asarray(lazy)
    lazy += 1
    lb.mark_step()
    np.testing.assert_array_equal(exported, host)
    with pytest.raises(ValueError, match="read-only"):
        exported[0, 0] = 1


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_the_parts_of_a_complex_array_are_views(dtype: type[np.complexfloating[Any, Any]]) -> None:
    host = np.arange(6, dtype=dtype).reshape(2, 3) * (1 + 2j)
    lazy = lb.asarray(host)
    for x in (host, lazy):
        x.real[0] = 7
        x.imag += 1
        x[1].imag[...] = -1
        x.real = x.real * 2
    np.testing.assert_array_equal(lazy, host)


def test_the_real_part_of_a_real_array_is_a_view_of_it() -> None:
    x = lb.zeros(3)
    x.real[1] = 5
    assert x.tolist() == [0, 5, 0]
    with pytest.raises(TypeError, match="no imaginary part"):
        x.imag = 1
