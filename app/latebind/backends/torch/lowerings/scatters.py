"""Scatter: updates are combined into rows of the operand, seen as a matrix.

If indices pick positions of leading dimensions, a row is all that lies behind one position; in general it is one
element. Updates that fall outside are redirected so that they change nothing, which keeps all shapes static.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from latebind.backends.torch.dtypes import carrier
from latebind.backends.torch.kernels import unsigned
from latebind.backends.torch.kernels.folding import last_of_runs, segments_folded
from latebind.backends.torch.lowering import BOOL, INT64, Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.elementwise import family
from latebind.backends.torch.lowerings.indexing import IndexPlan, as_positions, batch_first, index_plan
from latebind.backends.torch.lowerings.movement import full_operands, reshaped, transposed
from latebind.backends.torch.lowerings.reductions import body_of, combiner, identity_of
from latebind.ir.attributes import ints
from latebind.ir.node import Node
from latebind.ir.types import DType, TensorType

_NAMES: Final = (
    "scatter_dims_to_operand_dims",
    "inserted_window_dims",
    "input_batching_dims",
    "scatter_indices_batching_dims",
)
#: Reductions of `scatter_reduce_`, by body and family.
_REDUCTIONS: Final[dict[str, dict[str, str]]] = {
    "stablehlo::add": {"b": "amax", "i": "sum", "y": "sum", "u": "sum", "f": "sum", "c": "sum"},
    "stablehlo::multiply": {"b": "amin", "i": "prod", "y": "prod", "u": "prod", "f": "prod"},
    "stablehlo::maximum": {"b": "amax", "i": "amax", "y": "amax", "u": "amax", "f": "amax"},
    "stablehlo::minimum": {"b": "amin", "i": "amin", "y": "amin", "u": "amin", "f": "amin"},
    "stablehlo::and": {"b": "amin"},
    "stablehlo::or": {"b": "amax"},
}


@Context.register("stablehlo::scatter")
def scatter(context: Context, node: Node, operands: Terms) -> Terms:
    """In place where the operand dies."""
    type, updates_type = node.types[0], node.operands[2].type
    if not updates_type.size or not type.size:
        return (operands[0],)
    window = ints(node.attributes, "update_window_dims")
    plan = index_plan(node, tuple(updates_type.shape[d] for d in window), _NAMES)
    indices, updates = full_operands(context, node, operands)[1:]
    updates = transposed(context, updates, batch_first(updates_type.rank, window))
    positions, inside = _positions(context, plan, indices)
    count = positions.type.size
    result = context.fresh(operands[0], type)
    width = updates_type.size // count
    rows = context.call("view", result, (type.size // width, width), type=type.with_shape((type.size // width, width)))
    updates = reshaped(context, updates, (count, width))
    _combine(context, node, rows, positions, inside, updates)
    return (result,)


def _positions(context: Context, plan: IndexPlan, indices: Term) -> tuple[Term, Term | None]:
    """Return the row of each update, and whether it is inside; `None` if all are known to be."""
    columns = [
        as_positions(context, column, plan.shape[dimension])
        for column, dimension in zip(plan.columns(context, indices), plan.indexed, strict=True)
    ]
    lead_indexed = plan.picks_elements and plan.indexed == tuple(range(len(plan.indexed)))
    if lead_indexed:
        dimensions, lead = plan.indexed, plan.batch_shape
        mesh = columns
    else:
        dimensions, lead = tuple(range(len(plan.shape))), plan.lead
        mesh = plan.mesh(context, columns)
    flat: Term | None = None
    inside: Term | None = None
    for dimension, position in zip(dimensions, mesh, strict=True):
        extent = plan.shape[dimension]
        if dimension in plan.indexed:
            valid = context.kernel(_is_inside, position, type=position.type.with_dtype(BOOL), extent=extent)
            inside = valid if inside is None else context.elementwise(torch.logical_and, (inside, valid), BOOL)
        if flat is not None:
            flat = context.elementwise(torch.mul, (flat, context.scalar(extent, INT64)), INT64)
            position = context.elementwise(torch.add, (flat, position), INT64)
        flat = position
    size = math.prod(lead)
    if flat is None:
        flat = context.tensor(np.zeros(lead, np.int64))
    flat = reshaped(context, context.full(flat, TensorType.of(lead, INT64)), (size,))
    if inside is not None:
        inside = reshaped(context, context.full(inside, TensorType.of(lead, BOOL)), (size,))
    return flat, inside


def _is_inside(position: Tensor, *, extent: int) -> Tensor:
    return torch.logical_and(torch.ge(position, 0), torch.lt(position, extent))


def _combine(context: Context, node: Node, rows: Term, positions: Term, inside: Term | None, updates: Term) -> None:
    """Add the calls that combine updates into rows, in place."""
    dtype, count = rows.type.dtype, positions.type.size
    if node.attributes["update_computation"] is None:
        unique = node.attributes.get("unique_indices") is True or count == 1
        _emit(context, _assign, rows, positions, inside, updates, count=count, ordered=unique or context.is_ordered)
        return
    body = body_of(node, "update_computation")
    reduction = _REDUCTIONS[body].get(family(dtype))
    if reduction is not None:
        _emit(
            context, _reduce, rows, positions, inside, updates,
            reduction=reduction, identity=_identity(body, dtype),
            flip=carrier(dtype) if family(dtype) == "u" and reduction != "sum" and reduction != "prod" else None,
        )  # fmt: skip
        return
    combine = combiner(body, dtype)
    _emit(context, _fold, rows, positions, inside, updates, combine=combine, count=count, last=rows.type.shape[0])


def _emit(
    context: Context, kernel: Any, rows: Term, positions: Term, inside: Term | None, updates: Term, **options: Any
) -> None:
    context.kernel(kernel, rows, positions, inside, updates, type=rows.type, **options)


def _identity(body: str, dtype: DType) -> bool | int | float | None:
    """Return what an update that falls outside becomes; of unsigned integers as the signed one with the same bits."""
    if dtype.kind == "b":
        return None
    identity = identity_of(body, dtype)
    if family(dtype) == "u" and body in ("stablehlo::maximum", "stablehlo::minimum"):
        info = torch.iinfo(carrier(dtype))
        return int(info.min if body == "stablehlo::maximum" else info.max)
    return -0.0 if dtype.kind == "f" and body == "stablehlo::add" else identity


def _spread(positions: Tensor, updates: Tensor) -> Tensor:
    """Return the row of each element of the updates."""
    return positions.unsqueeze(1).expand_as(updates)


def _assign(
    rows: Tensor, positions: Tensor, inside: Tensor | None, updates: Tensor, *, count: int, ordered: bool
) -> Tensor:
    """Assign; where positions repeat, the last one stays. An update that is outside repeats the last that is inside."""
    if not ordered:
        positions, inside, updates = _without_repetitions(positions, inside, updates, count=count)
    if inside is not None:
        order = torch.cumsum(torch.ones_like(positions), 0)
        rank = torch.masked_fill(order, torch.logical_not(inside), 0)
        last = torch.argmax(rank, 0, True)
        none = torch.eq(torch.index_select(rank, 0, last), 0)
        target = torch.masked_fill(torch.index_select(positions, 0, last), none, 0)
        value = torch.where(none.unsqueeze(1), rows[0:1], torch.index_select(updates, 0, last))
        positions = torch.where(inside, positions, target)
        updates = torch.where(inside.unsqueeze(1), updates, value)
    return rows.scatter_(0, _spread(positions, updates), updates)


def _without_repetitions(
    positions: Tensor, inside: Tensor | None, updates: Tensor, *, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return sorted positions, whether each is inside and the last of its kind, and the updates that go with them."""
    if inside is not None:
        positions = torch.where(inside, positions, -1)
    by_position = torch.sort(positions, dim=0, stable=True)
    positions = by_position[0]
    wanted = torch.logical_and(last_of_runs(positions, count=count), torch.ge(positions, 0))
    return positions, wanted, torch.index_select(updates, 0, by_position[1])


