"""A graph as StableHLO-like text, with the user's source lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from latebind.ir.attributes import array
from latebind.ir.node import Attributes, AttributeValue, Node, Value, post_order, types_of
from latebind.ir.opkind import OpKind
from latebind.ir.types import ELEMENT_NAMES, TensorType

#: Constants with more elements are abbreviated.
MAX_ELEMENTS: Final = 16

#: Attributes that only repeat the result type.
_IN_TYPE: Final = frozenset({"shape", "dtype"})


def to_text(
    name: str,
    parameters: Sequence[Node],
    results: Sequence[Value],
    locate: Callable[[int], str] | None = None,
) -> str:
    """Print a graph as a function in the manner of StableHLO's text form.

    Parameters
    ----------
    name
        Name of the function.
    parameters
        Leaves that are its arguments, in order.
    results
        What it returns.
    locate
        From a node's origin to `"file.py:12"`, or to an empty string where there is no line.

    Returns
    -------
    str
        One line per node, operands before users.
    """
    names: dict[Node, str] = {node: f"%arg{i}" for i, node in enumerate(parameters)}
    lines = []
    for node in post_order(results):
        if node in names:
            continue
        names[node] = f"%{len(names) - len(parameters)}"
        lines.append(f"  {_statement(node, names)}{_location(node, locate)}")
    arguments = ", ".join(f"{names[node]}: {node.types[0]!r}" for node in parameters)
    outputs = ", ".join(map(repr, types_of(results)))
    returned = ", ".join(_reference(value, names) for value in results)
    head = f"func.func @{name}({arguments}) -> ({outputs}) {{"
    return "\n".join([head, *lines, f"  return {returned} : {outputs}", "}"]) + "\n"


def _reference(value: Value, names: dict[Node, str]) -> str:
    """Name of a value: `%3`, or `%3#1` for an output of a node with several."""
    name = names[value.node]
    return name if len(value.node.types) == 1 else f"{name}#{value.index}"


def _statement(node: Node, names: dict[Node, str]) -> str:
    """Print one node: name, operation, operands, attributes, types."""
    count = len(node.types)
    target = names[node] if count == 1 else f"{names[node]}:{count}"
    operands = [_reference(operand, names) for operand in node.operands]
    words = [*operands, *describe_attributes(node.kind, node.attributes)]
    mnemonic = f"{node.kind.namespace}.{node.kind.name}"
    return f"{target} = {mnemonic} {', '.join(words)}".rstrip() + f" : {_signature(node)}"


def _signature(node: Node) -> str:
    """Types of a node: one where all are the same, `(operands) -> results` otherwise."""
    types = types_of(node.operands)
    if len(node.types) == 1 and all(type is node.types[0] for type in types):
        return repr(node.types[0])
    outputs = ", ".join(map(repr, node.types))
    return f"({', '.join(map(repr, types))}) -> {outputs if len(node.types) == 1 else f'({outputs})'}"


def describe_attributes(kind: OpKind, attributes: Attributes) -> list[str]:
    """Return the attributes as printed: `dimensions = [0, 1]`; those that the result type shows are left out."""
    if kind.name == "constant" and "value" in attributes:
        return [_dense(attributes)]
    return [
        f"{name} = {_attribute(value)}"
        for name, value in sorted(attributes.items())
        if name not in _IN_TYPE and value is not None
    ]


def _attribute(value: AttributeValue) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_attribute, value))}]"
    if isinstance(value, OpKind):
        return f"{value.namespace}.{value.name}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, np.dtype):
        return ELEMENT_NAMES[value.name]
    if isinstance(value, np.ndarray):
        return _dense({"value": value})
    return repr(value) if isinstance(value, TensorType | int | float | complex) else str(value)


def _dense(attributes: Attributes) -> str:
    """Print a constant: `dense<1.0>`, `dense<[1, 2]>`, or its first elements where there are many."""
    value = array(attributes)
    if value.size > MAX_ELEMENTS:
        first = ", ".join(_element(item) for item in value.ravel()[: MAX_ELEMENTS // 2].tolist())
        return f"dense<[{first}, ...]>"
    return f"dense<{_nested(value.tolist())}>"


def _nested(items: object) -> str:
    return f"[{', '.join(map(_nested, items))}]" if isinstance(items, list) else _element(items)


def _element(item: object) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, complex):
        return f"({item.real!r}, {item.imag!r})"
    return repr(item)


def _location(node: Node, locate: Callable[[int], str] | None) -> str:
    """Print the user's line of a node in MLIR's form: `loc("file.py":12)`."""
    where = locate(node.origin) if locate is not None and node.origin >= 0 else ""
    if not where:
        return ""
    filename, separator, line = where.rpartition(":")
    return f' loc("{filename}":{line})' if separator and line.isdecimal() else f' loc("{where}")'
