"""JAX, eager and through `jax.jit`, with 64-bit types as NumPy has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy
from tests.benchmarks.libraries.library import CACHE, Library, MissingError
from tests.benchmarks.workloads import Workload


class Jax(Library):
    """JAX on its CPU device.

    Parameters
    ----------
    jitted
        Whether workloads are the hand-written ports under `jax.jit`, or the kernels on `jax.numpy`, operation by
        operation.
    """

    def __init__(self, jitted: bool) -> None:
        jax.config.update("jax_enable_x64", True)
        if CACHE in os.environ:
            jax.config.update("jax_compilation_cache_dir", os.environ[CACHE])
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
            jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        jax.devices()
        self._jitted = jitted

    def asarray(self, host: numpy.ndarray) -> Any:
        return jax.block_until_ready(jax.numpy.asarray(host))

    def wait(self, results: tuple[Any, ...]) -> Any:
        return jax.block_until_ready(results)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return jax.jit(function)

    def usual(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return jax.jit(function) if self._jitted else function

    @property
    def namespace(self) -> Any:
        return jax.numpy

    def workload(self, workload: Workload) -> Callable[..., Any]:
        if not self._jitted:
            if "jax" not in workload.peers:
                raise MissingError("the kernel writes into arrays")
            return partial(workload.kernel, jax.numpy)
        from tests.benchmarks.ports.jax_port import PORTS

        return PORTS[workload.name]
