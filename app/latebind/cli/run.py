"""`latebind run`: a program on one backend, or on several side by side."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import latebind
from latebind.cli.observed import UnfinishedRun, build, run_in
from latebind.cli.parameters import BackendName, ConfigFile, ProgramArguments, ProgramName
from latebind.cli.program import Program, find_program
from latebind.cli.report import RunReport, differences, json_value
from latebind.cli.tables import print_differences, print_reports
from latebind.errors import ProfileFileError
from latebind.injection.container import BoundContainer
from latebind.profiling.profile import Profile


class Form(StrEnum):
    """Forms of a compiled graph."""

    IR = "ir"
    TEXT = "text"
    DOT = "dot"


def run(
    program: ProgramName,
    arguments: ProgramArguments = None,
    config: ConfigFile = None,
    backend: BackendName = None,
    compare: Annotated[
        str | None, typer.Option(help="Backends, separated by commas, to run in turn and compare.", metavar="A,B,...")
    ] = None,
    stats: Annotated[
        bool, typer.Option("--stats", help="Print where the time and the memory went: by phase, graph, line, array.")
    ] = False,
    profile: Annotated[
        Path | None, typer.Option(help="Write a trace that Perfetto and chrome://tracing open.", metavar="FILE")
    ] = None,
    operations: Annotated[
        bool, typer.Option("--operations", help="Run operation by operation and time each, where the backend can.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Time the runs of an engine that works asynchronously, or starts.")
    ] = True,
    show: Annotated[list[Form] | None, typer.Option(help="Print each compiled graph in this form.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run a program on the backend that the configuration names, and report what it cost.

    A file of yours runs from top to bottom as `python FILE` would run it. With --compare, its results are the global
    arrays and floats at its end. With --stats, a program that raises or is interrupted leaves what there is.
    """
    found = find_program(program)
    names = [name.strip() for name in compare.split(",") if name.strip()] if compare else [backend]
    if backend is not None and compare is not None:
        raise typer.BadParameter("give one of --backend and --compare", param_hint="--backend")
    if profile is not None and compare is not None:
        raise typer.BadParameter("a trace is of one run: give one of --profile and --compare", param_hint="--profile")
    containers = [build(config, name, [form.value for form in show or ()]) for name in names]
    stats = stats or operations
    reports: list[RunReport] = []
    try:
        for container in containers:
            seen = latebind.profile(profile, operations=operations, wait=wait) if stats or profile else None
            report = _run_one(container, found, tuple(arguments or ()), seen, profile, quiet=as_json)
            reports.append(replace(report, profile=seen if stats else None))
    except UnfinishedRun as unfinished:
        if stats or isinstance(unfinished.error, ProfileFileError):
            _print([*reports, replace(unfinished.report, profile=seen if stats else None)], as_json=as_json)
        unfinished.leave()
    finally:
        for container in reversed(containers):
            container.close()
    _print(reports, as_json=as_json)


def _run_one(
    container: BoundContainer,
    program: Program,
    arguments: tuple[str, ...],
    seen: Profile | None,
    path: Path | None,
    *,
    quiet: bool,
) -> RunReport:
    """Run the program; say what was written, however it ends."""
    try:
        return run_in(container, program, arguments, seen, quiet=quiet)
    finally:
        if seen is not None and seen.written:
            missing = f", without {seen.dropped:,} spans beyond its limit" if seen.dropped else ""
            typer.echo(f"written: {path}{missing}", err=True)


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
    for report in reports:
        if report.profile is not None:
            title = f"{report.backend}: " if len(reports) > 1 else ""
            typer.echo(f"\n{title}{report.profile.report()}")
    if len(reports) > 1:
        print_differences(found, reports[0].backend, console)
