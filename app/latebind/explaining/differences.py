"""The first difference between a computation that was compiled and the nearest one that was there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from latebind.explaining.nearest import Nearest, find_nearest
from latebind.explaining.operations import (
    array_kind,
    attribute_that_differs,
    attribute_values,
    operand_kinds,
    rule_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType

    from latebind.runtime.cache import Structure, Variant
    from latebind.runtime.events import VariantCompiled
    from latebind.runtime.tape import Record

#: What differs: the operations, where an operand comes from, its type, an attribute, a scalar, which operands are one
#: array, which buffers may be overwritten, which arrays were alive, the device, the arguments of a captured function;
#: or nothing, where a computation was compiled before and dropped.
Kind = Literal[
    "operation",
    "operand",
    "type",
    "attribute",
    "scalar",
    "aliasing",
    "donation",
    "live",
    "device",
    "capture",
    "dropped",
]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference.

    Attributes
    ----------
    kind : str
    operation : str
        The operation that differs, or whose operand, attribute or result does; empty if it is none.
    now, before : str
        What it is, and what it was.
    position, position_before : int or None
        Which record; `None` where there is none.
    note : str
        Where not every array or scalar is meant: which.
    """

    kind: Kind
    operation: str = ""
    now: str = ""
    before: str = ""
    position: int | None = None
    position_before: int | None = None
    note: str = ""


def compare(
    event: VariantCompiled, cached: Iterable[Structure], line: Callable[[CodeType, int], str]
) -> tuple[Difference, Structure, Variant] | None:
    """Return the first difference to the nearest computation, and that computation; `None` if none is like it.

    Parameters
    ----------
    event
        Of the compilation.
    cached
        What it is compared with.
    line
        From an instruction to the user's line.
    """
    structure, earlier = event.structure, list(event.earlier)
    if event.reason == "scalars":
        found = _scalars(event, earlier)
        if found is not None:
            return found[0], structure, found[1]
    if earlier:
        difference, variant = _known_graph(event, earlier)
        return difference, structure, variant
    nearest = find_nearest(event.tape, structure, cached, line)
    return None if nearest is None else (_graphs(event, nearest), nearest.structure, nearest.variant)


# One graph, compiled again


def _scalars(event: VariantCompiled, earlier: Sequence[Variant]) -> tuple[Difference, Variant] | None:
    """Return the first scalar that is a constant of the variant most like this recording and has another value now."""
    found = [(variant.differing(event.tape.scalars), variant) for variant in earlier]
    differing, variant = min(found, key=lambda one: len(one[0]) or len(event.tape.scalars) + 1)
    if not differing:
        return None
    index = min(differing)
    position = _owner(event.tape.records, index)
    note = "" if len(differing) == 1 else f"and {len(differing) - 1} more"
    return (
        Difference(
            "scalar",
            _name(event.tape.records[position]),
            repr(event.tape.scalars[index]),
            repr(variant.constant(index)),
            position,
            position,
            note,
        ),
        variant,
    )


def _owner(records: Sequence[Record], index: int) -> int:
    """Return the record that a scalar belongs to."""
    for position, record in enumerate(records):
        index -= record[0].scalar_count
        if index < 0:
            return position
    return len(records) - 1


def _known_graph(event: VariantCompiled, earlier: Sequence[Variant]) -> tuple[Difference, Variant]:
    """Return what differs where the records are those of a variant: what is alive, what may be overwritten."""
    tape, made = event.tape, event.variant
    accepting = [variant for variant in earlier if variant.accepts(tape.scalars)]
    if not accepting:
        found = _scalars(event, earlier)
        if found is not None:
            return found
    nearest = min(
        accepting or earlier,
        key=lambda variant: (
            len(made.output_set - variant.output_set),
            len(made.output_set ^ variant.output_set),
            len(made.donated ^ variant.donated),
        ),
    )
    more = sorted(made.output_set - nearest.output_set)
    if more:
        position = more[0]
        note = "" if len(more) == 1 else f"and {len(more) - 1} more"
        return (
            Difference("live", _name(tape.records[position]), "in use", "not in use", position, position, note),
            nearest,
        )
    return _donation(event, nearest), nearest


