"""On an engine that dispatches asynchronously nothing waits, and checks of indices come at the first use."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from latebind.backends.interface import BackendData, BackendDevice, Computation
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import ExecutionError, OutOfBoundsError


class AsynchronousBackend(NumpyBackend):
    """NumPy, dressed as an engine with a dispatch of its own; it notes what is read back."""

    blocking: ClassVar[bool] = False
    interpretations = 0

    def __init__(self) -> None:
        super().__init__()
        self.interpretations = 0
        self.reads = 0
        self.waits = 0

    def make_tensor_from_computation_data(self, data: BackendData) -> np.ndarray:
        self.reads += 1
        return super().make_tensor_from_computation_data(data)

    def wait_device_ops(self) -> None:
        self.waits += 1


@pytest.fixture
def engine(make_executor) -> AsynchronousBackend:
    backend = AsynchronousBackend()
    backend.executor = make_executor(backend)
    return backend


def test_an_index_that_is_data_is_not_checked_before_somebody_needs_the_result(engine, array):
    x = array([10.0, 20.0, 30.0])
    good, bad = x[array([2, 0])], x[array([0, 5])] + 1
    engine.executor.mark_step()
    assert engine.reads == 0
    for _ in range(2):
        with pytest.raises(OutOfBoundsError, match="index 5 is out of bounds for axis 0 with size 3"):
            np.asarray(bad)
    assert np.asarray(good).tolist() == [30.0, 10.0]


def test_the_error_reaches_what_is_computed_from_the_result_later(engine, array):
    bad = array([10.0])[array([3])]
    engine.executor.mark_step()
    later = bad * 2
    engine.executor.mark_step()
    with pytest.raises(OutOfBoundsError, match="index 3"):
        np.asarray(later)


def test_a_result_that_nobody_holds_is_freed_before_the_check(engine, array):
    x = array(np.arange(3.0))
    picked, kept = x[array([1])], x[array([2])]
    engine.executor.mark_step()
    data = weakref.ref(picked._data)
    del picked
    gc.collect()
    assert data() is None
    assert np.asarray(kept).tolist() == [2.0]


def test_threads_that_read_one_result_all_get_its_error(engine, array):
    bad = array([1.0])[array([7])]
    engine.executor.mark_step()
    found = []

    def read() -> None:
        try:
            np.asarray(bad)
        except OutOfBoundsError as error:
            found.append(str(error))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4 and len(set(found)) == 1


def test_a_reader_that_comes_while_the_check_is_read_waits_for_it(engine, array, monkeypatch):
    bad = array([1.0])[array([7])]
    engine.executor.mark_step()
    reading, go_on = threading.Event(), threading.Event()
    original = engine.make_tensor_from_computation_data

    def slowly(data: BackendData) -> np.ndarray:
        reading.set()
        assert go_on.wait(30)
        return original(data)

    monkeypatch.setattr(engine, "make_tensor_from_computation_data", slowly)
    found = []

    def read() -> None:
        try:
            found.append(np.asarray(bad))
        except OutOfBoundsError as error:
            found.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    threads[0].start()
    assert reading.wait(30)
    threads[1].start()
    threads[1].join(0.05)  # it would be through by now
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert [type(each) for each in found] == [OutOfBoundsError] * 2


def test_an_interrupted_check_is_made_again(engine, array, monkeypatch):
    bad = array([1.0])[array([7])]
    engine.executor.mark_step()

    def interrupted(data: BackendData) -> np.ndarray:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(engine, "make_tensor_from_computation_data", interrupted)
        with pytest.raises(KeyboardInterrupt):
            np.asarray(bad)
    with pytest.raises(OutOfBoundsError):
        np.asarray(bad)


def test_the_barrier_waits_for_the_engine(engine, array):
    engine.executor.wait_device_ops()
    assert engine.waits == 1


class WrongBackend(NumpyBackend):
    """Returns what `change` makes of its results."""

    def __init__(self, change) -> None:
        super().__init__()
        self.change = change

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        return self.change(super().execute_computation(computation, arguments, device))


def _wider(results: list[BackendData]) -> list[BackendData]:
    for result in results:
        result.handle = np.append(result.handle, result.handle)
    return results


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda results: results[:-1],
            r"backend 'numpy' is wrong: .* has to return \[tensor<2xf64>\], but returned \[\]",
        ),
        (lambda results: [r.handle for r in results], "backend 'numpy' is wrong: .* has to return"),
        (_wider, r"backend 'numpy' is wrong: it gave a value of shape \(4,\)"),
    ],
    ids=["one too few", "bare arrays", "another shape"],
)
def test_a_backend_that_returns_something_else_is_blamed_by_name(make_executor, array, change, message):
    make_executor(WrongBackend(change))
    x = array([1.0, 2.0]) + 1
    with pytest.raises(ExecutionError, match=message):
        np.asarray(x)
