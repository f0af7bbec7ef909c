"""Statistical functions of the array API standard.

`axis` is an axis, a tuple of axes, or `None` for all; `keepdims` leaves the axes that are reduced with an extent of 1.
NaN propagates. float16 is accumulated in float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latebind.array.conversion import check_conversion
from latebind.array.operands import ArrayLike, apply, as_array, checked_dtype
from latebind.array.rules.common import Axes, axes_attribute
from latebind.array.rules.reductions import CUMULATIVE_PROD, CUMULATIVE_SUM, MAX, MEAN, MIN, PROD, STD, SUM, VAR
from latebind.array.short_reductions import known_reduction, remember_reduction
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.types import DType
from latebind.runtime.recording import record
from latebind.runtime.signature import Rule

if TYPE_CHECKING:
    from latebind.array.array import Array
    from latebind.array.creation_functions import DTypeLike


def cumulative_prod(
    x: ArrayLike, /, *, axis: int | None = None, dtype: DTypeLike = None, include_initial: bool = False
) -> Array:
    """Return the products of all elements up to each position of an axis.

    Parameters
    ----------
    x : Array or array-like
        Numeric or boolean.
    axis : int, optional
        May be left out for one dimension.
    dtype : dtype, optional
        As for `prod`.
    include_initial : bool
        Whether a 1 stands before the products, so that the axis gets longer by one.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range, or left out for several dimensions.
    """
    return _cumulative(CUMULATIVE_PROD, x, axis, dtype, include_initial)


def cumulative_sum(
    x: ArrayLike, /, *, axis: int | None = None, dtype: DTypeLike = None, include_initial: bool = False
) -> Array:
    """Return the sums of all elements up to each position of an axis.

    Parameters
    ----------
    x : Array or array-like
        Numeric or boolean.
    axis : int, optional
        May be left out for one dimension.
    dtype : dtype, optional
        As for `sum`.
    include_initial : bool
        Whether a 0 stands before the sums, so that the axis gets longer by one.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range, or left out for several dimensions.
    """
    return _cumulative(CUMULATIVE_SUM, x, axis, dtype, include_initial)


def max(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Return the largest elements along axes; complex numbers compare by real, then imaginary part.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range, or there are no elements to choose from.
    """
    return _reduced(MAX, x, axis, keepdims)


def mean(x: ArrayLike, /, *, axis: Axes = None, dtype: DTypeLike = None, keepdims: bool = False) -> Array:
    """Return the arithmetic mean along axes; NaN where there are no elements.

    Parameters
    ----------
    x : Array or array-like
    axis : int or tuple of int, optional
    dtype : dtype, optional
        Floating-point or complex; by default that of `x`, and float64 for integers and booleans. It is also the dtype
        of the computation. Not in the standard.
    keepdims : bool

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    DTypeMismatchError
        If the dtype is not floating-point.
    """
    known = known_reduction(MEAN, x, axis, keepdims) if dtype is None else None
    if known is not None:
        return known
    array = as_array(x)
    wanted = _floating_dtype("mean", array.dtype, dtype)
    return _reduced(MEAN, array, axis, keepdims, (("dtype", wanted),), remembered=dtype is None)


