"""Searching functions of the array API standard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from latebind.array.indexing_functions import take
from latebind.array.operands import ArrayLike, apply, as_array, as_arrays, to_ground
from latebind.array.rules.common import BOOL, Axes, axes_attribute, integer
from latebind.array.rules.elementwise import ASTYPE, WHERE
from latebind.array.rules.reductions import ARGMAX, ARGMIN, COUNT_NONZERO
from latebind.array.rules.sorting import SEARCHSORTED
from latebind.errors import ShapeMismatchError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.signature import Rule

if TYPE_CHECKING:
    from latebind.array.array import Array


def argmax(x: ArrayLike, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the positions of the largest elements along an axis: the first ones; NaN counts as the largest.

    Parameters
    ----------
    x : Array or array-like
    axis : int, optional
        By default positions in the flattened array.
    keepdims : bool

    Returns
    -------
    Array
        int64.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range or has no elements.
    """
    return _position(ARGMAX, x, axis, keepdims)


def argmin(x: ArrayLike, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the positions of the smallest elements along an axis: the first ones; NaN counts as the smallest.

    Parameters
    ----------
    x : Array or array-like
    axis : int, optional
        By default positions in the flattened array.
    keepdims : bool

    Returns
    -------
    Array
        int64.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range or has no elements.
    """
    return _position(ARGMIN, x, axis, keepdims)


def _position(rule: Rule, x: ArrayLike, axis: int | None, keepdims: bool) -> Array:
    number = None if axis is None else integer(rule.name, "axis", axis)
    return apply(rule, as_array(x), axis=number, keepdims=bool(keepdims))


def count_nonzero(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Return how many elements along axes are not zero, as int64; NaN is not zero.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    """
    return apply(COUNT_NONZERO, as_array(x), axis=axes_attribute("count_nonzero", axis), keepdims=bool(keepdims))


def nonzero(x: ArrayLike, /) -> tuple[Array, ...]:
    """Return the positions of the elements that are not zero. How many there are is data: this closes the recording.

    Returns
    -------
    tuple of Array
        int64 indices per axis, in row-major order.

    Raises
    ------
    ShapeMismatchError
        If `x` has no dimension.
    """
    array = as_array(x)
    if not array.ndim:
        raise ShapeMismatchError("nonzero of an array without dimensions: use bool(x), or reshape it to (1,)")
    ground = array._ground
    found = np.nonzero(ground.executor.value(array))
    return tuple(to_ground(positions, ground) for positions in found)  # type: ignore[misc]


def searchsorted(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    side: Literal["left", "right"] = "left",
    sorter: ArrayLike | None = None,
) -> Array:
    """Return where values would have to be inserted to keep an array sorted.

    Parameters
    ----------
    x1 : Array or array-like
        One-dimensional, ascending, NaN last. Real.
    x2 : Array or array-like
        Values, any shape.
    side : "left" or "right"
        Before or after the elements that are equal.
    sorter : Array or array-like, optional
        Indices that sort `x1`.

    Returns
    -------
    Array
        int64, shape of `x2`.

    Raises
    ------
    ShapeMismatchError
        If `x1` does not have one dimension, or `side` is neither of the two.
    """
    if side not in ("left", "right"):
        raise ShapeMismatchError(f"searchsorted: side has to be 'left' or 'right', got {side!r}")
    ascending = as_arrays(x1, x2)[0] if isinstance(x2, LazyTensor) else as_array(x1)
    if sorter is not None:
        ascending = take(ascending, sorter, axis=0)
    return apply(SEARCHSORTED, ascending, x2, right=side == "right")


def where(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Return elements of `x1` where a condition holds, and of `x2` elsewhere.

    Parameters
    ----------
    condition : Array or array-like
        Boolean; numbers hold if they are not zero.
    x1, x2 : Array or array-like
        Python numbers take the other one's dtype.

    Returns
    -------
    Array
        Shape to which all three broadcast, dtype to which `x1` and `x2` promote.

    Raises
    ------
    ShapeMismatchError
        If the shapes do not broadcast.
    """
    ground = next((x._tape.ground for x in (condition, x1, x2) if isinstance(x, LazyTensor)), None)
    holds = as_array(condition, ground)
    if holds.dtype is not BOOL:
        holds = apply(ASTYPE, holds, dtype=BOOL)
    return apply(WHERE, holds, x1, x2)
