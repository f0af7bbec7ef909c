"""Differences, derivatives, integrals, interpolation and convolution of sampled functions."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from latebind.array import elementwise_functions as elementwise
from latebind.array import statistical_functions as statistical
from latebind.array import utility_functions as utility
from latebind.array.array import Array
from latebind.array.creation_functions import arange, asarray, zeros
from latebind.array.data_type_functions import astype
from latebind.array.linear_algebra_functions import matmul
from latebind.array.manipulation_functions import concat, moveaxis, reshape
from latebind.array.operands import ArrayLike, is_scalar
from latebind.array.rules.common import normalize_axis
from latebind.array.searching_functions import searchsorted, where
from latebind.array.sorting_functions import argsort
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.numpy.arguments import alike, array_of, axes_of, complex_of, count_of, floating
from latebind.numpy.shaping import broadcast_to

__all__ = [
    "bartlett",
    "blackman",
    "convolve",
    "correlate",
    "diff",
    "ediff1d",
    "gradient",
    "hamming",
    "hanning",
    "interp",
    "trapezoid",
    "unwrap",
]


#: Elements of all windows of a vector that are worth holding at once.
_WINDOWS: Final = 2**22


def diff(a: ArrayLike, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Array:
    """Return the differences of neighbours along an axis.

    Raises
    ------
    ValueError
        If `n` is negative.
    """
    x = array_of(a)
    if n == 0:
        return x
    if not x.ndim:
        raise ValueError("diff requires input that is at least one dimensional")
    number = normalize_axis("diff", axis, x.ndim)
    ends = [_end(x, one, number) for one in (prepend, append)]
    return utility.diff(x, axis=number, n=n, prepend=ends[0], append=ends[1])


def _end(x: Array, value: Any, axis: int) -> Array | None:
    if value is np._NoValue or value is None:
        return None
    end = array_of(value, x._ground)
    return broadcast_to(end, (*x.shape[:axis], 1, *x.shape[axis + 1 :])) if not end.ndim else end


def ediff1d(ary: ArrayLike, to_end: Any = None, to_begin: Any = None) -> Array:
    """Return the differences of neighbours of the flattened array, between other values."""
    x = reshape(array_of(ary), (-1,))
    middle = utility.diff(x)
    parts = [middle]
    for end, at in ((to_begin, 0), (to_end, 2)):
        if end is not None:
            given = reshape(array_of(end, x._ground), (-1,))
            if not np.can_cast(given.dtype, x.dtype, casting="same_kind"):
                raise DTypeMismatchError("dtype of `to_end` and `to_begin` must be compatible with input `ary`")
            parts.insert(at, astype(given, x.dtype, copy=False))
    return concat(parts)


def gradient(f: ArrayLike, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return derivatives by central differences, one-sided at the edges.

    Parameters
    ----------
    f : Array or array-like
    varargs : numbers or vectors
        Spacing, or coordinates along each axis.
    axis : int or tuple of int, optional
        By default all axes.
    edge_order : 1 or 2
        Order of accuracy at the edges.

    Returns
    -------
    Array, or a tuple with one per axis

    Raises
    ------
    ValueError
        If an axis has fewer elements than the edges need, or spacing does not fit.
    """
    x = array_of(f)
    axes = axes_of("gradient", axis, x.ndim)
    x = astype(x, floating(x.dtype), copy=False)
    spacings: list[Any] = list(varargs) if len(varargs) > 1 else [varargs[0] if varargs else 1.0] * len(axes)
    if len(spacings) != len(axes):
        raise TypeError("invalid number of arguments")
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    if isinstance(axis, (tuple, list)) and len(axes) > 1:  # spacings go with the axes as they were named
        named = [normalize_axis("gradient", one, x.ndim) for one in axis]
        found = {one: _derivative(x, one, given, edge_order) for one, given in zip(named, spacings, strict=True)}
        return tuple(found[one] for one in named)
    results = tuple(_derivative(x, one, given, edge_order) for one, given in zip(axes, spacings, strict=True))
    return results[0] if len(results) == 1 else results


def _derivative(x: Array, axis: int, spacing: Any, edge_order: int) -> Array:
    y = moveaxis(x, axis, 0)
    length = y.shape[0]
    if length < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient: at least edge_order + 1 elements are needed."
        )
    if is_scalar(spacing) or array_of(spacing).ndim == 0:
        return moveaxis(_uniform(y, spacing if is_scalar(spacing) else array_of(spacing), edge_order), 0, axis)
    coordinates = array_of(spacing, x._ground)
    if coordinates.ndim != 1:
        raise ValueError("distances must be either scalars or 1d")
    if coordinates.size != length:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    steps = reshape(utility.diff(astype(coordinates, floating(coordinates.dtype))), (-1,) + (1,) * (y.ndim - 1))
    return moveaxis(_uneven(y, steps, edge_order), 0, axis)