def min(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Return the smallest elements along axes; complex numbers compare by real, then imaginary part.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range, or there are no elements to choose from.
    """
    return _reduced(MIN, x, axis, keepdims)


def prod(x: ArrayLike, /, *, axis: Axes = None, dtype: DTypeLike = None, keepdims: bool = False) -> Array:
    """Return the product along axes; 1 where there are no elements.

    Parameters
    ----------
    x : Array or array-like
    axis : int or tuple of int, optional
    dtype : dtype, optional
        Of the result and the computation; by default that of `x`, and the default integer dtype (unsigned for
        unsigned) for smaller integers and booleans.
    keepdims : bool

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    """
    return _total(PROD, x, axis, dtype, keepdims)


def std(x: ArrayLike, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    """Return the standard deviation along axes: the square root of `var`, which see."""
    axes, lost = axes_attribute("std", axis), _correction("std", correction)
    return apply(STD, as_array(x), axis=axes, correction=lost, keepdims=bool(keepdims))


def sum(x: ArrayLike, /, *, axis: Axes = None, dtype: DTypeLike = None, keepdims: bool = False) -> Array:
    """Return the sum along axes; 0 where there are no elements.

    Parameters
    ----------
    x : Array or array-like
    axis : int or tuple of int, optional
    dtype : dtype, optional
        Of the result and the computation; by default that of `x`, and the default integer dtype (unsigned for
        unsigned) for smaller integers and booleans.
    keepdims : bool

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    """
    return _total(SUM, x, axis, dtype, keepdims)


def var(x: ArrayLike, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    """Return the variance along axes, computed in two passes.

    Parameters
    ----------
    x : Array or array-like
        Integers and booleans are converted to float64. The variance of complex numbers is real.
    axis : int or tuple of int, optional
    correction : float
        Degrees of freedom that are lost: the squares are divided by the number of elements less this.
    keepdims : bool

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    """
    axes, lost = axes_attribute("var", axis), _correction("var", correction)
    return apply(VAR, as_array(x), axis=axes, correction=lost, keepdims=bool(keepdims))


def _correction(name: str, value: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DTypeMismatchError(f"{name}: correction has to be a number, got {value!r}") from None


def _total(rule: Rule, x: ArrayLike, axis: Axes, dtype: DTypeLike, keepdims: bool) -> Array:
    known = known_reduction(rule, x, axis, keepdims) if dtype is None else None
    if known is not None:
        return known
    array = as_array(x)
    wanted = _wide_dtype(rule.name, array, dtype)
    return _reduced(rule, array, axis, keepdims, (("dtype", wanted),), remembered=dtype is None)


def _reduced(
    rule: Rule,
    x: ArrayLike,
    axis: Axes,
    keepdims: bool,
    options: tuple[tuple[str, Any], ...] = (),
    *,
    remembered: bool = True,
) -> Array:
    """Record a reduction; what was seen before with no other options is recorded at once."""
    known = known_reduction(rule, x, axis, keepdims) if remembered and not options else None
    if known is not None:
        return known
    array = as_array(x)
    attributes = (("axis", axes_attribute(rule.name, axis)), *options, ("keepdims", bool(keepdims)))
    out: Array = record(rule, [array], attributes)  # type: ignore[assignment]
    if remembered:
        remember_reduction(rule, array, axis, keepdims, attributes)
    return out


def _cumulative(rule: Rule, x: ArrayLike, axis: int | None, dtype: DTypeLike, include_initial: bool) -> Array:
    array = as_array(x)
    if not array.ndim:
        array = array.reshape((1,))
    if axis is None:
        if array.ndim > 1:
            raise ShapeMismatchError(f"{rule.name}: axis has to be given for an array with {array.ndim} dimensions")
        axis = 0
    (number,) = axes_attribute(rule.name, axis) or (0,)
    wanted = _wide_dtype(rule.name, array, dtype)
    return apply(rule, array, axis=number, dtype=wanted, include_initial=bool(include_initial))


def _wide_dtype(name: str, array: Array, dtype: DTypeLike) -> DType:
    """Return the dtype of a sum: small integers are widened to the default one (array API standard, `sum`)."""
    source = array.dtype
    if dtype is not None:
        wanted = checked_dtype(dtype)
        check_conversion(name, source, wanted)
        return wanted
    default = np.dtype(array._ground.executor.options.default_integral)
    if source.kind == "b" or (source.kind == "i" and source.itemsize < default.itemsize):
        return default
    if source.kind == "u" and source.itemsize < default.itemsize:
        return np.dtype(f"u{default.name}")
    return source


def _floating_dtype(name: str, source: DType, dtype: DTypeLike) -> DType | None:
    if dtype is None:
        return None
    wanted = checked_dtype(dtype)
    if wanted.kind not in "fc":
        raise DTypeMismatchError(f"{name}: the dtype has to be floating-point or complex, got {wanted.name}")
    check_conversion(name, source, wanted)
    return wanted
