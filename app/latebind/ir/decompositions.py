"""Rewriting a graph until a backend can lower every node of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from latebind.errors import UnsupportedOpError, VerificationError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value, types_of
from latebind.ir.opkind import OpKind
from latebind.ir.optable import lookup

#: Decompositions inside one another; more is a decomposition that comes back to its own operation.
MAX_DEPTH: Final = 64


def decompose(results: Sequence[Value], supports: Callable[[OpKind], bool], builder: IrBuilder) -> list[Value]:
    """Rewrite a graph so that every node is core, a leaf, or supported.

    Parameters
    ----------
    results
        What the graph computes.
    supports
        Whether the backend lowers an operation itself.
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
        return _Rewriter(supports, builder).run(results)
    finally:
        builder.origin = origin


class _Rewriter:
    """State of one rewriting: iterative, because graphs are deeper than Python's recursion limit."""

    def __init__(self, supports: Callable[[OpKind], bool], builder: IrBuilder) -> None:
        self.supports = supports
        self.builder = builder
        self.legal: dict[OpKind, bool] = {}
        self.done: dict[Node, tuple[Value, ...]] = {}
        self.expansions: dict[Node, tuple[Value, ...]] = {}
        self.open_expansions = 0

    def run(self, results: Sequence[Value]) -> list[Value]:
        for result in results:
            self._rewrite(result.node)
        return [self.done[result.node][result.index] for result in results]

    def _rewrite(self, root: Node) -> None:
        """Fill `done` for a node and everything that it depends on."""
        done, stack = self.done, [root]
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
                continue
            expansion = self.expansions.get(node)
            waiting = [v.node for v in (node.operands if expansion is None else expansion) if v.node not in done]
            if waiting:
                stack.extend(reversed(waiting))
            elif expansion is not None:
                self.done[node] = tuple(done[v.node][v.index] for v in expansion)
                self.open_expansions -= 1
            else:
                self._visit(node, tuple(done[v.node][v.index] for v in node.operands))

    def _visit(self, node: Node, operands: tuple[Value, ...]) -> None:
        """Keep a node that is legal, expand one that is not; its operands are rewritten."""
        builder = self.builder
        builder.origin = node.origin
        if self._is_legal(node.kind):
            if any(new.node is not old.node for new, old in zip(operands, node.operands, strict=True)):
                node_new = builder.make_generic(node.kind, operands, node.attributes, types=node.types)
                self.done[node_new] = tuple(Value(node_new, i) for i in range(len(node.types)))
                self.done[node] = self.done[node_new]
            else:
                self.done[node] = tuple(Value(node, i) for i in range(len(node.types)))
            return
        definition = lookup(node.kind)
        if definition is None or definition.decompose is None:
            raise UnsupportedOpError(f"{node.kind} is neither supported by the backend nor core nor decomposed")
        expansion = tuple(definition.decompose(builder, operands, node.attributes))
        if types_of(expansion) != node.types:
            raise VerificationError(f"the decomposition of {node!r} gives {types_of(expansion)}")
        self.expansions[node] = expansion
        self.open_expansions += 1
        if self.open_expansions > MAX_DEPTH:
            raise VerificationError(f"the decomposition of {node.kind} has no end")

    def _is_legal(self, kind: OpKind) -> bool:
        """Whether nodes of a kind may stay."""
        legal = self.legal.get(kind)
        if legal is None:
            definition = lookup(kind)
            core = definition is not None and (definition.core or definition.leaf)
            legal = self.legal[kind] = core or self.supports(kind)
        return legal