def _reduce(
    rows: Tensor,
    positions: Tensor,
    inside: Tensor | None,
    updates: Tensor,
    *,
    reduction: str,
    identity: bool | int | float | None,
    flip: torch.dtype | None,
) -> Tensor:
    """Combine with a reduction that PyTorch has; an update that is outside becomes the identity, for row 0."""
    if inside is not None:
        positions = torch.where(inside, positions, 0)
        outside = torch.logical_not(inside).unsqueeze(1)
        if identity is not None:
            updates = torch.masked_fill(updates, outside, identity)
        elif reduction == "amax":
            updates = torch.logical_and(updates, inside.unsqueeze(1))
        else:
            updates = torch.logical_or(updates, outside)
    where = _spread(positions, updates)
    if reduction == "sum":
        return rows.scatter_add_(0, where, updates)
    if flip is None:
        return rows.scatter_reduce_(0, where, updates, reduction, include_self=True)
    # The identity is that of the flipped order already.
    flipped = unsigned.flipped(updates, dtype=flip)
    if inside is not None:
        assert identity is not None
        flipped = torch.masked_fill(flipped, torch.logical_not(inside).unsqueeze(1), identity)
    signed = unsigned.flipped(rows, dtype=flip).scatter_reduce_(0, where, flipped, reduction, include_self=True)
    return rows.copy_(unsigned.flipped(signed, dtype=flip))


def _fold(
    rows: Tensor, positions: Tensor, inside: Tensor | None, updates: Tensor, *, combine: Any, count: int, last: int
) -> Tensor:
    """Combine the updates of each position first, then with its row, with any body."""
    if inside is not None:
        positions = torch.where(inside, positions, last)
    positions, updates, is_last = segments_folded(positions, updates, combine=combine, count=count)
    if inside is not None:
        is_last = torch.logical_and(is_last, torch.lt(positions, last))
        positions = torch.clamp(positions, max=last - 1)
    updates = combine(torch.index_select(rows, 0, positions), updates)
    return _assign(rows, positions, is_last, updates, count=count, ordered=True)
