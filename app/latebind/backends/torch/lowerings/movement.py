"""Operations that make or move elements: most are views, and a broadcast is not made where PyTorch broadcasts."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import torch

from latebind.backends.torch.dtypes import carrier
from latebind.backends.torch.lowering import INT64, Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.elementwise import converted
from latebind.ir.attributes import array, element_type, integer, ints
from latebind.ir.node import Node
from latebind.ir.types import TensorType

#: An iota of at most this extent is built once per computation, a longer one in each call.
CONSTANT_IOTA: Final = 4096


@Context.register("stablehlo::constant", "lazy_tensors::tensor_data")
def constant(context: Context, node: Node, operands: Terms) -> Terms:
    """A tensor that belongs to the computation."""
    return (context.constant(array(node.attributes)),)


@Context.register("stablehlo::iota")
def iota(context: Context, node: Node, operands: Terms) -> Terms:
    """`arange` along the dimension, with extents of 1 after it."""
    type = node.types[0]
    dimension = integer(node.attributes, "iota_dimension")
    count = type.shape[dimension]
    shape = (count, *(1,) * (type.rank - dimension - 1))
    if count <= CONSTANT_IOTA:
        return (context.constant(np.arange(count).astype(type.dtype).reshape(shape)),)
    line = context.call(
        torch.arange, count, dtype=torch.int64, device=context.torch_device, type=TensorType.of((count,), INT64)
    )
    return (reshaped(context, converted(context, line, type.dtype), shape),)


@Context.register("stablehlo::get_dimension_size")
def get_dimension_size(context: Context, node: Node, operands: Terms) -> Terms:
    """A constant: all shapes are static here."""
    extent = node.operands[0].shape[integer(node.attributes, "dimension")]
    return (context.scalar(extent, node.types[0].dtype),)


@Context.register("stablehlo::optimization_barrier", "lazy_tensors::tensor_list")
def identity(context: Context, node: Node, operands: Terms) -> Terms:
    """The operands themselves."""
    return operands


@Context.register("stablehlo::broadcast_in_dim")
def broadcast_in_dim(context: Context, node: Node, operands: Terms) -> Terms:
    """A reshape that puts extents of 1 where the value repeats; nothing at all where dimensions are aligned."""
    (operand,) = operands
    have = operand.type.shape
    if not have:
        return operands
    dimensions = ints(node.attributes, "broadcast_dimensions")
    extents = (1,) * (len(dimensions) - len(have)) + have
    if any(a > b for a, b in pairwise(dimensions)):
        operand = context.full(operand, node.operands[0].type)
        order = tuple(int(position) for position in np.argsort(dimensions))
        operand = transposed(context, operand, order)
        dimensions, extents = tuple(sorted(dimensions)), operand.type.shape
    shape = [1] * node.types[0].rank
    for dimension, extent in zip(dimensions, extents, strict=True):
        shape[dimension] = extent
    while len(shape) > 1 and shape[0] == 1:
        del shape[0]
    return (reshaped(context, operand, tuple(shape)),)


def reshaped(context: Context, operand: Term, shape: tuple[int, ...]) -> Term:
    """Return the operand in another shape: itself, or a view where PyTorch can make one."""
    if operand.type.shape == shape:
        return operand
    return context.call("reshape", operand, shape, type=operand.type.with_shape(shape))


def transposed(context: Context, operand: Term, permutation: tuple[int, ...]) -> Term:
    """Return the operand with its dimensions permuted: itself or a view."""
    if permutation == tuple(range(len(permutation))):
        return operand
    type = operand.type.with_shape(tuple(operand.type.shape[dimension] for dimension in permutation))
    return context.call("permute", operand, permutation, type=type)


@Context.register("stablehlo::reshape")
def reshape(context: Context, node: Node, operands: Terms) -> Terms:
    """A view where PyTorch can make one."""
    (operand,) = operands
    if not operand.type.shape and node.types[0].size:
        return operands
    return (reshaped(context, context.full(operand, node.operands[0].type), node.types[0].shape),)


@Context.register("stablehlo::transpose")
def transpose(context: Context, node: Node, operands: Terms) -> Terms:
    """A view."""
    if not operands[0].type.shape:
        return operands
    operand = context.full(operands[0], node.operands[0].type)
    return (transposed(context, operand, ints(node.attributes, "permutation")),)


@Context.register("stablehlo::slice")
def slice_(context: Context, node: Node, operands: Terms) -> Terms:
    """Basic slicing: a view."""
    (operand,), source = operands, node.operands[0].type
    if not operand.type.shape or node.types[0] is source:
        return operands
    names = ("start_indices", "limit_indices", "strides")
    columns = (ints(node.attributes, name) for name in names)
    return (sliced(context, context.full(operand, source), list(map(slice, *columns))),)


def sliced(context: Context, operand: Term, slices: Sequence[slice]) -> Term:
    """Return the view that slices with positive steps give; full slices are written `:`."""
    shape = operand.type.shape
    items = tuple(
        slice(None) if item.indices(extent) == (0, extent, 1) else item
        for item, extent in zip(slices, shape, strict=True)
    )
    result = tuple(len(range(*item.indices(extent))) for item, extent in zip(items, shape, strict=True))
    if result == shape:
        return operand
    while items[-1] == slice(None):
        items = items[:-1]
    return context.call(operator.getitem, operand, items, type=operand.type.with_shape(result))


@Context.register("stablehlo::reverse")
def reverse(context: Context, node: Node, operands: Terms) -> Terms:
    """`flip`, which copies: PyTorch has no negative strides."""
    (operand,), dimensions = operands, ints(node.attributes, "dimensions")
    if not operand.type.shape or not dimensions:
        return operands
    return (context.call(torch.flip, context.full(operand, node.types[0]), dimensions, type=node.types[0]),)


@Context.register("stablehlo::concatenate")
def concatenate(context: Context, node: Node, operands: Terms) -> Terms:
    """`cat`; nothing to do for one operand."""
    if len(operands) == 1:
        return operands
    parts = full_operands(context, node, operands)
    return (context.call(torch.cat, parts, integer(node.attributes, "dimension"), type=node.types[0]),)


@Context.register("stablehlo::pad")
def pad(context: Context, node: Node, operands: Terms) -> Terms:
    """A tensor of the padding value, with the operand assigned to a strided window of it."""
    operand, value = operands
    source, type = node.operands[0].type, node.types[0]
    lows, interiors = (ints(node.attributes, name) for name in ("edge_padding_low", "interior_padding"))
    if type is source and not any(interiors) and not any(lows):
        return (operand,)
    return (padded(context, context.full(operand, source), value, type.shape, lows, interiors),)


def padded(
    context: Context,
    operand: Term,
    value: Term,
    shape: tuple[int, ...],
    lows: tuple[int, ...],
    interiors: tuple[int, ...],
) -> Term:
    """Return a tensor of `value` with the operand's elements at `low + i * (interior + 1)` of each dimension."""
    type = operand.type.with_shape(shape)
    result = context.fresh(value, type)
    taken, placed = _padding_slices(operand.type.shape, shape, lows, interiors)
    if type.size and operand.type.size and all(item.stop > item.start for item in taken):
        target, part = sliced(context, result, placed), sliced(context, operand, taken)
        context.call("copy_", target, part, type=part.type)
    return result


