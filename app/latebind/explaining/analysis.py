"""One compilation, explained: the record of it, made from what the executor told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from latebind.explaining.differences import Difference, compare
from latebind.explaining.records import Change, Compilation, Known, Reason
from latebind.profiling.lines import Lines, where

if TYPE_CHECKING:
    from latebind.backends.interface import Backend
    from latebind.runtime.cache import Structure, Variant
    from latebind.runtime.events import VariantCompiled


def analyse(event: VariantCompiled, cached: Iterable[Structure], lines: Lines, line: str) -> Compilation:
    """Return the record of a compilation.

    Parameters
    ----------
    event
        Of the compilation that has just been made.
    cached
        What to compare with.
    lines
    line
        The user's line that made it necessary.
    """
    tape, variant, captured = event.tape, event.variant, event.structure.captured
    stages = variant.executable.stages
    made = Compilation(
        reason=_reason(event),
        line=line,
        text=lines.text(line),
        name=_name(variant),
        function="" if captured is None else captured.function,
        operations=len(tape.records),
        lines=where(lines.of(tape)),
        engines=", ".join(dict.fromkeys(_engines(stage.backend) for stage in stages)),
        seconds=event.end - event.start,
        count=1,
    )
    if captured is not None and event.reason == "new":
        told = captured.difference()
        if told is not None:
            made.reason = "recaptured"
            before, text = told
            argument = text.partition(": ")[0]
            made.change = Change("capture", argument, lines.short(text), "", line, made.text, "", None)
            made.nearest = Known("", 0, "", lines.short(before), "")
        return made
    found = compare(event, cached, lines.at)
    if found is not None:
        difference, structure, nearest = found
        made.change = _change(event, difference, lines)
        made.nearest = _known(structure, nearest, difference, lines)
        if made.reason == "first":
            made.reason = "graph"
    return made


def _reason(event: VariantCompiled) -> Reason:
    if event.reason == "scalars":
        return "scalar"
    if event.reason == "outputs":
        return "outputs"
    return "first" if event.structure.captured is None else "captured"


def _change(event: VariantCompiled, difference: Difference, lines: Lines) -> Change:
    tape, position = event.tape, difference.position
    line = "" if position is None else lines.at(tape.codes[position], tape.lastis[position])
    return Change(
        difference.kind,
        difference.operation,
        difference.now,
        difference.before,
        line,
        lines.text(line),
        difference.note,
        position,
    )


def _known(structure: Structure, variant: Variant, difference: Difference, lines: Lines) -> Known:
    codes, lastis = variant.places
    position = difference.position_before
    line = lines.at(codes[position], lastis[position]) if position is not None and position < len(codes) else ""
    recorded = [lines.at(code, lasti) for code, lasti in zip(codes, lastis, strict=False)]
    return Known(_name(variant), len(structure.records), where(recorded), line, lines.text(line))


def _engines(backend: Backend) -> str:
    return f"{backend.name} ({backend.engines})" if backend.engines else backend.name


def _name(variant: Variant) -> str:
    stages = variant.executable.stages
    return stages[0].computation.name if stages else ""
