"""`latebind doctor`: whether this machine and this configuration are all right, and what to do if not."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from latebind.cli.exit_code import ExitCode
from latebind.diagnosis.diagnosis import Diagnosis, examine
from latebind.diagnosis.engines import BackendReport
from latebind.diagnosis.finding import Severity
from latebind.diagnosis.limits import Limits
from latebind.diagnosis.probe import State
from latebind.errors import SettingsError

_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def doctor(
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    self_test: Annotated[
        bool, typer.Option("--self-test/--no-self-test", help="Run a small program on each backend.")
    ] = True,
) -> None:
    """Say whether this machine is all right: versions, engines, devices, limits, caches, configuration, self-tests.

    Each backend is tried in a process of its own, for ten seconds at most once its engine is loaded. The exit code is 0
    if what the configuration asks for works; 1 if its backend fails, crashes, hangs or computes something wrong, 3 if
    the configuration is wrong, 4 if its backend is not installed or cannot be loaded.
    """
    errors = Console(stderr=True)
    with errors.status("looking at this machine") as status:

        def announce(name: str) -> None:
            status.update(f"trying backend {escape(name)}")

        found = examine(config, config_from="--config", self_test=self_test, announce=announce)
    code = exit_code(found)
    if as_json:
        document = found.to_json() | {"exit_code": int(code)}
        typer.echo(json.dumps(document, indent=2, default=str))
    else:
        print_diagnosis(found, Console(soft_wrap=True))
    sys.exit(code)


def exit_code(found: Diagnosis) -> ExitCode:
    """Return the exit code of a diagnosis."""
    if found.configuration_error is not None:
        wrong = isinstance(found.configuration_error, SettingsError)
        return ExitCode.CONFIGURATION if wrong else ExitCode.BACKEND_UNAVAILABLE
    configured = found.configured
    if configured is None or configured.probe.state is State.WORKS:
        return ExitCode.OK
    missing = configured.probe.state in (State.NOT_INSTALLED, State.UNAVAILABLE)
    return ExitCode.BACKEND_UNAVAILABLE if missing else ExitCode.PROGRAM_FAILED


def print_diagnosis(found: Diagnosis, console: Console) -> None:
    """Print a diagnosis for people: what is wrong comes last, where a terminal shows it."""
    facts = Table("", "", title="this machine", show_header=False)
    for name, version in found.versions.items():
        facts.add_row(name, version or "not installed")
    for name, text in _machine(found.limits):
        facts.add_row(name, text)
    facts.add_row("BLAS", escape(_blas(found)))
    for cache in found.caches:
        state = f"cannot be used: {cache.problem}" if cache.problem else "can be written"
        free = "" if cache.free_bytes is None else f", {_size(cache.free_bytes)} free"
        content = f"{cache.files:,} programs, {_size(cache.bytes)} of {_size(cache.max_bytes)}{free}"
        facts.add_row("compiled programs", escape(f"{cache.path}: {state}; {content}"))
    console.print(facts)
    _print_backends(found.backends, console)
    if found.configuration:
        values = Table("key", "value", "source", title="configuration (the values that are no defaults)")
        for each in found.configuration:
            if each.source != "default":
                values.add_row(each.key, escape(json.dumps(each.value, default=str)), escape(each.source))
        console.print(values)
    for finding in found.findings:
        style = _STYLES[finding.severity]
        head = f"[{style}]{finding.severity}[/] {escape(finding.subject)}: {escape(finding.problem)}"
        console.print(f"{head}\n    → {escape(finding.remedy)}", highlight=False)
    console.print(_verdict(found), highlight=False)


def _print_backends(reports: Sequence[BackendReport], console: Console) -> None:
    table = Table("backend", "state", "engine", "devices", "self-test", title="backends")
    for report in reports:
        table.add_row(*map(escape, _backend_cells(report)))
    console.print(table)


def _backend_cells(report: BackendReport) -> tuple[str, str, str, str, str]:
    marks = [word for word, holds in (("configured", report.configured), ("auto", report.auto)) if holds]
    name = f"{report.name} ({', '.join(marks)})" if marks else report.name
    engine = ", ".join(f"{module} {version or 'missing'}" for module, version in report.engine.items())
    tried = report.probe
    right = sum(check.problem is None for check in tried.checks)
    tests = f"{right} of {len(tried.checks)} right, {tried.seconds:.1f} s with loading" if tried.checks else "-"
    return name, str(tried.state), engine or "-", ", ".join(tried.devices) or "-", tests


def _machine(limits: Limits) -> list[tuple[str, str]]:
    quota = "no limit" if limits.cpu_quota is None else f"{limits.cpu_quota:g} processors' worth"
    memory = "unknown" if limits.memory_bytes is None else _size(limits.memory_bytes)
    limit = "no limit" if limits.memory_limit_bytes is None else _size(limits.memory_limit_bytes)
    variables = ", ".join(f"{name}={value}" for name, value in limits.thread_variables.items())
    return [
        ("cores", f"{limits.cores}, of which this process may use {limits.affinity}; the container allows: {quota}"),
        ("memory", f"{memory}; the container allows: {limit}"),
        ("thread variables", escape(variables) or "none set"),
    ]


def _blas(found: Diagnosis) -> str:
    library, pools = found.blas["blas"], found.blas["thread_pools"]
    threads = (
        "install threadpoolctl to see its threads"
        if pools is None
        else ", ".join(f"{pool['library']}: {pool['threads']} threads" for pool in pools) or "no thread pool is loaded"
    )
    return f"{library['name']} {library['version']}; {threads}"


def _size(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB" if count >= 1 << 30 else f"{count / 2**20:,.1f} MiB"


def _verdict(found: Diagnosis) -> str:
    if found.configured is not None and found.ok:
        return f"[green]Everything that the configuration asks for works: backend {escape(found.configured.name)}.[/]"
    return "[bold red]What the configuration asks for does not work: see above.[/]"
