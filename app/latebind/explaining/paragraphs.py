"""An explanation as text that is read once: a paragraph per compilation, a line per synchronisation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from latebind.explaining.records import Change, Compilation, Known, Synchronisation, Tallies
from latebind.profiling.lines import COMMAND

#: What the reader can do, by what differs.
_ADVICE: Final = {
    "type": "Every shape and dtype has a computation of its own: give the arrays the same ones (padding, astype).",
    "attribute": "What an operation is told besides its operands is part of the computation.",
    "live": "What is computed depends on which arrays are in use when a value is read: delete those not needed.",
    "donation": "A buffer is overwritten only where nothing else, an unfinished run included, uses it.",
    "aliasing": "Operands that are one array and operands that are two have different computations.",
    "dropped": "The cache was too small for it: see cache.max_entries and cache.max_bytes.",
}
_NOWHERE: Final = "a line that is not known"


def compilation_paragraph(made: Compilation) -> str:
    """Return a compilation as one paragraph."""
    what = f"{made.name}, {_count(made.operations, 'operation')}"
    if made.lines:
        what += f" of {made.lines},"
    if made.function:
        what += f" captured from {made.function}(),"
    what = what.rstrip(",") + ","
    by = f" by {made.engines}" if made.engines else ""
    background = f", and {_time(made.background)} in the background" if made.background else ""
    if made.count > 1:
        what += f" is the last of {made.count:,} compiled{by} for this reason, in {_time(made.seconds)}{background}."
    else:
        what += f" was compiled{by} in {_time(made.seconds)}{background}."
    return f"{_place(made.line, made.text)}: {what} {_why(made)}".strip()


def _why(made: Compilation) -> str:
    change, nearest = made.change, made.nearest
    if made.reason == "captured":
        return "It is the first capture of the function."
    if change is None or nearest is None:
        return "Nothing like it was compiled before."
    if change.kind == "capture":
        return f"The function was captured again: {change.now} (the call most like it: {nearest.line})."
    advice = _ADVICE.get(change.kind, "")
    if change.kind == "type" and change.now.startswith("a "):
        advice = "What kind of number an operand is belongs to the computation, unlike its value."
    if made.reason == "scalar":
        others = "It is a parameter" if not change.note else "They are parameters"
        advice = f"{others} from now on, whose other values need no compilation."
    elif change.kind == "scalar":
        advice = "Every value has a computation of its own, as deterministic: true asks for."
    return f"{_difference(change, nearest)} {advice}".strip()


def _difference(change: Change, nearest: Known) -> str:
    lines = f" ({nearest.lines})" if nearest.lines else ""
    known = f"{nearest.name}{lines}"
    name, here, there = f"`{change.operation}`", _at(change.line), _at(nearest.line)
    which = f"{change.note} of {name}" if change.note else f"the operand of {name}"
    match change.kind:
        case "type":
            found = f"{which}{here} is {change.now}, and was {change.before}{there}"
        case "attribute":
            found = f"{change.note} of {name}{here} is {change.now}, and was {change.before}{there}"
        case "scalar":
            also = f" ({change.note})" if change.note else ""
            found = f"the number in {name}{here} is {change.now}, and was {change.before}{there}{also}"
        case "live":
            also = f" ({change.note})" if change.note else ""
            found = f"the result of {name}{here} is {change.now}, and was {change.before}{there}{also}"
        case "donation":
            what = f"{change.note}, an operand of {name}{here}," if change.operation else "an operand"
            return f"It is {known} again, but {what} is {change.now}, and was {change.before}{there}."
        case "operand" if change.note == "count":
            found = f"{name}{here} takes {change.now}, and took {change.before}{there}"
        case "aliasing" | "operand":
            found = f"{which}{here} is {change.now}, and was {change.before}{there}"
        case "operation":
            found = _operation(change, name, here, there)
        case "device":
            found = f"it is for {change.now}, and that one for {change.before}"
        case _:
            return f"The same was compiled before, as {known}, and dropped since."
    return f"It is like {known}{_up_to(change)}: {found}."


def _operation(change: Change, name: str, here: str, there: str) -> str:
    if change.note == "inserted":
        return f"it has {change.now}, beginning with {name}{here}"
    if change.before == "the end":
        return f"it goes on with {change.now}, beginning with {name}{here}"
    if change.now == "the end":
        return f"it ends before {name}{there}, with which that one went on"
    return f"{name}{here} is where `{change.before}` was{there}"


def _up_to(change: Change) -> str:
    if not change.position or change.kind in ("scalar", "live", "device"):
        return ""
    return " in its first operation" if change.position == 1 else f" in its first {change.position:,} operations"


def synchronisation_lines(waits: Sequence[Synchronisation]) -> list[str]:
    """Return synchronisations as the lines of a table."""
    head = ("line", "reason", "times", "waited", "compiling")
    rows = [
        (
            _where(wait.line),
            wait.reason,
            f"{wait.count:,}",
            _time(wait.seconds),
            _time(wait.compile_seconds) if wait.compile_seconds else "",
            wait.text,
        )
        for wait in waits
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  ".join(
            (
                row[0].ljust(widths[0]),
                row[1].ljust(widths[1]),
                *(cell.rjust(width) for cell, width in zip(row[2:5], widths[2:], strict=True)),
                *row[5:],
            )
        ).rstrip()
        for row in (head, *rows)
    ]


def notes(tallies: Tallies, waiting: int, *, eager: bool = False) -> list[str]:
    """Return what there is to know besides, a sentence each.

    Parameters
    ----------
    tallies
    waiting
        Operations that are recorded and have not run.
    eager
        Whether nothing is recorded.
    """
    found = ["Every operation runs at once (eager: true): nothing is recorded."] if eager else []
    if tallies.interpreted:
        kernels = (
            f", with {_count(tallies.kernels, 'kernel')} of single operations compiled in "
            f"{_time(tallies.kernel_seconds)}"
            if tallies.kernels
            else ""
        )
        found.append(
            f"{tallies.interpreted:,} of {_count(tallies.recordings, 'recording')} ran operation by operation, "
            f"because they were too new to be worth compiling{kernels}."
        )
    if tallies.direct:
        found.append(
            f"{_count(tallies.direct, 'operation')} ran directly, because the program did not repeat itself: nothing "
            "is recorded or compiled of these."
        )
    if tallies.failed:
        found.append(f"{_count(tallies.failed, 'recording')} could not be compiled as a whole.")
    if tallies.evicted:
        found.append(f"The cache dropped {_count(tallies.evicted, 'computation')}.")
    if tallies.dropped:
        found.append(f"{tallies.dropped:,} further compilations and synchronisations are not listed.")
    if waiting:
        have = "is recorded and has not run" if waiting == 1 else "are recorded and have not run"
        found.append(f"{_count(waiting, 'operation')} {have}: nothing asked for the results.")
    return found


def text(
    compilations: Sequence[Compilation], waits: Sequence[Synchronisation], notes: Sequence[str], *, width: int
) -> str:
    """Return an explanation as text; paragraphs are broken into lines of this width."""
    count, seconds = sum(made.count for made in compilations), sum(made.seconds for made in compilations)
    times, waited = sum(wait.count for wait in waits), sum(wait.seconds for wait in waits)
    parts = [f"Compilations: {count:,}" + (f", {_time(seconds)}" if count else "")]
    parts += [_filled(compilation_paragraph(made), width) for made in compilations]
    table = "".join(f"\n  {line}" for line in synchronisation_lines(waits)) if waits else ""
    parts.append(f"Synchronisations: {times:,}" + (f", {_time(waited)} waited{table}" if times else ""))
    if notes:
        parts.append("\n".join(_filled(note, width, "") for note in notes))
    return "\n\n".join(parts)


def _filled(paragraph: str, width: int, indent: str = "  ") -> str:
    return textwrap.fill(
        paragraph,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _where(line: str) -> str:
    return "the end of the program" if line == COMMAND else line or _NOWHERE


def _place(line: str, source: str) -> str:
    return f"{_where(line)} `{source}`" if source else _where(line)


def _at(line: str) -> str:
    return f" at {line}" if line else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _time(seconds: float) -> str:
    return (
        f"{seconds:.2f} s"
        if seconds >= 1
        else f"{seconds * 1e3:.1f} ms"
        if seconds >= 1e-3
        else f"{seconds * 1e6:.0f} us"
    )
