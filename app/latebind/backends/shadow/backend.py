"""`ShadowBackend`: runs two backends and compares every result."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from latebind.backends.interface import (
    Backend,
    BackendData,
    BackendDevice,
    Computation,
    HostArray,
    Scalar,
)
from latebind.backends.shadow.comparison import Difference, Tolerance, compare, identical
from latebind.backends.shadow.lowering import EmittedPair, ShadowLoweringContext, ShadowProgram
from latebind.backends.shadow.narrowing import Culprit, Narrowing, Side, Values
from latebind.backends.shadow.report import describe_culprit, describe_difference
from latebind.errors import ExecutionError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

_logger: Final = logging.getLogger("latebind.shadow")

if TYPE_CHECKING:
    from latebind.backends.shadow.settings import ShadowSettings

#: Counters of `metric_report`, with what they count.
COUNTERS: Final = ("ShadowComparisons", "ShadowMismatches", "ShadowReferenceFailures")


@dataclass(slots=True)
class Pair:
    """The two sides of one value.

    Attributes
    ----------
    primary : BackendData
    reference : BackendData or None
        The same bits on the reference; `None` until they are needed, and copied from the primary then. So a difference
        that is within the tolerance does not grow from one computation to the next.
    """

    primary: BackendData
    reference: BackendData | None = None


class ShadowBackend(Backend):
    """Runs two backends, compares every result, and narrows a difference down to the smallest subgraph that shows it.

    Results are the primary's. An operation that one of the two does not lower is decomposed, or falls back, for both.
    What the reference cannot run is logged and counted, and goes without comparison.

    Parameters
    ----------
    settings
        A `ShadowSettings`; its tolerances and `on_mismatch` win over the arguments.
    primary, reference
        Instances; `prepare_to_exit` shuts both down.
    rtol, atol
        As in `Tolerance`.
    on_mismatch
        `"raise"` or `"warn"`.

    Attributes
    ----------
    counters : Counter
        `ShadowComparisons` (results compared), `ShadowMismatches` and `ShadowReferenceFailures`.
    """

    name: ClassVar[str] = "shadow"

    def __init__(
        self,
        settings: ShadowSettings | None = None,
        *,
        primary: Backend,
        reference: Backend,
        rtol: float | None = None,
        atol: float | None = None,
        on_mismatch: Literal["raise", "warn"] = "raise",
    ) -> None:
        self.primary = primary
        self.reference = reference
        self.tolerance = Tolerance(rtol, atol) if settings is None else Tolerance(settings.rtol, settings.atol)
        self.on_mismatch = on_mismatch if settings is None else settings.on_mismatch
        self.interpretations = primary.interpretations
        self.engines = f"{primary.name} and {reference.name}"
        self.counters: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))
        self._lock = threading.Lock()
        self._reference_device = reference.backend_device()
        super().__init__(settings)
        self._default_device_type = primary.default_device_type
        self._default_device_ordinal = primary.default_device_ordinal

    # Devices and configuration

    def backend_devices(self) -> Sequence[BackendDevice]:
        """The primary's devices."""
        return self.primary.backend_devices()

    def eager_fallback_device(self) -> BackendDevice:
        return self.primary.eager_fallback_device()

    def enable_dynamic_shape(self) -> bool:
        return self.primary.enable_dynamic_shape() and self.reference.enable_dynamic_shape()

    def set_rng_seed(self, seed: int) -> None:
        self.primary.set_rng_seed(seed)
        self.reference.set_rng_seed(seed)

    def be_deterministic(self) -> None:
        self.primary.be_deterministic()
        self.reference.be_deterministic()

    def prepare_to_exit(self) -> None:
        """Shut both backends down."""
        try:
            self.reference.prepare_to_exit()
        finally:
            self.primary.prepare_to_exit()

    def ir_builder(self) -> IrBuilder:
        return self.primary.ir_builder()

    # Data

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        """Put a host array on both backends; shared memory is shared with both."""
        data = self.primary.make_computation_data_from_tensor(tensor, type, device, copy=copy)
        reference = self._try_reference(
            f"take an array of type {type}",
            lambda: self.reference.make_computation_data_from_tensor(tensor, type, self._reference_device, copy=copy),
        )
        return BackendData(type, device, Pair(data, reference), owned=data.owned)

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        """Put a scalar on both backends."""
        data = self.primary.make_computation_data_from_scalar(scalar, type, device)
        reference = self._try_reference(
            f"take a scalar of type {type}",
            lambda: self.reference.make_computation_data_from_scalar(scalar, type, self._reference_device),
        )
        return BackendData(type, device, Pair(data, reference), owned=data.owned)

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        """Return the primary's value."""
        data.wait()
        return self.primary.make_tensor_from_computation_data(data.handle.primary)

    def can_donate(self, data: BackendData) -> bool:
        """Whether the primary may overwrite its buffer; the reference never overwrites one."""
        return data.handle is not None and self.primary.can_donate(data.handle.primary)

    # Lowering

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, EmittedPair] | None = None,
    ) -> ShadowLoweringContext:
        """Return a context that lowers to both; an emission map holds pairs."""
        pairs = emission_map or {}
        context = ShadowLoweringContext(
            name,
            device,
            self.primary.create_lowering_context(name, device, (), {value: pair[0] for value, pair in pairs.items()}),
            self.reference.create_lowering_context(
                name, self._reference_device, (), {value: pair[1] for value, pair in pairs.items()}
            ),
            self._reference_failed,
            pairs,
        )
        for node in post_order:
            context.lower(node)
        return context

    def supports(self, kind: OpKind) -> bool:
        """Whether both lower the operation."""
        return self.primary.supports(kind) and self.reference.supports(kind)

    def lowers(self, node: Node) -> bool:
        """Whether both lower the node, for the dtypes that it has."""
        return self.primary.lowers(node) and self.reference.lowers(node)

    def compilation_devices(self, device: str, devices: Sequence[str]) -> Sequence[str]:
        return self.primary.compilation_devices(device, devices)

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        """Compile each computation on both backends."""
        compiled = []
        for computation in computations:
            program: ShadowProgram = computation.program
            (primary,) = self.primary.compile([program.primary])
            lowered = program.reference
            reference = lowered and self._try_reference(
                f"compile {computation.name}",
                lambda lowered=lowered: self.reference.compile([lowered])[0],
            )
            compiled.append(replace(computation, program=replace(program, primary=primary, reference=reference)))
        return compiled

    # Running

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        """Run a computation on both backends and compare the results.

        A result that differs has its error set, or is logged, as `on_mismatch` says.

        Raises
        ------
        ExecutionError
            If the primary failed, or if a single operation differs by itself; `origin` is that operation's.
        """
        program: ShadowProgram = computation.program
        # Taken before the primary runs, which may overwrite its own.
        inputs = self._reference_arguments(computation, arguments) if program.reference is not None else None
        pairs = [argument.handle for argument in arguments]
        outputs = self.primary.execute_computation(program.primary, [pair.primary for pair in pairs], device)
        results = [
            BackendData(type, device, Pair(output), owned=output.owned)
            for type, output in zip(computation.result_types, outputs, strict=True)
        ]
        if inputs is not None:
            self._compare(computation, inputs, results)
        return results

    def wait_device_ops(self) -> None:
        """Wait for both."""
        self.primary.wait_device_ops()
        self.reference.wait_device_ops()

    def _reference_arguments(
        self, computation: Computation, arguments: Sequence[BackendData]
    ) -> list[BackendData] | None:
        """Return the reference's side of the arguments, copied from the primary where there is none."""
        for argument in arguments:
            pair: Pair = argument.handle
            if pair.reference is None:
                host = self.primary.make_tensor_from_computation_data(pair.primary)
                pair.reference = self._try_reference(
                    f"take an argument of {computation.name}",
                    lambda host=host, type=argument.type: self.reference.make_computation_data_from_tensor(
                        host, type, self._reference_device
                    ),
                )
        taken = [argument.handle.reference for argument in arguments]
        return None if None in taken else taken

    def _compare(self, computation: Computation, inputs: list[BackendData], results: list[BackendData]) -> None:
        program: ShadowProgram = computation.program
        lowered = program.reference
        assert lowered is not None
        outputs = self._try_reference(
            f"run {computation.name}",
            lambda: self.reference.execute_computation(lowered, inputs, self._reference_device),
        )
        for index, (result, output) in enumerate(zip(results, outputs or (), strict=False)):
            ours = self.primary.make_tensor_from_computation_data(result.handle.primary)
            theirs = self.reference.make_tensor_from_computation_data(output)
            self._count("ShadowComparisons")
            if identical(ours, theirs):
                result.handle.reference = output
                continue
            difference = compare(ours, theirs, self.tolerance)
            if difference is not None:
                self._count("ShadowMismatches")
                self._mismatch(computation, inputs, index, difference, results)

    # What differs

    def _mismatch(
        self,
        computation: Computation,
        inputs: list[BackendData],
        index: int,
        difference: Difference,
        results: list[BackendData],
    ) -> None:
        program: ShadowProgram = computation.program
        names = self._names()
        message = (
            f"{names[0]} and {names[1]} differ in result {index} of {computation.name}: "
            f"{describe_difference(difference, *names)}"
        )
        if self.on_mismatch == "warn" and program.explained:
            _logger.warning("%s", message)
            return
        program.explained = True
        culprit, hint = self._narrow(program, inputs, program.results[index])
        if culprit is not None:
            hint = "the smallest part that differs on equal inputs:\n" + describe_culprit(culprit, *names)
        message = f"{message}\n{hint}"
        if self.on_mismatch == "warn":
            _logger.warning("%s", message)
            return
        # By itself the operation differs again when the runtime goes through the recording one by one, as it does after
        # an error, and adds the user's line. What differs in company only would be lost that way.
        alone = (culprit is not None and len(culprit.nodes) == 1) or computation.name.startswith("kernel_")
        origin = culprit.nodes[-1].origin if culprit is not None else -1
        error = ExecutionError(message, origin=origin)
        if alone:
            raise error
        results[index].error = error

    def _narrow(
        self, program: ShadowProgram, inputs: Sequence[BackendData], target: Value
    ) -> tuple[Culprit | None, str]:
        """Return the smallest subgraph that differs; else why none was found."""
        parameters: Values = {
            value: self.reference.make_tensor_from_computation_data(data)
            for value, data in zip(program.parameters, inputs, strict=True)
        }
        primary = Side(self.primary, self.primary.backend_device(str(program.primary.device)))
        reference = Side(self.reference, self._reference_device)
        try:
            culprit = Narrowing(primary, reference, self.tolerance, parameters, target).find()
        except Exception as error:
            return None, f"it could not be narrowed down: {type(error).__name__}: {error}"
        return culprit, "it did not show when the graph was run again without overwriting its inputs"

    def _names(self) -> tuple[str, str]:
        if self.primary.name != self.reference.name:
            return self.primary.name, self.reference.name
        return f"{self.primary.name} (primary)", f"{self.reference.name} (reference)"

    # The reference's failures, and counters

    def _try_reference(self, what: str, call: Any) -> Any:
        try:
            return call()
        except Exception as error:
            self._reference_failed(what, error)
            return None

    def _reference_failed(self, what: str, error: Exception) -> None:
        self._count("ShadowReferenceFailures")
        _logger.warning("reference %r failed to %s: %s: %s", self.reference.name, what, type(error).__name__, error)

    def _count(self, name: str) -> None:
        with self._lock:
            self.counters[name] += 1

    def device_bytes(self) -> int | None:
        """The primary's, whose devices these are."""
        return self.primary.device_bytes()

    def metric_report(self) -> str:
        """Counters of comparisons, mismatches and failures of the reference; then what both backends report."""
        own = [f"Counter: {name}\n  Value: {value}" for name, value in sorted(self.counters.items())]
        return "\n".join(filter(None, [*own, self.primary.metric_report(), self.reference.metric_report()]))

    def computation_bytes(self, computation: Computation) -> int:
        """What both programs take."""
        program: ShadowProgram = computation.program
        taken = self.primary.computation_bytes(program.primary)
        return taken + (0 if program.reference is None else self.reference.computation_bytes(program.reference))

    def computation_analysis(self, computation: Computation) -> Mapping[str, float]:
        """The primary's figures."""
        program: ShadowProgram = computation.program
        return self.primary.computation_analysis(program.primary)

    def fusions(
        self, device: BackendDevice, inputs: Sequence[Value], nodes: Sequence[Node], results: Sequence[Value]
    ) -> Mapping[Node, str]:
        """What the primary fuses."""
        return self.primary.fusions(device, inputs, nodes, results)

    def computation_backend_text(self, computation: Computation) -> str:
        """The computation in the primary's language, then in the reference's."""
        program: ShadowProgram = computation.program
        texts = [f"# {self._names()[0]}\n{self.primary.computation_backend_text(program.primary)}"]
        if program.reference is not None:
            texts.append(f"# {self._names()[1]}\n{self.reference.computation_backend_text(program.reference)}")
        return "\n".join(texts)
