"""`XlaBackend`: compiles graphs through JAX's PJRT client and runs them."""

from __future__ import annotations

import contextlib
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Final

import numpy as np

import latebind.backends.xla.lowerings  # noqa: F401  (registers the lowering functions)
from latebind.backends.interface import (
    Backend,
    BackendData,
    BackendDevice,
    Computation,
    HostArray,
    Launcher,
    Scalar,
)
from latebind.backends.xla.client import JAXLIB_VERSION, VERSION, EngineError, Slot, clients, has_lapack, thread_count
from latebind.backends.xla.fusions import fusions_in, marked_text
from latebind.backends.xla.lowering import XlaLoweringContext
from latebind.backends.xla.lowerings.linear_algebra import HOST_ONLY
from latebind.backends.xla.program import Program
from latebind.backends.xla.settings import XlaSettings
from latebind.backends.xla.store import Store, host_features
from latebind.errors import BackendUnavailableError, CompilationError, DeviceMismatchError, ExecutionError
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

#: XLA's flags that differ from its defaults. Without the first, float16 would be rounded less often than NumPy does.
COMPILER_OPTIONS: Final[dict[str, bool | int | float | str]] = {"xla_allow_excess_precision": False}
_COMPLEX: Final = frozenset({"complex64", "complex128"})
#: CHLO's complex functions miss branch cuts and infinities; ours do not.
GAPS: Final[Mapping[str, frozenset[str]]] = {
    f"chlo::{name}": _COMPLEX for name in ("acos", "acosh", "asin", "asinh", "atan", "cosh", "sinh")
}
DEVIATIONS: Final[Mapping[str, str]] = {
    "*-denormals": "XLA flushes denormal numbers to zero on the CPU",
    "stablehlo::divide[float*]-broadcast-*": "XLA multiplies by the reciprocal of a divisor that is broadcast: 2 ulp",
    "stablehlo::cosine[complex64]-wide": "overflows where the result is within a factor of 2 of the largest number",
    "stablehlo::sine[complex64]-wide": "overflows where the result is within a factor of 2 of the largest number",
    "stablehlo::rsqrt[complex*]-special": "complex operands with an infinite part",
    "stablehlo::sign[complex*]-special": "complex operands with an infinite part",
    "stablehlo::power[complex*]-special": "complex operands with an infinite or zero part",
    "numpy::power[complex*]-special": "complex operands with an infinite or zero part",
}
_handle: Final = attrgetter("handle")
#: Tokens of executions that the barrier may have to wait for; the oldest are done by then.
_IN_FLIGHT: Final = 256


class XlaData(BackendData):
    """A `jax.Array` and the views of its memory that were handed out."""

    __slots__ = ("exports",)

    def __init__(self, type: TensorType, device: BackendDevice, handle: Any = None, *, owned: bool = True) -> None:
        # What the base class does, without a call: one of these is made per result.
        self.type = type
        self.device = device
        self.handle = handle
        self.owned = owned
        self.error = None
        self._ready = None
        self.exports: list[weakref.ref[HostArray]] | None = None


