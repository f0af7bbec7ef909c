"""Workloads that elementwise operations and reductions dominate."""

from __future__ import annotations

from typing import Any

import numpy
from tests.benchmarks.workloads.workload import Data, Workload

_FUNCTIONAL = frozenset({"jax", "torch", "mlx", "dask"})


def _vector(n: int, count: int = 1, dtype: str = "float64") -> list[numpy.ndarray]:
    rng = numpy.random.default_rng(0)
    return [rng.uniform(0.5, 1.5, n).astype(dtype) for _ in range(count)]


def chain(np: Any, x: Any, c: Any) -> Any:
    """Twenty cheap operations in a row."""
    for _ in range(5):
        x = (x + c) * 0.5 - c * x
        x = x + 0.1
    return x


def _chain(n: int) -> Data:
    x, c = _vector(n, 2)
    return {"x": x, "c": c}


def expression(np: Any, x: Any, y: Any) -> Any:
    """A polynomial with exponentials, roots and a choice by element."""
    a = np.exp(-x * y) + np.sqrt(x * x + y * y)
    b = ((0.3 * x - 1.2) * x + 0.7) * x + 2.0
    return np.where(a > b, a - b, np.log(b + 1.0))


def _expression(n: int) -> Data:
    x, y = _vector(n, 2, "float32")
    return {"x": x, "y": y}


def reductions(np: Any, x: Any) -> Any:
    """Statistics of rows and columns."""
    mean = np.mean(x, axis=0)
    spread = np.sqrt(np.mean((x - mean) ** 2, axis=0))
    rows = np.sum(x * x, axis=1)
    return mean, spread, rows, np.sum(np.abs(x), axis=1), np.sum(np.where(x > 1.0, x, 0.0))


def softmax(np: Any, x: Any) -> Any:
    """Softmax of rows, in a form that does not overflow."""
    shifted = x - np.max(x, axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    return exponentials / np.sum(exponentials, axis=-1, keepdims=True)


def _matrix(n: int) -> Data:
    return {"x": numpy.random.default_rng(0).normal(1.0, 1.0, (n, n))}


def _matrix_single(n: int) -> Data:
    return {"x": numpy.random.default_rng(0).normal(0.0, 1.0, (n, n)).astype(numpy.float32)}


def layer_norm(np: Any, x: Any, scale: Any, shift: Any) -> Any:
    """Layer normalisation of rows."""
    mean = np.mean(x, axis=-1, keepdims=True)
    centred = x - mean
    variance = np.mean(centred * centred, axis=-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-5) * scale + shift


def _layer_norm(n: int) -> Data:
    rng = numpy.random.default_rng(0)
    values = {"x": rng.normal(1.0, 1.0, (n, n)), "scale": rng.normal(1.0, 0.1, n), "shift": rng.normal(0.0, 0.1, n)}
    return {name: value.astype(numpy.float32) for name, value in values.items()}


def black_scholes(np: Any, price: Any, strike: Any, time: Any, rate: float, volatility: float) -> Any:
    """Prices of European options; the normal distribution by Abramowitz and Stegun 26.2.17."""

    def normal(z: Any) -> Any:
        k = 1.0 / (1.0 + 0.2316419 * np.abs(z))
        terms = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
        tail = 0.3989422804014327 * np.exp(-0.5 * z * z) * terms
        return np.where(z > 0.0, 1.0 - tail, tail)

    root = volatility * np.sqrt(time)
    d1 = (np.log(price / strike) + (rate + 0.5 * volatility * volatility) * time) / root
    d2 = d1 - root
    discounted = strike * np.exp(-rate * time)
    call = price * normal(d1) - discounted * normal(d2)
    return call, call - price + discounted


def _black_scholes(n: int) -> Data:
    rng = numpy.random.default_rng(0)
    return {
        "price": rng.uniform(10.0, 50.0, n),
        "strike": rng.uniform(10.0, 50.0, n),
        "time": rng.uniform(0.5, 2.0, n),
        "rate": 0.1,
        "volatility": 0.2,
    }


def mandelbrot(np: Any, width: int, height: int, rounds: int) -> Any:
    """Escape times, with arrays that shrink to the points that have not escaped."""
    x = np.linspace(-2.0, 0.5, width)
    y = np.linspace(-1.25, 1.25, height)
    c = x + y[:, None] * 1j
    count = np.zeros(c.shape, dtype=np.int64)
    z = np.zeros(c.shape, dtype=np.complex128)
    for step in range(rounds):
        inside = np.abs(z) < 2.0
        count[inside] = step
        z[inside] = z[inside] ** 2 + c[inside]
    count[count == rounds - 1] = 0
    return count


def _mandelbrot(width: int, rounds: int) -> Data:
    return {"width": width, "height": width, "rounds": rounds}


def mandelbrot_dense(np: Any, c: Any, rounds: int) -> Any:
    """Escape times, with a choice by element instead of masks, on real and imaginary parts."""
    a, b = c
    x, y = np.zeros_like(a), np.zeros_like(b)
    count = np.zeros_like(a)
    for _ in range(rounds):
        xx, yy = x * x, y * y
        inside = xx + yy < 4.0
        y = np.where(inside, 2.0 * x * y + b, y)
        x = np.where(inside, xx - yy + a, x)
        count = count + np.where(inside, 1.0, 0.0)
    return count


def _mandelbrot_dense(width: int, rounds: int) -> Data:
    x, y = numpy.meshgrid(numpy.linspace(-2.0, 0.5, width), numpy.linspace(-1.25, 1.25, width))
    return {"c": numpy.stack([x, y]), "rounds": rounds}


WORKLOADS = (
    Workload(chain, _chain, {"n": 500_000}, {"n": 100}, fused=True, peers=_FUNCTIONAL),
    Workload(
        expression,
        _expression,
        {"n": 2_000_000},
        {"n": 100},
        fused=True,
        peers=_FUNCTIONAL,
        rtol=1e-5,  # float32
        atol=1e-6,
    ),
    Workload(reductions, _matrix, {"n": 1_500}, {"n": 12}, peers=_FUNCTIONAL),
    Workload(softmax, _matrix_single, {"n": 1_500}, {"n": 12}, fused=True, peers=_FUNCTIONAL, rtol=1e-5, atol=1e-6),
    Workload(layer_norm, _layer_norm, {"n": 1_500}, {"n": 12}, fused=True, peers=_FUNCTIONAL, rtol=2e-4, atol=1e-5),
    Workload(black_scholes, _black_scholes, {"n": 500_000}, {"n": 100}, fused=True, peers=_FUNCTIONAL),
    Workload(mandelbrot, _mandelbrot, {"width": 250, "rounds": 60}, {"width": 6, "rounds": 4}),
    Workload(
        mandelbrot_dense,
        _mandelbrot_dense,
        {"width": 300, "rounds": 50},
        {"width": 12, "rounds": 12},
        fused=True,
        peers=frozenset({"jax", "torch", "mlx"}),
    ),
)
