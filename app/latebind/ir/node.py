"""Nodes and values: an operation in the graph, and one of its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from latebind.ir.opkind import OpKind
from latebind.ir.types import DType, TensorType

#: What an attribute of a node may be. Arrays are read-only constants; an `OpKind` names the body of a reduction.
AttributeValue: TypeAlias = (
    "bool | int | float | complex | str | OpKind | DType | TensorType | npt.NDArray[np.generic]"
    " | tuple[AttributeValue, ...] | None"
)
Attributes: TypeAlias = Mapping[str, AttributeValue]


class Node:
    """An operation applied to values. Immutable once built; made by an `IrBuilder` only.

    Attributes
    ----------
    kind : OpKind
    operands : tuple of Value
    types : tuple of TensorType
        One per output.
    attributes : mapping
        Read-only by convention.
    origin : int
        Position in the recording of the operation that this node comes from; -1 if it comes from none.
    """

    __slots__ = ("attributes", "kind", "operands", "origin", "types")

    def __init__(
        self,
        kind: OpKind,
        operands: tuple[Value, ...],
        types: tuple[TensorType, ...],
        attributes: Attributes,
        origin: int = -1,
    ) -> None:
        self.kind = kind
        self.operands = operands
        self.types = types
        self.attributes = attributes
        self.origin = origin

    def value(self, index: int = 0) -> Value:
        """Return one output of this node."""
        return Value(self, index)

    def __repr__(self) -> str:
        return f"<{self.kind} -> {', '.join(map(repr, self.types))}>"


class Value:
    """One output of a node. Equal when node and index are the same."""

    __slots__ = ("index", "node")

    def __init__(self, node: Node, index: int = 0) -> None:
        self.node = node
        self.index = index

    @property
    def type(self) -> TensorType:
        """Shape and dtype of this value."""
        return self.node.types[self.index]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.types[self.index].shape

    @property
    def dtype(self) -> DType:
        return self.node.types[self.index].dtype

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self.node is other.node and self.index == other.index

    def __hash__(self) -> int:
        return hash((id(self.node), self.index))

    def __repr__(self) -> str:
        return f"<value {self.index} of {self.node!r}>"


def post_order(results: Iterable[Value]) -> list[Node]:
    """Return every node that the results depend on, operands before their users, each once.

    Iterative: graphs are deeper than Python's recursion limit.
    """
    order: list[Node] = []
    state: dict[int, bool] = {}
    for result in results:
        stack: list[tuple[Node, bool]] = [(result.node, False)]
        while stack:
            node, expanded = stack.pop()
            if expanded:
                if not state[id(node)]:
                    state[id(node)] = True
                    order.append(node)
                continue
            if id(node) in state:
                continue
            state[id(node)] = False
            stack.append((node, True))
            stack.extend((operand.node, False) for operand in reversed(node.operands))
    return order


def types_of(values: Sequence[Value]) -> tuple[TensorType, ...]:
    """Return the type of each value."""
    return tuple(value.type for value in values)
