"""What derives from the backend: made once per backend instance, and found again when an override ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, Self, TypeVar

from latebind.backends.interface import Backend
from latebind.injection.backend import BackendProvider
from latebind.injection.library import providers

T = TypeVar("T")


class PerBackend(providers.Provider[T], Generic[T]):
    """A singleton per backend instance.

    Objects are kept until the container closes, so that an override that comes back finds its executor and cache.

    Parameters
    ----------
    backend
        The provider whose instance in force selects the object.
    build
        Makes the object from a backend instance and the dependencies.
    dependencies
        Providers; one that is itself per backend is asked for the same instance. Anything else is handed over as it is.
    shutdown
        Called with each object when the container closes, before its backend is shut down.
    """

    def __init__(
        self,
        backend: BackendProvider | None = None,
        build: Callable[..., T] | None = None,
        *dependencies: object,
        shutdown: Callable[[T], None] | None = None,
    ) -> None:
        super().__init__()
        self._backend = backend
        self._build = build
        self._dependencies = dependencies
        self._shutdown = shutdown
        self._lock = threading.RLock()
        self._made: dict[int, tuple[Backend, T]] = {}

    def __deepcopy__(self, memo: dict[Any, Any] | None) -> Self:
        """Copy for a new container, with nothing made yet."""
        memo = {} if memo is None else memo
        copied: Self | None = memo.get(id(self))
        if copied is None:
            copied = memo[id(self)] = type(self)(None, self._build, shutdown=self._shutdown)
            copied._backend = providers.deepcopy(self._backend, memo)
            copied._dependencies = tuple(
                providers.deepcopy(each, memo) if isinstance(each, providers.Provider) else each
                for each in self._dependencies
            )
            for overriding in self.overridden:
                copied.override(providers.deepcopy(overriding, memo))
        return copied

    def _provide(self, args: tuple[object, ...], kwargs: dict[str, object]) -> T:
        assert self._backend is not None
        return self.of(self._backend())

    def of(self, backend: Backend) -> T:
        """Return the object of this backend instance, made at the first call.

        Raises
        ------
        ShutdownError
            If the container is closed.
        """
        made = self._made.get(id(backend))
        if made is not None:
            return made[1]
        assert self._backend is not None and self._build is not None
        lifecycle = self._backend.lifecycle
        lifecycle.check_open()
        with self._lock:
            made = self._made.get(id(backend))
            if made is None:
                value = self._build(backend, *(self._resolve(each, backend) for each in self._dependencies))
                # The backend is kept with the object: its id must not be given to another one.
                made = self._made[id(backend)] = backend, value
                if self._shutdown is not None:
                    shutdown = self._shutdown
                    lifecycle.add(lambda: shutdown(value))
        return made[1]

    @property
    def related(self) -> Iterator[providers.Provider[Any]]:
        """Providers that this one uses."""
        yield from (each for each in (self._backend, *self._dependencies) if isinstance(each, providers.Provider))
        yield from super().related

    @staticmethod
    def _resolve(dependency: object, backend: Backend) -> object:
        if isinstance(dependency, PerBackend) and dependency.last_overriding is None:
            return dependency.of(backend)
        return dependency() if isinstance(dependency, providers.Provider) else dependency


class Slot(Generic[T]):
    """The object of the backend in force, read without a lock and without resolving anything.

    Parameters
    ----------
    derived
        Gives the object.
    backend
        Tells when it changes.
    """

    __slots__ = ("_derived", "_lock", "_value", "_version")

    def __init__(self, derived: providers.Provider[T], backend: BackendProvider) -> None:
        self._derived = derived
        self._lock = threading.Lock()
        self._value: T | None = None
        self._version = 0
        backend.observe(self.clear)

    def get(self) -> T:
        """Return the object of the backend in force."""
        value = self._value
        return value if value is not None else self._resolve()

    def clear(self) -> None:
        """Forget the object, because the backend changed or the container closed."""
        with self._lock:
            self._version += 1
            self._value = None

    def _resolve(self) -> T:
        version = self._version
        value = self._derived()
        with self._lock:
            if version == self._version:
                self._value = value
        return value
