"""`latebind.profile`: where the time and the memory of a block went, as tables, and as a trace."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from threading import get_ident
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from latebind.backends.compilations import unwatch_compilations, watch_compilations
from latebind.errors import ProfileError
from latebind.profiling.chrome import trace_document
from latebind.profiling.collector import Collector
from latebind.profiling.costs import GraphCost, LineCost, OperationCost
from latebind.profiling.memory import Memory
from latebind.profiling.operations import begin_timing, can_time_operations, end_timing
from latebind.profiling.sections import PHASES, Section, sections, text
from latebind.profiling.trace_file import TraceFile
from latebind.runtime.current import current_executor
from latebind.runtime.events import DirectRun, Observer

if TYPE_CHECKING:
    from latebind.runtime.executor import LazyGraphExecutor

#: Spans that a trace keeps, and changes of the memory, unless told otherwise.
LIMIT: Final = 200_000


class Profile:
    """What `profile` returns: a context manager, and after its block what happened inside.

    Attributes
    ----------
    seconds : float
        Wall-clock time of the block.
    phases : dict of str to (int, float)
        Number of measurements and seconds by phase; `sections.PHASES` names the timers.
    counters : dict of str to int
        The container's counters, what was counted in the block.
    graphs : list of GraphCost
        The most expensive first.
    lines : list of LineCost
    operations : list of OperationCost
        Empty unless they were timed.
    memory : Memory
        The peak, who held it, and the memory over time.
    limit : int
        Spans of the trace that are kept.
    dropped : int
        Spans beyond the limit, which are not in the trace.
    written : bool
        Whether the trace is in its file.
    """

    def __init__(self, path: str | os.PathLike[str] | None, *, operations: bool, wait: bool, limit: int) -> None:
        self.wants_operations = operations
        self._path = path
        self._wait = wait
        self.limit = limit
        self._on = False
        self._file: TraceFile | None = None
        self.seconds = 0.0
        self.phases: dict[str, tuple[int, float]] = {}
        self.counters: dict[str, int] = {}
        self.graphs: list[GraphCost] = []
        self.lines: list[LineCost] = []
        self.operations: list[OperationCost] = []
        self.memory = Memory(0, 0.0, (), ())
        self.dropped = 0
        self.written = False
        self.graph_notes: tuple[str, ...] = ()
        self.operation_notes: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        if self._on:
            raise ProfileError("this profile is on already: make another one, they may be nested")
        executor = current_executor()
        if self._path is not None:
            self._file = TraceFile(self._path)
        self._on = True
        self._executor = executor
        self._times = self.wants_operations and can_time_operations(executor)
        self._before = executor.metrics.counters(), executor.metrics.timers()
        self._start = perf_counter()
        self._collector = Collector(executor, self._start, wait=self._wait, measured=self._times, limit=self.limit)
        executor.events.watch(self._collector)
        watch_compilations(self._collector.compiling)
        if self._times:
            begin_timing(executor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        executor = self._executor
        try:
            # Who raises, or presses Ctrl-C, does not wait for what is queued.
            if error is None and not executor.closed and not executor.forked:
                executor.worker.drain()
        finally:
            self._stop(executor)
            self._write(error)

    def _stop(self, executor: LazyGraphExecutor) -> None:
        end = perf_counter()
        self._on = False
        tell_direct(executor, self._collector, self._start, end)
        if self._times:
            end_timing(executor)
        executor.events.unwatch(self._collector)
        unwatch_compilations(self._collector.compiling)
        collector = self._collector
        self.seconds = end - self._start
        self.counters, self.phases = _counted(executor, *self._before)
        for phase, seconds in (
            ("wait for the engine", collector.waited),
            ("compile in the background", collector.compiled),
        ):
            if seconds:
                self.phases[phase] = len(seconds), sum(seconds)
        self.graphs = collector.costs.graphs(executor.backend)
        self.lines = collector.costs.lines()
        self.operations = collector.costs.operations()
        self.memory = collector.memory.memory()
        collector.memory.stop()
        self.dropped = collector.timeline.dropped
        self.graph_notes, self.operation_notes = self._notes(executor)

    def _notes(self, executor: LazyGraphExecutor) -> tuple[tuple[str, ...], tuple[str, ...]]:
        backend = executor.backend
        graphs, operations = [], []
        if not backend.blocking:
            graphs.append(
                f"backend {backend.name!r} works asynchronously: each run was waited for, to time it"
                if self._wait
                else f"backend {backend.name!r} works asynchronously: times are those of starting a run"
            )
        recorded = sum(len(tape.records) for tape in list(executor.tapes.values()))
        if recorded:
            graphs.append(f"{recorded:,} operations are recorded and have not run: nothing has asked for their results")
        direct = self._collector.direct
        if executor.options.eager and backend.direct and not self._times:
            graphs.append("eager: operations ran at once, without a graph: profile(operations=True) times them")
        elif direct:
            graphs.append(
                f"{direct:,} operations ran directly, without a graph: profile(operations=True) times them as well"
            )
        if self.wants_operations and not self._times:
            operations.append(
                f"backend {backend.name!r} runs a graph as one computation: it cannot tell what an operation costs; "
                "backends 'numpy' and 'tiered' can, and some engines give flops and bytes for each graph"
            )
        elif self.wants_operations:
            operations.append("every recording was run operation by operation, as NumPy would: nothing is fused")
        return tuple(graphs), tuple(operations)

    def _write(self, error: BaseException | None) -> None:
        file, self._file = self._file, None
        if file is None or self._executor.forked:  # the parent process writes it
            return
        try:
            file.write(self.trace())
            self.written = True
        except BaseException as failed:
            file.discard()
            if error is None:
                raise
            error.add_note(str(failed))  # what the program raised is more important

    def trace(self) -> dict[str, Any]:
        """Return the trace in Chrome's trace event format, as JSON values."""
        executor, collector = self._executor, self._collector
        notes: Mapping[str, object] = {
            "backend": executor.backend.name,
            "device": executor.backend.backend_device(),
            "container": executor.name,
            "begun": (datetime.now(UTC)).isoformat(timespec="seconds"),
            "seconds": f"{self.seconds:.6f}",
            "peak_bytes": self.memory.peak_bytes,
            "dropped_spans": self.dropped,
        }
        title = os.path.basename(sys.argv[0]) or "python"
        return trace_document(collector.timeline, self.memory, self._start, title, notes)

    def sections(self) -> list[Section]:
        """Return the tables."""
        return list(sections(self))

    def report(self) -> str:
        """Return the tables as text."""
        return text(self.sections())

    def to_json(self) -> dict[str, Any]:
        """Return what was measured as JSON values."""
        return {
            "seconds": self.seconds,
            "phases": {phase: {"times": times, "seconds": taken} for phase, (times, taken) in self.phases.items()},
            "counters": self.counters,
            "graphs": [asdict(each) for each in self.graphs],
            "lines": [asdict(each) for each in self.lines],
            "operations": [asdict(each) for each in self.operations],
            "memory": {
                "peak_bytes": self.memory.peak_bytes,
                "peak_seconds": self.memory.peak_seconds,
                "arrays": [asdict(each) for each in self.memory.arrays],
            },
            "notes": [*self.graph_notes, *self.operation_notes],
        }


