"""Sums, means, extremes and running totals, with NumPy's `out`, `initial`, `where` and `ddof`; and without NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from latebind.array import elementwise_functions as elementwise
from latebind.array import searching_functions as searching
from latebind.array import statistical_functions as statistics
from latebind.array import ufunc_methods
from latebind.array.array import Array
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.operands import ArrayLike
from latebind.array.output import deliver
from latebind.array.rules.reductions import highest, lowest
from latebind.errors import ShapeMismatchError
from latebind.numpy.arguments import array_of, axes_of, flat_unless, floating

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "max",
    "mean",
    "min",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]


Reduction = Callable[..., Array]


def _reduction(name: str, ufunc: np.ufunc, summary: str, *, typed: bool) -> Reduction:
    def compute(a: ArrayLike, axis: Any, dtype: Any, out: Any, keepdims: bool, initial: Any, where: Any) -> Array:
        axes = tuple(axis) if isinstance(axis, list) else axis
        result = ufunc_methods.reduce(
            ufunc, array_of(a), axes, dtype, bool(keepdims), initial, True if where is None else where
        )
        return deliver(name, result, out)

    def with_dtype(
        a: ArrayLike,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Array:
        return compute(a, axis, dtype, out, keepdims, initial, where)

    def plain(
        a: ArrayLike, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Array:
        return compute(a, axis, None, out, keepdims, initial, where)

    function = with_dtype if typed else plain
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Return {summary} along axes.

Raises
------
ShapeMismatchError
    If an axis is out of range, or there is nothing to reduce and the operation has no identity.
"""
    return function


sum: Final = _reduction("sum", np.add, "the sum", typed=True)
prod: Final = _reduction("prod", np.multiply, "the product", typed=True)
max: Final = _reduction("max", np.maximum, "the largest elements", typed=False)
min: Final = _reduction("min", np.minimum, "the smallest elements", typed=False)
amax, amin = max, min


