"""Threads record without locks, on arrays of their own and on shared ones, and never deadlock."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def switch_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def in_threads(*functions):
    """Run the functions at once; return their results, raise their errors."""
    barrier = threading.Barrier(len(functions))

    def start(function):
        barrier.wait(10)
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result(60) for future in [pool.submit(start, function) for function in functions]]


def in_another_thread(function):
    return in_threads(function)[0]


def test_threads_record_on_arrays_of_their_own(any_executor, array):
    def work(seed):
        x, expected = array(np.full(5, float(seed))), np.full(5, float(seed))
        for i in range(150):
            x, expected = x * 0.5 + float(i), expected * 0.5 + float(i)
            if i % 13 == seed:
                np.testing.assert_array_equal(np.asarray(x), expected)
        np.testing.assert_array_equal(np.asarray(x), expected)

    with any_container(any_executor):
        in_threads(*(lambda seed=seed: work(seed) for seed in range(4)))


class any_container:
    """Makes the executor the current one in threads too, whose contexts are empty."""

    def __init__(self, executor):
        self.executor = executor

    def __enter__(self):
        from latebind.runtime import current

        self.before = current._default_factory
        current.set_default_factory(lambda: self.executor)

    def __exit__(self, *_):
        from latebind.runtime import current

        current.set_default_factory(self.before)


def test_threads_read_a_shared_computed_array(any_executor, array):
    x = array(np.arange(10.0))
    np.asarray(x)

    def work(k):
        return np.asarray(x * float(k)).tolist()

    results = in_threads(*(lambda k=k: work(k) for k in range(6)))
    assert results == [(np.arange(10.0) * k).tolist() for k in range(6)]


def test_a_pending_operand_of_another_thread_becomes_a_leaf(lazy_executor, double, array):
    x = array([1.0, 2.0])
    y = x + 1
    z = x * 5
    tape = lazy_executor.ground().tape()
    assert in_another_thread(lambda: np.asarray(y * 2).tolist()) == [4.0, 6.0]
    assert lazy_executor.ground().tape() is tape and not tape.closed  # our recording goes on
    w = y + z
    assert np.asarray(w).tolist() == [7.0, 13.0]
    assert np.asarray(y).tolist() == [2.0, 3.0]


def test_a_value_recorded_by_a_thread_that_ended_can_be_read(lazy_executor, array):
    x = array([1.0, 2.0])
    y = in_another_thread(lambda: x + 1)
    z = in_another_thread(lambda: y * 3)
    assert np.asarray(z).tolist() == [6.0, 9.0]
    assert np.asarray(y + z).tolist() == [8.0, 12.0]


def test_two_threads_read_one_pending_array(lazy_executor, array):
    for _ in range(20):
        x = array(np.arange(4.0))
        y = x + 1
        z = y * 2
        results = in_threads(*[lambda z=z: np.asarray(z).tolist()] * 3, lambda y=y: np.asarray(y).tolist())
        assert results == [[2.0, 4.0, 6.0, 8.0]] * 3 + [[1.0, 2.0, 3.0, 4.0]]
        assert np.asarray(z).tolist() == results[0]


def test_the_owner_and_another_thread_read_at_once(lazy_executor, array):
    for _ in range(30):
        started, pending = threading.Event(), []

        def owner(started=started, pending=pending):
            x = array(np.arange(4.0))
            y = x + 1
            pending.append(y)
            started.set()
            return np.asarray(y * 2).tolist()

        def reader(started=started, pending=pending):
            assert started.wait(10)
            return np.asarray(pending[0] * 3).tolist()

        with any_container(lazy_executor):
            assert in_threads(owner, reader) == [[2.0, 4.0, 6.0, 8.0], [3.0, 6.0, 9.0, 12.0]]


def test_mark_step_closes_the_callers_recording_only(lazy_executor, double, array):
    y = array([1.0]) + 1
    tape = y._tape

    def step():
        lazy_executor.mark_step()
        lazy_executor.wait_device_ops()

    in_another_thread(step)
    assert not double.computations and y._tape is tape
    step()
    assert double.executed["stablehlo::add"] == 1


def test_an_update_of_another_threads_pending_array(lazy_executor, array):
    x = array([1.0, 2.0])
    y = x + 1
    view = y[1:]

    def update():
        nonlocal y
        y += 10
        return np.asarray(y).tolist()

    assert in_another_thread(update) == [12.0, 13.0]
    assert np.asarray(y).tolist() == [12.0, 13.0]
    assert np.asarray(view).tolist() == [13.0]
    assert np.asarray(x).tolist() == [1.0, 2.0]


def test_arrays_handed_from_thread_to_thread(lazy_executor, array):
    x, expected = array(np.ones(8)), np.ones(8)
    state = {"x": x}

    def step(i):
        state["x"] = state["x"] * 1.5 - float(i)
        state["x"] += 1.0

    for i in range(12):
        in_another_thread(lambda i=i: step(i))
        expected = expected * 1.5 - float(i)
        expected += 1.0
    np.testing.assert_array_equal(np.asarray(state["x"]), expected)


@pytest.mark.parametrize("options", [{}, {"recording_limit": 9}, {"asynchronous": "always"}, {"interpretations": 4}])
def test_random_operations_on_shared_arrays_agree_with_numpy(make_executor, array, options):
    executor = make_executor(**options)
    shared = [(array(np.full(16, float(k))), np.full(16, float(k))) for k in range(4)]
    published = list(shared)
    lock = threading.Lock()
    deadline = time.monotonic() + 2.0

    def work(seed):
        rng = np.random.default_rng(seed)
        rounds = 0
        while time.monotonic() < deadline:
            rounds += 1
            with lock:
                (x, n), (y, m) = (published[k] for k in rng.integers(0, len(published), 2))
            for _ in range(int(rng.integers(1, 12))):
                match rng.integers(0, 7):
                    case 0:
                        x, n = x + y, n + m
                    case 1:
                        x, n = x * 0.5, n * 0.5
                    case 2:
                        x, n = y - x, m - n
                    case 3:
                        x, n = x[::-1], n[::-1]
                    case 4:
                        x, n = abs(x) + 1.0, abs(n) + 1.0
                    case 5:
                        x, n = x + 0.0, n + 0.0
                        x[3:9] = y[3:9]
                        n[3:9] = m[3:9]
                    case 6:
                        x, n = x * 1.0, n * 1.0
                        x += y
                        n += m
            x, n = x * 0.125, n * 0.125
            with lock:
                published.append((x, n))
                if len(published) > 12:
                    published.pop(int(rng.integers(0, len(published))))
            if rng.integers(0, 4) == 0:
                np.testing.assert_array_equal(np.asarray(x), n)
            if rng.integers(0, 6) == 0:
                executor.mark_step()
        return rounds

    rounds = in_threads(*(lambda seed=seed: work(seed) for seed in range(6)))
    for x, n in published:
        np.testing.assert_array_equal(np.asarray(x), n)
    assert min(rounds) > 0


def test_writes_and_reads_of_one_array_at_once_raise_nothing(lazy_executor, array):
    """As in NumPy a reader may see any of the values, but whole ones, and none is lost at the end."""
    x = array(np.zeros(8))
    views = [x[2:5], x[::2]]
    stop = threading.Event()

    def write():
        for i in range(300):
            x[...] = float(i)
            if i % 10 == 0:
                lazy_executor.mark_step()
        stop.set()

    def read():
        while not stop.is_set():
            assert len(set(np.asarray(x + 0.0).tolist())) == 1

    in_threads(write, read, read)
    assert np.asarray(x).tolist() == [299.0] * 8
    assert [np.asarray(view).tolist() for view in views] == [[299.0] * 3, [299.0] * 4]


def test_first_uses_of_one_signature_in_many_threads(make_executor, array):
    for _ in range(10):
        executor = make_executor()
        x = array(np.arange(3.0))

        def work(k, x=x):
            return np.asarray((x + x) * 2 - x // 2 + float(k)).tolist()

        expected = [((np.arange(3.0) * 2) * 2 - np.arange(3.0) // 2 + k).tolist() for k in range(5)]
        assert in_threads(*(lambda k=k: work(k) for k in range(5))) == expected
        assert len(executor.cache) == 1


def test_tapes_of_ended_threads_do_not_pile_up(executor, array):
    x = array([1.0])
    for _ in range(50):
        in_another_thread(lambda: float((x + 1)[0]))
    assert len(executor.tapes) <= 10


def test_an_interpreted_snapshot_waits_for_queued_operands(make_executor, array):
    make_executor(interpretations=1 << 20)
    leaf = array(np.zeros(4))
    data, value = leaf._data, leaf._data.handle

    class Filling:
        """An event that comes when it is waited for."""

        def is_set(self):
            return data.handle is not None

        def wait(self):
            data.handle = value

    data.handle, data._ready = None, Filling()
    pending = leaf + 1.0
    np.testing.assert_array_equal(in_another_thread(lambda: np.asarray(pending)), np.ones(4))
