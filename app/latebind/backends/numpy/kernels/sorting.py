"""Sorting of several arrays together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def sort_order(key: Array, axis: int, descending: bool) -> Array:
    """Return the positions that sort `key` stably; NaN is the largest value."""
    if not descending:
        return np.argsort(key, axis=axis, kind="stable")
    backwards = np.flip(key, axis)
    order = np.flip(np.argsort(backwards, axis=axis, kind="stable"), axis)
    result: Array = key.shape[axis] - 1 - order
    return result


def sort_together(axis: int, descending: bool, key: Array, *others: Array) -> tuple[Array, ...]:
    """Sort arrays by the first, stably."""
    order = sort_order(key, axis, descending)
    return tuple(np.take_along_axis(array, order, axis) for array in (key, *others))


def sort_with_positions(key: Array, axis: int, descending: bool, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return the sorted array and the positions that its elements had."""
    order = sort_order(key, axis, descending)
    return np.take_along_axis(key, order, axis), order.astype(dtype, copy=False)


def sort_positions(key: Array, axis: int, descending: bool, dtype: np.dtype[Any]) -> Array:
    """Return the positions that sort `key` stably."""
    return sort_order(key, axis, descending).astype(dtype, copy=False)
