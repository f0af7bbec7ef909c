"""Distributions of vectors: each draw is a row, whose components depend on each other."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from latebind.array.linear_algebra_functions import matmul
from latebind.array.operands import ArrayLike, as_array
from latebind.array.random.arguments import (
    DTypeLike,
    Size,
    float_dtype,
    parameter,
    result_shape,
    shape_of_operand,
    size_of,
)
from latebind.array.random.bit_generator import Philox
from latebind.array.rules.random_numbers import RULES
from latebind.array.rules.random_variates import DIRICHLET, MULTINOMIAL, MULTIVARIATE_HYPERGEOMETRIC, tree_width
from latebind.errors import ShapeMismatchError
from latebind.ir.ops.random_numbers import blocks_of
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array

#: By how much probabilities may exceed 1 in total, as in NumPy.
_SUM_TOLERANCE: Final = 1e-12
_METHODS: Final = ("svd", "eigh", "cholesky")


class Vectors:
    """Random vectors."""

    @property
    def bit_generator(self) -> Philox:
        """The generator's key and counter."""
        raise NotImplementedError

    def dirichlet(self, alpha: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return vectors of shares that add up to 1.

        Parameters
        ----------
        alpha
            One dimension, k values that must not be negative; a component of weight 0 is 0.
        size
            Shape of the draws; the result has k as a last extent.

        Raises
        ------
        ValueError
            If a value is negative.
        ShapeMismatchError
            If `alpha` has not one dimension, or no value.
        """
        bits = self.bit_generator
        found = float_dtype("dirichlet", dtype, bits.ground)
        weights = parameter("dirichlet", "alpha", alpha, "nonnegative")
        (count,) = _extents("dirichlet", "alpha", weights, 1)
        shape = (*size_of("dirichlet", size), count)
        return bits.draw(DIRICHLET, (weights,), math.prod(shape), shape=shape, dtype=found)

    def multinomial(self, n: ArrayLike, pvals: ArrayLike, size: Size = None) -> Array:
        """Return how often each of k outcomes comes in `n` trials, as int64.

        Parameters
        ----------
        n
            Trials; broadcasts with the leading axes of `pvals`.
        pvals
            Probabilities along the last axis; the last one is what the others leave of 1.
        size
            Shape of the draws, to which `n` and the leading axes of `pvals` broadcast.

        Raises
        ------
        ValueError
            If `n` is negative or not whole, a probability is outside [0, 1], or all but the last add up to more than 1.
        ShapeMismatchError
            If `pvals` has no dimension or no value, or what should broadcast does not.
        """
        trials = parameter("multinomial", "n", n, "count")
        shares = parameter("multinomial", "pvals", pvals, "share")
        shape = shape_of_operand(shares)
        if not shape or not shape[-1]:
            raise ShapeMismatchError("random.multinomial: pvals has to have a last axis with at least one probability")
        if not isinstance(shares, LazyTensor):
            total = np.asarray(shares, np.float64)[..., :-1].sum(-1)
            if np.any(total > 1 + _SUM_TOLERANCE):
                raise ValueError("random.multinomial: sum(pvals[..., :-1]) is above 1")
        outer = result_shape("multinomial", size, [shape_of_operand(trials), shape[:-1]])
        blocks = math.prod(outer) * tree_width(shape[-1])
        return self.bit_generator.draw(MULTINOMIAL, (trials, shares), blocks, shape=(*outer, shape[-1]))

    def multivariate_hypergeometric(
        self,
        colors: ArrayLike,
        nsample: ArrayLike,
        size: Size = None,
        method: Literal["marginals", "count"] = "marginals",
    ) -> Array:
        """Return how many of each colour are in samples without replacement, as int64.

        Parameters
        ----------
        colors
            How many there are of each, one dimension.
        nsample
            Size of a sample, a number.
        method
            NumPy's two methods; both draw the same here, a marginal number per node of a tree over the colours.

        Raises
        ------
        ValueError
            If a number is negative or not whole, the colours add up to 10**9 or more, the sample is larger than that,
            or there is no such method.
        ShapeMismatchError
            If `colors` has not one dimension, or no value, or `nsample` is no number.
        """
        if method not in ("marginals", "count"):
            raise ValueError(f"random.multivariate_hypergeometric: method is 'marginals' or 'count', not {method!r}")
        name = "multivariate_hypergeometric"
        counts = parameter(name, "colors", colors, "billion")
        sample = parameter(name, "nsample", nsample, "count")
        (width,) = _extents(name, "colors", counts, 1)
        _extents(name, "nsample", sample, 0)
        if not isinstance(counts, LazyTensor):
            total = np.sum(np.asarray(counts, np.float64))
            if total >= 1e9:
                raise ValueError(f"random.{name}: colors add up to {total:.0f}, which is not below 10**9")
            if not isinstance(sample, LazyTensor) and np.any(np.greater(sample, total)):  # type: ignore[arg-type]
                raise ValueError(f"random.{name}: nsample is larger than the sum of colors")
        shape = (*size_of(name, size), width)
        blocks = math.prod(shape[:-1]) * tree_width(width)
        return self.bit_generator.draw(MULTIVARIATE_HYPERGEOMETRIC, (sample, counts), blocks, shape=shape)

    def multivariate_normal(
        self,
        mean: ArrayLike,
        cov: ArrayLike,
        size: Size = None,
        check_valid: Literal["warn", "raise", "ignore"] = "warn",
        tol: float = 1e-8,
        *,
        method: Literal["svd", "eigh", "cholesky"] = "svd",
        dtype: DTypeLike = None,
    ) -> Array:
        """Return normal vectors with this mean and covariance.

        Parameters
        ----------
        mean, cov
            Shapes `(k,)` and `(k, k)`.
        size
            Shape of the draws; the result has k as a last extent.
        check_valid
            What happens if `cov` is not symmetric and positive semidefinite to the tolerance. A lazy `cov` is checked
            for "raise" only, which closes the recording and waits.
        tol
            Relative tolerance of that check.
        method
            How the factor is found that standard normal vectors are multiplied by. "svd" and "eigh" take the
            symmetric square root, which has no choice of signs, so that engines agree; "cholesky" is the fastest, and
            needs a definite `cov`.

        Raises
        ------
        ValueError
            For another `method` or `check_valid`, and if the check fails and is to raise.
        ShapeMismatchError
            If the shapes do not fit.
        """
        if method not in _METHODS:
            raise ValueError(f"random.multivariate_normal: method is one of {', '.join(_METHODS)}, not {method!r}")
        if check_valid not in ("warn", "raise", "ignore"):
            raise ValueError(f"random.multivariate_normal: check_valid is warn, raise or ignore, not {check_valid!r}")
        name, bits = "multivariate_normal", self.bit_generator
        found = float_dtype(name, dtype, bits.ground)
        centre, matrix = parameter(name, "mean", mean, "any"), parameter(name, "cov", cov, "any")
        (count,), extents = _extents(name, "mean", centre, 1), _extents(name, "cov", matrix, 2)
        if extents != (count, count):
            raise ShapeMismatchError(f"random.{name}: cov has shape {extents}, mean needs {(count, count)}")
        if check_valid == "raise" or (check_valid == "warn" and not isinstance(matrix, LazyTensor)):
            _check_covariance(np.asarray(matrix, np.float64), tol, check_valid)
        factor = _factor(as_array(matrix, bits.ground).astype(found), method)
        shape = (*size_of(name, size), count)
        normal = bits.draw(RULES["standard_normal"], (), blocks_of(shape, found), shape=shape, dtype=found)
        return as_array(centre, bits.ground).astype(found) + matmul(normal, factor.mT)


def _factor(matrix: Array, method: str) -> Array:
    """Return a matrix whose product with its own transpose is this one."""
    # Another extension of the standard: imported by those who need it.
    from latebind.array.decomposition_functions import cholesky, eigh, svd
    from latebind.array.elementwise_functions import maximum, sqrt

    if method == "cholesky":
        return cholesky(matrix)
    if method == "eigh":
        values, vectors = eigh(matrix)
        values = maximum(values, 0)
    else:
        vectors, values, _ = svd(matrix)
    return matmul(vectors * sqrt(values), vectors.mT)


def _check_covariance(matrix: np.ndarray[Any, Any], tol: float, check_valid: str) -> None:
    valid = np.isfinite(matrix).all() and np.allclose(matrix, matrix.T, rtol=tol, atol=tol)
    if valid and matrix.size:
        values = np.linalg.eigvalsh(matrix)
        valid = values[0] >= -tol * max(1.0, float(values[-1]))
    if valid:
        return
    message = "random.multivariate_normal: cov is not symmetric positive-semidefinite"
    if check_valid == "raise":
        raise ValueError(message)
    warnings.warn(message, RuntimeWarning, stacklevel=4)


def _extents(name: str, what: str, value: ArrayLike, rank: int) -> tuple[int, ...]:
    """Return the shape of a parameter that has to have this many dimensions, none of them empty."""
    shape = shape_of_operand(value)
    if len(shape) != rank or 0 in shape:
        raise ShapeMismatchError(f"random.{name}: {what} has to have {rank} dimensions, not empty, got shape {shape}")
    return shape
