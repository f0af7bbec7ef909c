"""What a container built, in order, so that it can be shut down in reverse order."""

from __future__ import annotations

import threading
from collections.abc import Callable

from latebind.errors import ShutdownError


class Lifecycle:
    """The shutdown of everything that one container built.

    Parameters
    ----------
    name
        Gives the container's name, for messages.
    """

    def __init__(self, name: Callable[[], str]) -> None:
        self.name = name
        self.closed = False
        self._lock = threading.Lock()
        self._shutdowns: list[Callable[[], object]] = []

    def add(self, shutdown: Callable[[], object]) -> None:
        """Have this called when the container closes, before what was added earlier.

        Something that was being built while the container closed is shut down at once.
        """
        with self._lock:
            if not self.closed:
                self._shutdowns.append(shutdown)
                return
        shutdown()

    def check_open(self) -> None:
        """Raise if the container is closed.

        Raises
        ------
        ShutdownError
        """
        if self.closed:
            raise ShutdownError(f"container {self.name()!r} is closed: build another one")

    def close(self) -> None:
        """Shut everything down, the newest first. All of it is tried; the first error is raised at the end."""
        with self._lock:
            self.closed = True
            shutdowns, self._shutdowns = self._shutdowns, []
        first: BaseException | None = None
        for shutdown in reversed(shutdowns):
            try:
                shutdown()
            except BaseException as error:
                if first is not None:
                    error.__context__ = first
                first = first or error
        if first is not None:
            raise first
