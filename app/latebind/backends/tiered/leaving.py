"""The end of the process while an engine still compiles on another thread."""

from __future__ import annotations

import atexit
import ctypes
import logging
import sys
import weakref
from collections.abc import Callable
from typing import Final

from latebind.backends.tiered.background import CompileQueue
from latebind.backends.tiered.program import TieredProgram

_logger: Final = logging.getLogger("latebind.tiered")
#: From this version on Python stops a thread that comes back to an interpreter that is gone; before, it ends it.
_PYTHON_STOPS_THREADS: Final = (3, 14)


def closed_at_exit(queue: CompileQueue[TieredProgram], patience: float) -> Callable[[], None]:
    """Have a queue closed when the interpreter exits; return the function that was registered.

    Exit handlers run in reverse order: this one before an engine's, if the engine was imported before.
    """
    known = weakref.ref(queue)

    def close() -> None:
        queue = known()
        if queue is not None and not queue.close(patience):
            _logger.warning("a compilation did not end within %g s of the program's end; it is left behind", patience)
            if sys.version_info < _PYTHON_STOPS_THREADS:
                stop_instead_of_aborting()

    atexit.register(close)
    return close


def stop_instead_of_aborting() -> None:
    """Let a thread that C++ would end the whole process for wait for the process's end instead.

    A daemon thread that returns from an engine to an interpreter that is gone is ended by Python, through the engine's
    C++ frames, which take that for an exception that nobody catches: the process aborts after everything is done. Where
    C++'s library is not GNU's this does nothing.
    """
    try:
        pause = ctypes.cast(ctypes.CDLL(None).pause, ctypes.c_void_p)
        set_terminate = ctypes.CDLL("libstdc++.so.6")._ZSt13set_terminatePFvvE
    except (OSError, AttributeError, TypeError):
        return
    set_terminate.argtypes = [ctypes.c_void_p]
    set_terminate.restype = ctypes.c_void_p
    set_terminate(pause)
