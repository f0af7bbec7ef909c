"""Liveness by reference count: which recorded arrays the program still holds.

A tape holds one strong reference to each array that it recorded. An array whose count shows nothing else is dead: no
weak references, finalisers or registries are kept per array, which is what makes recording cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount
from typing import Final

from latebind.runtime.lazy import LazyTensor


class _Probe:
    __slots__ = ()


def _counts(values: list[object]) -> list[int]:
    return list(map(getrefcount, values))


#: What `getrefcount`, mapped over a list, says of an object that only the list holds. Measured, because interpreters
#: differ in how many references a call itself adds.
UNREFERENCED: Final = _counts([_Probe()])[0]


def live_positions(arrays: list[LazyTensor | None]) -> list[int]:
    """Return the positions of the arrays that something besides this list holds."""
    return [
        position
        for position, count in enumerate(map(getrefcount, arrays))
        if count > UNREFERENCED and arrays[position] is not None
    ]


def release_dead_views(arrays: list[LazyTensor | None], views: list[int]) -> None:
    """Have the views that nothing holds let go of their bases, which would otherwise count as held; the last first."""
    for position in reversed(views):
        view = arrays[position] if position < len(arrays) else None
        # The list and the local name.
        if view is not None and view._link is not None and getrefcount(view) <= UNREFERENCED + 1:
            view._link = None


def unreferenced(values: Sequence[object], others: int = 0) -> list[bool]:
    """Return for each value whether only this sequence, and `others` more references, hold it."""
    limit = UNREFERENCED + others
    return [count <= limit for count in map(getrefcount, values)]


def release_bases(arrays: list[LazyTensor | None], live: list[int]) -> list[int]:
    """Return the live positions without the arrays that only one live view keeps alive.

    Such a view becomes an array of its own: nothing could see its writes through the base.
    """
    dead = set()
    for position in live:
        view = arrays[position]
        link = view._link if view is not None else None
        if view is None or link is None or link.version != link.base._version:
            continue
        base = link.base
        tape = base._tape
        if tape is not view._tape or arrays[base._pos] is not base:
            continue
        # The list, the link, and the local name.
        if getrefcount(base) <= UNREFERENCED + 2:
            view._link = None
            dead.add(base._pos)
    return [position for position in live if position not in dead] if dead else live
