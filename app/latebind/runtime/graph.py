"""From a recording to a graph: the nodes that the wanted results need, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from latebind.ir.builder import IrBuilder
from latebind.ir.decompositions import decompose
from latebind.ir.node import Node, Value
from latebind.ir.simplify import simplify
from latebind.ir.types import TensorType
from latebind.ir.verifier import verify
from latebind.runtime.signature import Signature

if TYPE_CHECKING:
    from latebind.runtime.tape import Record, Scalar


#: What a graph goes through.
Pass = Literal["simplified", "decomposed", "final"]


@dataclass(frozen=True, slots=True)
class Graph:
    """What a backend lowers.

    Attributes
    ----------
    parameters : tuple of Node
        First the leaves, then the promoted scalars.
    leaves : tuple of int
        Index of the leaf behind each leading parameter.
    scalars : tuple of int
        Index of the scalar behind each further parameter.
    results : tuple of Value
    """

    parameters: tuple[Node, ...]
    leaves: tuple[int, ...]
    scalars: tuple[int, ...]
    results: tuple[Value, ...]


def needed_records(records: Sequence[Record], outputs: Collection[int]) -> bytearray:
    """Return a flag per record: whether an output depends on it."""
    needed = bytearray(len(records))
    for position in outputs:
        needed[position] = 1
    for position in range(max(outputs, default=-1), -1, -1):
        if needed[position]:
            for operand in records[position][1:]:
                if operand > 0:
                    needed[position - operand] = 1
    return needed


def build_graph(
    builder: IrBuilder,
    records: Sequence[Record],
    scalars: Sequence[Scalar],
    leaf_types: Sequence[TensorType],
    outputs: Sequence[int],
    promoted: Collection[int],
    *,
    instantiate: Callable[[Signature, IrBuilder, Sequence[Value]], Value] = Signature.instantiate,
) -> Graph:
    """Make the nodes of the records that the outputs depend on.

    Parameters
    ----------
    builder
        The backend's builder.
    records, scalars
        The recording.
    leaf_types
        Type of each leaf.
    outputs
        Positions of the wanted results.
    promoted
        Indices of the scalars that are parameters instead of constants.
    instantiate
        What a record becomes: the nodes of its rule.
    """
    needed = needed_records(records, outputs)
    values: dict[int, Value] = {}
    leaves: dict[int, Node] = {}
    scalar_parameters: dict[int, Node] = {}
    next_scalar = 0
    for position, entry in enumerate(records):
        signature = entry[0]
        if not needed[position]:
            next_scalar += signature.scalar_count
            continue
        builder.origin = position
        operands: list[Value] = []
        codes = iter(entry[1:])
        for type, is_scalar in zip(signature.operand_types, signature.is_scalar, strict=True):
            if is_scalar:
                if next_scalar in promoted:
                    node = scalar_parameters.setdefault(next_scalar, builder.make_parameter(type))
                else:
                    node = builder.make_scalar(scalars[next_scalar], type)
                operands.append(node.value())
                next_scalar += 1
                continue
            code = next(codes)
            if code > 0:
                operands.append(values[position - code])
            else:
                leaf = -1 - code
                if leaf not in leaves:
                    leaves[leaf] = builder.make_parameter(leaf_types[leaf])
                operands.append(leaves[leaf].value())
        values[position] = instantiate(signature, builder, operands)
    builder.origin = -1
    leaf_order = sorted(leaves)
    return Graph(
        (*(leaves[leaf] for leaf in leaf_order), *scalar_parameters.values()),
        tuple(leaf_order),
        tuple(scalar_parameters),
        tuple(values[position] for position in outputs),
    )


def passes(graph: Graph, builder: IrBuilder, lowers: Callable[[Node], bool]) -> Iterator[tuple[Pass, Sequence[Value]]]:
    """Take a graph to one that the backend lowers; yield the name of each pass and the results after it.

    Parameters
    ----------
    lowers
        Which nodes stay as they are.
    """
    results: Sequence[Value] = graph.results
    results = simplify(results, builder)
    yield "simplified", results
    results = decompose(results, lowers, builder)
    yield "decomposed", results
    yield "final", simplify(results, builder)


def optimize(graph: Graph, builder: IrBuilder, lowers: Callable[[Node], bool], *, check: bool) -> tuple[Value, ...]:
    """Return the graph's results after all passes.

    Parameters
    ----------
    lowers
        Which nodes stay as they are.
    check
        Whether to verify before and after.
    """
    results: Sequence[Value] = graph.results
    if check:
        verify(results)
    for _, after in passes(graph, builder, lowers):
        results = after
    if check:
        verify(results)
    return tuple(results)
