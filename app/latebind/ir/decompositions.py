"""Rewriting a graph until a backend can lower every node of it.

A decomposition is run once per operation, operand types and attributes, on placeholders; the simplified outcome is a
*template* that is copied for every node of that signature. So a decomposition may look at its operands' types, not at
the nodes that they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from latebind.errors import UnsupportedOpError, VerificationError
from latebind.ir.attributes import key_of_all
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Attributes, Node, Value, post_order, types_of
from latebind.ir.opkind import OpKind
from latebind.ir.optable import lookup
from latebind.ir.simplify import simplify
from latebind.ir.types import TensorType

#: A value in a template: position of its node (inputs count from the end: -1 is the first) and output.
Slot: TypeAlias = tuple[int, int]
Step: TypeAlias = tuple[OpKind, tuple[Slot, ...], Attributes, tuple[TensorType, ...]]


def decompose(results: Sequence[Value], lowers: Callable[[Node], bool], builder: IrBuilder) -> list[Value]:
    """Rewrite a graph so that every node is core, a leaf, or supported.

    Parameters
    ----------
    results
        What the graph computes.
    lowers
        Whether the backend lowers a node itself: its operation, for its types.
    builder
        Makes the new nodes; they take the origin of the node that they replace.

    Returns
    -------
    list of Value
        The results in the rewritten graph. Nodes that need no change are kept, shared ones stay shared.

    Raises
    ------
    UnsupportedOpError
        If an operation is neither supported nor core and has no decomposition.
    VerificationError
        If a decomposition is wrong: result types that differ, or no end.
    """
    origin = builder.origin
    try:
        return _Rewriter(lowers, builder).run(results)
    finally:
        builder.origin = origin


@dataclass(frozen=True, slots=True)
class _Template:
    """The legal form of one operation, to be copied."""

    steps: tuple[Step, ...]
    results: tuple[Slot, ...]

    def instantiate(self, builder: IrBuilder, operands: Sequence[Value]) -> tuple[Value, ...]:
        """Copy the nodes of the template, on these operands."""
        nodes: list[Node] = []

        def value(slot: Slot) -> Value:
            step, output = slot
            return Value(nodes[step], output) if step >= 0 else operands[-1 - step]

        for kind, slots, attributes, types in self.steps:
            nodes.append(builder.make_generic(kind, [value(slot) for slot in slots], attributes, types=types))
        return tuple(value(slot) for slot in self.results)


class _Rewriter:
    """Rewrites in post-order. Templates live as long as one rewriting: backends support different operations."""

    def __init__(self, lowers: Callable[[Node], bool], builder: IrBuilder) -> None:
        self.lowers = lowers
        self.builder = builder
        self.stays: dict[OpKind, bool] = {}
        self.templates: dict[Hashable, _Template | None] = {}

    def run(self, results: Sequence[Value]) -> list[Value]:
        """Return the results of the rewritten graph."""
        done: dict[Node, tuple[Value, ...]] = {}
        builder = self.builder
        for node in post_order(results):
            operands = tuple([done[v.node][v.index] for v in node.operands])
            builder.origin = node.origin
            if not self._is_legal(node):
                done[node] = self._template(node).instantiate(builder, operands)
                continue
            if any(new.node is not old.node for new, old in zip(operands, node.operands, strict=True)):
                made = builder.make_generic(node.kind, operands, node.attributes, types=node.types)
            else:
                made = node
            done[node] = tuple([Value(made, i) for i in range(len(node.types))])
        return [done[v.node][v.index] for v in results]

    def _is_legal(self, node: Node) -> bool:
        """Whether a node may stay: there is no decomposition, or the backend lowers it."""
        stays = self.stays.get(node.kind)
        if stays is None:
            definition = lookup(node.kind)
            stays = self.stays[node.kind] = definition is not None and (definition.core or definition.leaf)
        return stays or self.lowers(node)

    def _template(self, node: Node) -> _Template:
        """Return the template of a node's signature; `None` in the table marks one that is being made."""
        key = (node.kind, types_of(node.operands), key_of_all(node.attributes), node.types)
        template = self.templates.get(key)
        if template is None:
            if key in self.templates:
                raise VerificationError(f"the decomposition of {node.kind} comes back to {node!r}")
            self.templates[key] = None
            origin = self.builder.origin
            template = self.templates[key] = self._make_template(node)
            self.builder.origin = origin
        return template

    def _make_template(self, node: Node) -> _Template:
        """Decompose on placeholders, rewrite what that gives, and take down the outcome."""
        definition = lookup(node.kind)
        if definition is None or definition.decompose is None:
            raise UnsupportedOpError(f"{node.kind} is neither supported by the backend nor core nor decomposed")
        inputs = [self.builder.make_parameter(operand.type) for operand in node.operands]
        expansion = definition.decompose(self.builder, [leaf.value() for leaf in inputs], node.attributes)
        if types_of(expansion) != node.types:
            raise VerificationError(f"the decomposition of {node!r} gives {types_of(expansion)}")
        legal = simplify(self.run(expansion), self.builder)
        positions: dict[Node, int] = {leaf: -1 - i for i, leaf in enumerate(inputs)}
        steps: list[Step] = []
        for inner in post_order(legal):
            if inner not in positions:
                slots = tuple((positions[v.node], v.index) for v in inner.operands)
                positions[inner] = len(steps)
                steps.append((inner.kind, slots, inner.attributes, inner.types))
        return _Template(tuple(steps), tuple((positions[v.node], v.index) for v in legal))
