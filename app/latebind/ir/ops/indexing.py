"""Indexing by data: dynamic slices, gather and scatter."""

from __future__ import annotations

from collections.abc import Sequence

from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.attributes import body_kind, integer, ints
from latebind.ir.node import Attributes
from latebind.ir.ops.declare import (
    INT,
    check_dimensions,
    check_kind,
    check_length,
    check_sorted,
    declare,
)
from latebind.ir.ops.reductions import check_body
from latebind.ir.types import TensorType

Types = tuple[TensorType, ...]


def _check_starts(starts: Sequence[TensorType], rank: int) -> None:
    """Check the start indices of a dynamic slice: one integer scalar per dimension, all of one dtype."""
    check_length(starts, rank, "start_indices")
    for start in starts:
        if start.shape:
            raise ShapeMismatchError("start_indices must be zero-dimensional")
        check_kind(start, INT, "start_indices")
        if start is not starts[0]:
            raise DTypeMismatchError("start_indices must have the same dtype")


def _infer_dynamic_slice(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, sizes = types[0], ints(attributes, "slice_sizes")
    _check_starts(types[1:], operand.rank)
    check_length(sizes, operand.rank, "slice_sizes")
    if any(not 0 <= size <= extent for size, extent in zip(sizes, operand.shape, strict=True)):
        raise ShapeMismatchError(f"slice_sizes = {sizes} must lie between 0 and the shape {operand.shape}")
    return (operand.with_shape(sizes),)


def _infer_dynamic_update_slice(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, update = types[0], types[1]
    _check_starts(types[2:], operand.rank)
    if update.dtype != operand.dtype:
        raise DTypeMismatchError("operand and update must have the same dtype")
    if update.rank != operand.rank or any(u > e for u, e in zip(update.shape, operand.shape, strict=True)):
        raise ShapeMismatchError("update must have the operand's rank and fit into it")
    return (operand,)


def _index_shape(indices: TensorType, attributes: Attributes, dimensions: int) -> tuple[int, ...]:
    """Return the batch shape of an index operand, after checking its dtype and index vectors."""
    check_kind(indices, INT, "indices")
    axis = integer(attributes, "index_vector_dim")
    if not 0 <= axis <= indices.rank:
        raise ShapeMismatchError(f"index_vector_dim = {axis} must lie in [0, {indices.rank}]")
    length = indices.shape[axis] if axis < indices.rank else 1
    if length != dimensions:
        raise ShapeMismatchError(f"index vectors have {length} items, but {dimensions} dimensions are indexed")
    return (*indices.shape[:axis], *indices.shape[axis + 1 :])


def _check_batching(
    operand: TensorType, indices: TensorType, attributes: Attributes, batching: tuple[int, ...], name: str
) -> None:
    """Check that batching dimensions of operand and indices pair up, outside the index vectors."""
    others, axis = ints(attributes, name, ()), integer(attributes, "index_vector_dim")
    check_sorted(batching, "operand batching dimensions")
    check_dimensions(others, indices.rank, name)
    if axis in others:
        raise ShapeMismatchError(f"{name} = {others} must not have index_vector_dim = {axis}")
    if len(others) != len(batching) or any(
        operand.shape[a] != indices.shape[b] for a, b in zip(batching, others, strict=True)
    ):
        raise ShapeMismatchError(f"{name} = {others} and the operand's {batching} must pair equal extents")


def _infer_gather(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, indices = types
    offset, collapsed = ints(attributes, "offset_dims"), ints(attributes, "collapsed_slice_dims")
    batching, index_map = ints(attributes, "operand_batching_dims", ()), ints(attributes, "start_index_map")
    sizes = ints(attributes, "slice_sizes")
    batch = _index_shape(indices, attributes, len(index_map))
    check_sorted(offset, "offset_dims")
    check_sorted(collapsed, "collapsed_slice_dims")
    check_dimensions((*collapsed, *batching), operand.rank, "collapsed_slice_dims and operand_batching_dims")
    check_dimensions((*index_map, *batching), operand.rank, "start_index_map and operand_batching_dims")
    _check_batching(operand, indices, attributes, batching, "start_indices_batching_dims")
    check_length(sizes, operand.rank, "slice_sizes")
    for dimension, (size, extent) in enumerate(zip(sizes, operand.shape, strict=True)):
        dropped = dimension in collapsed or dimension in batching
        if not 0 <= size <= (min(extent, 1) if dropped else extent):
            raise ShapeMismatchError(
                f"slice_sizes = {sizes} must fit the operand, and be at most 1 in collapsed and batching dimensions"
            )
    kept = [size for d, size in enumerate(sizes) if d not in collapsed and d not in batching]
    return (operand.with_shape(_merge(batch, kept, offset, "offset_dims")),)


def _merge(batch: Sequence[int], window: Sequence[int], positions: tuple[int, ...], what: str) -> tuple[int, ...]:
    """Interleave batch and window extents: the window's stand at `positions` of the result."""
    rank = len(batch) + len(window)
    check_length(positions, len(window), what)
    check_dimensions(positions, rank, what)
    batches, windows = iter(batch), iter(window)
    return tuple(next(windows) if d in positions else next(batches) for d in range(rank))


def _infer_scatter(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, indices, updates = types
    if updates.dtype != operand.dtype:
        raise DTypeMismatchError("input and updates must have the same dtype")
    window, inserted = ints(attributes, "update_window_dims"), ints(attributes, "inserted_window_dims")
    batching, index_map = ints(attributes, "input_batching_dims", ()), ints(attributes, "scatter_dims_to_operand_dims")
    batch = _index_shape(indices, attributes, len(index_map))
    check_sorted(window, "update_window_dims")
    check_sorted(inserted, "inserted_window_dims")
    check_dimensions((*inserted, *batching), operand.rank, "inserted_window_dims and input_batching_dims")
    check_dimensions((*index_map, *batching), operand.rank, "scatter_dims_to_operand_dims and input_batching_dims")
    _check_batching(operand, indices, attributes, batching, "scatter_indices_batching_dims")
    body = body_kind(attributes, "update_computation")
    if body is not None:
        check_body(body, operand, "update_computation")
    limits = [extent for d, extent in enumerate(operand.shape) if d not in inserted and d not in batching]
    check_dimensions(window, updates.rank, "update_window_dims")
    sizes = [updates.shape[d] for d in window]
    if len(sizes) != len(limits) or any(size > limit for size, limit in zip(sizes, limits, strict=True)):
        raise ShapeMismatchError(f"update windows {tuple(sizes)} must fit the input's windows {tuple(limits)}")
    if updates.shape != (wanted := _merge(batch, sizes, window, "update_window_dims")):
        raise ShapeMismatchError(f"updates must have shape {wanted}, from scatter_indices and update_window_dims")
    return (operand,)


declare(
    "stablehlo::dynamic_slice",
    "operand *start_indices",
    "slice_sizes",
    _infer_dynamic_slice,
    "A window that starts at indices that are data, moved inside where it would stand out.",
)
declare(
    "stablehlo::dynamic_update_slice",
    "operand update *start_indices",
    "",
    _infer_dynamic_update_slice,
    "The operand with a window replaced, moved inside where it would stand out.",
)
declare(
    "stablehlo::gather",
    "operand start_indices",
    "offset_dims collapsed_slice_dims operand_batching_dims? start_indices_batching_dims? start_index_map"
    " index_vector_dim slice_sizes indices_are_sorted?",
    _infer_gather,
    "Windows at many start indices; starts are clamped.",
)
declare(
    "stablehlo::scatter",
    "input scatter_indices updates",
    "update_window_dims inserted_window_dims input_batching_dims? scatter_indices_batching_dims?"
    " scatter_dims_to_operand_dims index_vector_dim indices_are_sorted? unique_indices? update_computation",
    _infer_scatter,
    "The input with windows combined into it (assigned without a body); elements outside are skipped.",
)
