"""`LazyGraphExecutor`: decides what to lower, finds or compiles it, runs it, fills the placeholders."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Final

from latebind.backends.interface import Backend, BackendData, BackendDevice, HostArray
from latebind.errors import CaptureError, ExecutionError, LatebindError, ShutdownError
from latebind.ir.builder import IrBuilder
from latebind.ir.source import locate
from latebind.ir.types import TensorType
from latebind.runtime import process
from latebind.runtime.cache import ComputationCache, Structure, Variant
from latebind.runtime.compiler import Compiler, LoweringFactory
from latebind.runtime.failure import Isolation, PositionedCheck
from latebind.runtime.interpreter import DONATION_BYTES, detached, reason
from latebind.runtime.launch import Worker
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.liveness import live_positions, release_bases, unreferenced
from latebind.runtime.loops import FIRST_SEARCH, MISSES_OF_A_LOOP, cut_length, find_period
from latebind.runtime.metrics import Metrics
from latebind.runtime.options import ExecutorOptions
from latebind.runtime.tape import Ground, Tape
from latebind.runtime.tracing import Tracer
from latebind.runtime.views import refresh

if TYPE_CHECKING:
    from latebind.runtime.tape import Scalar

#: Share of a new measurement in a computation's expected time.
_SMOOTHING: Final = 0.25


class LazyGraphExecutor:
    """Runs recordings on one backend.

    Parameters
    ----------
    backend
    ir_builder, lowering_context
        What derives from the backend; by default its own.
    cache, metrics, tracer
        Shared with the container; new ones by default.
    options
        Values of the settings.
    reference
        Makes the backend for operations that `backend` can neither lower nor decompose.
    name
        Name of the container, for messages.
    array_class
        Class of the arrays that recording makes.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        ir_builder: IrBuilder | None = None,
        lowering_context: LoweringFactory | None = None,
        cache: ComputationCache | None = None,
        metrics: Metrics | None = None,
        tracer: Tracer | None = None,
        options: ExecutorOptions | None = None,
        reference: Callable[[], Backend] | None = None,
        name: str = "default",
        array_class: type[LazyTensor] | None = None,
    ) -> None:
        self.backend = backend
        self.options = options or ExecutorOptions()
        self.cache = ComputationCache() if cache is None else cache
        self.metrics = metrics or Metrics()
        self.tracer = tracer or Tracer()
        self.name = name
        self.array_class = array_class or _default_array_class()
        self.compiler = Compiler(
            backend,
            ir_builder or backend.ir_builder(),
            lowering_context or backend.create_lowering_context,
            self.metrics,
            self.tracer,
            reference=reference if self.options.fallback == "reference" else None,
            verify=self.options.verify,
        )
        wanted = self.options.interpretations
        # Who asks to see the compiled graphs wants each graph compiled.
        self._interpretations = 0 if self.tracer.show else backend.interpretations if wanted is None else wanted
        self.worker = Worker(f"latebind {name}", self.options.queue_size)
        self.tapes: dict[tuple[int, BackendDevice], Tape] = {}
        self.closed = False
        self.forked = False
        self._grounds: dict[BackendDevice, Ground] = {}
        self._lock = threading.Lock()
        self.seed: int | None = None
        if self.options.seed is not None:
            self.set_rng_seed(self.options.seed)
        process.register(self)

    # Devices

    def ground(self, device: BackendDevice | str | None = None) -> Ground:
        """Return where arrays of a device rest; of the default device if none is given.

        Raises
        ------
        DeviceMismatchError
            If the backend has no such device.
        """
        if not isinstance(device, BackendDevice):
            device = self.backend.backend_device(device)
        found = self._grounds.get(device)
        if found is None:
            with self._lock:
                limit = 0 if self.options.eager else min(FIRST_SEARCH, self.options.recording_limit)
                found = self._grounds.setdefault(device, Ground(self, device, limit))
        return found

    def set_rng_seed(self, seed: int) -> None:
        """Seed the random streams of this executor, and the engine's own generators."""
        self.seed = seed
        self.backend.set_rng_seed(seed)

    # What recording asks for

    def make_room(self, tape: Tape) -> Tape:
        """Return a tape with room for one more record.

        A recording that gets long is searched for a loop and cut at its period, or flushed at the limit.
        """
        self.check_usable()
        count = len(tape.records)
        if tape.capturing or not count:
            return tape
        if self.options.eager:
            self.close_recording(tape)
            return tape.ground.tape()
        if not tape.round and count < self.options.recording_limit:
            period = find_period(tape.records)
            if period is None:
                tape.limit = min(2 * count, self.options.recording_limit)
                return tape
            self.metrics.count("LoopsFound")
            tape.round = cut_length(period)
        self.metrics.count("LoopCut" if tape.round else "AutomaticCut")
        structure = self.close_recording(tape)
        following = tape.ground.tape()
        # A first sight is expected where a loop starts; a loop that never repeats itself is none.
        tape.misses += structure is not None and structure.sightings <= 1
        if tape.round and tape.misses <= MISSES_OF_A_LOOP:
            following.limit, following.round, following.misses = (
                min(tape.round, self.options.recording_limit),
                tape.round,
                tape.misses,
            )
        return following

    def after_record(self, array: LazyTensor) -> None:
        """Run what was recorded, in eager mode; its error surfaces here and now.

        Raises
        ------
        ExecutionError
            If the operation failed.
        """
        tape = array._tape
        if isinstance(tape, Tape) and not tape.capturing:
            self.close_recording(tape)
            data = array._data
            if data.error is not None:
                data.raise_error()

    def refresh(self, array: LazyTensor) -> None:
        """Bring a stale view up to date by replaying its view operations."""
        refresh(array)

    def leaf_data(self, array: LazyTensor) -> BackendData:
        """Return the data of an operand that is not on the caller's tape."""
        data = self.materialize(array)
        if data.error is not None:
            data.raise_error()
        return data

    # Synchronisation

    def sync(self, arrays: Iterable[LazyTensor]) -> None:
        """Close the recordings that these arrays are part of and start computing them."""
        for array in arrays:
            self.materialize(array)

    def mark_step(self, device: BackendDevice | str | None = None) -> None:
        """Close the calling thread's recording for a device and start computing all its live arrays."""
        self.check_usable()
        self.metrics.count("Steps")
        self.close_recording(self.ground(device).tape())

    def wait_device_ops(self) -> None:
        """Block until everything that was started is done. Errors surface where a result is used."""
        if self.forked:
            process.refuse_fork(self.name)
        self.worker.drain()

    def materialize(self, array: LazyTensor) -> BackendData:
        """Return an array's data, which may still be pending; close the recording that computes it if need be."""
        link = array._link
        if link is not None and link.version != link.base._version:
            refresh(array)
        while True:
            tape = array._tape
            if isinstance(tape, Tape):
                if tape is tape.ground.tape():
                    self.close_recording(tape)
                else:
                    data = self._snapshot(array, tape)
                    if data is not None:
                        return data
            try:
                return array._data
            except AttributeError:
                continue  # re-bound by another thread meanwhile

    def value(self, array: LazyTensor) -> HostArray:
        """Return an array's value in host memory, read-only.

        Raises
        ------
        ExecutionError
            If the computation of the value failed; the message names the operation and the user's line.
        CaptureError
            Inside a function that is being captured.
        """
        data = self.materialize(array)
        if self.forked and data.is_pending:
            process.refuse_fork(self.name)
        data.wait()
        start = perf_counter()
        host = self.backend.make_tensor_from_computation_data(data)
        self.metrics.add_time("TransferFromDeviceTime", perf_counter() - start)
        return host

    def check_usable(self) -> None:
        """Raise if the container was closed, or if this process was forked from the one that built it."""
        if self.closed:
            raise ShutdownError(
                f"container {self.name!r} is closed: its arrays keep their values, but nothing more runs"
            )
        if self.forked:
            process.refuse_fork(self.name)

    def close(self) -> None:
        """Run what is queued, stop the worker, and drop the cache. What was only recorded is not computed."""
        if self.closed:
            return
        self.closed = True
        if not self.forked:
            self.worker.close()
        self.stop_recording()
        self.tapes.clear()
        self.cache.clear()
        process.forget(self)

    def stop_recording(self) -> None:
        """Send every further operation to `make_room`, which refuses it."""
        for ground in list(self._grounds.values()):
            ground.limit = 0
        for tape in list(self.tapes.values()):
            tape.limit = 0

    # Closing a recording

    def close_recording(self, tape: Tape) -> Structure | None:
        """Compute the live arrays of the calling thread's recording; the thread goes on with a new tape.

        Returns the recording's structure, or `None` if there was nothing to compute.
        """
        if tape.capturing:
            raise CaptureError(
                f"{user_line()}: a value is needed inside a function that is being captured by compile(); "
                "use where() instead of a branch on values, or read the value outside"
            )
        self.check_usable()
        ground = tape.ground
        if not tape.records:
            return None
        start = perf_counter()
        limit = tape.limit
        try:
            tape.closed, tape.limit = True, 0
            ground.open()
            if len(tape.lastis) != len(tape.records):
                tape.truncate(len(tape.lastis))
            arrays = tape.arrays
            live = release_bases(arrays, live_positions(arrays))
            live = [position for position in live if _is_at(arrays[position], tape, position)]
            self.metrics.count("RecordedOps", len(tape.records))
            self.metrics.add_time("RecordTime", start - tape.started)
            if not live:
                self._finish(tape)
                return None
            tape.leaf_of.clear()
            structure = self._structure(tape)
            self._run_recording(tape, structure, live, start)
        except BaseException as error:
            self._reopen(tape, limit, error)
            raise
        self._finish(tape)
        following = ground.tape()
        if not following.records:
            following.started = perf_counter()  # recording goes on here; running is not recording
        return structure

    def _finish(self, tape: Tape) -> None:
        """Let go of what the recording holds: its dead arrays refer to it."""
        tape.finished = True
        tape.arrays, tape.leaves, tape.checks = [], [], []

    def _reopen(self, tape: Tape, limit: int, error: BaseException) -> None:
        """Make a recording whose execution was interrupted (Ctrl-C) the open one again, if nothing was overwritten."""
        ground = tape.ground
        following = ground.local.tape
        if isinstance(error, Exception) or tape.spent or (following is not tape and following.records):
            failed = ExecutionError(f"the computation was interrupted: {reason(error)}")
            self._poison(tape, range(len(tape.arrays)), failed)
            self._finish(tape)
            return
        tape.leaf_of = {data: -1 - index for index, data in enumerate(tape.leaves)}
        ground.local.tape = self.tapes[tape.ident, ground.device] = tape
        tape.limit, tape.closed = limit, False

    def _run_recording(self, tape: Tape, structure: Structure, live: list[int], start: float) -> None:
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
                self._interpret(tape, live, start)
                return
            outputs = list(variant.outputs)
            # What was compiled just now has its own timers; only the rest is dispatch.
            self._launch(tape, variant, start if variant.runs else perf_counter())
        except Exception as error:
            failed = error if isinstance(error, LatebindError) else None
            self._poison(tape, outputs, failed or ExecutionError(f"the computation failed: {reason(error)}"))
            if failed is None:
                raise

    def replay(
        self,
        ground: Ground,
        recording: Tape,
        structure: Structure,
        leaves: list[BackendData],
        scalars: list[Scalar],
        outputs: dict[int, LazyTensor],
    ) -> None:
        """Run a captured recording again, with these leaves and scalars, into these arrays.

        Parameters
        ----------
        recording, structure
            What was captured, and its computations.
        outputs
            Array to bind per position; each has this recording as its tape.
        """
        self.check_usable()
        start = perf_counter()
        self.metrics.count("CapturedCalls")
        self._run_recording(recording.closed_copy(leaves, scalars, outputs), structure, list(outputs), start)

    def _poison(self, tape: Tape, outputs: Iterable[int], error: LatebindError) -> None:
        ground = tape.ground
        for position in outputs:
            array = tape.arrays[position]
            if array is not None and _is_at(array, tape, position):
                data = self.backend.create_data_placeholder(ground.device, array._type)
                data.fail(detached(error))
                array._data = data
                array._tape = ground

    def _structure(self, tape: Tape) -> Structure:
        """Return the structure of a recording; the one that followed the previous recording last time is tried first."""
        local = tape.ground.local
        previous: Structure | None = getattr(local, "previous", None)
        evicted = self.cache.evicted
        predicted = previous.successor if previous is not None else None
        structure = self.cache.find(tape.records, predicted, tape.ground.device)
        if self.cache.evicted != evicted:
            self.metrics.count("Evicted", self.cache.evicted - evicted)
        if previous is not None:
            previous.successor = structure
        local.previous = structure
        return structure

    def _variant(self, tape: Tape, structure: Structure, live: list[int]) -> Variant | None:
        """Return the computation for a recording, from the cache or compiled now; `None` to interpret it instead."""
        structure.sightings += 1
        self.metrics.count("Recordings")
        if structure.sightings <= self._interpretations:
            self.metrics.count("Interpreted")
            if not self.options.deterministic:
                structure.observe(tape.scalars)
            return None
        donatable = self._donatable(tape.leaves)
        variant = structure.match(live, tape.scalars, donatable)
        if variant is not None:
            self.metrics.count("CachedCompile")
            return variant
        return self._compile(tape, structure, live, donatable)

    def _donatable(self, leaves: list[BackendData]) -> list[int]:
        """Return the leaves that nothing but the recording holds, so that their buffers may be overwritten."""
        return [
            index
            for index, alone in enumerate(unreferenced(leaves))
            if alone and leaves[index].type.nbytes >= DONATION_BYTES and self.backend.can_donate(leaves[index])
        ]

    def _compile(self, tape: Tape, structure: Structure, live: list[int], donatable: list[int]) -> Variant:
        known = bool(structure.variants)
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
        variant = Variant(live, donatable, parameters, tape.scalars, executable)
        structure.add(variant)
        return variant

    # Running

    def _interpret(self, tape: Tape, live: list[int], start: float) -> None:
        """Run a recording operation by operation: its graph is too new to be worth compiling."""
        settle(tape.leaves)
        donatable = self._donatable(tape.leaves)
        leaves = dict(enumerate(tape.leaves))
        isolation = self._isolation(tape)
        self.metrics.add_time("DispatchTime", perf_counter() - start)
        start = perf_counter()
        if donatable:
            tape.spent = True
            tape.leaves = []
        values = isolation.interpreter().run(live, leaves, donatable)
        results = [values.pop(position) for position in live]
        self.metrics.add_time("ExecuteTime", perf_counter() - start)
        if tape.checks:
            isolation.apply_checks(checks_of(tape), live, results)
        self._bind(tape, live, results)

    def _launch(self, tape: Tape, variant: Variant, start: float) -> None:
        executable = variant.executable
        arguments = executable.arguments(self.backend, tape.leaves, tape.scalars)
        queued = self._goes_to_worker(variant, arguments)
        if variant.donated:
            self.metrics.count("DonatedBuffers", len(variant.donated))
        tape.spent = queued or bool(variant.donated)
        self.metrics.add_time("DispatchTime", perf_counter() - start)
        if not queued:
            results = self._execute(variant, arguments, self._isolation(tape))
            if tape.checks:
                self._isolation(tape).apply_checks(checks_of(tape), variant.outputs, results)
            self._bind(tape, variant.outputs, results)
            return
        ground = tape.ground
        placeholders = []
        for position in variant.outputs:
            placeholder = self.backend.create_data_placeholder(ground.device, tape.records[position][0].type)
            placeholder.mark_pending()
            placeholders.append(placeholder)
        isolation, checks = self._isolation(tape), checks_of(tape)
        # The job must not keep alive leaves that the computation does not read.
        tape.leaves = []
        # Bound before it is submitted, a placeholder could be an argument of a job that another thread submits first.
        self.worker.submit(lambda: self._run_queued(variant, arguments, placeholders, isolation, checks))
        self._bind(tape, variant.outputs, placeholders)

    def _goes_to_worker(self, variant: Variant, arguments: Sequence[BackendData]) -> bool:
        options = self.options
        if options.asynchronous == "never" or options.eager or not self.backend.blocking:
            return False
        if options.asynchronous == "always" or (
            self.worker.pending and any(argument.is_pending for argument in arguments)
        ):
            return True
        return variant.seconds is not None and self.worker.worthwhile(variant.seconds, options.inline_below_us)

    def _execute(self, variant: Variant, arguments: list[BackendData], isolation: Isolation) -> list[BackendData]:
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
            seconds if variant.runs < 2 or expected is None else expected + _SMOOTHING * (seconds - expected)
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
    ) -> None:
        try:
            results = self._execute(variant, arguments, isolation)
            arguments.clear()
            isolation.apply_checks(checks, variant.outputs, results)
            for placeholder, result in zip(placeholders, results, strict=True):
                if result.error is not None:
                    placeholder.fail(result.error)
                else:
                    placeholder.assign(result)
        except BaseException as error:  # nobody may wait for ever
            fail_pending(placeholders, error)

    def _bind(self, tape: Tape, outputs: Sequence[int], results: Sequence[BackendData]) -> None:
        ground = tape.ground
        arrays = tape.arrays
        for position, data in zip(outputs, results, strict=True):
            array = arrays[position]
            if array is not None and array._tape is tape and array._pos == position:
                array._data = data
                array._tape = ground

    def _isolation(self, tape: Tape) -> Isolation:
        return Isolation(self.compiler, tape.ground.device, tape.records, tape.scalars, self.locator(tape))

    def locator(self, tape: Tape) -> Callable[[int], str]:
        """Return a function from a position in the recording to the user's line, formatted only when asked."""
        codes, lastis, wanted = tape.codes, tape.lastis, self.options.source_lines

        def line(position: int) -> str:
            if not wanted or not 0 <= position < len(codes):
                return ""
            return str(locate(codes[position], lastis[position]))

        return line

    # Values pending in another thread

    def _snapshot(self, array: LazyTensor, tape: Tape) -> BackendData | None:
        """Compute one array of another thread's open recording without disturbing that thread.

        The records that are complete now are enough: the array is one of them. Its own thread goes on recording and
        finds it materialised. If that thread closes the recording meanwhile, its results are waited for, and `None`
        is returned.
        """
        if tape.capturing:
            raise CaptureError(
                f"{user_line()}: this array was made while compile() captured a function, and is neither a result of "
                "it nor an argument: return it from the function"
            )
        self.check_usable()
        position = array._pos  # before the length: the array's thread may re-bind it to a later record
        length = tape.complete_length()
        leaves = list(tape.leaves)
        if tape.closed:
            self._await_binding(array, tape)
            return None
        if array._tape is not tape:
            return None
        copy = tape.closed_copy(leaves, list(tape.scalars), {}, length)
        wanted = sorted({position, *(check.flag._pos for check in copy.checks)})
        structure = self.cache.find(copy.records, None, tape.ground.device)
        structure.sightings += 1
        self.metrics.count("Recordings")
        if structure.sightings <= self._interpretations:
            self.metrics.count("Interpreted")
            isolation = self._isolation(copy)
            values = isolation.interpreter().run(wanted, dict(enumerate(leaves)))
            results = [values[one] for one in wanted]
            isolation.apply_checks(checks_of(copy), wanted, results)
            return self._bind_snapshot(array, tape, position, results[wanted.index(position)])
        variant = structure.match(wanted, copy.scalars, ())
        if variant is None:
            variant = self._compile(copy, structure, wanted, [])
        else:
            self.metrics.count("CachedCompile")
        arguments = variant.executable.arguments(self.backend, leaves, copy.scalars)
        results = self._execute(variant, arguments, self._isolation(copy))
        self._isolation(copy).apply_checks(checks_of(copy), variant.outputs, results)
        return self._bind_snapshot(array, tape, position, results[variant.outputs.index(position)])

    def _bind_snapshot(self, array: LazyTensor, tape: Tape, position: int, data: BackendData) -> BackendData:
        """Bind the array, unless its own thread has bound or re-bound it meanwhile."""
        if _is_at(array, tape, position):
            array._data = data
            array._tape = tape.ground
        return data

    def _await_binding(self, array: LazyTensor, tape: Tape) -> None:
        """Wait until the thread that closed a recording has bound an array of it."""
        while array._tape is tape:
            if not tape.closed:  # interrupted, and open again
                return
            if tape.ident == threading.get_ident() and not tape.finished:
                raise ExecutionError("a finaliser or signal handler needs a value of the recording that is being run")
            if tape.finished and array._tape is tape:
                raise ExecutionError("the array's value is lost: its computation was interrupted")
            sleep(1e-4)

    # Host data

    def from_host(self, tensor: HostArray, type: TensorType, ground: Ground, *, copy: bool) -> LazyTensor:
        """Return an array with this host value on the ground's device."""
        self.check_usable()
        start = perf_counter()
        data = self.backend.make_computation_data_from_tensor(tensor, type, ground.device, copy=copy)
        self.metrics.add_time("TransferToDeviceTime", perf_counter() - start)
        return self.wrap(data, ground)

    def wrap(self, data: BackendData, ground: Ground) -> LazyTensor:
        """Return an array whose value is this data."""
        array: LazyTensor = object.__new__(self.array_class)
        array._type = data.type
        array._link = None
        array._data = data
        array._tape = ground
        return array


