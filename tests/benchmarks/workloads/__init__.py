"""Workloads in NumPy style, run unmodified by latebind on each backend and compared with hand-written ports."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
from tests.benchmarks.workloads import jax_ports, kernels
from tests.benchmarks.workloads.catalogue import Prepare, Workload

Random = np.random.Generator


def _uniform(*shapes: Any, low: float = 0.1, high: float = 2.0) -> Prepare:
    """Arrays of uniform numbers; an extent may be a function of the size."""

    def prepare(random: Random, size: int) -> tuple[Any, ...]:
        return tuple(
            random.uniform(low, high, tuple(extent(size) if callable(extent) else extent for extent in shape))
            for shape in shapes
        )

    return prepare


def _n(size: int) -> int:
    return size


def _then(prepare: Prepare, *numbers: int) -> Prepare:
    return lambda random, size: (*prepare(random, size), *numbers)


def _definite(random: Random, size: int) -> np.ndarray:
    a = random.normal(size=(size, size))
    return a @ a.T / size + np.eye(size)


def _grid(random: Random, size: int) -> tuple[Any, ...]:
    real, imaginary = np.meshgrid(np.linspace(-2.0, 0.6, size), np.linspace(-1.2, 1.2, size))
    return np.ascontiguousarray(real), np.ascontiguousarray(imaginary), 20


def _clusters(random: Random, size: int) -> tuple[Any, ...]:
    points = random.normal(size=(size, 4)) + random.integers(0, 5, (size, 1)) * 3.0
    return points, points[:8].copy(), 10


def _network(random: Random, size: int) -> tuple[Any, ...]:
    classes = np.eye(10)[random.integers(0, 10, size)]
    return (
        *(random.normal(size=(size, 64)), classes),
        *(random.normal(size=(64, 128)) * 0.1, np.zeros(128), random.normal(size=(128, 10)) * 0.1, np.zeros(10)),
        20,
    )


def _images(random: Random, size: int) -> tuple[Any, ...]:
    return random.normal(size=(size, 28, 28, 4)), random.normal(size=(5, 5, 4, 8)) * 0.1, random.normal(size=8)


def _triangular(random: Random, size: int) -> tuple[Any, ...]:
    return np.tril(random.normal(size=(size, size))) / size + 2.0 * np.eye(size), random.normal(size=size)


def _workload(name: str, prepare: Prepare, size: int, toy: int, **facts: Any) -> Workload:
    ports = MappingProxyType({"jax.jit": jax_ports.PORTS[name]} if name in jax_ports.PORTS else {})
    return Workload(name, getattr(kernels, name), prepare, size, toy, ports=ports, **facts)


WORKLOADS: dict[str, Workload] = {
    one.name: one
    for one in (
        _workload("elementwise_chain", _uniform((_n,), (_n,)), 1_000_000, 50, fused=True),
        _workload("polynomial", _uniform((_n,)), 2_000_000, 50, fused=True),
        _workload("black_scholes", _uniform((_n,), (_n,), (_n,)), 400_000, 50, fused=True),
        _workload("reductions", _uniform((_n, 200)), 5_000, 20, fused=True),
        _workload("softmax", _uniform((_n, 512)), 2_000, 10, fused=True),
        _workload("layer_norm", _uniform((_n, 512), (512,), (512,)), 2_000, 10, fused=True),
        _workload("mandelbrot", _grid, 300, 12, fused=True),
        _workload("jacobi", _then(_uniform((_n, _n)), 100), 350, 12, fused=True),
        _workload("heat", _then(_uniform((_n, _n, _n)), 20), 60, 6, fused=True),
        _workload("n_body", _then(_uniform((_n, 3), (_n, 3), (_n,)), 20), 150, 6, fused=True, rtol=1e-5),
        _workload("adi", _then(_uniform((_n, _n)), 5), 150, 8, repeats=True),
        _workload("floyd_warshall", _uniform((_n, _n)), 250, 12),
        _workload("k_means", _clusters, 20_000, 40),
        _workload("pca", _then(_uniform((_n, 100)), 50), 10_000, 30),
        _workload("conjugate_gradients", lambda r, n: (_definite(r, n), r.normal(size=n), 50), 600, 12),
        _workload("convolution", _images, 32, 2),
        _workload("perceptron", _network, 512, 16),
        _workload("forward_substitution", _triangular, 2_000, 12, repeats=False),
        _workload("cholesky", lambda r, n: (_definite(r, n),), 400, 10, repeats=False),
        _workload("lu", lambda r, n: (_definite(r, n),), 400, 10, repeats=False),
        _workload("gram_schmidt", lambda r, n: (r.normal(size=(n, n)) + 3.0 * np.eye(n),), 300, 10, repeats=False),
        _workload("script", _uniform((_n, _n)), 400, 12, repeats=False),
    )
}
