"""Lowering to two backends at once; the graph itself is kept, to narrow a difference down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from latebind.backends.interface import BackendDevice, Computation, LoweringContext
from latebind.ir.node import Node, Value
from latebind.ir.types import TensorType

#: The emitted form of a value on both backends; `None` where the reference has failed.
EmittedPair = tuple[Any, Any]


@dataclass(slots=True)
class ShadowProgram:
    """What a computation of the shadow backend is made of.

    Attributes
    ----------
    primary : Computation
    reference : Computation or None
        `None` if the reference could not lower or compile it.
    parameters : tuple of Value
    nodes : tuple of Node
        Operands before users, without the parameters.
    results : tuple of Value
    explained : bool
        Whether a difference was narrowed down before: it is done once per computation.
    """

    primary: Computation
    reference: Computation | None
    parameters: tuple[Value, ...]
    nodes: tuple[Node, ...]
    results: tuple[Value, ...]
    explained: bool = field(default=False, compare=False)


class ShadowLoweringContext(LoweringContext[EmittedPair]):
    """Hands every node to the lowering contexts of two backends.

    Only the primary is told of donation, so that the reference's arguments stay as they were: a difference is narrowed
    down with them.

    Parameters
    ----------
    primary, reference
        Empty lowering contexts, or with what is emitted already.
    reference_failed
        Called with what the reference could not do, and why.
    """

    def __init__(
        self,
        name: str,
        device: BackendDevice,
        primary: LoweringContext[Any],
        reference: LoweringContext[Any],
        reference_failed: Callable[[str, Exception], None],
        emission_map: Mapping[Value, EmittedPair] | None = None,
    ) -> None:
        self._primary = primary
        self._reference: LoweringContext[Any] | None = reference
        self._reference_failed = reference_failed
        self._parameters: list[Value] = []
        self._nodes: list[Node] = []
        self._results: list[Value] = []
        super().__init__(name, device, (), emission_map)

    def lower(self, node: Node) -> None:
        values = [node.value(index) for index in range(len(node.types))]
        if all(value in self.emitted for value in values):
            return
        self._primary.lower(node)
        self._on_reference(f"lower {node.kind}", lambda context: context.lower(node))
        for value in values:
            self._emit(value)
        self._nodes.append(node)
        self.emitted_node_count += 1

    def _emit(self, value: Value) -> EmittedPair:
        reference = self._reference.emitted.get(value) if self._reference is not None else None
        pair = self.emitted[value] = self._primary.emitted[value], reference
        return pair

    def _on_reference(self, what: str, call: Callable[[LoweringContext[Any]], object]) -> None:
        """Do something in the reference's context; if it fails, the computation goes without a reference."""
        if self._reference is None:
            return
        try:
            call(self._reference)
        except Exception as error:
            self._reference = None
            self._reference_failed(f"{what} in {self.name}", error)

    def add_parameter(self, value: Value, name: str) -> int:
        self._primary.add_parameter(value, name)
        self._on_reference("take a parameter", lambda context: context.add_parameter(value, name))
        self._parameters.append(value)
        self.parameters.append((name, value.type))
        self._emit(value)
        return len(self.parameters) - 1

    def add_result(self, value: Value) -> int:
        self._primary.add_result(value)
        self._on_reference("return a result", lambda context: context.add_result(value))
        self._results.append(value)
        return super().add_result(value)

    def set_up_alias(self, output_index: int, parameter_index: int) -> None:
        super().set_up_alias(output_index, parameter_index)
        self._primary.set_up_alias(output_index, parameter_index)

    def donate(self, parameter_index: int) -> None:
        super().donate(parameter_index)
        self._primary.donate(parameter_index)

    def emit_parameter(self, position: int, name: str, type: TensorType) -> EmittedPair:
        return self._primary.emit_parameter(position, name, type), None

    def build(self) -> Computation:
        primary = self._primary.build()
        built: list[Computation] = []
        self._on_reference("finish", lambda context: built.append(context.build()))
        program = ShadowProgram(
            primary, built[0] if built else None, tuple(self._parameters), tuple(self._nodes), tuple(self._results)
        )
        return Computation(
            self.name,
            self.device,
            tuple(name for name, _ in self.parameters),
            tuple(type for _, type in self.parameters),
            tuple(type for _, type in self.results),
            tuple(self.aliases),
            primary.text,
            program,
        )
