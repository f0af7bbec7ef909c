"""PyTorch: eager, its lazy tensor core, and Inductor through `torch.compile`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy
import torch
from tests.benchmarks.libraries.library import Library, MissingError
from tests.benchmarks.ports import torch_namespace
from tests.benchmarks.workloads import Workload

torch_namespace.prepare()


class Torch(Library):
    """PyTorch, operation by operation, with NumPy's names for its functions."""

    def __init__(self) -> None:
        torch.set_grad_enabled(False)

    def asarray(self, host: numpy.ndarray) -> Any:
        return torch.from_numpy(host.copy())

    def host(self, value: Any) -> numpy.ndarray:
        return numpy.asarray(value.cpu())

    @property
    def namespace(self) -> Any:
        return torch_namespace

    def workload(self, workload: Workload) -> Callable[..., Any]:
        if "torch" not in workload.peers:
            raise MissingError("the kernel needs functions or views that PyTorch does not have")
        return partial(workload.kernel, torch_namespace)


class LazyCore(Torch):
    """PyTorch's lazy tensor core with its TorchScript backend."""

    records = True

    def __init__(self) -> None:
        super().__init__()
        try:
            import torch._lazy
            import torch._lazy.ts_backend

            torch._lazy.ts_backend.init()
        except (ImportError, AttributeError, RuntimeError) as error:
            raise MissingError(f"this PyTorch has no lazy tensor core: {error}") from error

    def asarray(self, host: numpy.ndarray) -> Any:
        tensor = torch.from_numpy(host.copy()).to("lazy")
        torch._lazy.mark_step()
        torch._lazy.wait_device_ops()
        return tensor

    def start(self, results: tuple[Any, ...]) -> None:
        torch._lazy.mark_step()

    def wait(self, results: tuple[Any, ...]) -> Any:
        torch._lazy.mark_step()
        torch._lazy.wait_device_ops()
        return results

    def workload(self, workload: Workload) -> Callable[..., Any]:
        if not {"torch", "jax"} <= workload.peers:
            raise MissingError("the kernel writes into arrays, or makes some on the default device")
        return super().workload(workload)


class Inductor(Torch):
    """PyTorch's compiler."""

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        warnings.simplefilter("ignore")
        return torch.compile(function, dynamic=False)

    def usual(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return self.compile(function)

    def workload(self, workload: Workload) -> Callable[..., Any]:
        if not {"torch", "jax"} <= workload.peers:
            raise MissingError("torch.compile would unroll the loop")
        return self.compile(super().workload(workload))

    def forget(self) -> None:
        torch.compiler.reset()  # else it generalises over the shapes of the workload before
