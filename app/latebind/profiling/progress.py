"""Progress of long compilations: one line on standard error, where that is a terminal, erased when it is over.

The compiler of an engine says nothing until it is done, and some take minutes. One thread per process looks, from the
first compilation on, at those that are under way, and shows the one that has taken longest once that is a second.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from time import perf_counter
from typing import Final

from latebind.backends.compilations import Compilation, watch_compilations
from latebind.profiling.lines import working_folder

#: Seconds after which a compilation is shown, and between two updates.
SHOWN_AFTER: Final = 1.0
UPDATED_EVERY: Final = 0.2
#: Graphs whose lines are remembered, for their compilations in the background.
_REMEMBERED: Final = 4096
#: Seconds without a compilation after which the thread ends; the next compilation starts another one.
_IDLE: Final = 30.0


class TerminalLine:
    """The last line of a terminal, written over and erased."""

    def __init__(self) -> None:
        self._shown = False

    def usable(self) -> bool:
        """Whether standard error is a terminal."""
        try:
            return sys.stderr is not None and sys.stderr.isatty()
        except (AttributeError, ValueError, OSError):  # closed, or replaced by something that is no file
            return False

    def show(self, text: str | None) -> None:
        """Write this line over the last one; `None` erases it."""
        if text is None and not self._shown:
            return
        width = shutil.get_terminal_size().columns - 1
        self._shown = text is not None
        try:
            sys.stderr.write(f"\r\x1b[2K{(text or '')[:width]}")
            sys.stderr.flush()
        except (AttributeError, ValueError, OSError):
            self._shown = False


class CompilationProgress:
    """Shows compilations that take long.

    Parameters
    ----------
    usable
        Whether there is somewhere to show them.
    show
        Called with the line, and with `None` when it is over.
    clock
        Gives seconds, as `perf_counter()` does.

    Attributes
    ----------
    background : bool
        Whether compilations in the background are shown: only where what the program prints meanwhile does not end up
        in the middle of the line.
    """

    def __init__(
        self,
        usable: Callable[[], bool],
        show: Callable[[str | None], None],
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.usable = usable
        self.show = show
        self.background = False
        self._clock = clock
        self._under_way: dict[int, Compilation] = {}
        #: Lines of the graphs whose progress is wanted.
        self._lines: OrderedDict[str, str] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._changed = threading.Condition()

    def __call__(self, compilation: Compilation) -> None:
        """Take in that a compilation has begun or ended."""
        if os.getpid() != self._process:
            return  # the thread stayed in the parent process
        if compilation.end:
            with self._changed:
                if self._under_way.pop(id(compilation), None) is not None and not self._under_way:
                    self.show(None)  # at once: the program may print, or be over
                    self._changed.notify()
        elif self.usable() and self._is_wanted(compilation) and (self.background or not compilation.background):
            with self._changed:
                self._under_way[id(compilation)] = compilation
                if self._thread is None:
                    self._thread = threading.Thread(target=self._loop, name="latebind progress", daemon=True)
                    self._thread.start()
                self._changed.notify()

    def _is_wanted(self, compilation: Compilation) -> bool:
        """Whether it may be shown: below the executor nobody knows, so that what the executor said counts."""
        name = compilation.name
        if compilation.line is None:
            return name in self._lines
        if compilation.wanted:
            self._lines[name] = compilation.line().removeprefix(working_folder())
            if len(self._lines) > _REMEMBERED:
                self._lines.popitem(last=False)
        return compilation.wanted

    def _loop(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: bool(self._under_way), _IDLE):
                    self._thread = None
                    return
                longest = min(self._under_way.values(), key=lambda each: each.start)
                taken = self._clock() - longest.start
                if taken >= SHOWN_AFTER:
                    self.show(self._describe(longest, taken))
                self._changed.wait(UPDATED_EVERY if taken >= SHOWN_AFTER else SHOWN_AFTER - taken)

    def _describe(self, compilation: Compilation, taken: float) -> str:
        line = self._lines.get(compilation.name, "")
        beside = " in the background" if compilation.background else ""
        more = f", and {len(self._under_way) - 1} more" if len(self._under_way) > 1 else ""
        return f"latebind: compiling {compilation.name} for {taken:.0f} s{beside}{more}{f' ({line})' if line else ''}"


_line: Final = TerminalLine()
#: The one of this process; whoever has a display of its own on the terminal replaces `show` meanwhile.
progress: Final = CompilationProgress(_line.usable, _line.show)


def show_progress() -> None:
    """Show long compilations of this process from now on, where their containers want it."""
    watch_compilations(progress)
