"""Joining and splitting: `concatenate`, the `stack` family, `split`, `append`, `insert`, `delete`, `block`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from latebind.array import manipulation_functions as manipulation
from latebind.array.array import Array
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.operands import ArrayLike
from latebind.array.output import deliver
from latebind.array.rules.common import normalize_axis
from latebind.errors import DTypeMismatchError, OutOfBoundsError, ShapeMismatchError
from latebind.numpy.arguments import alike, array_of, flat_unless
from latebind.numpy.shaping import atleast_1d, atleast_2d, atleast_3d, take_axis
from latebind.runtime.lazy import LazyTensor

__all__ = [
    "append",
    "apply_along_axis",
    "apply_over_axes",
    "array_split",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "delete",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "insert",
    "row_stack",
    "split",
    "stack",
    "trim_zeros",
    "unstack",
    "vsplit",
    "vstack",
]


def _parts(name: str, arrays: Any) -> list[Array]:
    if isinstance(arrays, LazyTensor):
        return list(array_of(arrays))
    if not isinstance(arrays, Iterable):
        raise DTypeMismatchError(f"{name} takes a sequence of arrays, got {arrays!r}: write {name}([x, y])")
    parts = alike(*arrays)
    if not parts:
        raise ShapeMismatchError(f"{name}: need at least one array to join")
    return parts


def _finished(name: str, joined: Array, out: Any, dtype: Any, casting: Any) -> Array:
    if dtype is not None:
        if not np.can_cast(joined.dtype, dtype, casting=casting):
            raise DTypeMismatchError(f"{name}: cannot cast {joined.dtype.name} to {np.dtype(dtype).name} ({casting})")
        joined = astype(joined, dtype, copy=False)
    return deliver(name, joined, out)


def concatenate(
    arrays: Any, /, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Array:
    """Join arrays along an axis; `None` flattens them first.

    Raises
    ------
    ShapeMismatchError
        If there is no array, the axis is out of range, or the shapes do not fit.
    """
    joined = manipulation.concat(_parts("concatenate", arrays), axis=axis)
    return _finished("concatenate", joined, out, dtype, casting)


concat = concatenate


def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Join arrays of one shape along a new axis."""
    return _finished("stack", manipulation.stack(_parts("stack", arrays), axis=axis), out, dtype, casting)


def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Join arrays along the first axis; vectors are rows."""
    return concatenate([atleast_2d(one) for one in _parts("vstack", tup)], 0, dtype=dtype, casting=casting)


row_stack = vstack


def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Join arrays along the second axis; vectors along their only one."""
    parts = [atleast_1d(one) for one in _parts("hstack", tup)]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype=dtype, casting=casting)


def dstack(tup: Any) -> Array:
    """Join arrays along the third axis."""
    return concatenate([atleast_3d(one) for one in _parts("dstack", tup)], 2)


def column_stack(tup: Any) -> Array:
    """Join vectors as the columns of a matrix, and matrices side by side."""
    parts = [one if one.ndim > 1 else manipulation.reshape(one, (-1, 1)) for one in _parts("column_stack", tup)]
    return concatenate(parts, 1)


def block(arrays: Any) -> Array:
    """Return an array put together from nested lists of blocks: the innermost lists join along the last axis."""

    def depth(item: Any) -> int:
        return 1 + max((depth(one) for one in item), default=0) if isinstance(item, list) else 0

    levels = depth(arrays)
    leaves: list[Array] = []

    def collect(item: Any) -> None:
        if isinstance(item, list):
            for one in item:
                collect(one)
        else:
            leaves.append(array_of(item))

    collect(arrays)
    rank = max([levels, *(leaf.ndim for leaf in leaves)])

    def join(item: Any, level: int) -> Array:
        if not isinstance(item, list):
            x = array_of(item)
            return manipulation.reshape(x, (1,) * (rank - x.ndim) + x.shape)
        return concatenate([join(one, level + 1) for one in item], axis=level - levels)

    return join(arrays, 0)


def array_split(ary: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Return the parts of an axis as views: a number of nearly equal ones, or cut at positions.

    Raises
    ------
    ValueError
        If the number of parts is not positive.
    """
    x = array_of(ary)
    number = normalize_axis("array_split", axis, x.ndim)
    length = x.shape[number]
    if np.ndim(indices_or_sections) == 0:
        count = int(indices_or_sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.")
        each, extras = divmod(length, count)
        cuts = np.cumsum([0] + extras * [each + 1] + (count - extras) * [each]).tolist()
    else:
        cuts = [0, *(int(one) for one in np.asarray(indices_or_sections)), length]
    leading = (slice(None),) * number
    return [x[*leading, slice(start, stop)] for start, stop in pairwise(cuts)]


def split(ary: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Return the parts of an axis as views: a number of equal ones, or cut at positions.

    Raises
    ------
    ValueError
        If the axis does not divide into that number of equal parts.
    """
    x = array_of(ary)
    if np.ndim(indices_or_sections) == 0 and x.shape[normalize_axis("split", axis, x.ndim)] % int(indices_or_sections):
        raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


def hsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """Split along the second axis, or a vector's only one."""
    x = array_of(ary)
    if not x.ndim:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


def vsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """Split along the first axis."""
    if array_of(ary).ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(ary, indices_or_sections, 0)


def dsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """Split along the third axis."""
    if array_of(ary).ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(ary, indices_or_sections, 2)


def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Array, ...]:
    """Return the slices along an axis, as views."""
    return manipulation.unstack(array_of(x), axis=axis)


