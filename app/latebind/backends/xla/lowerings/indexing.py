"""Indexing by data: dynamic slices, gather and scatter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.lowerings.elementwise import combined
from latebind.backends.xla.mlir import array_attribute, dims
from latebind.ir.attributes import body_kind, integer, ints
from latebind.ir.node import Node

_INT64 = np.dtype(np.int64)


def _signed_indices(context: Context, indices: Emitted) -> Emitted:
    """Return indices in a signed type that holds every position; narrow ones would wrap where XLA clamps them."""
    if indices.type.dtype.kind == "i" and indices.type.dtype.itemsize >= 4:
        return indices
    if indices.type.dtype == np.uint64:
        indices = context.op("minimum", indices, context.splat(np.iinfo(np.int64).max, indices.type))
    return context.convert(indices, _INT64)


@Context.register("stablehlo::dynamic_slice")
def dynamic_slice(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own, which clamps the starts."""
    operand, *starts = operands
    if not starts:
        return (operand,)
    starts = [_signed_indices(context, start) for start in starts]
    sizes = array_attribute(ints(node.attributes, "slice_sizes"))
    return context.ops("dynamic_slice", (operand, *starts), node.types, f"slice_sizes = {sizes}")


@Context.register("stablehlo::dynamic_update_slice")
def dynamic_update_slice(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own, which clamps the starts."""
    operand, update, *starts = operands
    if not starts:
        return (update,)
    starts = [_signed_indices(context, start) for start in starts]
    return context.ops("dynamic_update_slice", (operand, update, *starts), node.types)


def _numbers(node: Node, names: tuple[str, ...]) -> str:
    """Return dimension numbers; empty lists are left out."""
    listed = [f"{name} = {dims(values)}" for name in names if (values := ints(node.attributes, name, ()))]
    return ", ".join([*listed, f"index_vector_dim = {integer(node.attributes, 'index_vector_dim')}"])


def _flag(node: Node, name: str) -> str:
    return f"{name} = {'true' if node.attributes.get(name) is True else 'false'}"


_GATHER_NAMES = (
    "offset_dims",
    "collapsed_slice_dims",
    "operand_batching_dims",
    "start_indices_batching_dims",
    "start_index_map",
)
_SCATTER_NAMES = (
    "update_window_dims",
    "inserted_window_dims",
    "input_batching_dims",
    "scatter_indices_batching_dims",
    "scatter_dims_to_operand_dims",
)


@Context.register("stablehlo::gather")
def gather(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own, which clamps the starts."""
    operand, indices = operands
    numbers = _numbers(node, _GATHER_NAMES)
    attributes = (
        f"dimension_numbers = #stablehlo.gather<{numbers}>, "
        f"slice_sizes = {array_attribute(ints(node.attributes, 'slice_sizes'))}, {_flag(node, 'indices_are_sorted')}"
    )
    return context.ops("gather", (operand, _signed_indices(context, indices)), node.types, attributes)


@Context.register("stablehlo::scatter")
def scatter(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own, with windows of one position along the indexed dimensions.

    Where a larger window stands out in part, StableHLO skips the elements outside, but XLA the whole window.
    """
    operand, indices, updates = operands
    plan = ScatterPlan.of(node)
    indices = _signed_indices(context, indices)
    if not plan.scatter_dims_to_operand_dims:
        indices, plan = _with_index_zero(context, plan, indices, operand.type.rank)
    if plan.spread:
        indices, updates = _spread_windows(context, plan, indices, updates)
        plan = plan.with_windows_spread(updates.type.rank)
    body = body_kind(node.attributes, "update_computation")
    scalar = operand.type.with_shape(())

    def update(pair: Operands) -> Operands:
        return (pair[1] if body is None else combined(context, body.name, *pair),)

    attributes = (
        f"scatter_dimension_numbers = #stablehlo.scatter<{plan.numbers()}>, "
        f"{_flag(node, 'indices_are_sorted')}, {_flag(node, 'unique_indices')}"
    )
    region = context.region((scalar, scalar), update)
    return context.ops("scatter", (operand, indices, updates), node.types, attributes, region)


@dataclass(frozen=True, slots=True)
class ScatterPlan:
    """Dimension numbers of a scatter, under StableHLO's names, and what follows from them.

    Attributes
    ----------
    spread : tuple of (int, int)
        Dimension of the updates and of the operand for each window dimension that is indexed and longer than 1.
    """

    update_window_dims: tuple[int, ...]
    inserted_window_dims: tuple[int, ...]
    input_batching_dims: tuple[int, ...]
    scatter_indices_batching_dims: tuple[int, ...]
    scatter_dims_to_operand_dims: tuple[int, ...]
    index_vector_dim: int
    spread: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, node: Node) -> ScatterPlan:
        """Return the plan of a node."""
        window, inserted, batching, index_batching, indexed = (
            ints(node.attributes, name, ()) for name in _SCATTER_NAMES
        )
        shape = node.operands[2].shape
        kept = [d for d in range(len(node.types[0].shape)) if d not in inserted and d not in batching]
        spread = tuple((u, d) for u, d in zip(window, kept, strict=True) if d in indexed and shape[u] > 1)
        axis = integer(node.attributes, "index_vector_dim")
        return cls(window, inserted, batching, index_batching, indexed, axis, spread)

    def numbers(self) -> str:
        """Return StableHLO's attribute; empty lists are left out."""
        lists = [f"{name} = {dims(values)}" for name in _SCATTER_NAMES if (values := getattr(self, name))]
        return ", ".join([*lists, f"index_vector_dim = {self.index_vector_dim}"])

    def with_windows_spread(self, rank: int) -> ScatterPlan:
        """Return the plan for indices and updates of `_spread_windows`: batch, spread windows, remaining windows."""
        left = len(self.update_window_dims) - len(self.spread)
        return ScatterPlan(
            tuple(range(rank - left, rank)),
            tuple(sorted({*self.inserted_window_dims, *(d for _, d in self.spread)})),
            self.input_batching_dims,
            tuple(b - (b > self.index_vector_dim) for b in self.scatter_indices_batching_dims),
            self.scatter_dims_to_operand_dims,
            rank - left,
            (),
        )


def _with_index_zero(context: Context, plan: ScatterPlan, indices: Emitted, rank: int) -> tuple[Emitted, ScatterPlan]:
    """Return index vectors of one zero instead of empty ones, of which XLA applies the first only."""
    free = [d for d in range(rank) if d not in plan.input_batching_dims]
    if not free:
        return indices, plan
    axis = plan.index_vector_dim
    batch = tuple(extent for d, extent in enumerate(indices.type.shape) if d != axis)
    zeros = context.splat(0, indices.type.with_shape((*batch, 1)))
    others = tuple(b - (b > axis) for b in plan.scatter_indices_batching_dims)
    return zeros, replace(
        plan,
        scatter_indices_batching_dims=others,
        scatter_dims_to_operand_dims=(free[0],),
        index_vector_dim=len(batch),
    )


def _spread_windows(context: Context, plan: ScatterPlan, indices: Emitted, updates: Emitted) -> tuple[Emitted, Emitted]:
    """Return one index vector for each position of the windows along indexed dimensions, and the updates to match."""
    length, axis = len(plan.scatter_dims_to_operand_dims), plan.index_vector_dim
    if axis == indices.type.rank:
        indices = context.op("reshape", indices, type=indices.type.with_shape((*indices.type.shape, 1)))
    order = (*(d for d in range(indices.type.rank) if d != axis), axis)
    indices = _transposed(context, indices, order)
    batch = indices.type.shape[:-1]
    sizes = tuple(updates.type.shape[u] for u, _ in plan.spread)
    full = indices.type.with_shape((*batch, *sizes, length))
    outer = array_attribute((*range(len(batch)), full.rank - 1))
    indices = context.op("broadcast_in_dim", indices, type=full, attributes=f"broadcast_dimensions = {outer}")
    for position, (_, dimension) in enumerate(plan.spread, len(batch)):
        step = context.op("iota", type=full, attributes=f"iota_dimension = {position} : i64")
        column = context.op("iota", type=full, attributes=f"iota_dimension = {full.rank - 1} : i64")
        here = context.compare("EQ", column, context.splat(plan.scatter_dims_to_operand_dims.index(dimension), full))
        indices = context.op("add", indices, context.select(here, step, context.splat(0, full)))
    spread = [u for u, _ in plan.spread]
    batches = [u for u in range(updates.type.rank) if u not in plan.update_window_dims]
    rest = [u for u in plan.update_window_dims if u not in spread]
    return indices, _transposed(context, updates, (*batches, *spread, *rest))


def _transposed(context: Context, operand: Emitted, order: tuple[int, ...]) -> Emitted:
    if order == tuple(range(len(order))):
        return operand
    type = operand.type.with_shape(tuple(operand.type.shape[d] for d in order))
    return context.op("transpose", operand, type=type, attributes=f"permutation = {array_attribute(order)}")
