"""Indexing functions of the array API standard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latebind.array.index_expressions import index_array
from latebind.array.indexing import take_along, take_arrays
from latebind.array.operands import ArrayLike, as_array
from latebind.array.rules.common import normalize_axis
from latebind.errors import ShapeMismatchError

if TYPE_CHECKING:
    from latebind.array.array import Array


def take(x: ArrayLike, indices: ArrayLike, /, *, axis: int | None = None) -> Array:
    """Return elements of an axis by their indices.

    Parameters
    ----------
    x : Array or array-like
    indices : Array or array-like
        Integers, any shape; negative ones count from the end.
    axis : int, optional
        May be left out for one dimension.

    Returns
    -------
    Array
        Shape of `x` with the axis replaced by the shape of `indices`.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range, or left out for several dimensions.
    OutOfBoundsError
        If an index is out of bounds: now if the indices are on the host, at the first use of the result otherwise.
    """
    array = as_array(x)
    if axis is None:
        if array.ndim != 1:
            raise ShapeMismatchError(f"take: axis has to be given for an array with {array.ndim} dimensions")
        axis = 0
    number = normalize_axis("take", axis, array.ndim)
    return take_arrays(array, [(number, index_array(indices))], number)


def take_along_axis(x: ArrayLike, indices: ArrayLike, /, *, axis: int = -1) -> Array:
    """Return elements of an axis by indices that differ along the other axes, such as those of `argsort`.

    Parameters
    ----------
    x : Array or array-like
    indices : Array or array-like
        Integers, as many dimensions as `x`; the other axes broadcast. Negative ones count from the end.
    axis : int

    Returns
    -------
    Array
        Shape of `indices`, broadcast with the other axes of `x`.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range, or the shapes do not fit.
    OutOfBoundsError
        If an index is out of bounds: now if the indices are on the host, at the first use of the result otherwise.
    """
    array = as_array(x)
    return take_along(array, index_array(indices), normalize_axis("take_along_axis", axis, array.ndim))
