"""The command `latebind`: its parts, and what becomes of an error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from latebind.cli import backends, config, doctor, explain, graph, run, serve
from latebind.cli.exit_code import ExitCode
from latebind.cli.user_traceback import user_traceback
from latebind.errors import (
    BackendUnavailableError,
    LatebindError,
    ProfileFileError,
    ProgramError,
    ProgramNotFoundError,
    SettingsError,
)

_EPILOG = (
    "Exit codes: 0 it worked, 1 the program failed, 2 wrong usage, 3 wrong configuration, 4 the backend cannot be used "
    "here, 130 interrupted."
)

app = typer.Typer(
    name="latebind",
    help="Run array programs on the backend that the configuration names.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("run", epilog=_EPILOG)(run.run)
app.command("explain", epilog=_EPILOG)(explain.explain)
app.command("graph", epilog=_EPILOG)(graph.graph)
app.command("backends")(backends.backends)
app.command("doctor", epilog=_EPILOG)(doctor.doctor)
app.command("serve", epilog=_EPILOG)(serve.serve)
app.add_typer(config.app, name="config")


@app.command("version")
def show_version(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the version."""
    try:
        number = version("latebind")
    except PackageNotFoundError:
        number = "unknown (not installed)"
    typer.echo(f'{{"version": "{number}"}}' if as_json else f"latebind {number}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code. An error of ours is one paragraph on standard error."""
    try:
        app(args=arguments, prog_name="latebind")
    except LatebindError as error:
        if isinstance(error, ProgramError) and error.__cause__ is not None:
            sys.stderr.write(user_traceback(error.__cause__))
        typer.echo(f"latebind: {error}", err=True)
        sys.exit(exit_code(error))


def exit_code(error: LatebindError) -> ExitCode:
    """Return the exit code of an error."""
    if isinstance(error, SettingsError):
        return ExitCode.CONFIGURATION
    if isinstance(error, BackendUnavailableError):
        return ExitCode.BACKEND_UNAVAILABLE
    if isinstance(error, ProgramNotFoundError | ProfileFileError):
        return ExitCode.USAGE
    return ExitCode.PROGRAM_FAILED
