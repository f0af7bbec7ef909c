"""Shapes: reshaping, transposing, adding and removing axes, flipping, repeating. Views where NumPy's are."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from latebind.array import data_type_functions as types
from latebind.array import indexing
from latebind.array import manipulation_functions as manipulation
from latebind.array.array import Array
from latebind.array.operands import ArrayLike, as_array
from latebind.array.rules.common import integer, normalize_axis
from latebind.array.rules.shapes import permute
from latebind.errors import ShapeMismatchError
from latebind.ir.types import ELEMENT_NAMES
from latebind.numpy.arguments import alike, array_of, axes_of, check_order, ground_of
from latebind.runtime.lazy import LazyTensor

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "diagonal",
    "expand_dims",
    "fill_diagonal",
    "flip",
    "fliplr",
    "flipud",
    "matrix_transpose",
    "moveaxis",
    "ndim",
    "permute_dims",
    "ravel",
    "repeat",
    "reshape",
    "resize",
    "roll",
    "rollaxis",
    "rot90",
    "shape",
    "size",
    "squeeze",
    "swapaxes",
    "tile",
    "trace",
    "transpose",
]


def shape(a: ArrayLike) -> tuple[int, ...]:
    """Return the extent of each dimension."""
    return a._type.shape if isinstance(a, LazyTensor) else array_of(a).shape


def ndim(a: ArrayLike) -> int:
    """Return the number of dimensions."""
    return len(shape(a))


def size(a: ArrayLike, axis: Any = None) -> int:
    """Return the number of elements, or the extent of axes."""
    extents = shape(a)
    axes = axes_of("size", axis, len(extents))
    return int(np.prod([extents[i] for i in axes], dtype=int))


def reshape(a: ArrayLike, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Array:
    """Return the elements in another shape; taken and placed in column-major order for `order="F"`."""
    check_order("reshape", order)
    x = array_of(a)
    extents = tuple(np.asarray(shape).tolist()) if isinstance(shape, (np.ndarray, Array)) and shape.ndim else shape
    if order != "F":
        return manipulation.reshape(x, extents, copy=copy)
    wanted = (extents,) if isinstance(extents, int) else tuple(extents)
    return manipulation.reshape(x.T, wanted[::-1], copy=copy).T


def ravel(a: ArrayLike, order: str = "C") -> Array:
    """Return the elements in one dimension; a view where NumPy's would be one."""
    return reshape(a, -1, order)


def transpose(a: ArrayLike, axes: Any = None) -> Array:
    """Return a view with the axes in another order, reversed by default."""
    x = array_of(a)
    return permute(x, range(x.ndim)[::-1]) if axes is None else manipulation.permute_dims(x, tuple(axes))


permute_dims = transpose


def matrix_transpose(x: ArrayLike, /) -> Array:
    """Return a view with the last two axes exchanged."""
    return array_of(x).mT


def moveaxis(a: ArrayLike, source: Any, destination: Any) -> Array:
    """Return a view with axes moved to other positions."""
    return manipulation.moveaxis(array_of(a), source, destination)


def rollaxis(a: ArrayLike, axis: int, start: int = 0) -> Array:
    """Return a view with an axis moved before another one."""
    x = array_of(a)
    source = normalize_axis("rollaxis", axis, x.ndim)
    if not -x.ndim <= start <= x.ndim:
        raise ShapeMismatchError(f"rollaxis: start {start} is out of range for {x.ndim} dimensions")
    place = start + x.ndim if start < 0 else start
    return moveaxis(x, source, place - 1 if source < place else place)


def swapaxes(a: ArrayLike, axis1: int, axis2: int) -> Array:
    """Return a view with two axes exchanged."""
    return manipulation.swapaxes(array_of(a), axis1, axis2)


def expand_dims(a: ArrayLike, axis: Any) -> Array:
    """Return a view with new axes of extent 1."""
    return manipulation.expand_dims(array_of(a), tuple(axis) if isinstance(axis, list) else axis)


