"""`TieredBackend`: runs a new graph on one backend at once, and compiles it on another in the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, ClassVar

from latebind.backends.interface import (
    Backend,
    BackendData,
    BackendDevice,
    Computation,
    HostArray,
    LoweringContext,
    Scalar,
)
from latebind.backends.tiered.compiling import Compilations, reason_of
from latebind.backends.tiered.data import DirectTieredData, LentData, ScalarData, TieredData
from latebind.backends.tiered.ledger import Ledger
from latebind.backends.tiered.lowering import TieredLoweringContext
from latebind.backends.tiered.policy import Policy
from latebind.backends.tiered.program import TieredProgram
from latebind.backends.tiered.settings import TieredSettings
from latebind.backends.tiered.sides import Sides
from latebind.errors import CompilationError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType


class TieredBackend(Backend):
    """Runs each graph on the faster of two backends, and never waits for the one that compiles.

    Devices are the optimizing backend's. The baseline's side of a value is on its device of the same name, or on its
    default one.

    Parameters
    ----------
    settings
        A `TieredSettings`; `None` takes the defaults.
    baseline, optimizing
        Instances; `prepare_to_exit` shuts both down.
    clock
        Gives seconds; for tests.

    Attributes
    ----------
    ledger : Ledger
        What is known of the graphs, and the counters.
    """

    name: ClassVar[str] = "tiered"

    def __init__(
        self,
        settings: object = None,
        *,
        baseline: Backend,
        optimizing: Backend,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        chosen = settings if isinstance(settings, TieredSettings) else TieredSettings()
        self.baseline = baseline
        self.optimizing = optimizing
        #: That a value is there when a computation returns holds only if it holds on both tiers.
        self.blocking = baseline.blocking and optimizing.blocking
        self.interpretations = baseline.interpretations
        self.direct = baseline.direct
        when = "in its turn" if chosen.synchronous else "in the background"
        self.engines = f"{baseline.name} at once, {optimizing.name} {when}"
        self.gaps = baseline.gaps
        self.deviations = {**baseline.deviations, **optimizing.deviations}
        self.ledger = Ledger(Policy(chosen.compile_after, chosen.margin))
        self._clock = clock
        self._deterministic = False
        self._sides = Sides(baseline, optimizing, self.ledger, clock)
        self._side_handle, self._side_from_host = baseline.host_handle, baseline.data_from_host
        self._recent: tuple[BackendDevice | None, BackendDevice] = None, baseline.backend_device()
        self._compilations = Compilations(optimizing, self.ledger, chosen, clock)
        super().__init__(settings)
        self._default_device_type = optimizing.default_device_type
        self._default_device_ordinal = optimizing.default_device_ordinal

    # Devices and configuration

    def backend_devices(self) -> Sequence[BackendDevice]:
        """The optimizing backend's devices."""
        return self.optimizing.backend_devices()

    def eager_fallback_device(self) -> BackendDevice:
        return self.baseline.eager_fallback_device()

    def enable_dynamic_shape(self) -> bool:
        return self.baseline.enable_dynamic_shape() and self.optimizing.enable_dynamic_shape()

    def set_rng_seed(self, seed: int) -> None:
        self.baseline.set_rng_seed(seed)
        self.optimizing.set_rng_seed(seed)

    def be_deterministic(self) -> None:
        """Run everything on the baseline from now on: which tier a graph is on depends on measured times."""
        self._deterministic = True
        self.baseline.be_deterministic()
        self.optimizing.be_deterministic()

    def prepare_to_exit(self) -> None:
        """Stop compiling and shut both backends down; a compilation that has begun is waited for, but not for long."""
        self._compilations.close()
        try:
            self.optimizing.prepare_to_exit()
        finally:
            self.baseline.prepare_to_exit()

    def wait_for_compilations(self, seconds: float | None = None) -> bool:
        """Block until no graph waits to be compiled, or is; return false if that takes longer."""
        return self._compilations.wait(seconds)

    def ir_builder(self) -> IrBuilder:
        return self.baseline.ir_builder()

    # Data

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        """Put a host array on the baseline; the optimizing backend gets it when it needs it."""
        data = self.baseline.make_computation_data_from_tensor(tensor, type, self._place(device), copy=copy)
        lent = not copy and tensor.flags.writeable
        return (LentData if lent else TieredData)(type, device, data, None, data)

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        """Put a scalar on the baseline; the optimizing backend gets it when it needs it."""
        known, place = self._recent
        if known is not device:  # hashing a device would cost as much as all the rest
            place = self._place(device)
            self._recent = device, place
        return ScalarData(scalar, type, device, self.baseline.make_computation_data_from_scalar(scalar, type, place))

    def create_data_placeholder(self, device: BackendDevice, type: TensorType) -> BackendData:
        """Return data without a side, to be filled by an execution."""
        return TieredData(type, device)

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        """Return the value in host memory, from the tier that has it."""
        data.wait()
        assert isinstance(data, TieredData)
        return self._sides.to_host(data)

    def host_handle(self, data: BackendData) -> HostArray | None:
        """Return the baseline's own array, for direct execution, which is on the baseline."""
        side = data.baseline if type(data) is TieredData else None
        if side is None:
            if not isinstance(data, TieredData) or (data.baseline is None and data.optimizing is None):
                return None
            side = self._sides.on_baseline(data)
        return self._side_handle(side)

    def data_from_host(self, type: TensorType, device: BackendDevice, array: HostArray) -> BackendData:
        """Return data that the baseline alone has."""
        side = self._direct_side(type, device, array)
        return TieredData(type, device, side, None, side)

    def direct_data(self) -> Any:
        """Return a class of this backend's own: its data knows where to put the baseline's side."""
        return type("DirectTieredData", (DirectTieredData,), {"__slots__": (), "side": staticmethod(self._direct_side)})

    def _direct_side(self, type: TensorType, device: BackendDevice, array: HostArray) -> BackendData:
        known, place = self._recent
        if known is not device:
            place = self._place(device)
            self._recent = device, place
        return self._side_from_host(type, place, array)

    def can_donate(self, data: BackendData) -> bool:
        """Whether one tier alone has the value, and may overwrite it."""
        return isinstance(data, TieredData) and self._sides.can_donate(data)

    def is_ready(self, data: BackendData) -> bool:
        """Whether the computation of a value is done."""
        return not isinstance(data, TieredData) or self._sides.is_ready(data)

    def _place(self, device: BackendDevice) -> BackendDevice:
        """Return the baseline's device for one of ours."""
        if device not in self._sides.places:
            self.backend_device(str(device))  # raises
        return self._sides.places[device]

    # Lowering

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> LoweringContext[Any]:
        """Return a context that lowers to the baseline and keeps the graph; an emission map holds the baseline's."""
        context = TieredLoweringContext(
            self.baseline.create_lowering_context(name, self._place(device), (), emission_map), device
        )
        for node in post_order:
            context.lower(node)
        return context

    def supports(self, kind: OpKind) -> bool:
        """Whether the baseline lowers the operation."""
        return self.baseline.supports(kind)

    def lowers(self, node: Node) -> bool:
        """Whether the baseline lowers the node."""
        return self.baseline.lowers(node)

    def compilation_devices(self, device: str, devices: Sequence[str]) -> Sequence[str]:
        return self.optimizing.compilation_devices(device, devices)

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        """Compile each computation on the baseline; the other tier follows when it is worth it."""
        for computation in computations:
            program = computation.program
            if not isinstance(program, TieredProgram):
                raise CompilationError(f"computation {computation.name!r} was not lowered by the tiered backend")
            (program.baseline,) = self.baseline.compile([program.baseline])
            if program.graph is not None:
                if self._deterministic:
                    self.ledger.fix(program, "deterministic: everything runs on the baseline")
                self.ledger.add(program)
        return list(computations)

    # Running. Once a graph's tier is decided, a call takes what stands in `execute_computation` longer than the tier's
    # own: half a microsecond, and a quarter of one for each argument and result.

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        """Run a computation on the tier that it is on now.

        Raises
        ------
        ExecutionError
            If the baseline failed, or the optimizing backend after it may have overwritten an argument.
        """
        program: TieredProgram = computation.program
        program.left = left = program.left - 1
        if left < 0:
            return self._run_undecided(program, arguments, device)
        if program.adopted:
            sides = [argument.optimizing for argument in arguments]  # type: ignore[attr-defined]
            if None in sides:
                return self._run_optimizing(program, arguments, device)
            self.ledger.optimizing_runs += 1
            try:
                outputs = self.optimizing.execute_computation(program.optimizing, sides, device)  # type: ignore[arg-type]
            except Exception as error:
                return self._run_again(program, arguments, device, error, started=True)
            return [TieredData(output.type, device, None, output, output) for output in outputs]
        sides = [argument.baseline for argument in arguments]  # type: ignore[attr-defined]
        if None in sides:
            return self._run_baseline(program, arguments, device)
        self.ledger.baseline_runs += 1
        lowered = program.baseline
        outputs = self.baseline.execute_computation(lowered, sides, lowered.device)
        return [TieredData(output.type, device, output, None, output) for output in outputs]

    def _run_undecided(
        self, program: TieredProgram, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        """Run a computation, measure it, and decide."""
        if self.ledger.wants_compiling(program):
            self._compilations.request(program)
        optimizing, measured, trial = self.ledger.next_run(program)
        if trial:
            self.wait_device_ops()  # what was started before is not this run's
        run = self._run_optimizing if optimizing else self._run_baseline
        start = self._clock()
        try:
            results = run(program, arguments, device, wait=trial)
        except BaseException:
            self.ledger.abandon(program)
            raise
        self.ledger.ran(program, optimizing, measured, trial, self._clock() - start)
        return results

    def _run_baseline(
        self, program: TieredProgram, arguments: Sequence[Any], device: BackendDevice, *, wait: bool = False
    ) -> list[BackendData]:
        self.ledger.baseline_runs += 1
        sides = [argument.baseline for argument in arguments]
        if None in sides:
            copied, on_baseline = program.baseline_overwrites, self._sides.on_baseline
            sides = [on_baseline(argument, copy=index in copied) for index, argument in enumerate(arguments)]
        outputs = self.baseline.execute_computation(program.baseline, sides, program.baseline.device)
        if wait:
            self.baseline.wait_device_ops()
        return [TieredData(output.type, device, output, None, output) for output in outputs]

    def _run_optimizing(
        self, program: TieredProgram, arguments: Sequence[Any], device: BackendDevice, *, wait: bool = False
    ) -> list[BackendData]:
        self.ledger.optimizing_runs += 1
        compiled = program.optimizing
        assert compiled is not None
        started = False
        try:
            sides = [argument.optimizing for argument in arguments]
            if None in sides:
                copied, on_optimizing = program.optimizing_overwrites, self._sides.on_optimizing
                sides = [on_optimizing(argument, copy=index in copied) for index, argument in enumerate(arguments)]
            started = True
            outputs = self.optimizing.execute_computation(compiled, sides, device)
            if wait:
                self._settle(outputs)
        except Exception as error:
            return self._run_again(program, arguments, device, error, started=started)
        return [TieredData(output.type, device, None, output, output) for output in outputs]

    def _run_again(
        self,
        program: TieredProgram,
        arguments: Sequence[BackendData],
        device: BackendDevice,
        error: Exception,
        *,
        started: bool,
    ) -> list[BackendData]:
        """Run on the baseline what failed on the optimizing backend, for ever; raise if an argument may be gone."""
        self.ledger.fix(program, f"running failed: {reason_of(error)}", "TierRunFailed")
        self._compilations.warn("run", program, error)
        if started and program.optimizing_overwrites:
            raise error
        return self._run_baseline(program, arguments, device)

    def _settle(self, outputs: Sequence[BackendData]) -> None:
        """Wait for results; an error that an asynchronous engine keeps for who reads one is raised here."""
        self.optimizing.wait_device_ops()
        if outputs:
            smallest = min(outputs, key=lambda output: output.type.nbytes)
            self.optimizing.make_tensor_from_computation_data(smallest)

    def wait_device_ops(self) -> None:
        """Wait for what runs on both tiers; not for what is being compiled."""
        self.baseline.wait_device_ops()
        self.optimizing.wait_device_ops()

    # Debug

    def computation_bytes(self, computation: Computation) -> int:
        """What the baseline's program takes, twice: that of the optimizing backend may not be there yet."""
        return 2 * self.baseline.computation_bytes(computation.program.baseline)

    def device_bytes(self) -> int | None:
        """The optimizing backend's, whose devices these are."""
        return self.optimizing.device_bytes()

    def metric_report(self) -> str:
        """Counters, times and a table of the graphs, then what both backends report."""
        reports = self.ledger.report(), self.baseline.metric_report(), self.optimizing.metric_report()
        return "\n".join(filter(None, reports))

    def computation_analysis(self, computation: Computation) -> Mapping[str, float]:
        """The optimizing backend's figures once it has compiled the graph, else the baseline's."""
        program: TieredProgram = computation.program
        if program.optimizing is not None:
            return self.optimizing.computation_analysis(program.optimizing)
        return self.baseline.computation_analysis(program.baseline)

    def fusions(
        self, device: BackendDevice, inputs: Sequence[Value], nodes: Sequence[Node], results: Sequence[Value]
    ) -> Mapping[Node, str]:
        """What the optimizing backend fuses."""
        return self.optimizing.fusions(device, inputs, nodes, results)

    def computation_backend_text(self, computation: Computation) -> str:
        """The computation in the baseline's language, then in the optimizing backend's once it is compiled."""
        program: TieredProgram = computation.program
        texts = [f"# {self.baseline.name} (baseline)\n{self.baseline.computation_backend_text(program.baseline)}"]
        if program.optimizing is not None:
            text = self.optimizing.computation_backend_text(program.optimizing)
            texts.append(f"# {self.optimizing.name} (optimizing)\n{text}")
        return "\n".join(texts)
