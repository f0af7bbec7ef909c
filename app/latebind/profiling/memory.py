"""Which arrays were alive when: every value that a run or a transfer made, until nothing refers to it any more."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from latebind.backends.interface import BackendData


@dataclass(frozen=True, slots=True)
class Holding:
    """Memory that something held.

    Attributes
    ----------
    nbytes : int
    type, device : str
    line : str
        The user's line that recorded the operation, or made the array; empty for what was there before.
    how : "result", "host", "before" or "engine"
        Whether a run made it, it came from host memory, it is older than the profile, or it is memory that an engine
        needs while it runs a computation.
    """

    nbytes: int
    type: str
    device: str
    line: str
    how: str


@dataclass(frozen=True, slots=True)
class LiveArrays:
    """Arrays of one type, made by one line, that were alive at the peak.

    Attributes
    ----------
    count : int
    nbytes : int
        Of all of them.
    type, device, line, how : str
        As in `Holding`.
    """

    count: int
    nbytes: int
    type: str
    device: str
    line: str
    how: str


@dataclass(frozen=True, slots=True)
class Memory:
    """How much memory arrays held over time.

    Attributes
    ----------
    peak_bytes : int
        The most that was held at a time, on all devices together.
    peak_seconds : float
        When that was, from the start of the profile.
    arrays : tuple of LiveArrays
        Who held it, the largest first.
    timeline : tuple of (float, str, int)
        Seconds from the start, device, and the bytes held there from then on.
    missed : int
        Changes beyond the limit of the profile, which are not in here.
    """

    peak_bytes: int
    peak_seconds: float
    arrays: tuple[LiveArrays, ...]
    timeline: tuple[tuple[float, str, int], ...]
    missed: int = 0


def curve(memory: Memory, seconds: float, columns: int) -> list[int]:
    """Return the most bytes that were held, on all devices together, in each of so many equal parts of the time."""
    held: dict[str, int] = {}
    most = [0] * columns
    reached = total = 0
    for at, device, nbytes in memory.timeline:
        column = min(columns - 1, int(at / seconds * columns)) if seconds > 0 else 0
        for passed in range(reached, column + 1):
            most[passed] = max(most[passed], total)
        reached = column
        total += nbytes - held.get(device, 0)
        held[device] = nbytes
        most[column] = max(most[column], total)
    for rest in range(reached, columns):
        most[rest] = max(most[rest], total)
    return most


class _Watch(weakref.ref[BackendData]):
    """Tells when data is gone."""

    __slots__ = ("ident", "key")
    ident: int
    key: int


class MemoryTracker:
    """Follows the values of one executor.

    A value counts from the start of the run that made it, or from its transfer, until its last reference is gone, or
    until a computation that may overwrite it starts.

    Parameters
    ----------
    start
        `perf_counter()` at the start of the profile.
    limit
        Changes that are kept.
    """

    def __init__(self, start: float, limit: int) -> None:
        self.start: Final = start
        self.limit: Final = limit
        self.missed = 0
        self._keys = itertools.count()
        self._lock = threading.RLock()  # a finaliser may run at any place, and use arrays
        #: Time, key, and whether it is held from then on. Lists and dictionaries only: a finaliser appends, anywhere.
        self._changes: list[tuple[float, int, bool]] = []
        self._holdings: dict[int, Holding] = {}
        self._watches: dict[int, _Watch] = {}
        self._on_gone = self._callback()

    def hold(self, data: BackendData, line: str, how: str, at: float) -> None:
        """Count a value from this time on; nothing happens if it is counted already, or failed."""
        with self._lock:
            watch = self._watches.get(id(data))
            if data.error is not None or (watch is not None and watch() is data):
                return
            key = self._begin(Holding(data.type.nbytes, repr(data.type), str(data.device), line, how), at)
            if key is not None:
                watch = _Watch(data, self._on_gone)
                watch.ident, watch.key = id(data), key
                self._watches[watch.ident] = watch

    def release(self, data: BackendData, at: float) -> None:
        """Stop counting a value: what it held may be overwritten from now on."""
        watch = self._watches.get(id(data))
        if watch is not None and watch() is data:
            del self._watches[watch.ident]
            self._changes.append((at, watch.key, False))

    def hold_between(self, holding: Holding, start: float, end: float) -> None:
        """Count memory that is held for a known time."""
        key = self._begin(holding, start)
        if key is not None:
            self._changes.append((end, key, False))

    def _begin(self, holding: Holding, at: float) -> int | None:
        if len(self._changes) >= self.limit:
            self.missed += 1
            return None
        key = next(self._keys)
        self._holdings[key] = holding
        self._changes.append((at, key, True))
        return key

    def _callback(self) -> Callable[[weakref.ref[BackendData]], None]:
        """Return what is called when a value is gone; it does not keep this tracker alive."""
        watches, changes = self._watches, self._changes

        def gone(watch: weakref.ref[BackendData]) -> None:
            assert isinstance(watch, _Watch)
            if watches.get(watch.ident) is watch:  # not released before
                del watches[watch.ident]
                changes.append((perf_counter(), watch.key, False))

        return gone

    def stop(self) -> None:
        """Follow nothing any more."""
        self._watches.clear()

    def memory(self) -> Memory:
        """Return what was seen."""
        changes = sorted(self._changes, key=lambda change: (change[0], change[2]))
        held: Counter[str] = Counter()
        total = peak = peak_length = 0
        timeline: list[tuple[float, str, int]] = []
        for index, (at, key, begins) in enumerate(changes):
            holding = self._holdings[key]
            change = holding.nbytes if begins else -holding.nbytes
            held[holding.device] += change
            total += change
            timeline.append((max(0.0, at - self.start), holding.device, held[holding.device]))
            if total > peak:
                peak, peak_length = total, index + 1
        alive: dict[int, None] = {}
        for _, key, begins in changes[:peak_length]:
            if begins:
                alive[key] = None
            else:
                alive.pop(key, None)
        when = max(0.0, changes[peak_length - 1][0] - self.start) if peak_length else 0.0
        return Memory(peak, when, _grouped(map(self._holdings.__getitem__, alive)), tuple(timeline), self.missed)


def _grouped(holdings: map[Holding]) -> tuple[LiveArrays, ...]:
    counts = Counter(holdings)
    groups = [
        LiveArrays(count, count * each.nbytes, each.type, each.device, each.line, each.how)
        for each, count in counts.items()
    ]
    return tuple(sorted(groups, key=lambda group: -group.nbytes))
