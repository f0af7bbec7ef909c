"""From a graph to an executable: lower, compile, and send to the reference backend what the backend cannot do."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Collection, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from latebind.backends.compilations import compiling
from latebind.backends.interface import Backend, BackendDevice, Computation, LoweringContext
from latebind.errors import CompilationError, LatebindError, LoweringError, UnsupportedOpError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value, post_order
from latebind.ir.optable import lookup
from latebind.ir.print_dot import to_dot
from latebind.ir.print_text import to_text
from latebind.ir.types import TensorType
from latebind.runtime.events import Events, GraphCompiled
from latebind.runtime.graph import Graph, build_graph, optimize
from latebind.runtime.launch import Executable, Stage
from latebind.runtime.metrics import Metrics
from latebind.runtime.signature import Signature
from latebind.runtime.tracing import Tracer

if TYPE_CHECKING:
    from latebind.runtime.tape import Record, Scalar


class LoweringFactory(Protocol):
    """Makes a lowering context; the backend's `create_lowering_context`, in either of its two forms."""

    def __call__(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = ...,
        emission_map: Any = ...,
    ) -> LoweringContext[Any]: ...


logger = logging.getLogger("latebind")
_names = itertools.count()
#: Lines of a refused graph that its message shows.
_SHOWN_LINES: Final = 60
#: What compiling one recorded operation is taken to cost before a graph was compiled.
_SECONDS_PER_RECORD: Final = 50e-6


