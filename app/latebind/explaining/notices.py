"""What is said of compilations without being asked: a log record for each, and a warning where one line causes many."""

from __future__ import annotations

import logging
import threading
import warnings
from types import CodeType
from typing import TYPE_CHECKING, Final

from latebind.errors import RecompilationWarning
from latebind.explaining.analysis import analyse
from latebind.ir.source import locate
from latebind.profiling.lines import Lines
from latebind.runtime.recording import user_frame

if TYPE_CHECKING:
    from latebind.explaining.records import Compilation
    from latebind.runtime.events import VariantCompiled
    from latebind.runtime.executor import LazyGraphExecutor

logger: Final = logging.getLogger("latebind.compilation")
#: Lines whose compilations are counted; beyond that, counting starts again.
_COUNTED_LINES: Final = 10_000


class Notices:
    """Is told of an executor's compilations, and of nothing else.

    Parameters
    ----------
    executor
    limit
        Compilations that one of the user's lines may cause before a warning; `None` for no warnings.
    """

    def __init__(self, executor: LazyGraphExecutor, limit: int | None) -> None:
        self._executor = executor
        self._limit = limit
        self._lines = Lines(wanted=executor.options.source_lines)
        self._counts: dict[tuple[CodeType, int], int] = {}
        self._lock = threading.Lock()

    def __call__(self, event: VariantCompiled) -> None:
        """Take in a compilation."""
        is_logged = logger.isEnabledFor(logging.INFO)
        if self._limit is None and not is_logged:
            return
        frame = user_frame(1)
        code, lasti = frame.f_code, frame.f_lasti
        is_too_often = self._limit is not None and self._count(code, lasti) == self._limit + 1
        if not is_logged and not is_too_often:
            return
        made = analyse(event, self._executor.cache.structures(), self._lines, self._lines.at(code, lasti))
        if is_logged:
            _log(made)
        if is_too_often:
            line = locate(code, lasti)
            warnings.warn_explicit(
                RecompilationWarning(
                    f"this line has caused {self._limit} compilations and one more, and warns once "
                    f"(tracing.warn_after_compilations). {made}"
                ),
                None,  # type: ignore[arg-type]
                line.filename,
                line.line,
            )

    def _count(self, code: CodeType, lasti: int) -> int:
        with self._lock:
            if len(self._counts) >= _COUNTED_LINES:
                self._counts.clear()
            count = self._counts[code, lasti] = self._counts.get((code, lasti), 0) + 1
            return count


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
