"""Running cases as production runs graphs: simplified, decomposed, lowered, compiled, with stages that fall back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latebind.backends.interface import Backend
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import UnsupportedOpError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value, post_order
from latebind.runtime.compiler import Compiler
from latebind.runtime.graph import Graph, optimize
from latebind.runtime.launch import Executable
from latebind.runtime.metrics import Metrics
from latebind.runtime.tracing import Tracer
from latebind.testing.conformance.groups import DEVICE_DATA, Case
from latebind.testing.conformance.sampling.samples import Array, Operand, type_of


class GraphCompiler(Compiler):
    """The production compiler, given a graph instead of a recording."""

    def compile_graph(
        self, name: str, parameters: Sequence[Node], results: Sequence[Value], donated: Sequence[int] = ()
    ) -> Executable:
        """Compile what the results need.

        Parameters
        ----------
        parameters
            Abstract parameters, in the order of the arguments.
        donated
            Parameters that may be overwritten.
        """
        device = self.backend.backend_device()
        graph = Graph(tuple(parameters), tuple(range(len(parameters))), (), tuple(results))
        legal = optimize(graph, self.ir_builder, self.stays, check=True)
        stages, slots = self._lower(name, device, graph, legal, donated)
        self._compile_stages(name, stages)
        return Executable(stages, device, graph.leaves, (), (), slots)

    def how(self, parameters: Sequence[Node], results: Sequence[Value]) -> str:
        """Say how a graph that the backend does not lower as it is gets run."""
        graph = Graph(tuple(parameters), (), (), tuple(results))
        try:
            legal = optimize(graph, self.ir_builder, self.stays, check=False)
        except UnsupportedOpError:
            return "unsupported"
        given = {id(node) for node in parameters}
        apart = (node for node in post_order(legal) if id(node) not in given and not self.backend.lowers(node))
        return "fallback" if any(apart) else "decomposition"


@dataclass(slots=True)
class Program:
    """A graph under construction, with the arrays that its parameters are fed with."""

    builder: IrBuilder
    parameters: list[Node]
    arrays: list[Array]
    results: list[Value]

    def feed(self, array: Array) -> Value:
        """Add a parameter."""
        self.parameters.append(self.builder.make_parameter(type_of(array)))
        self.arrays.append(array)
        return self.parameters[-1].value()

    def add(self, case: Case, operands: Sequence[Operand]) -> Node:
        """Add a case's operation on these operands."""
        values = [operand.build(self.builder, self.feed) for operand in operands]
        if case.kind == DEVICE_DATA.qualified:
            node = values[0].node
        else:
            node = self.builder.make_generic(case.kind, values, case.sample.attributes)
        self.results.extend(node.value(index) for index in range(len(node.types)))
        return node


class Evaluator:
    """Runs cases on one backend, with the reference backend for what it can neither lower nor decompose."""

    def __init__(self, backend: Backend, reference: Backend) -> None:
        self.backend = backend
        self.compiler = GraphCompiler(
            backend,
            backend.ir_builder(),
            backend.create_lowering_context,
            Metrics(),
            Tracer(()),
            reference=lambda: reference,
        )

    def program(self) -> Program:
        """Return an empty program of this backend's builder."""
        return Program(self.backend.ir_builder(), [], [], [])

    def run(self, name: str, program: Program) -> list[Array]:
        """Compile and run a program; return its results in host memory."""
        executable = self.compiler.compile_graph(name, program.parameters, program.results)
        device = executable.device
        arguments = [
            self.backend.make_computation_data_from_tensor(array, type_of(array), device, copy=True)
            for array in program.arrays
        ]
        outputs = executable.run(self.backend, arguments)
        return [np.array(self.backend.make_tensor_from_computation_data(output)) for output in outputs]

    def run_cases(self, name: str, cases: Sequence[Case]) -> list[list[Array]]:
        """Run cases as one computation; return the results of each."""
        program = self.program()
        counts = [len(program.add(case, case.sample.operands).types) for case in cases]
        outputs = iter(self.run(name, program))
        return [[next(outputs) for _ in range(count)] for count in counts]

    def how(self, case: Case) -> str:
        """Say how the backend runs a case: `native`, `decomposition`, `fallback` or `unsupported`."""
        program = self.program()
        node = program.add(case, case.sample.operands)
        if node.kind is DEVICE_DATA or self.backend.lowers(node):
            return "native"
        return self.compiler.how(program.parameters, [node.value(index) for index in range(len(node.types))])


class Reference:
    """The reference's results: each case alone, on NumPy, with every operand an argument."""

    def __init__(self) -> None:
        self.evaluator = Evaluator(NumpyBackend(), NumpyBackend())

    def results(self, case: Case, *, absolute: bool = False, flushed: bool = False) -> list[Array]:
        """Return what the reference gives.

        Parameters
        ----------
        absolute
            On the absolute values of the operands.
        flushed
            On operands whose denormal numbers are zeros.
        """
        operands = [Operand(np.array(operand.value)) for operand in case.sample.operands]
        if absolute:
            operands = [Operand(absolute_values(operand.array)) for operand in operands]
        if flushed:
            operands = [Operand(flush(operand.array)) for operand in operands]
        program = self.evaluator.program()
        program.add(case, operands)
        return self.evaluator.run("reference", program)


def absolute_values(array: Array) -> Array:
    """Return absolute values in the same dtype; integers, which are indices or exact, stay as they are."""
    return np.abs(array).astype(array.dtype) if array.dtype.kind in "fc" else array


def flush(array: Array) -> Array:
    """Return an array with denormal numbers, or denormal parts, replaced by zeros of the same sign."""
    if array.dtype.kind == "c":
        result = np.empty_like(array)
        result.real, result.imag = flush(array.real), flush(array.imag)
        return result
    if array.dtype.kind != "f":
        return array
    small = np.abs(array) < np.finfo(array.dtype.name).smallest_normal
    return np.where(small, np.copysign(array.dtype.type(0), array), array)
