"""`latebind backends`: what is known, what can be used here, and what would make the rest usable."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from latebind.backends.registry import BackendCatalogue, BackendSpec, default_catalogue
from latebind.containers import Container
from latebind.errors import LatebindError
from latebind.settings import load_settings


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """One line of the list.

    Attributes
    ----------
    name, summary, source : str
    installed : bool
        Whether it can be used here.
    remedy : str or None
        How to install it; or what is wrong with it.
    devices : list of str
    auto : bool
        Whether `backend: auto` takes it.
    """

    name: str
    summary: str
    source: str
    installed: bool
    remedy: str | None
    devices: list[str]
    auto: bool


def backends(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the known backends, which of them are installed, which one `auto` takes, what brings the rest, devices."""
    catalogue = default_catalogue()
    taken = _taken_by_auto(catalogue)
    found = [status(spec, auto=spec.name == taken) for spec in catalogue.specs.values()]
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    table = Table("backend", "installed", "devices, or what is missing", "what it is", "from")
    for each in found:
        state = ", ".join(each.devices) if each.installed else (each.remedy or "")
        installed = "yes" if each.installed else "no"
        cells = (each.name, f"{installed}, auto" if each.auto else installed, state, each.summary, each.source)
        table.add_row(*map(escape, cells))
    Console().print(table)


def _taken_by_auto(catalogue: BackendCatalogue) -> str | None:
    try:
        return catalogue.choose().name
    except LatebindError:
        return None


def status(spec: BackendSpec, *, auto: bool = False) -> BackendStatus:
    """Try a backend with its default settings. One that is broken does not hide the others."""
    devices: list[str] = []
    remedy = None
    try:
        spec.check_installed()
        settings = load_settings(None, {"backend": spec.name}, environ={}, dotenv=None)
        container = Container(name=spec.name, settings=settings)
        try:
            devices = [str(device) for device in container.backend().backend_devices()]
        finally:
            container.close()
    except LatebindError as error:
        remedy = str(error)
    except Exception as error:
        remedy = f"backend {spec.name!r} ({spec.source}) cannot be made: {type(error).__name__}: {error}"
    return BackendStatus(spec.name, spec.summary, spec.source, remedy is None, remedy, devices, auto)
