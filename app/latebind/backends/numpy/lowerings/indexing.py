"""Indexing by data: dynamic slices, gather and scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.backends.numpy.kernels.indexing import Gather, IndexPlan, Scatter, clamped
from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables
from latebind.backends.numpy.lowerings.movement import full_operands, reshaped, subscript, transposed
from latebind.backends.numpy.lowerings.reductions import body_of
from latebind.backends.numpy.statements import Variable
from latebind.ir.attributes import integer, ints
from latebind.ir.node import Node
from latebind.ir.types import TensorType

# Windows at start indices


def _window(source: TensorType, sizes: tuple[int, ...], starts: Variables, first: int) -> str:
    """Return the subscript of a window whose start indices are operands from position `first` on."""
    items = []
    for position, (extent, size, start) in enumerate(zip(source.shape, sizes, starts, strict=True), first):
        if extent == size:
            items.append(":")
        elif start.constant is not None:
            begin = min(max(int(start.constant), 0), extent - size)
            items.append(f"{begin or ''}:{begin + size}")
        else:
            items.append(f"slice_at({{{position}}}, {extent - size}, {size})")
    return subscript(items)


@Context.register("stablehlo::dynamic_slice")
def dynamic_slice(context: Context, node: Node, operands: Variables) -> Variables:
    """Basic slicing: a view."""
    operand, *starts = operands
    source, type = node.operands[0].type, node.types[0]
    if type is source or not operand.type.shape:
        return (operand,)
    operand = context.full(operand, source)
    text = f"{{0}}[{_window(source, type.shape, starts, 1)}]"
    return (context.view(text, (operand, *starts), type),)


@Context.register("stablehlo::dynamic_update_slice")
def dynamic_update_slice(context: Context, node: Node, operands: Variables) -> Variables:
    """Basic slice assignment, in place where the operand dies; NumPy allows the two sides to overlap."""
    operand, update, *starts = operands
    type, sizes = node.types[0], node.operands[1].shape
    if sizes == type.shape:
        return (update,)
    if 0 in sizes:
        return (operand,)
    operand = context.materialised(operand, type) if operand.type is not type else operand
    text = f"{{0}}[{_window(type, sizes, starts, 2)}] = {{1}}"
    return (context.update(text, (operand, update, *starts), overlap=True),)


# Gather


def _index_plan(node: Node, window_sizes: tuple[int, ...], names: tuple[str, str, str, str]) -> IndexPlan:
    """Return how the indices address operand 0."""
    attributes = node.attributes
    indexed, dropped, batching, index_batching = (ints(attributes, name, ()) for name in names)
    axis = integer(attributes, "index_vector_dim")
    shape = node.operands[0].shape
    window_dims = tuple(d for d in range(len(shape)) if d not in dropped and d not in batching)
    sizes = [1] * len(shape)
    for dimension, size in zip(window_dims, window_sizes, strict=True):
        sizes[dimension] = size
    pairs = tuple((d, b - (b > axis)) for d, b in zip(batching, index_batching, strict=True))
    return IndexPlan(shape, axis, indexed, pairs, window_dims, tuple(sizes))


_GATHER_NAMES = (
    "start_index_map",
    "collapsed_slice_dims",
    "operand_batching_dims",
    "start_indices_batching_dims",
)
_SCATTER_NAMES = (
    "scatter_dims_to_operand_dims",
    "inserted_window_dims",
    "input_batching_dims",
    "scatter_indices_batching_dims",
)


def _picks_elements(plan: IndexPlan) -> bool:
    """Whether indices pick single positions of some dimensions, and windows are full in all others."""
    return (
        bool(plan.indexed)
        and not plan.batching
        and all(
            (dimension not in plan.indexed and plan.sizes[dimension] == extent)
            if dimension in plan.window_dims
            else dimension in plan.indexed
            for dimension, extent in enumerate(plan.shape)
        )
    )


def _columns(indices: Variable, plan: IndexPlan) -> list[str]:
    """Return the text of each item of the index vectors, with `{1}` for the indices."""
    if plan.vector_axis == indices.type.rank:
        return ["{1}"]
    lead = ":, " * plan.vector_axis
    return [f"{{1}}[{lead}{position}]" for position in range(len(plan.indexed))]


@Context.register("stablehlo::gather")
def gather(context: Context, node: Node, operands: Variables) -> Variables:
    """`take` along one dimension, an index expression where single elements are picked, else a plan."""
    attributes, type = node.attributes, node.types[0]
    if not type.size:
        return (context.expression(f"empty({type.shape}, {type.dtype.name})", (), type),)
    if not operands[0].type.shape:
        return (operands[0],)
    sizes = ints(attributes, "slice_sizes")
    dropped = ints(attributes, "collapsed_slice_dims") + ints(attributes, "operand_batching_dims", ())
    kept = tuple(size for dimension, size in enumerate(sizes) if dimension not in dropped)
    plan = _index_plan(node, kept, _GATHER_NAMES)
    axis, shape = plan.vector_axis, node.operands[1].shape
    batch = shape[:axis] + shape[axis + 1 :]
    operand, indices = full_operands(context, node, operands)
    offset = ints(attributes, "offset_dims")
    if _picks_elements(plan) and len(plan.indexed) == 1:
        return (_take(context, node, operand, indices, plan, batch),)
    order = tuple(int(d) for d in np.argsort(_batch_first(type.rank, offset)))
    if _picks_elements(plan):
        return (_pick(context, operand, indices, plan, batch, order),)
    text = f"{context.plan(Gather(plan, order))}({{0}}, {{1}})"
    return (context.expression(text, (operand, indices), type),)


def _batch_first(rank: int, window: tuple[int, ...]) -> tuple[int, ...]:
    """Return the dimensions of a value with those of the window last."""
    return (*(dimension for dimension in range(rank) if dimension not in window), *window)


def _take(
    context: Context, node: Node, operand: Variable, indices: Variable, plan: IndexPlan, batch: tuple[int, ...]
) -> Variable:
    """Return the elements that the indices pick along one dimension."""
    (axis,) = plan.indexed
    indices = reshaped(context, indices, batch)
    place = f"clamped({{1}}, {plan.shape[axis] - 1})" if indices.type.dtype == np.uint64 else "{1}"
    shape = (*plan.shape[:axis], *batch, *plan.shape[axis + 1 :])
    type = operand.type.with_shape(shape)
    taken = context.expression(f"{{0}}.take({place}, {axis}, None, 'clip')", (operand, indices), type)
    batch_dims = iter(range(axis, axis + len(batch)))
    others = iter([*range(axis), *range(axis + len(batch), len(shape))])
    offset = ints(node.attributes, "offset_dims")
    return transposed(context, taken, tuple(next(others if d in offset else batch_dims) for d in range(len(shape))))


def _pick(
    context: Context,
    operand: Variable,
    indices: Variable,
    plan: IndexPlan,
    batch: tuple[int, ...],
    order: tuple[int, ...],
) -> Variable:
    """Return the elements that index vectors pick from several dimensions."""
    operand = transposed(context, operand, plan.indexed + plan.window_dims)
    lasts = [plan.shape[dimension] - 1 for dimension in plan.indexed]
    if indices.constant is None:
        columns = [indices]
        places = [f"clamped({text}, {last})" for text, last in zip(_columns(indices, plan), lasts, strict=True)]
    else:
        vectors = plan.columns(indices.constant)
        columns = [context.constant(clamped(vector, last)) for vector, last in zip(vectors, lasts, strict=True)]
        places = [f"{{{position}}}" for position in range(1, len(columns) + 1)]
    type = operand.type.with_shape((*batch, *(plan.shape[d] for d in plan.window_dims)))
    picked = context.expression(f"{{0}}[{', '.join(places)}]", (operand, *columns), type)
    return transposed(context, picked, order)


# Scatter


@Context.register("stablehlo::scatter")
def scatter(context: Context, node: Node, operands: Variables) -> Variables:
    """In place where the operand dies; at picked positions of leading dimensions, or with a plan."""
    attributes, type = node.attributes, node.types[0]
    updates_type = node.operands[2].type
    if not updates_type.size or not type.size:
        return (operands[0],)
    window = ints(attributes, "update_window_dims")
    plan = _index_plan(node, tuple(updates_type.shape[d] for d in window), _SCATTER_NAMES)
    indices, updates = full_operands(context, node, operands)[1:]
    operand = context.materialised(operands[0], type) if operands[0].type is not type else operands[0]
    order = _batch_first(updates_type.rank, window)
    body = None if attributes["update_computation"] is None else body_of(node, "update_computation")
    if _picks_elements(plan):
        function = "assign" if body is None else body
        updates = transposed(context, updates, order)
        target = _leading("{0}", plan)
        columns = ", ".join(_columns(indices, plan))
        text = f"{function}_at({target}, {{2}}, {columns})"
    else:
        combine: Any = None if body is None else getattr(np, body).at
        text = f"{context.plan(Scatter(plan, order, combine))}({{0}}, {{1}}, {{2}})"
    return (context.update(text, (operand, indices, updates)),)


def _leading(place: str, plan: IndexPlan) -> str:
    """Return the text of a view that has the indexed dimensions first."""
    permutation = plan.indexed + plan.window_dims
    if permutation == tuple(range(len(permutation))):
        return place
    return f"{place}.transpose({permutation})"
