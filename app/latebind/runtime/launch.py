"""Executables, and the worker that runs the long ones while the user's thread records on."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

from latebind.backends.interface import Backend, BackendData, BackendDevice, Computation, Launcher
from latebind.errors import ExecutionError
from latebind.ir.types import TensorType

if TYPE_CHECKING:
    from latebind.runtime.tape import Scalar

#: A computation goes to the worker if it is expected to take this many times the cost of the hand-over.
_HANDOVERS_WORTH: Final = 10.0
#: Hand-overs that are timed to learn what one costs.
_PROBES: Final = 5


@dataclass(slots=True)
class Stage:
    """One computation of an executable.

    Attributes
    ----------
    backend : Backend
        Who runs it: the executor's backend, or the reference backend for an operation that fell back.
    computation : Computation
    arguments : tuple of int
        Slot of each argument.
    results : tuple of int
        Slot of each result.
    fallback : bool
        Whether the data has to be moved to the reference backend and back.
    """

    backend: Backend
    computation: Computation
    arguments: tuple[int, ...]
    results: tuple[int, ...]
    fallback: bool = False


class Executable:
    """A compiled graph: its computation, or several where operations fall back to the reference backend.

    Attributes
    ----------
    leaves : tuple of int
        Leaf behind each leading parameter.
    scalars : tuple of int
        Promoted scalar behind each further parameter.
    donated : frozenset of int
        Leaves that running it overwrites.
    result_slots : tuple of int
        Where the results are after the last stage.
    launch : Launcher or None
        What runs it, once it has run; kept if it is one computation of the backend's own.
    takes_all : bool
        Whether the parameters are the first leaves in their order, and nothing else.
    proven : bool
        Whether the backend once returned what the computation promises; it is checked in the first run.
    """

    __slots__ = (
        "computation",
        "device",
        "donated",
        "launch",
        "leaves",
        "proven",
        "result_slots",
        "scalar_types",
        "scalars",
        "slot_count",
        "stages",
        "takes_all",
    )

    def __init__(
        self,
        stages: Sequence[Stage],
        device: BackendDevice,
        leaves: tuple[int, ...],
        scalars: tuple[int, ...],
        scalar_types: tuple[TensorType, ...],
        result_slots: tuple[int, ...],
        donated: frozenset[int] = frozenset(),
    ) -> None:
        self.stages = tuple(stages)
        self.donated = donated
        self.device = device
        self.leaves = leaves
        self.scalars = scalars
        self.scalar_types = scalar_types
        self.result_slots = result_slots
        self.slot_count = 1 + max(
            (slot for stage in self.stages for slot in (*stage.arguments, *stage.results)), default=-1
        )
        self.computation = self.stages[0].computation if len(self.stages) == 1 else None
        self.takes_all = not scalars and leaves == tuple(range(len(leaves)))
        self.launch: Launcher | None = None
        self.proven = False

    def launcher(self, backend: Backend) -> Launcher:
        """Return what runs the computation."""
        if self.computation is not None and not self.stages[0].fallback:
            if self.launch is None:
                self.launch = backend.launcher(self.computation, self.device)
            return self.launch
        return functools.partial(self._run_stages, backend)

    @property
    def nbytes(self) -> int:
        """What its computations take, as the backends estimate it."""
        return sum(stage.backend.computation_bytes(stage.computation) for stage in self.stages)

    def arguments(
        self, backend: Backend, leaves: Sequence[BackendData], scalars: Sequence[Scalar]
    ) -> list[BackendData]:
        """Return the data of each parameter."""
        arguments = [leaves[index] for index in self.leaves]
        for index, type in zip(self.scalars, self.scalar_types, strict=True):
            arguments.append(backend.make_computation_data_from_scalar(scalars[index], type, self.device))
        return arguments

    def run(self, backend: Backend, arguments: list[BackendData]) -> list[BackendData]:
        """Run to the end; return the data of each result."""
        launch = self.launch
        if launch is None:
            launch = self.launcher(backend)
        results = launch(arguments)
        if not self.proven:
            if self.launch is not None and self.computation is not None:
                check_results(backend, self.computation, results)
            self.proven = True
        return results

    def _run_stages(self, backend: Backend, arguments: Sequence[BackendData]) -> list[BackendData]:
        slots: list[BackendData | None] = [None] * self.slot_count
        slots[: len(arguments)] = arguments
        for stage in self.stages:
            inputs = [_filled(slots[slot]) for slot in stage.arguments]
            if stage.fallback:
                outputs = _run_elsewhere(stage, backend, inputs, self.device)
            else:
                outputs = stage.backend.execute_computation(stage.computation, inputs, self.device)
                check_results(backend, stage.computation, outputs)
            for slot, output in zip(stage.results, outputs, strict=True):
                slots[slot] = output
        return [_filled(slots[slot]) for slot in self.result_slots]


def check_results(backend: Backend, computation: Computation, results: Sequence[BackendData]) -> None:
    """Refuse results that are not what the computation promises, in the backend's name.

    Raises
    ------
    ExecutionError
        If their number or the type of one is wrong.
    """
    given = [result.type if isinstance(result, BackendData) else type(result) for result in results]
    if given != list(computation.result_types):
        raise ExecutionError(
            f"backend {backend.name!r} is wrong: {computation.name} has to return {list(computation.result_types)}, "
            f"but returned {given}"
        )


def _filled(data: BackendData | None) -> BackendData:
    if data is None:  # a bug in the partition into stages
        raise AssertionError("a stage uses a value that no earlier stage computed")
    return data


def _run_elsewhere(
    stage: Stage, backend: Backend, inputs: Sequence[BackendData], device: BackendDevice
) -> list[BackendData]:
    """Run one stage on the reference backend, through host memory."""
    other = stage.backend
    target = other.backend_device()
    moved = [
        other.make_computation_data_from_tensor(
            backend.make_tensor_from_computation_data(data), data.type, target, copy=False
        )
        for data in inputs
    ]
    outputs = other.execute_computation(stage.computation, moved, target)
    return [
        backend.make_computation_data_from_tensor(
            other.make_tensor_from_computation_data(data), data.type, device, copy=True
        )
        for data in outputs
    ]


class Worker:
    """A thread that runs jobs in order, with a bounded queue; started at the first job.

    Parameters
    ----------
    name
        Name of the thread.
    queue_size
        Jobs that may wait; a further `submit` blocks until one is done.
    """

    def __init__(self, name: str, queue_size: int) -> None:
        self._name = name
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(maxsize=max(1, queue_size))
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._handover: float | None = None
        self.pending = 0

    def submit(self, job: Callable[[], None]) -> None:
        """Run the job after those already submitted. The job must not raise."""
        if self._thread is None:
            self._start()
        with self._lock:
            self.pending += 1
            inline = self._closed
        if inline:  # the interpreter is on its way out
            self.drain()
            job()
            with self._lock:
                self.pending -= 1
            return
        try:
            self._queue.put(job)
        except BaseException:
            with self._lock:
                self.pending -= 1
            raise

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                job()
            finally:
                del job
                with self._lock:
                    self.pending -= 1
                self._queue.task_done()

    def handover_seconds(self) -> float:
        """Return what a hand-over to the worker and back costs here, measured once."""
        if self._handover is None:
            samples = []
            for _ in range(_PROBES):
                done = threading.Event()
                start = perf_counter()
                self.submit(done.set)
                done.wait()
                samples.append(perf_counter() - start)
            self._handover = sorted(samples)[_PROBES // 2]
        return self._handover

    def worthwhile(self, seconds: float, inline_below_us: float | None) -> bool:
        """Whether a job of this expected length should leave the user's thread."""
        if inline_below_us is not None:
            return seconds * 1e6 >= inline_below_us
        # A measurement is only taken once something is long enough that it could matter.
        return seconds > 2e-4 and seconds >= _HANDOVERS_WORTH * self.handover_seconds()

    def drain(self) -> None:
        """Block until every submitted job is done."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._queue.join()

    def close(self) -> None:
        """Finish what is queued and stop the thread."""
        with self._lock:
            thread, self._closed = self._thread, True
            self._thread = None
        if thread is not None and thread is not threading.current_thread() and thread.is_alive():
            self._queue.put(None)
            thread.join()
