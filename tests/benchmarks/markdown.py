"""The figures of a run as Markdown, at the end of `docs/performance.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.tables import VERDICTS, cell

#: What stands after this line is replaced by every run.
MARKER = "<!-- figures: written by `python -m tests.benchmarks --markdown docs/performance.md` -->"


def write_figures(page: Path, machine: Mapping[str, str], reports: Sequence[Mapping[str, Any]]) -> None:
    """Replace everything after the marker of a page, or add it to the end, by the figures of this run."""
    text = page.read_text() if page.exists() else ""
    kept = text.partition(MARKER)[0].rstrip()
    page.write_text("\n".join([kept, "", MARKER, *_machine(machine), *_figures(reports)]).lstrip() + "\n")


def _machine(machine: Mapping[str, str]) -> Iterator[str]:
    facts = {key: value for key, value in machine.items() if key not in ("executable", "processor")}
    yield f"{machine['processor']}; " + ", ".join(f"{key} {value}" for key, value in facts.items()) + "."


def _figures(reports: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for report in reports:
        yield f"\n### `{report['name']}`: {report['title']}"
        for table in report["tables"]:
            yield f"\n**{table['title']}**\n"
            yield _row(table["columns"])
            yield _row(["---", *["--:"] * (len(table["columns"]) - 1)])
            yield from (_row(map(cell, row)) for row in table["rows"])
            yield from (f"\n{note}" for note in table["notes"])
        if report["aims"] or report["missing"]:
            yield ""
        for aim in report["aims"]:
            yield f"- Aim: {aim['text']}. Measured: {aim['measured']}: {VERDICTS[aim['met']][0]}."
        yield from (f"- Missing: {name}: {reason}." for name, reason in report["missing"].items())
    yield "\n### Where latebind is behind: the peer's time divided by latebind's\n"
    yield from [f"- {line}" for report in reports for line in report["behind"]] or ["- nowhere in this run"]


def _row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
