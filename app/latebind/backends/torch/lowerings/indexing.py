"""Windows at start indices that are data, and gather."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from latebind.backends.torch.lowering import INT64, Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.elementwise import converted
from latebind.backends.torch.lowerings.movement import full_operands, reshaped, sliced, transposed
from latebind.ir.attributes import integer, ints
from latebind.ir.node import Node
from latebind.ir.types import TensorType

# Positions


def as_positions(context: Context, indices: Term, extent: int) -> Term:
    """Return indices as int64; what does not fit becomes `extent`, which is outside too."""
    if indices.type.dtype.name == "uint64":
        outside = context.call(torch.lt, indices, 0, type=indices.type)
        indices = context.call(torch.masked_fill, indices, outside, extent, type=indices.type.with_dtype(INT64))
    return converted(context, indices, INT64)


def clamped(context: Context, indices: Term, last: int) -> Term:
    """Return indices as int64 that are moved into `[0, last]`."""
    if indices.constant is not None:
        return context.tensor(np.clip(indices.constant, 0, last).astype(np.int64))
    indices = as_positions(context, indices, last)
    return context.call(torch.clamp, indices, 0, last, type=indices.type)


# Windows at start indices


@Context.register("stablehlo::dynamic_slice")
def dynamic_slice(context: Context, node: Node, operands: Terms) -> Terms:
    """A view, or `index_select` where the start indices cannot be read."""
    operand, *starts = operands
    source, type = node.operands[0].type, node.types[0]
    if type is source or not operand.type.shape:
        return (operand,)
    return (_window(context, context.full(operand, source), type.shape, starts, view=not context.indexes_with_tensors),)


def _window(context: Context, operand: Term, sizes: tuple[int, ...], starts: Terms, *, view: bool) -> Term:
    """Return the window of these sizes at start indices, moved inside."""
    for dimension, (extent, size, start) in enumerate(zip(operand.type.shape, sizes, starts, strict=True)):
        if extent == size:
            continue
        shape = list(operand.type.shape)
        shape[dimension] = size
        type = operand.type.with_shape(tuple(shape))
        if start.constant is not None:
            begin = min(max(int(start.constant), 0), extent - size)
            slices = [slice(None)] * operand.type.rank
            slices[dimension] = slice(begin, begin + size)
            operand = sliced(context, operand, slices)
        elif view:
            start = clamped(context, start, extent - size)
            operand = context.call(torch.narrow, operand, dimension, start, size, type=type)
        else:
            positions = _line(context, start, size, extent)
            operand = context.call(torch.index_select, operand, dimension, positions, type=type)
    return operand


def _line(context: Context, start: Term, size: int, extent: int) -> Term:
    """Return `size` positions from a start that is moved inside."""
    start = clamped(context, start, extent - size)
    return context.elementwise(torch.add, (context.tensor(np.arange(size)), start), INT64)


@Context.register("stablehlo::dynamic_update_slice")
def dynamic_update_slice(context: Context, node: Node, operands: Terms) -> Terms:
    """Assignment to a view, in place where the operand dies."""
    operand, update, *starts = operands
    type, sizes = node.types[0], node.operands[1].shape
    if sizes == type.shape:
        return (update,)
    if 0 in sizes:
        return (operand,)
    result = context.fresh(operand, type)
    if context.indexes_with_tensors and any(start.constant is None for start in starts):
        positions = []
        for dimension, (extent, size, start) in enumerate(zip(type.shape, sizes, starts, strict=True)):
            shape = (size, *(1,) * (type.rank - dimension - 1))
            positions.append(reshaped(context, _line(context, start, size, extent), shape))
        context.call("index_put_", result, positions, context.full(update, type.with_shape(sizes)), type=type)
    else:
        target = _window(context, result, sizes, starts, view=True)
        context.call("copy_", target, update, type=target.type)
    return (result,)


# Gather


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """How the index vectors of a gather or scatter address a tensor; StableHLO's names in brackets.

    Attributes
    ----------
    shape : tuple of int
        Shape of the tensor that is indexed.
    vector_axis : int
        Dimension of the indices that holds the index vectors (`index_vector_dim`).
    batch_shape : tuple of int
        Shape of the indices without it.
    indexed : tuple of int
        Dimension of the tensor for each item of an index vector (`start_index_map`, `scatter_dims_to_operand_dims`).
    batching : tuple of (int, int)
        Pairs of a dimension of the tensor and one of the batch shape that go together.
    window_dims : tuple of int
        Dimensions of the tensor that windows keep, in order.
    sizes : tuple of int
        Extent of the window for each dimension of the tensor.
    """

    shape: tuple[int, ...]
    vector_axis: int
    batch_shape: tuple[int, ...]
    indexed: tuple[int, ...]
    batching: tuple[tuple[int, int], ...]
    window_dims: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def lead(self) -> tuple[int, ...]:
        """Batch shape, then the extents of the window."""
        return self.batch_shape + tuple(self.sizes[dimension] for dimension in self.window_dims)

    @property
    def picks_elements(self) -> bool:
        """Whether indices pick single positions of some dimensions, and windows are full in all others."""
        return (
            bool(self.indexed)
            and not self.batching
            and all(
                (dimension not in self.indexed and self.sizes[dimension] == extent)
                if dimension in self.window_dims
                else dimension in self.indexed
                for dimension, extent in enumerate(self.shape)
            )
        )

    def columns(self, context: Context, indices: Term) -> list[Term]:
        """Return each item of the index vectors, in the batch shape."""
        if self.vector_axis == len(self.batch_shape) == indices.type.rank:
            return [indices]
        type = indices.type.with_shape(self.batch_shape)
        if indices.constant is not None:
            parts = np.moveaxis(indices.constant, self.vector_axis, 0)
            return [context.tensor(np.asarray(part)) for part in parts]
        return [
            context.call(torch.select, indices, self.vector_axis, position, type=type)
            for position in range(len(self.indexed))
        ]

    def mesh(self, context: Context, columns: Sequence[Term]) -> list[Term]:
        """Return positions for every dimension of the tensor, that broadcast to `lead`, from those of `indexed`."""
        starts = dict(zip(self.indexed, columns, strict=True))
        batch_rank, rank = len(self.batch_shape), len(self.lead)
        mesh = []
        for dimension in range(len(self.shape)):
            start = starts.get(dimension)
            if start is not None:
                positions = reshaped(context, start, self.batch_shape + (1,) * (rank - batch_rank))
            else:
                positions = context.tensor(self._fixed(dimension, rank))
            if dimension in self.window_dims and self.sizes[dimension] > 1:
                at = batch_rank + self.window_dims.index(dimension)
                line = context.tensor(np.arange(self.sizes[dimension]).reshape(_only(rank, at, self.sizes[dimension])))
                positions = context.elementwise(torch.add, (positions, line), INT64)
            mesh.append(positions)
        return mesh

    def _fixed(self, dimension: int, rank: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """Return the start positions of a dimension that is not indexed: those of a batch, or 0."""
        batch = dict(self.batching).get(dimension)
        if batch is None:
            return np.zeros((1,) * rank, np.int64)
        return np.arange(self.batch_shape[batch]).reshape(_only(rank, batch, self.batch_shape[batch]))


def _only(rank: int, dimension: int, extent: int) -> tuple[int, ...]:
    return tuple(extent if d == dimension else 1 for d in range(rank))


def index_plan(node: Node, window_sizes: tuple[int, ...], names: tuple[str, str, str, str]) -> IndexPlan:
    """Return how the indices address operand 0."""
    attributes = node.attributes
    indexed, dropped, batching, index_batching = (ints(attributes, name, ()) for name in names)
    axis, shape = integer(attributes, "index_vector_dim"), node.operands[0].shape
    window_dims = tuple(d for d in range(len(shape)) if d not in dropped and d not in batching)
    sizes = [1] * len(shape)
    for dimension, size in zip(window_dims, window_sizes, strict=True):
        sizes[dimension] = size
    pairs = tuple((d, b - (b > axis)) for d, b in zip(batching, index_batching, strict=True))
    given = node.operands[1].shape
    return IndexPlan(shape, axis, given[:axis] + given[axis + 1 :], indexed, pairs, window_dims, tuple(sizes))


_NAMES: Final = ("start_index_map", "collapsed_slice_dims", "operand_batching_dims", "start_indices_batching_dims")


@Context.register("stablehlo::gather")
def gather(context: Context, node: Node, operands: Terms) -> Terms:
    """`index_select` along one dimension, an index expression in all others."""
    attributes, type = node.attributes, node.types[0]
    if not operands[0].type.shape:
        return (operands[0],)
    if not type.size:
        return (context.full(context.scalar(0, type.dtype), type),)
    sizes = ints(attributes, "slice_sizes")
    dropped = ints(attributes, "collapsed_slice_dims") + ints(attributes, "operand_batching_dims", ())
    kept = tuple(size for dimension, size in enumerate(sizes) if dimension not in dropped)
    plan = index_plan(node, kept, _NAMES)
    operand, indices = full_operands(context, node, operands)
    columns = [
        clamped(context, column, plan.shape[dimension] - plan.sizes[dimension])
        for column, dimension in zip(plan.columns(context, indices), plan.indexed, strict=True)
    ]
    offset = ints(attributes, "offset_dims")
    if plan.picks_elements and len(columns) == 1:
        return (_take(context, operand, columns[0], plan, offset),)
    order = tuple(int(d) for d in np.argsort(batch_first(type.rank, offset)))
    if plan.picks_elements:
        operand = transposed(context, operand, plan.indexed + plan.window_dims)
        mesh = columns
    else:
        mesh = plan.mesh(context, columns)
        mesh[0] = context.full(mesh[0], TensorType.of(plan.lead, INT64))
    picked = context.call(torch.ops.aten.index.Tensor, operand, mesh, type=type.with_shape(plan.lead))
    return (transposed(context, picked, order),)


def batch_first(rank: int, window: tuple[int, ...]) -> tuple[int, ...]:
    """Return the dimensions of a value with those of the window last."""
    return (*(dimension for dimension in range(rank) if dimension not in window), *window)


def _take(context: Context, operand: Term, positions: Term, plan: IndexPlan, offset: tuple[int, ...]) -> Term:
    """Return the elements that the indices pick along one dimension."""
    (axis,) = plan.indexed
    before, after = plan.shape[:axis], plan.shape[axis + 1 :]
    line = reshaped(context, positions, (positions.type.size,))
    type = operand.type.with_shape((*before, positions.type.size, *after))
    taken = context.call(torch.index_select, operand, axis, line, type=type)
    taken = reshaped(context, taken, (*before, *plan.batch_shape, *after))
    rank, count = taken.type.rank, len(plan.batch_shape)
    batch_dims = iter(range(axis, axis + count))
    others = iter([*range(axis), *range(axis + count, rank)])
    return transposed(context, taken, tuple(next(others if d in offset else batch_dims) for d in range(rank)))
