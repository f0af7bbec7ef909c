"""The computation in the cache that is most like a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import eq
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import CodeType

    from latebind.runtime.cache import Structure, Variant
    from latebind.runtime.tape import Record, Tape

#: Records that are compared in search of the nearest: so many times those of the new computation, and some more.
_SEARCHED: Final = 32
_SEARCHED_AT_LEAST: Final = 10_000
#: A computation is like another if this share of the longer one's operations are the same, in the same order.
_ALIKE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Nearest:
    """A computation that is like another.

    Attributes
    ----------
    structure : Structure
    variant : Variant
        The one that was used last.
    head, tail : int
        Operations in common at the beginning and at the end, whatever the types of their operands.
    """

    structure: Structure
    variant: Variant
    head: int
    tail: int


def find_nearest(
    tape: Tape, structure: Structure, candidates: Iterable[Structure], line: Callable[[CodeType, int], str]
) -> Nearest | None:
    """Return the computation that has most operations in common with a recording; `None` if none is like it.

    Of several, one that was recorded by the same lines, then one that differs in fewer types, then the latest.

    Parameters
    ----------
    tape, structure
        The recording.
    candidates
        What it is compared with.
    line
        From an instruction to the user's line.
    """
    records, ends = tape.records, _ends(tape.codes, tape.lastis, line)
    budget = max(_SEARCHED * len(records), _SEARCHED_AT_LEAST)
    best: tuple[tuple[float, bool, int], Nearest] | None = None
    for other in sorted(candidates, key=lambda one: -one.last_used):
        variants = other.variants  # another thread may drop them
        if other is structure or not variants:
            continue
        head, tail = _common(records, other.records)
        budget -= head + tail + 1
        is_elsewhere = not any(map(eq, ends, _ends(*variants[0].places, line)))
        longer = max(len(records), len(other.records))
        if head + tail >= (_ALIKE if is_elsewhere else 0.0) * longer:
            differing = sum(a != b for a, b in zip(records[:head], other.records[:head], strict=True))
            budget -= head
            rank = longer - head - tail, is_elsewhere, differing
            if best is None or rank < best[0]:
                best = rank, Nearest(other, variants[0], head, tail)
        if budget <= 0:
            break
    return None if best is None else best[1]


def _ends(codes: Sequence[CodeType], lastis: Sequence[int], line: Callable[[CodeType, int], str]) -> list[object]:
    """Return what stands for where a recording begins and ends: the lines, or the functions where these are unknown."""
    return [line(codes[end], lastis[end]) or codes[end] for end in (0, -1)] if codes and lastis else []


def _common(records: Sequence[Record], others: Sequence[Record]) -> tuple[int, int]:
    """Return how many records do the same operation on the same operands, at the beginning and at the end."""
    shorter = min(len(records), len(others))
    head = 0
    while head < shorter and _is_alike(records[head], others[head]):
        head += 1
    tail = 0
    while tail < shorter - head and _is_alike(records[-1 - tail], others[-1 - tail]):
        tail += 1
    return head, tail


def _is_alike(record: Record, other: Record) -> bool:
    """Whether two records are one operation on the same operands, whatever their types; numbers are none."""
    return record[0].rule is other[0].rule and (record[1:] == other[1:] or len(record) != len(other))
