"""Tensor contraction."""

from __future__ import annotations

from typing import Final

import numpy as np

from latebind.backends.xla.lowering import Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.mlir import dims
from latebind.ir.attributes import ints
from latebind.ir.node import Node

_GROUPS: Final = ("lhs_batching", "rhs_batching", "lhs_contracting", "rhs_contracting")
_FLOAT32: Final = np.dtype(np.float32)
_INT32: Final = np.dtype(np.int32)


@Context.register("stablehlo::dot_general")
def dot_general(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own; float16 is accumulated in float32 and rounded once, booleans are counted.

    The precision is the highest: accelerators would otherwise multiply float32 with 10 bits of mantissa.
    """
    lhs, rhs = operands
    type = node.types[0]
    accumulated = type
    if type.dtype.kind == "b":
        lhs, rhs = context.convert(lhs, _INT32), context.convert(rhs, _INT32)
        accumulated = type.with_dtype(_INT32)
    elif type.dtype == np.float16:
        lhs, rhs = context.convert(lhs, _FLOAT32), context.convert(rhs, _FLOAT32)
        accumulated = type.with_dtype(_FLOAT32)
    numbers = ", ".join(
        f"{group}_dimensions = {dims(ints(node.attributes, f'{group}_dimensions'))}" for group in _GROUPS
    )
    highest = "#stablehlo<precision HIGHEST>"
    product = context.op(
        "dot_general",
        lhs,
        rhs,
        type=accumulated,
        attributes=f"dot_dimension_numbers = #stablehlo.dot<{numbers}>, precision_config = [{highest}, {highest}]",
    )
    if type.dtype.kind == "b":
        return (context.compare("NE", product, context.splat(0, accumulated)),)
    return (context.convert(product, type.dtype),)
