"""Parameters that the commands that run a program share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from latebind.backends.registry import AUTO, default_catalogue
from latebind.cli.program import example_names


def complete_backends(incomplete: str) -> list[str]:
    return [name for name in (AUTO, *default_catalogue().specs) if name.startswith(incomplete)]


def complete_programs(incomplete: str) -> list[str]:
    return [name for name in example_names() if name.startswith(incomplete)]


ProgramName: TypeAlias = Annotated[
    str,
    typer.Argument(help="One of latebind's programs by name, or a file of yours.", autocompletion=complete_programs),
]
ProgramArguments: TypeAlias = Annotated[
    list[str] | None, typer.Argument(help="Handed to the program; write -- before those that start with a dash.")
]
ConfigFile: TypeAlias = Annotated[Path | None, typer.Option(help="YAML file of settings.")]
BackendName: TypeAlias = Annotated[
    str | None, typer.Option(help="Backend, whatever the settings say.", autocompletion=complete_backends)
]
