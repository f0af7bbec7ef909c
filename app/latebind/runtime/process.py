"""Process-wide events: fork and interpreter exit."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING, NoReturn
from weakref import WeakSet

from latebind.errors import ForkedProcessError

if TYPE_CHECKING:
    from latebind.runtime.executor import LazyGraphExecutor

_executors: WeakSet[LazyGraphExecutor] = WeakSet()


def register(executor: LazyGraphExecutor) -> None:
    """Follow an executor: it is marked in a forked child and drained at exit."""
    _executors.add(executor)


def forget(executor: LazyGraphExecutor) -> None:
    """Stop following an executor that was closed."""
    _executors.discard(executor)


def refuse_fork(name: str) -> NoReturn:
    """Raise the error of an executor that was inherited through `fork`."""
    raise ForkedProcessError(
        f"container {name!r} was built before this process was forked: engines and their threads do not survive a "
        "fork. Start processes with multiprocessing.get_context('spawn'), or build a container in the child"
    )


def _mark_forked() -> None:
    for executor in list(_executors):
        executor.forked = True
        executor.stop_recording()


def _drain() -> None:
    for executor in list(_executors):
        if not executor.forked:
            executor.worker.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_mark_forked)
atexit.register(_drain)