def _is_at(array: LazyTensor | None, tape: Tape, position: int) -> bool:
    """Whether a slot of the tape is the array's own; an interrupted re-binding leaves it in two."""
    return array is not None and array._tape is tape and array._pos == position


def fail_pending(placeholders: Iterable[BackendData], error: BaseException) -> None:
    """Poison the placeholders that are not filled."""
    failed = error if isinstance(error, LatebindError) else ExecutionError(f"the computation failed: {reason(error)}")
    for placeholder in placeholders:
        if placeholder.is_pending:
            placeholder.fail(detached(failed))


def settle(leaves: Iterable[BackendData]) -> None:
    """Wait until no leaf is pending; keep no reference to one, and leave errors to those who depend on them."""
    for leaf in leaves:
        if leaf._ready is not None:
            leaf._ready.wait()


def checks_of(tape: Tape) -> list[PositionedCheck]:
    """Return the recording's checks with the position of each flag instead of the array that holds it."""
    return [(check.flag._pos, check.position, check.describe) for check in tape.checks]


def user_line() -> str:
    """Return the user's line that the innermost call comes from."""
    from latebind.runtime.recording import user_frame

    frame = user_frame(2)
    return str(locate(frame.f_code, frame.f_lasti))


def _default_array_class() -> type[LazyTensor]:
    """Return latebind's own array class, which the array package registers here when it is imported."""
    registered = sys.modules.get("latebind.array.array")
    return registered.Array if registered is not None else LazyTensor
