"""Which executor a function without array operands uses: the current container's, else the process default's."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, TypeAlias

from latebind.errors import BackendNotRegisteredError

if TYPE_CHECKING:
    from latebind.runtime.executor import LazyGraphExecutor

#: Gives a container's executor at the moment it is asked, so that an override of the backend is seen at once.
ExecutorSource: TypeAlias = "Callable[[], LazyGraphExecutor]"

_current: ContextVar[ExecutorSource | None] = ContextVar("latebind_executor", default=None)
_default_factory: ExecutorSource | None = None
#: The executor that the process default gave last.
_last_default: Callable[[], LazyGraphExecutor | None] = lambda: None  # noqa: E731


def current_executor() -> LazyGraphExecutor:
    """Return the executor of the current container, or of the process default, which is built at its first use.

    Raises
    ------
    BackendNotRegisteredError
        If there is neither.
    """
    global _last_default
    source = _current.get()
    if source is not None:
        return source()
    if _default_factory is None:
        raise BackendNotRegisteredError
    executor = _default_factory()
    if _last_default() is not executor:
        _last_default = weakref.ref(executor)
    return executor


def is_current(executor: LazyGraphExecutor) -> bool:
    """Return whether `current_executor` would give this executor. The process default is not built to find out."""
    source = _current.get()
    if source is None:
        source = _default_factory if _last_default() is executor else None
    return source is not None and source() is executor


def set_current(source: ExecutorSource) -> Token[ExecutorSource | None]:
    """Make a container's executor the current one in this context; undo it with `reset_current`."""
    return _current.set(source)


def reset_current(token: Token[ExecutorSource | None]) -> None:
    """Undo a `set_current`."""
    _current.reset(token)


def set_default_factory(source: ExecutorSource | None) -> None:
    """Say where the process default comes from."""
    global _default_factory
    _default_factory = source
