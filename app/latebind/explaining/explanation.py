"""`latebind.explain`: why graphs were compiled, and when and where the program waited, for the time of a block."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import asdict, dataclass
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self

from latebind.explaining.sync_reasons import reason_of
from latebind.profiling.lines import Lines, working_folder
from latebind.profiling.sections import Section, text
from latebind.runtime.current import current_executor
from latebind.runtime.direct_phases import unfinished_phases
from latebind.runtime.events import DirectRun, Event, Recaptured, RecordingRun, Synced, VariantCompiled
from latebind.runtime.recompilations import Cause

#: Compilations that are kept one by one; those beyond it are counted.
KEPT: Final = 10_000
_NUMBERS: Final = re.compile(r"\d+")
#: Groups of compilations, and lines that waited, which the text shows.
_SHOWN: Final = 40


@dataclass(slots=True)
class CompilationGroup:
    """Compilations for like reasons at one line: they differ in sizes and numbers only.

    Attributes
    ----------
    first, last : Cause
    count : int
    seconds : float
        Of all of them.
    """

    first: Cause
    last: Cause
    count: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Synchronisation:
    """What one line waited for, in one way.

    Attributes
    ----------
    line : str
        The user's line; empty if the settings switch lines off.
    reason : str
        What the line says that needs a value: `float()`, printing, ...
    count : int
    seconds : float
        That the line took for it, with the closing of the recording and what was compiled for it.
    """

    line: str
    reason: str
    count: int
    seconds: float


class Explanation:
    """What `explain` returns: a context manager that collects; `str()` of it is the report.

    Attributes
    ----------
    compilations : list of Cause
        In the order in which they ended; the first 10,000.
    recaptures : list of str
        Why functions given to `compile` were captured again, each with the user's line.
    recordings : dict of str to int
        How many recordings ran in which way: `computation`, `queued` (the same, on the worker's thread), `interpreted`.
    direct_operations : int
        Operations that ran directly: nothing of them was recorded or compiled.
    begun : bool
        Whether the block was entered.
    """

    def __init__(self) -> None:
        self.begun = False
        self.compilations: list[Cause] = []
        self.recaptures: list[str] = []
        self.recordings: dict[str, int] = {}
        self.direct_operations = 0
        self._groups: dict[tuple[str, ...], CompilationGroup] = {}
        self._syncs: dict[tuple[str, str], list[float]] = {}
        self._lock = threading.Lock()
        self._folder = working_folder()

    def __enter__(self) -> Self:
        self._executor = current_executor()
        self._lines = Lines(wanted=self._executor.options.source_lines)
        self._executor.events.watch(self._see)
        self._start = perf_counter()
        self.begun = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._executor.events.unwatch(self._see)
        for phase in unfinished_phases(self._executor, self._start, perf_counter()):
            self._see(phase)

    def _see(self, event: Event) -> None:
        match event:
            case Synced():
                code, lasti, reason = reason_of(event)
                line = self._lines.at(code, lasti)
                with self._lock:
                    seen = self._syncs.setdefault((line, reason), [0, 0.0])
                    seen[0] += 1
                    seen[1] += event.end - event.start
            case VariantCompiled(cause=cause):
                with self._lock:
                    self._add(cause)
            case RecordingRun(how=how):
                with self._lock:
                    self.recordings[how] = self.recordings.get(how, 0) + 1
            case DirectRun(operations=operations):
                self.direct_operations += int(operations)
            case Recaptured():
                if len(self.recaptures) < KEPT:
                    self.recaptures.append(f"{event.name}: {event.difference}")

    def _add(self, cause: Cause) -> None:
        if len(self.compilations) < KEPT:
            self.compilations.append(cause)
        key = cause.line, cause.reason, _NUMBERS.sub("#", cause.difference), str(bool(cause.nearest))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = CompilationGroup(cause, cause)
        group.last = cause
        group.count += 1
        group.seconds += cause.seconds

    # What was seen

    @property
    def groups(self) -> list[CompilationGroup]:
        """Compilations with like reasons at one line, the most expensive first."""
        with self._lock:
            return sorted(self._groups.values(), key=lambda group: -group.seconds)

    @property
    def synchronisations(self) -> list[Synchronisation]:
        """Who waited, where, and why, the most expensive first."""
        with self._lock:
            seen = [
                Synchronisation(line, reason, int(count), seconds)
                for (line, reason), (count, seconds) in self._syncs.items()
            ]
        return sorted(seen, key=lambda one: -one.seconds)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON values; files are named as in the report."""
        return {
            "compilations": [
                {name: self._short(value) if isinstance(value, str) else value for name, value in asdict(cause).items()}
                | {"text": self._short(str(cause))}
                for cause in self.compilations
            ],
            "recaptures": [self._short(line) for line in self.recaptures],
            "synchronisations": [asdict(one) for one in self.synchronisations],
            "recordings": dict(self.recordings),
            "direct_operations": self.direct_operations,
        }

    def __str__(self) -> str:
        return "\n\n".join(part for part in (self._compiled(), self._recaptured(), text([self._waited()])) if part)

    def _compiled(self) -> str:
        groups = self.groups
        count, seconds = sum(group.count for group in groups), sum(group.seconds for group in groups)
        lines = [f"{count:,} compilation{'s' if count != 1 else ''}, {seconds:.3g} s"]
        for group in groups[:_SHOWN]:
            lines.append(f"  {self._short(str(group.first))}")
            if group.count > 1:
                more = group.count - 1
                lines.append(
                    f"    and {more:,} more like it, {group.seconds - group.first.seconds:.3g} s; "
                    f"the last: {self._short(group.last.difference or group.last.name)}"
                )
        if len(groups) > _SHOWN:
            lines.append(f"  and {len(groups) - _SHOWN:,} more reasons")
        ran = ", ".join(f"{number:,} {_HOW[how]}" for how, number in sorted(self.recordings.items()))
        lines.append(f"  recordings: {ran or 'none ran'}")
        if self.direct_operations:
            lines.append(
                f"  {self.direct_operations:,} operations ran directly, one by one: nothing of them was recorded, "
                "because the program does not repeat itself or they are too small to gain"
            )
        return "\n".join(lines)

    def _recaptured(self) -> str:
        if not self.recaptures:
            return ""
        shown = [f"  {self._short(line)}" for line in self.recaptures[:_SHOWN]]
        if len(self.recaptures) > _SHOWN:
            shown.append(f"  and {len(self.recaptures) - _SHOWN:,} more")
        return "\n".join(["functions given to compile() that were captured again", *shown])

    def _waited(self) -> Section:
        seen = self.synchronisations
        rows = [(f"{one.count:,}", f"{one.seconds * 1e3:,.3f}", one.line or "-", one.reason) for one in seen[:_SHOWN]]
        notes = [f"and {len(seen) - _SHOWN:,} more"] if len(seen) > _SHOWN else []
        return Section("synchronisations", (">times", ">ms", "line", "reason"), rows, tuple(notes))

    def _short(self, text: str) -> str:
        """Return a text with files relative to the working directory."""
        return text.replace(self._folder, "") if self._folder != os.sep else text


_HOW: Final = {
    "computation": "as a compiled graph",
    "queued": "as a compiled graph on the worker's thread",
    "interpreted": "operation by operation, too new to be compiled",
}


def explain() -> Explanation:
    """Return a context manager that collects why graphs were compiled, and when the program waited for values.

    It observes the current container, in all threads. `str()` of it is the report: for every compilation its size and
    cost, the computation in the cache that is most like it and the first difference, with the user's lines; why
    functions given to `compile` were captured again; and every line that waited, with what it says that needs a value.

    Examples
    --------
    >>> with latebind.explain() as seen:  # doctest: +SKIP
    ...     train()
    >>> print(seen)  # doctest: +SKIP
    """
    return Explanation()
