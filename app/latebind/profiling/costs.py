"""What graphs, lines and operations cost: sums of what an executor told."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from latebind.profiling.lines import Lines, where

if TYPE_CHECKING:
    from latebind.backends.interface import Backend
    from latebind.runtime.cache import Structure
    from latebind.runtime.events import OperationsRun, RecordingRun, VariantCompiled
    from latebind.runtime.signature import Signature
    from latebind.runtime.tape import Record, Tape

#: Operations whose work is not that of touching their operands, and floating-point operations that take as long as
#: touching one byte.
_CONTRACTIONS: Final = frozenset(("matmul", "tensordot", "vecdot"))
_FLOPS_PER_BYTE: Final = 8
#: Operations that compute longer on an element than it takes to read and write it, and how many times longer.
_TRANSCENDENTAL: Final = frozenset(
    (
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
        *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
        *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "hypot", "cbrt"),
    )
)
_TRANSCENDENTAL_FACTOR: Final = 8
#: Graphs whose structures are kept alive before those that the cache has dropped are let go.
_KEPT_STRUCTURES: Final = 1024


@dataclass(slots=True)
class GraphCost:
    """One graph: all recordings with the same operations.

    Attributes
    ----------
    name : str
        Of its computation, or `graph N` if it was only interpreted.
    operations : int
        Recorded operations.
    where : str
        The user's lines.
    runs : int
        How often it ran, `interpreted` of them operation by operation.
    seconds : float
        Of all runs.
    compilations : int
    compile_seconds : float
        Lowering and compiling, kernels of single operations not included.
    reasons : tuple of str
        Why it was compiled, each time: `new`, `scalars`, `outputs`.
    figures : mapping
        The engine's own, of its latest computation: `flops`, `bytes_accessed`, `temp_bytes`, ...
    """

    name: str
    operations: int
    where: str
    runs: int = 0
    interpreted: int = 0
    seconds: float = 0.0
    compilations: int = 0
    compile_seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class LineCost:
    """One line of the user's program.

    Attributes
    ----------
    line : str
    operations : int
        Recorded here and run.
    seconds : float
        Of running them: measured where operations are timed, else the line's share of its graphs' time by the bytes
        that its operations read and write; products, and functions such as `exp`, by their arithmetic.
    waits : int
        How often the program read a value here, or asked for work to be started or waited for.
    wait_seconds : float
        How long that took: what had to be compiled and run is included.
    text : str
        The source.
    """

    line: str
    operations: int = 0
    seconds: float = 0.0
    waits: int = 0
    wait_seconds: float = 0.0
    text: str = ""


@dataclass(slots=True)
class OperationCost:
    """One operation of one line, timed.

    Attributes
    ----------
    name : str
    type : str
        Of the result.
    line : str
    runs : int
    seconds : float
    """

    name: str
    type: str
    line: str
    runs: int = 0
    seconds: float = 0.0


class _Entry:
    """A graph with what is needed to go on adding to it."""

    __slots__ = ("codes", "cost", "lastis", "shares", "structure")

    def __init__(self, cost: GraphCost, structure: Structure | None) -> None:
        self.cost = cost
        self.structure = structure
        self.codes: list[Any] = []
        self.lastis: list[int] = []
        #: Operations and share of the time per line, for recordings made by these instructions.
        self.shares: list[tuple[str, int, float]] = []


class Costs:
    """Adds up what graphs, lines and operations cost. May be told from several threads at once.

    Parameters
    ----------
    lines
    measured
        Whether operations are timed, so that lines need no estimate.
    """

    def __init__(self, lines: Lines, *, measured: bool) -> None:
        self._lines = lines
        self._measured = measured
        self._entries: list[_Entry] = []
        self._by_structure: dict[int, _Entry] = {}
        self._by_line: dict[str, LineCost] = {}
        self._operations: dict[tuple[str, str, str], OperationCost] = {}
        self._lock = threading.RLock()

    def compiled(self, event: VariantCompiled) -> None:
        """Add a compilation."""
        with self._lock:
            cost = self._entry(event.structure, event.tape).cost
            cost.compilations += 1
            cost.compile_seconds += event.end - event.start
            cost.reasons += (event.reason,)
            cost.name = event.variant.executable.stages[0].computation.name if event.variant.executable.stages else ""

    def ran(self, event: RecordingRun, seconds: float) -> GraphCost | None:
        """Add a run; return its graph."""
        if event.structure is None:
            return None
        with self._lock:
            entry = self._entry(event.structure, event.tape)
            cost = entry.cost
            cost.runs += 1
            cost.interpreted += event.variant is None
            cost.seconds += seconds
            for line, operations, share in entry.shares:
                known = self._line(line)
                known.operations += operations
                if not self._measured:
                    known.seconds += share * seconds
            return cost

    def timed(self, event: OperationsRun) -> None:
        """Add timed operations."""
        tape = event.tape
        with self._lock:
            for position, start, end in event.times:
                signature = tape.records[position][0]
                line = self._lines.at(tape.codes[position], tape.lastis[position])
                key = signature.rule.name, repr(signature.type), line
                cost = self._operations.get(key)
                if cost is None:
                    cost = self._operations[key] = OperationCost(*key)
                cost.runs += 1
                cost.seconds += end - start
                self._line(line).seconds += end - start

    def waited(self, line: str, seconds: float) -> None:
        """Add a wait at a line."""
        with self._lock:
            cost = self._line(line)
            cost.waits += 1
            cost.wait_seconds += seconds

    def place(self, structure: Structure | None, tape: Tape) -> str:
        """Return the lines of a recording."""
        entry = None if structure is None else self._by_structure.get(id(structure))
        return where(self._lines.of(tape)) if entry is None else entry.cost.where

    def _line(self, line: str) -> LineCost:
        cost = self._by_line.get(line)
        if cost is None:
            cost = self._by_line[line] = LineCost(line)
        return cost

    def _entry(self, structure: Structure, tape: Tape) -> _Entry:
        """Return the entry of a structure, with the shares of this recording's lines."""
        entry = self._by_structure.get(id(structure))
        if entry is None:
            if len(self._by_structure) >= _KEPT_STRUCTURES:
                self._let_go()
            cost = GraphCost(f"graph {len(self._entries)}", len(tape.records), "")
            entry = self._by_structure[id(structure)] = _Entry(cost, structure)
            self._entries.append(entry)
        if entry.codes != tape.codes or entry.lastis != tape.lastis:
            entry.codes, entry.lastis = list(tape.codes), list(tape.lastis)
            lines = self._lines.of(tape)
            entry.shares = _shares(lines, tape.records)
            entry.cost.where = entry.cost.where or where(lines)
        return entry

    def _let_go(self) -> None:
        """Stop holding structures that the cache has dropped; their costs stay."""
        for key, entry in list(self._by_structure.items()):
            if entry.structure is None or entry.structure.evicted:
                entry.structure = None
                del self._by_structure[key]

    def graphs(self, backend: Backend) -> list[GraphCost]:
        """Return the graphs, the one that took longest first, with the engine's figures."""
        with self._lock:
            for entry in self._entries:
                if entry.structure is not None and entry.structure.variants:
                    entry.cost.figures = _figures(backend, entry.structure)
            return sorted((entry.cost for entry in self._entries), key=lambda cost: -cost.seconds)

    def lines(self) -> list[LineCost]:
        """Return the lines, those where most time was spent first."""
        with self._lock:
            for cost in self._by_line.values():
                cost.text = self._lines.text(cost.line)
            return sorted(self._by_line.values(), key=lambda cost: -max(cost.seconds, cost.wait_seconds))

    def operations(self) -> list[OperationCost]:
        """Return the timed operations, the most expensive first."""
        with self._lock:
            return sorted(self._operations.values(), key=lambda cost: -cost.seconds)


