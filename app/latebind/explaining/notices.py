"""What is said of compilations without being asked: a log record for each, and a warning where one line causes many."""

from __future__ import annotations

import logging
import threading
import warnings
from types import CodeType
from typing import TYPE_CHECKING, Final, TypeAlias

from latebind.errors import RecompilationWarning
from latebind.explaining.analysis import analyse
from latebind.ir.source import locate
from latebind.profiling.lines import Lines
from latebind.runtime.user_frames import user_frame

if TYPE_CHECKING:
    from latebind.explaining.records import Compilation
    from latebind.runtime.cache import ComputationCache
    from latebind.runtime.events import VariantCompiled

#: File, code and number: equal code may be in two files, and the lines of a session have one file's name.
_Line: TypeAlias = tuple[str, CodeType, int]
logger: Final = logging.getLogger("latebind.compilation")
#: Lines whose compilations are counted; beyond that, counting starts again.
_COUNTED_LINES: Final = 10_000


class Notices:
    """Is told of an executor's compilations, and of nothing else.

    Parameters
    ----------
    cache
        The executor's: what compilations are compared with.
    limit
        Compilations that one of the user's lines may cause before a warning; `None` for no warnings.
    source_lines
        Whether lines are named.
    """

    def __init__(self, cache: ComputationCache, limit: int | None, *, source_lines: bool) -> None:
        self._cache = cache
        self._limit = limit
        self._lines = Lines(wanted=source_lines)
        #: How often a line caused a compilation.
        self._counts: dict[_Line, int] = {}
        self._warned: set[_Line] = set()
        self._lock = threading.Lock()

    def __call__(self, event: VariantCompiled) -> None:
        """Take in a compilation."""
        is_logged = logger.isEnabledFor(logging.INFO)
        if self._limit is None and not is_logged:
            return
        frame = user_frame(1)
        code, lasti = frame.f_code, frame.f_lasti
        line = locate(code, lasti)
        caused_by = line.filename, code, line.line
        count = self._count(caused_by)
        if not is_logged and not count:
            return
        try:
            made = analyse(event, self._cache.structures(), self._lines, self._lines.at(code, lasti))
        except Exception:  # the program does not fail for an explanation
            logger.exception("a compilation at %s could not be explained", line)
            return
        if is_logged:
            _log(made)
        # A line that compiles many things that are unlike each other does not compile anything again.
        if count and made.change is not None and self._is_first(caused_by):
            message = f"this line has caused {count} compilations (tracing.warn_after_compilations). The last: {made}"
            warnings.warn_explicit(message, RecompilationWarning, line.filename, line.line)

    def _count(self, line: _Line) -> int:
        """Count a compilation; return how many the line has caused if these are more than it may without a word."""
        if self._limit is None:
            return 0
        with self._lock:
            if len(self._counts) >= _COUNTED_LINES:
                self._counts.clear()
            count = self._counts[line] = self._counts.get(line, 0) + 1
            return count if count > self._limit and line not in self._warned else 0

    def _is_first(self, line: _Line) -> bool:
        """Note that a line is warned of; return whether it is for the first time."""
        with self._lock:
            if line in self._warned or len(self._warned) >= _COUNTED_LINES:
                return False
            self._warned.add(line)
            return True


def _log(made: Compilation) -> None:
    change, nearest = made.change, made.nearest
    logger.info(
        "%s",
        made,
        extra={
            # `name` is the logger's own.
            "computation": made.name,
            "line": made.line,
            "operations": made.operations,
            "seconds": made.seconds,
            "engines": made.engines,
            "reason": made.reason,
            "difference": None if change is None else change.kind,
            "now": None if change is None else change.now,
            "before": None if change is None else change.before,
            "nearest": None if nearest is None else nearest.name or nearest.line,
        },
    )
