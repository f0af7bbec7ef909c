"""`LazyGraphExecutor`: decides what to lower, finds or compiles it, runs it, fills the placeholders."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from time import perf_counter

from latebind.backends.interface import Backend, BackendData, BackendDevice, HostArray
from latebind.errors import CaptureError, ExecutionError, ShutdownError
from latebind.ir.builder import IrBuilder
from latebind.ir.types import TensorType
from latebind.runtime import process
from latebind.runtime.cache import ComputationCache, Structure
from latebind.runtime.capture import CaptureTape
from latebind.runtime.compiler import Compiler, LoweringFactory
from latebind.runtime.direct_phases import FIRST_LOOK, DirectPhases
from latebind.runtime.events import Events, Synced
from latebind.runtime.interpreter import reason
from latebind.runtime.launch import Worker
from latebind.runtime.lazy import LazyTensor, default_array_class
from latebind.runtime.liveness import live_positions, release_bases, release_dead_views
from latebind.runtime.loops import (
    FIRST_SEARCH,
    MISSES_OF_A_LOOP,
    cut_length,
    find_period,
)
from latebind.runtime.metrics import Metrics
from latebind.runtime.options import ExecutorOptions
from latebind.runtime.running import Runner, is_at
from latebind.runtime.snapshot import snapshot
from latebind.runtime.syncs import check_sync
from latebind.runtime.tape import Ground, Tape
from latebind.runtime.tracing import Tracer
from latebind.runtime.transfer import to_device, to_host
from latebind.runtime.user_frames import user_line
from latebind.runtime.views import refresh
from latebind.runtime.warm_steps import run_warm


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
        self.events = Events()
        self.events.changed.append(self.metrics.measure_every_call)
        self.name = name
        self.array_class = array_class or default_array_class()
        self.compiler = Compiler(
            backend,
            ir_builder or backend.ir_builder(),
            lowering_context or backend.create_lowering_context,
            self.metrics,
            self.tracer,
            events=self.events,
            reference=reference if self.options.fallback == "reference" else None,
            verify=self.options.verify,
            progress=self.options.progress,
        )
        wanted = self.options.interpretations
        # Who asks to see the compiled graphs wants each graph compiled.
        interpretations = 0 if self.tracer.show else backend.interpretations if wanted is None else wanted
        self.worker = Worker(f"latebind {name}", self.options.queue_size)
        # Who wants every graph compiled at once, or printed, wants graphs.
        can_be_direct = backend.direct and self.options.direct and (interpretations > 0 or self.options.eager)
        self.phases = DirectPhases(
            self.metrics, possible=can_be_direct, always=self.options.eager, interpretations=interpretations
        )
        self.runner = Runner(
            backend, self.compiler, self.worker, self.metrics, self.options, interpretations, self.cache
        )
        self.tapes: dict[tuple[int, Ground], Tape] = {}
        self._evicted = self.cache.evicted
        self.closed = False
        self.forked = False
        self._grounds: dict[BackendDevice, Ground] = {}
        self._default_ground: Ground | None = None
        self._lock = threading.Lock()
        self.seed: int | None = None
        #: What other parts keep per executor, by the name of the part.
        self.attached: dict[str, object] = {}
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
        if device is None:
            backend, known = self.backend, self._default_ground
            if (
                known is not None
                and known.device.type == backend.default_device_type
                and known.device.ordinal == backend.default_device_ordinal
            ):
                return known
            self._default_ground = self.ground(backend.backend_device())
            return self._default_ground
        if not isinstance(device, BackendDevice):
            device = self.backend.backend_device(device)
        found = self._grounds.get(device)
        if found is None:
            self.backend.backend_device(str(device))
            with self._lock:
                first = FIRST_LOOK if self.phases.possible else FIRST_SEARCH
                limit = 0 if self.options.eager else min(first, self.options.recording_limit)
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
            if period is not None:
                self.metrics.count("LoopsFound")
                tape.round = cut_length(period)
            elif not self.phases.gives_up(tape):
                tape.limit = min(2 * count, self.options.recording_limit)
                return tape
        self.metrics.count("LoopCut" if tape.round else "AutomaticCut")
        start = perf_counter() if self.events.observers else 0.0
        structure = self.close_recording(tape)
        if start:
            self.events.tell(Synced("loop" if tape.round else "limit", start, perf_counter()))
        if structure is not None and structure.sightings <= 1 and not tape.round:
            self.phases.begin(tape.ground)
        following = tape.ground.tape()
        # A first sight is expected where a loop starts; a loop that never repeats itself is none.
        tape.misses += structure is not None and structure.sightings <= 1
        if tape.round and tape.misses <= MISSES_OF_A_LOOP and following.direct is None:
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
            if data.error is not None and self.options.eager:
                data.raise_error()

    def refresh(self, array: LazyTensor) -> None:
        """Bring a stale view up to date by replaying its view operations."""
        refresh(array)

    def leaf_data(self, array: LazyTensor) -> BackendData:
        """Return the data of an operand that is not on the caller's tape."""
        start = perf_counter() if self.events.observers and array._tape is not array._tape.ground else 0.0
        data = self.materialize(array)
        if start:
            self.events.tell(Synced("leaf", start, perf_counter()))
        if data.error is not None:
            data.raise_error()
        return data

    # Synchronisation

    def sync(self, arrays: Iterable[LazyTensor]) -> None:
        """Close the recordings that these arrays are part of and start computing them."""
        start = perf_counter()
        for array in arrays:
            self.materialize(array)
            tape = array._tape.ground.tape()
            if tape.direct is not None:
                self.phases.end(tape)
        if self.events.observers:
            self.events.tell(Synced("sync", start, perf_counter()))

    def mark_step(self, device: BackendDevice | str | None = None) -> None:
        """Close the calling thread's recording for a device and start computing all its live arrays."""
        self.check_usable()
        self.metrics.count("Steps")
        tape = self.ground(device).tape()
        start = perf_counter() if self.events.observers else 0.0
        self.close_recording(tape)
        if tape.direct is not None:
            self.phases.end(tape)
        if start:
            self.events.tell(Synced("mark_step", start, perf_counter()))

    def wait_device_ops(self) -> None:
        """Block until everything that was started is done. Errors surface where a result is used."""
        check_sync("wait_device_ops")
        if self.forked:
            process.refuse_fork(self.name)
        start = perf_counter()
        self.worker.drain()
        self.backend.wait_device_ops()
        if self.events.observers:
            self.events.tell(Synced("wait_device_ops", start, perf_counter()))

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
                    data = snapshot(self, array, tape)
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
        SyncForbiddenError
            Inside `forbid_sync`.
        """
        check_sync()
        start = perf_counter() if self.events.observers else 0.0
        tape = array._tape.ground.tape()
        if tape.direct is not None:
            self.phases.end(tape)
        data = self.materialize(array)
        if self.forked and (data.is_pending or not self.backend.is_ready(data)):
            process.refuse_fork(self.name)
        data.wait()
        host = to_host(self.backend, self.metrics, self.events, data)
        if start:
            self.events.tell(Synced("value", start, perf_counter()))
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
            tape.limit, tape.direct = 0, None

    # Closing a recording

    def close_recording(self, tape: Tape) -> Structure | None:
        """Compute the live arrays of the calling thread's recording; the thread goes on with a new tape.

        Returns the recording's structure, or `None` if there was nothing to compute.
        """
        if tape.capturing:
            raise CaptureError(
                f"{user_line()}: a value is needed inside a function that is being captured by compile(); "
                "use where() instead of a branch on values or of x[mask], or read the value outside"
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
            local = ground.local
            previous: Structure | None = getattr(local, "previous", None)
            predicted = None if previous is None else previous.successor
            end = 0.0 if tape.direct is not None else run_warm(self.runner, self.cache, tape, predicted, start)
            if end:
                structure = local.previous = predicted
            else:
                structure = self._run_closed(tape, start)
        except BaseException as error:
            self._reopen(tape, limit, error)
            raise
        self._finish(tape)
        following = ground.tape()
        if structure is not None and not following.records:
            following.started = end or perf_counter()  # recording goes on here; running is not recording
            self.phases.note(tape, structure)
        return structure

    def _run_closed(self, tape: Tape, start: float) -> Structure | None:
        """Compute the live arrays of a closed recording.

        Returns its structure, or `None` if none is alive, or if it is one operation of a program that runs directly.
        """
        arrays = tape.arrays
        if tape.views:
            release_dead_views(arrays, tape.views)
        live = release_bases(arrays, live_positions(arrays))
        live = [position for position in live if is_at(arrays[position], tape, position)]
        self.metrics.count("RecordedOps", len(tape.records))
        self.metrics.add_time("RecordTime", start - tape.started)
        if not live:
            return None
        tape.leaf_of.clear()
        if tape.direct is not None:
            self.runner.interpret(tape, live, start)
            return None
        structure = self._structure(tape)
        self.runner.run(tape, structure, live, start)
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
            self.runner.poison(tape, range(len(tape.arrays)), failed)
            self._finish(tape)
            return
        tape.leaf_of = {data: -1 - index for index, data in enumerate(tape.leaves)}
        ground.local.tape = self.tapes[tape.ident, ground] = tape
        tape.limit, tape.closed = limit, False

    def _structure(self, tape: Tape) -> Structure:
        """Return the structure of a recording; the one that followed the previous one last time is tried first."""
        local = tape.ground.local
        previous: Structure | None = getattr(local, "previous", None)
        predicted = previous.successor if previous is not None else None
        structure = self.cache.find(tape.records, predicted, tape.ground.device)
        if self.cache.evicted != self._evicted:
            self.metrics.count("Evicted", self.cache.evicted - self._evicted)
            self._evicted = self.cache.evicted
        if previous is not None:
            previous.successor = structure
        local.previous = structure
        return structure

    # Host data

    def from_host(self, tensor: HostArray, type: TensorType, ground: Ground, *, copy: bool) -> LazyTensor:
        """Return an array with this host value on the ground's device."""
        self.check_usable()
        return self.wrap(
            to_device(self.backend, self.metrics, self.events, tensor, type, ground.device, copy=copy), ground
        )

    def wrap(self, data: BackendData, ground: Ground) -> LazyTensor:
        """Return an array whose value is this data."""
        array: LazyTensor = object.__new__(self.array_class)
        array._type = data.type
        array._link = None
        array._data = data
        array._tape = ground
        tape = ground.tape()
        if isinstance(tape, CaptureTape):
            tape.made[id(array)] = array
        return array
