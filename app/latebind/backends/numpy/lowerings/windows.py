"""Reductions of sliding windows."""

from __future__ import annotations

import numpy as np

from latebind.backends.numpy.kernels.windows import WindowReduction, padding_slices
from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables
from latebind.backends.numpy.lowerings.reductions import body_of
from latebind.ir.attributes import ints, pairs
from latebind.ir.node import Node


@Context.register("stablehlo::reduce_window")
def reduce_window(context: Context, node: Node, operands: Variables) -> Variables:
    """A plan with all positions worked out."""
    operand, initial = operands
    source, type, attributes = node.operands[0].type, node.types[0], node.attributes
    window, strides, base, dilations = (
        ints(attributes, name) for name in ("window_dimensions", "window_strides", "base_dilations", "window_dilations")
    )
    padding = pairs(attributes, "padding")
    padded_shape = tuple(
        max(0, low + (0 if extent == 0 else (extent - 1) * dilation + 1) + high)
        for extent, dilation, (low, high) in zip(source.shape, base, padding, strict=True)
    )
    lows = tuple(low for low, _ in padding)
    interiors = tuple(dilation - 1 for dilation in base)
    taken, placed = padding_slices(source.shape, padded_shape, lows, interiors)
    plain = not any(interiors) and not any(low or high for low, high in padding)
    plan = WindowReduction(
        body=getattr(np, body_of(node)),
        shape=type.shape,
        padded_shape=None if plain else padded_shape,
        taken=taken,
        placed=placed,
        window=window,
        strides=strides,
        dilations=dilations,
    )
    text = f"{context.plan(plan)}({{0}}, {{1}})"
    return (context.expression(text, (context.full(operand, source), initial), type),)
