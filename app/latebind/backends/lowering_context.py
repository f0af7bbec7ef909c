"""The lowering context: how a backend turns nodes into a computation of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from latebind.backends.data import BackendData, BackendDevice, Computation
from latebind.backends.registrar import get_backend
from latebind.errors import LoweringError, UnsupportedOpError
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

#: What a lowering context's emission state holds per value: a name, an engine's expression, a tracer.
EmittedT = TypeVar("EmittedT")
EmissionMap = dict[Value, EmittedT]


class LoweringContext(ABC, Generic[EmittedT]):
    """Turns nodes, in post-order, into one `Computation`; keeps the emission state.

    Parameters
    ----------
    name
        Name of the computation.
    device
        Where it will run.
    post_order
        Nodes to lower at once, operands before users.
    emission_map
        What is already emitted; nodes whose values are in it are not lowered again.
    """

    #: Lowering function per operation: `(context, node, emitted operands) -> emitted results`.
    lowerings: ClassVar[dict[OpKind, Callable[[Any, Node, Sequence[Any]], Sequence[Any]]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.lowerings = dict(cls.lowerings)

    def __init__(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, EmittedT] | None = None,
    ) -> None:
        self.name = name
        self.device = device
        self.emitted: EmissionMap[EmittedT] = dict(emission_map or {})
        self.emitted_node_count = 0
        self.parameters: list[tuple[str, TensorType]] = []
        self.results: list[tuple[EmittedT, TensorType]] = []
        self.aliases: list[tuple[int, int]] = []
        self.donated: set[int] = set()
        for node in post_order:
            self.lower(node)

    @staticmethod
    def create(
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> LoweringContext[Any]:
        """Ask the registered backend for a lowering context, in either of its two forms.

        Raises
        ------
        BackendNotRegisteredError
            If no backend is registered.
        """
        return get_backend().create_lowering_context(name, device, post_order, emission_map)

    @classmethod
    def register(
        cls, *kinds: str
    ) -> Callable[
        [Callable[[Any, Node, Sequence[Any]], Sequence[Any]]], Callable[[Any, Node, Sequence[Any]], Sequence[Any]]
    ]:
        """Register a function as the lowering of these operations (decorator)."""

        def decorate(
            function: Callable[[Any, Node, Sequence[Any]], Sequence[Any]],
        ) -> Callable[[Any, Node, Sequence[Any]], Sequence[Any]]:
            for kind in kinds:
                cls.lowerings[OpKind.get(kind)] = function
            return function

        return decorate

    @classmethod
    def supports(cls, kind: OpKind) -> bool:
        """Whether this backend lowers the operation itself."""
        return kind in cls.lowerings

    def lower(self, node: Node) -> None:
        """Emit one node whose operands are emitted.

        Raises
        ------
        UnsupportedOpError
            If no lowering is registered for the operation.
        LoweringError
            If an operand is not emitted or the lowering gives a wrong number of results.
        """
        if all(node.value(index) in self.emitted for index in range(len(node.types))):
            return
        lowering = self.lowerings.get(node.kind)
        if lowering is None:
            raise UnsupportedOpError(
                f"{type(self).__name__} has no lowering for {node.kind}: register one with "
                f"@{type(self).__name__}.register({node.kind.qualified!r}), or decompose the operation first"
            )
        try:
            operands = [self.emitted[operand] for operand in node.operands]
        except KeyError:
            raise LoweringError(
                f"{node.kind} in computation {self.name!r} uses a value that is not emitted: "
                "lower nodes in post-order, operands before users"
            ) from None
        outputs = lowering(self, node, operands)
        if len(outputs) != len(node.types):
            raise LoweringError(
                f"the lowering of {node.kind} in {type(self).__name__} gave {len(outputs)} results "
                f"for an operation with {len(node.types)}"
            )
        for index, output in enumerate(outputs):
            self.emitted[node.value(index)] = output
        self.emitted_node_count += 1

    def add_parameter(self, value: Value, name: str) -> int:
        """Declare that the caller supplies this value; return its position among the parameters."""
        position = len(self.parameters)
        self.parameters.append((name, value.type))
        self.emitted[value] = self.emit_parameter(position, name, value.type)
        return position

    def add_result(self, value: Value) -> int:
        """Declare that the computation returns this value; return its position among the results."""
        if value not in self.emitted:
            raise LoweringError(f"result {value!r} of computation {self.name!r} is not emitted: lower its node first")
        self.results.append((self.emitted[value], value.type))
        return len(self.results) - 1

    def set_up_alias(self, output_index: int, parameter_index: int) -> None:
        """Let an output take the buffer of a parameter that dies with this call (donation).

        Raises
        ------
        LoweringError
            If the two have different types, or one of them is already in an alias.
        """
        output, parameter = self.results[output_index][1], self.parameters[parameter_index][1]
        if output is not parameter:
            raise LoweringError(f"output {output_index} is {output}, but parameter {parameter_index} is {parameter}")
        if any(output_index == o or parameter_index == p for o, p in self.aliases):
            raise LoweringError(f"output {output_index} or parameter {parameter_index} is aliased already")
        self.aliases.append((output_index, parameter_index))
        self.donate(parameter_index)

    def donate(self, parameter_index: int) -> None:
        """Say that a parameter's buffer dies with this call, so that it may be overwritten after its last use."""
        self.donated.add(parameter_index)

    def check_result_shape(self, data: BackendData, result_index: int) -> bool:
        """Whether the data has the shape of a result, so that its buffer could hold it."""
        return data.type.shape == self.results[result_index][1].shape

    @abstractmethod
    def emit_parameter(self, position: int, name: str, type: TensorType) -> EmittedT:
        """Return the emitted form of a parameter."""

    @abstractmethod
    def build(self) -> Computation:
        """Finish and return the computation. Call it once, after the last `add_result`."""
