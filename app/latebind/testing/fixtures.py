"""pytest fixtures for applications that use latebind; only pytest is imported until a test asks for one.

The settings of a test's container stand in a marker: `@pytest.mark.latebind(backend="numpy", recording={"limit": 10})`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol

import pytest

if TYPE_CHECKING:
    from latebind.backends.interface import Backend
    from latebind.injection.container import BoundContainer
    from latebind.injection.library import providers

#: The marker's line in `pytest --markers`.
MARKER: Final = (
    "latebind(config=None, *, environment=False, **settings): settings of the `latebind_container` of a test; "
    "a YAML file, whether LATEBIND_* variables and .env count, and keys that win over both"
)
#: Backend of a container that is told none: always installed, quick to start, and the reference for all others.
DEFAULT_BACKEND: Final = "numpy"


class OverrideBackend(Protocol):
    """Puts a backend in force for the rest of the test."""

    def __call__(
        self, backend: Backend | providers.Provider[Backend], container: BoundContainer | None = None
    ) -> Backend:
        """Override a container's backend, and return the one that is now in force.

        Parameters
        ----------
        backend
            An instance, which stays the caller's to shut down, or a provider of one.
        container
            By default the test's `latebind_container` if it has one, else the process default container.
        """


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def latebind_container(request: pytest.FixtureRequest) -> Iterator[BoundContainer]:
    """A container of this test's own, current during the test and closed afterwards.

    Its settings are latebind's defaults on the `numpy` backend, or what the marker `latebind` says; of several markers
    (on the module, the class, the test) the nearest wins key by key. Nothing is read from `LATEBIND_*` variables or
    `.env` unless the marker says `environment=True`.
    """
    import os
    from typing import cast

    from latebind.containers import Container
    from latebind.injection.container import BoundContainer
    from latebind.settings import load_settings

    config, environment = None, False
    overrides: dict[str, object] = {}
    for marker in reversed(list(request.node.iter_markers("latebind"))):
        config = marker.args[0] if marker.args else marker.kwargs.get("config", config)
        environment = marker.kwargs.get("environment", environment)
        overrides.update({key: marker.kwargs[key] for key in marker.kwargs.keys() - {"config", "environment"}})
    if config is None and not environment:
        overrides.setdefault("backend", DEFAULT_BACKEND)
    settings = load_settings(
        config,
        overrides,
        config_from="the marker latebind",
        overrides_from="marker latebind",
        environ=os.environ if environment else {},
        dotenv=".env" if environment else None,
    )
    container = cast(BoundContainer, Container(name=request.node.name, settings=settings))
    try:
        with container:
            yield container
    finally:
        container.close()


@pytest.fixture
def latebind_override_backend(request: pytest.FixtureRequest) -> Iterator[OverrideBackend]:
    """A function that overrides a container's backend until the test ends, however it ends; the newest ends first."""
    from contextlib import ExitStack

    from latebind.containers import default_container

    own = request.getfixturevalue("latebind_container") if "latebind_container" in request.fixturenames else None

    with ExitStack() as overrides:

        def override(
            backend: Backend | providers.Provider[Backend], container: BoundContainer | None = None
        ) -> Backend:
            target = container or own or default_container()
            ours = target.backend.override(backend)
            overrides.callback(ours.end)
            return ours.backend

        yield override
