"""Fork: the child gets an error that names spawn, the parent notices nothing."""

from __future__ import annotations

import os
import signal
import sys

import numpy as np
import pytest

from latebind.errors import ForkedProcessError

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]


def in_child(function):
    """Return what the function, run in a forked child, raised or returned, as text."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(10)  # whatever hangs must not outlive the test
        try:
            try:
                result = f"returned {function()}"
            except BaseException as error:
                result = f"{type(error).__name__}: {error}"
            os.write(write, result.encode()[:4000])
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


def refused(text):
    return text.startswith(ForkedProcessError.__name__) and "spawn" in text and "'test'" in text


def test_a_pending_array_is_refused_in_the_child(lazy_executor, array):
    y = array([1.0]) + 1
    assert refused(in_child(lambda: np.asarray(y)))
    assert np.asarray(y).tolist() == [2.0]


def test_a_queued_value_is_refused_in_the_child(make_executor, double, array):
    executor = make_executor(double, asynchronous="always")
    double.gate.clear()
    y = array([1.0]) + 1
    executor.mark_step()
    assert refused(in_child(lambda: np.asarray(y)))
    double.gate.set()
    assert np.asarray(y).tolist() == [2.0]


@pytest.mark.parametrize(
    "use",
    [
        lambda executor, x, array: x + 1,
        lambda executor, x, array: x[0],
        lambda executor, x, array: x.__setitem__(0, 1.0),
        lambda executor, x, array: array([1.0]),
        lambda executor, x, array: executor.mark_step(),
    ],
)
def test_the_engine_is_refused_in_the_child(lazy_executor, array, use):
    x = array([1.0, 2.0])
    np.asarray(x + 1)
    assert refused(in_child(lambda: use(lazy_executor, x, array)))
    assert np.asarray(x + 1).tolist() == [2.0, 3.0]


def test_values_that_were_computed_can_be_read_in_the_child(lazy_executor, array):
    x = array([1.0]) + 1
    np.asarray(x)
    assert in_child(lambda: np.asarray(x).tolist()) == "returned [2.0]"


def test_a_pending_value_of_another_thread_is_refused_in_the_child(lazy_executor, array):
    import threading

    made = []
    x = array([1.0])
    thread = threading.Thread(target=lambda: made.append(x + 1))
    thread.start()
    thread.join()
    assert refused(in_child(lambda: np.asarray(made[0])))
    assert np.asarray(made[0]).tolist() == [2.0]


def test_the_parent_is_not_affected(lazy_executor, array):
    x = array([1.0])
    y = x + 1
    in_child(lambda: None)
    assert np.asarray(y * 2).tolist() == [4.0]
    assert not lazy_executor.forked


def test_a_child_can_build_an_executor_of_its_own(lazy_executor, array, make_executor):
    def work():
        make_executor(name="child", asynchronous="always")
        return np.asarray(array([1.0]) + 1).tolist()

    assert in_child(work) == "returned [2.0]"


def test_the_barrier_and_close_do_not_hang_in_the_child(make_executor, double, array):
    executor = make_executor(double, asynchronous="always")
    double.gate.clear()
    array([1.0]) + 1
    y = array([1.0]) + 1
    executor.mark_step()

    def work():
        with pytest.raises(ForkedProcessError):
            executor.wait_device_ops()
        executor.close()

    assert in_child(work) == "returned None"
    double.gate.set()
    assert np.asarray(y).tolist() == [2.0]
