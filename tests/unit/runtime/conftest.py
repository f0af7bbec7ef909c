"""Executors without a container, and backend doubles that count, fail, block or lack an operation."""

from __future__ import annotations

import inspect
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import latebind.array.operators  # noqa: F401  (binds the operators to the array class)
from latebind.array.array import Array
from latebind.array.operands import as_array
from latebind.backends.interface import BackendData, BackendDevice, Computation
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import ExecutionError
from latebind.ir.opkind import OpKind
from latebind.runtime import current
from latebind.runtime.executor import LazyGraphExecutor
from latebind.runtime.options import ExecutorOptions

#: Ways to run that must not differ in what a program sees.
MODES: dict[str, dict[str, Any]] = {
    "compiled": {"interpretations": 0},
    "interpreted": {"interpretations": 1_000_000},
    "queued": {"interpretations": 0, "asynchronous": "always"},
    "eager": {"interpretations": 0, "eager": True},
}


class DoubleBackend(NumpyBackend):
    """The NumPy backend with its behaviour spied on and disturbed.

    Attributes
    ----------
    executed : Counter
        How often each operation kind ran.
    computations : list of Computation
        What ran, in order.
    fails_on : str or None
        Operation kind whose execution raises.
    fails_after_running : bool
        Whether the failing computation overwrites its donated buffers first.
    lacks : set of str
        Operation kinds without a lowering.
    refuses_to_compile : str or None
        Operation kind whose computations do not compile.
    gate : threading.Event
        Executions wait until it is set.
    entered : threading.Event
        Set by an execution that is about to wait.
    """

    def __init__(self, settings: object = None) -> None:
        super().__init__(settings)
        self.executed: Counter[str] = Counter()
        self.computations: list[Computation] = []
        self.compiled = 0
        self.fails_on: str | None = None
        self.error: BaseException | None = None
        self.fails_after_running = False
        self.lacks: set[str] = set()
        self.refuses_to_compile: str | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def supports(self, kind: OpKind) -> bool:
        return str(kind) not in self.lacks and super().supports(kind)

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        self.compiled += len(computations)
        for computation in computations:
            if self.refuses_to_compile in {str(kind) for kind, _, _ in computation.program.sites}:
                raise RuntimeError("the engine is out of registers")
        return super().compile(computations)

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        self.entered.set()
        assert self.gate.wait(30)
        self.computations.append(computation)
        for kind, origin, _ in computation.program.sites:
            if str(kind) == self.fails_on:
                if self.fails_after_running:
                    super().execute_computation(computation, arguments, device)
                if self.error is not None:
                    raise self.error
                raise ExecutionError("the engine caught fire", origin=origin)
        self.executed.update(kind for kind, _ in {(str(kind), origin) for kind, origin, _ in computation.program.sites})
        return super().execute_computation(computation, arguments, device)


MakeExecutor = Callable[..., LazyGraphExecutor]
MakeArray = Callable[..., Array]


@pytest.fixture
def make_executor() -> Iterator[MakeExecutor]:
    """Builds executors, closed afterwards; the last one built is the current one."""
    made: list[LazyGraphExecutor] = []
    tokens = []

    def make(backend: NumpyBackend | None = None, *, name: str = "test", **options: Any) -> LazyGraphExecutor:
        options = {"interpretations": 0, **options}
        executor = LazyGraphExecutor(
            backend or NumpyBackend(), name=name, reference=NumpyBackend, options=ExecutorOptions(**options)
        )
        made.append(executor)
        tokens.append(current.set_current(lambda: executor))
        return executor

    yield make
    for token in reversed(tokens):
        current.reset_current(token)
    for executor in made:
        gate = getattr(executor.backend, "gate", None)
        if gate is not None:
            gate.set()
        executor.close()


@pytest.fixture
def double() -> DoubleBackend:
    return DoubleBackend()


@pytest.fixture
def executor(make_executor: MakeExecutor, double: DoubleBackend) -> LazyGraphExecutor:
    """Compiles at once, runs inline, on the double."""
    return make_executor(double)


@pytest.fixture(params=sorted(MODES))
def any_executor(
    request: pytest.FixtureRequest, make_executor: MakeExecutor, double: DoubleBackend
) -> LazyGraphExecutor:
    """An executor in each of the ways to run."""
    return make_executor(double, **MODES[request.param])


@pytest.fixture(params=sorted(set(MODES) - {"eager"}))
def lazy_executor(
    request: pytest.FixtureRequest, make_executor: MakeExecutor, double: DoubleBackend
) -> LazyGraphExecutor:
    """An executor in each of the ways to run that record first."""
    return make_executor(double, **MODES[request.param])


def array(values: object, dtype: object = None) -> Array:
    """Return an array of the current executor."""
    return as_array(np.array(values, dtype))  # type: ignore[call-overload]


@pytest.fixture(name="array")
def array_fixture() -> MakeArray:
    return array


@pytest.fixture
def here() -> Callable[..., str]:
    """`here(offset)` is the caller's line as messages name it, `offset` lines on."""

    def line(offset: int = 0) -> str:
        frame = inspect.currentframe()
        assert frame is not None and frame.f_back is not None
        return f"{frame.f_back.f_code.co_filename}:{frame.f_back.f_lineno + offset}"

    return line


@pytest.fixture(scope="session")
def app_environment() -> dict[str, str]:
    """The environment of a child process that imports latebind as this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
