"""A run's report: tables and goals on the terminal, and the same in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.goals import Goal, goals
from tests.benchmarks.results import Results
from tests.benchmarks.tables import (
    Table,
    cold_table,
    comparison_table,
    first_call_table,
    problem_lines,
    workload_table,
)

#: What stands after this line of a page is replaced by every run.
MARKER = "<!-- figures: written by `python -m tests.benchmarks --markdown docs/performance.md` -->"
_VERDICTS = {True: ("met", "green"), False: ("missed", "red"), None: ("not measured", "yellow")}


def tables(results: Results) -> list[Table]:
    """Return everything that was measured."""
    found = [comparison_table(comparison) for comparison in results.micro.values()]
    if results.workloads:
        taken = {name for comparison in results.workloads.values() for name in comparison.taken}
        failed = {
            name
            for comparison in results.workloads.values()
            for name, (kind, _) in comparison.problems.items()
            if kind != "missing"
        }
        contenders = [name for name in CONTENDERS if name in taken | failed]
        found += [workload_table(results, contenders), first_call_table(results, contenders)]
    return found + [cold_table(cold) for cold in results.cold]


def show(results: Results, console: Console) -> None:
    """Print all tables, what went wrong, and the goals."""
    for table in tables(results):
        grid = RichTable(title=Text(table.title), title_justify="left", title_style="bold")
        for index, column in enumerate(table.columns):
            grid.add_column(column, justify="right" if index else "left")
        for row in table.rows:
            grid.add_row(*map(Text, row), style="bold" if row[0].startswith("latebind") else None)
        console.print(grid)
        for note in table.notes:
            console.print(f"  {note}", highlight=False, markup=False)
        console.print()
    for line in problem_lines(results):
        console.print(f"Problem: {line}", style="yellow", highlight=False, markup=False)
    console.print()
    for line in goal_lines(goals(results)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def goal_lines(found: Sequence[Goal]) -> Iterator[str]:
    """Return the goals as a table in Markdown."""
    yield "| what | goal | measured | |"
    yield "| --- | --- | --- | --- |"
    for goal in found:
        verdict = "" if goal.met is None and goal.measured != "-" else _VERDICTS[goal.met][0]
        yield f"| {goal.what} | {goal.goal} | {goal.measured} | {verdict} |"


def write_markdown(results: Results, page: Path) -> None:
    """Replace everything after the marker of a page, or add it to the end, by the figures of this run."""
    kept = (page.read_text() if page.exists() else "").partition(MARKER)[0].rstrip()
    page.write_text("\n".join([kept, "", MARKER, *_markdown(results)]).lstrip().rstrip() + "\n")


def _markdown(results: Results) -> Iterator[str]:
    facts = {name: fact for name, fact in results.machine.items() if name not in ("executable", "processor")}
    yield f"{results.machine['processor']}; " + ", ".join(f"{name} {fact}" for name, fact in facts.items()) + ".\n"
    yield "### Goals\n"
    yield from goal_lines(goals(results))
    yield "\n### Measurements\n"
    for table in tables(results):
        yield from table.markdown()
    lines = problem_lines(results)
    if lines:
        yield "### Problems\n"
        yield from (f"- {line}" for line in lines)
