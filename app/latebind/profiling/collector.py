"""The observer: turns what an executor tells into costs, spans and live arrays, and keeps nothing of the program."""

from __future__ import annotations

import contextlib
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Final

from latebind.backends.compilations import Compilation
from latebind.profiling.costs import Costs
from latebind.profiling.lines import Lines
from latebind.profiling.memory import Holding, MemoryTracker
from latebind.profiling.timeline import Timeline, TimeSpan, Track
from latebind.runtime.events import (
    DirectRun,
    Event,
    GraphCompiled,
    OperationsRun,
    RecordingRun,
    Synced,
    Transferred,
    VariantCompiled,
)

if TYPE_CHECKING:
    from latebind.runtime.cache import Structure, Variant
    from latebind.runtime.executor import LazyGraphExecutor
    from latebind.runtime.launch import Stage

#: Where a recording that interpreted ran; computations have names.
_INTERPRETED: Final = "interpreted"


class Collector:
    """Observes one executor.

    Parameters
    ----------
    executor
    start
        `perf_counter()` at the start of the profile.
    wait
        Whether to wait for an engine that works asynchronously after each run, so that it can be timed.
    measured
        Whether operations are timed.
    limit
        Spans, and changes of the memory, that are kept.
    """

    def __init__(self, executor: LazyGraphExecutor, start: float, *, wait: bool, measured: bool, limit: int) -> None:
        self._backend = executor.backend
        self._start = start
        self._waits = wait and not executor.backend.blocking
        self.lines = Lines(wanted=executor.options.source_lines)
        self.costs = Costs(self.lines, measured=measured)
        self.timeline = Timeline(limit)
        self.memory = MemoryTracker(start, limit)
        #: Seconds for which runs of an asynchronous engine were waited for, and of compilations in the background.
        self.waited: list[float] = []
        self.compiled: list[float] = []
        self._known_temporaries: dict[str, int] = {}
        #: Operations that ran directly.
        self.direct = 0
        #: Details of compilations that lack the lines, by thread.
        self._unplaced: dict[int, dict[str, object]] = {}

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case RecordingRun():
                self._ran(event)
            case Synced():
                self._synced(event)
            case Transferred():
                self._transferred(event)
            case OperationsRun():
                self._timed(event)
            case GraphCompiled():
                self._compiled(event)
            case VariantCompiled():
                self.costs.compiled(event)
                # The graph that this thread compiled last.
                self._unplaced.pop(get_ident(), {}).update(
                    reason=event.reason, lines=self.costs.place(event.structure, event.tape)
                )
            case DirectRun():
                self.direct += event.operations
                self._add("direct execution", "direct", event.start, event.end, {"operations": event.operations})

    def compiling(self, compilation: Compilation) -> None:
        """Take in a compilation that ran in the background of the program."""
        if compilation.background and compilation.end and compilation.end > self._start:
            self.compiled.append(compilation.end - compilation.start)
            self._add(
                f"compile {compilation.name}", "compile", compilation.start, compilation.end, {"background": True}
            )

    def _add(
        self, name: str, category: str, start: float, end: float, details: dict[str, object], device: str = ""
    ) -> None:
        track = Track(self.timeline.thread(), device)
        self.timeline.add(TimeSpan(track, name, category, max(start, self._start), end, details))  # type: ignore[arg-type]

    def _compiled(self, event: GraphCompiled) -> None:
        details: dict[str, object] = {"operations": event.operations}
        if not event.kernel:
            self._unplaced[get_ident()] = details
        self._add(f"lower {event.name}", "lower", event.start, event.lowered, details)
        self._add(f"compile {event.name}", "compile", event.lowered, event.end, details)

    def _synced(self, event: Synced) -> None:
        line = self.lines.here()
        self.costs.waited(line, event.end - event.start)
        self._add(event.cause, "wait", event.start, event.end, {"line": line})

    def _transferred(self, event: Transferred) -> None:
        line = self.lines.here()
        name = "to device" if event.to_device else "to host"
        size = event.type.nbytes
        details: dict[str, object] = {"type": repr(event.type), "bytes": size, "line": line}
        self._add(name, "transfer", event.start, event.end, details)
        if event.to_device:
            self.memory.hold(event.data, line, "host", event.start)

    def _timed(self, event: OperationsRun) -> None:
        self.costs.timed(event)
        tape = event.tape
        for position, start, end in event.times:
            signature = tape.records[position][0]
            line = self.lines.at(tape.codes[position], tape.lastis[position])
            self._add(signature.rule.name, "operation", start, end, {"type": repr(signature.type), "line": line})

    def _ran(self, event: RecordingRun) -> None:
        end = event.end
        if self._waits:
            with contextlib.suppress(Exception):  # it comes with the first use of a result
                self._backend.wait_device_ops()
            end = perf_counter()
            self.waited.append(end - event.end)
        cost = self.costs.ran(event, end - event.start)
        self._remember(event, end)
        tape = event.tape
        place = self.costs.place(event.structure, tape)
        details: dict[str, object] = {"operations": len(tape.records), "lines": place}
        name = _name(event.variant) if cost is None or event.variant is not None else cost.name
        flow = None
        if event.structure is not None and event.closed > self._start:
            flow = event.number
            self.timeline.add(self._recorded(event, event.structure, name, details))
        how: dict[str, object] = {"how": event.how, **details}
        runner, device = self.timeline.thread(), str(tape.ground.device)
        for track in (Track(runner), Track(runner, device)):
            arrow = flow if track.device else None
            self.timeline.add(TimeSpan(track, name, "execute", event.start, end, how, arrow))

    def _recorded(self, event: RecordingRun, structure: Structure, name: str, details: dict[str, object]) -> TimeSpan:
        """Return the span in which a recording was made, or a compiled function called: that was recorded long ago."""
        opened = max(event.opened, self._start)
        if structure.cached and opened < event.closed:
            recorder = Track(self.timeline.thread(event.tape.ident))
            return TimeSpan(recorder, f"record {name}", "record", opened, event.closed, details, event.number)
        # A call that waited for the worker is told from there.
        caller = Track(self.timeline.thread(event.tape.ident if event.how == "queued" else None))
        until = event.closed if event.how == "queued" else event.start
        return TimeSpan(caller, f"call {name}", "record", event.closed, until, details, event.number)

    def _remember(self, event: RecordingRun, end: float) -> None:
        """Count the arrays that a run used, made and overwrote, and what its engine needed meanwhile."""
        tape, memory = event.tape, self.memory
        donated = () if event.variant is None else event.variant.donated
        for index, leaf in enumerate(tape.leaves):
            memory.hold(leaf, "", "before", self._start)
            if index in donated:
                memory.release(leaf, event.start)
        for position, result in zip(event.live, event.results, strict=True):
            memory.hold(result, self.lines.at(tape.codes[position], tape.lastis[position]), "result", event.start)
        for stage in () if event.variant is None else event.variant.executable.stages:
            taken = self._temporaries(stage)
            if taken and end > event.start:
                what, place = f"temporaries of {stage.computation.name}", self.costs.place(event.structure, tape)
                holding = Holding(taken, what, str(tape.ground.device), place, "engine")
                memory.hold_between(holding, event.start, end)

    def _temporaries(self, stage: Stage) -> int:
        """Return what the engine says that a computation needs besides arguments and results; 0 if it does not say."""
        name = stage.computation.name
        known = self._known_temporaries.get(name)
        if known is not None:
            return known
        figures = stage.backend.computation_analysis(stage.computation)
        taken = int(figures.get("temp_bytes", 0))
        if figures:  # a computation that is compiled in the background has none yet
            self._known_temporaries[name] = taken
        return taken


def _name(variant: Variant | None) -> str:
    stages = () if variant is None else variant.executable.stages
    return stages[0].computation.name if stages else _INTERPRETED