def _padding_slices(
    source: tuple[int, ...], shape: tuple[int, ...], lows: tuple[int, ...], interiors: tuple[int, ...]
) -> tuple[list[slice], list[slice]]:
    """Return which elements of an operand survive padding, and where they go."""
    taken, placed = [], []
    for extent, target, low, interior in zip(source, shape, lows, interiors, strict=True):
        step = interior + 1
        first = max(0, -(low // step))
        count = max(0, min(extent, (target - 1 - low) // step + 1) - first)
        start = low + first * step
        taken.append(slice(first, first + count))
        placed.append(slice(start, start + (count - 1) * step + 1, step))
    return taken, placed


@Context.register("stablehlo::bitcast_convert")
def bitcast_convert(context: Context, node: Node, operands: Terms) -> Terms:
    """A view of the same bits; with another item size the last dimension comes or goes."""
    (operand,) = operands
    source, dtype = operand.type.dtype, element_type(node.attributes)
    if carrier(source) is carrier(dtype):
        return (Term(operand.node, operand.type.with_dtype(dtype)),)
    if source.itemsize == dtype.itemsize:
        return (context.call("view", operand, carrier(dtype), type=operand.type.with_dtype(dtype)),)
    operand, type = context.full(operand, node.operands[0].type), node.types[0]
    wide = source.itemsize > dtype.itemsize
    parts = reshaped(context, operand, (*operand.type.shape, 1)) if wide else operand
    dense = context.call("contiguous", parts, type=parts.type)
    shape = type.shape if wide else (*type.shape, 1)
    seen = context.call("view", dense, carrier(dtype), type=TensorType.of(shape, dtype))
    return (reshaped(context, seen, type.shape),)


def is_iota_along(node: Node, dimension: int) -> bool:
    """Whether a node is an integer iota along this dimension."""
    return (
        node.kind.qualified == "stablehlo::iota"
        and node.attributes["iota_dimension"] == dimension
        and node.types[0].dtype.kind in "iu"
    )


def full_operands(context: Context, node: Node, operands: Terms) -> list[Term]:
    """Return the operands in their full shapes."""
    return [context.full(operand, value.type) for operand, value in zip(operands, node.operands, strict=True)]
