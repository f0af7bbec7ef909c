"""Polynomials as vectors of coefficients, the highest power first (NumPy's `polyval` family)."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.array.array import Array
from latebind.array.creation_functions import arange, eye, ones, zeros
from latebind.array.data_type_functions import astype
from latebind.array.manipulation_functions import concat, reshape
from latebind.array.operands import ArrayLike
from latebind.errors import ShapeMismatchError
from latebind.numpy.arguments import alike, array_of, count_of, limits, refuse
from latebind.numpy.calculus import convolve
from latebind.numpy.joining import trim_zeros
from latebind.numpy.matrices import vander

__all__ = [
    "poly",
    "polyadd",
    "polyder",
    "polydiv",
    "polyfit",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "roots",
]


def polyval(p: ArrayLike, x: ArrayLike) -> Array:
    """Return the values of a polynomial, by Horner's rule."""
    coefficients, at = alike(p, x)
    total = at * 0
    for i in range(coefficients.size):
        total = total * at + coefficients[i]
    return total


def polyadd(a1: ArrayLike, a2: ArrayLike) -> Array:
    """Return the sum of polynomials."""
    first, second = _padded(a1, a2)
    return first + second


def polysub(a1: ArrayLike, a2: ArrayLike) -> Array:
    """Return the difference of polynomials."""
    first, second = _padded(a1, a2)
    return first - second


def _padded(a1: ArrayLike, a2: ArrayLike) -> list[Array]:
    parts = [reshape(one, (-1,)) for one in alike(a1, a2)]
    length = max(one.size for one in parts)
    return [concat([zeros(length - one.size, dtype=one.dtype, device=one.device), one]) for one in parts]


def polymul(a1: ArrayLike, a2: ArrayLike) -> Array:
    """Return the product of polynomials."""
    return convolve(*(reshape(one, (-1,)) for one in alike(a1, a2)))


def polydiv(u: ArrayLike, v: ArrayLike) -> tuple[Array, Array]:
    """Return quotient and remainder of polynomials; reads how many leading coefficients of the remainder are zero."""
    dividend, divisor = (reshape(one, (-1,)) for one in alike(u, v))
    rest = (dividend + divisor[0] * 0.0).copy()
    m, n = dividend.size - 1, divisor.size - 1
    scale = 1.0 / divisor[0]
    quotient = zeros(max(m - n + 1, 1), dtype=rest.dtype, device=rest.device)
    for k in range(m - n + 1):
        factor = scale * rest[k]
        quotient[k] = factor
        rest[k : k + n + 1] -= factor * divisor
    rest = trim_zeros(rest, "f") if rest.size else rest
    return quotient, rest if rest.size else zeros(1, dtype=quotient.dtype, device=quotient.device)


def polyder(p: ArrayLike, m: int = 1) -> Array:
    """Return the m-th derivative of a polynomial."""
    x = array_of(p)
    for _ in range(count_of("polyder", "m", m)):
        x = x[:-1] * arange(x.size - 1, 0, -1, device=x.device)
    return x


def polyint(p: ArrayLike, m: int = 1, k: Any = None) -> Array:
    """Return the m-th antiderivative of a polynomial; `k` are the constants of integration."""
    x = array_of(p)
    times = count_of("polyint", "m", m)
    constants = np.zeros(times) if k is None else np.atleast_1d(np.asarray(k))
    constants = np.full(times, constants[0]) if constants.size == 1 else constants
    if constants.size < times:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(times):
        powers = arange(x.size, 0, -1, device=x.device)
        x = concat([x / powers, array_of(constants[i : i + 1], x._ground)])
    return x


def poly(seq_of_zeros: ArrayLike) -> Array:
    """Return the coefficients of the polynomial with given roots.

    Raises
    ------
    DTypeMismatchError
        For a matrix, whose characteristic polynomial needs its eigenvalues.
    """
    roots_ = array_of(seq_of_zeros)
    if roots_.ndim == 2:
        raise refuse("poly", "a matrix", "pass its eigenvalues, latebind.linalg's eigvals")
    made = ones(1, dtype=np.result_type(roots_.dtype, np.float64), device=roots_.device)
    for i in range(roots_.size):
        made = convolve(made, concat([ones(1, dtype=made.dtype, device=made.device), -roots_[i][None]]))
    return made


def roots(p: ArrayLike) -> Array:
    """Return the roots of a polynomial, the eigenvalues of its companion matrix; reads which coefficients are zero."""
    from latebind.numpy import linalg

    x = array_of(p)
    if x.ndim != 1:
        raise ShapeMismatchError("roots: Input must be a rank-1 array.")
    (found,) = np.nonzero(np.asarray(x))
    if not found.size:
        return zeros(0, device=x.device)
    trailing = x.size - int(found[-1]) - 1
    x = x[int(found[0]) : int(found[-1]) + 1]
    x = astype(x, np.result_type(x.dtype, np.float64), copy=False)
    size = x.size - 1
    if not size:
        return zeros(trailing, dtype=x.dtype, device=x.device)
    companion = eye(size, k=-1, dtype=x.dtype, device=x.device)
    companion[0, :] = -x[1:] / x[0]
    values = linalg.library("eigvals")(companion)
    return concat([values, zeros(trailing, dtype=values.dtype, device=values.device)])


def polyfit(
    x: ArrayLike,
    y: ArrayLike,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Any = None,
    cov: bool = False,
) -> Array:
    """Return the coefficients of the polynomial of a degree that fits points best (least squares).

    Raises
    ------
    DTypeMismatchError
        For `full` and `cov`.
    ShapeMismatchError
        If the points do not have one dimension, or are not as many values.
    """
    if full or cov:
        raise refuse("polyfit", "full= and cov=", "use linalg.lstsq with vander(x, deg + 1)")
    at, values = alike(x, y)
    if at.ndim != 1 or not at.size or values.ndim not in (1, 2) or values.shape[0] != at.size:
        raise ShapeMismatchError("polyfit: expected 1D vectors x and y of one length, or y with one column per fit")
    from latebind.numpy import linalg

    at, values = at + 0.0, values + 0.0
    matrix = vander(at, count_of("polyfit", "deg", deg) + 1)
    if w is not None:
        weights = array_of(w, at._ground)
        matrix = matrix * weights[:, None]
        values = values * (weights if values.ndim == 1 else weights[:, None])
    scale = ((matrix * matrix).sum(axis=0)) ** 0.5
    limit = at.size * float(limits(at.dtype).eps) if rcond is None else rcond
    solution = linalg.lstsq(matrix / scale, values, limit)[0]
    return solution / (scale if solution.ndim == 1 else scale[:, None])
