"""Samples of factorisations and Fourier transforms: what is unique of them.

Eigenvectors and singular vectors are known up to a sign or a phase, so only the values are compared; eigenvalues of
general matrices come in any order, so there is one. QR has LAPACK's convention of signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np

from latebind.ir.node import AttributeValue
from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import Array, Sample, sample, samples_of

_TRANSPOSITIONS: Final = ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT")


def _matrix(dtype: DType, *shape: int) -> Array:
    """Return numbers of magnitude 1, those of square matrices with a dominant diagonal."""
    rng = np.random.default_rng(sum(shape))
    x = rng.uniform(-1, 1, shape)
    if dtype.kind == "c":
        x = x + 1j * rng.uniform(-1, 1, shape)
    if len(shape) > 1 and shape[-1] == shape[-2]:
        x = x + 4 * np.eye(shape[-1])
    return x.astype(dtype)


def _hermitian(dtype: DType, *shape: int) -> Array:
    x = _matrix(dtype, *shape)
    return ((x + np.conj(np.swapaxes(x, -1, -2))) / 2).astype(dtype)


@samples_of("stablehlo::cholesky")
def cholesky(kind: str, dtype: DType) -> Iterator[Sample]:
    """Both triangles, and a batch."""
    for lower in (True, False):
        yield sample(f"lower-{lower}", _hermitian(dtype, 3, 3), lower=lower)
    yield sample("batch", _hermitian(dtype, 2, 1, 4, 4), lower=True)


@samples_of("stablehlo::triangular_solve")
def triangular_solve(kind: str, dtype: DType) -> Iterator[Sample]:
    """All forms."""
    for left, lower, unit, transpose in product((True, False), (True, False), (True, False), _TRANSPOSITIONS):
        right = _matrix(dtype, *((2, 3, 2) if left else (2, 2, 3)))
        words = [word for word, holds in (("left", left), ("lower", lower), ("unit", unit)) if holds]
        attributes: dict[str, AttributeValue] = {
            "left_side": left,
            "lower": lower,
            "unit_diagonal": unit,
            "transpose_a": transpose,
        }
        yield sample("-".join([*words, transpose]), _matrix(dtype, 2, 3, 3), right, **attributes)


@samples_of("linalg::solve")
def solve(kind: str, dtype: DType) -> Iterator[Sample]:
    """Matrices whose rows have to be exchanged, and a batch."""
    yield sample("rows", _matrix(dtype, 4, 4)[::-1], _matrix(dtype, 4, 2))
    yield sample("batch", _matrix(dtype, 2, 1, 3, 3)[..., ::-1, :], _matrix(dtype, 2, 1, 3, 1))


@samples_of("linalg::inv", "linalg::det", "linalg::slogdet")
def square(kind: str, dtype: DType) -> Iterator[Sample]:
    """Matrices whose rows have to be exchanged, and a batch."""
    yield sample("rows", _matrix(dtype, 4, 4)[::-1])
    yield sample("batch", _matrix(dtype, 2, 1, 3, 3))


@samples_of("linalg::qr")
def qr(kind: str, dtype: DType) -> Iterator[Sample]:
    """Tall and wide matrices, and a batch."""
    for mode, shape in product(("reduced", "complete"), ((4, 3), (3, 4), (2, 3, 3))):
        yield sample(f"{mode}-{'x'.join(map(str, shape))}", _matrix(dtype, *shape), mode=mode)


@samples_of("linalg::eigh")
def eigh(kind: str, dtype: DType) -> Iterator[Sample]:
    """Eigenvalues alone."""
    yield sample("values", _hermitian(dtype, 4, 4), vectors=False)
    yield sample("batch", _hermitian(dtype, 2, 3, 3), vectors=False)


@samples_of("linalg::eig")
def eig(kind: str, dtype: DType) -> Iterator[Sample]:
    """One eigenvalue each."""
    yield sample("one", _matrix(dtype, 3, 1, 1), vectors=False)


@samples_of("linalg::svd")
def svd(kind: str, dtype: DType) -> Iterator[Sample]:
    """Singular values alone."""
    for shape in ((4, 3), (3, 4), (2, 3, 3)):
        yield sample(f"values-{'x'.join(map(str, shape))}", _matrix(dtype, *shape), mode="none")


@samples_of("stablehlo::fft")
def fft(kind: str, dtype: DType) -> Iterator[Sample]:
    """Real transforms of real numbers, the others of complex ones; even and odd lengths, one to three dimensions."""
    for lengths in ((8,), (5,), (1,), (4, 5), (2, 3, 4)):
        label = "x".join(map(str, lengths))
        if dtype.kind != "c":
            yield sample(f"RFFT-{label}", _matrix(dtype, 2, *lengths), fft_type="RFFT", fft_length=lengths)
            continue
        for name in ("FFT", "IFFT"):
            yield sample(f"{name}-{label}", _matrix(dtype, 2, *lengths), fft_type=name, fft_length=lengths)
        # The first half of a real signal's transform: other operands contradict the symmetry, which engines resolve.
        signal = _matrix(np.dtype(np.float64), 2, *lengths)
        axes = tuple(range(1, 1 + len(lengths)))
        half = np.fft.rfftn(signal, axes=axes).astype(dtype)
        yield sample(f"IRFFT-{label}", half, fft_type="IRFFT", fft_length=lengths)
