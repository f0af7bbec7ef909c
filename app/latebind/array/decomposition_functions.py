"""Factorisations, equations and determinants: the part of the `linalg` extension that LAPACK is behind.

The last two axes of an operand are matrices, the others a batch. float32, float64 and complex numbers keep their
precision, integers count as float64, float16 is refused. Where there is no result (a singular matrix, one that is not
positive definite), the `numpy` and `torch` backends raise at the first use of a result; `xla` gives NaN or infinities.
That error, and the one for operands that are no (square) matrices, are also `numpy.linalg.LinAlgError`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from latebind.array.operands import ArrayLike, apply, as_array, as_arrays
from latebind.array.rules.common import integer
from latebind.array.rules.factorisations import (
    CHOLESKY,
    DET,
    EIG,
    EIGH,
    EIGVALS,
    EIGVALSH,
    INV,
    MATRIX_POWER,
    MATRIX_RANK,
    PINV,
    QR,
    SLOGDET,
    SOLVE,
    SVD,
    SVDVALS,
    UNPACK,
    result_types,
    working_dtype,
)
from latebind.errors import ShapeMismatchError
from latebind.runtime.recording import record
from latebind.runtime.signature import Rule

if TYPE_CHECKING:
    from latebind.array.array import Array


class EigResult(NamedTuple):
    """What `eig` returns: eigenvalues, and eigenvectors as columns."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """What `eigh` returns: eigenvalues, and eigenvectors as columns."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Array
    R: Array


class SlogdetResult(NamedTuple):
    """What `slogdet` returns: the determinant is `sign * exp(logabsdet)`."""

    sign: Array
    logabsdet: Array


class SVDResult(NamedTuple):
    """What `svd` returns: the matrix is `(U * S[..., None, :]) @ Vh`."""

    U: Array
    S: Array
    Vh: Array


def cholesky(x: ArrayLike, /, *, upper: bool = False) -> Array:
    """Return the triangular factor of Hermitian, positive definite matrices.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, M)`; only the triangle that the factor is in is read.
    upper : bool
        Whether the factor is U with `x = U^H U`, instead of L with `x = L L^H`.

    Returns
    -------
    Array
        Shape of `x`; 0 in the other triangle.

    Raises
    ------
    ShapeMismatchError
        If the matrices are not square.
    FactorisationError
        At the first use, on `numpy` and `torch`: if one is not positive definite. On `xla` its factor is NaN.
    """
    return apply(CHOLESKY, as_array(x), upper=bool(upper))


def det(x: ArrayLike, /) -> Array:
    """Return the determinants of square matrices: shape `(...)` for `(..., M, M)`, 1 for matrices without elements.

    Raises
    ------
    ShapeMismatchError
        If the matrices are not square.
    """
    return apply(DET, as_array(x))


def eig(x: ArrayLike, /) -> EigResult:
    """Return the eigenvalues and right eigenvectors of square matrices.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, M)`, finite.

    Returns
    -------
    EigResult
        Eigenvalues `(..., M)` in no particular order, and normalised eigenvectors, the columns of `(..., M, M)`. Both
        are complex, also where all parts of them are real.

    Raises
    ------
    ShapeMismatchError
        If the matrices are not square.
    """
    values, vectors = _factorised(EIG, "linalg::eig", x, vectors=True)
    return EigResult(values, vectors)


def eigh(x: ArrayLike, /) -> EighResult:
    """Return the eigenvalues and eigenvectors of Hermitian matrices, of which only the lower triangle is read.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, M)`.

    Returns
    -------
    EighResult
        Real eigenvalues `(..., M)`, ascending, and orthonormal eigenvectors, the columns of `(..., M, M)`.

    Raises
    ------
    ShapeMismatchError
        If the matrices are not square.
    """
    values, vectors = _factorised(EIGH, "linalg::eigh", x, vectors=True)
    return EighResult(values, vectors)


def eigvals(x: ArrayLike, /) -> Array:
    """Return the eigenvalues of square matrices, as `eig` does."""
    return apply(EIGVALS, as_array(x))


def eigvalsh(x: ArrayLike, /) -> Array:
    """Return the eigenvalues of Hermitian matrices, as `eigh` does."""
    return apply(EIGVALSH, as_array(x))


def inv(x: ArrayLike, /) -> Array:
    """Return the inverses of square matrices.

    Raises
    ------
    ShapeMismatchError
        If the matrices are not square.
    FactorisationError
        At the first use, on `numpy` and `torch`: if one is singular. On `xla` its inverse has infinities and NaN.
    """
    return apply(INV, as_array(x))


