"""Sorting, and sets of values. A result whose size depends on values needs them: `unique` and its kin read."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.array import set_functions as sets
from latebind.array import sorting_functions as ordering
from latebind.array.array import Array
from latebind.array.indexing_functions import take_along_axis
from latebind.array.operands import ArrayLike, to_ground
from latebind.array.rules.common import normalize_axis
from latebind.numpy.arguments import alike, array_of, flat_unless, refuse

__all__ = [
    "argpartition",
    "argsort",
    "intersect1d",
    "isin",
    "lexsort",
    "partition",
    "setdiff1d",
    "setxor1d",
    "sort",
    "sort_complex",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


def _plain_order(name: str, order: Any) -> None:
    if order is not None:
        raise refuse(name, "order=", "arrays have no fields")


def sort(
    a: ArrayLike, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None
) -> Array:
    """Return a sorted copy; NaN last, stable."""
    _plain_order("sort", order)
    x, along = flat_unless(array_of(a), axis)
    return ordering.sort(x, axis=along)


def argsort(
    a: ArrayLike, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None
) -> Array:
    """Return the indices that sort; equal elements keep their order."""
    _plain_order("argsort", order)
    x, along = flat_unless(array_of(a), axis)
    return ordering.argsort(x, axis=along)


def partition(a: ArrayLike, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Array:
    """Return a copy in which the k-th elements are where sorting puts them; it is sorted altogether.

    Raises
    ------
    ValueError
        If a position is out of bounds.
    """
    x, along = flat_unless(array_of(a), axis)
    _check_kth(x, kth, along)
    return sort(x, along, order=order)


def argpartition(a: ArrayLike, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Array:
    """Return the indices that partition: those that sort."""
    x, along = flat_unless(array_of(a), axis)
    _check_kth(x, kth, along)
    return argsort(x, along, order=order)


def _check_kth(x: Array, kth: Any, axis: int) -> None:
    length = x.shape[normalize_axis("partition", axis, x.ndim)]
    for place in np.atleast_1d(np.asarray(kth)):
        if not -length <= place < length:
            raise ValueError(f"kth(={place}) out of bounds ({length})")


def lexsort(keys: Any, axis: int = -1) -> Array:
    """Return the indices that sort by several keys, the last of which counts most."""
    columns = list(array_of(keys)) if not isinstance(keys, (list, tuple)) else alike(*keys)
    if not columns:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    along = normalize_axis("lexsort", axis, max(columns[0].ndim, 1))
    order = ordering.argsort(columns[0], axis=along)
    for key in columns[1:]:
        finer = ordering.argsort(take_along_axis(key, order, axis=along), axis=along)
        order = take_along_axis(order, finer, axis=along)
    return order


def sort_complex(a: ArrayLike) -> Array:
    """Return a sorted copy as complex numbers."""
    x = ordering.sort(array_of(a))
    return x.astype(np.result_type(x.dtype, np.complex64), copy=False)


def unique(
    ar: ArrayLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """Return the distinct elements in ascending order; how many there are is data, so the array is read.

    Returns
    -------
    Array, or a tuple with the first positions, the inverse and the counts that are asked for
    """
    x = array_of(ar)
    distinct: Any = np.unique
    found = distinct(np.asarray(x), return_index, return_inverse, return_counts, axis=axis, equal_nan=equal_nan)
    if isinstance(found, tuple):
        return tuple(to_ground(one, x._ground, copy=False) for one in found)
    return to_ground(found, x._ground, copy=False)


def _set(name: str, first: ArrayLike, second: ArrayLike, **options: Any) -> Any:
    x, y = alike(first, second)
    found = getattr(np, name)(np.asarray(x), np.asarray(y), **options)
    if isinstance(found, tuple):
        return tuple(to_ground(one, x._ground, copy=False) for one in found)
    return to_ground(found, x._ground, copy=False)


def intersect1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """Return the distinct elements that are in both arrays; reads them."""
    return _set("intersect1d", ar1, ar2, assume_unique=assume_unique, return_indices=return_indices)


def union1d(ar1: ArrayLike, ar2: ArrayLike) -> Any:
    """Return the distinct elements of both arrays; reads them."""
    return _set("union1d", ar1, ar2)


def setdiff1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False) -> Any:
    """Return the distinct elements of the first array that are not in the second; reads them."""
    return _set("setdiff1d", ar1, ar2, assume_unique=assume_unique)


def setxor1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False) -> Any:
    """Return the distinct elements that are in one of the arrays only; reads them."""
    return _set("setxor1d", ar1, ar2, assume_unique=assume_unique)


def isin(
    element: ArrayLike, test_elements: ArrayLike, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Array:
    """Return for each element whether it is among others; NaN never is."""
    x, others = alike(element, test_elements)
    if "c" not in (x.dtype.kind, others.dtype.kind):
        return sets.isin(x, others, invert=invert)
    found = (x[..., None] == others.reshape((-1,))).any(axis=-1)
    return ~found if invert else found


unique_all = sets.unique_all
unique_counts = sets.unique_counts
unique_inverse = sets.unique_inverse
unique_values = sets.unique_values
