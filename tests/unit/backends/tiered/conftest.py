"""Engines whose runs and compilations take the time that a test says, on a clock that only they move."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from latebind.backends.interface import Backend
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.tiered.backend import TieredBackend
from latebind.backends.tiered.settings import TieredSettings
from latebind.containers import Container
from latebind.injection.container import BoundContainer
from latebind.settings import load_settings
from latebind.testing.delegating import DelegatingBackend

#: Seconds that a test may block before it is wrong; no test takes them.
PATIENCE = 60.0


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


class TimedBackend(DelegatingBackend):
    """The NumPy backend on such a clock.

    Attributes
    ----------
    run_seconds, compile_seconds
        What a run and a compilation of a whole graph take.
    runs, compilations
        Names of the computations, oldest first; kernels are left out.
    """

    def __init__(self, clock: Clock, run_seconds: float, compile_seconds: float = 0.0) -> None:
        super().__init__(NumpyBackend())
        self.interpretations = 0
        self.clock = clock
        self.run_seconds = run_seconds
        self.compile_seconds = compile_seconds
        self.runs: list[str] = []
        self.compilations: list[str] = []

    def compile(self, computations):
        for computation in computations:
            if not computation.name.startswith("kernel_"):
                self.clock.advance(self.compile_seconds)
                self.compilations.append(computation.name)
        return super().compile(computations)

    def execute_computation(self, computation, arguments, device):
        if not computation.name.startswith("kernel_"):
            self.clock.advance(self.run_seconds)
            self.runs.append(computation.name)
        return super().execute_computation(computation, arguments, device)


class HeldCompiler(TimedBackend):
    """An engine whose compiler waits until it is let go."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, 0.001)
        self.begun = threading.Event()
        self.go = threading.Event()

    def compile(self, computations):
        self.begun.set()
        assert self.go.wait(PATIENCE)
        return super().compile(computations)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(clock) -> Callable[..., TimedBackend]:
    """Make an engine: seconds of a run, seconds of a compilation."""
    return lambda run, compiling=0.0: TimedBackend(clock, run, compiling)


@pytest.fixture
def held(clock) -> Iterator[HeldCompiler]:
    engine = HeldCompiler(clock)
    yield engine
    engine.go.set()


@pytest.fixture
def tiered(clock, timed) -> Iterator[Callable[..., TieredBackend]]:
    """Make a backend of two engines, compiling in the foreground unless a test says otherwise."""
    made: list[TieredBackend] = []

    def make(optimizing: Backend | None = None, baseline: Backend | None = None, **settings: Any) -> TieredBackend:
        chosen = TieredSettings.model_validate({"synchronous": True, **settings})
        backend = TieredBackend(
            chosen, baseline=baseline or timed(0.1), optimizing=optimizing or timed(0.01), clock=clock
        )
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.prepare_to_exit()


@pytest.fixture
def use() -> Iterator[Callable[..., BoundContainer]]:
    """Put a backend in force in a container of this test's own, and make that the current one.

    Nothing goes to the executor's worker unless a test says so: what does depends on real times.
    """
    containers: list[BoundContainer] = []

    def start(backend: Backend, asynchronous: str = "never") -> BoundContainer:
        given = {"backend": "numpy", "execution": {"asynchronous": asynchronous}}
        settings = load_settings(None, given, environ={}, dotenv=None)
        container: Any = Container(name="tiered test", settings=settings)
        container.backend.override(backend)
        container.__enter__()
        containers.append(container)
        return container

    yield start
    for container in reversed(containers):
        container.__exit__(None, None, None)
        container.close()
