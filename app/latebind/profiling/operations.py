"""Timing single operations: while somebody wants that, every recording is interpreted, and each operation timed.

Only where values are host arrays (`Backend.direct`): there, single operations run as NumPy runs them. Another engine
runs a graph as one computation, in which operations have no time of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from latebind.runtime.events import OperationsRun
from latebind.runtime.failure import Isolation
from latebind.runtime.host_interpreter import run_on_host, run_one
from latebind.runtime.interpreter import Interpreter
from latebind.runtime.running import Runner

if TYPE_CHECKING:
    from latebind.backends.interface import BackendData
    from latebind.runtime.cache import Structure, Variant
    from latebind.runtime.executor import LazyGraphExecutor
    from latebind.runtime.tape import Tape

Times = list[tuple[int, float, float]]

_lock: Final = threading.Lock()
_ATTACHED: Final = "operation timing"


def can_time_operations(executor: LazyGraphExecutor) -> bool:
    """Whether the executor's backend runs single operations on host arrays."""
    return executor.backend.direct


class _Timing:
    """What is in place of an executor's own parts while operations are timed, and for how many profiles."""

    def __init__(self, executor: LazyGraphExecutor) -> None:
        self.users = 0
        self.runner, self.possible = executor.runner, executor.phases.possible


def begin_timing(executor: LazyGraphExecutor) -> None:
    """Have an executor interpret every recording and tell `OperationsRun`, until `end_timing` was called as often."""
    with _lock:
        timing = executor.attached.get(_ATTACHED)
        if not isinstance(timing, _Timing):
            timing = executor.attached[_ATTACHED] = _Timing(executor)
            executor.runner = _TimedRunner(executor.runner)
            for structure in executor.cache.structures():
                structure.successor = None  # what is predicted would be run as it was
            executor.phases.possible = False
        timing.users += 1
    for tape in list(executor.tapes.values()):
        # Other threads go on directly until their phase is over.
        if tape.direct is not None and tape.ident == threading.get_ident() and not tape.records:
            tape.ground.local.direct = None
            tape.ground.open()


def end_timing(executor: LazyGraphExecutor) -> None:
    """Undo a `begin_timing`."""
    with _lock:
        timing = executor.attached[_ATTACHED]
        assert isinstance(timing, _Timing)
        timing.users -= 1
        if not timing.users:
            executor.runner, executor.phases.possible = timing.runner, timing.possible
            del executor.attached[_ATTACHED]


class _TimedRunner(Runner):
    """Interprets every recording, and times its operations."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(
            runner.backend,
            runner.compiler,
            runner.worker,
            runner.metrics,
            runner.options,
            runner.interpretations,
            runner.cache,
        )

    def run(self, tape: Tape, structure: Structure, live: list[int], start: float) -> None:
        tape.ground.local.previous = None  # nothing is predicted from here on
        super().run(tape, structure, live, start)

    def _variant(self, tape: Tape, structure: Structure, live: list[int]) -> Variant | None:
        structure.sightings += 1
        self.metrics.count("Recordings")
        self.metrics.count("Interpreted")
        if not self.options.deterministic:
            structure.observe(tape.scalars)
        return None

    def isolation(self, tape: Tape) -> Isolation:
        plain = super().isolation(tape)

        def tell(times: Times) -> None:
            self.events.tell(OperationsRun(tape, times))

        return _TimedIsolation(plain.compiler, plain.device, plain.records, plain.scalars, plain.line, tell)


@dataclass(frozen=True, slots=True)
class _TimedIsolation(Isolation):
    tell: Callable[[Times], None]

    def interpreter(self) -> Interpreter:
        return _TimedInterpreter(self.compiler, self.device, self.records, self.scalars, self.line, self.tell, [])


@dataclass(frozen=True, slots=True)
class _TimedInterpreter(Interpreter):
    tell: Callable[[Times], None]
    times: Times

    def run(
        self, outputs: Collection[int], leaves: dict[int, BackendData], donatable: Collection[int] = ()
    ) -> dict[int, BackendData]:
        needed = self.last_uses(outputs)[1]
        positions = iter([position for position in range(len(self.records)) if needed[position]])

        def timed(*arguments: Any) -> Any:
            position = next(positions)
            start = perf_counter()
            out = run_one(*arguments)
            if out is not None:
                self.times.append((position, start, perf_counter()))
            return out

        results = run_on_host(self, outputs, leaves, donatable, timed)
        self.tell(self.times)
        return results

    def run_one(
        self, position: int, operands: list[BackendData], scalars: Sequence[Any], dying: Sequence[bool]
    ) -> BackendData:
        start, kernels = perf_counter(), self.compiler.kernel_seconds
        result = Interpreter.run_one(self, position, operands, scalars, dying)
        # Making the kernel happens once, and has its own span.
        made = self.compiler.kernel_seconds - kernels
        self.times.append((position, start + made, perf_counter()))
        return result
