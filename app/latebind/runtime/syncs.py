"""Reads of values that are not wanted: inside `forbid_sync`, one is an error instead of a wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from latebind.errors import SyncForbiddenError
from latebind.ir.source import locate
from latebind.runtime.sync_reasons import Place, place_of_call, reason_of

_forbidden: Final[ContextVar[bool]] = ContextVar("latebind_forbid_sync", default=False)


@contextmanager
def forbid_sync() -> Iterator[None]:
    """Make it an error to read a value inside the block, in this thread or task: for tests of loops that must not wait.

    `float(x)`, `if x > 0`, printing, `np.asarray(x)`, and functions whose result has a shape that depends on values
    read. `mark_step` and `sync` start work without waiting for it, and are allowed. Blocks nest.

    Raises
    ------
    SyncForbiddenError
        At the read; the message names the line, the reason, and what to do.
    """
    token = _forbidden.set(True)
    try:
        yield
    finally:
        _forbidden.reset(token)


def check_sync(cause: str = "value") -> None:
    """Refuse a read where reads are forbidden.

    Parameters
    ----------
    cause
        What the executor was asked for, as in `Synced`.

    Raises
    ------
    SyncForbiddenError
        Inside `forbid_sync`.
    """
    if _forbidden.get():
        place = place_of_call()
        raise SyncForbiddenError(
            f"{locate(place.code, place.lasti)}: a value is read inside forbid_sync(), which closes the recording and "
            f"waits for it ({reason_of(cause, place)}); {_remedy(cause, place)}"
        )


def _remedy(cause: str, place: Place) -> str:
    """Return what to do about a read."""
    if cause == "wait_device_ops":
        return "wait outside the block; mark_step() and sync() start work without waiting for it"
    if place.shapes:
        return "keep the shape as it is (where() instead of a mask), or move this out of the block"
    if place.function == "__bool__":
        return "use where() instead of a branch on values, or decide outside the block"
    return "move the read out of the block, or collect the arrays and read them after it"