def squeeze(a: ArrayLike, axis: Any = None) -> Array:
    """Return a view without axes of extent 1."""
    return manipulation.squeeze(array_of(a), axis)


def atleast_1d(*arys: ArrayLike) -> Any:
    """Return arrays with at least one dimension, each a view."""
    return _each(arys, lambda x: manipulation.reshape(x, (1,)) if not x.ndim else x)


def atleast_2d(*arys: ArrayLike) -> Any:
    """Return arrays with at least two dimensions, each a view; vectors are rows."""
    return _each(arys, lambda x: manipulation.reshape(x, (1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x)


def atleast_3d(*arys: ArrayLike) -> Any:
    """Return arrays with at least three dimensions, each a view; a vector runs along the second axis."""

    def raised(x: Array) -> Array:
        shape = ((1, 1, 1), (1, x.size, 1), (*x.shape, 1))[x.ndim] if x.ndim < 3 else x.shape
        return manipulation.reshape(x, shape) if x.ndim < 3 else x

    return _each(arys, raised)


def _each(arrays: tuple[ArrayLike, ...], function: Any) -> Any:
    found = tuple(function(array_of(one)) for one in arrays)
    return found[0] if len(found) == 1 else found


def broadcast_to(array: ArrayLike, shape: Any, subok: bool = False) -> Array:
    """Repeat an array to a shape; the result is an array of its own, which may be written."""
    return types.broadcast_to(array_of(array), shape)


def broadcast_arrays(*args: ArrayLike, subok: bool = False) -> tuple[Array | np.ndarray, ...]:
    """Broadcast arrays against each other; each result is an array of its own.

    What no lazy array can hold (strings, objects) comes back as a view of NumPy's, so that code may broadcast
    labels along with numbers.
    """
    held: list[Any] = [one if isinstance(one, LazyTensor) else np.asarray(one) for one in args]
    if builtins.all(isinstance(one, LazyTensor) or one.dtype.name in ELEMENT_NAMES for one in held):
        return types.broadcast_arrays(*alike(*args))
    shape = types.broadcast_shapes(*(one.shape for one in held))
    ground = ground_of(*args)
    return tuple(
        types.broadcast_to(array_of(one, ground), shape)
        if isinstance(one, LazyTensor) or one.dtype.name in ELEMENT_NAMES
        else np.broadcast_to(one, shape)
        for one in held
    )


def flip(m: ArrayLike, axis: Any = None) -> Array:
    """Return a view with the elements in reverse order along axes, all of them by default."""
    return manipulation.flip(array_of(m), axis=axis)


def flipud(m: ArrayLike) -> Array:
    """Return a view with the elements in reverse order along the first axis."""
    return manipulation.flip(array_of(m), axis=0)


def fliplr(m: ArrayLike) -> Array:
    """Return a view with the elements in reverse order along the second axis."""
    return manipulation.flip(array_of(m), axis=1)


def rot90(m: ArrayLike, k: int = 1, axes: Any = (0, 1)) -> Array:
    """Return a view rotated by quarter turns in the plane of two axes.

    Raises
    ------
    ShapeMismatchError
        If the axes are not two different ones.
    """
    x = array_of(m)
    first, second = (normalize_axis("rot90", axis, x.ndim) for axis in axes)
    if first == second:
        raise ShapeMismatchError("rot90: Axes must be different.")
    turns = integer("rot90", "k", k) % 4
    if turns == 0:
        return x[...]
    if turns == 2:
        return manipulation.flip(x, axis=(first, second))
    if turns == 1:
        return swapaxes(manipulation.flip(x, axis=second), first, second)
    return manipulation.flip(swapaxes(x, first, second), axis=second)


def roll(a: ArrayLike, shift: Any, axis: Any = None) -> Array:
    """Return an array with the elements moved along axes; what leaves at one end comes back at the other."""
    shifts = tuple(shift) if isinstance(shift, list) else shift
    return manipulation.roll(array_of(a), shifts, axis=tuple(axis) if isinstance(axis, list) else axis)


def tile(A: ArrayLike, reps: Any) -> Array:
    """Return the whole array over and over along each axis."""
    counts = tuple(int(one) for one in np.atleast_1d(np.asarray(reps)))
    return manipulation.tile(array_of(A), counts)


def repeat(a: ArrayLike, repeats: Any, axis: int | None = None) -> Array:
    """Return an array with each element repeated; an array of counts is read."""
    return manipulation.repeat(array_of(a), repeats, axis=axis)


def resize(a: ArrayLike, new_shape: Any) -> Array:
    """Return an array of another size, filled with the elements over and over.

    Raises
    ------
    ShapeMismatchError
        If an extent is negative.
    """
    x = ravel(a)
    wanted = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    if builtins.any(extent < 0 for extent in wanted):
        raise ShapeMismatchError("resize: all elements of `new_shape` must be non-negative")
    count = int(np.prod(wanted, dtype=int))
    if not x.size or not count:
        from latebind.array.creation_functions import zeros

        return zeros(wanted, dtype=x.dtype, device=x.device)
    tiled = manipulation.tile(x, (-(-count // x.size),))
    return manipulation.reshape(tiled[:count], wanted)


def diagonal(a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """Return diagonals of the planes of two axes, along the last axis.

    A view where the array's memory allows it, which NumPy's is, too; ours may be written.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range, both are the same, or there are fewer than two.
    """
    x = array_of(a)
    if x.ndim < 2:
        raise ShapeMismatchError("diagonal: diag requires an array of at least two dimensions")
    first, second = (normalize_axis("diagonal", axis, x.ndim) for axis in (axis1, axis2))
    if first == second:
        raise ShapeMismatchError("diagonal: axis1 and axis2 cannot be the same")
    planes = permute(x, [*(i for i in range(x.ndim) if i not in (first, second)), first, second])
    rows, columns = planes.shape[-2:]
    k = integer("diagonal", "offset", offset)
    start = k if k >= 0 else -k * columns
    length = builtins.max(builtins.min(rows, columns - k) if k >= 0 else builtins.min(rows + k, columns), 0)
    flat = manipulation.reshape(planes, (*planes.shape[:-2], rows * columns))
    stop = start + (length - 1) * (columns + 1) + 1 if length else start
    return flat[..., slice(start, stop, columns + 1)]


def trace(a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Array:
    """Return the sums of diagonals."""
    return diagonal(a, offset, axis1, axis2).sum(axis=-1, dtype=dtype, out=out)


def fill_diagonal(a: Array, val: ArrayLike, wrap: bool = False) -> None:
    """Set the main diagonal in place; values are repeated as often as needed.

    Raises
    ------
    ShapeMismatchError
        If the array has fewer than two dimensions, or more whose extents differ.
    """
    if a.ndim < 2:
        raise ShapeMismatchError("fill_diagonal: array must be at least 2-d")
    if a.ndim == 2:
        step, stop = a.shape[1] + 1, None if wrap else a.shape[1] * a.shape[1]
    elif len(set(a.shape)) > 1:
        raise ShapeMismatchError("fill_diagonal: All dimensions of input must be of equal length")
    else:
        step, stop = 1 + int(np.cumprod(a.shape[:-1]).sum()), None
    values = as_array(array_of(val), a._ground)
    count = len(range(*slice(None, stop, step).indices(a.size)))
    row = resize(values, (count,)) if values.ndim else values
    flat = a.flat
    flat[slice(None, stop, step)] = row


def take_axis(a: ArrayLike, indices: Any, axis: int) -> Array:
    """Return elements of one axis by indices that are known now."""
    x = array_of(a)
    return indexing.take_arrays(x, [(axis, np.asarray(indices, np.int64))], axis)
