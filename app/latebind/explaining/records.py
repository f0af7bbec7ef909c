"""What an explanation consists of: compilations and synchronisations, each the sum of those that are alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from latebind.explaining.differences import Kind

#: Why something was compiled: a graph of operations that is like none before, one that is like another, a scalar that
#: varies, other live results or buffers of a graph that is known, a captured function's first call, or another of its
#: captures.
Reason = Literal["first", "graph", "scalar", "outputs", "captured", "recaptured"]


@dataclass(frozen=True, slots=True)
class Known:
    """The computation that was there before and is most like the one that was compiled.

    Attributes
    ----------
    name : str
    operations : int
    lines : str
        The user's lines that recorded it.
    line : str
        The one where it differs; empty if it does not go on that far.
    text : str
        The source of that line.
    """

    name: str
    operations: int
    lines: str
    line: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The first difference between a computation and the nearest one.

    Attributes
    ----------
    kind : str
        `differences.Kind`.
    operation : str
        The operation that differs, or whose operand, attribute, scalar or result does; of a captured function, the
        argument.
    now, before : str
    line : str
        The user's line where the new computation differs; empty if it ends before.
    text : str
        The source of that line.
    note : str
        Which operand or attribute, or how many more scalars or results there are.
    position : int or None
        Operations that are the same before it.
    """

    kind: Kind
    operation: str
    now: str
    before: str
    line: str
    text: str
    note: str
    position: int | None


@dataclass(slots=True)
class Compilation:
    """Compilations at one line for one reason; what names one of them is of the latest.

    Attributes
    ----------
    reason : str
    line : str
        The user's line that made it necessary: where the recording was closed, or the captured function called.
    text : str
        The source of that line.
    name : str
        Of the computation.
    function : str
        The captured function; empty if it is none.
    operations : int
        Recorded operations.
    lines : str
        The user's lines that recorded them.
    engines : str
        Names of the backends that run it, in order.
    count : int
    seconds : float
        All of them, on the user's time.
    background : float
        Seconds of compiling meanwhile, in the background.
    change : Change or None
        What differs; `None` where there is nothing to compare with.
    nearest : Known or None
    """

    reason: Reason
    line: str
    text: str
    name: str
    function: str
    operations: int
    lines: str
    engines: str
    count: int = 0
    seconds: float = 0.0
    background: float = 0.0
    change: Change | None = None
    nearest: Known | None = None

    def __str__(self) -> str:
        from latebind.explaining.paragraphs import compilation_paragraph

        return compilation_paragraph(self)


@dataclass(slots=True)
class Synchronisation:
    """Waits at one line for one reason.

    Attributes
    ----------
    line : str
    text : str
        The source of that line.
    reason : str
        What the user wrote there, or what cut the recording.
    count : int
    seconds : float
        How long the program waited: what had to be compiled and run is included.
    compile_seconds : float
        What compiling was of it.
    """

    line: str
    text: str
    reason: str
    count: int = 0
    seconds: float = 0.0
    compile_seconds: float = 0.0


@dataclass(slots=True)
class Tallies:
    """What is counted besides.

    Attributes
    ----------
    recordings : int
        Recordings that ran.
    interpreted : int
        Of these, run operation by operation because their graph is too new.
    kernels : int
        Single operations that were compiled for that.
    kernel_seconds : float
    direct : int
        Operations that ran directly, which nothing is recorded of.
    failed : int
        Recordings that could not be compiled as a whole.
    evicted : int
        Computations that the cache dropped.
    dropped : int
        Compilations and synchronisations beyond what is kept apart, which are counted as one.
    """

    recordings: int = 0
    interpreted: int = 0
    kernels: int = 0
    kernel_seconds: float = 0.0
    direct: int = 0
    failed: int = 0
    evicted: int = 0
    dropped: int = 0


def plain(record: Compilation | Synchronisation | Tallies) -> dict[str, Any]:
    """Return a record as plain data."""
    return asdict(record)
