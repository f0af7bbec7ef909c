"""The table of graphs: how often each ran, how long it takes on each tier, and what was decided, and why."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Final

from latebind.backends.tiered.policy import Account, Phase

#: Graphs that the table shows, those that ran most often.
SHOWN: Final = 20
_HEAD: Final = ("graph", "operations", "runs", "baseline us", "optimizing us", "compile ms", "tier", "why")


def table(accounts: Iterable[Account]) -> str:
    """Return a line per graph, those with the most runs first."""
    ordered = sorted(accounts, key=lambda account: (-account.runs, account.name))
    rows = [_HEAD, *map(_row, ordered[:SHOWN])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if len(ordered) > SHOWN:
        lines.append(f"... and {len(ordered) - SHOWN} more graphs")
    return "\n".join(lines)


def _row(account: Account) -> tuple[str, ...]:
    compiled = "" if account.compile_seconds is None else f"{account.compile_seconds * 1e3:.1f}"
    tier = "optimizing" if account.adopted else "baseline"
    return (
        account.name,
        str(account.operations),
        str(account.runs),
        _microseconds(account.baseline_seconds),
        _microseconds(account.optimizing_seconds),
        compiled,
        f"{tier} ({account.phase.value})" if account.phase not in (Phase.DECIDED, Phase.FIXED) else tier,
        account.reason,
    )


def _microseconds(seconds: float) -> str:
    return "" if seconds == inf else f"{seconds * 1e6:.1f}"
