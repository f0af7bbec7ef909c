"""The table at the end: how each operation runs, for which dtypes, and which cases failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Final

_ORDER: Final = ("native", "decomposition", "fallback", "unsupported")
_WORDS: Final = {
    "native": "native",
    "decomposition": "by decomposition",
    "fallback": "by fallback",
    "unsupported": "unsupported",
}


@dataclass(slots=True)
class Row:
    """One operation.

    Attributes
    ----------
    ways : dict of str to list of str
        From the way to run (`native`, ...) to the dtypes that run so.
    cases, failed, deviating : int
    """

    ways: dict[str, list[str]] = field(default_factory=dict)
    cases: int = 0
    failed: int = 0
    deviating: int = 0

    def how(self) -> str:
        """Say how the operation runs: the first way that there is, then the dtypes of the others."""
        rest = [way for way in _ORDER if way in self.ways and way != self.best()]
        return "; ".join([_WORDS[self.best()], *(f"{_WORDS[way]}: {', '.join(self.ways[way])}" for way in rest)])

    def best(self) -> str:
        """Return the best of its ways."""
        return next(way for way in _ORDER if way in self.ways)

    def result(self) -> str:
        """Say how many cases failed."""
        parts = [f"{self.failed} FAILED"] if self.failed else []
        if self.deviating:
            parts.append(f"{self.deviating} deviate as declared")
        return ", ".join(parts) or "passed"


@dataclass(slots=True)
class Summary:
    """What a run of the kit found.

    Attributes
    ----------
    rows : dict of str to Row
        By operation.
    failures : list of str
        Names of failed cases and interface tests.
    interface : [int, int, int, int]
        Tests of the interface that passed, failed, deviated as declared, and were skipped.
    deviations : dict of str to [int, int]
        For each pattern that matched: cases that failed, and all.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    interface: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    deviations: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Sequence[dict[str, Any]]) -> Summary:
        """Sum up what the tests reported."""
        summary = cls()
        for one in found:
            for pattern, (failed, total) in one["expected"].items():
                counts = summary.deviations.setdefault(pattern, [0, 0])
                counts[0] += failed
                counts[1] += total
            summary.failures.extend(one["failures"])
            deviating = sum(failed for failed, _ in one["expected"].values())
            if "how" in one:
                summary._add_operation(one, deviating)
            else:
                which = 3 if one["skipped"] else 1 if one["failures"] else 2 if deviating else 0
                summary.interface[which] += 1
        return summary

    def _add_operation(self, one: dict[str, Any], deviating: int) -> None:
        kind, _, dtype = one["group"].removesuffix("]").partition("[")
        row = self.rows.setdefault(kind, Row())
        row.ways.setdefault(one["how"], []).append(dtype)
        row.cases += one["cases"]
        row.failed += len(one["failures"])
        row.deviating += deviating

    @property
    def gone(self) -> list[str]:
        """Declared deviations of which every case passed."""
        return [pattern for pattern, (failed, _) in self.deviations.items() if not failed]

    def lines(self, width: int) -> Iterator[str]:
        """Write the table."""
        if self.rows:
            yield from self._table(width)
        passed, broken, expected, skipped = self.interface
        yield f"interface: {passed} passed, {broken} failed, {expected} deviate as declared, {skipped} skipped"
        if self.failures:
            yield f"failed ({len(self.failures)}):"
            yield from (f"  {name}" for name in self.failures)
        for pattern in self.gone:
            yield f"declared deviation {pattern!r}: every case passes now, so remove it from the backend's `deviations`"

    def _table(self, width: int) -> Iterator[str]:
        names = max(map(len, self.rows)) + 2
        results = max(len(row.result()) for row in self.rows.values()) + 2
        yield f"{'operation':{names}}{'cases':>6}  {'result':{results}}how"
        for kind in sorted(self.rows):
            row = self.rows[kind]
            head = f"{kind:{names}}{row.cases:>6}  {row.result():{results}}"
            first, *rest = wrap(row.how(), max(24, width - len(head)))
            yield head + first
            yield from (" " * len(head) + line for line in rest)
        yield ""
        full = sum(list(row.ways) == ["native"] for row in self.rows.values())
        ways = [row.best() for row in self.rows.values()]
        others = [f"{ways.count(way)} {_WORDS[way]}" for way in _ORDER[1:]]
        partial = ways.count("native") - full
        yield f"{len(self.rows)} operations: {full} native, {partial} native with gaps, {', '.join(others)}"
        cases = sum(row.cases for row in self.rows.values())
        failed = sum(row.failed for row in self.rows.values())
        deviating = sum(row.deviating for row in self.rows.values())
        yield f"{cases} cases: {cases - failed - deviating} right, {deviating} deviate as declared, {failed} failed"
