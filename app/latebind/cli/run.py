"""`latebind run`: a program on one backend, or on several side by side."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console

from latebind.backends.registry import AUTO, default_catalogue
from latebind.cli.program import Program, Results, example_names, find_program
from latebind.cli.progress import ProgressDisplay
from latebind.cli.report import RunReport, differences, json_value
from latebind.cli.tables import print_differences, print_reports
from latebind.containers import Container, process_default
from latebind.errors import BackendUnavailableError, ProgramError, SettingsError
from latebind.examples.context import RunContext
from latebind.injection.container import BoundContainer
from latebind.injection.library import Provide, inject
from latebind.runtime.executor import LazyGraphExecutor
from latebind.settings import load_settings


class Form(StrEnum):
    """Forms of a compiled graph."""

    IR = "ir"
    TEXT = "text"
    DOT = "dot"


def complete_backends(incomplete: str) -> list[str]:
    return [name for name in (AUTO, *default_catalogue().specs) if name.startswith(incomplete)]


def complete_programs(incomplete: str) -> list[str]:
    return [name for name in example_names() if name.startswith(incomplete)]


def run(
    program: Annotated[
        str,
        typer.Argument(
            help="One of latebind's programs by name, or a file of yours.", autocompletion=complete_programs
        ),
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Handed to the program; write -- before those that start with a dash.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None,
    backend: Annotated[
        str | None, typer.Option(help="Backend, whatever the settings say.", autocompletion=complete_backends)
    ] = None,
    compare: Annotated[
        str | None, typer.Option(help="Backends, separated by commas, to run in turn and compare.", metavar="A,B,...")
    ] = None,
    show: Annotated[list[Form] | None, typer.Option(help="Print each compiled graph in this form.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run a program on the backend that the configuration names, and report what it cost.

    A file of yours runs from top to bottom as `python FILE` would run it. With --compare, its results are the global
    arrays and floats at its end.
    """
    found = find_program(program)
    names = [name.strip() for name in compare.split(",") if name.strip()] if compare else [backend]
    if backend is not None and compare is not None:
        raise typer.BadParameter("give one of --backend and --compare", param_hint="--backend")
    containers = [_build(config, name, show) for name in names]
    reports = []
    try:
        for container in containers:
            reports.append(_run_in(container, found, tuple(arguments or ()), quiet=as_json))
    finally:
        for container in reversed(containers):
            container.close()
    _print(reports, as_json=as_json)


def _build(config: Path | None, backend: str | None, show: list[Form] | None) -> BoundContainer:
    overrides: dict[str, object] = {"backend": backend} if backend is not None else {}
    if show:
        overrides["tracing"] = {"show": [form.value for form in show]}
    settings = load_settings(config, overrides, config_from="--config", overrides_from="command line")
    container: BoundContainer = Container(name=settings.backend.name, settings=settings)  # type: ignore[assignment]
    container.backend()
    return container


def _run_in(container: BoundContainer, program: Program, arguments: tuple[str, ...], *, quiet: bool) -> RunReport:
    container.wire(modules=[__name__])
    display = ProgressDisplay(Console(stderr=True))
    context = RunContext(progress=display.track, report=display.report, arguments=arguments)
    try:
        with container, process_default(container), redirect_stdout(sys.stderr) if quiet else nullcontext():
            return execute(program, context)
    finally:
        container.unwire()


@inject
def execute(
    program: Program, context: RunContext, executor: LazyGraphExecutor = Provide[Container.executor]
) -> RunReport:
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


def _print(reports: list[RunReport], *, as_json: bool) -> None:
    found = differences(reports)
    if as_json:
        runs = [report.to_json() for report in reports]
        compared = [{key: json_value(value) for key, value in asdict(each).items()} for each in found]
        document = {"runs": runs, "differences": compared} if len(reports) > 1 else runs[0]
        typer.echo(json.dumps(document, indent=2))
        return
    for graph in (graph for report in reports for graph in report.graphs):
        typer.echo(f"{'//' if graph.form != 'text' else '#'} {graph.name} ({graph.form})\n{graph.text}\n")
    console = Console()
    print_reports(reports, console)
    if len(reports) > 1:
        print_differences(found, reports[0].backend, console)