class Compiler:
    """Compiles recordings for one backend.

    Parameters
    ----------
    backend, ir_builder, lowering_context
        The backend and what derives from it.
    reference
        Makes the backend on which operations run that this one can neither lower nor decompose; `None` makes such an
        operation an error.
    """

    def __init__(
        self,
        backend: Backend,
        ir_builder: IrBuilder,
        lowering_context: LoweringFactory,
        metrics: Metrics,
        tracer: Tracer,
        *,
        events: Events | None = None,
        reference: Callable[[], Backend] | None = None,
        verify: bool = False,
        progress: bool = False,
    ) -> None:
        self.events = events or Events()
        self.backend = backend
        self.ir_builder = ir_builder
        self.lowering_context = lowering_context
        self.metrics = metrics
        self.tracer = tracer
        self.reference = reference
        self.verify = verify
        self.progress = progress
        #: Time spent on kernels, and what compiling graphs has cost so far.
        self.kernel_seconds = 0.0
        self._graph_seconds = 0.0
        self._graph_records = 0

    def expected_seconds(self, records: int) -> float:
        """Return what compiling a recording of this length is expected to take, from those compiled before."""
        if not self._graph_records:
            return records * _SECONDS_PER_RECORD
        return records * self._graph_seconds / self._graph_records

    def kernel(self, device: BackendDevice, signature: Signature, donated: tuple[int, ...] = ()) -> Executable:
        """Return one recorded operation as an executable of its own; its scalars are parameters. Made once.

        Parameters
        ----------
        donated
            Array operands whose buffers it may overwrite.
        """
        kernels = signature.kernels.setdefault(self, {})
        found = kernels.get((device, donated))
        if found is None:
            entry = (signature, *(-1 - index for index in range(signature.array_count)))
            count = signature.scalar_count
            arrays = [
                type for type, scalar in zip(signature.operand_types, signature.is_scalar, strict=True) if not scalar
            ]
            name = f"kernel_{signature.rule.name.strip('_')}".replace(" ", "_")
            found = self.compile(
                device, [entry], [0] * count, arrays, [0], promoted=range(count), donated=donated, kernel=name
            )
            kernels[device, donated] = found
        return found

    def compile(
        self,
        device: BackendDevice,
        records: Sequence[Record],
        scalars: Sequence[Scalar],
        leaf_types: Sequence[TensorType],
        outputs: Sequence[int],
        *,
        promoted: Collection[int] = (),
        donated: Collection[int] = (),
        locate: Callable[[int], str] | None = None,
        kernel: str | None = None,
    ) -> Executable:
        """Compile what the outputs of a recording need.

        Parameters
        ----------
        records, scalars, leaf_types
            The recording.
        outputs
            Positions of the wanted results.
        promoted
            Scalars that become parameters.
        donated
            Leaves that may be overwritten.
        locate
            From a position to the user's line, for the printed graph.
        kernel
            Name, if this is a kernel of the interpreter, which is not traced.

        Raises
        ------
        UnsupportedOpError
            If an operation can be neither lowered nor decomposed and must not fall back.
        LoweringError, CompilationError
            If the backend refuses the graph.
        """
        start = perf_counter()
        name = kernel or f"computation_{next(_names)}"
        graph = build_graph(self.ir_builder, records, scalars, leaf_types, outputs, promoted)
        results = optimize(graph, self.ir_builder, self.stays, check=self.verify)
        if kernel is None:
            self._trace(name, graph, results, locate)
        donated_parameters = [index for index, leaf in enumerate(graph.leaves) if leaf in donated]
        try:
            stages, result_slots = self._lower(name, device, graph, results, donated_parameters)
            lowered = perf_counter()
            self.metrics.add_time("LowerTime", lowered - start)
            self._compile_stages(name, stages, locate)
        except (CompilationError, LoweringError) as error:
            lowered = perf_counter()
            stages, result_slots = self._give_up(name, graph, results, error, locate)
        end = perf_counter()
        self._note_time(end - start, len(records), is_kernel=kernel is not None)
        if self.events.observers:
            line = locate or _nowhere
            self.events.tell(GraphCompiled(name, len(records), start, lowered, end, kernel is not None, line))
        # What falls back works on copies, and an engine may make no use of the permission.
        used = donated_parameters if len(stages) == 1 and not stages[0].fallback else ()
        taken = stages[0].computation.donated if stages else None
        return Executable(
            stages,
            device,
            graph.leaves,
            graph.scalars,
            tuple(node.types[0] for node in graph.parameters[len(graph.leaves) :]),
            result_slots,
            frozenset(graph.leaves[index] for index in used if taken is None or index in taken),
        )

    def _note_time(self, seconds: float, records: int, *, is_kernel: bool) -> None:
        if is_kernel:
            self.kernel_seconds += seconds
        else:
            self._graph_seconds += seconds
            self._graph_records += records

    def _trace(self, name: str, graph: Graph, results: Sequence[Value], locate: Callable[[int], str] | None) -> None:
        self.tracer.add(name, "ir", lambda: to_text(name, graph.parameters, results, locate))
        self.tracer.add(name, "dot", lambda: to_dot(name, graph.parameters, results, locate))

    def stays(self, node: Node) -> bool:
        """Whether a node is not decomposed: lowered by the backend, or without decomposition: it falls back."""
        if self.backend.lowers(node):
            return True
        definition = lookup(node.kind)
        if definition is None or definition.core or definition.decompose is not None:
            return False
        return self.reference is None or self.reference().lowers(node)

    def _give_up(
        self,
        name: str,
        graph: Graph,
        results: Sequence[Value],
        error: LatebindError,
        locate: Callable[[int], str] | None,
    ) -> tuple[list[Stage], tuple[int, ...]]:
        """Report a graph that the backend refused, and compile it for the reference backend, or raise the error."""
        lines = to_text(name, graph.parameters, results, locate).splitlines()
        if len(lines) > _SHOWN_LINES:
            lines[_SHOWN_LINES:] = [f"  ... {len(lines) - _SHOWN_LINES} more lines"]
        text = "\n".join(lines)
        if self.reference is None or self.reference() is self.backend:
            error.add_note(f"The graph:\n{text}")
            raise error
        logger.warning(
            "backend %r refused a graph of %d operations, which runs on the reference backend instead "
            "(fallback: error raises): %s\n%s",
            self.backend.name,
            len(post_order(results)) - len(graph.parameters),
            error,
            text,
        )
        self.metrics.count("FallbackGraphs")
        reference = self.reference()
        results = optimize(graph, self.ir_builder, reference.lowers, check=self.verify)
        computation = self._lower_stage(
            reference.create_lowering_context,
            name,
            reference.backend_device(),
            [node.value() for node in graph.parameters],
            post_order(results),
            results,
            (),
        )
        count = len(graph.parameters)
        slots = tuple(range(count, count + len(results)))
        stages = [Stage(reference, computation, tuple(range(count)), slots, fallback=True)]
        self._compile_stages(name, stages, locate)
        return stages, slots

    # Lowering

    def _lower(
        self, name: str, device: BackendDevice, graph: Graph, results: Sequence[Value], donated: Sequence[int]
    ) -> tuple[list[Stage], tuple[int, ...]]:
        order = post_order(results)
        parameters = {id(node) for node in graph.parameters}
        unsupported = [node for node in order if id(node) not in parameters and not self.backend.lowers(node)]
        if not unsupported:
            computation = self._lower_stage(
                self.lowering_context,
                name,
                device,
                [node.value() for node in graph.parameters],
                order,
                results,
                donated,
            )
            if not name.startswith("kernel_"):
                self.tracer.add(name, "text", lambda: self.backend.computation_backend_text(computation))
            count = len(graph.parameters)
            slots = tuple(range(count, count + len(results)))
            return [Stage(self.backend, computation, tuple(range(count)), slots)], slots
        return self._lower_in_stages(name, device, graph, results, order, unsupported)

    def _lower_stage(
        self,
        factory: LoweringFactory,
        name: str,
        device: BackendDevice,
        inputs: Sequence[Value],
        nodes: Sequence[Node],
        results: Sequence[Value],
        donated: Sequence[int],
    ) -> Computation:
        context = factory(name, device)
        for position, value in enumerate(inputs):
            context.add_parameter(value, f"p{position}")
        given = {id(value.node) for value in inputs}
        for node in nodes:
            if id(node) not in given:
                self._lower_node(context, node)
        for value in results:
            context.add_result(value)
        free = [index for index, value in enumerate(results)]
        for parameter in donated:
            context.donate(parameter)
            for index in free:
                if results[index].type is inputs[parameter].type and results[index] != inputs[parameter]:
                    context.set_up_alias(index, parameter)
                    free.remove(index)
                    break
        try:
            return context.build()
        except LatebindError:
            raise
        except Exception as error:
            raise LoweringError(f"backend {self.backend.name!r} failed to lower {name}: {error}") from error

    def _lower_node(self, context: LoweringContext[Any], node: Node) -> None:
        try:
            context.lower(node)
        except LatebindError:
            raise
        except Exception as error:
            raise LoweringError(
                f"backend {self.backend.name!r} failed to lower {node.kind} to {', '.join(map(repr, node.types))}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _lower_in_stages(
        self,
        name: str,
        device: BackendDevice,
        graph: Graph,
        results: Sequence[Value],
        order: Sequence[Node],
        unsupported: Sequence[Node],
    ) -> tuple[list[Stage], tuple[int, ...]]:
        """Split the graph where operations fall back; native and fallback stages alternate."""
        if self.reference is None:
            kinds = ", ".join(sorted({str(node.kind) for node in unsupported}))
            raise UnsupportedOpError(
                f"backend {self.backend.name!r} can neither lower nor decompose {kinds}, and 'fallback: error' is set: "
                "set 'fallback: reference' to run it on the reference backend"
            )
        reference = self.reference()
        for node in unsupported:
            self.metrics.count(f"Fallback::{node.kind}")
        apart = {id(node) for node in unsupported}
        level: dict[int, int] = {id(node): 0 for node in graph.parameters}
        inputs = set(level)
        groups: dict[int, list[Node]] = {}
        for node in order:
            if id(node) in inputs:
                continue
            parity = int(id(node) in apart)
            lowest = max((level[id(operand.node)] for operand in node.operands), default=0)
            level[id(node)] = lowest + (lowest % 2 != parity)
            groups.setdefault(level[id(node)], []).append(node)
        slots = {node.value(): index for index, node in enumerate(graph.parameters)}
        wanted = set(results)
        for node in order:
            wanted.update(operand for operand in node.operands if level[id(operand.node)] != level[id(node)])
        stages = []
        for number in sorted(groups):
            nodes = groups[number]
            members = {id(node) for node in nodes}
            taken = list(
                dict.fromkeys(operand for node in nodes for operand in node.operands if id(operand.node) not in members)
            )
            given = [
                node.value(index) for node in nodes for index in range(len(node.types)) if node.value(index) in wanted
            ]
            elsewhere = number % 2 == 1
            backend = reference if elsewhere else self.backend
            factory = reference.create_lowering_context if elsewhere else self.lowering_context
            target = reference.backend_device() if elsewhere else device
            computation = self._lower_stage(factory, f"{name}_{number}", target, taken, nodes, given, ())
            self.tracer.add(
                computation.name,
                "text",
                lambda b=backend, c=computation: b.computation_backend_text(c),  # type: ignore[misc]
            )
            for value in given:
                slots[value] = len(slots)
            stages.append(
                Stage(
                    backend,
                    computation,
                    tuple(slots[value] for value in taken),
                    tuple(slots[value] for value in given),
                    elsewhere,
                )
            )
        return stages, tuple(slots[value] for value in results)

    def _compile_stages(self, name: str, stages: Sequence[Stage], locate: Callable[[int], str] | None = None) -> None:
        start = perf_counter()
        line = None if locate is None else functools.partial(locate, 0)
        for stage in stages:
            try:
                with compiling(name, line, wanted=self.progress):
                    (stage.computation,) = stage.backend.compile([stage.computation])
            except LatebindError:
                raise
            except Exception as error:
                raise CompilationError(
                    f"backend {stage.backend.name!r} failed to compile {stage.computation.name}: {error}"
                ) from error
            for figure, value in stage.backend.computation_analysis(stage.computation).items():
                self.metrics.count(f"Compiled::{figure}", int(value))
        self.metrics.add_time("CompileTime", perf_counter() - start)


def _nowhere(position: int) -> str:
    """Stand in for the lines of a graph that has none."""
    return ""