def profile(
    path: str | os.PathLike[str] | None = None, *, operations: bool = False, wait: bool = True, limit: int = LIMIT
) -> Profile:
    """Return a context manager that measures where the time and the memory of its block go.

    It observes the current container, in all threads. Profiles may be nested and may run in several threads at a time:
    each has all that happens in its container between its beginning and its end. A recording that was begun before
    counts when it runs inside; what is still recorded at the end does not count.

    Parameters
    ----------
    path
        File for a trace in Chrome's trace event format, which Perfetto and chrome://tracing open. It is written at the
        end of the block, also if the block raises; that it can be written is found out at its beginning.
    operations
        Whether to run every recording operation by operation and to time each. On backends whose values are host arrays
        (`numpy`, and `tiered`, on its baseline); on others the report says that the engine cannot tell.
    wait
        Whether to wait, after each run, for an engine that works asynchronously: otherwise only starting it is timed.
    limit
        Spans of the trace that are kept, and changes of the memory; tables count everything.

    Raises
    ------
    ProfileFileError
        If the file cannot be written.
    ProfileError
        If the same profile is on already.

    Examples
    --------
    >>> with latebind.profile("out.json") as seen:  # doctest: +SKIP
    ...     train()
    >>> print(seen.report())  # doctest: +SKIP
    """
    return Profile(path, operations=operations, wait=wait, limit=limit)


def tell_direct(executor: LazyGraphExecutor, collector: Observer, start: float, end: float) -> None:
    """Tell of the phases of direct execution in which the calling thread is, if they began in the block."""
    for tape in list(executor.tapes.values()):
        local = tape.ground.local
        if tape.direct is None or tape.ident != get_ident() or local.tape is not tape or executor.options.eager:
            continue
        if local.direct_since >= start:
            collector(DirectRun(int(local.patience - tape.direct.left), local.direct_since, end))


def _counted(
    executor: LazyGraphExecutor, counters: Mapping[str, int], timers: Mapping[str, tuple[int, float]]
) -> tuple[dict[str, int], dict[str, tuple[int, float]]]:
    """Return what was counted since, and the phases."""
    metrics = executor.metrics
    counted = {name: value - counters.get(name, 0) for name, value in metrics.counters().items()}
    now = metrics.timers()
    phases = {}
    for phase, names in PHASES.items():
        changes = [(now.get(name, (0, 0.0)), timers.get(name, (0, 0.0))) for name in names]
        phases[phase] = (
            sum(after[0] - before[0] for after, before in changes),
            sum(after[1] - before[1] for after, before in changes),
        )
    return {name: value for name, value in counted.items() if value}, phases
