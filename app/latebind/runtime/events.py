"""What the runtime tells those who watch it: explanations, profiles, tests. Nobody watching costs one attribute test
per closed recording, and nothing per operation.

An observer is called in the thread in which the thing happened, possibly from several threads at once, and while the
runtime waits for it. It must not keep an event's tape (which holds data), nor use arrays of the executor that it
watches. What it raises is logged, and does not reach the program.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from latebind.backends.interface import BackendData
    from latebind.ir.types import TensorType
    from latebind.runtime.cache import Structure, Variant
    from latebind.runtime.tape import Tape

logger = logging.getLogger("latebind")

#: Why a graph is compiled: it is new, a scalar that varies becomes a parameter, or the live outputs or donated buffers
#: of a known graph changed.
CompileReason = Literal["new", "scalars", "outputs"]
#: How a recording ran: its computation on the caller's thread or on the worker's, or operation by operation.
How = Literal["computation", "queued", "interpreted"]


@dataclass(frozen=True, slots=True)
class GraphCompiled:
    """A computation was lowered and compiled; a kernel of the interpreter too.

    Attributes
    ----------
    name : str
        Of the computation.
    operations : int
        Recorded operations.
    start, lowered, end : float
        `perf_counter()` when lowering began, when the engine's compiler began, and when it was done.
    kernel : bool
        Whether it is one operation for the interpreter.
    line : callable
        From a position in the recording to the user's line.
    """

    name: str
    operations: int
    start: float
    lowered: float
    end: float
    kernel: bool
    line: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class VariantCompiled:
    """A recording's computation was not in the cache, and was compiled.

    Attributes
    ----------
    tape : Tape
        The recording; not to be kept.
    structure : Structure
        What it is an instance of.
    variant : Variant
        What was compiled.
    earlier : sequence of Variant
        What the structure had before.
    reason : str
    start, end : float
        `perf_counter()`.
    """

    tape: Tape
    structure: Structure
    variant: Variant
    earlier: Sequence[Variant]
    reason: CompileReason
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class RecordingRun:
    """A closed recording was run, in the thread that tells so.

    Attributes
    ----------
    number : int
        Of the recording, in the order of the events.
    tape : Tape
        The recording; not to be kept. `tape.ident` is the thread that recorded.
    structure : Structure or None
        `None` if it was not looked up.
    variant : Variant or None
        The computation; `None` if it was interpreted.
    how : str
    live : sequence of int
        Positions of the results.
    results : sequence of BackendData
        The results, in the order of `live`; not to be kept.
    opened, closed, start, end : float
        `perf_counter()` at the first record, when the recording was closed, and around the run. An engine that works
        asynchronously is not done at `end`.
    """

    number: int
    tape: Tape
    structure: Structure | None
    variant: Variant | None
    how: How
    live: Sequence[int]
    results: Sequence[BackendData]
    opened: float
    closed: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transferred:
    """A value went from host memory to a device or back.

    Attributes
    ----------
    to_device : bool
    type : TensorType
    data : BackendData
        The value on the device; not to be kept.
    start, end : float
        `perf_counter()`.
    """

    to_device: bool
    type: TensorType
    data: BackendData
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Synced:
    """A recording was closed because somebody asked for it, or a value was waited for.

    Attributes
    ----------
    cause : str
        What the executor was asked for: `value`, `sync`, `mark_step`, `wait_device_ops`, `leaf` (an operand that is
        pending in another recording), `loop` or `limit` (the recording was cut by itself), `capture` (a function is
        captured, and what was recorded runs before that).
    start, end : float
        `perf_counter()`; the caller waited in between.
    """

    cause: Literal["value", "sync", "mark_step", "wait_device_ops", "leaf", "loop", "limit", "capture"]
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class DirectRun:
    """A phase of direct execution is over: the thread records again.

    Attributes
    ----------
    operations : int
        That ran in it, one by one.
    start, end : float
        `perf_counter()`, with the program's own Python.
    """

    operations: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class OperationsRun:
    """The operations of a recording were run one by one and timed, because an observer wanted that.

    Attributes
    ----------
    tape : Tape
        The recording; not to be kept.
    times : sequence of (int, float, float)
        Position in the recording, and `perf_counter()` before and after, in the order in which they ran.
    """

    tape: Tape
    times: Sequence[tuple[int, float, float]]


Event = GraphCompiled | VariantCompiled | RecordingRun | Transferred | Synced | DirectRun | OperationsRun
Observer = Callable[[Event], None]


class Events:
    """Who watches one executor.

    Attributes
    ----------
    observers : tuple of callable
        Empty if nobody watches: the only thing that the runtime looks at.
    changed : list of callable
        Called with whether somebody watches, when that changes.
    compiled : callable or None
        Called with each `VariantCompiled`, whether somebody watches or not; what it raises reaches the program.
    """

    __slots__ = ("_lock", "_numbers", "changed", "compiled", "observers")

    def __init__(self) -> None:
        self.observers: tuple[Observer, ...] = ()
        self.changed: Final[list[Callable[[bool], None]]] = []
        self.compiled: Callable[[VariantCompiled], None] | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count()

    def number(self) -> int:
        """Return the next number of a recording."""
        return next(self._numbers)

    def tell(self, event: Event) -> None:
        """Call the observers; their errors are logged."""
        for observer in self.observers:
            try:
                observer(event)
            except Exception:
                logger.exception("an observer failed on %s", type(event).__name__)

    def tell_compiled(self, event: VariantCompiled) -> None:
        """Call the observers, and who wants to know of compilations only."""
        if self.observers:
            self.tell(event)
        if self.compiled is not None:
            self.compiled(event)

    def watch(self, observer: Observer) -> None:
        """Call this observer from now on."""
        with self._lock:
            first = not self.observers
            self.observers = (*self.observers, observer)
            if first:
                self._announce(watched=True)

    def unwatch(self, observer: Observer) -> None:
        """Call this observer no more; nothing happens if it is not there."""
        with self._lock:
            rest = list(self.observers)
            if observer not in rest:
                return
            rest.remove(observer)
            self.observers = tuple(rest)
            if not rest:
                self._announce(watched=False)

    def _announce(self, *, watched: bool) -> None:
        for changed in self.changed:
            changed(watched)

    @contextmanager
    def watched_by(self, observer: Observer) -> Iterator[None]:
        """Call this observer inside the block."""
        self.watch(observer)
        try:
            yield
        finally:
            self.unwatch(observer)
