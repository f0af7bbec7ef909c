"""Values come in as snapshots unless they are shared on purpose, and go out read-only."""

from __future__ import annotations

import array
import copy
import operator
import pickle
from typing import Any

import numpy as np
import pytest

import latebind as lb

LARGE = 10_000  # elements; buffers this large are donated


def test_asarray_is_a_snapshot_of_memory_that_can_be_written() -> None:
    host = np.zeros(LARGE)
    lazy = lb.asarray(host) + 1
    host[...] = 5
    np.testing.assert_array_equal(lazy, np.ones(LARGE))


@pytest.mark.parametrize("view", [lambda x: x[::2], lambda x: x.T, lambda x: x.reshape(2, -1)])
def test_a_read_only_view_of_memory_that_can_be_written_is_copied(view: Any) -> None:
    host = np.zeros(LARGE)
    shown = view(host)
    shown.flags.writeable = False
    lazy = lb.asarray(shown)
    host[...] = 5
    np.testing.assert_array_equal(lazy, np.zeros(shown.shape))


def test_memory_that_nobody_can_write_is_shared() -> None:
    host = np.zeros(LARGE)
    host.flags.writeable = False
    assert np.shares_memory(np.asarray(lb.asarray(host)), host)
    buffer = np.frombuffer(bytes(8 * LARGE))
    assert np.shares_memory(np.asarray(lb.asarray(buffer)), buffer)
    assert not np.shares_memory(np.asarray(lb.asarray(host, copy=True)), host)


def test_shared_memory_is_never_overwritten() -> None:
    host = np.zeros(LARGE)
    lazy = lb.asarray(host, copy=False)
    assert np.shares_memory(np.asarray(lazy), host)
    for _ in range(5):
        lazy += 1
        lb.mark_step()
    np.testing.assert_array_equal(lazy, np.full(LARGE, 5.0))
    np.testing.assert_array_equal(host, np.zeros(LARGE))


@pytest.mark.parametrize("view", [lambda x: x[::2], lambda x: x.T, lambda x: x[::-1], lambda x: x[1:, 1:]])
def test_shared_memory_may_have_any_strides(view: Any) -> None:
    host = view(np.arange(24.0).reshape(4, 6))
    lazy = lb.asarray(host, copy=False)
    np.testing.assert_array_equal(lazy.reshape(-1) * 2, host.reshape(-1) * 2)
    np.testing.assert_array_equal(lazy.T @ lazy, host.T @ host)
    lazy[0] = 0
    np.testing.assert_array_equal(lazy[1:], host[1:])


@pytest.mark.parametrize(
    "source",
    [
        [1, 2, 3],
        (1.5, 2.5),
        range(4),
        [[True], [False]],
        [],
        [[], []],
        5,
        2.5,
        1j,
        True,
        np.float32(1.5),
        np.arange(3, dtype=">i4"),
        np.ma.masked_array([1, 2]),
        array.array("d", [1.0, 2.0]),
        memoryview(b"abc"),
        bytearray(b"abc"),
    ],
    ids=lambda source: type(source).__name__,
)
def test_asarray_takes_what_numpy_takes(source: Any) -> None:
    expected = np.asarray(source)
    found = lb.asarray(source)
    assert found.dtype == expected.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, expected)


def test_a_buffer_that_can_be_written_is_copied() -> None:
    buffer = bytearray(b"abc")
    lazy = lb.asarray(buffer)
    buffer[0] = 0
    np.testing.assert_array_equal(lazy, list(b"abc"))


def test_asarray_of_an_array_is_the_array_unless_something_is_asked_for() -> None:
    lazy = lb.ones(3)
    assert lb.asarray(lazy) is lazy
    assert lb.asarray(lazy, dtype=lb.float64, copy=False) is lazy
    copied = lb.asarray(lazy, copy=True)
    copied += 1
    np.testing.assert_array_equal(lazy, np.ones(3))
    assert lb.asarray(lazy, dtype=lb.int8).dtype == lb.int8


def test_sequences_that_hold_arrays_stay_lazy(executor: Any) -> None:
    lazy = lb.asarray([1.0, 2.0])
    ran = executor.metrics.counter("Recordings")
    found = lb.asarray([lazy[0], 3, [lazy][0][1]])
    nested = lb.asarray([[lazy, lazy * 2], [lazy, [5, 6]]])
    assert executor.metrics.counter("Recordings") == ran
    np.testing.assert_array_equal(found, [1, 3, 2])
    np.testing.assert_array_equal(nested, [[[1, 2], [2, 4]], [[1, 2], [5, 6]]])
    assert lb.asarray([lazy], dtype=lb.float32).dtype == lb.float32


