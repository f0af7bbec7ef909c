"""MLX on its CPU device, and dask.array on its threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy
from tests.benchmarks.libraries.library import Library, MissingError
from tests.benchmarks.workloads import Workload

#: Blocks along each axis of an array of dask's.
_BLOCKS = 4


class Mlx(Library):
    """MLX, which records and runs when a value is needed."""

    records = True

    def __init__(self) -> None:
        self._mx: Any = import_module("mlx.core")
        self._mx.set_default_device(self._mx.cpu)

    def asarray(self, host: numpy.ndarray) -> Any:
        array = self._mx.array(host, dtype=getattr(self._mx, str(host.dtype)))
        self._mx.eval(array)
        return array

    def start(self, results: tuple[Any, ...]) -> None:
        self._mx.async_eval(*results)

    def wait(self, results: tuple[Any, ...]) -> Any:
        self._mx.eval(*results)
        return results

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return self._mx.compile(function)  # type: ignore[no-any-return]

    @property
    def namespace(self) -> Any:
        return self._mx

    def workload(self, workload: Workload) -> Callable[..., Any]:
        if "mlx" not in workload.peers:
            raise MissingError("the kernel needs functions or views that MLX does not have")
        return partial(workload.kernel, self._mx)


class Dask(Library):
    """dask.array in blocks; its results are NumPy arrays."""

    def __init__(self) -> None:
        self._dask: Any = import_module("dask")
        self._array: Any = import_module("dask.array")
        self._dask.config.set(scheduler="threads")

    def asarray(self, host: numpy.ndarray) -> Any:
        return self._array.from_array(host, chunks=tuple(-(-side // _BLOCKS) for side in host.shape))

    def wait(self, results: tuple[Any, ...]) -> Any:
        return self._dask.compute(*results)

    def workload(self, workload: Workload) -> Callable[..., Any]:
        if "dask" not in workload.peers:
            raise MissingError("the kernel writes through views, or reads values")
        return partial(workload.kernel, self._array)
