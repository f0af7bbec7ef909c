"""`latebind.explain`: why the computations of a block were compiled, and what made it wait."""

from __future__ import annotations

from dataclasses import asdict
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self

from latebind.backends.compilations import unwatch_compilations, watch_compilations
from latebind.errors import ExplanationError
from latebind.explaining.collector import Collector
from latebind.explaining.paragraphs import notes, text
from latebind.explaining.records import Compilation, Synchronisation, Tallies
from latebind.profiling.profile import tell_direct
from latebind.runtime.current import current_executor

#: Compilations, and synchronisations, that are kept apart.
_LIMIT: Final = 1000
#: Characters in a line of text.
_WIDTH: Final = 120
#: Counters that are tallied as what was added to them.
_COUNTED: Final = {"failed": "FailedCompile", "evicted": "Evicted"}


class Explanation:
    """What `explain` returns: a context manager that collects; it may be looked at inside its block, and after it."""

    def __init__(self) -> None:
        self._collector: Collector | None = None
        self._on = False

    def __enter__(self) -> Self:
        if self._on or self._collector is not None:
            raise ExplanationError("this explanation was used already: make another one, they may be nested")
        executor = self._executor = current_executor()
        self._before = executor.metrics.counters()
        collector = self._collector = Collector(executor, _LIMIT)
        self._start = perf_counter()
        self._on = True
        executor.events.watch(collector)
        watch_compilations(collector.compiler_ran)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        collector = self._collector
        assert collector is not None
        self._on = False
        tell_direct(self._executor, collector, self._start, perf_counter())
        self._executor.events.unwatch(collector)
        unwatch_compilations(collector.compiler_ran)
        self._count(collector)

    @property
    def compilations(self) -> list[Compilation]:
        """What was compiled, in order; what happened at one line for one reason is one entry with a count."""
        return [] if self._collector is None else self._collector.compilations()

    @property
    def synchronisations(self) -> list[Synchronisation]:
        """Where the program waited, and why: one entry per line and reason, the longest first."""
        return [] if self._collector is None else self._collector.synchronisations()

    @property
    def tallies(self) -> Tallies:
        """What was counted besides."""
        if self._collector is None:
            return Tallies()
        if self._on:
            self._count(self._collector)
        return self._collector.tallies

    @property
    def notes(self) -> list[str]:
        """What there is to know besides, in sentences."""
        if self._collector is None:
            return []
        waiting = sum(len(tape.records) for tape in list(self._executor.tapes.values()))
        return notes(self.tallies, waiting, eager=self._executor.options.eager)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data, for JSON."""
        return {
            "compilations": [{**asdict(made), "paragraph": str(made)} for made in self.compilations],
            "synchronisations": [asdict(wait) for wait in self.synchronisations],
            "tallies": asdict(self.tallies),
            "notes": self.notes,
        }

    def __str__(self) -> str:
        return self.report()

    def report(self, width: int = _WIDTH) -> str:
        """Return everything as text, in lines of this width."""
        return text(self.compilations, self.synchronisations, self.notes, width=width)

    def __repr__(self) -> str:
        compilations = sum(made.count for made in self.compilations)
        waits = sum(wait.count for wait in self.synchronisations)
        return f"<explanation: {compilations:,} compilations, {waits:,} synchronisations>"

    def _count(self, collector: Collector) -> None:
        now = self._executor.metrics.counters()
        for field, name in _COUNTED.items():
            setattr(collector.tallies, field, now.get(name, 0) - self._before.get(name, 0))


def explain() -> Explanation:
    """Collect why the current container compiles what it compiles inside the block, and what makes the program wait.

    Returns
    -------
    Explanation
        A context manager. `print` it, or use `compilations`, `synchronisations`, and `as_dict()`.

    Examples
    --------
    >>> with latebind.explain() as why:  # doctest: +SKIP
    ...     train()
    >>> print(why)  # doctest: +SKIP
    """
    return Explanation()
