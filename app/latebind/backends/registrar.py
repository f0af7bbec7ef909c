"""The process-wide cell that holds at most one visible backend.

Registrations form a stack of which the top is visible, so that they are undone in order, and an out-of-order undo
removes its own entry only. A reader takes one reference without a lock; a writer replaces that reference under a lock.

This module imports nothing of latebind but its errors: the backend interface stands on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from latebind.errors import BackendNotRegisteredError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from latebind.backends.interface import Backend
    from latebind.ir.builder import IrBuilder

#: Reentrant: a finaliser that unregisters may run at any allocation, also inside a critical section.
_lock = threading.RLock()
_stack: list[BackendRegistrar] = []
_observers: tuple[Callable[[], None], ...] = ()
_visible: Backend | None = None


class BackendRegistrar:
    """Registers a backend on construction, like the C++ class of that name, until it is unregistered.

    Parameters
    ----------
    backend
        The instance that `get_backend` returns from now on.
    beneath
        Register under all others instead of over them: a default that an explicit registration hides.

    Raises
    ------
    TypeError
        If `backend` is a class, or no backend at all.

    Examples
    --------
    >>> with BackendRegistrar(NumpyBackend()) as registrar:      # doctest: +SKIP
    ...     assert get_backend() is registrar.backend
    """

    __slots__ = ("__weakref__", "backend")

    def __init__(self, backend: Backend, *, beneath: bool = False) -> None:
        if isinstance(backend, type) or not hasattr(backend, "create_lowering_context"):
            raise TypeError(
                f"cannot register {backend!r}: an instance of latebind.backends.interface.Backend is needed"
            )
        self.backend = backend
        with _lock:
            _stack.insert(0 if beneath else len(_stack), self)
            _show_top()
        _notify()

    def unregister(self) -> None:
        """Take this registration back; what was registered under it is visible again. Doing it twice is harmless."""
        with _lock:
            if self not in _stack:
                return
            _stack.remove(self)
            _show_top()
        _notify()

    @property
    def is_registered(self) -> bool:
        """Whether this registration still stands (it may be hidden by a later one)."""
        return self in tuple(_stack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unregister()


def has_backend() -> bool:
    """Whether a backend is registered in this process."""
    return _visible is not None


def get_backend() -> Backend:
    """Return the registered backend.

    Raises
    ------
    BackendNotRegisteredError
        If there is none.
    """
    backend = _visible
    if backend is None:
        raise BackendNotRegisteredError
    return backend


def visible_backend() -> Backend | None:
    """Return the registered backend, or `None`: `has_backend` and `get_backend` as one step."""
    return _visible


def get_ir_builder() -> IrBuilder:
    """Return the registered backend's IR builder. The backend is asked each time, so a new one is followed at once.

    Raises
    ------
    BackendNotRegisteredError
        If no backend is registered.
    """
    return get_backend().ir_builder()


def observe(observer: Callable[[], None]) -> Callable[[], None]:
    """Have a function called after every change of the cell; return the function that ends it.

    The observer takes no argument and asks `visible_backend` itself: calls of several threads may overlap, and whoever
    asks last sees the newest state. No lock is held while it runs.
    """
    global _observers
    with _lock:
        _observers = (*_observers, observer)

    def stop() -> None:
        global _observers
        with _lock:
            _observers = tuple(each for each in _observers if each is not observer)

    return stop


def _show_top() -> None:
    global _visible
    _visible = _stack[-1].backend if _stack else None


def _notify() -> None:
    for observer in _observers:
        observer()
