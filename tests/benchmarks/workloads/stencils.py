"""Workloads on grids: Python loops of updates through slices."""

from __future__ import annotations

from typing import Any

import numpy
from tests.benchmarks.workloads.workload import Data, Workload


def jacobi(np: Any, a: Any, b: Any, steps: int) -> Any:
    """Jacobi's iteration on a square, in turns between two grids."""
    a, b = a.copy(), b.copy()
    for _ in range(steps):
        b[1:-1, 1:-1] = 0.2 * (a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1])
        a[1:-1, 1:-1] = 0.2 * (b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1])
    return a, b


def jacobi_data(n: int, steps: int) -> Data:
    """Return two grids of n by n."""
    grid = numpy.fromfunction(lambda i, j: i * (j + 2) / n, (n, n))
    return {"a": grid, "b": grid + 1.0 / n, "steps": steps}


def heat_3d(np: Any, a: Any, b: Any, steps: int) -> Any:
    """Explicit steps of the heat equation in a cube, in turns between two grids."""
    a, b = a.copy(), b.copy()
    for _ in range(steps):
        for new, old in ((b, a), (a, b)):
            centre = old[1:-1, 1:-1, 1:-1]
            new[1:-1, 1:-1, 1:-1] = (
                0.125 * (old[2:, 1:-1, 1:-1] - 2.0 * centre + old[:-2, 1:-1, 1:-1])
                + 0.125 * (old[1:-1, 2:, 1:-1] - 2.0 * centre + old[1:-1, :-2, 1:-1])
                + 0.125 * (old[1:-1, 1:-1, 2:] - 2.0 * centre + old[1:-1, 1:-1, :-2])
                + centre
            )
    return a, b


def _heat_3d(n: int, steps: int) -> Data:
    grid = numpy.fromfunction(lambda i, j, k: (i + j + (n - k)) * 10 / n, (n, n, n))
    return {"a": grid, "b": grid.copy(), "steps": steps}


def adi(np: Any, u: Any, steps: int) -> Any:
    """Alternating directions for the heat equation: sweeps over columns, then over rows, one line after the other."""
    n = u.shape[0]
    u = u.copy()
    v, p, q = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    first, second = n * n * 2.0 / steps, n * n * 1.0 / steps
    a, d = -first / 2.0, -second / 2.0
    b, e = 1.0 + first, 1.0 + second
    for _ in range(steps):
        v[0, 1:-1] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = v[0, 1:-1]
        for j in range(1, n - 1):
            below = a * p[1:-1, j - 1] + b
            p[1:-1, j] = -a / below
            q[1:-1, j] = (-d * u[j, :-2] + (1.0 + 2.0 * d) * u[j, 1:-1] - d * u[j, 2:] - a * q[1:-1, j - 1]) / below
        v[-1, 1:-1] = 1.0
        for j in range(n - 2, 0, -1):
            v[j, 1:-1] = p[1:-1, j] * v[j + 1, 1:-1] + q[1:-1, j]
        u[1:-1, 0] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = u[1:-1, 0]
        for j in range(1, n - 1):
            below = d * p[1:-1, j - 1] + e
            p[1:-1, j] = -d / below
            q[1:-1, j] = (-a * v[:-2, j] + (1.0 + 2.0 * a) * v[1:-1, j] - a * v[2:, j] - d * q[1:-1, j - 1]) / below
        u[1:-1, -1] = 1.0
        for j in range(n - 2, 0, -1):
            u[1:-1, j] = p[1:-1, j] * u[1:-1, j + 1] + q[1:-1, j]
    return u


def _adi(n: int, steps: int) -> Data:
    return {"u": numpy.fromfunction(lambda i, j: (i + n - j) / n, (n, n)), "steps": steps}


def shortest_paths(np: Any, distances: Any) -> Any:
    """Floyd and Warshall's lengths of the shortest paths between all pairs."""
    path = distances.copy()
    for k in range(path.shape[0]):
        path[:] = np.minimum(path, path[:, k, None] + path[k, :])
    return path


def _shortest_paths(n: int) -> Data:
    return {"distances": numpy.random.default_rng(0).uniform(1.0, 100.0, (n, n))}


def n_body(np: Any, position: Any, velocity: Any, mass: Any, step: float, steps: int) -> Any:
    """Leapfrog steps of bodies that attract each other, with the kinetic energy after each step."""
    position, velocity = position.copy(), velocity.copy()
    energies = np.zeros(steps)

    def acceleration() -> Any:
        gap = position[None, :, :] - position[:, None, :]
        squared = np.sum(gap * gap, axis=-1) + 0.01
        return np.sum(gap * (mass[None, :] * squared**-1.5)[:, :, None], axis=1)

    force = acceleration()
    for k in range(steps):
        velocity += 0.5 * step * force
        position += step * velocity
        force = acceleration()
        velocity += 0.5 * step * force
        energies[k] = 0.5 * np.sum(mass[:, None] * velocity * velocity)
    return position, velocity, energies


def _n_body(bodies: int, steps: int) -> Data:
    rng = numpy.random.default_rng(0)
    position, velocity = rng.normal(size=(bodies, 3)), rng.normal(size=(bodies, 3))
    return {
        "position": position,
        "velocity": velocity - velocity.mean(axis=0),
        "mass": numpy.full(bodies, 20.0 / bodies),
        "step": 0.001,
        "steps": steps,
    }


WORKLOADS = (
    Workload(
        jacobi, jacobi_data, {"n": 350, "steps": 50}, {"n": 10, "steps": 5}, fused=True, peers=frozenset({"torch"})
    ),
    Workload(heat_3d, _heat_3d, {"n": 60, "steps": 10}, {"n": 8, "steps": 3}, fused=True, peers=frozenset({"torch"})),
    Workload(adi, _adi, {"n": 100, "steps": 10}, {"n": 6, "steps": 2}),
    Workload(shortest_paths, _shortest_paths, {"n": 300}, {"n": 12}, fused=True, peers=frozenset({"torch"})),
    Workload(n_body, _n_body, {"bodies": 120, "steps": 40}, {"bodies": 6, "steps": 5}, peers=frozenset({"torch"})),
)
