"""A difference in words: the subgraph as IR text, its inputs, and what both backends made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latebind.backends.interface import HostArray
from latebind.backends.shadow.comparison import Difference
from latebind.backends.shadow.narrowing import Culprit, Values
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value
from latebind.ir.print_text import to_text


def describe_difference(difference: Difference, primary: str, reference: str) -> str:
    """Return how far apart two results are, in one line."""
    one, other = difference.values
    where = f"at {list(difference.first)}: " if difference.first else ""
    ulp = f", {difference.ulp} ulp" if difference.ulp is not None else ""
    beyond = f"{difference.count} of {difference.size} elements"
    allowed = f"rtol={difference.rtol:.2g}, atol={difference.atol:.2g}" if difference.ulp is not None else "equality"
    return (
        f"{beyond} beyond {allowed}; the first {where}{one!r} ({primary}) and {other!r} ({reference}); "
        f"at most {difference.absolute:.3g} absolute, {difference.relative:.3g} relative{ulp}"
    )


def describe_culprit(culprit: Culprit, primary: str, reference: str) -> str:
    """Return the smallest subgraph that differs, with its inputs and both results."""
    parameters, result = _cut(culprit.nodes, culprit.inputs, culprit.result)
    lines = [to_text("differs", parameters, [result]).rstrip()]
    lines += [f"%arg{position} = {_excerpt(value)}" for position, value in enumerate(culprit.inputs.values())]
    width = max(len(primary), len(reference))
    lines += [
        f"{primary:<{width}} = {_excerpt(culprit.primary)}",
        f"{reference:<{width}} = {_excerpt(culprit.reference)}",
        describe_difference(culprit.difference, primary, reference),
    ]
    return "\n".join(lines)


def _cut(nodes: Sequence[Node], inputs: Values, result: Value) -> tuple[list[Node], Value]:
    """Copy a subgraph with leaves in place of the values that come from outside."""
    builder = IrBuilder()
    copies = {value: builder.make_parameter(value.type).value() for value in inputs}
    parameters = [copy.node for copy in copies.values()]
    for node in nodes:
        operands = tuple(copies[operand] for operand in node.operands)
        copy = Node(node.kind, operands, node.types, node.attributes, node.origin)
        copies.update((node.value(index), copy.value(index)) for index in range(len(node.types)))
    return parameters, copies[result]


def _excerpt(array: HostArray) -> str:
    """Return an array's elements, of a large one the first and the last, exactly as they are."""
    text = np.array2string(
        array,
        threshold=16,
        edgeitems=3,
        separator=", ",
        max_line_width=10_000,
        formatter={"all": lambda element: repr(element.item() if hasattr(element, "item") else element)},
    )
    return " ".join(text.split())
