"""Threads that compile, with a bounded queue. Nothing waits for them but the end of the process, and not for long."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Final, Generic, TypeVar

ItemT = TypeVar("ItemT")


#: Seconds after which a thread counts as stuck with its item, and another one takes over what waits.
STUCK_AFTER: Final = 5.0
#: Threads that may be stuck at a time; with more of them, what waits goes on waiting.
MOST_STUCK: Final = 2


class CompileQueue(Generic[ItemT]):
    """Works off items on daemon threads that start with the first item. May be used from several threads.

    Parameters
    ----------
    work
        What is done with an item. It must not raise.
    workers
        Number of threads. One that works on an item for long is replaced by another until it is done.
    max_pending
        Items that may wait.
    need
        How much an item is needed now: of those that wait, the one that is needed most goes first, and of those that
        are needed alike the one that waits longest.
    clock
        Gives seconds.
    """

    def __init__(
        self,
        work: Callable[[ItemT], None],
        workers: int,
        max_pending: int,
        need: Callable[[ItemT], float] = lambda item: 0.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._work = work
        self._workers = workers
        self._max_pending = max_pending
        self._need = need
        self._clock = clock
        #: When the threads that are at work began with what they work on.
        self._since: dict[threading.Thread, float] = {}
        self._pending: deque[weakref.ref[ItemT]] = deque()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._process = os.getpid()
        self._changed = threading.Condition()

    def submit(self, item: ItemT) -> bool:
        """Queue an item, which is kept by a weak reference only; return false if there is no room."""
        with self._changed:
            if self._closed or len(self._pending) >= self._max_pending:
                return False
            self._pending.append(weakref.ref(item))
            threads = len(self._threads)
            if threads < self._workers + self._stuck() and len(self._since) + len(self._pending) > threads:
                thread = threading.Thread(target=self._loop, name=f"latebind tiers {threads}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()
            return True

    def _stuck(self) -> int:
        """Return how many threads have been at work on one item for long."""
        now = self._clock()
        return min(sum(now - since > STUCK_AFTER for since in self._since.values()), MOST_STUCK)

    def _loop(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                while not self._pending and not self._closed and len(self._threads) <= self._workers:
                    self._changed.wait()
                if self._closed or not self._pending:
                    self._threads.remove(me)  # closed, or one that stood in for a thread that was stuck
                    return
                item = self._take()
                self._since[me] = self._clock()
            try:
                if item is not None:
                    self._work(item)
            finally:
                del item
                with self._changed:
                    del self._since[me]
                    self._changed.notify_all()

    def _take(self) -> ItemT | None:
        """Take the item that is needed most off the queue; `None` if it is gone."""
        best, most = 0, -inf
        for place, known in enumerate(self._pending):
            item = known()
            need = inf if item is None else self._need(item)
            if need > most:
                best, most = place, need
        found = self._pending[best]()
        del self._pending[best]
        return found

    def wait(self, seconds: float | None = None) -> bool:
        """Block until nothing is queued and nothing is being worked on; return false if it takes longer."""
        if self._process != os.getpid():
            return True  # the threads, and who held the lock, stayed in the parent process
        with self._changed:
            return self._changed.wait_for(lambda: not self._since and not self._pending, seconds)

    def close(self, seconds: float) -> bool:
        """Forget what waits, and wait so long for what is being worked on; return false if it takes longer."""
        if self._process != os.getpid():
            return True
        with self._changed:
            self._closed = True
            self._pending.clear()
            self._changed.notify_all()
        return self.wait(seconds)
