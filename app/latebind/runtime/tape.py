"""The tape: a thread's linear recording of array operations.

A recording is a list of tuples `(signature, operand, operand, ...)`. An operand that was recorded on the same tape is
written relative to the record (`3`: three records back), so that a loop shows as a repeating run; a leaf is written as
`-1 - index` into the list of leaves. Scalars are kept in a list of their own, in the order of the records, so that
recordings which differ only in scalar values have equal records. Code object and `f_lasti` of the user's line are kept
in two parallel lists.

Recording is not locked: a tape belongs to one thread and one ground (an executor and a device). Another thread that
needs a value takes a snapshot of the complete records (`complete_length`); see `LazyGraphExecutor.materialize`.
"""

from __future__ import annotations

import threading
from _thread import get_ident
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from latebind.runtime.lazy import LazyTensor
from latebind.runtime.signature import made_signatures

if TYPE_CHECKING:
    from latebind.backends.interface import BackendData, BackendDevice
    from latebind.runtime.direct import Direct
    from latebind.runtime.executor import LazyGraphExecutor

Scalar: TypeAlias = bool | int | float | complex
#: `(signature, operand, ...)`; see the module's docstring.
Record: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on data, such as an index within bounds, that is tested after the computation.

    Attributes
    ----------
    flag : LazyTensor
        Zero-dimensional int64: `PASSED`, or the offending value.
    position : int
        The recorded operation whose result, and all that depends on it, is poisoned if the check fails.
    describe : callable
        From the offending value to the message, without the user's line.
    """

    flag: LazyTensor
    position: int
    describe: Callable[[int], str]


#: Value of a check's flag when all is well.
PASSED: Final = -(2**63)


class Tape:
    """A recording in progress.

    Attributes
    ----------
    ident : int
        The thread that records here.
    ground : Ground
        Executor and device of the recorded values.
    limit : int
        Number of records at which the executor is asked for room, and looks for a loop or flushes; 0 sends every
        operation through `record`.
    records, arrays, codes, lastis : list
        One entry per operation: the record, the array that holds its result (`None` once re-bound), and the user's
        line.
    scalars : list
        Values of the scalar operands, in the order of the records.
    leaves : list of BackendData
    leaf_of : dict
        Operand code of each leaf.
    checks : list of Check
        Conditions on data that are tested after the computation.
    closed : bool
        Set when the executor takes the recording over.
    spent : bool
        Set when a computation may have overwritten leaves, so that the recording cannot be run again.
    finished : bool
        Set when the executor is done with the recording: what is not bound by now never will be.
    round : int
        Records after which a loop is cut; 0 if none was found.
    misses : int
        Cuts of the loop whose records had never been seen.
    signatures : int
        Signatures that there were when the recording began.
    direct : Direct or None
        Set where the thread runs operations directly instead of recording them.
    started : float
        `perf_counter()` of the first record, in seconds.
    """

    __slots__ = (
        "arrays",
        "checks",
        "closed",
        "codes",
        "direct",
        "finished",
        "ground",
        "ident",
        "lastis",
        "leaf_of",
        "leaves",
        "limit",
        "misses",
        "records",
        "round",
        "scalars",
        "signatures",
        "spent",
        "started",
        "views",
    )

    #: Whether a read of a value is refused, because a function is being captured.
    capturing = False

    def __init__(self, ground: Ground, limit: int) -> None:
        self.ident = get_ident()
        self.ground = ground
        self.limit = limit
        self.records: list[Record] = []
        self.arrays: list[LazyTensor | None] = []
        self.codes: list[CodeType] = []
        self.lastis: list[int] = []
        self.scalars: list[Scalar] = []
        self.views: list[int] = []
        self.leaves: list[BackendData] = []
        self.leaf_of: dict[BackendData, int] = {}
        self.checks: list[Check] = []
        self.closed = self.spent = self.finished = False
        self.round = self.misses = 0
        self.direct: Direct | None = None
        self.signatures = made_signatures()
        self.started = perf_counter()

    def truncate(self, length: int) -> None:
        """Drop what an interrupted operation left behind (Ctrl-C between two appends)."""
        scalars = sum(record[0].scalar_count for record in self.records[:length])
        for entries, kept in (
            (self.records, length),
            (self.arrays, length),
            (self.codes, length),
            (self.lastis, length),
            (self.scalars, scalars),
        ):
            del entries[kept:]

    def complete_length(self) -> int:
        """Number of records of which every part is there; safe to call from another thread."""
        return len(self.lastis)

    def closed_copy(
        self,
        leaves: list[BackendData],
        scalars: list[Scalar],
        outputs: dict[int, LazyTensor],
        length: int | None = None,
    ) -> Tape:
        """Return a closed recording of the first `length` records with other leaves, scalars and results.

        Parameters
        ----------
        outputs
            Array per position; stands for the list of arrays.
        """
        copy = Tape.__new__(Tape)
        copy.ident, copy.ground, copy.limit, copy.started = self.ident, self.ground, self.limit, self.started
        copy.closed, copy.spent, copy.finished = True, False, False
        copy.round = copy.misses = 0
        copy.direct = None
        if length is None:
            copy.records, copy.codes, copy.lastis, copy.checks = self.records, self.codes, self.lastis, self.checks
        else:
            copy.records, copy.codes, copy.lastis = self.records[:length], self.codes[:length], self.lastis[:length]
            copy.checks = [check for check in list(self.checks) if check.flag._pos < length]
            scalars = scalars[: sum(record[0].scalar_count for record in copy.records)]
        copy.scalars, copy.leaves, copy.leaf_of = scalars, leaves, {}
        copy.arrays = outputs  # type: ignore[assignment]
        for array in outputs.values():
            array._tape = copy
        return copy

    def leaf(self, array: LazyTensor, data: BackendData) -> int:
        """Return the operand code of a leaf, entering it at its first use."""
        code = self.leaf_of.get(data)
        if code is None:
            self.leaves.append(data)
            code = self.leaf_of[data] = -len(self.leaves)
        return code

    def before_write(self, array: LazyTensor) -> None:
        """Called before an array is re-bound to a value of this tape while a function is being captured."""

    def forget(self, array: LazyTensor, position: int) -> None:
        """Clear the slot of an array that was re-bound, so that it does not look live there."""
        if position < len(self.arrays) and self.arrays[position] is array:
            self.arrays[position] = None


class Ground:
    """An executor and one of its devices: where materialised arrays rest, and each thread's open tape is found.

    Attributes
    ----------
    ident : int
        0, which is no thread: arrays on the ground are leaves for every tape.
    """

    __slots__ = ("device", "executor", "ground", "ident", "limit", "local")

    def __init__(self, executor: LazyGraphExecutor, device: BackendDevice, limit: int) -> None:
        self.ident = 0
        self.executor = executor
        self.device = device
        self.limit = limit
        self.ground = self
        self.local = threading.local()

    def tape(self) -> Tape:
        """Return this thread's open tape."""
        try:
            tape: Tape = self.local.tape
        except AttributeError:
            tape = self.open()
        return tape

    def open(self) -> Tape:
        """Start a new tape for this thread."""
        direct = self.executor.phases.current(self)
        tape = Tape(self, self.limit if direct is None else 0)
        tape.direct = direct
        self.local.tape = self.executor.tapes[tape.ident, self] = tape
        return tape

    def __repr__(self) -> str:
        return f"{self.device} of container {self.executor.name!r} (backend {self.executor.backend.name!r})"
