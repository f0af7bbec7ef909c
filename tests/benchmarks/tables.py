"""Tables of a run, for the terminal and for Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.benchmarks.case import Spread
from tests.benchmarks.comparison import Comparison

if TYPE_CHECKING:
    from tests.benchmarks.results import Cold, Results

#: How problems are shown in a cell.
_SHORT = {"missing": "-", "wrong": "WRONG", "failed": "FAILED", "hangs": "HANGS", "died": "DIED"}


@dataclass(slots=True)
class Table:
    """A titled grid of text; `rows` have as many cells as there are columns."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> Iterator[str]:
        """Return the lines of the table in Markdown."""
        yield f"**{self.title}**\n"
        yield _row(self.columns)
        yield _row(["---", *["--:"] * (len(self.columns) - 1)])
        yield from map(_row, self.rows)
        for note in self.notes:
            yield f"\n{note}"
        yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def number(value: float) -> str:
    """Return a number with three significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def comparison_table(comparison: Comparison) -> Table:
    """Return a micro-benchmark: first run, median and quartiles, by contender."""
    unit = comparison.unit
    rows = []
    for name, values in comparison.taken.items():
        spread = Spread.of(values)
        first = number(comparison.first[name]) if name in comparison.first else "-"
        rows.append([name, first, number(spread.median), f"{number(spread.lower)} to {number(spread.upper)}"])
    rows += [[name, _SHORT[kind], _SHORT[kind], message[:60]] for name, (kind, message) in shown(comparison.problems)]
    title = f"{comparison.name}: {comparison.title}, {unit}"
    return Table(title, ["contender", "first run", "median", "quartiles"], rows, comparison.notes)


def shown(problems: dict[str, tuple[str, str]]) -> list[tuple[str, tuple[str, str]]]:
    """Return the problems that a reader wants to see in a table: all but what nobody expects to work."""
    return [(name, problem) for name, problem in problems.items() if problem[0] != "missing"]


def workload_table(results: Results, contenders: Sequence[str]) -> Table:
    """Return the workloads in steady state: NumPy's time, and how many times as fast the others are."""
    columns = ["workload", "operation, us", "numpy, ms", *[name for name in contenders if name != "numpy"]]
    rows = []
    for name, comparison in results.workloads.items():
        median, _ = results.operations.get(name, (math.nan, 0))
        own = comparison.taken.get("numpy")
        row = [name + (" (fused)" if _is_fused(name) else ""), number(median), _with_spread(own)]
        for contender in contenders:
            if contender != "numpy":
                row.append(_speedup(comparison, contender))
        rows.append(row)
    notes = [
        "numpy: median and quartiles in ms. Others: how many times as fast as NumPy, median and quartiles.",
        "Operation: median time of NumPy's operations in the workload. Fused: elementwise operations dominate.",
        "WRONG, FAILED, HANGS: see the list of problems. -: nobody would use this library for that, or it is missing.",
    ]
    return Table("workloads, steady state: times as fast as NumPy", columns, rows, notes)


def _is_fused(name: str) -> bool:
    from tests.benchmarks.workloads import WORKLOADS

    return WORKLOADS[name].fused


def _with_spread(values: Sequence[float] | None) -> str:
    if not values:
        return "-"
    spread = Spread.of(values)
    return f"{number(spread.median)} ({number(spread.lower)}-{number(spread.upper)})"


def _speedup(comparison: Comparison, contender: str) -> str:
    if contender in comparison.problems:
        return _SHORT[comparison.problems[contender][0]]
    ratio = comparison.ratio("numpy", contender)
    return "-" if ratio is None else f"{number(ratio.median)} ({number(ratio.lower)}-{number(ratio.upper)})"


def first_call_table(results: Results, contenders: Sequence[str]) -> Table:
    """Return the first calls: medians over the generations of processes, and their sum against NumPy's."""
    rows = []
    names = list(results.workloads)
    for name in names:
        row = [name]
        for contender in contenders:
            taken = [generation[name][contender] for generation in results.first_calls if contender in generation[name]]
            problem = results.workloads[name].problems.get(contender)
            row.append(number(Spread.of(taken).median) if taken else _SHORT[problem[0]] if problem else "-")
        rows.append(row)
    total = ["sum, times NumPy's at the same workloads"]
    for contender in contenders:
        ratios = [ours / numpys for ours, numpys in results.first_call_sums(contender)]
        total.append(number(Spread.of(ratios).median) if ratios else "-")
    rows.append(total)
    notes = ["Each first call is in a process that has run the workloads above it once; no caches on the disk."]
    return Table("first calls of all workloads in one process, ms", ["workload", *contenders], rows, notes)


def cold_table(cold: Cold) -> Table:
    """Return a cold start: import, first call with empty caches, and in the next process."""
    rows = [
        [name, *(_with_spread(column.get(name)) for column in (cold.imports, cold.cold, cold.second))]
        for name in cold.cold
    ]
    rows += [[name, _SHORT[kind], "", message[:60]] for name, (kind, message) in shown(cold.problems)]
    columns = ["contender", "import", "first call", "first call, second process"]
    notes = ["Medians and quartiles of fresh processes. The second process finds the caches on the disk of the first."]
    return Table(f"cold start: {cold.workload}, ms", columns, rows, notes)


def problem_lines(results: Results) -> list[str]:
    """Return what went wrong, one line for each: contenders that are missing once, the rest one by one."""
    lines: dict[str, None] = {}
    for comparison in [*results.micro.values(), *results.workloads.values()]:
        for name, (kind, message) in comparison.problems.items():
            if kind != "missing":
                lines[f"{name}, {comparison.name}: {kind}: {message}"] = None
            elif "not importable" in message or "unknown backend" in message or "No module" in message:
                lines[f"{name}: missing: {message}"] = None
    for cold in results.cold:
        for name, (kind, message) in shown(cold.problems):
            lines[f"{name}, cold start of {cold.workload}: {kind}: {message}"] = None
    return list(lines)
