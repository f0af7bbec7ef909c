"""Which results are written over tensors that die, and which copies are not needed.

Works on the finished FX graph. A *root* is a node that makes memory (or a parameter or constant); views lead back to
it. Memory may be written when it is fresh or donated and nothing uses it later. Two rewritings follow: an elementwise
call takes a dying operand of its own type as `out`, and a copy that is about to be changed
(`TorchLoweringContext.fresh`) is dropped where the original dies. Results are made contiguous, which is what the rest
of the backend relies on.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import fx

#: Functions and methods whose result may share the memory of their first argument; true if it has all of it.
VIEWS: Final[dict[Any, bool]] = {
    "view": True,
    "reshape": True,
    "permute": True,
    "contiguous": True,
    "unsqueeze": True,
    "squeeze": True,
    "expand": False,
    "expand_as": False,
    "unfold": False,
    torch.narrow: False,
    torch.real: False,
    torch.imag: False,
    torch.view_as_real: True,
    torch.view_as_complex: True,
    torch.select: False,
    operator.getitem: False,
    "copy_": True,
    "scatter_": True,
    "scatter_add_": True,
    "scatter_reduce_": True,
    "index_put_": True,
    "masked_fill_": True,
}
#: Views that keep a contiguous tensor contiguous.
_KEEPS_ORDER: Final = frozenset({"view", "reshape", "contiguous", "unsqueeze", "squeeze", torch.view_as_real})
_NAMES: Final = (
    "abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_not bitwise_or"
    " bitwise_right_shift bitwise_xor ceil conj_physical copysign cos cosh digamma div erf erfc erfinv exp exp2"
    " expm1 floor floor_divide fmod hypot lgamma log log10 log1p log2 logaddexp logical_and logical_or maximum"
    " minimum mul neg nextafter pow reciprocal remainder round rsqrt sigmoid sign sin sinh sqrt square sub tan tanh"
    " trunc"
)
#: Elementwise functions that take `out`, with a result of the operands' dtype.
SAME_DTYPE: Final = frozenset(getattr(torch, name) for name in _NAMES.split())
#: Functions that make a contiguous tensor.
_FACTORIES: Final = frozenset({torch.full, torch.zeros, torch.ones, torch.arange, torch.empty})
#: Smaller results are not worth the bookkeeping at run time (`out` costs what it saves).
_SMALLEST: Final = 64


def plan_memory(
    graph: fx.Graph,
    inputs: Sequence[fx.Node],
    outputs: Sequence[fx.Node],
    donated: set[fx.Node],
    *,
    everything: bool,
) -> tuple[list[fx.Node], tuple[tuple[int, int], ...]]:
    """Rewrite the graph; return the results, and pairs of a result and the parameter whose memory it may see.

    Parameters
    ----------
    everything
        Or only drop copies of donated parameters: engines that plan memory themselves do the rest.
    """
    plan = _Plan(graph, donated)
    plan.follow(outputs)
    for index, node in enumerate(plan.order):
        if node.target is torch.clone:
            plan.drop_copy(index, node, only_parameters=not everything)
        elif everything and node.target in SAME_DTYPE:
            plan.write_over(index, node)
    positions = {node: position for position, node in enumerate(inputs)}
    results, borrowed = [], []
    for position, output in enumerate(outputs):
        output = plan.replaced.get(output, output)
        result = plan.as_result(output)
        results.append(result)
        root = plan.root(result)
        if root in positions:
            borrowed.append((position, positions[root]))
    return results, tuple(borrowed)


class _Plan:
    """What is known of each node: its root, whether it has all of its root's memory, whether it is contiguous."""

    def __init__(self, graph: fx.Graph, donated: set[fx.Node]) -> None:
        self.graph = graph
        self.donated = donated
        self.order: list[fx.Node] = []
        self.roots: dict[fx.Node, fx.Node] = {}
        self.whole: dict[fx.Node, bool] = {}
        self.contiguous: set[fx.Node] = set()
        self.last_use: dict[fx.Node, float] = {}
        self.replaced: dict[fx.Node, fx.Node] = {}

    def root(self, node: fx.Node) -> fx.Node:
        """Return the node that made the memory of this one, after what has been rewritten so far."""
        root = self.roots.get(node, node)
        while root in self.roots and self.roots[root] is not root:
            root = self.roots[root]
        return root

    def follow(self, outputs: Sequence[fx.Node]) -> None:
        """Work out roots and last uses."""
        self.order = list(self.graph.nodes)
        for index, node in enumerate(self.order):
            _infer_type(node)
            source = _source(node)
            self.roots[node] = node if source is None else self.roots[source]
            self.whole[node] = source is None or (self.whole[source] and VIEWS[node.target])
            for operand in node.all_input_nodes:
                self.last_use[self.roots[operand]] = index
            self.last_use.setdefault(node, index)
            if self._is_contiguous(node, source):
                self.contiguous.add(node)
        for output in outputs:
            self.last_use[self.roots[output]] = math.inf

    def _is_contiguous(self, node: fx.Node, source: fx.Node | None) -> bool:
        if node.op in ("placeholder", "get_attr") or node.target is torch.clone or node.target in _FACTORIES:
            return True
        if source is not None:
            return source in self.contiguous and (node.target in _KEEPS_ORDER or str(node.target).endswith("_"))
        if node.target in SAME_DTYPE and "type" in node.meta:
            shape = node.meta["type"][0]
            full = [other for other in node.all_input_nodes if other.meta.get("type", (None,))[0] == shape]
            return bool(full) and all(other in self.contiguous for other in full)
        return False

    def _is_writable(self, node: fx.Node, index: int) -> bool:
        """Whether the memory of a node may be overwritten by the node at this position."""
        root = self.root(node)
        if root.op == "get_attr" or (root.op == "placeholder" and root not in self.donated):
            return False
        return self.whole[node] and self.last_use[root] <= index

    def write_over(self, index: int, node: fx.Node) -> None:
        """Let an elementwise call write its result over an operand that dies."""
        kind = node.meta.get("type")
        if kind is None or "out" in node.kwargs or math.prod(kind[0]) < _SMALLEST:
            return
        operands = node.all_input_nodes
        for operand in operands:
            if operand.meta.get("type") != kind or not self._is_writable(operand, index):
                continue
            root = self.root(operand)
            if any(other is not operand and self.root(other) is root for other in operands):
                continue
            node.kwargs = {**node.kwargs, "out": operand}
            self._merge(node, root)
            return

    def drop_copy(self, index: int, node: fx.Node, *, only_parameters: bool) -> None:
        """Drop a copy whose original dies with it."""
        original = node.args[0]
        assert isinstance(original, fx.Node)
        root = self.root(original)
        if only_parameters and root.op != "placeholder":
            return
        if original not in self.contiguous or not self._is_writable(original, index):
            return
        node.replace_all_uses_with(original)
        self.graph.erase_node(node)
        self.replaced[node] = original
        self._merge(node, root)

    def _merge(self, node: fx.Node, root: fx.Node) -> None:
        self.last_use[root] = max(self.last_use[root], self.last_use[node])
        self.roots[node] = root

    def as_result(self, node: fx.Node) -> fx.Node:
        """Return a node whose tensor is contiguous, is no constant, and keeps no memory alive but its own."""
        root = self.root(node)
        if root.op == "get_attr" or not self.whole[node]:
            result = self.graph.call_function(torch.clone, (node,), {"memory_format": torch.contiguous_format})
            self.roots[result] = result
        elif node in self.contiguous:
            return node
        else:
            result = self.graph.call_method("contiguous", (node,))
            self.roots[result] = root
        self.whole[result] = True
        self.contiguous.add(result)
        return result


def _source(node: fx.Node) -> fx.Node | None:
    """Return the node whose memory this one may see; `None` if it makes its own.

    A `getitem` with an integer takes one of several results, which is memory of its own.
    """
    if node.target is operator.getitem and isinstance(node.args[1], int):
        return None
    if node.op in ("call_function", "call_method") and node.target in VIEWS:
        source = node.args[0]
        assert isinstance(source, fx.Node)
        return source
    return None


def _infer_type(node: fx.Node) -> None:
    """Note shape and dtype of a call inside a kernel, where they follow from the operands'."""
    if "type" in node.meta or node.target not in SAME_DTYPE or node.target is torch.abs:
        return
    kinds = [operand.meta.get("type") for operand in node.all_input_nodes]
    known = [kind for kind in kinds if kind is not None]
    if len(known) == len(kinds) and known and all(kind[1] is known[0][1] for kind in known):
        node.meta["type"] = (np.broadcast_shapes(*(kind[0] for kind in known)), known[0][1])
