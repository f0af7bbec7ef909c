"""Medians, percentiles and quantiles by every method of NumPy's, weighted averages, covariance and correlation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from latebind.array import elementwise_functions as elementwise
from latebind.array.array import Array
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.indexing_functions import take_along_axis
from latebind.array.linear_algebra_functions import matmul
from latebind.array.manipulation_functions import concat, expand_dims, moveaxis, reshape, stack
from latebind.array.operands import ArrayLike, as_array
from latebind.array.output import deliver
from latebind.array.searching_functions import where
from latebind.array.sorting_functions import sort
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.numpy import reductions
from latebind.numpy.arguments import array_of, axes_of, complex_of, floating, refuse
from latebind.numpy.shaping import diagonal

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]


#: Position of a quantile among `n` sorted elements, counted from 0 (Hyndman and Fan, 1996; NumPy's names).
_CONTINUOUS: Final[dict[str, tuple[float, float]]] = {
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "linear": (1, 1),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_DISCRETE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.rint((n - 1) * q),
    "inverted_cdf": lambda n, q: np.ceil(n * q) - 1,
    "closest_observation": lambda n, q: np.rint(n * q) - 1,
}


def _positions(n: Any, q: Any, method: str) -> tuple[Any, Any]:
    """Return the element before each quantile and the fraction of the way to the next one; arrays of either kind."""
    if method in _DISCRETE:
        return _DISCRETE[method](n, q), q * 0.0
    if method == "midpoint":
        place = (n - 1) * q
        below = np.floor(place)
        return below, 0.5 * (np.ceil(place) - below)
    if method == "averaged_inverted_cdf":
        place = n * q
        below = np.floor(place)
        fraction = np.minimum(np.ceil(place) - below, 1.0)
        return below - 1, 0.5 + 0.5 * fraction
    if method not in _CONTINUOUS:
        names = ", ".join(sorted([*_CONTINUOUS, *_DISCRETE, "midpoint", "averaged_inverted_cdf"]))
        raise ValueError(f"{method!r} is not a valid method. Use one of: {names}")
    alpha, beta = _CONTINUOUS[method]
    place = (n - 1) * q if method == "linear" else n * q + (alpha + q * (1 - alpha - beta)) - 1
    below = np.floor(place)
    return below, place - below


def quantile(
    a: ArrayLike,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Array:
    """Return quantiles along axes; NaN where a slice holds NaN. Lazy probabilities `q` are fetched.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1], or the method is unknown.
    DTypeMismatchError
        For complex numbers, and for weights.
    """
    return _quantile("quantile", a, np.asarray(q), axis, out, method, keepdims, weights, ignore_nan=False)


def percentile(
    a: ArrayLike,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Array:
    """Return percentiles along axes; as `quantile`, in hundredths."""
    share = np.true_divide(np.asarray(q), 100)
    return _quantile("percentile", a, share, axis, out, method, keepdims, weights, ignore_nan=False)


def nanquantile(
    a: ArrayLike,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Array:
    """Return quantiles of what is not NaN; NaN where there is nothing else."""
    return _quantile("nanquantile", a, np.asarray(q), axis, out, method, keepdims, weights, ignore_nan=True)


def nanpercentile(
    a: ArrayLike,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Array:
    """Return percentiles of what is not NaN; NaN where there is nothing else."""
    share = np.true_divide(np.asarray(q), 100)
    return _quantile("nanpercentile", a, share, axis, out, method, keepdims, weights, ignore_nan=True)


def median(
    a: ArrayLike, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    """Return the median along axes: the middle element, or the mean of the two middle ones."""
    return _median("median", a, axis, out, keepdims, ignore_nan=False)


def nanmedian(
    a: ArrayLike, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    """Return the median of what is not NaN; NaN where there is nothing else."""
    return _median("nanmedian", a, axis, out, keepdims, ignore_nan=True)


def _median(name: str, a: ArrayLike, axis: Any, out: Any, keepdims: bool, *, ignore_nan: bool) -> Array:
    ordered, axes, rank = _ordered(a, axis, name)
    n = ordered.shape[-1]
    bad = elementwise.isnan(ordered) if ordered.dtype.kind in "fc" else None
    if not n:
        result = reductions.mean(ordered, axis=-1)
    elif ignore_nan and bad is not None:
        count = n - reductions.sum(bad, axis=-1, keepdims=True)
        middle = concat([(count - 1) // 2, count // 2], axis=-1)
        result = take_along_axis(ordered, elementwise.maximum(middle, 0), axis=-1).mean(axis=-1)
    else:
        result = reductions.mean(ordered[..., (n - 1) // 2 : n // 2 + 1], axis=-1)
        result = result if bad is None else where(bad[..., -1], math.nan, result)
    return deliver(name, _kept(result, axes, rank) if keepdims else result, out)


def _ordered(a: ArrayLike, axis: Any, name: str) -> tuple[Array, tuple[int, ...], int]:
    """Return the array sorted along one last axis that takes the place of all that are reduced."""
    x = array_of(a)
    axes = axes_of(name, axis, x.ndim)
    moved = moveaxis(x, axes, tuple(range(x.ndim - len(axes), x.ndim)))
    kept = tuple(extent for i, extent in enumerate(x.shape) if i not in axes)
    count = int(np.prod([x.shape[i] for i in axes], dtype=int))
    return sort(reshape(moved, (*kept, count)), axis=-1), axes, x.ndim


def _kept(result: Array, axes: tuple[int, ...], rank: int, leading: int = 0) -> Array:
    return expand_dims(result, tuple(axis + leading for axis in axes)) if rank else result


def _quantile(
    name: str, a: ArrayLike, q: Any, axis: Any, out: Any, method: str, keepdims: bool, weights: Any, *, ignore_nan: bool
) -> Array:
    if weights is not None:
        raise refuse(name, "weights=", "sort and use cumsum of the weights")
    ordered, axes, rank = _ordered(a, axis, name)
    if ordered.dtype.kind == "c":
        raise DTypeMismatchError(f"{name}: a must be an array of real numbers")
    if q.ndim > 2 or not np.all((q >= 0) & (q <= 1)):
        raise ValueError(
            "Quantiles must be in the range [0, 1]"
            if "quantile" in name
            else "Percentiles must be in the range [0, 100]"
        )
    if not ordered.shape[-1]:
        raise ShapeMismatchError(f"{name} of no elements: the array has shape {array_of(a).shape}")
    has_nan = ordered.dtype.kind == "f"
    bad = elementwise.isnan(ordered) if has_nan else None
    if bad is not None and ignore_nan:
        count: Any = astype(ordered.shape[-1] - reductions.sum(bad, axis=-1), np.float64)
    else:
        count = ordered.shape[-1]
    found = [_one_quantile(ordered, count, float(one), method) for one in q.ravel()]
    if bad is not None:
        nothing = reductions.all(bad, axis=-1) if ignore_nan else bad[..., -1]
        found = [where(nothing, math.nan, one) for one in found]
    if method not in _DISCRETE or has_nan:
        found = [astype(one, floating(ordered.dtype), copy=False) for one in found]
    if keepdims:
        found = [_kept(one, axes, rank) for one in found]
    result = found[0] if not q.ndim else reshape(stack(found), q.shape + found[0].shape)
    return deliver(name, result, out)


def _one_quantile(ordered: Array, count: Any, q: float, method: str) -> Array:
    lazy = isinstance(count, Array)
    below, fraction = _positions(count if lazy else np.float64(count), np.float64(q), method)
    last = count - 1
    if not lazy:
        first = int(min(max(below, 0), last))
        after = int(min(max(below + 1, 0), last))
        if method in _DISCRETE or first == after:
            return ordered[..., first]
        return _between(ordered[..., first], ordered[..., after], float(fraction))
    ends = [elementwise.clip(place, 0, elementwise.maximum(last, 0)) for place in (below, below + 1)]
    first_, after_ = (take_along_axis(ordered, astype(place, np.int64)[..., None], axis=-1)[..., 0] for place in ends)
    return first_ if method in _DISCRETE else _between(first_, after_, fraction)


def _between(first: Array, after: Array, fraction: Any) -> Array:
    """NumPy's interpolation, from the nearer end so that equal ends give themselves."""
    step = elementwise.subtract(after, first)
    if isinstance(fraction, float):
        if fraction >= 0.5:
            return elementwise.subtract(after, elementwise.multiply(step, 1 - fraction))
        return elementwise.add(first, elementwise.multiply(step, fraction))
    near = elementwise.add(first, elementwise.multiply(step, fraction))
    return where(fraction >= 0.5, elementwise.subtract(after, elementwise.multiply(step, 1 - fraction)), near)


