"""Who is told that an engine's compiler has begun, and that it is done: progress on a terminal, profiles.

Compilations are told here and not as events of an executor because some begin in the background, below any executor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(eq=False, slots=True)
class Compilation:
    """One engine's compiler at work on one graph.

    Attributes
    ----------
    name : str
        Of the graph; one compilation in the foreground, and the one in the background, have the same.
    line : callable or None
        Gives the user's line; `None` if that is not known here.
    background : bool
        Whether the program goes on meanwhile.
    wanted : bool
        Whether progress may be shown.
    thread : str
        Name of the thread.
    start, end : float
        `perf_counter()`; `end` is 0 until it is over.
    """

    name: str
    line: Callable[[], str] | None
    background: bool
    wanted: bool
    thread: str = field(default_factory=lambda: threading.current_thread().name)
    start: float = field(default_factory=perf_counter)
    end: float = 0.0


#: Called when a compilation begins and when it has ended, in the thread that compiles. It must not raise.
Watcher = Callable[[Compilation], None]

_watchers: tuple[Watcher, ...] = ()
_lock = threading.Lock()


def watch_compilations(watcher: Watcher) -> None:
    """Call this from now on, of every container in this process; at most once, however often it is asked for."""
    global _watchers
    with _lock:
        if watcher not in _watchers:
            _watchers = (*_watchers, watcher)


def unwatch_compilations(watcher: Watcher) -> None:
    """Call this no more."""
    global _watchers
    with _lock:
        _watchers = tuple(each for each in _watchers if each != watcher)


@contextmanager
def compiling(
    name: str, line: Callable[[], str] | None = None, *, background: bool = False, wanted: bool = True
) -> Iterator[None]:
    """Tell the watchers that the engine's compiler is at work inside the block."""
    watchers = _watchers
    if not watchers:
        yield
        return
    compilation = Compilation(name, line, background, wanted)
    for watcher in watchers:
        watcher(compilation)
    try:
        yield
    finally:
        compilation.end = perf_counter()
        for watcher in watchers:
            watcher(compilation)
