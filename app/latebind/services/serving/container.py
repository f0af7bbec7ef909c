"""The server's own container: its settings, its programs, and the handlers that they are wired into."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from latebind.injection.library import containers, providers
from latebind.services.serving import routes
from latebind.services.serving.guard import HttpCounts
from latebind.services.serving.openapi import openapi_document
from latebind.services.serving.pool import ProgramPool
from latebind.services.serving.settings import ServeSettings


def _installed_version() -> str:
    try:
        return version("latebind")
    except PackageNotFoundError:
        return "unknown"


class ServingContainer(containers.DeclarativeContainer):
    """What handlers are given. A test overrides one provider: `container.service.override(...)`.

    Attributes
    ----------
    settings : ServeSettings
    base : pathlib.Path
        Folder that paths of the settings are relative to.
    service : ModelService
        The programs.
    """

    settings: providers.Dependency[ServeSettings] = providers.Dependency(instance_of=ServeSettings)
    base: providers.Dependency[Path] = providers.Dependency(instance_of=Path, default=Path())
    version = providers.Singleton(_installed_version)
    service = providers.Singleton(ProgramPool, settings, base)
    http_counts = providers.Singleton(HttpCounts)
    openapi = providers.Singleton(openapi_document, settings, version)


def serving_container(settings: ServeSettings, base: Path) -> ServingContainer:
    """Return a container for these settings, wired into the handlers. One at a time is: the last one made."""
    container = ServingContainer(settings=providers.Object(settings), base=providers.Object(base))
    container.wire(modules=[routes])
    return container