# Weighted averages and covariance


def average(
    a: ArrayLike, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Return the weighted mean along axes; with `returned` also the sums of the weights.

    Weights that add up to zero give NaN or infinities; NumPy, which looks at them, raises `ZeroDivisionError`.

    Raises
    ------
    ShapeMismatchError
        If the weights do not fit the array or the axis.
    """
    x = array_of(a)
    if weights is None:
        result = reductions.mean(x, axis=axis, keepdims=keepdims)
        total = as_array(np.float64(reductions.counted(x, axis, True, keepdims)), x._ground)
        total = astype(total, result.dtype)
    else:
        w = _weights(x, array_of(weights, x._ground), axis)
        dtype = np.result_type(x.dtype, w.dtype, np.float64 if x.dtype.kind in "iub" else x.dtype)
        total = reductions.sum(w, axis=axis, dtype=dtype, keepdims=keepdims)
        result = elementwise.divide(
            reductions.sum(elementwise.multiply(x, w), axis=axis, dtype=dtype, keepdims=keepdims), total
        )
    return (result, broadcast_to(total, result.shape)) if returned else result


def _weights(x: Array, w: Array, axis: Any) -> Array:
    if w.shape == x.shape:
        return w
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = axes_of("average", axis, x.ndim)
    if w.shape != tuple(x.shape[i] for i in axes):
        raise ShapeMismatchError("average: Shape of weights must be consistent with shape of a along specified axis.")
    return broadcast_to(reshape(w, tuple(x.shape[i] if i in axes else 1 for i in range(x.ndim))), x.shape)


def cov(
    m: ArrayLike,
    y: ArrayLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Array:
    """Return the covariance matrix of variables, which are rows unless `rowvar` is false.

    Raises
    ------
    ShapeMismatchError
        If an array has more than two dimensions.
    """
    x = _variables(m, rowvar)
    if y is not None:
        x = concat([x, _variables(y, rowvar)], axis=0)
    x = astype(x, np.result_type(x.dtype, np.float64) if dtype is None else dtype, copy=False)
    lost = (0 if bias else 1) if ddof is None else ddof
    w = None
    for given in (fweights, aweights):
        if given is not None:
            one = astype(array_of(given, x._ground), np.float64)
            w = one if w is None else elementwise.multiply(w, one)
    if w is None:
        mean, factor = reductions.mean(x, axis=1), x.shape[1] - lost
        scaled = center = elementwise.subtract(x, mean[:, None])
    else:
        mean, total = average(x, axis=1, weights=w, returned=True)
        total = total[0] if total.ndim else total
        if lost == 0 or aweights is None:
            factor = total - lost
        else:
            factor = total - lost * reductions.sum(elementwise.multiply(w, array_of(aweights, x._ground))) / total
        center = elementwise.subtract(x, mean[:, None])
        scaled = elementwise.multiply(center, w)
    product = matmul(center, elementwise.conj(scaled).T)
    bottom = elementwise.maximum(factor, 0.0) if isinstance(factor, Array) else max(float(factor), 0.0)
    result = elementwise.divide(product, bottom)
    return result[0, 0] if result.shape == (1, 1) else result


def _variables(m: ArrayLike, rowvar: bool) -> Array:
    x = array_of(m)
    if x.ndim > 2:
        raise ShapeMismatchError("cov: m has more than 2 dimensions")
    if x.ndim < 2:
        return reshape(x, (1, -1))
    return x if rowvar else x.T


def corrcoef(x: ArrayLike, y: ArrayLike | None = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    """Return the correlation matrix of variables, which are rows unless `rowvar` is false."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return elementwise.divide(c, c)
    deviation = elementwise.sqrt(elementwise.real(diagonal(c)))
    c = elementwise.divide(elementwise.divide(c, deviation[:, None]), deviation[None, :])
    if c.dtype.kind == "c":
        parts = [elementwise.clip(part(c), -1, 1) for part in (elementwise.real, elementwise.imag)]
        return complex_of(*parts)
    return elementwise.clip(c, -1, 1)