def _shares(lines: Sequence[str], records: Sequence[Record]) -> list[tuple[str, int, float]]:
    """Return the number of operations and the share of the bytes read and written, per line."""
    weights: Counter[str] = Counter()
    for line, record in zip(lines, records, strict=False):
        weights[line] += _weight(record[0])
    total = sum(weights.values()) or 1
    counts = Counter(lines)
    return [(line, counts[line], weight / total) for line, weight in weights.items()]


def _weight(signature: Signature) -> int:
    """Return about how many bytes an operation reads and writes, or could have in the time that it computes."""
    if signature.rule.inverse is not None:  # a view
        return 0
    operands = signature.operand_types
    moved = signature.type.nbytes + sum(type.nbytes for type in operands)
    if signature.rule.name in _TRANSCENDENTAL:
        return moved * _TRANSCENDENTAL_FACTOR
    if signature.rule.name not in _CONTRACTIONS or not signature.type.size:
        return moved
    contracted = math.isqrt(math.prod(type.size for type in operands) // signature.type.size)
    return max(moved, 2 * signature.type.size * contracted // _FLOPS_PER_BYTE)


def _figures(backend: Backend, structure: Structure) -> dict[str, float]:
    figures: Counter[str] = Counter()
    for stage in structure.variants[0].executable.stages:
        for name, value in stage.backend.computation_analysis(stage.computation).items():
            figures[name] += value  # type: ignore[assignment]
    return dict(figures)
