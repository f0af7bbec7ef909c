"""A profile as tables: the same for the terminal, for text and for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from latebind.profiling.costs import GraphCost, LineCost, OperationCost
from latebind.profiling.memory import Memory, curve

if TYPE_CHECKING:
    from latebind.profiling.profile import Profile

#: Phases of a run and the timers that they add up.
PHASES: Final = {
    "record": ("RecordTime",),
    "dispatch": ("DispatchTime",),
    "lower": ("LowerTime",),
    "compile": ("CompileTime",),
    "execute": ("ExecuteTime",),
    "transfer": ("TransferToDeviceTime", "TransferFromDeviceTime"),
}
#: Rows of a table; what is left out is counted.
ROWS: Final = 12
_WIDEST: Final = 60
#: From nothing to the peak.
_LEVELS: Final = " .:-=+*#@"
#: Figures of an engine on a graph that the table shows, if it gives them.
_FIGURES: Final = ("flops", "bytes_accessed", "temp_bytes")


@dataclass(frozen=True, slots=True)
class Section:
    """One table.

    Attributes
    ----------
    title : str
    headings : tuple of str
        Those that begin with `>` are of numbers.
    rows : sequence of tuple of str
    notes : tuple of str
        Lines beneath it.
    """

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()


def sections(profile: Profile) -> Iterator[Section]:
    """Return the tables of a profile that is over."""
    yield _phases(profile)
    yield _graphs(profile.graphs, profile.graph_notes)
    yield _lines(profile.lines, timed=bool(profile.operations))
    if profile.wants_operations:
        yield _operations(profile.operations, profile.operation_notes)
    yield _memory(profile.memory, profile.seconds)


def text(tables: Iterable[Section]) -> str:
    """Return tables as plain text."""
    return "\n\n".join(map(_text, tables))


def _text(section: Section) -> str:
    if not section.rows:
        return "\n".join((section.title, "  nothing", *(f"  {note}" for note in section.notes)))
    rows = [tuple(heading.removeprefix(">") for heading in section.headings), *section.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(section.headings))]
    right = [heading.startswith(">") for heading in section.headings]
    lines = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join((section.title, *(f"  {line}" for line in (*lines, *section.notes))))


def _phases(profile: Profile) -> Section:
    rows = []
    for phase, (times, seconds) in profile.phases.items():
        rows.append((phase, f"{times:,}", milliseconds(seconds), mean(seconds, times), share(seconds, profile.seconds)))
    notes = ["record: with the program's own Python; what runs on another thread runs beside the rest"]
    if profile.written and profile.dropped:
        notes.append(f"{profile.dropped:,} spans beyond the limit of {profile.limit:,} are not in the trace")
    title = f"phases of {profile.seconds:,.3f} s"
    return Section(title, ("phase", ">times", ">ms", ">us each", ">of the time"), rows, tuple(notes))


def _graphs(graphs: Sequence[GraphCost], notes: tuple[str, ...]) -> Section:
    shown = graphs[:ROWS]
    figures = [name for name in _FIGURES if any(name in each.figures for each in shown)]
    rows = [
        (
            each.name,
            f"{each.operations:,}",
            f"{each.runs:,}",
            f"{each.interpreted:,}",
            milliseconds(each.seconds),
            mean(each.seconds, each.runs),
            " + ".join(each.reasons),
            milliseconds(each.compile_seconds) if each.compilations else "",
            *(f"{each.figures[name]:,.0f}" if name in each.figures else "" for name in figures),
            each.where,
        )
        for each in shown
    ]
    fixed = ("graph", ">operations", ">runs", ">interpreted", ">ms", ">us each", "compiled", ">in ms")
    headings = (*fixed, *(f">{name.replace('_', ' ')}" for name in figures), "lines")
    return Section("graphs, the most expensive first", headings, rows, (*_left_out(graphs), *notes))


def _lines(lines: Sequence[LineCost], *, timed: bool) -> Section:
    total = sum(each.seconds for each in lines)
    rows = [
        (
            each.line or "unknown",
            f"{each.operations:,}",
            milliseconds(each.seconds),
            share(each.seconds, total),
            f"{each.waits:,}",
            milliseconds(each.wait_seconds),
            _shortened(each.text),
        )
        for each in lines[:ROWS]
    ]
    how = "measured" if timed else "estimated from the times of its graphs and the sizes of its operations"
    notes = f"ms: running what was recorded here, {how}", "waited: for results, and for starts that were asked for here"
    headings = ("line", ">operations", ">ms", ">of running", ">syncs", ">waited ms", "source")
    return Section("lines", headings, rows, (*_left_out(lines), *notes))


def _operations(operations: Sequence[OperationCost], notes: tuple[str, ...]) -> Section:
    total = sum(each.seconds for each in operations)
    rows = [
        (
            each.name,
            each.type,
            f"{each.runs:,}",
            milliseconds(each.seconds),
            mean(each.seconds, each.runs),
            share(each.seconds, total),
            each.line,
        )
        for each in operations[:ROWS]
    ]
    headings = ("operation", "result", ">runs", ">ms", ">us each", ">of all", "line")
    return Section("operations", headings, rows, (*_left_out(operations), *notes))


def _memory(memory: Memory, seconds: float) -> Section:
    rows = [
        (f"{each.nbytes:,}", f"{each.count:,}", each.type, each.device, _SOURCES[each.how], each.line)
        for each in memory.arrays[:ROWS]
    ]
    notes = list(_left_out(memory.arrays))
    if memory.peak_bytes:
        shades = [_LEVELS[(len(_LEVELS) - 1) * held // memory.peak_bytes] for held in curve(memory, seconds, _WIDEST)]
        notes.append(f"over time: {''.join(shades)}|")
    if memory.missed:
        notes.append(f"{memory.missed:,} arrays beyond the profile's limit are missing")
    title = f"memory: at most {memory.peak_bytes:,} bytes in arrays, after {memory.peak_seconds:,.3f} s, held by"
    return Section(title, (">bytes", ">arrays", "type", "device", "what", "line"), rows, tuple(notes))


_SOURCES: Final[Mapping[str, str]] = {
    "result": "computed",
    "host": "from the host",
    "before": "older than the profile",
    "engine": "the engine's, for one run",
}


def _left_out(rows: Sequence[object]) -> tuple[str, ...]:
    return (f"... and {len(rows) - ROWS:,} more",) if len(rows) > ROWS else ()


def _shortened(source: str) -> str:
    return source if len(source) <= _WIDEST else f"{source[: _WIDEST - 3]}..."


def milliseconds(seconds: float) -> str:
    """Return seconds in milliseconds."""
    return f"{seconds * 1e3:,.2f}"


def mean(seconds: float, times: int) -> str:
    """Return the mean in microseconds; empty of nothing."""
    return f"{seconds / times * 1e6:,.1f}" if times else ""


def share(part: float, whole: float) -> str:
    """Return a share in per cent; empty of nothing."""
    return f"{100 * part / whole:.1f} %" if whole > 0 else ""
