"""A recording as it is at one moment, taken down without closing, running or changing it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from types import CodeType

from latebind.backends.interface import BackendDevice
from latebind.errors import ContainerMismatchError, DeviceMismatchError
from latebind.ir.source import SourceLine, locate
from latebind.ir.types import TensorType
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.signature import INDEX, OperandKey
from latebind.runtime.tape import Ground, Record, Scalar, Tape


@dataclass(frozen=True, slots=True)
class Recorded:
    """Records, and which of them are asked for; holds types, no data.

    Attributes
    ----------
    records, scalars
        As on the tape.
    lines : sequence
        Code object and `f_lasti` of each record; `None` where a record has no line of its own.
    leaf_types : tuple of TensorType
    results : tuple of int
        What is asked for: positions of records, or `-1 - leaf` for a value that is there already.
    promoted : frozenset of int
        Scalars that are parameters.
    device : BackendDevice
    """

    records: Sequence[Record]
    scalars: Sequence[Scalar]
    lines: Sequence[tuple[CodeType, int] | None]
    leaf_types: tuple[TensorType, ...]
    results: tuple[int, ...]
    promoted: frozenset[int]
    device: BackendDevice

    @property
    def outputs(self) -> tuple[int, ...]:
        """Positions of the results that are not there yet, each once."""
        return tuple(dict.fromkeys(result for result in self.results if result >= 0))

    def line(self, position: int) -> SourceLine | None:
        """Return the user's line of a record."""
        known = self.lines[position] if 0 <= position < len(self.lines) else None
        return None if known is None else locate(*known)

    def locator(self) -> Callable[[int], str]:
        """Return a function from a position to `"file.py:12"`; an empty string where there is no line."""
        known: dict[tuple[CodeType, int], str] = {}

        def text(position: int) -> str:
            where = self.lines[position] if 0 <= position < len(self.lines) else None
            if where is None:
                return ""
            found = known.get(where)
            if found is None:
                found = known[where] = str(locate(*where))
            return found

        return text

    @classmethod
    def of_tape(cls, tape: Tape, results: Collection[int], promoted: Collection[int] = ()) -> Recorded:
        """Take down a closed recording; its leaves may be gone already."""
        parts = _Parts()
        parts.add(tape)
        return parts.recorded(results, tape.ground, promoted)


class _Parts:
    """Puts together recordings of one executor and device: those of several threads, and the replay of stale views."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.scalars: list[Scalar] = []
        self.lines: list[tuple[CodeType, int] | None] = []
        self.leaf_types: list[TensorType] = []
        self.leaf_of: dict[int, int] = {}
        #: Of each tape: where its records start, and how many there are.
        self.tapes: dict[int, tuple[int, int]] = {}
        #: What is known by identity has to live as long.
        self._held: list[object] = []

    def add(self, tape: Tape) -> None:
        """Append a tape's complete records; a thread may be recording on it."""
        length = tape.complete_length()
        records, codes, lastis = tape.records[:length], tape.codes[:length], tape.lastis[:length]
        count = sum(record[0].scalar_count for record in records)
        first = len(self.leaf_types)
        self.tapes[id(tape)] = len(self.records), length
        self.records += _with_leaves_from(records, first)
        self.scalars += [_plain(scalar) for scalar in tape.scalars[:count]]
        wanted = tape.ground.executor.options.source_lines
        self.lines += zip(codes, lastis, strict=True) if wanted else [None] * length
        self.leaf_types += _leaf_types(records)
        leaves = list(tape.leaves)[: len(self.leaf_types) - first]
        self._held += [tape, leaves]
        for index, data in enumerate(leaves):
            self.leaf_of.setdefault(id(data), first + index)

    def place(self, array: LazyTensor) -> int:
        """Return where an array's value is: a position, or `-1 - leaf`."""
        link = array._link
        if link is not None and link.version != link.base._version:
            return self._replay(array)
        while True:
            tape = array._tape
            if isinstance(tape, Tape):
                position = array._pos
                if id(tape) not in self.tapes or position >= self.tapes[id(tape)][1]:
                    self.add(tape)
                if array._tape is tape and array._pos == position:
                    return self.tapes[id(tape)][0] + position
                continue  # its thread computed it, or wrote to it, meanwhile
            try:
                data = array._data
            except AttributeError:
                continue
            leaf = self.leaf_of.get(id(data))
            if leaf is None:
                self._held.append(data)
                leaf = self.leaf_of[id(data)] = len(self.leaf_types)
                self.leaf_types.append(array._type)
            return -1 - leaf

    def _replay(self, view: LazyTensor) -> int:
        """Append what using a view would record whose base was written to since."""
        link = view._link
        assert link is not None
        place, type = self.place(link.base), link.base._type
        for step in link.steps:
            places = [place, *(self.place(operand) for operand in step.operands)]
            keys: tuple[OperandKey, ...] = (
                type,
                *(operand._type for operand in step.operands),
                *(INDEX for _ in step.scalars),
            )
            signature = step.rule.signature(keys, step.attributes)
            position = len(self.records)
            self.records.append((signature, *(position - each if each >= 0 else each for each in places)))
            self.scalars += step.scalars
            self.lines.append(None)
            place, type = position, signature.type
        return place

    def recorded(self, results: Iterable[int], ground: Ground, promoted: Collection[int] = ()) -> Recorded:
        return Recorded(
            self.records,
            self.scalars,
            self.lines,
            tuple(self.leaf_types),
            tuple(results),
            frozenset(promoted),
            ground.device,
        )


def record_of(arrays: Sequence[LazyTensor]) -> Recorded:
    """Take down what these arrays are computed from.

    Raises
    ------
    ContainerMismatchError, DeviceMismatchError
        If they do not belong together, so that no computation could have them all.
    """
    ground = arrays[0]._tape.ground
    for array in arrays:
        other = array._tape.ground
        if other.executor is not ground.executor:
            raise ContainerMismatchError(
                f"one array belongs to {ground!r} and another to {other!r}: ask for a graph of each"
            )
        if other is not ground:
            raise DeviceMismatchError(
                f"one array is on {ground.device} and another on {other.device}: ask for a graph of each"
            )
    parts = _Parts()
    for array in arrays:
        tape = array._tape
        if isinstance(tape, Tape) and id(tape) not in parts.tapes:
            parts.add(tape)
    return parts.recorded([parts.place(array) for array in arrays], ground)


def _plain(scalar: Scalar | ScalarArgument) -> Scalar:
    """Return the number, also of a captured function's argument, which must not count as read."""
    return scalar.value if isinstance(scalar, ScalarArgument) else scalar


def _with_leaves_from(records: list[Record], first: int) -> list[Record]:
    """Return records whose leaves count from `first`."""
    if not first:
        return records
    return [(record[0], *(code - first if code < 0 else code for code in record[1:])) for record in records]


def _leaf_types(records: Sequence[Record]) -> list[TensorType]:
    """Return the type of each leaf, as the records use it."""
    found: dict[int, TensorType] = {}
    for record in records:
        signature = record[0]
        arrays = (type for type, scalar in zip(signature.operand_types, signature.is_scalar, strict=True) if not scalar)
        for code, type in zip(record[1:], arrays, strict=True):
            if code < 0:
                found[-1 - code] = type
    # A number that no record uses belongs to an operation that was interrupted; its type is of no account.
    unused = next(iter(found.values()), None)
    return [found.get(leaf) or unused for leaf in range(max(found, default=-1) + 1)]  # type: ignore[misc]
