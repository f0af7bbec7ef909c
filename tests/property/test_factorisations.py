"""Factorisations give back their matrix whatever its rank and scale, and transforms what was transformed.

LAPACK's backward errors are a small multiple of epsilon times the norm of the matrix; 200 epsilon leaves room for
orders up to 4. Entries are at most 4, so that the norm is at most 16.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tests.property.strategies import arrays

import latebind as lb
from latebind import fft, linalg

WIDE = [np.dtype(name) for name in ("float32", "float64", "complex64", "complex128")]
shapes = npst.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=4)


def finite(x: np.ndarray) -> np.ndarray:
    """Return the array without NaN and infinities, which no factorisation is defined for."""
    return np.where(np.isfinite(x), x, np.ones((), x.dtype)).astype(x.dtype)


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    return finite(draw(arrays(WIDE, draw(shapes), tame=True)))


def close(found: Any, wanted: np.ndarray, size: float) -> None:
    found = np.asarray(found)
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=0, atol=200 * float(np.finfo(wanted.dtype).eps) * max(size, 1))


def size_of(x: np.ndarray) -> float:
    return float(np.max(np.abs(x), initial=0)) * max(x.shape)


@given(x=matrices(), full=st.booleans())
def test_singular_values_and_vectors(x: np.ndarray, full: bool) -> None:
    u, s, vh = linalg.svd(lb.asarray(x), full_matrices=full)
    rank = s.shape[-1]
    close((u[..., :rank] * lb.astype(s[..., None, :], x.dtype)) @ vh[..., :rank, :], x, size_of(x))
    values = np.asarray(s)
    assert np.all(values >= 0) and np.all(np.diff(values) <= 0)


@given(x=matrices(), mode=st.sampled_from(["reduced", "complete"]))
def test_orthogonal_and_triangular_factors(x: np.ndarray, mode: Any) -> None:
    q, r = linalg.qr(lb.asarray(x), mode=mode)
    close(q @ r, x, size_of(x))
    columns = np.asarray(q)
    identity = np.broadcast_to(np.eye(columns.shape[-1], dtype=x.dtype), (*x.shape[:-2], *2 * columns.shape[-1:]))
    close(np.conj(np.swapaxes(columns, -1, -2)) @ columns, identity, 1)


@given(x=matrices())
def test_eigenvalues_of_the_gram_matrix_are_squared_singular_values(x: np.ndarray) -> None:
    array = lb.asarray(x)
    gram = array @ lb.conj(linalg.matrix_transpose(array))
    values, vectors = linalg.eigh(gram)
    scaled = vectors * lb.astype(values[..., None, :], x.dtype)
    close(scaled @ lb.conj(linalg.matrix_transpose(vectors)), np.asarray(gram), size_of(x) ** 2)
    squares = np.asarray(linalg.svdvals(array)) ** 2
    close(lb.flip(values, axis=-1)[..., : squares.shape[-1]], squares, size_of(x) ** 2)


@given(x=matrices())
def test_the_moore_penrose_conditions(x: np.ndarray) -> None:
    array = lb.asarray(x)
    # Singular values below a tenth of the largest are dropped: the product has a condition of at most 10.
    inverse = linalg.pinv(array, rtol=0.1)
    close(inverse @ array @ inverse, np.asarray(inverse), 10 * size_of(np.asarray(inverse)))
    projection = np.asarray(array @ inverse)
    close(np.conj(np.swapaxes(projection, -1, -2)), projection, 10)


@given(x=matrices(), norm=st.sampled_from(["backward", "ortho", "forward"]), data=st.data())
def test_inverse_transforms(x: np.ndarray, norm: Any, data: st.DataObject) -> None:
    axes = [axis for axis in range(x.ndim) if x.shape[axis]]
    axes = data.draw(st.permutations(axes))[: data.draw(st.integers(1, max(len(axes), 1)))]
    if not axes:
        return
    wide = x.astype(np.result_type(x, np.complex64))
    close(fft.ifftn(fft.fftn(lb.asarray(x), axes=axes, norm=norm), axes=axes, norm=norm), wide, size_of(x) * x.size)
    real = np.ascontiguousarray(x.real)
    lengths = [x.shape[axis] for axis in axes]
    half = fft.rfftn(lb.asarray(real), axes=axes, norm=norm)
    close(fft.irfftn(half, s=lengths, axes=axes, norm=norm), real, size_of(x) * x.size)
