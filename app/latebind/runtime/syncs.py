"""Reads of values that are not wanted: inside `forbid_sync`, one is an error instead of a wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from latebind.errors import SyncForbiddenError
from latebind.runtime.recording import user_line

_forbidden: Final[ContextVar[bool]] = ContextVar("latebind_forbid_sync", default=False)


@contextmanager
def forbid_sync() -> Iterator[None]:
    """Make it an error to read a value inside the block, in this thread or task: for tests of loops that must not wait.

    `float(x)`, `if x > 0`, printing, `np.asarray(x)`, and functions whose result has a shape that depends on values
    read. `mark_step` and `sync` start work without waiting for it, and are allowed. Blocks nest.

    Raises
    ------
    SyncForbiddenError
        At the read; the message names the line.
    """
    token = _forbidden.set(True)
    try:
        yield
    finally:
        _forbidden.reset(token)


def check_sync() -> None:
    """Refuse a read where reads are forbidden.

    Raises
    ------
    SyncForbiddenError
        Inside `forbid_sync`.
    """
    if _forbidden.get():
        raise SyncForbiddenError(
            f"{user_line()}: a value is read inside forbid_sync(), which closes the recording and waits for it; "
            "move the read out of the block, or keep it lazy (where() instead of a branch on values)"
        )
