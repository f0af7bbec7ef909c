"""Compiling a graph for the optimizing backend, in the background or on the spot; whatever happens, nothing escapes."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from operator import attrgetter
from typing import Final

from latebind.backends.compilations import compiling
from latebind.backends.interface import Backend
from latebind.backends.tiered.background import CompileQueue
from latebind.backends.tiered.leaving import closed_at_exit
from latebind.backends.tiered.ledger import Ledger
from latebind.backends.tiered.lowering import lower_again
from latebind.backends.tiered.program import TieredProgram
from latebind.backends.tiered.settings import TieredSettings
from latebind.errors import UnsupportedOpError

_logger: Final = logging.getLogger("latebind.tiered")


class Compilations:
    """Compiles for the optimizing backend.

    Parameters
    ----------
    backend
        The optimizing one.
    ledger
        Told of what came out.
    settings
    clock
        Gives seconds.
    """

    def __init__(self, backend: Backend, ledger: Ledger, settings: TieredSettings, clock: Callable[[], float]) -> None:
        self._backend = backend
        self._ledger = ledger
        self._clock = clock
        self._synchronous = settings.synchronous
        self._patience = settings.exit_wait_s
        self._queue = CompileQueue(self._compile, settings.workers, settings.max_pending, need=attrgetter("need"))
        self._at_exit = closed_at_exit(self._queue, self._patience)

    def request(self, program: TieredProgram) -> None:
        """Have a graph compiled."""
        if self._synchronous:
            self._compile(program)
        elif not self._queue.submit(program):
            self._ledger.refused(program)

    def _compile(self, program: TieredProgram) -> None:
        graph = program.graph
        if graph is None:
            return
        start = self._clock()
        try:
            lowered = lower_again(self._backend, program.name, program.device, graph)
            with compiling(program.name, background=not self._synchronous):
                (compiled,) = self._backend.compile([lowered])
        except UnsupportedOpError as error:
            self._ledger.fix(program, str(error), "TierUnsupported")
        except BaseException as error:
            self._ledger.fix(program, f"compiling failed: {reason_of(error)}", "TierCompileFailed")
            self.warn("compile", program, error)
        else:
            donated = compiled.donated
            program.optimizing_overwrites = graph.donated if donated is None else donated
            program.optimizing = compiled
            program.graph = None
            self._ledger.compiled(program, self._clock() - start)

    def warn(self, what: str, program: TieredProgram, error: BaseException) -> None:
        """Log what the optimizing backend failed to do with a graph."""
        _logger.warning(
            "backend %r failed to %s %s, a graph of %d operations, which stays on the baseline: %s",
            *(self._backend.name, what, program.name, program.operations, reason_of(error)),
        )

    def wait(self, seconds: float | None) -> bool:
        """Block until nothing waits to be compiled, or is; return false if that takes longer."""
        return self._queue.wait(seconds)

    def close(self) -> None:
        """Stop compiling; what has begun is waited for, but not for long."""
        if self._queue.close(self._patience):
            atexit.unregister(self._at_exit)
        else:
            _logger.warning("a compilation did not end within %g s and goes on alone", self._patience)


def reason_of(error: BaseException) -> str:
    """Return what an error says, with its type."""
    return f"{type(error).__name__}: {error}"
