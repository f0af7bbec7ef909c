"""A graph in Graphviz's DOT language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latebind.ir.node import Node, Value, post_order
from latebind.ir.print_text import describe_attributes


def to_dot(
    name: str,
    parameters: Sequence[Node],
    results: Sequence[Value],
    locate: Callable[[int], str] | None = None,
) -> str:
    """Print a graph as a DOT digraph: operations are boxes, parameters ellipses, results double octagons.

    Parameters
    ----------
    name
        Name of the graph.
    parameters
        Leaves that are its arguments, in order.
    results
        What it returns.
    locate
        From a node's origin to `"file.py:12"`, or to an empty string where there is no line.
    """
    known = set(parameters)
    order = [*parameters, *(node for node in post_order(results) if node not in known)]
    names = {node: f"n{i}" for i, node in enumerate(order)}
    lines = [f"digraph {_quoted(name)} {{", "  node [shape=box, fontname=monospace];"]
    for position, node in enumerate(parameters):
        lines.append(f"  {names[node]} [shape=ellipse, label={_quoted(f'%arg{position}', repr(node.types[0]))}];")
    for node in order[len(parameters) :]:
        lines.append(f"  {names[node]} [label={_quoted(*_label(node, locate))}];")
        for position, operand in enumerate(node.operands):
            lines.append(f"  {names[operand.node]} -> {names[node]}{_edge(operand, position, len(node.operands))};")
    for position, result in enumerate(results):
        lines.append(f"  r{position} [shape=doubleoctagon, label={_quoted(f'result {position}')}];")
        lines.append(f"  {names[result.node]} -> r{position}{_edge(result, 0, 1)};")
    return "\n".join([*lines, "}"]) + "\n"


def _label(node: Node, locate: Callable[[int], str] | None) -> list[str]:
    """Return the lines of a node's box: operation, attributes, types, user line."""
    where = locate(node.origin) if locate is not None and node.origin >= 0 else ""
    types = ", ".join(map(repr, node.types))
    lines = [node.kind.qualified, *describe_attributes(node.kind, node.attributes), types, where]
    return [line for line in lines if line]


def _edge(value: Value, position: int, count: int) -> str:
    """Return an edge's attributes: operand position where there are several, output where the source has several."""
    words = [str(position)] if count > 1 else []
    if len(value.node.types) > 1:
        words.append(f"#{value.index}")
    return f" [label={_quoted(' '.join(words))}]" if words else ""


def _quoted(*lines: str) -> str:
    r"""Return lines as a DOT string, joined by DOT's own `\n`."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