def all(a: ArrayLike, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Array:
    """Return whether all elements along axes are true."""
    return deliver(
        "all", ufunc_methods.reduce(np.logical_and, array_of(a), axis, None, bool(keepdims), None, where), out
    )


def any(a: ArrayLike, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Array:
    """Return whether an element along axes is true."""
    return deliver(
        "any", ufunc_methods.reduce(np.logical_or, array_of(a), axis, None, bool(keepdims), None, where), out
    )


def ptp(a: ArrayLike, axis: Any = None, out: Any = None, keepdims: bool = False) -> Array:
    """Return the difference of the largest and the smallest element along axes."""
    largest, smallest = (f(a, axis=axis, keepdims=keepdims) for f in (max, min))
    return deliver("ptp", elementwise.subtract(largest, smallest), out)


def count_nonzero(a: ArrayLike, axis: Any = None, *, keepdims: bool = False) -> Array:
    """Return how many elements along axes are not zero."""
    return searching.count_nonzero(array_of(a), axis=axis, keepdims=keepdims)


def argmax(a: ArrayLike, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """Return the positions of the largest elements."""
    return deliver("argmax", searching.argmax(array_of(a), axis=axis, keepdims=keepdims), out)


def argmin(a: ArrayLike, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Array:
    """Return the positions of the smallest elements."""
    return deliver("argmin", searching.argmin(array_of(a), axis=axis, keepdims=keepdims), out)


def cumsum(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Return the sums of all elements up to each position; of the flattened array if there is no axis."""
    flat, along = flat_unless(array_of(a), axis)
    return deliver("cumsum", statistics.cumulative_sum(flat, axis=along, dtype=dtype), out)


def cumprod(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Return the products of all elements up to each position; of the flattened array if there is no axis."""
    flat, along = flat_unless(array_of(a), axis)
    return deliver("cumprod", statistics.cumulative_prod(flat, axis=along, dtype=dtype), out)


def cumulative_sum(
    x: ArrayLike, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Array:
    """Return the sums of all elements up to each position of an axis."""
    made = statistics.cumulative_sum(array_of(x), axis=axis, dtype=dtype, include_initial=include_initial)
    return deliver("cumulative_sum", made, out)


def cumulative_prod(
    x: ArrayLike, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Array:
    """Return the products of all elements up to each position of an axis."""
    made = statistics.cumulative_prod(array_of(x), axis=axis, dtype=dtype, include_initial=include_initial)
    return deliver("cumulative_prod", made, out)


# Means and variances


def mean(
    a: ArrayLike, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Array:
    """Return the arithmetic mean along axes; NaN where there are no elements."""
    x = array_of(a)
    if where is True and (dtype is None or np.dtype(dtype).kind in "fc"):
        return deliver("mean", statistics.mean(x, axis=axis, dtype=dtype, keepdims=keepdims), out)
    wanted = floating(x.dtype) if dtype is None else np.dtype(dtype)
    wide = np.dtype(np.float32) if wanted == np.float16 else wanted
    total = sum(x, axis=axis, dtype=wide, keepdims=keepdims, where=where)
    quotient = elementwise.divide(total, counted(x, axis, where, keepdims))
    return deliver("mean", astype(quotient, wanted, copy=False), out)


def counted(x: Array, axis: Any, where: Any, keepdims: bool) -> Array | int:
    """Return how many elements of each slice take part."""
    if where is True:
        return int(np.prod([x.shape[i] for i in axes_of("mean", axis, x.ndim)], dtype=int))
    return sum(broadcast_to(array_of(where, x._ground), x.shape), axis=axis, dtype=np.int64, keepdims=keepdims)


def var(
    a: ArrayLike,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Array:
    """Return the variance along axes; `correction` is another name for `ddof`."""
    lost = _lost(ddof, correction)
    x = array_of(a)
    if where is True and mean is None:
        x = x if dtype is None else astype(x, dtype, copy=False)
        return deliver("var", statistics.var(x, axis=axis, correction=lost, keepdims=keepdims), out)
    return deliver("var", _masked_variance(x, axis, dtype, lost, keepdims, where, mean), out)


def std(
    a: ArrayLike,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Array:
    """Return the standard deviation along axes; `correction` is another name for `ddof`."""
    lost = _lost(ddof, correction)
    x = array_of(a)
    if where is True and mean is None:
        x = x if dtype is None else astype(x, dtype, copy=False)
        return deliver("std", statistics.std(x, axis=axis, correction=lost, keepdims=keepdims), out)
    return deliver("std", elementwise.sqrt(_masked_variance(x, axis, dtype, lost, keepdims, where, mean)), out)


def _lost(ddof: float, correction: float | None) -> float:
    if correction is not None and ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return ddof if correction is None else correction


def _masked_variance(x: Array, axis: Any, dtype: Any, lost: float, keepdims: bool, where: Any, average: Any) -> Array:
    wanted = floating(x.dtype) if dtype is None else np.dtype(dtype)
    x = astype(x, np.float32 if wanted == np.float16 else wanted, copy=False)
    center = mean(x, axis=axis, keepdims=True, where=where) if average is None else average
    deviation = elementwise.subtract(x, center)
    squares = elementwise.real(elementwise.multiply(deviation, elementwise.conj(deviation)))
    total = sum(squares, axis=axis, keepdims=keepdims, where=where)
    count = elementwise.subtract(counted(x, axis, where, keepdims), lost)
    result = elementwise.divide(total, elementwise.maximum(count, 0))
    return astype(result, np.empty(0, wanted).real.dtype, copy=False)


# Without NaN


def _without_nan(a: ArrayLike, number: Any) -> tuple[Array, Array | None]:
    """Return an array with a number in the place of NaN, and where it was; nothing if the dtype has no NaN."""
    x = array_of(a)
    if x.dtype.kind not in "fc":
        return x, None
    bad = elementwise.isnan(x)
    return searching.where(bad, astype(array_of(number, x._ground), x.dtype), x), bad


def nansum(
    a: ArrayLike,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Return the sum along axes, NaN counting as 0."""
    return sum(_without_nan(a, 0)[0], axis, dtype, out, keepdims, initial, where)


def nanprod(
    a: ArrayLike,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Return the product along axes, NaN counting as 1."""
    return prod(_without_nan(a, 1)[0], axis, dtype, out, keepdims, initial, where)


def nancumsum(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Return running sums, NaN counting as 0."""
    return cumsum(_without_nan(a, 0)[0], axis, dtype, out)


def nancumprod(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Return running products, NaN counting as 1."""
    return cumprod(_without_nan(a, 1)[0], axis, dtype, out)


def _nan_extremum(name: str, reduction: Reduction, bound: Callable[[Any], Any]) -> Reduction:
    def function(
        a: ArrayLike, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Array:
        x = array_of(a)
        filled, bad = _without_nan(x, bound(x.dtype))
        result = reduction(filled, axis=axis, keepdims=keepdims, initial=initial, where=where)
        if bad is not None and initial is None:
            result = searching.where(all(bad, axis=axis, keepdims=keepdims, where=where), math.nan, result)
        return deliver(name, result, out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return the {name[3:]}imum along axes, ignoring NaN; NaN where there is nothing else."
    return function


nanmax: Final = _nan_extremum("nanmax", max, lowest)
nanmin: Final = _nan_extremum("nanmin", min, highest)


def _nan_position(name: str, reduction: Reduction, bound: Callable[[Any], Any]) -> Reduction:
    def function(a: ArrayLike, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Array:
        x = array_of(a)
        filled, bad = _without_nan(x, bound(x.dtype))
        if bad is not None and bool(any(all(bad, axis=axis))):
            raise ShapeMismatchError(f"{name}: All-NaN slice encountered")
        return reduction(filled, axis, out, keepdims=keepdims)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Return positions as `{name[3:]}` does, ignoring NaN; reads whether there is anything else.

Raises
------
ShapeMismatchError
    If a slice holds nothing but NaN.
"""
    return function


nanargmax: Final = _nan_position("nanargmax", argmax, lowest)
nanargmin: Final = _nan_position("nanargmin", argmin, highest)


def _valid(x: Array, where: Any) -> Any:
    if x.dtype.kind not in "fc":
        return where
    valid = elementwise.logical_not(elementwise.isnan(x))
    return valid if where is True else elementwise.logical_and(valid, where)


def nanmean(
    a: ArrayLike, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Array:
    """Return the mean along axes of what is not NaN; NaN where there is nothing else."""
    x = array_of(a)
    return mean(x, axis, dtype, out, keepdims, where=_valid(x, where))


def _nan_spread(name: str, whole: Reduction) -> Reduction:
    def function(
        a: ArrayLike,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        where: Any = True,
        mean: Any = None,
        correction: float | None = None,
    ) -> Array:
        x, lost = array_of(a), _lost(ddof, correction)
        valid = _valid(x, where)
        result = whole(x, axis, dtype, None, lost, keepdims, where=valid, mean=mean)
        if valid is not True:
            too_few = elementwise.less_equal(counted(x, axis, valid, keepdims), lost)
            result = searching.where(too_few, math.nan, result)
        return deliver(name, result, out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return `{name[3:]}` of what is not NaN; NaN where no degrees of freedom are left."
    return function


nanvar: Final = _nan_spread("nanvar", var)
nanstd: Final = _nan_spread("nanstd", std)
