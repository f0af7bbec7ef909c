"""The backend interface: what a compiler or a device has to provide to run latebind's graphs.

A small backend subclasses `Backend` and `LoweringContext`, registers one lowering function per core operation with
`LoweringContext.register`, and implements `compile` and `execute_computation`; everything else has a default here.
The names are those of `BackendImplInterface` and `LoweringContext` in PyTorch's lazy tensor core.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from latebind.backends.data import BackendData, BackendDevice, Computation, DirectData, HostArray, Launcher, Scalar
from latebind.backends.lowering_context import EmissionMap, EmittedT, LoweringContext
from latebind.errors import DeviceMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

#: What a program takes, by the length of its text, where the backend does not say better: the text and what was made
#: of it.
_BYTES_PER_CHARACTER = 8

__all__ = [
    "Backend",
    "BackendData",
    "BackendDevice",
    "Computation",
    "DirectData",
    "EmissionMap",
    "EmittedT",
    "HostArray",
    "Launcher",
    "LoweringContext",
    "Scalar",
]


class Backend(ABC):
    """Compiles and runs computations, owns devices and device data.

    Parameters
    ----------
    settings
        The backend's own settings model, validated; `None` takes its defaults.

    Attributes
    ----------
    name : str
        Name in the configuration.
    blocking : bool
        Whether `execute_computation` returns only when the results are there. The runtime moves long computations of
        a blocking engine to a worker thread; an engine with asynchronous dispatch of its own sets this to false.
    interpretations : int
        How often a new graph is run operation by operation, at most, before it is compiled as a whole; 0 compiles at
        once. For engines whose single operations are cheap to start and whose compilation is not.
    direct : bool
        Whether its values are host arrays, so that single operations may run on them as NumPy runs them, without a
        graph. Programs that never repeat, and graphs that are new, then cost no compilation at all.
    gaps : mapping of str to frozenset of str
        Names of the dtypes that the engine lacks, by qualified operation; `"*"` stands for every operation:
        `{"*": frozenset({"float16"}), "stablehlo::sort": frozenset({"complex64", "complex128"})}`. A node that has an
        operand or a result of such a dtype is decomposed, or runs on the reference backend.
    engines : str
        Of a backend that is composed of others, who compiles what: `"numpy at once, xla in the background"`.
    deviations : mapping of str to str
        Where results differ from the reference and are known to, for the conformance kit: from a pattern of its case
        names (with `*` and `?`) to the reason. The kit expects these cases to fail, and says so when one passes.
    """

    name: ClassVar[str]
    blocking: bool = True
    interpretations: int = 0
    direct: bool = False
    engines: str = ""
    gaps: Mapping[str, frozenset[str]] = MappingProxyType({})
    deviations: Mapping[str, str] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "execute_computation" in cls.__dict__ and "launcher" not in cls.__dict__:
            cls.launcher = Backend.launcher  # type: ignore[method-assign]

    def __init__(self, settings: object = None) -> None:
        self.settings = settings
        self._default_device_type = self.backend_devices()[0].type
        self._default_device_ordinal = 0
        self._ir_builder: IrBuilder | None = None

    # Devices and configuration

    @abstractmethod
    def backend_devices(self) -> Sequence[BackendDevice]:
        """All devices, the default one first. Called by the base class's constructor."""

    def backend_device(self, name: str | None = None) -> BackendDevice:
        """Return the device with this name (`"cpu:0"`, `"cpu"`), or the default device.

        Raises
        ------
        DeviceMismatchError
            If the backend has no such device; the message lists those that it has.
        """
        if name is None:
            wanted = BackendDevice(self._default_device_type, self._default_device_ordinal)
        else:
            wanted = BackendDevice.parse(name)
        devices = self.backend_devices()
        if wanted not in devices:
            raise DeviceMismatchError(
                f"backend {self.name!r} has no device {str(wanted)!r}; it has {', '.join(map(str, devices))}"
            )
        return wanted

    @property
    def default_device_type(self) -> str:
        """Type of the device where arrays are created unless told otherwise."""
        return self._default_device_type

    @default_device_type.setter
    def default_device_type(self, value: str) -> None:
        if all(device.type != value for device in self.backend_devices()):
            raise DeviceMismatchError(f"backend {self.name!r} has no device of type {value!r}")
        self._default_device_type = value

    @property
    def default_device_ordinal(self) -> int:
        """Ordinal of the device where arrays are created unless told otherwise."""
        return self._default_device_ordinal

    @default_device_ordinal.setter
    def default_device_ordinal(self, value: int) -> None:
        if BackendDevice(self._default_device_type, value) not in self.backend_devices():
            raise DeviceMismatchError(f"backend {self.name!r} has no device '{self._default_device_type}:{value}'")
        self._default_device_ordinal = value

    def eager_fallback_device(self) -> BackendDevice:
        """Device on which operations run that this backend can neither lower nor decompose."""
        return BackendDevice("cpu", 0)

    def enable_dynamic_shape(self) -> bool:
        """Whether size nodes may be symbolic."""
        return False

    def set_rng_seed(self, seed: int) -> None:
        """Seed the engine's own generators, if it has any. latebind's streams do not depend on it."""
        del seed

    def be_deterministic(self) -> None:
        """Do nothing that depends on time or load: called once, before anything runs, under `deterministic: true`."""
        return None

    def prepare_to_exit(self) -> None:
        """Release threads, pools and device memory. Called once, when the container closes."""
        return None

    # Tracing

    def ir_builder(self) -> IrBuilder:
        """The builder that makes this backend's nodes."""
        if self._ir_builder is None:
            self._ir_builder = IrBuilder()
        return self._ir_builder

    # Data

    @abstractmethod
    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        """Put a host array on a device. With `copy=False` the result may share its memory and is then not owned."""

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        """Put a scalar on a device as a zero-dimensional value."""
        return self.make_computation_data_from_tensor(np.asarray(scalar, dtype=type.dtype), type, device, copy=False)

    def create_data_placeholder(self, device: BackendDevice, type: TensorType) -> BackendData:
        """Return data without a buffer, to be filled by an execution."""
        return BackendData(type, device)

    def computation_data_from_node(self, node: Node) -> BackendData | None:
        """Return the data that a `lazy_tensors::device_data` node stands for, or `None` for any other node."""
        data = getattr(node, "data", None)
        return data if isinstance(data, BackendData) else None

    @abstractmethod
    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        """Return the value as a host array, sharing memory where the engine can. The caller treats it as read-only."""

    def host_handle(self, data: BackendData) -> HostArray | None:
        """Return the value as the host array itself, not a copy, or `None` while it is pending.

        For a backend that sets `direct`, whose arrays the runtime may then use, and write where `can_donate` allows.
        """
        raise NotImplementedError(f"backend {self.name!r} does not run operations directly")

    def data_from_host(self, type: TensorType, device: BackendDevice, array: HostArray) -> BackendData:
        """Return data that holds a host array which the runtime made; for a backend that sets `direct`."""
        raise NotImplementedError(f"backend {self.name!r} does not run operations directly")

    def direct_data(self) -> Any:
        """Return the class of what direct execution makes, `DirectData` or one that does what it does.

        `None` has it call `data_from_host` for each value. Asked for once by each thread and phase of direct execution.
        """
        return None

    def can_donate(self, data: BackendData) -> bool:
        """Whether nothing outside latebind (an exported view, shared memory) still sees this buffer."""
        return data.owned

    # Lowering

    @abstractmethod
    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> LoweringContext[Any]:
        """Return a lowering context: `(name, device)` empty, or with nodes and what is already emitted."""

    @abstractmethod
    def supports(self, kind: OpKind) -> bool:
        """Whether this backend lowers the operation itself (otherwise it is decomposed, or falls back)."""

    def lowers(self, node: Node) -> bool:
        """Whether this backend lowers the node itself: its operation, for the dtypes of its operands and results."""
        if not self.supports(node.kind):
            return False
        if not self.gaps:
            return True
        missing = self.gaps.get("*", frozenset()) | self.gaps.get(node.kind.qualified, frozenset())
        return not missing or all(
            type.dtype.name not in missing for type in (*node.types, *(operand.type for operand in node.operands))
        )

    def compilation_devices(self, device: str, devices: Sequence[str]) -> Sequence[str]:
        """Devices that a computation for `device` is compiled for."""
        return list(devices) or [device]

    @abstractmethod
    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        """Compile each computation.

        Raises
        ------
        CompilationError
            If the engine refuses one.
        """

    @abstractmethod
    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        """Run a compiled computation; return one data per result.

        Raises
        ------
        ExecutionError
            If the engine failed; `origin` names the operation if the engine can tell.
        """

    def launcher(self, computation: Computation, device: BackendDevice) -> Launcher:
        """Return a function that runs a compiled computation, as `execute_computation` does, again and again.

        The runtime asks once per compiled computation and keeps what it gets. An engine looks up here what does not
        change from one run to the next. A subclass that replaces `execute_computation` and not this gets the default,
        which calls it.
        """
        return lambda arguments: self.execute_computation(computation, arguments, device)

    def wait_device_ops(self) -> None:
        """Block until everything that was started is done. Errors are not raised here, but where a result is used."""
        return None

    def is_ready(self, data: BackendData) -> bool:
        """Whether a value can be read without waiting for the engine; after `fork`, nothing else can be read."""
        return True

    # Debug

    def computation_analysis(self, computation: Computation) -> Mapping[str, float]:
        """Return the engine's figures on a compiled computation: `flops`, `temp_bytes`, ...; by default none."""
        return {}

    def computation_bytes(self, computation: Computation) -> int:
        """Estimate what a compiled computation takes in host memory, for the bound of the cache."""
        return _BYTES_PER_CHARACTER * len(computation.text)

    def fusions(
        self, device: BackendDevice, inputs: Sequence[Value], nodes: Sequence[Node], results: Sequence[Value]
    ) -> Mapping[Node, str]:
        """Return the name of the engine's fused kernel in which each node runs, by compiling the graph once more.

        Nodes that are not fused are left out; by default all are, as the engine does not tell.
        """
        return {}

    def metric_report(self) -> str:
        """The engine's own metrics, for people."""
        return ""

    def device_bytes(self) -> int | None:
        """Return the bytes in use on all devices; `None` where the engine does not tell, as on a CPU."""
        return None

    def computation_backend_text(self, computation: Computation) -> str:
        """The computation in the backend's own language."""
        return computation.text
