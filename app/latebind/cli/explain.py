"""`latebind explain`: why a program's graphs were compiled, and where it waited for values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import latebind
from latebind.cli.observed import UnfinishedRun, build, run_in
from latebind.cli.program import find_program
from latebind.cli.run import complete_backends, complete_programs


def explain(
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
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Run a program and say why each of its graphs was compiled, and where and for what it waited.

    What the program prints goes to standard error, the explanation to standard output. Of a program that raises, or
    that Ctrl-C ends, it says what there is.
    """
    found = find_program(program)
    container = build(config, backend)
    seen = latebind.explain()
    try:
        run_in(container, found, tuple(arguments or ()), seen, quiet=True)
    except UnfinishedRun as unfinished:
        unfinished.leave()
    finally:
        if seen.begun:
            typer.echo(json.dumps(seen.as_dict(), indent=2) if as_json else str(seen))
        container.close()
