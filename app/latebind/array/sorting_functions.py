"""Sorting functions of the array API standard.

NaN is last, or first in descending order; zeros of either sign are equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from latebind.array.operands import ArrayLike, apply, as_array
from latebind.array.rules.common import normalize_axis
from latebind.array.rules.sorting import ARGSORT, SORT
from latebind.runtime.signature import Rule

if TYPE_CHECKING:
    from latebind.array.array import Array


def argsort(x: ArrayLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """Return the indices that sort an array along an axis.

    Parameters
    ----------
    x : Array or array-like
        Any dtype; complex numbers are ordered by real, then imaginary part.
    axis : int
    descending : bool
    stable : bool
        Whether equal elements keep their order, also in descending order. They always do.

    Returns
    -------
    Array
        int64, shape of `x`.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range.
    """
    return _sorted(ARGSORT, x, axis, descending, stable)


def sort(x: ArrayLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """Return a sorted copy of an array.

    Parameters
    ----------
    x : Array or array-like
        Any dtype; complex numbers are ordered by real, then imaginary part.
    axis : int
    descending : bool
    stable : bool
        Whether equal elements keep their order, also in descending order.

    Returns
    -------
    Array
        Shape and dtype of `x`.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range.
    """
    return _sorted(SORT, x, axis, descending, stable)


def _sorted(rule: Rule, x: ArrayLike, axis: int, descending: bool, stable: bool) -> Array:
    array = as_array(x)
    number = normalize_axis(rule.name, axis, array.ndim)
    return apply(rule, array, axis=number, descending=bool(descending), stable=bool(stable))
