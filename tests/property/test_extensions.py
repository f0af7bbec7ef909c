"""Functions of `linalg` and `fft` on drawn matrices give what NumPy gives, or both refuse.

Results of LAPACK on the same matrix in the same library differ by nothing; products and sums run in another order, so
64 units in the last place of the largest number are allowed. Matrices that LAPACK could decide either way about (nearly
singular ones) are made regular by a dominant diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tests.property.comparison import assert_same, assert_same_outcome
from tests.property.strategies import arrays, examples

import latebind as lb

WIDE = [np.dtype(name) for name in ("float32", "float64", "complex64", "complex128")]
ULPS = 64
batches = npst.array_shapes(min_dims=0, max_dims=1, min_side=0, max_side=3)


@st.composite
def square(draw: st.DrawFn) -> np.ndarray:
    """Matrices with a dominant diagonal, in batches."""
    order = draw(st.integers(1, 4))
    x = draw(arrays(WIDE, (*draw(batches), order, order), tame=True))
    return np.asarray(x + 16 * np.eye(order), x.dtype)


def hermitian(x: np.ndarray) -> np.ndarray:
    return np.asarray((x + np.conj(np.swapaxes(x, -1, -2))) / 2, x.dtype)


#: Of regular matrices: ours, NumPy's.
OF_MATRICES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "cholesky": (lambda x: lb.linalg.cholesky(x), lambda x: np.linalg.cholesky(x)),
    "det": (lb.linalg.det, np.linalg.det),
    "eigh": (lambda x: lb.linalg.eigh(x)[0], lambda x: np.linalg.eigh(x)[0]),
    "eigvalsh": (lb.linalg.eigvalsh, np.linalg.eigvalsh),
    "inv": (lb.linalg.inv, np.linalg.inv),
    "matrix_rank": (lb.linalg.matrix_rank, np.linalg.matrix_rank),
    "slogdet": (lambda x: lb.linalg.slogdet(x)[1], lambda x: np.linalg.slogdet(x)[1]),
    "solve": (lambda x: lb.linalg.solve(x, x[..., :1]), lambda x: np.linalg.solve(x, x[..., :1])),
    "trace": (lb.linalg.trace, np.linalg.trace),
    "diagonal": (lb.linalg.diagonal, np.linalg.diagonal),
}


@pytest.mark.parametrize("name", sorted(OF_MATRICES))
@examples(0.4)
@given(x=square())
def test_of_regular_matrices(name: str, x: np.ndarray) -> None:
    ours, theirs = OF_MATRICES[name]
    x = hermitian(x) if name in ("cholesky", "eigh", "eigvalsh") else x
    assert_same_outcome(lambda: ours(lb.asarray(x)), lambda: theirs(x), ulps=ULPS, about=name)


@examples(0.5)
@given(x=square())
def test_eigenvalues_and_vectors_belong_together(x: np.ndarray) -> None:
    values, vectors = lb.linalg.eig(lb.asarray(x))
    assert_same(lb.linalg.eigvals(lb.asarray(x)).shape, np.linalg.eigvals(x).shape)
    scale = 1e3 * float(np.finfo(x.dtype).eps) * 32
    np.testing.assert_allclose(
        lb.astype(lb.asarray(x), vectors.dtype) @ vectors, vectors * values[..., None, :], atol=scale
    )
    # In whatever order: their sum is the trace, their product the determinant.
    alone = np.asarray(lb.linalg.eigvals(lb.asarray(x)))
    np.testing.assert_allclose(alone.sum(-1), np.trace(x, axis1=-2, axis2=-1), rtol=1e-4, atol=scale * 10)


@examples(0.5)
@given(x=square(), n=st.integers(-3, 5))
def test_matrix_power(x: np.ndarray, n: int) -> None:
    assert_same(lb.linalg.matrix_power(lb.asarray(x), n), np.linalg.matrix_power(x, n), ulps=ULPS * 4)


@given(data=st.data(), x=arrays(WIDE, npst.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=4), tame=True))
def test_norms(data: st.DataObject, x: np.ndarray) -> None:
    order = data.draw(st.sampled_from([1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"]))
    keepdims = data.draw(st.booleans())
    matrix = lb.linalg.matrix_norm(lb.asarray(x), ord=order, keepdims=keepdims)
    assert_same(matrix, np.linalg.matrix_norm(x, ord=order, keepdims=keepdims), ulps=ULPS)
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    power = data.draw(st.sampled_from([0, 1, 2, 3, 0.5, np.inf, -np.inf]))
    vector = lb.linalg.vector_norm(lb.asarray(x), axis=axis, ord=power, keepdims=keepdims)
    assert_same(vector, np.linalg.vector_norm(x, axis=axis, ord=power, keepdims=keepdims), ulps=ULPS)


@given(data=st.data())
def test_products_of_vectors(data: st.DataObject) -> None:
    n, m = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5))
    x, y = data.draw(arrays(WIDE, (n,), tame=True)), data.draw(arrays(WIDE, (m,), tame=True))
    assert_same(lb.linalg.outer(lb.asarray(x), lb.asarray(y)), np.linalg.outer(x, y))
    batch = data.draw(batches)
    u, v = (data.draw(arrays(WIDE, (*batch, 3), tame=True)) for _ in range(2))
    assert_same(lb.linalg.cross(lb.asarray(u), lb.asarray(v)), np.linalg.cross(u, v), ulps=4)


TRANSFORMS = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]


@pytest.mark.parametrize("name", TRANSFORMS)
@examples(0.5)
@given(data=st.data(), x=arrays(WIDE, npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6), tame=True))
def test_transforms(name: str, data: st.DataObject, x: np.ndarray) -> None:
    if name in ("rfft", "ihfft"):
        x = np.ascontiguousarray(x.real)
    options = {
        "n": data.draw(st.none() | st.integers(1, 9)),
        "axis": data.draw(st.integers(-x.ndim, x.ndim - 1)),
        "norm": data.draw(st.sampled_from(["backward", "ortho", "forward"])),
    }
    ours, theirs = getattr(lb.fft, name), getattr(np.fft, name)
    assert_same_outcome(lambda: ours(lb.asarray(x), **options), lambda: theirs(x, **options), ulps=ULPS, about=name)


@given(x=arrays(shape=npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)), data=st.data())
def test_shifts(x: np.ndarray, data: st.DataObject) -> None:
    axes = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    for name in ("fftshift", "ifftshift"):
        assert_same(getattr(lb.fft, name)(lb.asarray(x), axes=axes), getattr(np.fft, name)(x, axes=axes), about=name)


@given(n=st.integers(1, 12), d=st.sampled_from([1.0, 0.1, 3.0, -2.0]))
def test_frequencies(n: int, d: float) -> None:
    assert_same(lb.fft.fftfreq(n, d=d), np.fft.fftfreq(n, d), ulps=2)
    assert_same(lb.fft.rfftfreq(n, d=d), np.fft.rfftfreq(n, d), ulps=2)