def test_dlpack_shares_memory_and_never_writes_to_it() -> None:
    host = np.zeros(LARGE)
    lazy = lb.from_dlpack(host)
    assert np.shares_memory(np.asarray(lazy), host)
    lazy += 1
    lb.mark_step()
    np.testing.assert_array_equal(host, np.zeros(LARGE))
    assert not np.shares_memory(np.asarray(lb.from_dlpack(host, copy=True)), host)


def test_dlpack_exports_the_value() -> None:
    lazy = lb.arange(5)
    np.testing.assert_array_equal(np.from_dlpack(lazy), np.arange(5))
    assert lazy.__dlpack_device__() == (1, 0)
    assert lb.from_dlpack(lazy) is lazy


def test_dlpack_with_torch() -> None:
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(lb.from_dlpack(torch.arange(4)), np.arange(4))
    np.testing.assert_array_equal(lb.asarray(torch.arange(4)), np.arange(4))
    exported = torch.from_dlpack(lb.arange(4))
    exported += 1
    np.testing.assert_array_equal(exported.numpy(), [1, 2, 3, 4])


def test_exports_are_read_only_and_copies_are_not() -> None:
    lazy = lb.ones(3)
    shown = np.asarray(lazy)
    assert not shown.flags.writeable
    own = np.array(lazy)
    own[0] = 7
    np.testing.assert_array_equal(lazy, np.ones(3))
    assert np.asarray(lazy, dtype=np.float32).dtype == np.float32
    assert lazy.__array__(copy=True).flags.writeable
    with pytest.raises(ValueError, match="without a copy"):
        lazy.__array__(np.dtype(np.float32), copy=False)


def test_scalars_come_out_as_python_numbers() -> None:
    lazy = lb.asarray([[2.5]])
    assert (float(lazy), int(lazy), bool(lazy), complex(lazy), lazy.item()) == (2.5, 2, True, 2.5 + 0j, 2.5)
    assert operator.index(lb.asarray(3)) == 3
    assert type(lazy.item()) is float
    assert lb.arange(4).reshape(2, 2).tolist() == [[0, 1], [2, 3]]
    assert lb.arange(4).item(2) == 2
    assert f"{lb.asarray(2.5):.2f}" == "2.50"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: lb.asarray(1.5), "Array(1.5, dtype=float64)"),
        (lambda: lb.arange(3), "Array([0, 1, 2], dtype=int64)"),
        (lambda: lb.zeros((0, 2)), "Array([], shape=(0, 2), dtype=float64)"),
        (lambda: lb.asarray([True]), "Array([ True], dtype=bool)"),
        (lambda: lb.eye(2, dtype=lb.int8), "Array([[1, 0],\n       [0, 1]], dtype=int8)"),
    ],
)
def test_repr_shows_values(make: Any, text: str) -> None:
    assert repr(make()) == text


def test_repr_of_a_large_array_is_short() -> None:
    assert len(repr(lb.zeros(LARGE))) < 200
    assert "..." in repr(lb.zeros(LARGE))


def test_str_is_numpy_s() -> None:
    assert str(lb.arange(3)) == "[0 1 2]"


def test_iteration_gives_rows_that_are_views() -> None:
    lazy = lb.zeros((2, 3))
    for number, row in enumerate(lazy):
        row += number
    np.testing.assert_array_equal(lazy, [[0, 0, 0], [1, 1, 1]])
    first, second = lazy
    assert first.shape == second.shape == (3,)
    assert len(lazy) == 2
    assert 1.0 in lazy
    assert 5.0 not in lazy


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_arrays_of_their_own(duplicate: Any) -> None:
    lazy = lb.arange(3) * 1.5
    other = duplicate(lazy)
    other += 1
    np.testing.assert_array_equal(lazy, np.arange(3) * 1.5)
    np.testing.assert_array_equal(other, np.arange(3) * 1.5 + 1)


def test_what_is_known_without_a_value_is_not_computed(executor: Any) -> None:
    lazy = lb.ones((2, 3), dtype=lb.float32) + 1
    assert (lazy.shape, lazy.ndim, lazy.size, lazy.nbytes, lazy.itemsize) == ((2, 3), 2, 6, 24, 4)
    assert lazy.dtype == lb.float32
    assert str(lazy.device) == "cpu:0"
    assert executor.metrics.counter("Recordings") == 0


def test_to_numpy_is_what_asarray_gives() -> None:
    x = lb.arange(6.0).reshape(2, 3) + 1
    found = x.to_numpy()
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, np.arange(6.0).reshape(2, 3) + 1)
    assert not found.flags.writeable
