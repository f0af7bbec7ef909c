"""`latebind serve`: programs over HTTP."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from latebind.errors import BackendUnavailableError, SettingsError

logger = logging.getLogger("latebind.serving")
_LOOPBACK = ("127.", "::1", "localhost")


def serve(
    config: Annotated[Path | None, typer.Option(help="YAML file: where to listen, and the programs.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of the file's.")] = None,
    port: Annotated[int | None, typer.Option(help="Port, instead of the file's; 0 takes a free one.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check the settings and the files that they name, and leave.")
    ] = False,
) -> None:
    """Serve array programs behind the Open Inference Protocol v2 (docs/serving.md)."""
    try:
        import fastapi  # noqa: F401
        import httptools  # noqa: F401
        import orjson  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise BackendUnavailableError(
            f"latebind serve needs {error.name}: install it with pip install 'latebind[serve]'"
        ) from None
    from latebind.services.serving.files import file_problems
    from latebind.services.serving.loading import load_serve_settings

    settings = load_serve_settings(config)
    changed = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=changed)
    base = config.resolve().parent if config is not None else Path.cwd()
    missing = file_problems(settings, base)
    if missing and (check or len(missing) == len(settings.programs)):  # otherwise, the other programs can be served
        raise SettingsError("wrong configuration: " + "; ".join(one for each in missing.values() for one in each))
    if check:
        typer.echo(f"{config or 'the environment'} is right; programs: {', '.join(sorted(settings.programs))}")
        return
    from latebind.services.serving.logs import configure_logs
    from latebind.services.serving.server import listen, make_server

    configure_logs(settings.log)
    for name, problems in missing.items():
        logger.error("program %s cannot be loaded: %s", name, "; ".join(problems))
    socket = listen(settings.host, settings.port)
    where, number = socket.getsockname()[:2]
    if settings.token is None and not where.startswith(_LOOPBACK):
        logger.warning("listening on %s without a token: everybody who reaches it may use it", where)
    shown = f"[{where}]" if ":" in where else where
    typer.echo(f"latebind serves {', '.join(sorted(settings.programs))} on http://{shown}:{number}")
    make_server(settings, base).run(sockets=[socket])