def _donation(event: VariantCompiled, nearest: Variant) -> Difference:
    gone, more = nearest.donated - event.variant.donated, event.variant.donated - nearest.donated
    if not gone and not more:
        return Difference("dropped")
    leaf = min(gone or more)
    position = next((number for number, record in enumerate(event.tape.records) if -1 - leaf in record[1:]), None)
    operation, type = "", ""
    if position is not None:
        record = event.tape.records[position]
        operation, type = _name(record), array_kind(record[0], record.index(-1 - leaf, 1) - 1)
    free, used = "free to be overwritten", "in use elsewhere"
    return Difference("donation", operation, used if gone else free, free if gone else used, position, position, type)


# Two graphs


def _graphs(event: VariantCompiled, nearest: Nearest) -> Difference:
    records, others = event.tape.records, nearest.structure.records
    for position, (record, other) in enumerate(zip(records, others, strict=False)):
        if record != other:
            return _records(record, other, position, nearest, len(records), len(others))
    if len(records) != len(others):
        at = min(len(records), len(others))
        longer = records if len(records) > at else others
        more = f"{len(longer) - at} operation{'s' if len(longer) - at > 1 else ''} more"
        if longer is records:
            return Difference("operation", _name(records[at]), more, "the end", at, None)
        return Difference("operation", _name(others[at]), "the end", more, None, at)
    device, before = event.tape.ground.device, nearest.variant.executable.device
    if device != before:
        return Difference("device", "", str(device), str(before))
    return Difference("dropped")


def _records(
    record: Record, other: Record, position: int, nearest: Nearest, count: int, count_before: int
) -> Difference:
    """Return the difference between two records at one position."""
    signature, before = record[0], other[0]
    name, at = _name(record), (position, position)
    if signature.rule is not before.rule:
        if nearest.head == position and nearest.head + nearest.tail == min(count, count_before) != count:
            more = count - count_before
            return Difference("operation", name, f"{more} operation{'s' if more > 1 else ''} more", "", *at, "inserted")
        return Difference("operation", name, name, _name(other), *at)
    if signature is before:
        return _operand_codes(record, other, at)
    operands, operands_before = operand_kinds(signature), operand_kinds(before)
    if len(operands) == len(operands_before):
        for number, (now, then) in enumerate(zip(operands, operands_before, strict=True), start=1):
            if now != then:
                return Difference("type", name, now, then, *at, "" if len(operands) == 1 else f"operand {number}")
    if signature.attributes != before.attributes:
        return Difference(
            "attribute", name, *attribute_values(signature, before), *at, attribute_that_differs(signature, before)
        )
    if len(operands) != len(operands_before):
        return Difference(
            "operand", name, f"{len(operands)} operands", f"{len(operands_before)} operands", *at, "count"
        )
    return Difference("dropped", name)  # its signature was made again, after the rule's table was full


def _operand_codes(record: Record, other: Record, at: tuple[int, int]) -> Difference:
    """Return what differs where the same operation takes other operands of the same types."""
    name = _name(record)
    number = next(number for number, (a, b) in enumerate(zip(record[1:], other[1:], strict=True)) if a != b)
    now, before = record[1 + number], other[1 + number]
    which = "" if len(record) == 2 else f"array operand {number + 1}"
    if now < 0 and before < 0:
        same, different = "an array that the recording used before", "another array than those used before"
        return Difference("aliasing", name, *((same, different) if now > before else (different, same)), *at, which)
    return Difference("operand", name, _source(now), _source(before), *at, which)


def _source(code: int) -> str:
    if code < 0:
        return "an array from outside the recording"
    return f"the result of the operation {code} before it" if code > 1 else "the result of the operation before it"


def _name(record: Record) -> str:
    return rule_name(record[0].rule)
