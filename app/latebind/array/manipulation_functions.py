"""Manipulation functions of the array API standard.

Where NumPy's result is a view, so is this one: a write through it changes the array that it came from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from latebind.array import indexing
from latebind.array.creation_functions import Shape, shape_of
from latebind.array.data_type_functions import broadcast_arrays, broadcast_shapes, broadcast_to
from latebind.array.layout import reshape_is_view
from latebind.array.operands import ArrayLike, apply, as_array, as_arrays
from latebind.array.rules.common import Axes, axes_attribute, integer, normalize_axes, normalize_axis
from latebind.array.rules.shapes import CONCAT, REPEAT, RESHAPE, ROLL, STACK, TILE, permute
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.runtime.signature import Rule
from latebind.runtime.views import take_view

if TYPE_CHECKING:
    from latebind.array.array import Array

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "moveaxis",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "unstack",
]


def concat(arrays: Sequence[ArrayLike], /, *, axis: int | None = 0) -> Array:
    """Join arrays along an axis.

    Parameters
    ----------
    arrays : sequence of Array or array-like
        Shapes are equal except along the axis; dtypes promote.
    axis : int or None
        `None` flattens the arrays first.

    Raises
    ------
    ShapeMismatchError
        If there is no array, the axis is out of range, or the shapes do not fit.
    """
    return _joined(CONCAT, arrays, None if axis is None else integer("concat", "axis", axis))


def _joined(rule: Rule, arrays: Sequence[ArrayLike], axis: int | None) -> Array:
    if not isinstance(arrays, Iterable):
        raise DTypeMismatchError(f"{rule.name} takes a sequence of arrays, got {arrays!r}: write {rule.name}([x, y])")
    given = list(arrays)
    if not given:
        raise ShapeMismatchError(f"{rule.name}: at least one array is needed")
    parts = as_arrays(*given)
    if rule is CONCAT and axis is not None and any(not part.ndim for part in parts):
        raise ShapeMismatchError("concat: arrays without dimensions cannot be joined: use stack")
    return apply(rule, *parts, axis=axis)


def expand_dims(x: ArrayLike, /, axis: Axes = 0) -> Array:
    """Return a view with a new axis of extent 1.

    Parameters
    ----------
    x : Array or array-like
    axis : int or tuple of int
        Position in the result, or several.

    Raises
    ------
    AxisError
        If the axis is out of range.
    """
    array = as_array(x)
    count = len(axis) if isinstance(axis, Sequence) else 1
    axes = normalize_axes("expand_dims", axis, array.ndim + count)
    extents = iter(array.shape)
    return _view(array, tuple(1 if one in axes else next(extents) for one in range(array.ndim + len(axes))))


def flip(x: ArrayLike, /, *, axis: Axes = None) -> Array:
    """Return a view with the elements in reverse order along axes; all of them by default.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    """
    array = as_array(x)
    axes = normalize_axes("flip", axis, array.ndim)
    return array[tuple(slice(None, None, -1 if one in axes else 1) for one in range(array.ndim))]


def moveaxis(x: ArrayLike, source: Axes, destination: Axes, /) -> Array:
    """Return a view with axes moved to other positions; the rest keep their order.

    Parameters
    ----------
    x : Array or array-like
    source, destination : int or tuple of int
        Positions before and after, as many of each.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range or given twice, or the numbers differ.
    """
    array = as_array(x)
    pairs = [axes_attribute("moveaxis", axis) or () for axis in (source, destination)]
    starts, ends = ([normalize_axis("moveaxis", axis, array.ndim) for axis in axes] for axes in pairs)
    if len(starts) != len(ends) or len(set(starts)) != len(starts) or len(set(ends)) != len(ends):
        raise ShapeMismatchError(f"moveaxis: {source!r} and {destination!r} have to name as many axes, none twice")
    order = [axis for axis in range(array.ndim) if axis not in starts]
    for end, start in sorted(zip(ends, starts, strict=True)):
        order.insert(end, start)
    return permute(array, order)


def permute_dims(x: ArrayLike, /, axes: Sequence[SupportsIndex]) -> Array:
    """Return a view with the axes in another order.

    Raises
    ------
    ShapeMismatchError
        If `axes` is not a permutation of the array's axes.
    """
    array = as_array(x)
    order = [normalize_axis("permute_dims", axis, array.ndim) for axis in axes]
    if len(set(order)) != len(order) or len(order) != array.ndim:
        raise ShapeMismatchError(f"permute_dims: {tuple(axes)} does not name each of {array.ndim} axes once")
    return permute(array, order)


def repeat(x: ArrayLike, repeats: int | ArrayLike, /, *, axis: int | None = None) -> Array:
    """Return an array with each element repeated.

    Parameters
    ----------
    x : Array or array-like
    repeats : int, Array or array-like
        How often; an array has one number for each position of the axis, and is read, because the result's shape
        depends on it.
    axis : int, optional
        By default the flattened array is repeated.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range, or `repeats` is negative or does not fit the axis.
    """
    array = as_array(x)
    if axis is None:
        array, axis = reshape(array, (-1,)), 0
    number = normalize_axis("repeat", axis, array.ndim)
    counts = np.asarray(repeats)
    if counts.dtype.kind not in "iu":
        raise DTypeMismatchError(f"repeat: repeats have to be integers, got {counts.dtype.name}")
    if counts.size and int(counts.min()) < 0:
        raise ShapeMismatchError("repeat: repeats must not be negative")
    if counts.size == 1:
        return apply(REPEAT, array, repeats=int(counts.reshape(())), axis=number)
    if counts.shape != (array.shape[number],):
        raise ShapeMismatchError(f"repeat: repeats of shape {counts.shape} do not fit axis {number} of {array.shape}")
    return indexing.take_arrays(array, [(number, np.repeat(np.arange(counts.size), counts))], number)


def reshape(x: ArrayLike, /, shape: Shape, *, copy: bool | None = None) -> Array:
    """Return the elements, in row-major order, in another shape.

    Parameters
    ----------
    x : Array or array-like
    shape : int or tuple of int
        One extent may be -1 and follows from the others.
    copy : bool, optional
        `None` gives a view where NumPy's result would be one and a copy otherwise, `True` always a copy, `False` a
        view or an error.

    Raises
    ------
    ShapeMismatchError
        If the number of elements differs, or `copy=False` cannot be satisfied.
    """
    array = as_array(x)
    extents = _resolved(array.shape, array.size, shape)
    if not copy:
        direct = array._tape.ground.tape().direct if array._tape.ident == 0 else None
        if direct is not None and direct.is_row_major(array):
            seen = direct.view(RESHAPE, array, (("shape", extents),), ())
            if seen is not None:
                return seen  # type: ignore[return-value]
        if reshape_is_view(array, extents):
            return _view(array, extents)
        if copy is False:
            raise ShapeMismatchError(
                f"reshape: a view of shape {array.shape} cannot be seen as {extents} without a copy; "
                "leave copy=False out"
            )
    return apply(RESHAPE, array, shape=extents)


def _resolved(shape: tuple[int, ...], size: int, wanted: Shape) -> tuple[int, ...]:
    """Return the wanted shape with its -1 worked out."""
    given = wanted if isinstance(wanted, Sequence) else (wanted,)
    extents = [integer("reshape", "an extent", extent) for extent in given]
    if -1 in extents:
        known = math.prod(extent for extent in extents if extent != -1)
        if extents.count(-1) > 1 or known <= 0 or size % known:
            why = (
                "one extent at most may be -1"
                if extents.count(-1) > 1
                else f"-1 stands for what is left, and {size} elements do not divide by {known}"
            )
            raise ShapeMismatchError(f"reshape: shape {shape} cannot be seen as {tuple(extents)}: {why}")
        extents[extents.index(-1)] = size // known
    found = shape_of("reshape", extents)
    if math.prod(found) != size:
        raise ShapeMismatchError(f"reshape: shape {shape} has {size} elements, which do not fit into {found}")
    return found


def _view(array: Array, shape: tuple[int, ...]) -> Array:
    return take_view(RESHAPE, array, (("shape", shape),))  # type: ignore[return-value]


def roll(x: ArrayLike, /, shift: int | tuple[int, ...], *, axis: Axes = None) -> Array:
    """Return an array with the elements moved along axes; what leaves at one end comes back at the other.

    Parameters
    ----------
    x : Array or array-like
    shift : int or tuple of int
        By how many positions, towards higher indices if positive.
    axis : int or tuple of int, optional
        As many as shifts, or one of the two is a single number. By default the flattened array is rolled and gets its
        shape back.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range, or the numbers of shifts and axes differ.
    """
    array = as_array(x)
    shifts = tuple(integer("roll", "shift", one) for one in (shift if isinstance(shift, Sequence) else (shift,)))
    if axis is None:
        flat = apply(RESHAPE, array, shape=(array.size,))
        return apply(RESHAPE, apply(ROLL, flat, shifts=(sum(shifts),), axes=(0,)), shape=array.shape)
    axes = tuple(normalize_axis("roll", one, array.ndim) for one in axes_attribute("roll", axis) or ())
    if len(shifts) == 1:
        shifts *= len(axes)
    elif len(axes) == 1:
        axes *= len(shifts)
    if len(shifts) != len(axes):
        raise ShapeMismatchError(f"roll: {len(shifts)} shifts do not go with {len(axes)} axes")
    return apply(ROLL, array, shifts=shifts, axes=axes)


def squeeze(x: ArrayLike, /, axis: Axes = None) -> Array:
    """Return a view without axes of extent 1; all of them if none is named, which is NumPy's extension.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range, or its extent is not 1.
    """
    array = as_array(x)
    if axis is None:
        axes = tuple(one for one, extent in enumerate(array.shape) if extent == 1)
    else:
        axes = normalize_axes("squeeze", axis, array.ndim)
    if any(array.shape[one] != 1 for one in axes):
        raise ShapeMismatchError(f"squeeze: axes {axes} of shape {array.shape} are not all of extent 1")
    return _view(array, tuple(extent for one, extent in enumerate(array.shape) if one not in axes))


def stack(arrays: Sequence[ArrayLike], /, *, axis: int = 0) -> Array:
    """Join arrays of one shape along a new axis; dtypes promote.

    Raises
    ------
    ShapeMismatchError
        If there is no array, the axis is out of range, or the shapes differ.
    """
    return _joined(STACK, arrays, integer("stack", "axis", axis))


def swapaxes(x: ArrayLike, axis1: int, axis2: int, /) -> Array:
    """Return a view with two axes exchanged (NumPy's function, not in the standard).

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range.
    """
    array = as_array(x)
    order: list[Any] = list(range(array.ndim))
    first, second = (normalize_axis("swapaxes", axis, array.ndim) for axis in (axis1, axis2))
    order[first], order[second] = second, first
    return permute(array, order)


def tile(x: ArrayLike, repetitions: int | tuple[int, ...], /) -> Array:
    """Return the whole array over and over along each axis.

    Parameters
    ----------
    x : Array or array-like
    repetitions : int or tuple of int
        How often along each axis, aligned at the last one.

    Raises
    ------
    ShapeMismatchError
        If a number is negative.
    """
    array = as_array(x)
    counts = shape_of("tile", repetitions)
    return apply(TILE, array, repetitions=(1,) * (array.ndim - len(counts)) + counts)


def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Array, ...]:
    """Return the slices along an axis, as views.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range.
    """
    array = as_array(x)
    number = normalize_axis("unstack", axis, array.ndim)
    leading = (slice(None),) * number
    return tuple(array[*leading, position] for position in range(array.shape[number]))
