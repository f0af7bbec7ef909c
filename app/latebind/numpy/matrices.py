"""Matrices with a pattern: identity, diagonals, triangles, powers; under NumPy's names and signatures."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.array import creation_functions as creation
from latebind.array.array import Array
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.elementwise_functions import multiply
from latebind.array.manipulation_functions import concat, reshape
from latebind.array.operands import ArrayLike
from latebind.errors import ShapeMismatchError
from latebind.numpy.arguments import array_of, count_of
from latebind.numpy.shaping import diagonal

__all__ = [
    "diag",
    "diagflat",
    "eye",
    "identity",
    "tri",
    "tril",
    "triu",
    "vander",
]


def eye(
    N: int,
    M: int | None = None,
    k: int = 0,
    dtype: Any = None,
    order: str = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Array:
    """Return a matrix with ones on a diagonal."""
    return creation.eye(N, M, k=k, dtype=dtype, device=device)


def identity(n: int, dtype: Any = None, *, like: Any = None) -> Array:
    """Return the identity matrix."""
    return creation.eye(n, dtype=dtype)


def diag(v: ArrayLike, k: int = 0) -> Array:
    """Return a matrix with a vector on a diagonal, or a matrix's diagonal.

    Raises
    ------
    ShapeMismatchError
        If `v` has neither one nor two dimensions.
    """
    x = array_of(v)
    if x.ndim == 2:
        return diagonal(x, k).copy()
    if x.ndim != 1:
        raise ShapeMismatchError(f"diag: Input must be 1- or 2-d, got shape {x.shape}")
    size = x.size + abs(k)
    made = creation.zeros((size, size), dtype=x.dtype, device=x.device)
    diagonal(made, k)[...] = x
    return made


def diagflat(v: ArrayLike, k: int = 0) -> Array:
    """Return a matrix with the flattened array on a diagonal."""
    return diag(reshape(array_of(v), (-1,)), k)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = float, *, like: Any = None) -> Array:
    """Return a matrix with ones at and below a diagonal."""
    shape = (N, N if M is None else M)
    return creation.tril(creation.ones(shape, dtype=dtype), k=k)


def tril(m: ArrayLike, k: int = 0) -> Array:
    """Return the lower triangle of matrices; a vector counts as every row."""
    return creation.tril(_matrix(m), k=k)


def triu(m: ArrayLike, k: int = 0) -> Array:
    """Return the upper triangle of matrices; a vector counts as every row."""
    return creation.triu(_matrix(m), k=k)


def _matrix(m: ArrayLike) -> Array:
    x = array_of(m)
    return broadcast_to(x, (x.size, x.size)) if x.ndim == 1 else x


def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Array:
    """Return a matrix whose columns are powers of a vector.

    Raises
    ------
    ShapeMismatchError
        If `x` does not have one dimension.
    """
    base = array_of(x)
    if base.ndim != 1:
        raise ShapeMismatchError("vander: x must be a one-dimensional array or sequence.")
    count = base.size if N is None else count_of("vander", "N", N)
    if base.dtype.kind == "b":
        base = astype(base, np.int64)
    columns = [creation.ones((base.size, 1), dtype=base.dtype, device=base.device)]
    for _ in range(count - 1):
        columns.append(multiply(columns[-1], base[:, None]))
    made = concat(columns[:count] or [columns[0][:, :0]], axis=1)
    return made if increasing else made[:, ::-1]
