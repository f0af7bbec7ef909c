"""A backend that hands every call to another one; the doubles override the few that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from latebind.backends.interface import (
    Backend,
    BackendData,
    BackendDevice,
    Computation,
    HostArray,
    LoweringContext,
    Scalar,
)
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType


class DelegatingBackend(Backend):
    """Hands every call to the wrapped backend, under the wrapped backend's name.

    Parameters
    ----------
    backend
        The wrapped instance. It stays usable by itself; `prepare_to_exit` shuts it down.
    """

    def __init__(self, backend: Backend) -> None:
        self.wrapped = backend
        # What other backends state once per class is here the wrapped instance's.
        vars(self).update(
            name=backend.name,
            blocking=backend.blocking,
            interpretations=backend.interpretations,
            engines=backend.engines,
            gaps=backend.gaps,
            deviations=backend.deviations,
        )
        super().__init__(backend.settings)

    # Devices and configuration

    def backend_devices(self) -> Sequence[BackendDevice]:
        return self.wrapped.backend_devices()

    def backend_device(self, name: str | None = None) -> BackendDevice:
        return self.wrapped.backend_device(name)

    @property
    def default_device_type(self) -> str:
        return self.wrapped.default_device_type

    @default_device_type.setter
    def default_device_type(self, value: str) -> None:
        self.wrapped.default_device_type = value

    @property
    def default_device_ordinal(self) -> int:
        return self.wrapped.default_device_ordinal

    @default_device_ordinal.setter
    def default_device_ordinal(self, value: int) -> None:
        self.wrapped.default_device_ordinal = value

    def eager_fallback_device(self) -> BackendDevice:
        return self.wrapped.eager_fallback_device()

    def enable_dynamic_shape(self) -> bool:
        return self.wrapped.enable_dynamic_shape()

    def set_rng_seed(self, seed: int) -> None:
        self.wrapped.set_rng_seed(seed)

    def be_deterministic(self) -> None:
        self.wrapped.be_deterministic()

    def prepare_to_exit(self) -> None:
        self.wrapped.prepare_to_exit()

    def ir_builder(self) -> IrBuilder:
        return self.wrapped.ir_builder()

    # Data

    def host_handle(self, data: BackendData) -> HostArray | None:
        return self.wrapped.host_handle(data)

    def data_from_host(self, type: TensorType, device: BackendDevice, array: HostArray) -> BackendData:
        return self.wrapped.data_from_host(type, device, array)

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        return self.wrapped.make_computation_data_from_tensor(tensor, type, device, copy=copy)

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        return self.wrapped.make_computation_data_from_scalar(scalar, type, device)

    def create_data_placeholder(self, device: BackendDevice, type: TensorType) -> BackendData:
        return self.wrapped.create_data_placeholder(device, type)

    def computation_data_from_node(self, node: Node) -> BackendData | None:
        return self.wrapped.computation_data_from_node(node)

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        return self.wrapped.make_tensor_from_computation_data(data)

    def direct_data(self) -> Any:
        return self.wrapped.direct_data()

    def can_donate(self, data: BackendData) -> bool:
        return self.wrapped.can_donate(data)

    # Lowering and running

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> LoweringContext[Any]:
        return self.wrapped.create_lowering_context(name, device, post_order, emission_map)

    def supports(self, kind: OpKind) -> bool:
        return self.wrapped.supports(kind)

    def lowers(self, node: Node) -> bool:
        return self.wrapped.lowers(node)

    def compilation_devices(self, device: str, devices: Sequence[str]) -> Sequence[str]:
        return self.wrapped.compilation_devices(device, devices)

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        return self.wrapped.compile(computations)

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        return self.wrapped.execute_computation(computation, arguments, device)

    def wait_device_ops(self) -> None:
        self.wrapped.wait_device_ops()

    def is_ready(self, data: BackendData) -> bool:
        return self.wrapped.is_ready(data)

    # Debug

    def computation_bytes(self, computation: Computation) -> int:
        return self.wrapped.computation_bytes(computation)

    def device_bytes(self) -> int | None:
        return self.wrapped.device_bytes()

    def metric_report(self) -> str:
        return self.wrapped.metric_report()

    def computation_backend_text(self, computation: Computation) -> str:
        return self.wrapped.computation_backend_text(computation)

    def computation_analysis(self, computation: Computation) -> Mapping[str, float]:
        return self.wrapped.computation_analysis(computation)

    def fusions(
        self, device: BackendDevice, inputs: Sequence[Value], nodes: Sequence[Node], results: Sequence[Value]
    ) -> Mapping[Node, str]:
        return self.wrapped.fusions(device, inputs, nodes, results)


class DelegatingLoweringContext(LoweringContext[Any]):
    """Hands every call to the wrapped context and notes the nodes that were lowered.

    Parameters
    ----------
    context
        The wrapped context, empty or with what is emitted already.
    """

    def __init__(self, context: LoweringContext[Any]) -> None:
        super().__init__(context.name, context.device)
        self.wrapped = context
        self.nodes: list[Node] = []
        # The same objects, so that what either of the two adds is seen by both.
        self.emitted, self.parameters, self.results = context.emitted, context.parameters, context.results
        self.aliases, self.donated = context.aliases, context.donated

    def lower(self, node: Node) -> None:
        before = self.wrapped.emitted_node_count
        self.wrapped.lower(node)
        self.emitted_node_count = self.wrapped.emitted_node_count
        if self.emitted_node_count != before:
            self.nodes.append(node)

    def add_parameter(self, value: Value, name: str) -> int:
        return self.wrapped.add_parameter(value, name)

    def add_result(self, value: Value) -> int:
        return self.wrapped.add_result(value)

    def set_up_alias(self, output_index: int, parameter_index: int) -> None:
        self.wrapped.set_up_alias(output_index, parameter_index)

    def donate(self, parameter_index: int) -> None:
        self.wrapped.donate(parameter_index)

    def check_result_shape(self, data: BackendData, result_index: int) -> bool:
        return self.wrapped.check_result_shape(data, result_index)

    def emit_parameter(self, position: int, name: str, type: TensorType) -> Any:
        return self.wrapped.emit_parameter(position, name, type)

    def build(self) -> Computation:
        return self.wrapped.build()


class Watched:
    """What belongs to computations of a wrapped backend, found again after they were compiled."""

    def __init__(self) -> None:
        self._notes: dict[int, tuple[Computation, Any]] = {}

    def note(self, computation: Computation, what: Any) -> None:
        """Keep something for a computation, and the computation itself, whose id must not be given to another."""
        self._notes[id(computation)] = computation, what

    def of(self, computation: Computation) -> Any:
        """Return what was noted for a computation; `None` if nothing was."""
        return self._notes.get(id(computation), (None, None))[1]
