"""Workloads of linear algebra, written as Python loops: scalars are read, slices shrink."""

from __future__ import annotations

from typing import Any

import numpy
from tests.benchmarks.workloads.workload import Data, Workload


def _positive_definite(n: int) -> numpy.ndarray:
    rng = numpy.random.default_rng(0)
    factor = rng.normal(size=(n, n))
    return factor @ factor.T / n + numpy.eye(n)


def conjugate_gradients(np: Any, a: Any, b: Any, rounds: int) -> Any:
    """Conjugate gradients, which stop by the norm of the residual: a value is read in every round."""
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    squared = r @ r
    for _ in range(rounds):
        product = a @ p
        alpha = squared / (p @ product)
        x += alpha * p
        r -= alpha * product
        new = r @ r
        if np.sqrt(new) < 1e-9:
            break
        p = r + (new / squared) * p
        squared = new
    return x


def _conjugate_gradients(n: int, rounds: int) -> Data:
    return {"a": _positive_definite(n), "b": numpy.random.default_rng(1).normal(size=n), "rounds": rounds}


def forward_substitution(np: Any, lower: Any, b: Any) -> Any:
    """Solution of a triangular system, row by row."""
    x = np.zeros_like(b)
    for i in range(x.shape[0]):
        x[i] = (b[i] - lower[i, :i] @ x[:i]) / lower[i, i]
    return x


def _forward_substitution(n: int) -> Data:
    rng = numpy.random.default_rng(0)
    lower = numpy.tril(rng.uniform(-1.0, 1.0, (n, n)) / n) + 2.0 * numpy.eye(n)
    return {"lower": lower, "b": rng.normal(size=n)}


def cholesky(np: Any, a: Any) -> Any:
    """Cholesky's factorisation, column by column: the remaining matrix shrinks in every round."""
    a = a.copy()
    n = a.shape[0]
    for k in range(n):
        a[k, k] = np.sqrt(a[k, k])
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k + 1 :, k])
    return np.tril(a)


def _square(n: int) -> Data:
    return {"a": _positive_definite(n)}


def lu(np: Any, a: Any) -> Any:
    """LU factorisation without pivoting: the remaining matrix shrinks in every round."""
    a = a.copy()
    n = a.shape[0]
    for k in range(n - 1):
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= a[k + 1 :, k : k + 1] * a[k : k + 1, k + 1 :]
    return a


def gram_schmidt(np: Any, a: Any) -> Any:
    """Modified Gram-Schmidt orthogonalisation, vector by vector."""
    a = a.copy()
    n = a.shape[1]
    q, r = np.zeros_like(a), np.zeros((n, n))
    for k in range(n):
        r[k, k] = np.sqrt(a[:, k] @ a[:, k])
        q[:, k] = a[:, k] / r[k, k]
        for j in range(k + 1, n):
            r[k, j] = q[:, k] @ a[:, j]
            a[:, j] -= q[:, k] * r[k, j]
    return q, r


def _gram_schmidt(m: int, n: int) -> Data:
    return {"a": numpy.random.default_rng(0).normal(size=(m, n)) + numpy.eye(m, n)}


WORKLOADS = (
    Workload(
        conjugate_gradients,
        _conjugate_gradients,
        {"n": 1_000, "rounds": 60},
        {"n": 12, "rounds": 30},
        peers=frozenset({"jax", "torch"}),
        rtol=1e-6,
    ),
    Workload(forward_substitution, _forward_substitution, {"n": 2_500}, {"n": 12}),
    Workload(cholesky, _square, {"n": 300}, {"n": 6}),
    Workload(lu, _square, {"n": 300}, {"n": 6}),
    Workload(gram_schmidt, _gram_schmidt, {"m": 200, "n": 80}, {"m": 8, "n": 4}),
)
