"""Rules of indexing: windows with dynamic starts, gathers, scatters, and the check of indices that are data.

A basic index is a *structure* (what happens to each axis, static) and its starts, which are scalar operands: `x[i]` in
a loop is one structure, and an `i` that changes becomes a parameter instead of another program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import numpy as np

from latebind.array.rules.common import (
    INT64,
    broadcast,
    broadcast_shape,
    cast,
    expand,
    full,
    like,
    reduce,
    reshape,
    scalar,
    transpose,
)
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.runtime.signature import Rule
from latebind.runtime.tape import PASSED

#: What happens to one axis: kept whole, one element (axis dropped), a window of `length` elements every `step`, or a
#: new axis of extent 1. `int` and `window` take one start each, the smallest position that they touch.
AxisIndex: TypeAlias = (
    tuple[Literal["all"]] | tuple[Literal["int"]] | tuple[Literal["window"], int, int] | tuple[Literal["new"]]
)
Structure: TypeAlias = tuple[AxisIndex, ...]


def _spans(structure: Structure, shape: tuple[int, ...]) -> list[tuple[int, int, bool, bool]]:
    """Return for each axis of the operand: span, step, whether it has a start, whether it is dropped."""
    found = []
    axes = iter(shape)
    for entry in structure:
        if entry[0] == "new":
            continue
        extent = next(axes)
        if entry[0] == "all":
            found.append((extent, 1, False, False))
        elif entry[0] == "int":
            found.append((1, 1, True, True))
        else:
            _, length, step = entry
            found.append(((length - 1) * abs(step) + 1 if length else 0, step, True, False))
    return found


def _window(b: IrBuilder, x: Value, starts: Sequence[Value], spans: Sequence[tuple[int, int, bool, bool]]) -> Value:
    """Return the smallest contiguous window that holds all that is indexed."""
    sizes = tuple(span for span, _, _, _ in spans)
    if sizes == x.shape:
        return x
    return b.op("stablehlo::dynamic_slice", x, *_positions(b, starts, spans), slice_sizes=sizes)


def _positions(b: IrBuilder, starts: Sequence[Value], spans: Sequence[tuple[int, int, bool, bool]]) -> list[Value]:
    given = iter(starts)
    return [next(given) if has_start else scalar(b, 0, INT64) for _, _, has_start, _ in spans]


def _basic_index(b: IrBuilder, x: Value, *starts: Value, structure: Structure) -> Value:
    spans = _spans(structure, x.shape)
    value = _window(b, x, starts, spans)
    if any(abs(step) > 1 for _, step, _, _ in spans):
        zeros, limits = (0,) * len(spans), value.shape
        strides = tuple(abs(step) for _, step, _, _ in spans)
        value = b.op("stablehlo::slice", value, start_indices=zeros, limit_indices=limits, strides=strides)
    reverse = tuple(axis for axis, (_, step, _, _) in enumerate(spans) if step < 0)
    if reverse:
        value = b.op("stablehlo::reverse", value, dimensions=reverse)
    return reshape(b, value, result_shape(structure, x.shape))


def result_shape(structure: Structure, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a basic index."""
    axes = iter(shape)
    found: list[int] = []
    for entry in structure:
        if entry[0] == "new":
            found.append(1)
            continue
        extent = next(axes)
        if entry[0] == "all":
            found.append(extent)
        elif entry[0] == "window":
            found.append(entry[1])
    return tuple(found)


def fit(b: IrBuilder, name: str, value: Value, shape: tuple[int, ...], like_: Value) -> Value:
    """Broadcast and convert a value that is assigned to a region of this shape.

    Raises
    ------
    ShapeMismatchError
        If it does not broadcast to the region.
    """
    if value.dtype.kind == "c" and like_.dtype.kind != "c":
        raise DTypeMismatchError(f"{name}: complex values cannot be assigned to {like_.dtype.name}: take real() first")
    extra = len(value.shape) - len(shape)
    own = value.shape
    if extra > 0 and all(extent == 1 for extent in own[:extra]):
        own = own[extra:]
    try:
        broadcasts = np.broadcast_shapes(own, shape) == shape
    except ValueError:
        broadcasts = False
    if not broadcasts:
        raise ShapeMismatchError(f"{name}: a value of shape {value.shape} does not broadcast to the region {shape}")
    return expand(b, cast(b, reshape(b, value, own), like_.dtype), shape)