class XlaBackend(Backend):
    """Compiles graphs with XLA and runs them on CPU, CUDA or TPU, through JAX's PJRT client.

    Parameters
    ----------
    settings
        An `XlaSettings`; `None` takes the defaults.

    Raises
    ------
    BackendUnavailableError
        If JAX does not start, or does not have the platform that the settings name.
    """

    name: ClassVar[str] = "xla"
    blocking: bool = False
    gaps: Mapping[str, frozenset[str]] = GAPS
    deviations: Mapping[str, str] = DEVIATIONS

    def __init__(self, settings: object = None) -> None:
        chosen = settings if isinstance(settings, XlaSettings) else XlaSettings()
        self._slots: dict[BackendDevice, Slot] = {}
        for platform, client in clients(chosen.platform, chosen.devices, chosen.threads):
            for ordinal, device in enumerate(client.local_devices()):
                self._slots[BackendDevice(platform, ordinal)] = Slot(client, device)
        #: With an accelerator, factorisations run on the reference backend, whose device is the host.
        self._has_lapack = has_lapack() and all(device.type == "cpu" for device in self._slots)
        self._threads = chosen.threads
        self._options = COMPILER_OPTIONS | chosen.compiler_options
        self._store = Store(chosen.cache_directory, chosen.cache_max_bytes) if chosen.persistent_cache else None
        self._in_flight: deque[Any] = deque(maxlen=_IN_FLIGHT)
        self._programs: weakref.WeakSet[Program] = weakref.WeakSet()
        self._compiled = self._loaded = 0
        if chosen.compiler_options:
            self._try_options(chosen.compiler_options)
        super().__init__(settings)

    def _try_options(self, options: Mapping[str, object]) -> None:
        """Compile an empty module, so that an option that XLA does not know is not refused with each graph."""
        slot = next(iter(self._slots.values()))
        try:
            slot.compile("func.func public @main() {\n  return\n}", slot.compile_options(self._options))
        except Exception as error:
            raise BackendUnavailableError(
                f"backend 'xla': XLA refuses backend.compiler_options {dict(options)}: {error}"
            ) from error

    def backend_devices(self) -> Sequence[BackendDevice]:
        """All devices: those of the platform in force, then the host's."""
        return tuple(self._slots)

    def wait_device_ops(self) -> None:
        """Block until everything that was dispatched is done; what fails is reported where its result is used."""
        with contextlib.suppress(IndexError):  # another thread may take the last one
            while True:
                token = self._in_flight.popleft()
                with contextlib.suppress(EngineError):
                    token.block_until_ready()

    def is_ready(self, data: BackendData) -> bool:
        """Whether the computation of a value is done."""
        return data.handle is None or bool(data.handle.is_ready())

    def prepare_to_exit(self) -> None:
        """Wait for what is running; the clients are JAX's own and stay."""
        self.wait_device_ops()

    # Data

    def _slot(self, device: BackendDevice) -> Slot:
        slot = self._slots.get(device)
        if slot is None:
            self.backend_device(str(device))
        return self._slots[device]

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        """Put a host array on a device; with `copy=False` in place where the device is the host and alignment allows.

        Raises
        ------
        DeviceMismatchError
            If the shape is not the type's, or the backend has no such device.
        ExecutionError
            If the device has no room.
        """
        slot = self._slot(device)
        if tensor.shape != type.shape:
            raise DeviceMismatchError(f"data of shape {tensor.shape} cannot be used as {type}")
        if tensor.dtype != type.dtype or tensor.__class__ is not np.ndarray:
            tensor, copy = np.array(tensor, type.dtype), False
            owned = True
        else:
            owned = copy
        try:
            return XlaData(type, device, slot.put(tensor, type, share=not copy), owned=owned)
        except EngineError as error:
            raise ExecutionError(f"cannot put {type} on {device}: {error}") from error

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        """Put a scalar on a device as a zero-dimensional value; one that was there lately is not put there again."""
        slot = self._slots.get(device) or self._slot(device)
        # `==` does not tell the zeros apart, nor complex numbers with a zero as one part.
        key = (type, scalar if scalar and scalar.__class__ is not complex else repr(scalar))
        data = slot.scalars.get(key)
        if data is None:
            # Never donated: several computations may be reading it.
            data = XlaData(type, device, slot.put(np.array(scalar, type.dtype), type, share=False), owned=False)
            slot.scalars.put(key, data)
        return data

    def create_data_placeholder(self, device: BackendDevice, type: TensorType) -> BackendData:
        """Return data without a buffer, to be filled by an execution."""
        return XlaData(type, device)

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        """Return the value, read-only; on the host without a copy.

        Raises
        ------
        ExecutionError
            If the computation of the value failed on the device.
        """
        data.wait()
        try:
            data.handle.block_until_ready()  # exporting a buffer whose computation failed ends the process
            if data.device.type != "cpu":
                host: HostArray = np.asarray(data.handle)
            else:
                host = np.from_dlpack(data.handle)
                if isinstance(data, XlaData):
                    data.exports = [*self._exports(data), weakref.ref(host)]
        except EngineError as error:
            raise ExecutionError(f"the computation failed on {data.device}: {error}") from error
        host.flags.writeable = False
        return host

    @staticmethod
    def _exports(data: XlaData) -> list[weakref.ref[HostArray]]:
        return [export for export in data.exports or () if export() is not None]

    def can_donate(self, data: BackendData) -> bool:
        """Whether the buffer is ours and no host view of it is alive, for which XLA would have to copy it."""
        return data.owned and data.handle is not None and not (isinstance(data, XlaData) and self._exports(data))

    # Lowering

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> XlaLoweringContext:
        """Return a lowering context: `(name, device)` empty, or with nodes and what is already emitted."""
        return XlaLoweringContext(name, device, post_order, emission_map)

    def supports(self, kind: OpKind) -> bool:
        """Whether there is a lowering function for the operation."""
        return kind in XlaLoweringContext.lowerings and (self._has_lapack or kind.qualified not in HOST_ONLY)

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        """Compile each module, or load it from the disk cache.

        Raises
        ------
        CompilationError
            If XLA refuses one; the message has what XLA said.
        """
        for computation in computations:
            program = computation.program
            if not isinstance(program, Program):
                raise CompilationError(f"computation {computation.name!r} was not lowered by the XLA backend")
            if program.executable is None:
                self._compile(computation, program)
        return list(computations)

    def _compile(self, computation: Computation, program: Program) -> None:
        slot = self._slot(computation.device)
        options = slot.compile_options(self._options)
        key = None
        if self._store is not None:
            key = self._store.key(
                *(program.text, repr(sorted(self._options.items())), VERSION, JAXLIB_VERSION),
                *(slot.client.platform_version, slot.device.device_kind, str(slot.device.id), host_features()),
                str(thread_count(self._threads)),
            )
            if (stored := self._store.read(key)) is not None:
                try:
                    program.executable = slot.load(stored, options)
                    program.from_disk = True
                    self._loaded += 1
                except Exception as error:
                    self._store.reject(key, f"XLA cannot load it: {error}")
        if program.executable is None:
            try:
                program.executable = slot.compile(program.text, options)
            except Exception as error:
                raise CompilationError(f"XLA cannot compile {computation.name}: {error}") from error
            self._compiled += 1
            if self._store is not None and key is not None:
                try:
                    self._store.write(key, slot.serialize(program.executable))
                except EngineError:
                    self._store = None  # the platform cannot serialise its programs
        program.handlers = slot.handlers(computation.result_types)
        self._programs.add(program)

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        """Start a compiled computation; return one data per result, whose values may still be on their way.

        Raises
        ------
        ExecutionError
            If XLA refuses the arguments or cannot start.
        """
        return XlaBackend.launcher(self, computation, device)(arguments)

    def launcher(self, computation: Computation, device: BackendDevice) -> Launcher:
        """Return what starts a compiled computation."""
        program: Program = computation.program
        execute, handlers, types = program.executable.execute_sharded, program.handlers, computation.result_types
        devices = (device,) * len(types)
        started, alone = self._in_flight.append, types[0] if len(types) == 1 else None

        def launch(arguments: Sequence[BackendData]) -> list[BackendData]:
            try:
                results = execute(list(map(_handle, arguments)), with_tokens=True)
                started(results.consume_token())
                arrays = results.consume_with_handlers(handlers)
            except Exception as error:
                raise ExecutionError(f"XLA could not run {computation.name}: {error}") from error
            if alone is not None:
                return [XlaData(alone, device, arrays[0])]
            return list(map(XlaData, types, devices, arrays))

        return launch

    # Debug

    def computation_analysis(self, computation: Computation) -> Mapping[str, float]:
        """Return XLA's figures on a compiled computation.

        They are `flops`, `bytes_accessed`, `argument_bytes`, `output_bytes`, `temp_bytes` and `alias_bytes`, and
        `from_disk`, which is 1 if it was loaded instead of compiled.
        """
        program: Program = computation.program
        if program.executable is None:
            return {}
        return {**_analysis(program.executable), "from_disk": float(program.from_disk)}

    def fusions(
        self, device: BackendDevice, inputs: Sequence[Value], nodes: Sequence[Node], results: Sequence[Value]
    ) -> Mapping[Node, str]:
        """Return the fusion of XLA's in which each node runs; nodes in none are left out."""
        slot = self._slot(device)
        executable = slot.compile(marked_text(device, inputs, nodes, results), slot.compile_options(self._options))
        return fusions_in([module.to_string() for module in executable.hlo_modules()], nodes)

    def computation_bytes(self, computation: Computation) -> int:
        """The StableHLO text, which has the constants, and XLA's machine code."""
        executable = computation.program.executable
        size = 2 * len(computation.text)
        with contextlib.suppress(EngineError, AttributeError):
            size += int(executable.get_compiled_memory_stats().generated_code_size_in_bytes)
        return size

    def device_bytes(self) -> int | None:
        """What JAX says of its devices; it keeps no such account of host memory."""
        figures = [slot.device.memory_stats() or {} for slot in self._slots.values()]
        known = [int(each["bytes_in_use"]) for each in figures if "bytes_in_use" in each]
        return sum(known) if known else None

    def metric_report(self) -> str:
        """Platform and versions, compilations, the disk cache, and the memory of live programs and devices."""
        lines = [f"XLA through JAX {VERSION}, jaxlib {JAXLIB_VERSION}"]
        for device, slot in self._slots.items():
            memory = slot.device.memory_stats() or {}
            used = f", {memory['bytes_in_use']} bytes in use" if "bytes_in_use" in memory else ""
            lines.append(f"{device}: {slot.device.device_kind}{used}")
        lines.append(f"programs compiled: {self._compiled}, loaded from disk: {self._loaded}")
        if self._store is not None:
            lines.append(f"disk cache: {self._store.directory}")
        figures = [_analysis(program.executable) for program in list(self._programs)]
        for name in sorted({name for each in figures for name in each}):
            lines.append(f"{name}, largest live program: {max(each.get(name, 0) for each in figures):.0f}")
        return "\n".join(lines)

    def computation_backend_text(self, computation: Computation) -> str:
        """The StableHLO module, and once compiled XLA's optimised HLO."""
        executable = computation.program.executable
        if executable is None:
            return computation.text
        optimised = "\n".join(module.to_string() for module in executable.hlo_modules())
        return f"// StableHLO\n{computation.text}\n// XLA's optimised HLO\n{optimised}"


def _analysis(executable: Any) -> dict[str, float]:
    figures: dict[str, float] = {}
    try:
        cost = executable.cost_analysis()
        memory = executable.get_compiled_memory_stats()
    except EngineError:
        return figures
    for name, key in (("flops", "flops"), ("bytes accessed", "bytes_accessed")):
        if name in cost:
            figures[key] = float(cost[name])
    for use in ("argument", "output", "temp", "alias"):
        figures[f"{use}_bytes"] = float(getattr(memory, f"{use}_size_in_bytes"))
    return figures
