"""The backend under test: what `--latebind-backend` names, built as a container would build it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

from latebind.backends.interface import Backend
from latebind.containers import Container, build_backend
from latebind.injection.container import BoundContainer
from latebind.settings import Settings, load_settings

#: Ends of the names of configuration files.
_CONFIGURATION: Final = (".yaml", ".yml")


class BrokenBackendError(Exception):
    """A backend that cannot be built; the message blames it by name."""


class BackendUnderTest:
    """Makes instances and containers of the backend that a command line names.

    Parameters
    ----------
    wanted
        A known name (`xla`), a dotted path (`my_package:MyBackend`), or a YAML file.
    """

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self._config = str(Path(wanted).resolve()) if wanted.endswith(_CONFIGURATION) else None

    def settings(self) -> Settings:
        """Load the settings: nothing of the environment, which could name another backend, counts."""
        overrides = {} if self._config else {"backend": self.wanted}
        return load_settings(
            self._config,
            overrides,
            config_from="--latebind-backend",
            overrides_from="--latebind-backend",
            environ={},
            dotenv=None,
        )

    def container(self) -> BoundContainer:
        """Build a container whose backend is the one under test."""
        return cast(BoundContainer, Container(name=self.wanted, settings=self.settings()))

    def build(self) -> Backend:
        """Build an instance of its own.

        Raises
        ------
        BrokenBackendError
            If that fails: it cannot be imported, lacks methods, or its constructor raises.
        """
        try:
            made = build_backend(self.settings())
            made.backend_device()
        except Exception as error:
            raise BrokenBackendError(
                f"the backend {self.wanted!r} cannot be built, so nothing of it was checked: "
                f"{type(error).__name__}: {error}"
            ) from error
        return made

    def source(self) -> str:
        """Return Python text of the call that builds the same container."""
        argument = f"config={self._config!r}" if self._config else f"backend={self.wanted!r}"
        return f"lb.build_container({argument})"
