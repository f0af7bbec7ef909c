"""`RecordingBackend`: what it notes, and what its assertions say when they fail."""

from __future__ import annotations

import contextvars
import threading

import numpy as np
import pytest

import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.testing import RecordingBackend


@pytest.fixture
def backend(latebind_container, latebind_override_backend):
    return latebind_override_backend(RecordingBackend(NumpyBackend(), interpretations=0))


def run_once(value=1.0):
    return np.asarray(lb.asarray([1.0, 2.0]) + lb.asarray([value, value]))


def test_results_are_those_of_the_wrapped_backend(backend):
    assert np.array_equal(run_once(), [2.0, 3.0])


def test_operations_are_noted_with_types_in_order(backend):
    x = lb.asarray([1.0, 2.0])
    np.asarray(lb.sin(x * x))
    assert backend.lowered == ["stablehlo::multiply", "stablehlo::sine"]
    backend.assert_lowered("stablehlo::multiply", times=1, shape=(2,), dtype="float64")
    backend.assert_lowered("sine")
    backend.assert_not_lowered("stablehlo::add")
    (event,) = [event for event in backend.events if event.operations == ("stablehlo::sine",)]
    assert [str(type) for type in (*event.operands, *event.results)] == ["tensor<2xf64>", "tensor<2xf64>"]


def test_a_wrong_shape_or_dtype_does_not_count(backend):
    run_once()
    for kind in ({"shape": (3,)}, {"dtype": "float32"}):
        with pytest.raises(AssertionError, match="at least once; found: never"):
            backend.assert_lowered("add", **kind)


def test_a_graph_that_comes_back_is_compiled_once_and_run_each_time(backend):
    run_once()
    mark = backend.mark()
    run_once(), run_once()
    backend.assert_compiled(times=1)
    backend.assert_nothing_compiled_since(mark)
    backend.assert_executed(times=3)
    backend.assert_executed(times=2, operation="add", since=mark)
    backend.assert_executed(times=0, operation="multiply")


def test_nothing_is_transferred_or_run_before_a_value_is_needed(backend):
    x = lb.asarray([1.0, 2.0])
    mark = backend.mark()
    y = x + x
    backend.assert_nothing_executed()
    backend.assert_no_transfer_to_host(since=mark)
    backend.assert_no_transfer_to_device(since=mark)
    np.asarray(y)
    with pytest.raises(AssertionError, match="values to be read never; found: once"):
        backend.assert_no_transfer_to_host(since=mark)
    with pytest.raises(AssertionError, match="host arrays to be put on a device never; found: once"):
        backend.assert_no_transfer_to_device()


def test_donated_arguments_are_noted(backend):
    x = lb.zeros(10_000)
    lb.sync(x)
    with pytest.raises(AssertionError, match="arguments to be donated at least once; found: never"):
        backend.assert_donated()
    x += 1.0
    lb.sync(x)
    backend.assert_donated(times=1, shape=(10_000,))
    backend.assert_donated(times=0, shape=(3,))


def test_a_failure_prints_what_was_recorded(backend):
    run_once()
    with pytest.raises(AssertionError) as caught:
        backend.assert_lowered("stablehlo::multiply", times=2)
    lines = str(caught.value).splitlines()
    assert lines[:2] == ["expected stablehlo::multiply to be lowered twice; found: never", "recorded:"]
    assert lines[2].split() == ["0", "to", "device", "tensor<2xf64>"]
    assert lines[4].split("[")[0].split() == [
        *("2", "lowered", "stablehlo::add", "(tensor<2xf64>,", "tensor<2xf64>)", "->", "tensor<2xf64>")
    ]
    assert [line.split()[1] for line in lines[5:]] == ["compiled", "executed", "to"]


def test_a_failure_prints_the_newest_events_only(backend):
    for _ in range(30):
        run_once()
    with pytest.raises(AssertionError, match="recorded, 82 older ones left out:") as caught:
        backend.assert_executed(times=1)
    assert len(str(caught.value).splitlines()) == 42


@pytest.mark.parametrize(("name", "near"), [("stablehlo::ad", "stablehlo::add"), ("sin", "stablehlo::sine")])
def test_a_misspelt_operation_does_not_pass(backend, name, near):
    with pytest.raises(ValueError, match=f"there is no operation '{name}'.*{near}"):
        backend.assert_not_lowered(name)


def test_clearing_forgets(backend):
    run_once()
    backend.clear()
    assert backend.events == () and backend.mark() == 0


def test_threads_may_record_at_once(backend):
    start = threading.Barrier(4)

    def work():
        start.wait()
        for _ in range(25):
            run_once()

    # Each thread in a copy of this context, where the test's container is the current one.
    threads = [threading.Thread(target=contextvars.copy_context().run, args=(work,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    backend.assert_executed(times=100)


def test_the_rest_of_the_interface_is_the_wrapped_backends():
    wrapped = NumpyBackend()
    backend = RecordingBackend(wrapped)
    assert (backend.name, backend.blocking, backend.interpretations) == ("numpy", True, wrapped.interpretations)
    assert backend.gaps is wrapped.gaps and backend.deviations is wrapped.deviations
    assert backend.backend_device() == wrapped.backend_device()
    assert backend.ir_builder() is wrapped.ir_builder()
    backend.default_device_ordinal = 0
    assert backend.default_device_type == "cpu"