def _uniform(y: Array, h: Any, edge_order: int) -> Array:
    inner = elementwise.divide(y[2:] - y[:-2], 2.0 * h)
    if edge_order == 1 or y.shape[0] < 3:
        first, last = (y[1] - y[0]) / h, (y[-1] - y[-2]) / h
    else:
        first = (-1.5 / h) * y[0] + (2.0 / h) * y[1] + (-0.5 / h) * y[2]
        last = (0.5 / h) * y[-3] + (-2.0 / h) * y[-2] + (1.5 / h) * y[-1]
    return concat([first[None], inner, last[None]])


def _uneven(y: Array, steps: Array, edge_order: int) -> Array:
    before, after = steps[:-1], steps[1:]
    a = -after / (before * (before + after))
    b = (after - before) / (before * after)
    c = before / (after * (before + after))
    inner = a * y[:-2] + b * y[1:-1] + c * y[2:]
    if edge_order == 1:
        first, last = (y[1] - y[0]) / steps[0], (y[-1] - y[-2]) / steps[-1]
    else:
        h, k = steps[0], steps[1]
        first = -(2.0 * h + k) / (h * (h + k)) * y[0] + (h + k) / (h * k) * y[1] - h / (k * (h + k)) * y[2]
        h, k = steps[-2], steps[-1]
        last = k / (h * (h + k)) * y[-3] - (k + h) / (h * k) * y[-2] + (2.0 * k + h) / (k * (h + k)) * y[-1]
    return concat([first[None], inner, last[None]])


