"""What a container can do beside giving objects: be the current one, wire modules, close."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from contextvars import ContextVar, Token
from importlib.util import resolve_name
from typing import TYPE_CHECKING, Any, Self

from latebind.injection import wiring
from latebind.injection.backend import BackendProvider
from latebind.injection.library import containers, providers
from latebind.injection.wiring import Module
from latebind.runtime.current import reset_current, set_current

if TYPE_CHECKING:
    from types import TracebackType

    from latebind.injection.derived import PerBackend, Slot
    from latebind.injection.lifecycle import Lifecycle
    from latebind.settings import Settings

#: Containers entered in this context and not left yet, with what undoes each entry.
_entered: ContextVar[tuple[Token[Any], ...]] = ContextVar("latebind_entered", default=())


class BoundContainer(containers.DynamicContainer):
    """A container with its own settings, backend and executor; `with container:` makes it the current one."""

    if TYPE_CHECKING:
        backend: BackendProvider
        executor: PerBackend[Any]
        lifecycle: providers.Provider[Lifecycle]
        settings: providers.Provider[Settings]
        slot: providers.Provider[Slot[Any]]

    def __enter__(self) -> Self:
        """Make this the current container: `latebind.zeros(3)` uses it. It stays open when the block is left.

        Raises
        ------
        ShutdownError
            If it is closed.
        """
        self.lifecycle().check_open()
        _entered.set((*_entered.get(), set_current(self.slot().get)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        *rest, token = _entered.get()
        _entered.set(tuple(rest))
        reset_current(token)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.lifecycle().closed

    def close(self) -> None:
        """Shut down executors, then backends, in reverse order of building. Doing it twice is harmless.

        Later use of the executor, the namespace or the backend raises `ShutdownError`; settings and metrics stay.
        """
        self.unwire()
        try:
            self.lifecycle().close()
        finally:
            self.slot().clear()

    async def aclose(self) -> None:
        """Close on a worker thread, so that the event loop goes on while queues drain."""
        await asyncio.to_thread(self.close)

    def wire(
        self,
        modules: Iterable[Module] | None = None,
        packages: Iterable[Module] | None = None,
        from_package: str | None = None,
        keep_cache: bool | None = None,
        warn_unresolved: bool = False,
    ) -> None:
        """Inject this container's objects where functions of these modules say `@inject` and `Provide[...]`.

        Raises
        ------
        WiringError
            If another container that is not closed wires one of the modules.
        """
        package = from_package or sys._getframe(1).f_globals.get("__package__")
        modules = _absolute(modules or self.wiring_config.modules, package)
        packages = _absolute(packages or self.wiring_config.packages, package)
        wiring.claim(self, self.lifecycle().name(), modules, packages)
        super().wire(modules, packages, keep_cache=keep_cache, warn_unresolved=warn_unresolved)

    def unwire(self) -> None:
        """Undo every `wire`."""
        super().unwire()
        wiring.release(self)


def _absolute(modules: Iterable[Module], package: str | None) -> list[Module]:
    return [resolve_name(each, package) if isinstance(each, str) else each for each in modules]
