"""Lowering: to the baseline at once, to the optimizing backend from the kept graph when it is asked for."""

from __future__ import annotations

from typing import Any, Final

from latebind.backends.interface import Backend, BackendDevice, Computation, LoweringContext
from latebind.backends.tiered.program import Graph, TieredProgram
from latebind.errors import UnsupportedOpError
from latebind.ir.builder import IrBuilder
from latebind.ir.decompositions import decompose
from latebind.ir.node import Node, Value, post_order
from latebind.ir.simplify import simplify
from latebind.ir.types import TensorType

#: The runtime's names of single operations, which are run one by one before a graph is compiled as a whole.
KERNEL_PREFIX: Final = "kernel_"
#: Operations that compilers make a kernel of their own of, and how many elementwise ones cost as much to compile.
KERNELS: Final = frozenset({
    "cholesky", "concatenate", "convolution", "dot_general", "dynamic_slice", "dynamic_update_slice", "fft", "gather",
    "pad", "reduce", "reduce_window", "scatter", "slice", "sort", "triangular_solve", "while",
})  # fmt: skip
KERNEL_WEIGHT: Final = 8


class TieredLoweringContext(LoweringContext[Any]):
    """Hands every call to the baseline's context and keeps the graph.

    Parameters
    ----------
    context
        The baseline's, empty or with what is emitted already.
    device
        Where the computation is said to run.
    """

    def __init__(self, context: LoweringContext[Any], device: BackendDevice) -> None:
        super().__init__(context.name, device)
        self._context = context
        # What was emitted elsewhere cannot be lowered again.
        self._complete = not context.emitted
        self._inputs: list[Value] = []
        self._outputs: list[Value] = []
        self._weight = 0
        # The same objects, so that what either of the two adds is seen by both.
        self.emitted, self.parameters, self.results = context.emitted, context.parameters, context.results
        self.aliases, self.donated = context.aliases, context.donated

    def lower(self, node: Node) -> None:
        self._context.lower(node)
        kind = node.kind
        self._weight += KERNEL_WEIGHT if kind.name in KERNELS or kind.namespace == "linalg" else 1
        self.emitted_node_count = self._context.emitted_node_count

    def add_parameter(self, value: Value, name: str) -> int:
        self._inputs.append(value)
        return self._context.add_parameter(value, name)

    def add_result(self, value: Value) -> int:
        self._outputs.append(value)
        return self._context.add_result(value)

    def set_up_alias(self, output_index: int, parameter_index: int) -> None:
        self._context.set_up_alias(output_index, parameter_index)

    def donate(self, parameter_index: int) -> None:
        self._context.donate(parameter_index)

    def emit_parameter(self, position: int, name: str, type: TensorType) -> Any:
        return self._context.emit_parameter(position, name, type)

    def build(self) -> Computation:
        baseline = self._context.build()
        donated = frozenset(self._context.donated)
        graph, reason = None, "a single operation, run on its own"
        if not self._complete:
            reason = "a part of it was lowered elsewhere"
        elif not self.name.startswith(KERNEL_PREFIX):
            reason = "new"
            graph = Graph(tuple(self._inputs), tuple(self._outputs), tuple(self.aliases), donated)
        return Computation(
            self.name,
            self.device,
            baseline.parameter_names,
            baseline.parameter_types,
            baseline.result_types,
            baseline.aliases,
            baseline.text,
            TieredProgram(self.device, baseline, donated, graph, self.emitted_node_count, reason, self._weight),
            baseline.donated,
        )


def lower_again(backend: Backend, name: str, device: BackendDevice, graph: Graph) -> Computation:
    """Lower a graph for another backend, which is decomposed for what that backend does not lower.

    Raises
    ------
    UnsupportedOpError
        If an operation can be neither lowered nor decomposed.
    """
    given = {parameter.node for parameter in graph.parameters}

    def stays(node: Node) -> bool:
        return node in given or backend.lowers(node)

    results: list[Value] = list(graph.results)
    if not all(map(stays, post_order(results))):
        builder = IrBuilder()  # a backend's own is in use on other threads
        results = simplify(decompose(results, stays, builder), builder)
    order = [node for node in post_order(results) if node not in given]
    if missing := sorted({str(node.kind) for node in order if not stays(node)}):
        raise UnsupportedOpError(f"backend {backend.name!r} can neither lower nor decompose {', '.join(missing)}")
    context = backend.create_lowering_context(name, device)
    for position, value in enumerate(graph.parameters):
        context.add_parameter(value, f"p{position}")
    for node in order:
        context.lower(node)
    for value in results:
        context.add_result(value)
    aliased = {parameter for _, parameter in graph.aliases}
    for output, parameter in graph.aliases:
        context.set_up_alias(output, parameter)
    for parameter in sorted(graph.donated - aliased):
        context.donate(parameter)
    return context.build()
