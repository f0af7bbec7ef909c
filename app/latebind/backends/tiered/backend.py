"""`TieredBackend`: runs a new graph on one backend at once, and compiles it on another in the background."""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, ClassVar, Final

from latebind.backends.interface import (
    Backend,
    BackendData,
    BackendDevice,
    Computation,
    HostArray,
    LoweringContext,
    Scalar,
)
from latebind.backends.tiered.background import CompileQueue
from latebind.backends.tiered.data import LentData, ScalarData, TieredData
from latebind.backends.tiered.lowering import TieredLoweringContext, lower_again
from latebind.backends.tiered.policy import Phase, Policy
from latebind.backends.tiered.program import TieredProgram
from latebind.backends.tiered.report import table
from latebind.backends.tiered.settings import TieredSettings
from latebind.errors import CompilationError, UnsupportedOpError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

_logger: Final = logging.getLogger("latebind.tiered")

#: Counters of `metric_report`, with what they count.
COUNTERS: Final[dict[str, str]] = {
    "TierBaselineRuns": "runs of whole graphs on the baseline",
    "TierOptimizingRuns": "runs of whole graphs on the optimizing backend",
    "TierCompilesRequested": "graphs that were queued to be compiled",
    "TierQueueFull": "graphs for which the queue had no room",
    "TierCompiled": "graphs that were compiled",
    "TierCompileFailed": "graphs that the optimizing backend failed to compile",
    "TierUnsupported": "graphs that the optimizing backend has no operations for",
    "TierSwitched": "decisions for the optimizing backend",
    "TierKept": "decisions for the baseline, after measuring",
    "TierReturned": "decisions to leave the optimizing backend again",
    "TierRunFailed": "graphs that failed on the optimizing backend and went on on the baseline",
    "TierTransfers": "values that were handed from one tier to the other",
}


