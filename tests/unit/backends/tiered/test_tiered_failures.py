"""Engines that fail, refuse or hang: the program goes on on the baseline, and is told once."""

from __future__ import annotations

import gc
import logging
import re

import numpy as np
import pytest

import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import DonatedDataError
from latebind.ir.opkind import OpKind
from latebind.testing.failing import FailingBackend


def doubled(count: int, size: int = 3) -> None:
    for number in range(count):
        x = lb.asarray(np.full(size, float(number)))
        assert np.array_equal(np.asarray(x * 2.0 + x), np.full(size, 3.0 * number))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "latebind.tiered"]


@pytest.mark.parametrize("call", ["compile", "lower"])
def test_a_compiler_that_fails_is_reported_once_and_not_asked_again(use, tiered, caplog, call):
    failing = FailingBackend(NumpyBackend(), fail_on=call, error=MemoryError("no room"))
    backend = tiered(failing)
    use(backend)
    with caplog.at_level(logging.WARNING):
        doubled(50)
    (message,) = warnings(caplog)
    assert re.search(r"compile computation_\d+, a graph of 4 operations, .*MemoryError: no room", message)
    assert failing.failures == 1
    counters = backend.ledger.counters()
    assert (counters["TierCompileFailed"], counters["TierOptimizingRuns"]) == (1, 0)
    assert "compiling failed: MemoryError: no room" in backend.metric_report()


def test_a_compiler_that_fails_in_the_background_does_not_end_its_thread(use, tiered, timed, caplog):
    failing = FailingBackend(timed(0.001), fail_on="compile", times=1)
    backend = tiered(failing, synchronous=False)
    use(backend)
    with caplog.at_level(logging.WARNING):
        doubled(5)
        assert backend.wait_for_compilations(60)
        doubled(5, size=4)
        assert backend.wait_for_compilations(60)
        doubled(20, size=4)
    assert len(warnings(caplog)) == 1
    counters = backend.ledger.counters()
    assert (counters["TierCompileFailed"], counters["TierCompiled"], counters["TierSwitched"]) == (1, 1, 1)


def test_a_compiler_that_hangs_holds_nobody_up(use, tiered, held, caplog):
    backend = tiered(held, synchronous=False, exit_wait_s=0.0)
    container = use(backend)
    doubled(5)
    assert held.begun.wait(60)
    doubled(50)
    with caplog.at_level(logging.WARNING):
        backend.prepare_to_exit()
    assert "a compilation did not end within 0 s" in warnings(caplog)[0]
    doubled(5)
    assert container.metrics().counter("FailedCompile") == 0


def test_a_full_queue_is_tried_again_later(use, tiered, held, clock):
    backend = tiered(held, synchronous=False, max_pending=1)
    use(backend)
    doubled(3, size=1)
    assert held.begun.wait(60)  # the thread has this one
    doubled(3, size=2)  # waits in the queue
    doubled(3, size=3)
    assert backend.ledger.counters()["TierQueueFull"] >= 1
    held.go.set()
    assert backend.wait_for_compilations(60)
    doubled(20, size=3)
    assert backend.wait_for_compilations(60)
    assert backend.ledger.counters()["TierCompiled"] == 3


def test_what_was_evicted_while_it_waited_is_not_compiled(use, tiered, held):
    backend = tiered(held, synchronous=False)
    container = use(backend)
    doubled(3, size=1)
    assert held.begun.wait(60)
    doubled(3, size=2)
    container.executor().cache.clear()
    container.executor().ground().local.previous = None
    gc.collect()
    held.go.set()
    assert backend.wait_for_compilations(60)
    assert len(held.compilations) == 1


def test_a_run_that_fails_is_run_again_on_the_baseline(use, tiered, timed, caplog):
    failing = FailingBackend(timed(0.001), fail_on="execute", at=3)
    backend = tiered(failing)
    container = use(backend)
    with caplog.at_level(logging.WARNING):
        doubled(50)
    (message,) = warnings(caplog)
    assert "failed to run computation_" in message
    assert container.metrics().counter("FailedCompile") == 0
    counters = backend.ledger.counters()
    assert (counters["TierRunFailed"], failing.failures, counters["TierOptimizingRuns"]) == (1, 1, 3)


def test_a_transfer_that_fails_is_no_reason_to_lose_an_argument(use, tiered, timed, caplog):
    failing = FailingBackend(timed(0.001), fail_on="transfer_to_device")
    backend = tiered(failing)
    use(backend)
    x = lb.zeros(10_000)
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            x += 1.0
            lb.sync(x)
    assert np.array_equal(np.asarray(x), np.full(10_000, 10.0))
    assert len(warnings(caplog)) == 1


def test_a_run_that_fails_after_it_may_have_overwritten_its_argument_is_an_error(use, tiered, timed):
    # The third run is the first one whose argument the optimizing backend has to itself and may overwrite.
    failing = FailingBackend(timed(0.001), fail_on="execute", at=3)
    use(tiered(failing, compile_after=0.0, margin=None))
    x = lb.zeros(10_000)
    for _ in range(3):
        x = x * 0.5 + 1.0
        lb.sync(x)
    with pytest.raises(DonatedDataError, match="was told to fail on execute, call 3"):
        np.asarray(x)


def test_what_the_optimizing_backend_does_not_lower_is_decomposed_for_it(use, tiered, timed, monkeypatch):
    optimizing = timed(0.001)
    wanted = OpKind.get("chlo::square")
    supports = optimizing.wrapped.supports
    monkeypatch.setattr(optimizing.wrapped, "supports", lambda kind: kind is not wanted and supports(kind))
    backend = tiered(optimizing, compile_after=0.0, margin=None)
    use(backend)
    assert np.array_equal(np.asarray(lb.square(lb.asarray([1.0, -3.0]))), [1.0, 9.0])
    assert backend.ledger.counters()["TierOptimizingRuns"] == 1


def test_a_graph_that_it_has_no_operations_for_stays_on_the_baseline(use, tiered, timed, monkeypatch, caplog):
    optimizing = timed(0.001)
    missing = OpKind.get("stablehlo::sort")
    supports = optimizing.wrapped.supports
    monkeypatch.setattr(optimizing.wrapped, "supports", lambda kind: kind is not missing and supports(kind))
    backend = tiered(optimizing, compile_after=0.0, margin=None)
    use(backend)
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(np.asarray(lb.sort(lb.asarray([2.0, 1.0]))), [1.0, 2.0])
    assert backend.ledger.counters()["TierUnsupported"] == 1
    assert "can neither lower nor decompose stablehlo::sort" in backend.metric_report()
    assert warnings(caplog) == []


def test_errors_of_the_program_are_the_same_on_both_tiers(use, tiered):
    use(tiered(compile_after=0.0, margin=None))
    x = lb.asarray([1.0, 2.0, 3.0])
    result = x[lb.asarray([0, 5])] + 1.0
    with pytest.raises(IndexError, match="index 5"):
        np.asarray(result)
