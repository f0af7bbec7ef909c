"""Running a closed recording: find or compile its computation, run it here or on the worker, bind the results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Final

from latebind.backends.interface import Backend, BackendData
from latebind.errors import LatebindError, failure_of
from latebind.ir.source import locate
from latebind.runtime.cache import ComputationCache, Structure, Variant
from latebind.runtime.compiler import Compiler
from latebind.runtime.events import CompileReason, How, RecordingRun, VariantCompiled
from latebind.runtime.failure import Guard, Isolation, PositionedCheck
from latebind.runtime.interpreter import detached, reason
from latebind.runtime.launch import Worker
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.liveness import unreferenced
from latebind.runtime.metrics import Metrics
from latebind.runtime.options import ExecutorOptions
from latebind.runtime.signature import DONATION_BYTES
from latebind.runtime.tape import Tape

#: Share of a new measurement in a computation's expected time.
SMOOTHING: Final = 0.25
#: Every so many runs a computation of the worker runs inline: beside the user's thread it takes longer than alone, so
#: that a short one would never find its way back.
_INLINE_EVERY: Final = 128
#: A graph is not compiled early before so many seconds were spent on interpreting it: less is not worth a guess.
_PATIENCE: Final = 0.1


class Runner:
    """Runs closed recordings on one backend.

    Parameters
    ----------
    backend, compiler, worker, metrics, options, cache
        The executor's own.
    interpretations
        How often a new graph is run operation by operation before it is compiled.
    """

    def __init__(
        self,
        backend: Backend,
        compiler: Compiler,
        worker: Worker,
        metrics: Metrics,
        options: ExecutorOptions,
        interpretations: int,
        cache: ComputationCache,
    ) -> None:
        self.backend = backend
        self.compiler = compiler
        self.events = compiler.events
        self.worker = worker
        self.metrics = metrics
        self.options = options
        self.interpretations = interpretations
        self.cache = cache

    def run(self, tape: Tape, structure: Structure, live: list[int], start: float) -> None:
        """Find or compile the computation of the live positions and launch it; failures poison the arrays."""
        outputs = live
        try:
            try:
                variant = self._variant(tape, structure, live)
            except LatebindError:
                # Operation by operation, only what depends on the one that cannot be compiled fails.
                self.metrics.count("FailedCompile")
                variant = None
            if variant is None:
                self.interpret(tape, live, start, structure)
                return
            outputs = list(variant.outputs)
            # What was compiled just now has its own timers; only the rest is dispatch.
            self._launch(tape, structure, variant, start if variant.runs else perf_counter())
        except Exception as error:
            failed = error if isinstance(error, LatebindError) else None
            self.poison(tape, outputs, failed or failure_of(f"the computation failed: {reason(error)}", error))
            if failed is None:
                raise

    def poison(self, tape: Tape, outputs: Iterable[int], error: LatebindError) -> None:
        ground = tape.ground
        for position in outputs:
            array = tape.arrays[position]
            if array is not None and is_at(array, tape, position):
                data = self.backend.create_data_placeholder(ground.device, array._type)
                data.fail(detached(error))
                array._data = data
                array._tape = ground

    def _variant(self, tape: Tape, structure: Structure, live: list[int]) -> Variant | None:
        """Return the computation for a recording, from the cache or compiled now; `None` to interpret it instead."""
        structure.sightings += 1
        self.metrics.count("Recordings")
        if structure.sightings <= self.interpretations and self._pays_to_interpret(tape, structure):
            self.metrics.count("Interpreted")
            if not self.options.deterministic:
                structure.observe(tape.scalars)
            return None
        donatable = self.donatable(tape.leaves)
        variant = structure.match(live, tape.scalars, donatable)
        if variant is not None:
            self.metrics.count("CachedCompile")
            return variant
        return self.compile(tape, structure, live, donatable)

    def _pays_to_interpret(self, tape: Tape, structure: Structure) -> bool:
        """Whether less time was spent on interpreting a graph than compiling it is expected to take."""
        spent = structure.interpreted
        return spent < _PATIENCE or spent < self.compiler.expected_seconds(len(tape.records))

    def donatable(self, leaves: list[BackendData]) -> list[int]:
        """Return the leaves that nothing but the recording holds, so that their buffers may be overwritten."""
        return [
            index
            for index, alone in enumerate(unreferenced(leaves))
            if alone
            and leaves[index].type.nbytes >= DONATION_BYTES
            and (self.backend.can_donate(leaves[index]) if leaves[index].has_value else leaves[index].is_pending)
        ]

    def compile(self, tape: Tape, structure: Structure, live: list[int], donatable: list[int]) -> Variant:
        start, earlier = perf_counter(), structure.variants
        known = bool(earlier)
        promoted = not self.options.deterministic and structure.promote(tape.scalars)
        parameters = structure.promoted  # another thread may promote more meanwhile
        self.metrics.count("ScalarPromotion" if promoted else "VariantCompile" if known else "UncachedCompile")
        executable = self.compiler.compile(
            tape.ground.device,
            tape.records,
            tape.scalars,
            [data.type for data in tape.leaves],
            live,
            promoted=parameters,
            donated=donatable,
            locate=self.locator(tape),
        )
        variant = Variant(live, donatable, parameters, tape.scalars, executable, (tape.codes, tape.lastis))
        structure.has_large_leaf = any(data.type.nbytes >= DONATION_BYTES for data in tape.leaves)
        structure.add(variant)
        self.cache.weigh(structure)
        if self.events.observers or self.events.compiled is not None:
            why: CompileReason = "scalars" if promoted else "outputs" if known else "new"
            self.events.tell_compiled(VariantCompiled(tape, structure, variant, earlier, why, start, perf_counter()))
        return variant

    # Running

    def interpret(self, tape: Tape, live: list[int], start: float, structure: Structure | None = None) -> None:
        """Run a recording operation by operation: its graph is too new to be worth compiling."""
        settle(tape.leaves)
        donatable = self.donatable(tape.leaves)
        leaves = dict(enumerate(tape.leaves))
        isolation = self.isolation(tape)
        closed, start, kernels = start, perf_counter(), self.compiler.kernel_seconds
        self.metrics.add_time("DispatchTime", start - closed)
        if donatable:
            tape.spent = True
            tape.leaves = []
        values = isolation.interpreter().run(live, leaves, donatable)
        results = [values.pop(position) for position in live]
        seconds = perf_counter() - start
        self.metrics.add_time("ExecuteTime", seconds)
        if structure is not None:
            structure.interpreted += seconds - (self.compiler.kernel_seconds - kernels)
        if tape.checks:
            isolation.apply_checks(checks_of(tape), live, results)
        self._bind(tape, live, results)
        if self.events.observers:
            self.tell(tape, structure, None, "interpreted", live, results, closed, start, start + seconds)

    def _launch(self, tape: Tape, structure: Structure, variant: Variant, start: float) -> None:
        executable = variant.executable
        arguments = executable.arguments(self.backend, tape.leaves, tape.scalars)
        queued = self._goes_to_worker(variant, arguments)
        if executable.donated:
            self.metrics.count("DonatedBuffers", len(executable.donated))
        tape.spent = queued or bool(executable.donated)
        self.metrics.add_time("DispatchTime", perf_counter() - start)
        if not queued:
            isolation = self.isolation(tape)
            begin = perf_counter()
            results = self.execute(variant, arguments, isolation)
            end = perf_counter()
            if tape.checks:
                if self.backend.blocking:
                    isolation.apply_checks(checks_of(tape), variant.outputs, results)
                else:
                    Guard(isolation, checks_of(tape), variant.outputs, results)
            self._bind(tape, variant.outputs, results)
            if self.events.observers:
                self.tell(tape, structure, variant, "computation", variant.outputs, results, start, begin, end)
            return
        ground = tape.ground
        placeholders = []
        for position in variant.outputs:
            placeholder = self.backend.create_data_placeholder(ground.device, tape.records[position][0].type)
            placeholder.mark_pending()
            placeholders.append(placeholder)
        isolation, checks = self.isolation(tape), checks_of(tape)
        # The job must not keep alive leaves that the computation does not read.
        tape.leaves = []
        tell: Callable[[float, float], None] | None = None
        if self.events.observers:
            tell = functools.partial(
                self.tell, tape, structure, variant, "queued", variant.outputs, placeholders, start
            )
        # Bound before it is submitted, a placeholder could be an argument of a job that another thread submits first.
        self.worker.submit(lambda: self._run_queued(variant, arguments, placeholders, isolation, checks, tell))
        self._bind(tape, variant.outputs, placeholders)

    def _goes_to_worker(self, variant: Variant, arguments: Sequence[BackendData]) -> bool:
        options = self.options
        if options.asynchronous == "never" or options.eager or not self.backend.blocking:
            return False
        if options.asynchronous == "always" or (
            self.worker.pending and any(argument.is_pending for argument in arguments)
        ):
            return True
        if variant.runs % _INLINE_EVERY == _INLINE_EVERY - 1:
            return False
        return variant.seconds is not None and self.worker.worthwhile(variant.seconds, options.inline_below_us)

    def execute(self, variant: Variant, arguments: list[BackendData], isolation: Isolation) -> list[BackendData]:
        """Return the results; those that depend on what failed have their error set."""
        started = False
        try:
            for argument in arguments:
                if argument.error is not None or argument._ready is not None:
                    argument.wait()
            start = perf_counter()
            started = True
            results = variant.executable.run(self.backend, arguments)
        except Exception as error:
            return isolation.recover(variant, arguments, error, overwritten=started)
        seconds = perf_counter() - start
        expected = variant.seconds
        # The first run warms caches and pages; it says little about the next ones.
        variant.seconds = (
            seconds
            if variant.runs < 2 or expected is None or seconds < expected
            else expected + SMOOTHING * (seconds - expected)
        )
        variant.runs += 1
        self.metrics.add_time("ExecuteTime", seconds)
        return results

    def _run_queued(
        self,
        variant: Variant,
        arguments: list[BackendData],
        placeholders: list[BackendData],
        isolation: Isolation,
        checks: Sequence[PositionedCheck],
        tell: Callable[[float, float], None] | None,
    ) -> None:
        try:
            if variant.executable.donated:
                self._own(variant, arguments)
            start = perf_counter()
            results = self.execute(variant, arguments, isolation)
            if tell is not None:
                tell(start, perf_counter())
            arguments.clear()
            isolation.apply_checks(checks, variant.outputs, results)
            for placeholder, result in zip(placeholders, results, strict=True):
                if result.error is not None:
                    placeholder.fail(result.error)
                else:
                    placeholder.assign(result)
        except BaseException as error:  # nobody may wait for ever
            fail_pending(placeholders, error)

    def _own(self, variant: Variant, arguments: list[BackendData]) -> None:
        """Replace donated arguments that were pending when the computation was queued and turn out to be shared."""
        for index, leaf in enumerate(variant.executable.leaves):
            data = arguments[index]
            if leaf in variant.executable.donated and data.has_value and not self.backend.can_donate(data):
                host = self.backend.make_tensor_from_computation_data(data)
                arguments[index] = self.backend.make_computation_data_from_tensor(
                    host, data.type, data.device, copy=True
                )

    def _bind(self, tape: Tape, outputs: Sequence[int], results: Sequence[BackendData]) -> None:
        ground = tape.ground
        arrays = tape.arrays
        for position, data in zip(outputs, results, strict=True):
            array = arrays[position]
            if array is not None and array._tape is tape and array._pos == position:
                array._data = data
                array._tape = ground

    def tell(
        self,
        tape: Tape,
        structure: Structure | None,
        variant: Variant | None,
        how: How,
        live: Sequence[int],
        results: Sequence[BackendData],
        closed: float,
        start: float,
        end: float,
    ) -> None:
        """Tell the observers that a recording was run."""
        event = RecordingRun(
            self.events.number(), tape, structure, variant, how, live, results, tape.started, closed, start, end
        )
        self.events.tell(event)

    def isolation(self, tape: Tape) -> Isolation:
        return Isolation(self.compiler, tape.ground.device, tape.records, tape.scalars, self.locator(tape))

    def locator(self, tape: Tape) -> Callable[[int], str]:
        """Return a function from a position in the recording to the user's line, formatted only when asked."""
        codes, lastis, wanted = tape.codes, tape.lastis, self.options.source_lines

        def line(position: int) -> str:
            if not wanted or not 0 <= position < len(codes):
                return ""
            return str(locate(codes[position], lastis[position]))

        return line


def is_at(array: LazyTensor | None, tape: Tape, position: int) -> bool:
    """Whether a slot of the tape is the array's own; an interrupted re-binding leaves it in two."""
    return array is not None and array._tape is tape and array._pos == position


def fail_pending(placeholders: Iterable[BackendData], error: BaseException) -> None:
    """Poison the placeholders that are not filled."""
    failed = (
        error if isinstance(error, LatebindError) else failure_of(f"the computation failed: {reason(error)}", error)
    )
    for placeholder in placeholders:
        if placeholder.is_pending:
            placeholder.fail(detached(failed))


def settle(leaves: Iterable[BackendData]) -> None:
    """Wait until no leaf is pending; keep no reference to one, and leave errors to those who depend on them."""
    for leaf in leaves:
        ready = leaf._ready  # another reader may clear it meanwhile
        if ready is not None:
            ready.wait()


def checks_of(tape: Tape) -> list[PositionedCheck]:
    """Return the recording's checks with the position of each flag instead of the array that holds it."""
    return [(check.flag._pos, check.position, check.describe) for check in tape.checks]
