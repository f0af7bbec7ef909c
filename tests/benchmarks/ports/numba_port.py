"""The workloads as loops over elements for Numba's `njit`, in parallel where a Numba user would."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numba
import numpy

#: Numba's cache on the disk, for the second process; its folder is NUMBA_CACHE_DIR.
_CACHE = "NUMBA_CACHE_DIR" in os.environ
_njit = numba.njit(cache=_CACHE)
_parallel = numba.njit(parallel=True, cache=_CACHE)


@_parallel
def _chain(x: Any, c: Any) -> Any:
    out = numpy.empty_like(x)
    for i in numba.prange(x.size):
        value = x[i]
        for _ in range(5):
            value = (value + c[i]) * 0.5 - c[i] * value
            value = value + 0.1
        out[i] = value
    return out


@_parallel
def _expression(x: Any, y: Any) -> Any:
    out = numpy.empty_like(x)
    one, two = numpy.float32(1.0), numpy.float32(2.0)
    c3, c2, c1 = numpy.float32(0.3), numpy.float32(1.2), numpy.float32(0.7)
    for i in numba.prange(x.size):
        u, v = x[i], y[i]
        a = math.exp(-u * v) + math.sqrt(u * u + v * v)
        b = ((c3 * u - c2) * u + c1) * u + two
        out[i] = a - b if a > b else math.log(b + one)
    return out


@_parallel
def _softmax(x: Any) -> Any:
    out = numpy.empty_like(x)
    for i in numba.prange(x.shape[0]):
        largest = x[i, 0]
        for j in range(x.shape[1]):
            largest = max(largest, x[i, j])
        total = numpy.float32(0.0)
        for j in range(x.shape[1]):
            out[i, j] = math.exp(x[i, j] - largest)
            total += out[i, j]
        for j in range(x.shape[1]):
            out[i, j] /= total
    return out


@_parallel
def _black_scholes(price: Any, strike: Any, time: Any, rate: float, volatility: float) -> Any:
    call, put = numpy.empty_like(price), numpy.empty_like(price)
    for i in numba.prange(price.size):
        root = volatility * math.sqrt(time[i])
        d1 = (math.log(price[i] / strike[i]) + (rate + 0.5 * volatility * volatility) * time[i]) / root
        d2 = d1 - root
        discounted = strike[i] * math.exp(-rate * time[i])
        call[i] = price[i] * _normal(d1) - discounted * _normal(d2)
        put[i] = call[i] - price[i] + discounted
    return call, put


@_njit
def _normal(z: float) -> float:
    k = 1.0 / (1.0 + 0.2316419 * abs(z))
    terms = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    tail = 0.3989422804014327 * math.exp(-0.5 * z * z) * terms
    return 1.0 - tail if z > 0.0 else tail


@_parallel
def _mandelbrot_dense(c: Any, rounds: int) -> Any:
    count = numpy.zeros(c.shape[1:])
    for i in numba.prange(count.shape[0]):
        for j in range(count.shape[1]):
            a, b = c[0, i, j], c[1, i, j]
            x = y = 0.0
            for _ in range(rounds):
                xx, yy = x * x, y * y
                if xx + yy >= 4.0:
                    break
                x, y = xx - yy + a, 2.0 * x * y + b
                count[i, j] += 1.0
    return count


@_njit
def _jacobi(a: Any, b: Any, steps: int) -> Any:
    a, b = a.copy(), b.copy()
    n, m = a.shape
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                b[i, j] = 0.2 * (a[i, j] + a[i, j - 1] + a[i, j + 1] + a[i + 1, j] + a[i - 1, j])
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                a[i, j] = 0.2 * (b[i, j] + b[i, j - 1] + b[i, j + 1] + b[i + 1, j] + b[i - 1, j])
    return a, b


@_parallel
def _shortest_paths(distances: Any) -> Any:
    path = distances.copy()
    n = path.shape[0]
    for k in range(n):
        for i in numba.prange(n):
            for j in range(n):
                path[i, j] = min(path[i, j], path[i, k] + path[k, j])
    return path


@_njit
def _n_body(position: Any, velocity: Any, mass: Any, step: float, steps: int) -> Any:
    position, velocity = position.copy(), velocity.copy()
    energies = numpy.zeros(steps)
    force = numpy.zeros_like(position)
    _attract(position, mass, force)
    for k in range(steps):
        velocity += 0.5 * step * force
        position += step * velocity
        _attract(position, mass, force)
        velocity += 0.5 * step * force
        energies[k] = 0.5 * numpy.sum(mass.reshape(-1, 1) * velocity * velocity)
    return position, velocity, energies


@_njit
def _attract(position: Any, mass: Any, force: Any) -> None:
    n = position.shape[0]
    force[:] = 0.0
    for i in range(n):
        for j in range(n):
            x = position[j, 0] - position[i, 0]
            y = position[j, 1] - position[i, 1]
            z = position[j, 2] - position[i, 2]
            pull = mass[j] * (x * x + y * y + z * z + 0.01) ** -1.5
            force[i, 0] += x * pull
            force[i, 1] += y * pull
            force[i, 2] += z * pull


@_njit
def _forward_substitution(lower: Any, b: Any) -> Any:
    x = numpy.zeros_like(b)
    for i in range(x.shape[0]):
        total = 0.0
        for j in range(i):
            total += lower[i, j] * x[j]
        x[i] = (b[i] - total) / lower[i, i]
    return x


@_njit
def _cholesky(a: Any) -> Any:
    a = a.copy()
    n = a.shape[0]
    for k in range(n):
        a[k, k] = math.sqrt(a[k, k])
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[j, k]
    return numpy.tril(a)


@_njit
def _lu(a: Any) -> Any:
    a = a.copy()
    n = a.shape[0]
    for k in range(n - 1):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    return a


#: By workload; called with the workload's data as keyword arguments.
PORTS: dict[str, Callable[..., Any]] = {
    "chain": lambda x, c: _chain(x, c),
    "expression": lambda x, y: _expression(x, y),
    "softmax": lambda x: _softmax(x),
    "black_scholes": lambda price, strike, time, rate, volatility: _black_scholes(
        price, strike, time, rate, volatility
    ),
    "mandelbrot_dense": lambda c, rounds: _mandelbrot_dense(c, rounds),
    "jacobi": lambda a, b, steps: _jacobi(a, b, steps),
    "shortest_paths": lambda distances: _shortest_paths(distances),
    "n_body": lambda position, velocity, mass, step, steps: _n_body(position, velocity, mass, step, steps),
    "forward_substitution": lambda lower, b: _forward_substitution(lower, b),
    "cholesky": lambda a: _cholesky(a),
    "lu": lambda a: _lu(a),
}
