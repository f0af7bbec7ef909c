"""latebind on one of its backends, with every kernel as it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy
from tests.benchmarks.libraries.library import CACHE, Library, MissingError
from tests.benchmarks.workloads import Workload

import latebind as lb
import latebind.numpy
from latebind.backends.tiered.backend import TieredBackend
from latebind.errors import BackendUnavailableError, SettingsError


class Latebind(Library):
    """latebind; its container is the current one for the life of the process.

    Parameters
    ----------
    backend
        The backend's settings. Where it has a cache on the disk, that is off, or in the folder that the environment
        names.
    """

    records = True

    def __init__(self, backend: Mapping[str, object]) -> None:
        try:
            self._container = lb.build_container(backend=_with_cache(dict(backend)))
            self._executor = self._container.executor()
        except (BackendUnavailableError, SettingsError) as error:
            raise MissingError(" ".join(str(error).split())) from error
        self._container.__enter__()

    def asarray(self, host: numpy.ndarray) -> Any:
        array = lb.asarray(host)
        self.wait((array,))
        return array

    def start(self, results: tuple[Any, ...]) -> None:
        self._executor.sync(results)

    def wait(self, results: tuple[Any, ...]) -> Any:
        self._executor.sync(results)
        self._executor.wait_device_ops()
        return results

    def settled(self) -> bool:
        backend = self._executor.backend
        return not isinstance(backend, TieredBackend) or backend.wait_for_compilations(0.0)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return lb.compile(function)

    @property
    def namespace(self) -> Any:
        return latebind.numpy

    def workload(self, workload: Workload) -> Callable[..., Any]:
        return partial(workload.kernel, latebind.numpy)

    def close(self) -> None:
        self._container.__exit__(None, None, None)
        self._container.close()


def _with_cache(backend: dict[str, object]) -> dict[str, object]:
    """Return settings in which XLA's cache on the disk is as the environment says."""
    if backend["name"] == "tiered":
        return backend | {"optimizing": _with_cache({"name": backend["optimizing"]})}
    if backend["name"] != "xla":
        return backend
    folder = os.environ.get(CACHE)
    return backend | ({"persistent_cache": True, "cache_directory": folder} if folder else {"persistent_cache": False})
