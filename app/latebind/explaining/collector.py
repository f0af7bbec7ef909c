"""The observer: adds up what an executor tells, by the user's line and the reason; keeps nothing of the program."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from threading import get_ident
from types import CodeType
from typing import TYPE_CHECKING, Final, TypeVar

from latebind.backends.compilations import Compilation as CompilerRun
from latebind.explaining.analysis import analyse
from latebind.explaining.records import Change, Compilation, Known, Synchronisation, Tallies
from latebind.profiling.lines import Lines
from latebind.runtime.events import DirectRun, Event, GraphCompiled, RecordingRun, Synced, VariantCompiled
from latebind.runtime.sync_reasons import place_of_call, reason_of

if TYPE_CHECKING:
    from latebind.runtime.executor import LazyGraphExecutor

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
#: Names and fingerprints of computations that are remembered.
_REMEMBERED: Final = 4096


class Collector:
    """Observes one executor.

    Parameters
    ----------
    executor
    limit
        Compilations, and synchronisations, that are kept apart; what differs from all of them is only counted.
    """

    def __init__(self, executor: LazyGraphExecutor, limit: int) -> None:
        self.lines = Lines(wanted=executor.options.source_lines)
        self.tallies = Tallies()
        self._executor = executor
        self._limit = limit
        self._compilations: dict[Hashable, Compilation] = {}
        self._waits: dict[Hashable, tuple[CodeType, Synchronisation]] = {}
        #: Compilations by the name of the computation, for what is compiled again in the background.
        self._named: dict[str, Compilation] = {}
        #: What was compiled, by its fingerprint.
        self._seen: dict[int, Known] = {}
        #: When something was compiled in each thread since its last synchronisation, and the seconds it took.
        self._compiling: dict[int, list[tuple[float, float]]] = {}
        self._lock = threading.RLock()

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case RecordingRun():
                with self._lock:
                    self.tallies.recordings += 1
                    self.tallies.interpreted += event.variant is None
            case Synced():
                self._synced(event)
            case VariantCompiled():
                self._compiled(event)
            case GraphCompiled(kernel=True):
                with self._lock:
                    self.tallies.kernels += 1
                    self.tallies.kernel_seconds += event.end - event.start
                    self._add_compiling(event.start, event.end)
            case DirectRun():
                with self._lock:
                    self.tallies.direct += event.operations
            case _:
                pass

    def compiler_ran(self, compilation: CompilerRun) -> None:
        """Take in that an engine's compiler has begun or ended; only what it did in the background is new."""
        if compilation.background and compilation.end:
            with self._lock:
                made = self._named.get(compilation.name)
                if made is not None:
                    made.background += compilation.end - compilation.start

    # Results

    def compilations(self) -> list[Compilation]:
        """Return the compilations, in the order in which the first of each happened."""
        with self._lock:
            return list(self._compilations.values())

    def synchronisations(self) -> list[Synchronisation]:
        """Return the synchronisations, those that took longest first."""
        with self._lock:
            found: dict[tuple[str, str], Synchronisation] = {}
            for _, each in self._waits.values():
                sum_ = found.get((each.line, each.reason))
                if sum_ is None:
                    sum_ = found[each.line, each.reason] = Synchronisation(each.line, each.text, each.reason)
                sum_.count += each.count
                sum_.seconds += each.seconds
                sum_.compile_seconds += each.compile_seconds
        return sorted(found.values(), key=lambda each: -each.seconds)

    # Events

    def _add_compiling(self, start: float, end: float) -> None:
        times = self._compiling.setdefault(get_ident(), [])
        times.append((start, end - start))
        del times[:-_REMEMBERED]

    def _compiled(self, event: VariantCompiled) -> None:
        line = self.lines.here()
        made = analyse(event, self._executor.cache.structures(), self.lines, line)
        with self._lock:
            self._add_compiling(event.start, event.end)
            self._recognise(event, made)
            change = made.change
            what = None if change is None else (change.kind, change.operation, change.line)
            key = made.reason, line, made.function, made.lines, what
            known = self._compilations.get(key)
            if known is None:
                if len(self._compilations) >= self._limit:
                    self.tallies.dropped += 1
                    return
                known = self._compilations[key] = made
            else:
                known.count += 1
                known.seconds += made.seconds
                known.name, known.operations, known.engines = made.name, made.operations, made.engines
                known.change, known.nearest = made.change, made.nearest
            _remember(self._named, made.name, known)

    def _recognise(self, event: VariantCompiled, made: Compilation) -> None:
        """Say so where the same computation was compiled before: the cache has dropped it."""
        if event.reason != "new" or not event.structure.cached:
            return
        mark = _fingerprint(event)
        before = self._seen.get(mark)
        if before is not None:
            made.reason, made.nearest = "graph", before
            made.change = Change("dropped", "", "", "", "", "", "", None)
        _remember(self._seen, mark, Known(made.name, made.operations, made.lines))

    def _synced(self, event: Synced) -> None:
        place = place_of_call()
        key = id(place.code), place.lasti, place.function, place.shapes, event.cause
        with self._lock:
            found = self._waits.get(key)
            if found is None:
                if len(self._waits) >= self._limit:
                    self.tallies.dropped += 1
                    return
                line = self.lines.at(place.code, place.lasti)
                wait = Synchronisation(line, self.lines.text(line), reason_of(event.cause, place))
                # The code is kept: another one could get its number.
                found = self._waits[key] = place.code, wait
            wait = found[1]
            wait.count += 1
            wait.seconds += event.end - event.start
            wait.compile_seconds += sum(
                seconds for start, seconds in self._compiling.pop(get_ident(), ()) if start >= event.start
            )


def _fingerprint(event: VariantCompiled) -> int:
    """Return a hash of a recording. Python's hash of -1 is that of -2, which stand for two leaves."""
    return hash(
        (
            event.tape.ground.device,
            *(
                (record[0], *(2 * code if code > 0 else 1 - 2 * code for code in record[1:]))
                for record in event.tape.records
            ),
        )
    )


def _remember(table: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """Enter a value; the oldest leaves a table that is full."""
    table[key] = value
    if len(table) > _REMEMBERED:
        del table[next(iter(table))]
