"""Simplification: what changes nothing vanishes, constant starts become static, equal nodes are merged."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from latebind.ir.attributes import array, element_type, integer, ints, key_of_all
from latebind.ir.builder import CONSTANT, IrBuilder, SizeNode
from latebind.ir.node import Attributes, Node, Value, post_order
from latebind.ir.opkind import OpKind
from latebind.ir.optable import lookup
from latebind.ir.types import DType

BROADCAST: Final = OpKind.get("stablehlo::broadcast_in_dim")
CONVERT: Final = OpKind.get("stablehlo::convert")
COMPLEX: Final = OpKind.get("stablehlo::complex")
CONCATENATE: Final = OpKind.get("stablehlo::concatenate")
RESHAPE: Final = OpKind.get("stablehlo::reshape")
SLICE: Final = OpKind.get("stablehlo::slice")
TRANSPOSE: Final = OpKind.get("stablehlo::transpose")


def simplify(results: Sequence[Value], builder: IrBuilder) -> list[Value]:
    """Return the results of an equivalent, smaller graph.

    One pass in post-order: operations that change nothing vanish, chains of broadcasts, reshapes and transposes become
    one, what is taken apart right after it was put together is the part (slices of a concatenation, parts of a complex
    number), conversions of scalar constants and static sizes are folded, dynamic slices with constant starts become
    static, and nodes that are equal in kind, operands and attributes (bit by bit: 0.0 is not -0.0) are merged.
    Nodes that need no change are kept; a merged node keeps the origin of the first.
    """
    origin = builder.origin
    try:
        return _Simplifier(builder).run(results)
    finally:
        builder.origin = origin


class _Simplifier:
    """State of one simplification."""

    def __init__(self, builder: IrBuilder) -> None:
        self.builder = builder
        self.values: dict[Node, tuple[Value, ...]] = {}
        self.interned: dict[Hashable, Node] = {}
        #: Keys of attribute mappings by identity; the mapping is held so that its identity is not used again.
        self.keys: dict[int, tuple[Attributes, Hashable]] = {}

    def run(self, results: Sequence[Value]) -> list[Value]:
        values, builder = self.values, self.builder
        for node in post_order(results):
            operands = tuple([values[v.node][v.index] for v in node.operands])
            builder.origin = node.origin
            if any(new.node is not old.node for new, old in zip(operands, node.operands, strict=True)):
                made = builder.make_generic(node.kind, operands, node.attributes, types=node.types)
            else:
                made = node
            if isinstance(node, SizeNode) and not node.is_symbolic:
                values[node] = (self.constant(np.array(node.static_value, node.types[0].dtype)),)
            else:
                values[node] = self.place(made)
        return [values[v.node][v.index] for v in results]

    def place(self, node: Node) -> tuple[Value, ...]:
        """Return the values that stand for a node whose operands are simplified."""
        rule = _RULES.get(node.kind)
        if rule is not None:
            value = rule(self, node)
            if value is not None:
                return (value,)
        definition = lookup(node.kind)
        if definition is None or not definition.leaf:
            known = self.keys.get(id(node.attributes))
            if known is None:
                known = self.keys[id(node.attributes)] = (node.attributes, key_of_all(node.attributes))
            operands = tuple([(v.node, v.index) for v in node.operands])
            key = (node.kind, operands, known[1], node.types)
            node = self.interned.setdefault(key, node)
        return tuple([Value(node, i) for i in range(len(node.types))])

    def make(self, kind: OpKind, operand: Value, attributes: Attributes) -> Value:
        """Make, simplify and intern a node of one operand and one result."""
        return self.place(self.builder.make_generic(kind, (operand,), attributes))[0]

    def constant(self, value: npt.NDArray[np.generic]) -> Value:
        """Make and intern a constant."""
        return self.place(self.builder.make_constant(value))[0]


Rule = Callable[[_Simplifier, Node], Value | None]


def _scalar_constant(value: Value) -> npt.NDArray[np.generic] | None:
    """Return the zero-dimensional array of a scalar constant, or `None`."""
    return array(value.node.attributes) if value.node.kind is CONSTANT and not value.shape else None


def _splat_of(value: Value) -> Value | None:
    """Return the zero-dimensional value that a value repeats, or `None`."""
    node = value.node
    return node.operands[0] if node.kind is BROADCAST and not node.operands[0].shape else None


def _respread(s: _Simplifier, scalar: Value, shape: tuple[int, ...]) -> Value:
    return s.make(BROADCAST, scalar, {"broadcast_dimensions": (), "shape": shape})


def fold_conversion(value: npt.NDArray[np.generic], dtype: DType) -> npt.NDArray[np.generic] | None:
    """Return a scalar converted to a dtype, or `None` where the result is for the engine to say (out of range)."""
    item = value.item()
    if isinstance(item, complex) and dtype.kind not in "cb":
        item = item.real
    if isinstance(item, float) and dtype.kind in "iu":
        info = np.iinfo(dtype.name)
        if not float(info.min) - 1 < item < float(info.max) + 1 or not info.min <= int(item) <= info.max:
            return None
    with np.errstate(all="ignore"):
        source = value.real if value.dtype.kind == "c" and dtype.kind not in "cb" else value
        return np.asarray(source.astype(dtype))


def _convert(s: _Simplifier, node: Node) -> Value | None:
    operand, dtype = node.operands[0], element_type(node.attributes)
    if operand.dtype == dtype:
        return operand
    scalar = _scalar_constant(operand)
    if scalar is not None:
        folded = fold_conversion(scalar, dtype)
        return None if folded is None else s.constant(folded)
    splat = _splat_of(operand)
    if splat is not None and _scalar_constant(splat) is not None:
        return _respread(s, s.make(CONVERT, splat, node.attributes), operand.shape)
    return None


def _broadcast(s: _Simplifier, node: Node) -> Value | None:
    operand, dimensions = node.operands[0], ints(node.attributes, "broadcast_dimensions")
    if operand.type is node.types[0] and dimensions == tuple(range(len(dimensions))):
        return operand
    inner = operand.node
    if inner.kind is not BROADCAST:
        return None
    composed = tuple(dimensions[d] for d in ints(inner.attributes, "broadcast_dimensions"))
    return s.make(BROADCAST, inner.operands[0], {**node.attributes, "broadcast_dimensions": composed})


def _reshape(s: _Simplifier, node: Node) -> Value | None:
    operand = node.operands[0]
    if operand.type is node.types[0]:
        return operand
    if operand.node.kind is RESHAPE:
        return s.make(RESHAPE, operand.node.operands[0], node.attributes)
    splat = _splat_of(operand)
    return None if splat is None else _respread(s, splat, node.types[0].shape)


def _transpose(s: _Simplifier, node: Node) -> Value | None:
    operand, permutation = node.operands[0], ints(node.attributes, "permutation")
    if permutation == tuple(range(len(permutation))):
        return operand
    if operand.node.kind is TRANSPOSE:
        inner = ints(operand.node.attributes, "permutation")
        return s.make(TRANSPOSE, operand.node.operands[0], {"permutation": tuple(inner[d] for d in permutation)})
    splat = _splat_of(operand)
    return None if splat is None else _respread(s, splat, node.types[0].shape)


def _slice(s: _Simplifier, node: Node) -> Value | None:
    operand = node.operands[0]
    if operand.type is node.types[0]:
        return operand
    if operand.node.kind is CONCATENATE:
        return _slice_of_joined(s, node)
    splat = _splat_of(operand)
    return None if splat is None else _respread(s, splat, node.types[0].shape)


def _slice_of_joined(s: _Simplifier, node: Node) -> Value | None:
    """Return the slice of the one operand of a concatenation that it lies in, or `None` if it needs several."""
    joined = node.operands[0].node
    dimension = integer(joined.attributes, "dimension")
    starts, limits = (list(ints(node.attributes, f"{name}_indices")) for name in ("start", "limit"))
    first = 0
    for part in joined.operands:
        last = first + part.shape[dimension]
        if first <= starts[dimension] < limits[dimension] <= last:
            starts[dimension] -= first
            limits[dimension] -= first
            moved = {"start_indices": tuple(starts), "limit_indices": tuple(limits)}
            return s.make(SLICE, part, {**node.attributes, **moved})
        first = last
    return None


def _part(position: int) -> Rule:
    """Return the rule of `real` or `imag` of what `complex` has just put together."""

    def rule(s: _Simplifier, node: Node) -> Value | None:
        operand = node.operands[0]
        return operand.node.operands[position] if operand.node.kind is COMPLEX else None

    return rule


def _dynamic_slice(s: _Simplifier, node: Node) -> Value | None:
    operand, sizes = node.operands[0], ints(node.attributes, "slice_sizes")
    if operand.shape == sizes:
        return operand
    starts = []
    for start, size, extent in zip(node.operands[1:], sizes, operand.shape, strict=True):
        scalar = _scalar_constant(start)
        if scalar is not None:
            starts.append(min(max(int(scalar), 0), extent - size))
        elif size == extent:
            starts.append(0)
        else:
            return None
    limits = tuple(start + size for start, size in zip(starts, sizes, strict=True))
    return s.make(
        SLICE, operand, {"start_indices": tuple(starts), "limit_indices": limits, "strides": (1,) * len(starts)}
    )


def _dynamic_update_slice(s: _Simplifier, node: Node) -> Value | None:
    operand, update = node.operands[:2]
    if update.shape == operand.shape:
        return update
    return operand if 0 in update.shape else None


def _reverse(s: _Simplifier, node: Node) -> Value | None:
    operand = node.operands[0]
    return operand if all(operand.shape[d] <= 1 for d in ints(node.attributes, "dimensions")) else None


def _concatenate(s: _Simplifier, node: Node) -> Value | None:
    dimension = integer(node.attributes, "dimension")
    filled = [operand for operand in node.operands if operand.shape[dimension]]
    if len(filled) <= 1:
        return (filled or node.operands)[0]
    return None


def _pad(s: _Simplifier, node: Node) -> Value | None:
    names = ("edge_padding_low", "edge_padding_high", "interior_padding")
    return None if any(any(ints(node.attributes, name)) for name in names) else node.operands[0]


def _get_dimension_size(s: _Simplifier, node: Node) -> Value | None:
    extent = node.operands[0].shape[integer(node.attributes, "dimension")]
    return s.constant(np.array(extent, np.int32)) if extent < 2**31 else None


_RULES: Final[dict[OpKind, Rule]] = {
    OpKind.get(f"stablehlo::{name}"): rule
    for name, rule in {
        "broadcast_in_dim": _broadcast,
        "concatenate": _concatenate,
        "convert": _convert,
        "dynamic_slice": _dynamic_slice,
        "dynamic_update_slice": _dynamic_update_slice,
        "get_dimension_size": _get_dimension_size,
        "imag": _part(1),
        "pad": _pad,
        "real": _part(0),
        "reshape": _reshape,
        "reverse": _reverse,
        "slice": _slice,
        "transpose": _transpose,
    }.items()
}