class TieredBackend(Backend):
    """Runs each graph on the faster of two backends, and never waits for the one that compiles.

    Devices are the optimizing backend's. The baseline's side of a value is on the baseline's default device, or on that
    of the same name where it has one.

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
    counters : Counter
        See `COUNTERS`. Under concurrent runs a count may be lost.
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
        #: A value is ready when a computation returns only if that holds on both tiers.
        self.blocking = baseline.blocking and optimizing.blocking
        self.interpretations = baseline.interpretations
        self.gaps = baseline.gaps
        self.deviations = {**baseline.deviations, **optimizing.deviations}
        self.policy = Policy(chosen.compile_after, chosen.margin)
        self.counters: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))
        self.compile_seconds = self.transfer_seconds = self.trial_seconds = 0.0
        self._baseline_runs = self._optimizing_runs = 0
        self._clock = clock
        self._fixed = False
        self._synchronous = chosen.synchronous
        self._exit_wait = chosen.exit_wait_s
        self._lock = threading.Lock()
        self._programs: weakref.WeakSet[TieredProgram] = weakref.WeakSet()
        self._queue = CompileQueue(self._compile_optimizing, chosen.workers, chosen.max_pending)
        self._places = {device: _same_or_default(baseline, device) for device in optimizing.backend_devices()}
        super().__init__(settings)
        self._default_device_type = optimizing.default_device_type
        self._default_device_ordinal = optimizing.default_device_ordinal
        # Before the engine's own exit handler, which was registered when the engine was imported.
        self._at_exit = _close_at_exit(self._queue, self._exit_wait)

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
        """Run everything on the baseline from now on: which tier a run is on depends on the time of day."""
        self._fixed = True
        self.baseline.be_deterministic()
        self.optimizing.be_deterministic()

    def prepare_to_exit(self) -> None:
        """Stop compiling and shut both backends down; a compilation that has begun is waited for, but not for long."""
        atexit.unregister(self._at_exit)
        if not self._queue.close(self._exit_wait):
            _logger.warning("a compilation did not end within %g s and is left behind", self._exit_wait)
        try:
            self.optimizing.prepare_to_exit()
        finally:
            self.baseline.prepare_to_exit()

    def wait_for_compilations(self, seconds: float | None = None) -> bool:
        """Block until no graph waits to be compiled, or is; return false if that takes longer."""
        return self._queue.wait(seconds)

    def ir_builder(self) -> IrBuilder:
        return self.baseline.ir_builder()

    # Data

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        """Put a host array on the baseline; the optimizing backend gets it when it needs it."""
        if device not in self._places:
            self.backend_device(str(device))
        data = self.baseline.make_computation_data_from_tensor(tensor, type, self._places[device], copy=copy)
        lent = not copy and tensor.flags.writeable
        return (LentData if lent else TieredData)(type, device, data)

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        """Keep a scalar until a tier needs it."""
        return ScalarData(scalar, type, device)

    def create_data_placeholder(self, device: BackendDevice, type: TensorType) -> BackendData:
        """Return data without a side, to be filled by an execution."""
        return TieredData(type, device)

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        """Return the value in host memory, from the tier that has it."""
        data.wait()
        assert isinstance(data, TieredData)
        if data.baseline is None and data.optimizing is not None:
            return self.optimizing.make_tensor_from_computation_data(data.optimizing)
        return self.baseline.make_tensor_from_computation_data(self._on_baseline(data, copy=False))

    def can_donate(self, data: BackendData) -> bool:
        """Whether one tier alone has the value, and may overwrite it."""
        assert isinstance(data, TieredData)
        if data.baseline is None:
            return data.optimizing is not None and self.optimizing.can_donate(data.optimizing)
        return data.optimizing is None and self.baseline.can_donate(data.baseline)

    def is_ready(self, data: BackendData) -> bool:
        """Whether the computation of a value is done."""
        assert isinstance(data, TieredData)
        if data.baseline is None and data.optimizing is not None:
            return self.optimizing.is_ready(data.optimizing)
        return data.baseline is None or self.baseline.is_ready(data.baseline)

    def _on_baseline(self, data: TieredData, *, copy: bool) -> BackendData:
        """Return the baseline's side of a value, made now if there is none; `copy` if it is to be overwritten."""
        if data.baseline is not None:
            return data.baseline
        place = self._places[data.device]
        if isinstance(data, ScalarData):
            data.baseline = self.baseline.make_computation_data_from_scalar(data.handle, data.type, place)
            return data.baseline
        assert data.optimizing is not None
        start = self._clock()
        host = self.optimizing.make_tensor_from_computation_data(data.optimizing)
        made = self.baseline.make_computation_data_from_tensor(host, data.type, place, copy=copy)
        if not copy:
            data.baseline = made
        self._count_transfer(start)
        return made

    def _on_optimizing(self, data: TieredData, *, copy: bool) -> BackendData:
        """Return the optimizing backend's side of a value, made now if there is none."""
        if data.optimizing is not None:
            return data.optimizing
        if isinstance(data, ScalarData):
            data.optimizing = self.optimizing.make_computation_data_from_scalar(data.handle, data.type, data.device)
            return data.optimizing
        assert data.baseline is not None
        start = self._clock()
        host = self.baseline.make_tensor_from_computation_data(data.baseline)
        made = self.optimizing.make_computation_data_from_tensor(host, data.type, data.device, copy=copy)
        if not copy and not isinstance(data, LentData):
            data.optimizing = made
        self._count_transfer(start)
        return made

    def _count_transfer(self, start: float) -> None:
        self.counters["TierTransfers"] += 1
        self.transfer_seconds += self._clock() - start

    # Lowering

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> LoweringContext[Any]:
        """Return a context that lowers to the baseline and keeps the graph; an emission map holds the baseline's."""
        place = self._places.get(device) or self._places[self.backend_device(str(device))]
        context = TieredLoweringContext(self.baseline.create_lowering_context(name, place, (), emission_map), device)
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
                if self._fixed:
                    self._fix(program, "deterministic: everything runs on the baseline")
                with self._lock:
                    self._programs.add(program)
        return list(computations)

    def _request(self, program: TieredProgram) -> None:
        """Have a graph compiled, in the background or here."""
        self._count("TierCompilesRequested")
        if self._synchronous:
            self._compile_optimizing(program)
        elif not self._queue.submit(program):
            with self._lock:
                self.policy.refused(program)
            self._count("TierQueueFull")

    def _compile_optimizing(self, program: TieredProgram) -> None:
        """Lower and compile a graph for the optimizing backend; whatever happens, nothing escapes."""
        graph = program.graph
        if graph is None:
            return
        start = self._clock()
        try:
            lowered = lower_again(self.optimizing, program.name, program.device, graph)
            (compiled,) = self.optimizing.compile([lowered])
        except UnsupportedOpError as error:
            self._fix(program, str(error))
            self._count("TierUnsupported")
        except BaseException as error:
            self._fix(program, f"compiling failed: {reason_of(error)}")
            self._count("TierCompileFailed")
            self._warn("compile", program, error)
        else:
            seconds = self._clock() - start
            donated = compiled.donated
            program.optimizing_overwrites = graph.donated if donated is None else donated
            program.optimizing = compiled
            program.graph = None
            self._count("TierCompiled")
            with self._lock:
                self.compile_seconds += seconds
                self.policy.compiled(program, seconds)

    def _warn(self, what: str, program: TieredProgram, error: BaseException) -> None:
        _logger.warning(
            "backend %r failed to %s %s, a graph of %d operations, which stays on %r: %s",
            *(self.optimizing.name, what, program.name, program.operations, self.baseline.name, reason_of(error)),
        )

    def _fix(self, program: TieredProgram, reason: str) -> None:
        """Leave a graph on the baseline for ever."""
        with self._lock:
            self.policy.fix(program, reason)
        program.graph = None

    # Running. Once a graph's tier is decided, a call costs a counter and a test more than the tier's own.

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
        program.left -= 1
        if program.left < 0:
            return self._run_undecided(computation, program, arguments, device)
        if program.adopted:
            return self._run_optimizing(program, arguments, device)
        return self._run_baseline(program, arguments, device)

    def _run_undecided(
        self, computation: Computation, program: TieredProgram, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        """Run a computation, measure it, and decide."""
        with self._lock:
            wanted = self.policy.wants_compiling(program)
        if wanted:
            self._request(program)
        with self._lock:
            before = program.adopted
            optimizing, measured = self.policy.next_tier(program)
            trial = program.phase is Phase.TRIAL
        run = self._run_optimizing if optimizing else self._run_baseline
        if trial:
            self._wait_for_tiers()  # what was started before is not this run's
        start = self._clock()
        try:
            results = run(program, arguments, device, wait=trial)
        except BaseException:
            with self._lock:
                self.policy.abandon(program)
            raise
        seconds = self._clock() - start
        with self._lock:
            decided = self.policy.ran(program, optimizing, measured, seconds)
            self.trial_seconds += seconds if trial else 0.0
            if program.adopted is not before:
                self.counters["TierSwitched" if program.adopted else "TierReturned"] += 1
            elif decided is False:
                self.counters["TierKept"] += 1
        return results

    def _wait_for_tiers(self) -> None:
        self.baseline.wait_device_ops()
        self.optimizing.wait_device_ops()

    def _run_baseline(
        self, program: TieredProgram, arguments: Sequence[Any], device: BackendDevice, *, wait: bool = False
    ) -> list[BackendData]:
        self._baseline_runs += 1
        sides = [argument.baseline for argument in arguments]
        if None in sides:
            taken = program.baseline_overwrites
            sides = [self._on_baseline(argument, copy=index in taken) for index, argument in enumerate(arguments)]
        outputs = self.baseline.execute_computation(program.baseline, sides, self._places[device])
        if wait:
            self.baseline.wait_device_ops()
        return [TieredData(output.type, device, output) for output in outputs]

    def _run_optimizing(
        self, program: TieredProgram, arguments: Sequence[Any], device: BackendDevice, *, wait: bool = False
    ) -> list[BackendData]:
        self._optimizing_runs += 1
        compiled = program.optimizing
        assert compiled is not None
        started = False
        try:
            sides = [argument.optimizing for argument in arguments]
            if None in sides:
                taken = program.optimizing_overwrites
                sides = [self._on_optimizing(argument, copy=index in taken) for index, argument in enumerate(arguments)]
            started = True
            outputs = self.optimizing.execute_computation(compiled, sides, device)
            if wait:
                self._settle(outputs)
        except Exception as error:
            self._fix(program, f"running failed: {reason_of(error)}")
            self._count("TierRunFailed")
            self._warn("run", program, error)
            if started and program.optimizing_overwrites:
                raise
            return self._run_baseline(program, arguments, device)
        return [TieredData(output.type, device, None, output) for output in outputs]

    def _settle(self, outputs: Sequence[BackendData]) -> None:
        """Wait for results; an error that an asynchronous engine keeps for who reads one is raised here."""
        self.optimizing.wait_device_ops()
        if outputs:
            smallest = min(outputs, key=lambda output: output.type.nbytes)
            self.optimizing.make_tensor_from_computation_data(smallest)

    def wait_device_ops(self) -> None:
        """Wait for what runs on both tiers; not for what is being compiled."""
        self._wait_for_tiers()

    # Debug

    def _count(self, name: str) -> None:
        with self._lock:
            self.counters[name] += 1

    def metric_report(self) -> str:
        """Counters and times, a table of the graphs, then what both backends report."""
        with self._lock:
            programs = list(self._programs)
            counters = {
                **self.counters,
                "TierBaselineRuns": self._baseline_runs,
                "TierOptimizingRuns": self._optimizing_runs,
            }
        lines = [f"Counter: {name}\n  Value: {value}" for name, value in sorted(counters.items())]
        times = {"Compile": self.compile_seconds, "Transfer": self.transfer_seconds, "Trial": self.trial_seconds}
        lines += [f"Metric: Tier{name}Time\n  Accumulator: {seconds * 1e3:.3f} ms" for name, seconds in times.items()]
        lines.append(table(programs))
        return "\n".join(filter(None, [*lines, self.baseline.metric_report(), self.optimizing.metric_report()]))

    def computation_analysis(self, computation: Computation) -> Mapping[str, float]:
        """The optimizing backend's figures once it has compiled the graph, else the baseline's."""
        program: TieredProgram = computation.program
        if program.optimizing is not None:
            return self.optimizing.computation_analysis(program.optimizing)
        return self.baseline.computation_analysis(program.baseline)

    def computation_backend_text(self, computation: Computation) -> str:
        """The computation in the baseline's language, then in the optimizing backend's once it is compiled."""
        program: TieredProgram = computation.program
        texts = [f"# {self.baseline.name} (baseline)\n{self.baseline.computation_backend_text(program.baseline)}"]
        if program.optimizing is not None:
            text = self.optimizing.computation_backend_text(program.optimizing)
            texts.append(f"# {self.optimizing.name} (optimizing)\n{text}")
        return "\n".join(texts)


def reason_of(error: BaseException) -> str:
    """Return what an error says, with its type."""
    return f"{type(error).__name__}: {error}"


def _same_or_default(backend: Backend, device: BackendDevice) -> BackendDevice:
    """Return the backend's device of this name, else its default one."""
    return device if device in backend.backend_devices() else backend.backend_device()


def _close_at_exit(queue: CompileQueue[TieredProgram], seconds: float) -> Callable[[], None]:
    """Have a queue closed when the interpreter exits; return the function that was registered."""
    known = weakref.ref(queue)

    def close() -> None:
        queue = known()
        if queue is not None:
            queue.close(seconds)

    atexit.register(close)
    return close
