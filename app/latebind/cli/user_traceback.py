"""A traceback that shows the user's frames only."""

from __future__ import annotations

import runpy
from pathlib import Path
from traceback import StackSummary, TracebackException
from typing import Final

import latebind.errors
from latebind.errors import LatebindError

_PACKAGE: Final = Path(latebind.errors.__file__).resolve().parent
_PROGRAMS: Final = _PACKAGE / "examples"


def user_traceback(error: BaseException) -> str:
    """Return the traceback of an error without the frames of latebind and of what loads programs.

    What led to an error of ours inside ours is left out; the chain of the user's own exceptions stays.
    """
    summary = TracebackException.from_exception(error)
    _trim(summary, error, set())
    return "".join(summary.format())


def _trim(summary: TracebackException, error: BaseException, seen: set[int]) -> None:
    if id(summary) in seen:
        return
    seen.add(id(summary))
    summary.stack = StackSummary.from_list([frame for frame in summary.stack if _is_users(frame.filename)])
    if isinstance(error, LatebindError):
        summary.__cause__ = summary.__context__ = None
        return
    for inner, cause in ((summary.__cause__, error.__cause__), (summary.__context__, error.__context__)):
        if inner is not None and cause is not None:
            _trim(inner, cause, seen)


def _is_users(filename: str) -> bool:
    if filename.startswith("<frozen") or filename == runpy.__file__:
        return False
    path = Path(filename)
    return _PACKAGE not in path.parents or _PROGRAMS in path.parents