def append(arr: ArrayLike, values: ArrayLike, axis: int | None = None) -> Array:
    """Return an array with values joined at the end; both flattened if there is no axis."""
    return concatenate(alike(arr, values), axis)


def delete(arr: ArrayLike, obj: Any, axis: int | None = None) -> Array:
    """Return an array without the elements at some positions of an axis, which are read.

    Raises
    ------
    OutOfBoundsError
        If a position is out of bounds.
    """
    x, along = flat_unless(array_of(arr), axis)
    number = normalize_axis("delete", along, x.ndim)
    return take_axis(x, _remaining(np.arange(x.shape[number]), obj), number)


def _remaining(places: np.ndarray, obj: Any) -> np.ndarray:
    try:
        return np.delete(places, obj if isinstance(obj, slice) else np.asarray(obj))
    except IndexError as error:
        raise OutOfBoundsError(f"delete: {error}") from None


def insert(arr: ArrayLike, obj: Any, values: ArrayLike, axis: int | None = None) -> Array:
    """Return an array with values inserted before some positions of an axis, which are read.

    Raises
    ------
    OutOfBoundsError
        If a position is out of bounds.
    ShapeMismatchError
        If the values do not broadcast to what is inserted.
    """
    x, along = flat_unless(array_of(arr), axis)
    number = normalize_axis("insert", along, x.ndim)
    places = np.arange(x.shape[number])
    added = astype(array_of(values, x._ground), x.dtype, copy=False)
    positions = obj if isinstance(obj, slice) else np.asarray(obj)
    if not isinstance(positions, slice) and positions.ndim == 0 and added.ndim:
        # One position takes all the values: NumPy moves their first axis to the one that is inserted along.
        added = manipulation.moveaxis(_with_rank(added, x.ndim), 0, number)
    single = len(np.insert(places, positions, -1)) - len(places)
    count = added.shape[number] if single == 1 and added.ndim == x.ndim else single
    region = (*x.shape[:number], count, *x.shape[number + 1 :])
    added = broadcast_to(added, region)
    numbers = len(places) + np.arange(count)
    try:
        order = np.insert(places, positions, numbers if count != 1 or single != 1 else numbers[0])
    except IndexError as error:
        raise OutOfBoundsError(f"insert: {error}") from None
    return take_axis(manipulation.concat([x, added], axis=number), order, number)


def _with_rank(x: Array, rank: int) -> Array:
    return manipulation.reshape(x, (1,) * (rank - x.ndim) + x.shape)


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """Return a vector without its leading (`f`) and trailing (`b`) zeros, whose positions are read.

    Raises
    ------
    ShapeMismatchError
        If it does not have one dimension.
    """
    x = array_of(filt)
    if x.ndim != 1:
        raise ShapeMismatchError(f"trim_zeros: one dimension is needed, got shape {x.shape}")
    (found,) = np.nonzero(np.asarray(x != 0))
    if not found.size:
        return x[:0]
    start = int(found[0]) if "f" in trim.lower() else 0
    stop = int(found[-1]) + 1 if "b" in trim.lower() else x.size
    return x[start:stop]


def apply_along_axis(func1d: Any, axis: int, arr: ArrayLike, *args: Any, **kwargs: Any) -> Array:
    """Return what a function gives for each vector along an axis; the function is called once per vector."""
    x = array_of(arr)
    number = normalize_axis("apply_along_axis", axis, x.ndim)
    rows = manipulation.moveaxis(x, number, -1)
    outer = rows.shape[:-1]
    results = [array_of(func1d(rows[place], *args, **kwargs)) for place in np.ndindex(*outer)]
    if not results:
        raise ShapeMismatchError("apply_along_axis: Cannot apply_along_axis when any iteration dimensions are 0")
    inner = results[0].shape
    made = manipulation.reshape(manipulation.stack(results), outer + inner)
    count = len(inner)
    ends: Sequence[int] = range(made.ndim - count, made.ndim)
    return manipulation.moveaxis(made, tuple(ends), tuple(range(number, number + count))) if count else made


def apply_over_axes(func: Any, a: ArrayLike, axes: Any) -> Array:
    """Apply a function of an array and an axis over several axes, which keep an extent of 1."""
    x = array_of(a)
    for axis in np.atleast_1d(axes):
        number = normalize_axis("apply_over_axes", int(axis), x.ndim)
        result = array_of(func(x, number))
        x = result if result.ndim == x.ndim else manipulation.expand_dims(result, number)
    return x
