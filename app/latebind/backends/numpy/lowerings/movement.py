"""Operations that make or move elements: most are views, and a broadcast is not made where NumPy broadcasts anyway."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from latebind.backends.numpy.kernels.windows import padding_slices
from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables
from latebind.backends.numpy.statements import Variable
from latebind.ir.attributes import array, element_type, integer, ints
from latebind.ir.node import Node

#: An iota of at most this extent is built once per computation, a longer one in each call.
CONSTANT_IOTA: Final = 4096


@Context.register("stablehlo::constant", "lazy_tensors::tensor_data")
def constant(context: Context, node: Node, operands: Variables) -> Variables:
    """A global of the generated function."""
    return (context.constant(array(node.attributes)),)


@Context.register("stablehlo::iota")
def iota(context: Context, node: Node, operands: Variables) -> Variables:
    """`arange` along the dimension, with extents of 1 after it."""
    type = node.types[0]
    dimension = integer(node.attributes, "iota_dimension")
    count = type.shape[dimension]
    shape = (count, *(1,) * (type.rank - dimension - 1))
    if count <= CONSTANT_IOTA:
        return (context.constant(np.arange(count).astype(type.dtype).reshape(shape)),)
    reshaped = f".reshape({shape})" if len(shape) > 1 else ""
    return (context.expression(f"arange({count}, dtype={type.dtype.name}){reshaped}", (), type.with_shape(shape)),)


@Context.register("stablehlo::get_dimension_size")
def get_dimension_size(context: Context, node: Node, operands: Variables) -> Variables:
    """A constant: all shapes are static here."""
    extent = node.operands[0].shape[integer(node.attributes, "dimension")]
    return (context.scalar(extent, node.types[0].dtype),)


@Context.register("stablehlo::optimization_barrier", "lazy_tensors::tensor_list")
def identity(context: Context, node: Node, operands: Variables) -> Variables:
    """The operands themselves."""
    return operands


@Context.register("stablehlo::broadcast_in_dim")
def broadcast_in_dim(context: Context, node: Node, operands: Variables) -> Variables:
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
    return (reshaped(context, operand, _without_leading_ones(tuple(shape))),)


def _without_leading_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    start = 0
    while start < len(shape) and shape[start] == 1:
        start += 1
    return shape[start:]


def reshaped(context: Context, operand: Variable, shape: tuple[int, ...]) -> Variable:
    """Return the operand in another shape: itself, or a view where NumPy can make one."""
    if operand.type.shape == shape:
        return operand
    return context.view(f"{{0}}.reshape({shape})", (operand,), operand.type.with_shape(shape))


def transposed(context: Context, operand: Variable, permutation: tuple[int, ...]) -> Variable:
    """Return the operand with its dimensions permuted: itself or a view."""
    rank = len(permutation)
    if permutation == tuple(range(rank)):
        return operand
    type = operand.type.with_shape(tuple(operand.type.shape[dimension] for dimension in permutation))
    text = "{0}.T" if permutation == tuple(reversed(range(rank))) else f"{{0}}.transpose({permutation})"
    return context.view(text, (operand,), type)


@Context.register("stablehlo::reshape")
def reshape(context: Context, node: Node, operands: Variables) -> Variables:
    """A view where NumPy can make one."""
    (operand,) = operands
    if not operand.type.shape and node.types[0].size:
        return operands
    return (reshaped(context, context.full(operand, node.operands[0].type), node.types[0].shape),)


@Context.register("stablehlo::transpose")
def transpose(context: Context, node: Node, operands: Variables) -> Variables:
    """A view."""
    if not operands[0].type.shape:
        return operands
    operand = context.full(operands[0], node.operands[0].type)
    return (transposed(context, operand, ints(node.attributes, "permutation")),)


@Context.register("stablehlo::slice")
def slice_(context: Context, node: Node, operands: Variables) -> Variables:
    """Basic slicing: a view."""
    (operand,), source = operands, node.operands[0].type
    if not operand.type.shape or node.types[0] is source:
        return operands
    names = ("start_indices", "limit_indices", "strides")
    columns = zip(source.shape, *(ints(node.attributes, name) for name in names), strict=True)
    items = [_slice_text(*column) for column in columns]
    operand = context.full(operand, source)
    return (context.view(f"{{0}}[{subscript(items)}]", (operand,), node.types[0]),)


def _slice_text(extent: int, start: int, limit: int, stride: int) -> str:
    step = f":{stride}" if stride != 1 else ""
    return f"{start or ''}:{limit if limit != extent else ''}{step}"


def subscript(items: list[str]) -> str:
    """Join the items of a subscript without the full slices at its end."""
    while len(items) > 1 and items[-1] == ":":
        items.pop()
    return ", ".join(items)


@Context.register("stablehlo::reverse")
def reverse(context: Context, node: Node, operands: Variables) -> Variables:
    """Slicing with negative steps: a view."""
    (operand,), dimensions = operands, ints(node.attributes, "dimensions")
    if not operand.type.shape or not dimensions:
        return operands
    items = ["::-1" if dimension in dimensions else ":" for dimension in range(node.types[0].rank)]
    operand = context.full(operand, node.types[0])
    return (context.view(f"{{0}}[{subscript(items)}]", (operand,), node.types[0]),)


@Context.register("stablehlo::concatenate")
def concatenate(context: Context, node: Node, operands: Variables) -> Variables:
    """`concatenate`; nothing to do for one operand."""
    if len(operands) == 1:
        return operands
    parts = [context.full(part, value.type) for part, value in zip(operands, node.operands, strict=True)]
    places = ", ".join(f"{{{position}}}" for position in range(len(parts)))
    text = f"concatenate(({places}), {integer(node.attributes, 'dimension')})"
    return (context.expression(text, parts, node.types[0]),)


@Context.register("stablehlo::pad")
def pad(context: Context, node: Node, operands: Variables) -> Variables:
    """An array of the padding value, with the operand assigned to a strided window of it."""
    operand, value = operands
    source, type = node.operands[0].type, node.types[0]
    if type is source and not any(ints(node.attributes, "interior_padding")):
        edges = ints(node.attributes, "edge_padding_low")
        if not any(edges):
            return (operand,)
    names = ("edge_padding_low", "interior_padding")
    lows, interiors = (ints(node.attributes, name) for name in names)
    taken, placed = padding_slices(source.shape, type.shape, lows, interiors)
    plan = context.plan((taken, placed))
    text = f"padded({{0}}, {{1}}, {type.shape}, *{plan})"
    return (context.expression(text, (context.full(operand, source), value), type),)


@Context.register("stablehlo::bitcast_convert")
def bitcast_convert(context: Context, node: Node, operands: Variables) -> Variables:
    """A view of the same bits where the item size stays or the array is contiguous."""
    (operand,) = operands
    dtype, type = element_type(node.attributes), node.types[0]
    if dtype.itemsize == operand.type.dtype.itemsize:
        return (context.view(f"{{0}}.view({dtype.name})", operands, operand.type.with_dtype(dtype)),)
    operand = context.full(operand, node.operands[0].type)
    return (context.view(f"bitcast({{0}}, {dtype.name}, {type.shape})", (operand,), type),)


def is_iota_along(node: Node, dimension: int) -> bool:
    """Whether a node is an integer iota along this dimension."""
    return (
        node.kind.qualified == "stablehlo::iota"
        and node.attributes["iota_dimension"] == dimension
        and node.types[0].dtype.kind in "iu"
    )


def full_operands(context: Context, node: Node, operands: Variables) -> list[Variable]:
    """Return the operands in their full shapes."""
    return [context.full(operand, value.type) for operand, value in zip(operands, node.operands, strict=True)]
