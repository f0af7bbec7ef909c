"""Conversions between dtypes, with NumPy's results where a value does not fit."""

from __future__ import annotations

from typing import Final

import numpy as np

from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.lowerings.complexes import parts
from latebind.ir.attributes import element_type
from latebind.ir.node import Node
from latebind.ir.types import DType

_FLOAT32: Final = np.dtype(np.float32)
_INT32: Final = np.dtype(np.int32)
_INT64: Final = np.dtype(np.int64)
_UINT64: Final = np.dtype(np.uint64)


@Context.register("stablehlo::convert", "lazy_tensors::cast")
def convert(context: Context, node: Node, operands: Operands) -> Operands:
    """NumPy's `astype`; of complex numbers the real part, but booleans look at both parts."""
    (operand,) = operands
    source, target = operand.type.dtype, element_type(node.attributes)
    if source == target:
        return operands
    if target.kind == "b":
        return (context.compare("NE", operand, context.splat(0, operand.type)),)
    if source.kind == "c" and target.kind != "c":
        operand = parts(context, operand)[0]
        source = operand.type.dtype
    if source.kind == "f" and target.kind in "iu":
        return (float_to_integer(context, operand, target),)
    return (context.convert(operand, target),)


def float_to_integer(context: Context, operand: Emitted, target: DType) -> Emitted:
    """Convert as x86-64 does: what does not fit is the smallest integer of 32 or 64 bits, then wrapped."""
    if operand.type.dtype.itemsize == 2:
        operand = context.convert(operand, _FLOAT32)
    if target == _UINT64:
        return _to_uint64(context, operand)
    wide = _INT64 if target.itemsize == 8 or target == np.uint32 else _INT32
    return context.convert(_truncate(context, operand, wide), target)


def _truncate(context: Context, operand: Emitted, wide: DType) -> Emitted:
    """Return the integer part, or the smallest integer where it does not fit."""
    limit = 2.0 ** (8 * wide.itemsize - 1)
    fits = context.op(
        "and",
        context.compare("GE", operand, context.splat(-limit, operand.type)),
        context.compare("LT", operand, context.splat(limit, operand.type)),
    )
    converted = context.convert(operand, wide)
    return context.select(fits, converted, context.splat(int(-limit), converted.type))


def _to_uint64(context: Context, operand: Emitted) -> Emitted:
    """Convert the upper half less 2^63, and flip the highest bit afterwards."""
    limit = context.splat(2.0**63, operand.type)
    upper = context.compare("GE", operand, limit)
    shifted = context.select(upper, context.op("subtract", operand, limit), operand)
    bits = context.convert(_truncate(context, shifted, _INT64), _UINT64)
    flipped = context.op("xor", bits, context.splat(1 << 63, bits.type))
    return context.select(upper, flipped, bits)
