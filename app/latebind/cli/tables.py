"""Reports as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from latebind.cli.report import Difference, RunReport
from latebind.profiling.sections import PHASES


def _phase_cell(phase: str) -> Callable[[RunReport], str]:
    return lambda report: f"{report.phases[phase] * 1e3:,.1f} ms"


def _count_cell(name: str) -> Callable[[RunReport], str]:
    return lambda report: f"{report.count(name):,}"


#: Rows of the report: what each is called and how it is read.
_ROWS: Final[tuple[tuple[str, Callable[[RunReport], str]], ...]] = (
    ("backend", lambda report: escape(report.backend)),
    ("device", lambda report: report.device),
    ("graphs compiled", _count_cell("UncachedCompile")),
    ("… again for other outputs or donations", _count_cell("VariantCompile")),
    ("… again for a scalar's promotion", _count_cell("ScalarPromotion")),
    ("recordings interpreted", _count_cell("Interpreted")),
    ("cache hits", _count_cell("CachedCompile")),
    ("cache misses", lambda report: f"{report.count('Recordings') - report.count('CachedCompile'):,}"),
    *((f"time to {phase}", _phase_cell(phase)) for phase in PHASES),
    ("wall-clock time", lambda report: f"{report.seconds:,.2f} s"),
    ("steps", lambda report: f"{report.steps:,}"),
    ("operations per step", lambda report: f"{report.operations_per_step:,.1f}"),
    ("overhead per operation (record, dispatch)", lambda report: f"{report.overhead_us:,.2f} µs"),
)


def print_reports(reports: Sequence[RunReport], console: Console) -> None:
    """Print runs side by side, then their results where they are single values."""
    table = Table(title=escape(reports[0].program))
    table.add_column("")
    for _ in reports:
        table.add_column(justify="right")
    for label, cell in _ROWS:
        table.add_row(label, *map(cell, reports))
    for operation in dict.fromkeys(name for report in reports for name in report.fallbacks):
        table.add_row(
            f"on the reference: {operation}", *(f"{report.fallbacks.get(operation, 0):,}" for report in reports)
        )
    if any(report.ended_by for report in reports):
        table.add_row("ended by", *(escape(report.ended_by) for report in reports))
    table.add_section()
    for name in dict.fromkeys(name for report in reports for name in report.results):
        table.add_row(escape(name), *(_result_cell(report, name) for report in reports))
    console.print(table)


def print_differences(found: Sequence[Difference], first: str, console: Console) -> None:
    """Print how far each run's results are from the first run's."""
    table = Table(title=f"largest difference from {first}")
    for heading in ("result", "backend", "absolute", "relative"):
        table.add_column(heading, justify="right" if heading in ("absolute", "relative") else "left")
    for each in found:
        table.add_row(escape(each.name), escape(each.backend), f"{each.absolute:.3g}", f"{each.relative:.3g}")
    console.print(table)


def _result_cell(report: RunReport, name: str) -> str:
    value = report.results.get(name)
    if value is None:
        return "-"
    return (
        f"{value.item():.6g}"
        if value.ndim == 0 and value.dtype.kind in "fiu"
        else escape(f"{value.dtype}{list(value.shape)}")
    )
