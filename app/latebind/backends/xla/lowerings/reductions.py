"""Reductions and windowed reductions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.lowerings.elementwise import combined
from latebind.backends.xla.mlir import array_attribute, pairs_attribute
from latebind.ir.attributes import array, body_kind, ints, pairs
from latebind.ir.node import Node, Value
from latebind.ir.types import DType, TensorType

_FLOAT32 = np.dtype(np.float32)


def _region(context: Context, body: str, type: TensorType) -> str:
    scalar = type.with_shape(())
    return context.region((scalar, scalar), lambda pair: (combined(context, body, *pair),))


def _widened(context: Context, body: str, operands: Operands) -> Operands:
    """Return float16 operands of sums and products as float32: rounded once at the end, as NumPy does."""
    if body in ("add", "multiply") and operands[0].type.dtype == np.float16:
        return [context.convert(operand, _FLOAT32) for operand in operands]
    return operands


def identity(body: str, dtype: DType) -> bool | int | float | complex:
    """Return what leaves any value as it is when combined with it."""
    if body in ("add", "or"):
        return 0
    if body == "multiply":
        return 1
    if body == "and":
        return True if dtype.kind == "b" else int(np.array(-1).astype(dtype))
    sign = -1 if body == "maximum" else 1
    if dtype.kind == "c":
        return complex(sign * math.inf, sign * math.inf)
    if dtype.kind == "f":
        return sign * math.inf
    if dtype.kind == "b":
        return sign > 0
    limits = np.iinfo(dtype.name)
    return int(limits.min if sign < 0 else limits.max)


def _is_identity(value: Value, body: str) -> bool:
    if value.node.kind.name not in ("constant", "tensor_data"):
        return False
    known = array(value.node.attributes)
    return known.tobytes() == np.array(identity(body, known.dtype)).astype(known.dtype).tobytes()


@Context.register("stablehlo::reduce")
def reduce(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own, from the identity: it may combine an initial value any number of times."""
    body = _body_of(node)
    type = node.types[0]
    operand, initial = _widened(context, body, operands)
    dtype = operand.type.dtype
    start = context.splat(identity(body, dtype), initial.type)
    (result,) = context.ops(
        "reduce",
        (operand, start),
        (type.with_dtype(dtype),),
        f"dimensions = {array_attribute(ints(node.attributes, 'dimensions'))}",
        _region(context, body, operand.type),
    )
    if not _is_identity(node.operands[1], body):
        result = combined(context, body, result, context.broadcast(initial, type.shape))
    return (context.convert(result, type.dtype),)


@Context.register("stablehlo::reduce_window")
def reduce_window(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own, from the identity; a scalar is its only window.

    The specification pads with the initial value, and combines it once more with each window.
    """
    body = _body_of(node)
    type, attributes = node.types[0], node.attributes
    if not node.operands[0].shape:
        return (combined(context, body, *operands),)
    operand, initial = _widened(context, body, operands)
    dtype = operand.type.dtype
    padding, base = pairs(attributes, "padding"), ints(attributes, "base_dilations")
    plain = _is_identity(node.operands[1], body)
    if not plain:
        operand = _padded(context, operand, initial, padding, base)
        padding, base = ((0, 0),) * len(base), (1,) * len(base)
    lists = {name: ints(attributes, name) for name in ("window_dimensions", "window_strides", "window_dilations")}
    listed = ", ".join(
        f"{name} = {array_attribute(values)}" for name, values in {**lists, "base_dilations": base}.items()
    )
    (result,) = context.ops(
        "reduce_window",
        (operand, context.splat(identity(body, dtype), initial.type)),
        (type.with_dtype(dtype),),
        f"{listed}, padding = {pairs_attribute(padding)}",
        _region(context, body, operand.type),
    )
    if not plain:
        result = combined(context, body, result, context.broadcast(initial, type.shape))
    return (context.convert(result, type.dtype),)


def _body_of(node: Node) -> str:
    body = body_kind(node.attributes)
    assert body is not None  # the type rule refuses a node without one
    return body.name


def _padded(
    context: Context, operand: Emitted, value: Emitted, padding: Sequence[tuple[int, int]], base: Sequence[int]
) -> Emitted:
    """Return the operand with its dilation and padding made explicit."""
    shape = tuple(
        low + (max(extent - 1, 0) * dilation + min(extent, 1)) + high
        for extent, dilation, (low, high) in zip(operand.type.shape, base, padding, strict=True)
    )
    lows, highs = zip(*padding, strict=True)
    attributes = (
        f"edge_padding_low = {array_attribute(lows)}, edge_padding_high = {array_attribute(highs)}, "
        f"interior_padding = {array_attribute(dilation - 1 for dilation in base)}"
    )
    return context.op("pad", operand, value, type=operand.type.with_shape(shape), attributes=attributes)
