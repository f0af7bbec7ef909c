"""Random numbers: a kernel each."""

from __future__ import annotations

from collections.abc import Callable

from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables
from latebind.ir.attributes import integer, text
from latebind.ir.node import Node
from latebind.ir.ops.variate_samplers import SAMPLERS


def _draw(kernel: str) -> Callable[[Context, Node, Variables], Variables]:
    def lower(context: Context, node: Node, operands: Variables) -> Variables:
        type = node.types[0]
        return (context.expression(f"{kernel}({{0}}, {type.shape}, {type.dtype.name})", operands, type),)

    return lower


for _operation in ("bits", "uniform", "normal"):
    Context.register(f"random::{_operation}")(_draw(f"philox_{_operation}"))


@Context.register("random::integers")
def integers(context: Context, node: Node, operands: Variables) -> Variables:
    """A kernel that works on a piece at a time."""
    type = node.types[0]
    template = f"philox_integers({{0}}, {{1}}, {{2}}, {type.shape}, {type.dtype.name})"
    return (context.expression(template, operands, type),)


@Context.register("random::advance")
def advance(context: Context, node: Node, operands: Variables) -> Variables:
    """The counter in Python integers: it is four words long."""
    blocks = integer(node.attributes, "blocks")
    return (context.expression(f"philox_advance({{0}}, {blocks})", operands, node.types[0]),)


@Context.register("random::variate")
def variate(context: Context, node: Node, operands: Variables) -> Variables:
    """A kernel that makes proposals only for the elements that are still without a number."""
    type = node.types[0]
    group, period, start = (integer(node.attributes, name) for name in ("group", "period", "start"))
    sampler = text(node.attributes, "sampler", tuple(SAMPLERS))
    given = (operands[0], *(context.full(one, type) for one in operands[1:]))
    named = ", ".join(f"{{{place}}}" for place in range(1, len(given)))
    template = f"philox_variates({{0}}, ({named},), {sampler!r}, {group}, {period}, {start})"
    return (context.expression(template, given, type),)


@Context.register("random::order")
def order(context: Context, node: Node, operands: Variables) -> Variables:
    """A kernel, which sorts faster than `argsort` does."""
    keys = context.full(operands[0], node.operands[0].type)
    dimension = integer(node.attributes, "dimension")
    return (context.expression(f"order_of_words({{0}}, {dimension})", (keys,), node.types[0]),)
