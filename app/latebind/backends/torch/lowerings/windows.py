"""Reductions of sliding windows."""

from __future__ import annotations

import math
import operator
from itertools import product
from typing import Final

from latebind.backends.torch.lowering import Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.movement import padded, sliced
from latebind.backends.torch.lowerings.reductions import body_of, combined, reduced
from latebind.ir.attributes import ints, pairs
from latebind.ir.node import Node

#: Windows of at most so many elements are combined element by element, each for all windows at once.
SMALL_WINDOW: Final = 32


@Context.register("stablehlo::reduce_window")
def reduce_window(context: Context, node: Node, operands: Terms) -> Terms:
    """Combine strided views of the padded operand, or reduce the windows that `unfold` shows."""
    operand, initial = operands
    source, type, attributes = node.operands[0].type, node.types[0], node.attributes
    window, strides, base, dilations = (
        ints(attributes, name) for name in ("window_dimensions", "window_strides", "base_dilations", "window_dilations")
    )
    padding = pairs(attributes, "padding")
    if not type.size or not source.rank:
        return (combined(context, body_of(node), (operand, initial), type.dtype),) if type.size else (initial,)
    operand = context.full(operand, source)
    if any(low or high for low, high in padding) or any(dilation > 1 for dilation in base):
        shape = tuple(
            low + (0 if extent == 0 else (extent - 1) * dilation + 1) + high
            for extent, dilation, (low, high) in zip(source.shape, base, padding, strict=True)
        )
        lows, interiors = tuple(low for low, _ in padding), tuple(dilation - 1 for dilation in base)
        operand = padded(context, operand, initial, shape, lows, interiors)
    reduce = _by_offset if math.prod(window) <= SMALL_WINDOW else _by_window
    result = reduce(context, operand, node, window, strides, dilations)
    return (combined(context, body_of(node), (result, initial), type.dtype),)


def _by_offset(
    context: Context,
    operand: Term,
    node: Node,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> Term:
    """Combine, for each position in the window, the elements that all windows have there."""
    body, type, result = body_of(node), node.types[0], None
    for offset in product(*map(range, window)):
        starts = tuple(map(operator.mul, offset, dilations))
        slices = [
            slice(start, start + (count - 1) * stride + 1, stride)
            for start, count, stride in zip(starts, type.shape, strides, strict=True)
        ]
        part = sliced(context, operand, slices)
        result = part if result is None else combined(context, body, (result, part), type.dtype)
    assert result is not None
    return result


def _by_window(
    context: Context,
    operand: Term,
    node: Node,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> Term:
    """Reduce a view that has the windows as additional dimensions."""
    rank = operand.type.rank
    for dimension in range(rank):
        span = (window[dimension] - 1) * dilations[dimension] + 1
        shape = list(operand.type.shape)
        shape[dimension] = (shape[dimension] - span) // strides[dimension] + 1
        type = operand.type.with_shape((*shape, span))
        operand = context.call("unfold", operand, dimension, span, strides[dimension], type=type)
    slices = [slice(None)] * rank + [slice(None, None, dilation) for dilation in dilations]
    operand = sliced(context, operand, slices)
    return reduced(context, operand, tuple(range(rank, 2 * rank)), body_of(node))
