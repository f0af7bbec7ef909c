"""`latebind explain`: why the computations of a program were compiled, and what made it wait."""

from __future__ import annotations

import json
import shutil
from typing import Annotated, Any, Final

import typer

import latebind
from latebind.cli.observed import UnfinishedRun, build, run_in
from latebind.cli.parameters import BackendName, ConfigFile, ProgramArguments, ProgramName
from latebind.cli.program import find_program
from latebind.cli.report import RunReport
from latebind.explaining.explanation import Explanation

#: Characters in a line where there is no terminal, and at least.
_WIDTH: Final = 120
_NARROWEST: Final = 40


def explain(
    program: ProgramName,
    arguments: ProgramArguments = None,
    config: ConfigFile = None,
    backend: BackendName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
) -> None:
    """Run a program, and say why each of its computations was compiled, and which lines made it wait, and why.

    With --json, what the program prints goes to standard error. A program that raises or is interrupted leaves what
    there is.
    """
    found = find_program(program)
    container = build(config, backend)
    seen = latebind.explain()
    try:
        report = run_in(container, found, tuple(arguments or ()), seen, quiet=as_json)
    except UnfinishedRun as unfinished:
        ended = str(unfinished.error) or type(unfinished.error).__name__
        _print(unfinished.report, seen, ended, as_json=as_json)
        unfinished.leave()
    finally:
        container.close()
    _print(report, seen, None, as_json=as_json)


def _print(report: RunReport, seen: Explanation, ended: str | None, *, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = {
            "program": report.program,
            "backend": report.backend,
            "seconds": report.seconds,
            "ended_by": ended,
            **seen.as_dict(),
        }
        typer.echo(json.dumps(document, indent=2))
        return
    end = f"; ended by {ended}" if ended is not None else ""
    typer.echo(f"{report.program} on backend {report.backend}: {report.seconds:.3f} s{end}\n")
    typer.echo(seen.report(max(shutil.get_terminal_size((_WIDTH, 0)).columns, _NARROWEST)))
