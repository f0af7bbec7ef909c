"""Factorisations and equations with `numpy.linalg`, transforms with `numpy.fft`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def cholesky(a: Array, lower: bool) -> Array:
    """Return the triangular factor of positive definite matrices."""
    return np.linalg.cholesky(a, upper=not lower)


def solve_equations(a: Array, b: Array) -> Array:
    """Return x with `a @ x == b`; `b` is always a stack of matrices."""
    return np.linalg.solve(a, b)


def solve_triangular(a: Array, b: Array, left: bool, lower: bool, unit: bool, transposition: str) -> Array:
    """Return x with `op(a) @ x == b`, or `x @ op(a) == b`, reading one triangle of `a`."""
    a = np.tril(a) if lower else np.triu(a)
    if unit:
        a = np.where(np.eye(a.shape[-1], dtype=bool), a.dtype.type(1), a)
    if transposition != "NO_TRANSPOSE":
        a = a.mT
    if transposition == "ADJOINT":
        a = a.conj()
    return np.linalg.solve(a, b) if left else np.linalg.solve(a.mT, b.mT).mT


def eigenvalues(a: Array, dtype: np.dtype[Any]) -> Array:
    """Return the eigenvalues of general matrices, complex also where all are real."""
    return np.linalg.eigvals(a).astype(dtype, copy=False)


def eigenvectors(a: Array, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return the eigenvalues and right eigenvectors of general matrices, complex also where all are real."""
    values, vectors = np.linalg.eig(a)
    return values.astype(dtype, copy=False), vectors.astype(dtype, copy=False)


def singular_triples(a: Array, mode: str) -> tuple[Array, Array, Array]:
    """Return U, the singular values and V^H."""
    return np.linalg.svd(a, mode == "complete")


def singular_values(a: Array) -> Array:
    """Return the singular values."""
    return np.linalg.svd(a, compute_uv=False)


def symmetric_eigenvalues(a: Array) -> Array:
    """Return the eigenvalues of Hermitian matrices."""
    return np.linalg.eigvalsh(a)


def symmetric_eigenvectors(a: Array) -> tuple[Array, Array]:
    """Return the eigenvalues and eigenvectors of Hermitian matrices."""
    return np.linalg.eigh(a)


def orthogonal_factors(a: Array, mode: Literal["complete", "reduced"]) -> tuple[Array, Array]:
    """Return Q and R."""
    return np.linalg.qr(a, mode)


def inverse(a: Array) -> Array:
    """Return the inverses of matrices."""
    return np.linalg.inv(a)


def determinant(a: Array) -> Array:
    """Return the determinants of matrices."""
    found: Array = np.linalg.det(a)
    return found


def log_determinant(a: Array) -> tuple[Array, Array]:
    """Return sign and logarithm of the size of determinants."""
    return np.linalg.slogdet(a)


_TRANSFORMS: Final[dict[str, Callable[..., Array]]] = {
    "FFT": np.fft.fftn,
    "IFFT": np.fft.ifftn,
    "RFFT": np.fft.rfftn,
    "IRFFT": np.fft.irfftn,
}


def transform(a: Array, kind: str, lengths: tuple[int, ...]) -> Array:
    """Return a discrete Fourier transform over the last axes, in the precision of the operand."""
    return _TRANSFORMS[kind](a, lengths, tuple(range(-len(lengths), 0)))
