"""Threads that compile, with a bounded queue. Nothing waits for them but the end of the process, and not for long."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class CompileQueue(Generic[ItemT]):
    """Works off items on daemon threads that start with the first item. May be used from several threads.

    Parameters
    ----------
    work
        What is done with an item. It must not raise.
    workers
        Number of threads.
    max_pending
        Items that may wait.
    """

    def __init__(self, work: Callable[[ItemT], None], workers: int, max_pending: int) -> None:
        self._work = work
        self._workers = workers
        self._max_pending = max_pending
        self._pending: deque[weakref.ref[ItemT]] = deque()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._closed = False
        self._process = os.getpid()
        self._changed = threading.Condition()

    def submit(self, item: ItemT) -> bool:
        """Queue an item, which is kept by a weak reference only; return false if there is no room."""
        with self._changed:
            if self._closed or len(self._pending) >= self._max_pending:
                return False
            self._pending.append(weakref.ref(item))
            if len(self._threads) < self._workers and self._busy + len(self._pending) > len(self._threads):
                name = f"latebind tiers {len(self._threads)}"
                thread = threading.Thread(target=self._loop, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()
            return True

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not self._pending and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                item = self._pending.popleft()()
                self._busy += 1
            try:
                if item is not None:
                    self._work(item)
            finally:
                del item
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        """Block until nothing is queued and nothing is being worked on; return false if it takes longer."""
        if self._process != os.getpid():
            return True  # the threads, and who held the lock, stayed in the parent process
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy and not self._pending, seconds)

    def close(self, seconds: float) -> bool:
        """Forget what waits, and wait so long for what is being worked on; return false if it takes longer."""
        if self._process != os.getpid():
            return True
        with self._changed:
            self._closed = True
            self._pending.clear()
            self._changed.notify_all()
        return self.wait(seconds)
