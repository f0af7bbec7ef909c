"""What a group prints: tables of absolute values and ratios, aims beside them, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text
from tests.benchmarks.contenders import LATEBIND, Contenders
from tests.benchmarks.measurement import Spread, round_robin

Cell = str | float | int | None

#: Columns of a comparison, after the contender's name. A ratio above 1 means that the baseline is faster.
COMPARISON_COLUMNS = ("median", "quartiles", "÷ {}", "quartiles of the ratio")


@dataclass(slots=True)
class Table:
    """A titled grid of cells; `rows` have as many cells as there are columns."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Aim:
    """Something that the project wants to reach, with what was measured; `met` is `None` if a peer is missing."""

    text: str
    measured: str
    met: bool | None


@dataclass(slots=True)
class Report:
    """Everything that one group measured.

    Attributes
    ----------
    missing : dict
        Reason, by name of a peer that could not take part.
    behind : list of str
        Comparisons that latebind lost.
    """

    name: str
    title: str
    tables: list[Table] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)

    def compare(
        self,
        title: str,
        contenders: Contenders,
        *,
        rounds: int,
        warmup: int = 1,
        settle: bool = True,
        baseline: str = LATEBIND,
        notes: Sequence[str] = (),
    ) -> Mapping[str, Spread]:
        """Measure contenders in turns, add the table, and return the ratios to the baseline by contender."""
        taken = round_robin(contenders.measures, rounds=rounds, warmup=warmup, settle=settle)
        return self.add_comparison(title, taken, contenders.missing, baseline=baseline, notes=notes)

    def add_comparison(
        self,
        title: str,
        taken: Mapping[str, Sequence[float]],
        missing: Mapping[str, str],
        *,
        baseline: str = LATEBIND,
        notes: Sequence[str] = (),
    ) -> dict[str, Spread]:
        """Add the table of measurements that were taken in turns; return the ratios to the baseline."""
        ratios = {
            name: Spread.of([value / base for value, base in zip(values, taken[baseline], strict=True)])
            for name, values in taken.items()
        }
        rows: list[list[Cell]] = []
        for name, values in taken.items():
            spread, ratio = Spread.of(values), ratios[name]
            rows.append([name, spread.median, _range(spread), ratio.median, _range(ratio)])
        rows += [[name, "missing", None, None, None] for name in missing]
        self.lost_to(title, {name: ratio.median for name, ratio in ratios.items()})
        self.missing.update(missing)
        columns = [column.format(baseline) for column in COMPARISON_COLUMNS]
        self.tables.append(Table(title, ["contender", *columns], rows, list(notes)))
        return ratios

    def lost_to(self, title: str, ratios: Mapping[str, float]) -> None:
        """Note the peers that take less than latebind's time, if any."""
        faster = [
            f"{name} {number(ratio)}" for name, ratio in ratios.items() if ratio < 1 and not name.startswith(LATEBIND)
        ]
        if faster:
            self.behind.append(f"{title}: {', '.join(faster)}")

    def aim(self, text: str, ratio: Spread | None, at_least: float) -> None:
        """Note an aim for a ratio to latebind; `None` if the peer is missing."""
        if ratio is None:
            self.aims.append(Aim(text, "nothing", None))
        else:
            self.aims.append(Aim(text, f"{number(ratio.median)} times", ratio.median >= at_least))


def number(value: float) -> str:
    """Return a number with three significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def _range(spread: Spread) -> str:
    return f"{number(spread.lower)} to {number(spread.upper)}"


def cell(value: Cell) -> str:
    """Return a cell as text."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else number(value)


#: How an aim ended, and in which colour to print it.
VERDICTS = {True: ("met", "green"), False: ("not met", "yellow"), None: ("the peer is missing", "yellow")}


def show(report: Mapping[str, Any], console: Console) -> None:
    """Print a report in the form that JSON has."""
    console.rule(f"{report['name']}: {report['title']}")
    for table in report["tables"]:
        grid = RichTable(title=Text(table["title"]), title_justify="left", title_style="bold")
        for index, column in enumerate(table["columns"]):
            grid.add_column(column, justify="right" if index else "left")
        for row in table["rows"]:
            grid.add_row(
                *(Text(cell(value)) for value in row), style="bold" if str(row[0]).startswith(LATEBIND) else None
            )
        console.print(grid)
        for note in table["notes"]:
            console.print(f"  {note}", highlight=False, markup=False)
    for aim in report["aims"]:
        verdict = VERDICTS[aim["met"]]
        console.print(Text.assemble(f"  Aim: {aim['text']}. Measured: {aim['measured']}: ", verdict))
    for name, reason in report["missing"].items():
        console.print(f"  Missing: {name}: {reason}", style="yellow", highlight=False, markup=False)
    console.print()


def show_behind(reports: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print every comparison that latebind lost."""
    lost = [line for report in reports for line in report["behind"]]
    console.rule("where latebind is behind: the peer's time divided by latebind's")
    for line in lost or ["nowhere in this run"]:
        console.print(f"  {line}", highlight=False, markup=False)
