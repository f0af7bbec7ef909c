"""A closed executor runs nothing more; what it computed stays readable."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

from latebind.errors import ShutdownError


def test_recording_after_close_is_refused(any_executor, array):
    x = array([1.0, 2.0])
    np.asarray(x + 1)
    any_executor.close()
    for use in (
        lambda: x + 1,
        lambda: x + x,
        lambda: x[0],
        lambda: x.T,
        lambda: x.__setitem__(0, 3.0),
        lambda: array([1.0]),
        any_executor.mark_step,
    ):
        with pytest.raises(ShutdownError, match="'test' is closed"):
            use()


def test_recording_in_a_new_thread_after_close_is_refused(lazy_executor, array):
    x = array([1.0])
    lazy_executor.close()
    errors = []

    def work():
        try:
            x + 1
        except ShutdownError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_values_that_were_computed_stay_readable(any_executor, array):
    x = array([1.0])
    y = x + 1
    any_executor.sync([y])
    any_executor.close()
    assert np.asarray(y).tolist() == [2.0]
    assert np.asarray(x).tolist() == [1.0]


def test_values_that_were_only_recorded_are_refused(lazy_executor, array):
    y = array([1.0]) + 1
    lazy_executor.close()
    for _ in range(2):
        with pytest.raises(ShutdownError):
            np.asarray(y)


def test_closing_twice_is_fine(any_executor):
    any_executor.close()
    any_executor.close()
    any_executor.wait_device_ops()


def test_a_closed_executor_is_freed(make_executor):
    from latebind.backends.numpy.backend import NumpyBackend
    from latebind.ir.types import TensorType
    from latebind.runtime.executor import LazyGraphExecutor
    from latebind.runtime.options import ExecutorOptions

    executor = LazyGraphExecutor(NumpyBackend(), options=ExecutorOptions(asynchronous="always", interpretations=0))
    host = np.ones(3)
    x = executor.from_host(host, TensorType.of(host.shape, host.dtype), executor.ground(), copy=True)
    np.asarray(x + 1)
    executor.close()
    reference = weakref.ref(executor)
    del executor, x
    gc.collect()
    assert reference() is None


def test_an_executor_that_nobody_uses_is_freed_without_close():
    from latebind.backends.numpy.backend import NumpyBackend
    from latebind.runtime.executor import LazyGraphExecutor

    executor = LazyGraphExecutor(NumpyBackend())
    executor.ground().tape()
    reference = weakref.ref(executor)
    del executor
    gc.collect()
    assert reference() is None