def matrix_power(x: ArrayLike, n: int, /) -> Array:
    """Return square matrices multiplied by themselves.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, M)`, any dtype; integers stay integers for an `n` of 0 or more.
    n : int
        0 gives the identity, a negative number a power of the inverse.

    Raises
    ------
    ShapeMismatchError
        If the matrices are not square.
    """
    return apply(MATRIX_POWER, as_array(x), n=integer("matrix_power", "n", n))


def matrix_rank(x: ArrayLike, /, *, rtol: float | ArrayLike | None = None) -> Array:
    """Return the number of singular values that do not vanish.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, N)`.
    rtol : float or array-like, optional
        Singular values of at most this times the largest one count as zero. One number, or one for each matrix; by
        default `max(M, N)` times the machine epsilon.

    Returns
    -------
    Array
        int64, shape `(...)`.
    """
    return _with_tolerance(MATRIX_RANK, x, rtol)


def pinv(x: ArrayLike, /, *, rtol: float | ArrayLike | None = None) -> Array:
    """Return the Moore-Penrose inverses of matrices.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, N)`.
    rtol : float or array-like, optional
        As for `matrix_rank`.

    Returns
    -------
    Array
        Shape `(..., N, M)`.
    """
    return _with_tolerance(PINV, x, rtol)


def qr(x: ArrayLike, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QRResult:
    """Return orthonormal columns Q and upper triangular R with `x = Q R`.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, N)`.
    mode : "reduced" or "complete"
        Whether Q has `min(M, N)` columns or M; R has as many rows.

    Raises
    ------
    ShapeMismatchError
        For another mode, or fewer than two dimensions.
    """
    if mode not in ("reduced", "complete"):
        raise ShapeMismatchError(f"qr: mode has to be 'reduced' or 'complete', got {mode!r}")
    q, r = _factorised(QR, "linalg::qr", x, mode=mode)
    return QRResult(q, r)


def slogdet(x: ArrayLike, /) -> SlogdetResult:
    """Return sign and logarithm of the absolute value of determinants: 0 and minus infinity for singular matrices.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, M)`.

    Returns
    -------
    SlogdetResult
        Shape `(...)` each; the sign is complex, of size 1, for complex matrices.

    Raises
    ------
    ShapeMismatchError
        If the matrices are not square.
    """
    sign, logarithm = _factorised(SLOGDET, "linalg::slogdet", x)
    return SlogdetResult(sign, logarithm)


def solve(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Return the solutions of `x1 @ x = x2`.

    Parameters
    ----------
    x1 : Array or array-like
        Shape `(..., M, M)`.
    x2 : Array or array-like
        Shape `(M,)`, one right side for all matrices; or `(..., M, K)`, whose leading axes broadcast with those of
        `x1`.

    Returns
    -------
    Array
        Shape `(..., M)` or `(..., M, K)`.

    Raises
    ------
    ShapeMismatchError
        If the matrices are not square, or the operands do not fit.
    FactorisationError
        At the first use, on `numpy` and `torch`: if a matrix is singular. On `xla` the solution has infinities and NaN.
    """
    return apply(SOLVE, *as_arrays(x1, x2))


def svd(x: ArrayLike, /, *, full_matrices: bool = True) -> SVDResult:
    """Return the singular value decomposition.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, N)`; K is `min(M, N)`.
    full_matrices : bool
        Whether U has shape `(..., M, M)` and Vh `(..., N, N)`, or `(..., M, K)` and `(..., K, N)`.

    Returns
    -------
    SVDResult
        U, the real singular values `(..., K)` in descending order, and Vh.
    """
    u, values, vh = _factorised(SVD, "linalg::svd", x, mode="complete" if full_matrices else "reduced")
    return SVDResult(u, values, vh)


def svdvals(x: ArrayLike, /) -> Array:
    """Return the singular values of matrices, as `svd` does."""
    return apply(SVDVALS, as_array(x))


def _factorised(rule: Rule, kind: str, x: ArrayLike, **attributes: str | bool) -> list[Array]:
    """Record an operation with several results, and each of them."""
    array = as_array(x)
    packed = record(rule, [array], tuple(attributes.items()))
    types = result_types(kind, array._type.with_dtype(working_dtype(rule.name, array.dtype)), **attributes)
    results = []
    start, batch = 0, array.ndim - 2
    for type in types:
        real = type.dtype != packed._type.dtype
        results.append(apply(UNPACK, packed, start=start, shape=type.shape, real=real))
        start += type.with_shape(type.shape[batch:]).size
    return results


def _with_tolerance(rule: Rule, x: ArrayLike, rtol: float | ArrayLike | None) -> Array:
    array = as_array(x)
    if rtol is None:
        return apply(rule, array)
    return apply(rule, array, float(rtol) if isinstance(rtol, int) else rtol)
