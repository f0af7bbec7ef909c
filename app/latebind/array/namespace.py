"""The array API namespace: of the process (the module `latebind`), and of one container."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from latebind.array.info import NamespaceInfo
from latebind.errors import LatebindError
from latebind.runtime.current import ExecutorSource, is_current, reset_current, set_current
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array
    from latebind.runtime.executor import LazyGraphExecutor

#: Revisions of the standard whose functions the namespace has.
API_VERSIONS: Final = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
API_VERSION: Final = API_VERSIONS[-1]


class UnknownApiVersionError(LatebindError, ValueError):
    """A revision of the array API standard that latebind does not know."""


class Namespace:
    """The array API namespace bound to one container: its functions make arrays there, whatever container is current.

    Attribute access gives what the module `latebind` has under that name.

    Parameters
    ----------
    executor
        The container's executor.
    """

    def __init__(self, executor: LazyGraphExecutor) -> None:
        self._executor = executor

    def __getattr__(self, name: str) -> Any:
        if name == "random":
            from latebind.array.random.default import RandomNamespace

            self.random = RandomNamespace(self._source)
            return self.random
        value = _bound_value(getattr(_module(), name), self._source)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted(set(dir(_module())))

    def _source(self) -> LazyGraphExecutor:
        return self._executor

    def __array_namespace_info__(self) -> NamespaceInfo:
        """Return what this namespace can do."""
        return NamespaceInfo(self._source)

    def __eq__(self, other: object) -> bool:
        """Namespaces of one container are equal, so that a set of arrays' namespaces has one element."""
        return isinstance(other, Namespace) and other._executor is self._executor

    def __hash__(self) -> int:
        return hash(id(self._executor))

    def __repr__(self) -> str:
        return f"<latebind namespace of container {self._executor.name!r} (backend {self._executor.backend.name!r})>"


class Extension:
    """An extension of the standard (`linalg`, `fft`) bound to one container, as `Namespace` is.

    Parameters
    ----------
    module
        The extension's module.
    source
        Gives the container's executor.
    """

    def __init__(self, module: ModuleType, source: ExecutorSource) -> None:
        self._module = module
        self._source = source

    def __getattr__(self, name: str) -> Any:
        value = _bound_value(getattr(self._module, name), self._source)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted(self._module.__all__)

    def __repr__(self) -> str:
        return f"<{self._module.__name__} of container {self._source().name!r}>"


def _bound_value(value: Any, source: ExecutorSource) -> Any:
    """Return a function or an extension bound to an executor, anything else as it is."""
    if isinstance(value, FunctionType):
        return _bound(value, source)
    if isinstance(value, ModuleType) and hasattr(value, "__all__"):
        return Extension(value, source)
    return value


def _module() -> ModuleType:
    return sys.modules["latebind"]


def _bound(function: Callable[..., Any], source: ExecutorSource) -> Callable[..., Any]:
    """Return the function with this executor as the current one while it runs."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], LazyTensor):  # functions follow their operands
            return function(*args, **kwargs)
        token = set_current(source)
        try:
            return function(*args, **kwargs)
        finally:
            reset_current(token)

    return call


def namespace_of(array: Array, api_version: str | None = None) -> ModuleType | Namespace:
    """Return the namespace of an array: the module `latebind` if its container is current, else its container's own.

    Raises
    ------
    UnknownApiVersionError
        For a revision of the standard that is not known.
    """
    if api_version is not None and api_version not in API_VERSIONS:
        raise UnknownApiVersionError(
            f"array API version {api_version!r} is not known: latebind has {', '.join(API_VERSIONS)}"
        )
    executor = array._ground.executor
    return _module() if is_current(executor) else Namespace(executor)
