"""Running a program, watched if that is wanted; what was seen of one that does not end well is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import typer

from latebind.cli.program import Program, Results
from latebind.cli.report import RunReport
from latebind.containers import Container
from latebind.errors import BackendUnavailableError, ProgramError, SettingsError
from latebind.examples.context import RunContext
from latebind.injection.library import Provide, inject
from latebind.profiling.profile import profile
from latebind.runtime.executor import LazyGraphExecutor


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be seen of a run.

    Attributes
    ----------
    stats : bool
        Tables of where the time and the memory went.
    path : Path or None
        Where to write a trace.
    operations : bool
        Whether to time single operations.
    wait : bool
        Whether to wait for an engine that works asynchronously after each run.
    """

    stats: bool = False
    path: Path | None = None
    operations: bool = False
    wait: bool = True


class UnfinishedRun(BaseException):
    """Carries the report of a run that raised or was interrupted past everything that handles errors.

    Parameters
    ----------
    report
        What there is.
    error
        What ended the run.
    """

    def __init__(self, report: RunReport, error: BaseException) -> None:
        super().__init__(str(error))
        self.report = report
        self.error = error


@inject
def observe(
    program: Program,
    context: RunContext,
    wanted: Wanted,
    executor: LazyGraphExecutor = Provide[Container.executor],
) -> RunReport:
    """Run a program in the current container, and return what was seen.

    Raises
    ------
    UnfinishedRun
        If statistics are wanted and the program raises, or is interrupted.
    ProgramError, SettingsError, BackendUnavailableError
        If it raises otherwise; see `execute`.
    """
    if not wanted.stats and wanted.path is None:
        return execute(program, context, executor)
    seen = profile(wanted.path, operations=wanted.operations, wait=wanted.wait)
    shown = seen if wanted.stats else None
    try:
        with seen:
            report = execute(program, context, executor)
    except BaseException as error:
        if not wanted.stats or not seen.seconds:  # it did not even begin
            raise
        unfinished = RunReport.of(program.label, executor, seen.seconds, {}, shown)
        raise UnfinishedRun(unfinished, error) from None
    finally:
        if wanted.path is not None and seen.written:
            typer.echo(f"written: {wanted.path}", err=True)
    return replace(report, profile=shown)


def execute(program: Program, context: RunContext, executor: LazyGraphExecutor) -> RunReport:
    """Run a program in the current container.

    Raises
    ------
    ProgramError
        If it raises; the cause is what it raised. If it leaves with an exit code that is not 0.
    SettingsError, BackendUnavailableError
        If it raises one of these.
    """
    start = perf_counter()
    results: Results = {}
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
    return RunReport.of(program.label, executor, perf_counter() - start, results)
