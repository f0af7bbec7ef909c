"""A recording after each pass of the compiler, for one backend; and that backend's own text."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from latebind.backends.interface import BackendDevice
from latebind.inspection.families import recorded_kind
from latebind.inspection.recorded import Recorded
from latebind.ir.builder import IrBuilder
from latebind.ir.node import AttributeValue, Node, Value, post_order
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType
from latebind.runtime.compiler import Compiler
from latebind.runtime.graph import Graph as NodeGraph
from latebind.runtime.graph import build_graph, passes
from latebind.runtime.launch import Stage as LaunchStage
from latebind.runtime.metrics import Metrics
from latebind.runtime.signature import Signature
from latebind.runtime.tracing import Tracer

if TYPE_CHECKING:
    from latebind.runtime.executor import LazyGraphExecutor

PassName = Literal["recorded", "expanded", "simplified", "decomposed", "final"]

#: What a graph goes through, and what each says.
PASSES: Final[dict[PassName, str]] = {
    "recorded": "the operations as they were called",
    "expanded": "each operation in terms of the op table",
    "simplified": "without what changes nothing, equal nodes merged",
    "decomposed": "what the backend does not lower, in core operations",
    "final": "simplified again: what the backend lowers",
}


@dataclass(frozen=True, slots=True)
class PassGraph:
    """The graph after one pass.

    Attributes
    ----------
    name : str
    parameters : tuple of Node
    results : tuple of Value
    """

    name: PassName
    parameters: tuple[Node, ...]
    results: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A backend that a graph is compiled for, with the means to do so unseen by its executor's metrics and observers.

    Attributes
    ----------
    name : str
        Of the backend.
    device : BackendDevice
    compiler : Compiler
    """

    name: str
    device: BackendDevice
    compiler: Compiler

    @classmethod
    def of(cls, executor: LazyGraphExecutor, device: BackendDevice | None = None) -> Target:
        """Return the executor's own backend."""
        own = executor.compiler
        compiler = Compiler(
            own.backend, own.ir_builder, own.lowering_context, Metrics(), Tracer(), reference=own.reference
        )
        return cls(own.backend.name, device or own.backend.backend_device(), compiler)


@contextmanager
def other_target(backend: str, config: Path | None = None) -> Iterator[Target]:
    """Make a backend for the time of a block.

    Raises
    ------
    SettingsError, BackendUnavailableError
        If there is no such backend, or if it cannot be used here.
    """
    from latebind.containers import Container
    from latebind.settings import load_settings

    settings = load_settings(config, {"backend": backend}, config_from="--config", overrides_from="backend")
    container = Container(name=f"{settings.backend.name} for inspection", settings=settings)
    try:
        yield Target.of(container.executor())
    finally:
        container.close()


def after_passes(recorded: Recorded, target: Target) -> Iterator[PassGraph]:
    """Yield the graph as recorded, and after each pass."""
    yield recorded_graph(recorded)
    builder = target.compiler.ir_builder
    graph, wanted = _with_computed(_build(recorded, builder, Signature.instantiate), recorded, builder)
    yield PassGraph("expanded", graph.parameters, _select(graph.results, wanted))
    for name, results in passes(graph, builder, target.compiler.stays):
        yield PassGraph(name, graph.parameters, _select(results, wanted))


def recorded_graph(recorded: Recorded) -> PassGraph:
    """Return the recording as a graph: a node per recorded operation that a result needs."""
    builder = IrBuilder()
    graph, wanted = _with_computed(_build(recorded, builder, _as_one_node), recorded, builder)
    return PassGraph("recorded", graph.parameters, _select(graph.results, wanted))


def _build(
    recorded: Recorded, builder: IrBuilder, instantiate: Callable[[Signature, IrBuilder, Sequence[Value]], Value]
) -> NodeGraph:
    records, scalars, types = recorded.records, recorded.scalars, recorded.leaf_types
    return build_graph(builder, records, scalars, types, recorded.outputs, recorded.promoted, instantiate=instantiate)


def _as_one_node(signature: Signature, builder: IrBuilder, operands: Sequence[Value]) -> Value:
    attributes = {name: _plain(value) for name, value in signature.attributes}
    kind = recorded_kind(signature.rule)
    return Node(kind, tuple(operands), (signature.type,), attributes, builder.origin).value()


def _plain(value: Hashable) -> AttributeValue:
    """Return an attribute of a rule as one of a node; of an object that nodes do not have, the name of its type."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if value is None or isinstance(value, bool | int | float | complex | str | np.dtype | OpKind | TensorType):
        return value
    return type(value).__name__


def after_pass(recorded: Recorded, target: Target, name: PassName) -> PassGraph:
    """Return the graph after one pass."""
    return next(graph for graph in after_passes(recorded, target) if graph.name == name)


def _with_computed(graph: NodeGraph, recorded: Recorded, builder: IrBuilder) -> tuple[NodeGraph, list[int]]:
    """Add the results that are there already, as parameters; return which result of the graph each wanted one is."""
    parameters = dict(zip(graph.leaves, graph.parameters, strict=False))
    scalars = graph.parameters[len(graph.leaves) :]
    results, wanted = list(graph.results), []
    for place in recorded.results:
        if place >= 0:
            wanted.append(recorded.outputs.index(place))
            continue
        leaf = -1 - place
        if leaf not in parameters:
            parameters[leaf] = builder.make_parameter(recorded.leaf_types[leaf])
        wanted.append(len(results))
        results.append(parameters[leaf].value())
    leaves = tuple(sorted(parameters))
    whole = replace(
        graph, parameters=(*(parameters[leaf] for leaf in leaves), *scalars), leaves=leaves, results=tuple(results)
    )
    return whole, wanted


def _select(results: Sequence[Value], wanted: Sequence[int]) -> tuple[Value, ...]:
    return tuple(results[index] for index in wanted)


def backend_stages(recorded: Recorded, target: Target) -> tuple[LaunchStage, ...]:
    """Compile the results that are not there yet, for the target.

    Raises
    ------
    LoweringError, CompilationError
        If the backend refuses the graph.
    """
    if not recorded.outputs:
        return ()
    executable = target.compiler.compile(
        target.device,
        recorded.records,
        recorded.scalars,
        recorded.leaf_types,
        recorded.outputs,
        promoted=recorded.promoted,
        locate=recorded.locator(),
    )
    return executable.stages


def fusions_of(graph: PassGraph, target: Target) -> Mapping[Node, str]:
    """Return the engine's fused kernel of each node, where it tells; of a graph that runs as a whole on it."""
    backend = target.compiler.backend
    inputs = set(graph.parameters)
    nodes = [node for node in post_order(graph.results) if node not in inputs]
    if not nodes or not all(backend.lowers(node) for node in nodes):
        return {}
    return backend.fusions(target.device, [node.value() for node in graph.parameters], nodes, graph.results)


def stages_text(stages: Sequence[LaunchStage], backend: str) -> str:
    """Return the backend's own text of what it compiled; with headings where operations fall back."""
    texts = []
    for number, stage in enumerate(stages):
        text = stage.backend.computation_backend_text(stage.computation)
        if len(stages) > 1 or stage.fallback:
            where = f"on the reference backend {stage.backend.name!r}" if stage.fallback else f"on {backend!r}"
            text = f"# part {number + 1} of {len(stages)}, {where}\n{text}"
        texts.append(text.rstrip("\n") + "\n")
    return "\n".join(texts)
