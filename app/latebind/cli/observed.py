"""Running a program in a container of its own, watched if that is wanted; of one that does not end well, what was seen
is kept.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from rich.console import Console

from latebind.cli.program import Program, Results
from latebind.cli.progress import ProgressDisplay
from latebind.cli.report import RunReport
from latebind.containers import Container, process_default
from latebind.errors import BackendUnavailableError, ProgramError, SettingsError
from latebind.examples.context import RunContext
from latebind.injection.container import BoundContainer
from latebind.injection.library import Provide, inject
from latebind.runtime.executor import LazyGraphExecutor
from latebind.settings import load_settings


class UnfinishedRun(BaseException):
    """Carries what is known of a program that raised, or was interrupted, past everything that handles errors.

    Whoever catches it shows the report, if that is wanted, and calls `leave`.

    Parameters
    ----------
    report
        What there is; it has results if the program came to its end, and what watched it raised after that.
    error
        What ended the program.
    """

    def __init__(self, report: RunReport, error: BaseException) -> None:
        super().__init__(str(error))
        self.report = report
        self.error = error

    def leave(self) -> None:
        """Raise what ended the program."""
        raise self.error from self.error.__cause__


def build(config: Path | None, backend: str | None, forms: Sequence[str] = ()) -> BoundContainer:
    """Make the container for one run.

    Parameters
    ----------
    config
        File of settings.
    backend
        Instead of the one that the settings name.
    forms
        In which each compiled graph is kept; none means as the settings say.
    """
    overrides: dict[str, object] = {"backend": backend} if backend is not None else {}
    if forms:
        overrides["tracing"] = {"show": list(forms)}
    settings = load_settings(config, overrides, config_from="--config", overrides_from="command line")
    container: BoundContainer = Container(name=settings.backend.name, settings=settings)  # type: ignore[assignment]
    container.backend()
    return container


def run_in(
    container: BoundContainer,
    program: Program,
    arguments: tuple[str, ...],
    watching: AbstractContextManager[object] | None = None,
    *,
    quiet: bool = False,
) -> RunReport:
    """Run a program in a container.

    Parameters
    ----------
    container, program, arguments
    watching
        The program runs inside it; it is entered with the container as the current one. What it raises on entering is
        raised as it is, before the program begins.
    quiet
        Whether what the program prints goes to standard error.

    Raises
    ------
    UnfinishedRun
        If the program raises (a `ProgramError`; the cause is what it raised), leaves with an exit code that is not 0,
        finds its settings wrong or its backend missing, or is interrupted.
    """
    container.wire(modules=[__name__])
    display = ProgressDisplay(Console(stderr=True))
    context = RunContext(progress=display.track, report=display.report, arguments=arguments)
    try:
        with container, process_default(container), redirect_stdout(sys.stderr) if quiet else nullcontext():
            return _watched(program, context, watching or nullcontext())
    finally:
        container.unwire()


@inject
def _watched(
    program: Program,
    context: RunContext,
    watching: AbstractContextManager[object],
    executor: LazyGraphExecutor = Provide[Container.executor],
) -> RunReport:
    report: RunReport | None = None
    try:
        with watching:
            start, results = perf_counter(), Results()
            try:
                results = execute(program, context, executor)
            finally:
                # Threads of the program that are still at work are not part of it.
                report = RunReport.of(program.label, executor, perf_counter() - start, results)
    except BaseException as error:
        if report is None:  # it did not begin
            raise
        raise UnfinishedRun(replace(report, ended_by=str(error) or type(error).__name__), error) from None
    return report


def execute(program: Program, context: RunContext, executor: LazyGraphExecutor) -> Results:
    """Run a program in the current container, whose executor this is, to its end; return its results.

    Raises
    ------
    ProgramError
        If it raises; the cause is what it raised. If it leaves with an exit code that is not 0.
    SettingsError, BackendUnavailableError
        If it raises one of these.
    """
    results = Results()
    try:
        results = program.run(context)
        executor.wait_device_ops()
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise ProgramError(f"program {program.label!r} left with sys.exit({stop.code!r})") from None
    except (SettingsError, BackendUnavailableError):
        raise
    except Exception as error:
        raise ProgramError(f"program {program.label!r} raised {type(error).__name__}") from error
    return results
