"""The graphs of a program, collected while it runs."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from latebind.inspection.graph import Graph
from latebind.inspection.passes import Target, stages_text
from latebind.inspection.recorded import Recorded
from latebind.profiling.operations import begin_timing, end_timing
from latebind.runtime.current import current_executor
from latebind.runtime.events import Event, OperationsRun, RecordingRun, VariantCompiled
from latebind.runtime.launch import Stage

if TYPE_CHECKING:
    from latebind.runtime.cache import Structure
    from latebind.runtime.executor import LazyGraphExecutor

#: Graphs kept; of a program that has more, these are the first.
KEPT: Final = 1000

_WHY: Final = {
    "new": "a new graph",
    "scalars": "compiled again: a scalar that varies became a parameter",
    "outputs": "compiled again: other arrays are wanted, or other buffers may be overwritten",
}


@dataclass(slots=True)
class _Seen:
    name: str
    recorded: Recorded
    why: str = ""
    stages: tuple[Stage, ...] = ()
    runs: int = 0
    seconds: Counter[int] = field(default_factory=Counter)


class CollectedGraphs(ABC):
    """Graphs in the order in which they were first seen.

    Parameters
    ----------
    executor
        Whose graphs.
    others
        Other backends at hand, by name.

    Attributes
    ----------
    dropped : int
        Graphs that came after `KEPT` others.
    """

    def __init__(self, executor: LazyGraphExecutor, others: Mapping[str, Target] | None = None) -> None:
        self._target = Target.of(executor)
        self._others = others or {}
        self._seen: list[_Seen] = []
        self._lock = threading.Lock()
        self.dropped = 0

    @abstractmethod
    def observe(self, event: Event) -> None:
        """Take down what was compiled or run."""

    def _keep(self, seen: _Seen) -> None:
        if len(self._seen) < KEPT:
            self._seen.append(seen)
        else:
            self.dropped += 1

    def graphs(self) -> list[Graph]:
        """Return what was seen so far; to be called before the executor is closed."""
        with self._lock:
            return [self._graph(seen) for seen in self._seen]

    def _graph(self, seen: _Seen) -> Graph:
        target = self._target
        texts = {target.name: stages_text(seen.stages, target.name)} if seen.stages else {}
        note = seen.why or f"run {seen.runs} time{'s' * (seen.runs != 1)}, operation by operation"
        timed = dict(seen.seconds) if seen.runs else None
        return Graph(seen.name, seen.recorded, target, others=self._others, texts=texts, note=note, seconds=timed)


class CompiledGraphs(CollectedGraphs):
    """Each graph that was compiled."""

    def observe(self, event: Event) -> None:
        if not isinstance(event, VariantCompiled):
            return
        variant = event.variant
        stages = variant.executable.stages
        recorded = Recorded.of_tape(event.tape, variant.outputs, variant.promoted)
        with self._lock:
            name = stages[0].computation.name if stages else f"graph_{len(self._seen)}"
            self._keep(_Seen(name, recorded, _WHY[event.reason], stages))


class TimedGraphs(CollectedGraphs):
    """Each graph that was run while operations are timed, with what they took in all its runs."""

    def __init__(self, executor: LazyGraphExecutor, others: Mapping[str, Target] | None = None) -> None:
        super().__init__(executor, others)
        self._structures: dict[int, tuple[Structure, _Seen]] = {}
        #: What was timed in a thread, until its recording is told to have run.
        self._times: dict[int, Sequence[tuple[int, float, float]]] = {}

    def observe(self, event: Event) -> None:
        if isinstance(event, OperationsRun):
            self._times[threading.get_ident()] = event.times
        elif isinstance(event, RecordingRun) and event.structure is not None:
            times = self._times.pop(threading.get_ident(), ())
            with self._lock:
                self._add(event, event.structure, times)

    def _add(self, event: RecordingRun, structure: Structure, times: Sequence[tuple[int, float, float]]) -> None:
        known = self._structures.get(id(structure))
        if known is None:
            seen = _Seen(f"graph_{len(self._structures)}", Recorded.of_tape(event.tape, event.live))
            # The structure is held, so that no other one gets its identity.
            known = self._structures[id(structure)] = structure, seen
            self._keep(seen)
        seen = known[1]
        seen.runs += 1
        for position, start, end in times:
            seen.seconds[position] += end - start  # type: ignore[assignment]


@contextmanager
def compiled_graphs(
    executor: LazyGraphExecutor | None = None, others: Mapping[str, Target] | None = None
) -> Iterator[CompiledGraphs]:
    """Collect the graphs that are compiled inside the block, by the current container unless told otherwise.

    A graph that is in the cache already is not compiled again; one that runs operation by operation is not compiled
    at all (`recording.direct: false`, and `interpretations: 0` of the backend, have each new graph compiled).
    """
    watched = current_executor() if executor is None else executor
    collected = CompiledGraphs(watched, others)
    with watched.events.watched_by(collected.observe):
        yield collected


@contextmanager
def timed_graphs(
    executor: LazyGraphExecutor | None = None, others: Mapping[str, Target] | None = None
) -> Iterator[TimedGraphs]:
    """Collect the graphs that run inside the block, operation by operation, and time the operations.

    Only where the backend runs single operations on host arrays (`can_time_operations`).
    """
    watched = current_executor() if executor is None else executor
    collected = TimedGraphs(watched, others)
    with watched.events.watched_by(collected.observe):
        begin_timing(watched)
        try:
            yield collected
        finally:
            end_timing(watched)
