"""A progress bar on standard error, so that standard output stays the program's and `--json`'s."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from latebind.profiling.progress import progress as compilations

_COLUMNS: Final = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


class ProgressDisplay:
    """Shows where a program is: a bar, and the newest line of text beside it.

    Where standard error is no terminal, the lines of text are printed one by one instead.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bar: tuple[Progress, TaskID] | None = None

    def track(self, steps: Iterable[int], description: str) -> Iterator[int]:
        """Go through the steps behind a bar."""
        total = len(steps) if isinstance(steps, Sized) else None
        with self._shown(description, total) as (progress, task):
            for step in steps:
                yield step
                progress.advance(task)

    def report(self, text: str) -> None:
        """Show a line of text."""
        if self._bar is None or not self.console.is_terminal:
            self.console.print(text, highlight=False, markup=False)
        else:
            progress, task = self._bar
            progress.update(task, report=text)

    @contextmanager
    def _shown(self, description: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
        columns = (
            *_COLUMNS,
            TextColumn("{task.fields[report]}", markup=False),
            TextColumn("{task.fields[compiling]}", markup=False),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as progress:
            task = progress.add_task(description, total=total, report="", compiling="")
            self._bar = progress, task
            elsewhere = compilations.show, compilations.background
            if self.console.is_terminal:  # a line of its own would be written into the bar, which prints go around
                compilations.show = lambda text: progress.update(task, compiling=text or "")
                compilations.background = True
            try:
                yield self._bar
            finally:
                compilations.show, compilations.background = elsewhere
                self._bar = None
