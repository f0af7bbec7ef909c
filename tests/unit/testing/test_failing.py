"""`FailingBackend`: what fails, what is recovered from, and what the user is told."""

from __future__ import annotations

import numpy as np
import pytest

import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import CompilationError, ExecutionError, LoweringError
from latebind.testing import FailingBackend


@pytest.fixture
def failing(latebind_container, latebind_override_backend):
    def start(**options) -> FailingBackend:
        backend = NumpyBackend()
        backend.interpretations = 0
        return latebind_override_backend(FailingBackend(backend, **options))

    return start


def failure(array, kind=Exception) -> str:
    with pytest.raises(kind) as caught:
        np.asarray(array)
    return str(caught.value)


@pytest.mark.latebind(backend="numpy", fallback="error")
@pytest.mark.parametrize(
    ("call", "kind"), [("execute", ExecutionError), ("compile", CompilationError), ("lower", LoweringError)]
)
def test_an_operation_fails_by_name_and_line_and_the_rest_has_its_values(failing, call, kind):
    failing(fail_on=call, operation="stablehlo::sine")
    x = lb.asarray([0.0, 1.0])
    wrong, right = lb.sin(x) + 1.0, x + 1.0
    lb.sync()
    message = failure(wrong, kind)
    assert f"{__file__}:" in message and "sin" in message
    assert f"FailingBackend was told to fail on {call}" in message
    assert np.array_equal(np.asarray(right), [1.0, 2.0])


@pytest.mark.parametrize("call", ["compile", "lower"])
def test_what_cannot_be_compiled_runs_on_the_reference_backend(failing, latebind_container, call):
    backend = failing(fail_on=call, operation="stablehlo::sine")
    x = lb.asarray([0.0, 0.5])
    # Both sides are NumPy's sine, so that they are equal to the bit.
    assert np.array_equal(np.asarray(lb.sin(x)), np.sin([0.0, 0.5]))
    assert backend.failures == 1
    assert latebind_container.metrics().counter("FallbackGraphs") == 1


def test_a_failure_that_does_not_last_is_recovered_from(failing):
    backend = failing(fail_on="execute", at=2, times=1)
    x = lb.asarray([0.0, 1.0])
    assert np.array_equal(np.asarray(x + 1.0), [1.0, 2.0])
    assert backend.failures == 0
    assert np.array_equal(np.asarray(x + 2.0), [2.0, 3.0])
    assert (backend.failures, backend.calls) == (1, 3)


def test_what_comes_before_the_chosen_call_works(failing):
    failing(fail_on="execute", at=2)
    x = lb.asarray([0.0, 1.0])
    assert np.array_equal(np.asarray(x + 1.0), [1.0, 2.0])
    assert "call" in failure(x * 5.0, ExecutionError)


def test_only_calls_of_the_operation_count(failing):
    backend = failing(fail_on="execute", operation="multiply", at=2)
    x = lb.asarray([1.0, 2.0])
    np.asarray(x + 1.0), np.asarray(x * 5.0), np.asarray(x - 1.0)
    assert (backend.calls, backend.failures) == (1, 0)
    failure(x * 6.0, ExecutionError)


@pytest.mark.parametrize("error", [MemoryError("out of device memory"), MemoryError])
def test_the_error_may_be_chosen(failing, error):
    failing(fail_on="execute", error=error)
    array = lb.asarray([1.0]) + 1.0
    assert "MemoryError: " in failure(array, ExecutionError)
    assert failure(array, ExecutionError) == failure(array, ExecutionError)


def test_transfers_fail(failing):
    failing(fail_on="transfer_to_device", times=1)
    with pytest.raises(RuntimeError, match="transfer_to_device, call 1"):
        lb.asarray([1.0])
    assert np.array_equal(np.asarray(lb.asarray([1.0])), [1.0])
    failing(fail_on="transfer_from_device", times=1)
    array = lb.asarray([1.0])
    assert "transfer_from_device, call 1" in failure(array)
    assert np.array_equal(np.asarray(array), [1.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fail_on": "exceute"}, "fail_on is 'exceute', but has to be one of 'lower', 'compile', 'execute'"),
        ({"fail_on": "execute", "operation": "stablehlo::sin"}, "there is no operation 'stablehlo::sin'; did you mean"),
        ({"fail_on": "transfer_to_device", "operation": "add"}, "a transfer belongs to no operation"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FailingBackend(NumpyBackend(), **options)
