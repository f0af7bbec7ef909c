"""An executor on the NumPy backend is the current one for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.settings import NumpySettings
from latebind.runtime import current
from latebind.runtime.executor import LazyGraphExecutor
from latebind.runtime.options import ExecutorOptions

MakeExecutor = Callable[..., LazyGraphExecutor]

#: Ways to run that must not differ in what a program sees.
MODES: dict[str, dict[str, Any]] = {
    "compiled": {"interpretations": 0},
    "interpreted": {"interpretations": 1_000_000},
    "queued": {"interpretations": 0, "asynchronous": "always"},
    "eager": {"eager": True},
}


@pytest.fixture
def make_executor() -> Iterator[MakeExecutor]:
    """Builds executors, closed afterwards; the last one built is the current one."""
    made: list[LazyGraphExecutor] = []
    tokens = []

    def make(name: str = "test", devices: int = 1, **options: Any) -> LazyGraphExecutor:
        backend = NumpyBackend(NumpySettings(devices=devices))
        executor = LazyGraphExecutor(backend, name=name, options=ExecutorOptions(**options))
        made.append(executor)
        tokens.append(current.set_current(lambda: executor))
        return executor

    yield make
    for token in reversed(tokens):
        current.reset_current(token)
    for executor in made:
        executor.close()


@pytest.fixture(autouse=True)
def executor(make_executor: MakeExecutor) -> LazyGraphExecutor:
    return make_executor()


@pytest.fixture(params=sorted(MODES))
def any_executor(request: pytest.FixtureRequest, make_executor: MakeExecutor) -> LazyGraphExecutor:
    """An executor in each of the ways to run."""
    return make_executor(**MODES[request.param])
