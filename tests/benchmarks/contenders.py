"""Who is compared: latebind, and the peers that are installed. A peer that is not is named, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tests.benchmarks.measurement import Measure

if TYPE_CHECKING:
    from latebind.injection.container import BoundContainer

LATEBIND = "latebind"
NUMPY = "NumPy eager"
TORCH = "PyTorch eager"
LAZY_CORE = "PyTorch lazy core"
JAX = "JAX eager"
JIT = "jax.jit"
MLX = "MLX"
MLX_COMPILED = "MLX compiled"
NUMEXPR = "numexpr"
NUMBA = "numba"
TORCH_COMPILE = "torch.compile"
TORCH_TRACE = "torch.jit.trace"


class MissingPeerError(Exception):
    """A peer cannot take part; the message says why."""


class Contenders:
    """Contenders of one comparison, in order.

    Attributes
    ----------
    measures : dict
        What to measure, by name.
    missing : dict
        Reason, by name of the peer that cannot take part.
    """

    def __init__(self) -> None:
        self.measures: dict[str, Measure] = {}
        self.missing: dict[str, str] = {}

    def add(self, name: str, make: Callable[[], Measure]) -> None:
        """Enter a contender; if its package is missing, note that instead."""
        try:
            self.measures[name] = make()
        except MissingPeerError as error:
            self.missing[name] = str(error)


def _importing(load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (ImportError, OSError) as error:
        raise MissingPeerError(f"not importable: {error}") from error


def container(backend: object = "numpy", **settings: object) -> BoundContainer:
    """Return a container of a backend, by default NumPy's; use it as a context manager."""
    import latebind as lb

    return lb.build_container(backend=backend, **settings)


def load_torch() -> ModuleType:
    """Return `torch`."""

    def load() -> ModuleType:
        import torch

        return torch

    return _importing(load)


class LazyCore:
    """PyTorch's lazy tensor core with its TorchScript backend.

    Attributes
    ----------
    torch : module
    mark_step, wait : callable
        Close the recording and start it; wait until everything that was started is done.
    """

    def __init__(self) -> None:
        self.torch = load_torch()
        try:
            import torch._lazy
            import torch._lazy.ts_backend

            _start_lazy_core()
            self.mark_step: Callable[[], None] = torch._lazy.mark_step
            self.wait: Callable[[], None] = torch._lazy.wait_device_ops
        except (ImportError, AttributeError, RuntimeError) as error:
            raise MissingPeerError(f"this PyTorch has no lazy tensor core: {error}") from error

    def asarray(self, value: Any) -> Any:
        """Return host data as a lazy tensor that is on its device already."""
        tensor = self.torch.from_numpy(value.copy()).to("lazy")
        self.mark_step()
        return tensor


_lazy_core_started = False


def _start_lazy_core() -> None:
    """Register the TorchScript backend, which a process may do once."""
    global _lazy_core_started
    if not _lazy_core_started:
        import torch._lazy.ts_backend

        torch._lazy.ts_backend.init()
        _lazy_core_started = True


def load_jax() -> ModuleType:
    """Return `jax`, on its CPU."""

    def load() -> ModuleType:
        import os

        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        import jax

        return jax

    return _importing(load)


def load_mlx() -> ModuleType:
    """Return `mlx.core`."""

    def load() -> ModuleType:
        import mlx.core

        return mlx.core

    return _importing(load)


def load_numexpr() -> ModuleType:
    """Return `numexpr`."""
    return _importing(lambda: import_module("numexpr"))  # type: ignore[no-any-return]


def load_numba() -> ModuleType:
    """Return `numba`."""
    return _importing(lambda: import_module("numba"))  # type: ignore[no-any-return]
