"""How often a new graph is interpreted: a number of times, fewer if one time takes longer than compiling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.runtime import compiler, current, running
from latebind.runtime.executor import LazyGraphExecutor
from latebind.runtime.options import ExecutorOptions

NUMBER = 6


class SlowKernels(NumpyBackend):
    """The NumPy backend, of which a run of a kernel, and the making of one, take what a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.run_seconds = 0.0
        self.making_seconds = 0.0
        self.compile_seconds = 0.0

    def compile(self, computations):
        for computation in computations:
            kernel = computation.name.startswith("kernel_")
            self.now += self.making_seconds if kernel else self.compile_seconds
        return super().compile(computations)

    def execute_computation(self, computation, arguments, device):
        if computation.name.startswith("kernel_"):
            self.now += self.run_seconds
        return super().execute_computation(computation, arguments, device)


@pytest.fixture
def backend(monkeypatch) -> SlowKernels:
    made = SlowKernels()
    for module in (running, compiler):
        monkeypatch.setattr(module, "perf_counter", lambda: made.now)
    return made


@pytest.fixture
def executor(backend) -> Iterator[LazyGraphExecutor]:
    options = ExecutorOptions(interpretations=NUMBER, asynchronous="never")
    made = LazyGraphExecutor(backend, name="test", options=options)
    token = current.set_current(lambda: made)
    yield made
    current.reset_current(token)
    made.close()


def interpreted(executor: LazyGraphExecutor, times: int = NUMBER + 2, size: int = 3) -> int:
    """Run one graph of two operations that often; return how often it was interpreted."""
    before = executor.metrics.counter("Interpreted")
    for _ in range(times):
        assert np.array_equal(np.asarray(lb.asarray(np.ones(size)) * 2.0 + 1.0), np.full(size, 3.0))
    return executor.metrics.counter("Interpreted") - before


def test_a_quick_graph_is_interpreted_as_often_as_the_backend_says(executor):
    assert interpreted(executor) == NUMBER


@pytest.mark.parametrize(("seconds", "times"), [(1.0, 1), (1 / 32, 2), (1 / 64, 4)])
def test_a_slow_graph_is_compiled_after_a_tenth_of_a_second(executor, backend, seconds, times):
    backend.run_seconds = seconds  # each of two operations
    assert interpreted(executor) == times


def test_the_making_of_kernels_does_not_count(executor, backend):
    backend.making_seconds = 100.0
    assert interpreted(executor) == NUMBER


def test_what_compiling_took_before_makes_interpreting_worth_more(executor, backend):
    backend.compile_seconds = 1.0
    assert interpreted(executor) == NUMBER
    backend.run_seconds = 0.125
    # Half a second an operation is expected now: as long as four runs of two operations take.
    assert interpreted(executor, size=4) == 4
