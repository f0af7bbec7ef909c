"""Operations that make or move elements."""

from __future__ import annotations

import numpy as np

from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.lowerings.complexes import parts
from latebind.backends.xla.mlir import array_attribute
from latebind.ir.attributes import array, element_type, integer, ints
from latebind.ir.node import Node
from latebind.ir.ops.elementwise import PART_OF
from latebind.ir.types import TensorType


@Context.register("stablehlo::constant", "lazy_tensors::tensor_data")
def constant(context: Context, node: Node, operands: Operands) -> Operands:
    """A constant of the module."""
    return (context.constant(array(node.attributes), node.types[0]),)


@Context.register("stablehlo::iota")
def iota(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own."""
    return context.ops("iota", (), node.types, f"iota_dimension = {integer(node.attributes, 'iota_dimension')} : i64")


@Context.register("stablehlo::get_dimension_size")
def get_dimension_size(context: Context, node: Node, operands: Operands) -> Operands:
    """Shapes are static: a constant."""
    return (context.splat(operands[0].type.shape[integer(node.attributes, "dimension")], node.types[0]),)


@Context.register("stablehlo::reshape")
def reshape(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own; the shape is that of the result type."""
    return (context.op("reshape", operands[0], type=node.types[0]),)


def _with_arrays(operation: str, *names: str) -> None:
    """Register an operation whose attributes are all lists of integers."""

    def lower(context: Context, node: Node, operands: Operands) -> Operands:
        listed = ", ".join(f"{name} = {array_attribute(ints(node.attributes, name))}" for name in names)
        return context.ops(operation, operands, node.types, listed)

    Context.register(f"stablehlo::{operation}")(lower)


_with_arrays("broadcast_in_dim", "broadcast_dimensions")
_with_arrays("transpose", "permutation")
_with_arrays("reverse", "dimensions")
_with_arrays("slice", "start_indices", "limit_indices", "strides")
_with_arrays("pad", "edge_padding_low", "edge_padding_high", "interior_padding")


@Context.register("stablehlo::concatenate")
def concatenate(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own."""
    return context.ops(
        "concatenate", operands, node.types, f"dimension = {integer(node.attributes, 'dimension')} : i64"
    )


@Context.register("stablehlo::bitcast_convert")
def bitcast_convert(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own; complex numbers, for which it has none, as pairs of floats."""
    (operand,) = operands
    source, target = operand.type.dtype, element_type(node.attributes)
    if source == target:
        return operands
    if source.kind != "c":
        return (context.op("bitcast_convert", operand, type=node.types[0]),)
    return (_rejoined(context, _bitcast_parts(context, operand, PART_OF[target]), node.types[0]),)


def _bitcast_parts(context: Context, operand: Emitted, part: np.dtype[np.generic]) -> Emitted:
    """Return the bits of complex numbers as floats of another width, in memory order along the last dimension."""
    separate = parts(context, operand)
    shape = (*operand.type.shape, 1)
    columns = [context.op("reshape", half, type=half.type.with_shape(shape)) for half in separate]
    pair = columns[0].type.with_shape((*operand.type.shape, 2))
    last = f"dimension = {len(shape) - 1} : i64"
    joined = context.op("concatenate", *columns, type=pair, attributes=last)
    if part.itemsize < joined.type.dtype.itemsize:
        return context.op("bitcast_convert", joined, type=TensorType.of((*pair.shape, 2), part))
    return context.op("bitcast_convert", joined, type=TensorType.of(operand.type.shape, part))


def _rejoined(context: Context, floats: Emitted, type: TensorType) -> Emitted:
    """Return floats that alternate real and imaginary parts as complex numbers."""
    pairs = context.op("reshape", floats, type=floats.type.with_shape((*type.shape, 2)))
    rank = len(type.shape)
    halves = []
    for position in range(2):
        column = context.op(
            "slice",
            pairs,
            type=pairs.type.with_shape((*type.shape, 1)),
            attributes=f"start_indices = {array_attribute((*([0] * rank), position))}, "
            f"limit_indices = {array_attribute((*type.shape, position + 1))}, "
            f"strides = {array_attribute([1] * (rank + 1))}",
        )
        halves.append(context.op("reshape", column, type=column.type.with_shape(type.shape)))
    return context.op("complex", *halves, type=type)
