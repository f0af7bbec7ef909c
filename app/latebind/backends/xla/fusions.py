"""Which of XLA's fused kernels each node of a graph ends up in.

XLA keeps the location of a StableHLO operation through its passes as `op_name`. So the graph is lowered with a location
per node, compiled, and the optimised module read: an instruction of a fused computation that still has a node's
location runs in the kernel of that fusion.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from latebind.backends.interface import BackendDevice
from latebind.backends.xla.lowering import XlaLoweringContext
from latebind.ir.node import Node, Value

_MARK: Final = "latebind_node_"
_COMPUTATION: Final = re.compile(r"^(?:ENTRY )?%?([\w.-]+) \(.*\{$")
_CALL: Final = re.compile(r"%?([\w.-]+) = .* fusion\(.*calls=%?([\w.-]+)")
_NODE: Final = re.compile(rf'op_name="{_MARK}(\d+)"')


def marked_text(device: BackendDevice, inputs: Sequence[Value], nodes: Sequence[Node], results: Sequence[Value]) -> str:
    """Return a StableHLO module in which every operation has the number of its node as its location."""
    context = XlaLoweringContext("fusions", device)
    for position, value in enumerate(inputs):
        context.add_parameter(value, f"p{position}")
    for number, node in enumerate(nodes):
        first = len(context.lines)
        context.lower(node)
        context.lines[first:] = [f'{line} loc("{_MARK}{number}")' for line in context.lines[first:]]
    for value in results:
        context.add_result(value)
    return context.build().text


def fusions_in(modules: Sequence[str], nodes: Sequence[Node]) -> dict[Node, str]:
    """Return the fusion of each node that is in one, from the text of optimised modules with the nodes' numbers."""
    members: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for module in modules:
        computation = ""
        for line in module.splitlines():
            if (head := _COMPUTATION.match(line)) is not None:
                computation = head[1]
            elif (call := _CALL.search(line)) is not None:
                names[call[2]] = call[1]
            elif (mark := _NODE.search(line)) is not None:
                members.setdefault(computation, []).append(int(mark[1]))
    found: dict[Node, str] = {}
    for computation, name in names.items():
        for number in members.get(computation, ()):
            found.setdefault(nodes[number], name)  # what is computed in several is shown in the first
    return found