def trapezoid(y: ArrayLike, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """Return the integral along an axis by the trapezoidal rule."""
    values = array_of(y)
    number = normalize_axis("trapezoid", axis, values.ndim)
    if x is None:
        d: Any = dx if is_scalar(dx) else array_of(dx)
    else:
        points = array_of(x, values._ground)
        if points.ndim == 1:
            d = reshape(utility.diff(points), tuple(-1 if i == number else 1 for i in range(values.ndim)))
        else:
            d = utility.diff(points, axis=number)
    moved = moveaxis(values, number, -1)
    if isinstance(d, Array) and d.ndim:
        d = moveaxis(d, number, -1)
    pairs = elementwise.divide(elementwise.multiply(elementwise.add(moved[..., 1:], moved[..., :-1]), d), 2.0)
    return pairs.sum(axis=-1)


def interp(
    x: ArrayLike, xp: ArrayLike, fp: ArrayLike, left: Any = None, right: Any = None, period: Any = None
) -> Array:
    """Return the piecewise linear interpolant of points, constant outside them unless told otherwise.

    Parameters
    ----------
    x : Array or array-like
        Where to evaluate; real.
    xp, fp : Array or array-like
        Coordinates, ascending unless `period` is given, and values, real or complex; one dimension.
    left, right : number, optional
        Values below the first and above the last point.
    period : number, optional
        The points are taken modulo this and sorted; `left` and `right` are ignored.

    Raises
    ------
    ShapeMismatchError
        If the points have not one dimension, one length, or are none.
    ValueError
        If the period is zero.
    """
    at, points, values = alike(x, xp, fp)
    if points.ndim != 1 or values.shape != points.shape or not points.size:
        raise ShapeMismatchError("interp: fp and xp must be one-dimensional, of one length, and not empty")
    if at.dtype.kind == "c" or points.dtype.kind == "c":
        raise DTypeMismatchError("interp: Cannot cast array data from complex to float64 according to the rule 'safe'")
    at, points = astype(at, np.float64, copy=False), astype(points, np.float64, copy=False)
    values = astype(values, np.complex128 if values.dtype.kind == "c" else np.float64, copy=False)
    if period is not None:
        if period == 0:
            raise ValueError("period must be a non-zero value")
        width = abs(period)
        at, points = at % width, points % width
        order = argsort(points)
        points, values = points[order], values[order]
        points = concat([points[-1:] - width, points, points[:1] + width])
        values = concat([values[-1:], values, values[:1]])
        left = right = None
    if values.dtype.kind == "c":
        parts = (elementwise.real(values), elementwise.imag(values))
        ends = [[None if one is None else part(one) for one in (left, right)] for part in (np.real, np.imag)]
        first, second = (_interpolated(at, points, one, *end) for one, end in zip(parts, ends, strict=True))
        return complex_of(first, second)
    return _interpolated(at, points, values, left, right)


def _interpolated(x: Array, xp: Array, fp: Array, left: Any, right: Any) -> Array:
    low, high = fp[0] if left is None else left, fp[-1] if right is None else right
    if xp.size == 1:  # NumPy takes the only value for NaN, too
        return where(x < xp[0], low, where(x > xp[0], high, fp[0]))
    place = (searchsorted(xp, x, side="right") - 1).clip(0, xp.size - 2)
    x0, x1, y0, y1 = xp[place], xp[place + 1], fp[place], fp[place + 1]
    slope = (y1 - y0) / (x1 - x0)
    inside = slope * (x - x0) + y0
    again = slope * (x - x1) + y1
    inside = where(elementwise.isnan(inside), where(elementwise.isnan(again) & (y0 == y1), y0, again), inside)
    inside = where(x == x0, y0, inside)
    inside = where(x == xp[-1], fp[-1], inside)
    result = where(x < xp[0], low, where(x > xp[-1], high, inside))
    return where(elementwise.isnan(x), x, result)


def convolve(a: ArrayLike, v: ArrayLike, mode: Any = "full") -> Array:
    """Return the discrete convolution of two vectors: "full", "same" or "valid".

    Raises
    ------
    ValueError
        If a vector is empty.
    """
    first, second = (_vector("convolve", one) for one in alike(a, v))
    if second.size > first.size:
        first, second = second, first
    return _sliding(first, second[::-1], mode)


def correlate(a: ArrayLike, v: ArrayLike, mode: Any = "valid") -> Array:
    """Return the cross-correlation of two vectors, the second one conjugated."""
    first, second = (_vector("correlate", one) for one in alike(a, v))
    second = elementwise.conj(second)
    if second.size > first.size:
        return _sliding(second, first, mode)[::-1]
    return _sliding(first, second, mode)


def _vector(name: str, x: Array) -> Array:
    if x.ndim > 1:
        raise ValueError("object too deep for desired array")
    if not x.size:
        raise ValueError(f"{name}: a vector cannot be empty")
    return reshape(x, (-1,))


def _sliding(x: Array, kernel: Array, mode: str) -> Array:
    """Return the products of a kernel with each of the windows that a mode admits; the kernel is the shorter one."""
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    n, m = x.size, kernel.size
    # Of an even kernel, "same" has one element more before than after.
    before, after = {"full": (m - 1, m - 1), "valid": (0, 0), "same": (m // 2, m - 1 - m // 2)}[mode]
    dtype = np.result_type(x.dtype, kernel.dtype)
    x, kernel = astype(x, dtype, copy=False), astype(kernel, dtype, copy=False)
    whole = n - m + 1
    if whole * m > _WINDOWS:
        total = zeros(before + whole + after, dtype=dtype, device=x.device)
        for i in range(m):
            low, high = max(before - i, 0), min(before - i + n, total.size)
            total[low:high] += x[low + i - before : high + i - before] * kernel[i]
        return total
    middle = matmul(x[np.arange(whole)[:, None] + np.arange(m)], kernel)
    if not before + after:
        return middle
    starts = np.concatenate([np.arange(-before, 0), np.arange(whole, whole + after)])
    edges = _overhanging(x, kernel, starts)
    return concat([edges[:before], middle, edges[before:]])


def _overhanging(x: Array, kernel: Array, starts: np.ndarray) -> Array:
    """Return the products with windows that start before the vector or end after it: of the elements that there are."""
    places = starts[:, None] + np.arange(kernel.size)
    inside = (places >= 0) & (places < x.size)
    products = x[np.where(inside, places, 0)] * kernel
    if x.dtype.kind == "b":
        return utility.any(elementwise.logical_and(products, inside), axis=1)
    return statistical.sum(where(inside, products, zeros((), dtype=x.dtype, device=x.device)), axis=1, dtype=x.dtype)


def unwrap(p: ArrayLike, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Array:
    """Return an array whose jumps of more than half a period are taken out by adding periods."""
    x = array_of(p)
    number = normalize_axis("unwrap", axis, x.ndim)
    moved = moveaxis(x, number, -1)
    steps = utility.diff(moved)
    limit = period / 2 if discont is None else discont
    dtype = np.result_type(steps.dtype, period)
    low = -period / 2 if dtype.kind == "f" else -(period // 2)
    wrapped = elementwise.remainder(steps - low, period) + low
    wrapped = where((wrapped == low) & (steps > 0), low + period, wrapped)
    correction = where(elementwise.abs(steps) < limit, 0, wrapped - steps)
    later = moved[..., 1:] + correction.cumsum(axis=-1)
    return moveaxis(concat([astype(moved[..., :1], later.dtype), later], axis=-1), -1, number)


def _window(name: str, M: Any, terms: tuple[float, ...]) -> Array:
    count = count_of(name, "M", int(M)) if M >= 1 else 0
    if count <= 1:
        return asarray(np.ones(count))
    n = arange(1 - count, count, 2, dtype=np.float64)
    total: Any = terms[0]
    for order, factor in enumerate(terms[1:], 1):
        total = total + factor * elementwise.cos((math.pi * order) * n / (count - 1))
    return total  # type: ignore[no-any-return]


def hanning(M: int) -> Array:
    """Return the Hann window of M points."""
    return _window("hanning", M, (0.5, 0.5))


def hamming(M: int) -> Array:
    """Return the Hamming window of M points."""
    return _window("hamming", M, (0.54, 0.46))


def blackman(M: int) -> Array:
    """Return the Blackman window of M points."""
    return _window("blackman", M, (0.42, 0.5, 0.08))


def bartlett(M: int) -> Array:
    """Return the triangular window of M points that ends in zeros."""
    count = int(M) if M >= 1 else 0
    if count <= 1:
        return asarray(np.ones(count))
    n = arange(1 - count, count, 2, dtype=np.float64)
    return where(n <= 0, 1 + n / (count - 1), 1 - n / (count - 1))
