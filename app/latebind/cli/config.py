"""`latebind config`: the settings in force, their schema, and whether a file is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from latebind.containers import Container
from latebind.injection.library import Provide, inject
from latebind.settings import Settings, load_settings, settings_schema, settings_with_provenance

app = typer.Typer(help="Show, describe and check settings.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def show(
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None, as_json: JsonOption = False
) -> None:
    """Print every value in force and where it comes from."""
    container = Container(settings=load_settings(config, config_from="--config"))
    container.wire(modules=[__name__])
    try:
        show_values(as_json)
    finally:
        container.unwire()


@inject
def show_values(as_json: bool, settings: Settings = Provide[Container.settings]) -> None:
    """Print the values of the container that is wired."""
    values = list(settings_with_provenance(settings))
    if as_json:
        typer.echo(json.dumps({each.key: {"value": each.value, "source": each.source} for each in values}, indent=2))
        return
    table = Table("key", "value", "source")
    for each in values:
        table.add_row(each.key, escape(json.dumps(each.value, default=str)), escape(each.source))
    Console(soft_wrap=True).print(table)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a configuration file, for editors."""
    typer.echo(json.dumps(settings_schema(), indent=2))


@app.command()
def check(file: Annotated[Path, typer.Argument(help="YAML file of settings.")], as_json: JsonOption = False) -> None:
    """Check a configuration file by itself, without the environment and .env."""
    settings = load_settings(file, config_from="the command line", environ={}, dotenv=None)
    if as_json:
        typer.echo(json.dumps({"file": str(file), "ok": True, "backend": settings.backend.name}))
    else:
        typer.echo(f"{file} is right; backend {settings.backend.name}")
