"""Set functions of the array API standard.

How many values are unique is data: the `unique` functions close the recording and read one flag per element. The
values, indices and counts themselves stay on the device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from latebind.array.creation_functions import full_like, zeros, zeros_like
from latebind.array.indexing_functions import take
from latebind.array.manipulation_functions import concat, reshape
from latebind.array.operands import ArrayLike, as_array, as_arrays
from latebind.array.rules.common import BOOL
from latebind.array.searching_functions import nonzero, searchsorted
from latebind.array.sorting_functions import argsort, sort
from latebind.array.statistical_functions import cumulative_sum
from latebind.array.utility_functions import diff
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array


class UniqueAllResult(NamedTuple):
    """What `unique_all` returns."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCountsResult(NamedTuple):
    """What `unique_counts` returns."""

    values: Array
    counts: Array


class UniqueInverseResult(NamedTuple):
    """What `unique_inverse` returns."""

    values: Array
    inverse_indices: Array


def unique_all(x: ArrayLike, /) -> UniqueAllResult:
    """Return the unique elements, where each comes first, how to rebuild the array, and how often each comes.

    Parameters
    ----------
    x : Array or array-like
        Any shape; it is flattened. Each NaN is an element of its own; zeros of either sign are one.

    Returns
    -------
    UniqueAllResult
        `values`, ascending, dtype of `x`, shape (k,); `indices`, int64, shape (k,), into the flattened array;
        `inverse_indices`, int64, shape of `x`, into the values; `counts`, int64, shape (k,).
    """
    array = as_array(x)
    order, ordered, starts_run = _runs(array)
    (starts,) = nonzero(starts_run)
    number = cumulative_sum(starts_run, dtype=np.int64) - 1
    inverse = zeros(array.size, dtype=np.int64, device=array.device)
    inverse[order] = number
    return UniqueAllResult(
        take(ordered, starts, axis=0),
        take(order, starts, axis=0),
        reshape(inverse, array.shape),
        _lengths(starts, array.size),
    )


def unique_counts(x: ArrayLike, /) -> UniqueCountsResult:
    """Return the unique elements and how often each comes; as `unique_all`."""
    array = as_array(x)
    ordered, starts_run = _sorted_runs(array)
    (starts,) = nonzero(starts_run)
    return UniqueCountsResult(take(ordered, starts, axis=0), _lengths(starts, array.size))


def unique_inverse(x: ArrayLike, /) -> UniqueInverseResult:
    """Return the unique elements and how to rebuild the array from them; as `unique_all`."""
    found = unique_all(x)
    return UniqueInverseResult(found.values, found.inverse_indices)


def unique_values(x: ArrayLike, /) -> Array:
    """Return the unique elements, ascending; as `unique_all`."""
    ordered, starts_run = _sorted_runs(as_array(x))
    return take(ordered, nonzero(starts_run)[0], axis=0)


def isin(x1: ArrayLike, x2: ArrayLike, /, *, invert: bool = False) -> Array:
    """Return whether each element of one array is in another.

    Parameters
    ----------
    x1, x2 : Array or array-like
        One of them may be a Python number. NaN is in no array.
    invert : bool
        Whether to return the opposite.

    Returns
    -------
    Array
        bool, shape of `x1`.
    """
    if isinstance(x1, LazyTensor) or isinstance(x2, LazyTensor):
        elements, others = as_arrays(x1, x2)
    else:
        elements, others = as_array(x1), as_array(x2)
    if not others.size:
        return full_like(elements, invert, dtype=np.bool_)
    if "c" in (elements.dtype.kind, others.dtype.kind):
        return _isin_by_runs(elements, others, invert)
    ascending = sort(reshape(others, (-1,)))
    places = searchsorted(ascending, reshape(elements, (-1,)))
    last = ascending.size - 1
    nearest = reshape(take(ascending, _at_most(places, last), axis=0), elements.shape)
    return nearest != elements if invert else nearest == elements


def _isin_by_runs(elements: Array, others: Array, invert: bool) -> Array:
    """Sort both together, number the runs of equal elements, and look up which runs have one of the others."""
    both = concat([reshape(elements, (-1,)), reshape(others, (-1,))])
    order, _, starts = _runs(both)
    runs = zeros_like(order)
    runs[order] = cumulative_sum(starts, dtype=order.dtype) - 1
    found = full_like(runs, invert, dtype=np.bool_)
    found[runs[elements.size :]] = not invert
    return reshape(found[runs[: elements.size]], elements.shape)


def _at_most(places: Array, last: int) -> Array:
    from latebind.array.elementwise_functions import minimum

    return minimum(places, last)


def _runs(array: Array) -> tuple[Array, Array, Array]:
    """Return the stable order of the flattened array, its elements in that order, and where a new one starts."""
    flat = reshape(array, (-1,))
    order = argsort(flat)
    ordered = take(flat, order, axis=0)
    return order, ordered, _starts(ordered)


def _sorted_runs(array: Array) -> tuple[Array, Array]:
    ordered = sort(reshape(array, (-1,)))
    return ordered, _starts(ordered)


def _starts(ordered: Array) -> Array:
    """Return where an element differs from the one before it; NaN differs from NaN."""
    if ordered.size <= 1:
        return full_like(ordered, True, dtype=BOOL)
    first = full_like(ordered[:1], True, dtype=BOOL)
    return concat([first, ordered[1:] != ordered[:-1]])


def _lengths(starts: Array, size: int) -> Array:
    """Return how long each run is, from where it starts."""
    end = full_like(starts[:1], size) if starts.size else zeros(0, dtype=np.int64, device=starts.device)
    return diff(concat([starts, end])) if starts.size else end
