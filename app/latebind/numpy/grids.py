"""Coordinate grids and index tricks: `mgrid`, `ogrid`, `indices`, `ix_`, `r_`, `c_`, positions of triangles."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from latebind.array import creation_functions as creation
from latebind.array.array import Array
from latebind.array.manipulation_functions import reshape, stack
from latebind.array.operands import ArrayLike, to_ground
from latebind.errors import ShapeMismatchError
from latebind.numpy.arguments import array_of
from latebind.numpy.creation import linspace
from latebind.numpy.joining import concatenate

__all__ = [
    "c_",
    "diag_indices",
    "diag_indices_from",
    "indices",
    "ix_",
    "meshgrid",
    "mgrid",
    "ogrid",
    "r_",
    "ravel_multi_index",
    "tril_indices",
    "tril_indices_from",
    "triu_indices",
    "triu_indices_from",
    "unravel_index",
]


def meshgrid(*xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: Any = "xy") -> tuple[Array, ...]:
    """Return coordinate arrays from coordinate vectors; with `sparse`, of extent 1 along the other axes."""
    vectors = [reshape(array_of(one), (-1,)) for one in xi]
    if not sparse:
        return creation.meshgrid(*vectors, indexing=indexing)
    if indexing not in ("xy", "ij"):
        raise ShapeMismatchError("meshgrid: Valid values for `indexing` are 'xy' and 'ij'.")
    axes = list(range(len(vectors)))
    if indexing == "xy" and len(axes) > 1:
        axes[:2] = [1, 0]
    return tuple(
        reshape(vector, tuple(-1 if axis == own else 1 for axis in range(len(axes))))
        for vector, own in zip(vectors, axes, strict=True)
    )


def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """Return the positions of all elements of a shape: one array per axis, stacked unless `sparse`."""
    shape = tuple(int(extent) for extent in dimensions)
    vectors = [creation.arange(extent, dtype=dtype) for extent in shape]
    grids = meshgrid(*vectors, sparse=sparse, indexing="ij")
    if sparse:
        return grids
    return stack(grids) if grids else creation.zeros((0,), dtype=dtype)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, (Array, np.ndarray)) else value


class _Grid:
    """What `mgrid` and `ogrid` are: slices with a step, or with an imaginary number of points."""

    __slots__ = ("sparse",)

    def __init__(self, sparse: bool) -> None:
        self.sparse: Final = sparse

    def __getitem__(self, key: Any) -> Any:
        single = not isinstance(key, tuple)
        vectors = [_points(one) for one in ((key,) if single else key)]
        dtype = np.result_type(*(vector.dtype for vector in vectors)) if vectors else np.dtype(int)
        vectors = [vector.astype(dtype, copy=False) for vector in vectors]
        if single:
            return vectors[0]
        grids = meshgrid(*vectors, sparse=self.sparse, indexing="ij")
        return grids if self.sparse else stack(grids)


def _points(part: slice) -> Array:
    start, stop, step = (_number(one) for one in (part.start, part.stop, part.step))
    start = 0 if start is None else start
    step = 1 if step is None else step
    if isinstance(step, complex):
        return linspace(start, stop, int(abs(step)))  # type: ignore[no-any-return]
    if all(isinstance(one, int) for one in (start, stop, step)):
        return creation.arange(start, stop, step)
    count = max(math.ceil((stop - start) / step), 0)
    return creation.arange(count, dtype=np.float64) * step + start


mgrid: Final = _Grid(sparse=False)
ogrid: Final = _Grid(sparse=True)


class _Joined:
    """What `r_` and `c_` are: slices, numbers and arrays, joined along an axis."""

    __slots__ = ("axis", "minimum", "place")

    def __init__(self, axis: int, minimum: int, place: int) -> None:
        self.axis, self.minimum, self.place = axis, minimum, place

    def __getitem__(self, key: Any) -> Array:
        parts = []
        axis, minimum, place = self.axis, self.minimum, self.place
        for one in key if isinstance(key, tuple) else (key,):
            if isinstance(one, str):
                numbers = [int(number) for number in one.split(",")]
                axis, minimum, place = (*numbers, minimum, place)[:3] if len(numbers) < 3 else numbers[:3]
                if len(numbers) == 1:
                    minimum, place = self.minimum, self.place
                continue
            part = _points(one) if isinstance(one, slice) else array_of(one)
            parts.append(_raised(part, max(minimum, 1), place))
        return concatenate(parts, axis=axis)


def _raised(x: Array, minimum: int, place: int) -> Array:
    missing = minimum - x.ndim
    if missing <= 0:
        return x
    if x.ndim == 0:
        return reshape(x, (1,) * minimum)
    before = missing if place < 0 else place
    return reshape(x, (1,) * before + x.shape + (1,) * (missing - before))


r_: Final = _Joined(0, 1, -1)
c_: Final = _Joined(-1, 2, 0)


def ix_(*args: ArrayLike) -> tuple[Array, ...]:
    """Return vectors of indices, or masks, in shapes that index all their combinations; masks are read.

    Raises
    ------
    ShapeMismatchError
        If one does not have one dimension.
    """
    found = []
    for axis, one in enumerate(args):
        vector = array_of(one)
        if vector.ndim != 1:
            raise ShapeMismatchError("ix_: Cross index must be 1 dimensional")
        if not vector.size:
            vector = vector.astype(np.int64)
        if vector.dtype.kind == "b":
            (vector,) = vector.nonzero()
        found.append(reshape(vector, tuple(-1 if axis == i else 1 for i in range(len(args)))))
    return tuple(found)


def _positions(found: tuple[np.ndarray, ...]) -> tuple[Array, ...]:
    from latebind.runtime.current import current_executor

    ground = current_executor().ground()
    return tuple(to_ground(one, ground, copy=False) for one in found)  # type: ignore[misc]


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, ...]:
    """Return the positions of the lower triangle of a matrix of `n` rows and `m` columns."""
    return _positions(np.tril_indices(n, k, m))


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, ...]:
    """Return the positions of the upper triangle of a matrix of `n` rows and `m` columns."""
    return _positions(np.triu_indices(n, k, m))


def tril_indices_from(arr: ArrayLike, k: int = 0) -> tuple[Array, ...]:
    """Return the positions of the lower triangle of a matrix."""
    rows, columns = _matrix_shape("tril_indices_from", arr)
    return tril_indices(rows, k, columns)


def triu_indices_from(arr: ArrayLike, k: int = 0) -> tuple[Array, ...]:
    """Return the positions of the upper triangle of a matrix."""
    rows, columns = _matrix_shape("triu_indices_from", arr)
    return triu_indices(rows, k, columns)


def _matrix_shape(name: str, arr: ArrayLike) -> tuple[int, ...]:
    shape = array_of(arr).shape
    if len(shape) != 2:
        raise ShapeMismatchError(f"{name}: input array must be 2-d")
    return shape


def diag_indices(n: int, ndim: int = 2) -> tuple[Array, ...]:
    """Return the positions of the main diagonal of an array whose axes all have `n` elements."""
    return (creation.arange(n),) * ndim


def diag_indices_from(arr: ArrayLike) -> tuple[Array, ...]:
    """Return the positions of the main diagonal of an array whose axes are all of one length."""
    shape = array_of(arr).shape
    if len(shape) < 2 or len(set(shape)) != 1:
        raise ShapeMismatchError("diag_indices_from: All dimensions of input must be of equal length")
    return diag_indices(shape[0], len(shape))


def unravel_index(indices: ArrayLike, shape: Any, order: str = "C") -> tuple[Array, ...]:
    """Return the positions along each axis of indices into the flattened array; reads whether they are in bounds.

    Raises
    ------
    ValueError
        If an index is out of bounds.
    """
    rest = array_of(indices)
    extents = (shape,) if isinstance(shape, int) else tuple(shape)
    size = math.prod(extents)
    if bool(((rest < 0) | (rest >= size)).any()):
        raise ValueError(f"an index is out of bounds for array with size {size}")
    found = []
    for extent in reversed(extents) if order == "C" else extents:
        found.append(rest % extent)
        rest = rest // extent
    return tuple(found[::-1] if order == "C" else found)


def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Array:
    """Return indices into the flattened array for positions along each axis; reads whether they are in bounds."""
    extents = (dims,) if isinstance(dims, int) else tuple(dims)
    modes = (mode,) * len(extents) if isinstance(mode, str) else tuple(mode)
    strides = np.cumprod((1, *(extents[:0:-1] if order == "C" else extents[:-1])))
    strides = strides[::-1] if order == "C" else strides
    total: Any = 0
    for index, extent, stride, how in zip(multi_index, extents, strides, modes, strict=True):
        place = array_of(index)
        if how == "wrap":
            place = place % extent
        elif how == "clip":
            place = place.clip(0, extent - 1)
        elif bool(((place < 0) | (place >= extent)).any()):
            raise ValueError("invalid entry in coordinates array")
        total = place * int(stride) + total
    return total  # type: ignore[no-any-return]
