"""What happened when, and in which thread: spans and arrows, up to a limit, for a trace."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final, Literal

Category = Literal["record", "lower", "compile", "execute", "operation", "transfer", "wait", "direct"]

#: What lasts until something else ends it.
_LASTING: Final = frozenset(("record", "direct"))


@dataclass(frozen=True, slots=True)
class Track:
    """Where a span is drawn: a thread of the program, or what a thread started on a device.

    Attributes
    ----------
    thread : int
        Number of the thread, from 1 on in the order of their appearance.
    device : str
        Empty for the thread itself.
    """

    thread: int
    device: str = ""


@dataclass(slots=True)
class TimeSpan:
    """Something that took time.

    Attributes
    ----------
    track : Track
    name : str
    category : str
    start, end : float
        `perf_counter()`.
    details : mapping
        Lines, sizes, causes.
    flow : int or None
        The arrow that begins or ends here; a recording and its execution have the same.
    """

    track: Track
    name: str
    category: Category
    start: float
    end: float
    details: Mapping[str, object] = field(default_factory=dict)
    flow: int | None = None


class Timeline:
    """Spans of all threads. May be added to from several threads at once.

    Parameters
    ----------
    limit
        Spans that are kept; further ones are counted.

    Attributes
    ----------
    spans : list of TimeSpan
    dropped : int
    names : dict of int to str
        Names of the threads, by number.
    """

    def __init__(self, limit: int) -> None:
        self.limit: Final = limit
        self.spans: list[TimeSpan] = []
        self.dropped = 0
        self.names: dict[int, str] = {}
        self._numbers: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()

    def thread(self, ident: int | None = None) -> int:
        """Return the number of a thread; the calling one's by default. A new thread with an old identifier is new."""
        if ident is None or ident == threading.get_ident():
            current = threading.current_thread()
            key = current.ident or 0, current.name
        else:
            names = (thread.name for thread in threading.enumerate() if thread.ident == ident)
            known = next((name for number, name in self._numbers if number == ident), f"thread {ident}")
            key = ident, next(names, known)
        number = self._numbers.get(key)
        if number is None:
            with self._lock:
                number = self._numbers.setdefault(key, len(self._numbers) + 1)
                self.names[number] = key[1]
        return number

    def add(self, span: TimeSpan) -> None:
        """Keep a span, if there is room."""
        if len(self.spans) >= self.limit:
            self.dropped += 1
        else:
            self.spans.append(span)


def nested(spans: list[TimeSpan]) -> list[TimeSpan]:
    """Return the spans of one track so that each lies inside another or beside it, sorted by their start.

    A recording, and a phase of direct execution, begins when what it began in is over (the step before is told of after
    the next recording is opened), and lasts until something ends it that began before: it is cut there. Of others that
    overlap, by what two reads of the clock lie apart, the later one is cut.
    """
    waiting = [(span.start, -span.end, index, span) for index, span in enumerate(spans)]
    heapify(waiting)
    open_: list[TimeSpan] = []
    ordered = []
    while waiting:
        _, _, index, span = heappop(waiting)
        while open_ and open_[-1].end <= span.start:
            open_.pop()
        while open_ and open_[-1].category in _LASTING and span.end > open_[-1].end:
            open_.pop().end = span.start
        if open_ and span.end > open_[-1].end:
            if span.category in _LASTING:
                span.start = open_[-1].end
                heappush(waiting, (span.start, -span.end, index, span))
                continue
            span.end = open_[-1].end
        open_.append(span)
        ordered.append(span)
    return ordered
