"""Utility functions of the array API standard: `all`, `any`, `diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latebind.array.manipulation_functions import concat
from latebind.array.operands import ArrayLike, apply, as_array
from latebind.array.rules.common import Axes, axes_attribute, integer
from latebind.array.rules.reductions import ALL, ANY, DIFF
from latebind.errors import ShapeMismatchError

if TYPE_CHECKING:
    from latebind.array.array import Array


def all(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Return whether all elements along axes are true; numbers are if they are not zero, and so is NaN.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    """
    return apply(ALL, as_array(x), axis=axes_attribute("all", axis), keepdims=bool(keepdims))


def any(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Return whether an element along axes is true; numbers are if they are not zero, and so is NaN.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    """
    return apply(ANY, as_array(x), axis=axes_attribute("any", axis), keepdims=bool(keepdims))


def diff(
    x: ArrayLike,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: ArrayLike | None = None,
    append: ArrayLike | None = None,
) -> Array:
    """Return the differences of neighbours along an axis.

    Parameters
    ----------
    x : Array or array-like
        At least one dimension. Differences of booleans say whether they differ; unsigned integers wrap.
    axis : int
    n : int
        How often differences are taken; each time the axis gets shorter by one.
    prepend, append : Array or array-like, optional
        Joined to `x` first.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range, `n` is negative, or the arrays cannot be joined.
    """
    times, number = integer("diff", "n", n), integer("diff", "axis", axis)
    if times < 0:
        raise ShapeMismatchError(f"diff: n has to be 0 or more, got {times}")
    array = as_array(x)
    parts = [as_array(part, array._ground) for part in (prepend, append) if part is not None]
    if parts:
        array = concat([*parts[:1], array, *parts[1:]] if prepend is not None else [array, *parts], axis=number)
    return apply(DIFF, array, axis=number, times=times)
