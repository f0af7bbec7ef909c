"""The backend's provider: one instance in force at a time, and everybody is told when it changes.

dependency-injector's own overriding leaves a singleton that was built before an override stale, keeps one built inside
it afterwards, and removes the wrong override when nested ones are left out of order. Here an override is a registration
of its own that is taken back by itself, and an instance in force is one reference.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from latebind.backends.interface import Backend
from latebind.backends.registrar import BackendRegistrar, observe, visible_backend
from latebind.injection.library import providers
from latebind.injection.lifecycle import Lifecycle

if TYPE_CHECKING:
    from types import TracebackType


class BackendOverride:
    """One override of a container's backend, in force until `end` is called or the `with` block is left."""

    def __init__(self, overridden: BackendProvider, overriding: providers.Provider[Backend], backend: Backend) -> None:
        self.overriding = overriding
        self.backend = backend
        self._overridden = overridden
        #: Set for the process default container, whose overrides are registrations in the process-wide cell.
        self.registration: BackendRegistrar | None = None

    def end(self) -> None:
        """Take this override back; others stay as they are. Doing it twice is harmless."""
        self._overridden.end_override(self)

    def __enter__(self) -> Backend:
        return self.backend

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


class BackendProvider(providers.Provider[Backend]):
    """Gives the backend in force: the newest override, or the instance built from the settings at first use.

    Parameters
    ----------
    build
        Makes the container's own backend from the settings.
    settings, lifecycle
        Providers.
    """

    def __init__(
        self,
        build: Callable[[Any], Backend] | None = None,
        settings: providers.Provider[Any] | None = None,
        lifecycle: providers.Provider[Lifecycle] | None = None,
    ) -> None:
        super().__init__()
        self._build = build
        self._settings = settings
        self._lifecycle = lifecycle
        #: Reentrant: what builds a backend may ask the container for something.
        self._lock = threading.RLock()
        self._own: Backend | None = None
        self._own_registration: BackendRegistrar | None = None
        self._stop_observing: Callable[[], None] = lambda: None
        self._overrides_in_force: tuple[BackendOverride, ...] = ()
        self._observers: tuple[Callable[[], None], ...] = ()
        self._follows_cell = False

    def __deepcopy__(self, memo: dict[Any, Any] | None) -> Self:
        """Copy for a new container: no own backend yet, the same overrides."""
        memo = {} if memo is None else memo
        copied: Self | None = memo.get(id(self))
        if copied is None:
            copied = memo[id(self)] = type(self)(self._build)
            copied._settings = providers.deepcopy(self._settings, memo)
            copied._lifecycle = providers.deepcopy(self._lifecycle, memo)
            for each in self._overrides_in_force:
                copied.override(each.overriding)
        return copied

    # What it gives

    def _provide(self, args: tuple[object, ...], kwargs: dict[str, object]) -> Backend:
        self.lifecycle.check_open()
        overrides = self._overrides_in_force
        if self._follows_cell:
            visible = visible_backend()
            return self._own_backend() if visible is None else visible
        return overrides[-1].backend if overrides else self._own_backend()

    @property
    def lifecycle(self) -> Lifecycle:
        """The container's lifecycle."""
        assert self._lifecycle is not None
        return self._lifecycle()

    def _own_backend(self) -> Backend:
        if self._own is None:
            with self._lock:
                if self._own is None:
                    assert self._build is not None and self._settings is not None
                    backend = self._build(self._settings())
                    self.lifecycle.add(backend.prepare_to_exit)
                    if self._follows_cell:
                        self._own_registration = BackendRegistrar(backend, beneath=True)
                    self._own = backend
        return self._own

    def follow_cell(self, *, beneath: bool) -> None:
        """Make the process-wide cell this container's backend, until `leave_cell` or the container's end.

        Registrations there are overrides here, and overrides here are registrations there.

        Parameters
        ----------
        beneath
            Register the container's own backend under all others, once it is built; else build it and register it
            over them now.
        """
        with self._lock:
            own = self._own if beneath else self._own_backend()
            if own is not None:
                self._own_registration = BackendRegistrar(own, beneath=beneath)
            for override in self._overrides_in_force:
                override.registration = BackendRegistrar(override.backend)
            self._follows_cell = True
            self._stop_observing = observe(self._notify)
        self.lifecycle.add(self.leave_cell)
        self._notify()

    def leave_cell(self) -> None:
        """Undo `follow_cell`. Doing it twice is harmless."""
        with self._lock:
            if not self._follows_cell:
                return
            self._follows_cell = False
            self._stop_observing()
            registrations = [self._own_registration, *(each.registration for each in self._overrides_in_force)]
        for registration in registrations:
            if registration is not None:
                registration.unregister()
        self._notify()

    def observe(self, observer: Callable[[], None]) -> None:
        """Have a function called after every change of the backend in force, with no lock held."""
        with self._lock:
            self._observers = (*self._observers, observer)

    def _notify(self) -> None:
        for observer in self._observers:
            observer()

    # Overriding

    def override(self, provider: providers.Provider[Backend] | Backend) -> BackendOverride:  # type: ignore[override]
        """Put another backend in force, an instance or the provider of one, until the override is ended.

        A provider is called once, now. An instance, and a provider that shares one, stays the caller's to shut down;
        what a `Factory` makes is shut down with the container.

        Raises
        ------
        TypeError
            If it gives something that is no backend.
        """
        overriding = provider if isinstance(provider, providers.Provider) else providers.Object(provider)
        backend = overriding()
        if not isinstance(backend, Backend):
            raise TypeError(
                f"cannot override the backend with {backend!r}: an instance of Backend, or a provider of one, is needed"
            )
        override = BackendOverride(self, overriding, backend)
        if isinstance(overriding, providers.Factory) and self._lifecycle is not None:
            self.lifecycle.add(backend.prepare_to_exit)
        if self._follows_cell:
            override.registration = BackendRegistrar(backend)
        with self._lock:
            self._overrides_in_force = (*self._overrides_in_force, override)
            overriding.register_overrides(self)
        self._notify()
        return override

    def end_override(self, override: BackendOverride) -> None:
        """Take one override back."""
        with self._lock:
            if override not in self._overrides_in_force:
                return
            self._overrides_in_force = tuple(each for each in self._overrides_in_force if each is not override)
            if all(each.overriding is not override.overriding for each in self._overrides_in_force):
                override.overriding.unregister_overrides(self)
        if override.registration is not None:
            override.registration.unregister()
        self._notify()

    def reset_last_overriding(self) -> None:
        """End the newest override.

        Raises
        ------
        dependency_injector.errors.Error
            If there is none.
        """
        overrides = self._overrides_in_force
        if not overrides:
            super().reset_last_overriding()  # raises the library's error
        self.end_override(overrides[-1])

    def reset_override(self) -> None:
        """End every override."""
        for override in reversed(self._overrides_in_force):
            self.end_override(override)

    @property
    def related(self) -> Iterator[providers.Provider[Any]]:
        """Providers that this one uses."""
        yield from (each for each in (self._settings, self._lifecycle, *self.overridden) if each is not None)

    @property
    def overridden(self) -> tuple[providers.Provider[Backend], ...]:  # type: ignore[override]
        """Providers of the overrides, oldest first."""
        return tuple(override.overriding for override in self._overrides_in_force)

    @property
    def last_overriding(self) -> providers.Provider[Backend] | None:
        """Provider of the newest override."""
        overrides = self._overrides_in_force
        return overrides[-1].overriding if overrides else None
