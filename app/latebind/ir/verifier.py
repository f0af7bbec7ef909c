"""The verifier: a graph keeps the invariants of the IR, or the operation that breaks one is named."""

from __future__ import annotations

from collections.abc import Sequence

from latebind.errors import LatebindError, VerificationError
from latebind.ir.builder import form_of
from latebind.ir.node import Node, Value, post_order, types_of
from latebind.ir.optable import lookup
from latebind.ir.types import TensorType


def verify(results: Sequence[Value]) -> None:
    """Check every node that the results depend on.

    Raises
    ------
    VerificationError
        If an operand is not an output of a node, a node depends on itself, an operation is unknown, operand count or
        attributes do not fit the op table, or the types are not those that inference gives.
    """
    for result in results:
        _check_value(result, "a result")
    seen: set[Node] = set()
    for node in post_order(results):
        for position, operand in enumerate(node.operands):
            _check_value(operand, f"operand {position} of {node!r}")
            if operand.node not in seen:
                raise VerificationError(f"operand {position} of {node!r} depends on that node itself")
        _check_node(node)
        seen.add(node)


def _check_value(value: Value, what: str) -> None:
    if not isinstance(value, Value) or not isinstance(value.node, Node):
        raise VerificationError(f"{what} is not a value: {value!r}")
    if not 0 <= value.index < len(value.node.types):
        raise VerificationError(f"{what} is output {value.index} of {value.node!r}, which has {len(value.node.types)}")


def _check_node(node: Node) -> None:
    """Check one node against its entry in the op table."""
    definition = lookup(node.kind)
    if definition is None:
        raise VerificationError(f"{node!r}: the op table has no operation {node.kind}")
    if not all(isinstance(type, TensorType) for type in node.types):
        raise VerificationError(f"{node!r}: a result type is not a TensorType")
    form = form_of(node.kind)
    try:
        form.check_operand_count(len(node.operands))
        form.check_attribute_names(node.attributes)
        inferred = node.types[:1] if definition.leaf else definition.infer(types_of(node.operands), node.attributes)
    except LatebindError as error:
        raise VerificationError(f"{node!r} at record {node.origin}: {error}") from error
    if tuple(inferred) != tuple(node.types):
        raise VerificationError(f"{node!r} at record {node.origin}: inference gives {tuple(inferred)}")