def _basic_put(b: IrBuilder, x: Value, value: Value, *starts: Value, structure: Structure) -> Value:
    spans = _spans(structure, x.shape)
    value = fit(b, "__setitem__", value, result_shape(structure, x.shape), x)
    counts = tuple(1 if dropped else -(-span // abs(step)) for span, step, _, dropped in spans)
    value = reshape(b, value, counts)
    reverse = tuple(axis for axis, (_, step, _, _) in enumerate(spans) if step < 0)
    if reverse:
        value = b.op("stablehlo::reverse", value, dimensions=reverse)
    if 0 in value.shape:
        return x
    if any(abs(step) > 1 for _, step, _, _ in spans):
        value = _interleave(b, value, _window(b, x, starts, spans), [abs(step) for _, step, _, _ in spans])
    if value.shape == x.shape:
        return value
    return b.op("stablehlo::dynamic_update_slice", x, value, *_positions(b, starts, spans))


def _interleave(b: IrBuilder, value: Value, window: Value, steps: Sequence[int]) -> Value:
    """Return the window with every `step`-th element replaced."""
    zeros = (0,) * len(steps)
    spread = b.op(
        "stablehlo::pad",
        value,
        scalar(b, 0, value.dtype),
        edge_padding_low=zeros,
        edge_padding_high=zeros,
        interior_padding=tuple(step - 1 for step in steps),
    )
    hit = None
    for axis, step in enumerate(steps):
        if step == 1:
            continue
        position = b.op("stablehlo::iota", iota_dimension=axis, shape=window.shape, dtype=INT64)
        on_grid = b.op(
            "stablehlo::compare",
            b.op("stablehlo::remainder", position, like(b, step, position)),
            like(b, 0, position),
            comparison_direction="EQ",
        )
        hit = on_grid if hit is None else b.op("stablehlo::and", hit, on_grid)
    return window if hit is None else b.op("stablehlo::select", hit, spread, window)


BASIC_PUT: Final = Rule("__setitem__", _basic_put)
BASIC_INDEX: Final = Rule("__getitem__", _basic_index, BASIC_PUT)
BASIC_INDEX.infer = lambda x, *starts, structure: x.with_shape(result_shape(structure, x.shape))


# Indices that are arrays


def _stack_indices(b: IrBuilder, x: Value, indices: Sequence[Value], axes: Sequence[int]) -> Value:
    """Return the indices broadcast, wrapped to the front, and stacked along a new last axis."""
    wrapped = []
    for index, axis in zip(broadcast(b, "__getitem__", *indices), axes, strict=True):
        index = cast(b, index, INT64)
        negative = b.op("stablehlo::compare", index, like(b, 0, index), comparison_direction="LT")
        from_end = b.op("stablehlo::add", index, like(b, x.shape[axis], index))
        index = b.op("stablehlo::select", negative, from_end, index)
        wrapped.append(reshape(b, index, (*index.shape, 1)))
    if len(wrapped) == 1:
        return wrapped[0]
    return b.op("stablehlo::concatenate", *wrapped, dimension=len(wrapped[0].shape) - 1)


def _axes_first(rank: int, axes: Sequence[int]) -> tuple[int, ...]:
    return (*axes, *(axis for axis in range(rank) if axis not in axes))


def _permuted(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in axes)


def _placed(index_rank: int, rest: int, place: int) -> tuple[int, ...]:
    """Return the permutation that moves the index axes from the front to where NumPy puts them."""
    index_axes = range(index_rank)
    others = range(index_rank, index_rank + rest)
    return (*others[:place], *index_axes, *others[place:])


def _take(b: IrBuilder, x: Value, *indices: Value, axes: tuple[int, ...], place: int) -> Value:
    """Gather: `axes` are indexed together; the index axes go to position `place` of the others."""
    stacked = _stack_indices(b, x, indices, axes)
    count, index_rank = len(axes), len(stacked.shape) - 1
    moved = transpose(b, x, _axes_first(len(x.shape), axes))
    rest = moved.shape[count:]
    if 0 in moved.shape[:count]:  # nothing to take: the indices are empty, or the check refuses them
        return full(b, 0, _permuted((*stacked.shape[:-1], *rest), _placed(index_rank, len(rest), place)), x.dtype)
    taken = b.op(
        "stablehlo::gather",
        moved,
        stacked,
        offset_dims=tuple(range(index_rank, index_rank + len(rest))),
        collapsed_slice_dims=tuple(range(count)),
        operand_batching_dims=(),
        start_indices_batching_dims=(),
        start_index_map=tuple(range(count)),
        index_vector_dim=index_rank,
        slice_sizes=(*(1 for _ in axes), *rest),
        indices_are_sorted=False,
    )
    return transpose(b, taken, _placed(index_rank, len(rest), place))


def _put(b: IrBuilder, x: Value, value: Value, *indices: Value, axes: tuple[int, ...], place: int) -> Value:
    """Scatter, the assignment to what `_take` reads; where indices repeat, the last value stays."""
    stacked = _stack_indices(b, x, indices, axes)
    count, index_rank = len(axes), len(stacked.shape) - 1
    order = _axes_first(len(x.shape), axes)
    moved = transpose(b, x, order)
    rest = moved.shape[count:]
    placed = _placed(index_rank, len(rest), place)
    value = fit(b, "__setitem__", value, _permuted((*stacked.shape[:-1], *rest), placed), x)
    if 0 in moved.shape[:count]:
        return x
    updates = transpose(b, value, tuple(int(axis) for axis in np.argsort(placed)))
    written = b.op(
        "stablehlo::scatter",
        moved,
        stacked,
        updates,
        update_window_dims=tuple(range(index_rank, index_rank + len(rest))),
        inserted_window_dims=tuple(range(count)),
        input_batching_dims=(),
        scatter_indices_batching_dims=(),
        scatter_dims_to_operand_dims=tuple(range(count)),
        index_vector_dim=index_rank,
        indices_are_sorted=False,
        unique_indices=False,
        update_computation=None,
    )
    return transpose(b, written, tuple(int(axis) for axis in np.argsort(order)))


PUT: Final = Rule("__setitem__", _put)
TAKE: Final = Rule("__getitem__", _take, PUT)


def _take_along(b: IrBuilder, x: Value, index: Value, *, axis: int) -> Value:
    """Gather along one axis with indices of their own for each position of the others, which broadcast."""
    rank = len(x.shape)
    if len(index.shape) != rank:
        raise ShapeMismatchError(
            f"take_along_axis: the indices need {rank} dimensions like the array, got shape {index.shape}"
        )
    others = tuple(one for one in range(rank) if one != axis)
    shape = broadcast_shape("take_along_axis", [_without(value.shape, axis) for value in (x, index)])
    x, index = (expand(b, value, (*shape[:axis], value.shape[axis], *shape[axis:])) for value in (x, index))
    if 0 in x.shape:
        return full(b, 0, index.shape, x.dtype)
    return b.op(
        "stablehlo::gather",
        x,
        _stack_indices(b, x, [index], [axis]),
        offset_dims=(),
        collapsed_slice_dims=(axis,),
        operand_batching_dims=others,
        start_indices_batching_dims=others,
        start_index_map=(axis,),
        index_vector_dim=rank,
        slice_sizes=(1,) * rank,
        indices_are_sorted=False,
    )


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


TAKE_ALONG: Final = Rule("take_along_axis", _take_along)


def _offending_index(b: IrBuilder, index: Value, *, extent: int) -> Value:
    """Return an index outside `[-extent, extent)`, or `PASSED` if there is none."""
    index = cast(b, index, INT64)
    low = b.op("stablehlo::compare", index, like(b, -extent, index), comparison_direction="LT")
    high = b.op("stablehlo::compare", index, like(b, extent, index), comparison_direction="GE")
    bad = b.op("stablehlo::or", low, high)
    passed = full(b, PASSED, index.shape, INT64)
    axes = tuple(range(len(index.shape)))
    return reduce(b, b.op("stablehlo::select", bad, index, passed), "stablehlo::maximum", PASSED, axes)


OFFENDING_INDEX: Final = Rule("index check", _offending_index)
