"""Why a recording was compiled: the computation in the cache that is most like it, and what is different first.

Works on what the cache has. It is done once per compilation, which takes a thousand times as long, and never on a hit.
"""

from __future__ import annotations

import heapq
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from latebind.errors import RecompilationWarning
from latebind.runtime.recording import user_frame

if TYPE_CHECKING:
    from latebind.ir.types import TensorType
    from latebind.runtime.cache import ComputationCache, Structure, Variant
    from latebind.runtime.events import CompileReason
    from latebind.runtime.signature import Signature
    from latebind.runtime.tape import Record, Scalar, Tape

logger = logging.getLogger("latebind.compilation")

#: Computations that a new one is compared with, the most recently used ones.
_COMPARED: Final = 64
#: Values are shown up to so many characters.
_SHOWN: Final = 60
#: Lines that are counted; a program that is generated could have any number.
_LINES: Final = 4096


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a computation was compiled.

    Attributes
    ----------
    name : str
        Of the computation.
    reason : str
        `new`: its operations were not seen before. `scalars`: a number of a known graph varies. `outputs`: which
        results of a known graph are in use, or which buffers it may overwrite, changed.
    line : str
        The user's line of what is different; of the first operation where nothing is like it. Empty if the settings
        switch lines off.
    operations : int
        Recorded operations.
    seconds : float
        Time of lowering and compiling.
    nearest : str
        Name of the computation that is most like it; empty if none is.
    nearest_line : str
        The user's line, in that one, of what is different.
    difference : str
        What is different first, in words; empty if nothing is like it.
    """

    name: str
    reason: CompileReason
    line: str
    operations: int
    seconds: float
    nearest: str
    nearest_line: str
    difference: str

    def __str__(self) -> str:
        size = f"{self.operations:,} operation{'s' if self.operations != 1 else ''}, {self.seconds * 1e3:.3g} ms"
        begin = f"{self.line or 'somewhere'}: {self.name} was compiled ({size})"
        if not self.nearest:
            return f"{begin}: no graph in the cache is like it"
        then = f" at {self.nearest_line}" if self.nearest_line and self.nearest_line != self.line else ""
        return f"{begin}: it is like {self.nearest}, but {self.difference}{then and f' (there{then})'}"


class Recompilations:
    """What one executor compiled, by the user's line; warns of a line that causes many compilations.

    Parameters
    ----------
    cache
        The executor's.
    allowed
        Compilations that one line may cause before there is a warning; `None` for any number.
    """

    def __init__(self, cache: ComputationCache, allowed: int | None = None) -> None:
        self._cache = cache
        self._allowed = allowed
        self._lines: Counter[str] = Counter()

    def wanted(self, watched: bool) -> bool:
        """Whether somebody wants to know why a computation was compiled."""
        return watched or self._allowed is not None or logger.isEnabledFor(logging.INFO)

    def note(
        self,
        tape: Tape,
        structure: Structure,
        variant: Variant,
        earlier: Sequence[Variant],
        reason: CompileReason,
        seconds: float,
    ) -> Cause:
        """Return why a recording was compiled just now, after telling the log, and warning if there is reason to."""
        try:
            nearest, nearest_line, position, difference = self._compare(tape, structure, variant, earlier, reason)
        except Exception:  # whatever is wrong with it, the program goes on
            logger.exception("why a graph was compiled could not be worked out")
            nearest, nearest_line, position, difference = "", "", 0, ""
        locate = structure.locate
        line = locate(position) if locate is not None else ""
        cause = Cause(_name_of(variant), reason, line, len(tape.records), seconds, nearest, nearest_line, difference)
        if logger.isEnabledFor(logging.INFO):
            logger.info("%s", cause, extra={"compilation": {name: getattr(cause, name) for name in Cause.__slots__}})
        if nearest and line:
            self._count(cause)
        return cause

    def _count(self, cause: Cause) -> None:
        if self._allowed is None or (cause.line not in self._lines and len(self._lines) >= _LINES):
            return
        self._lines[cause.line] += 1
        if self._lines[cause.line] == self._allowed + 1:
            warnings.warn(
                f"{cause.line} has caused {self._allowed + 1} compilations of graphs that differ a little, which may "
                f"cost more than it saves. The last one: {cause}. Keep shapes, dtypes and Python numbers that are "
                "arguments of functions the same from step to step, or pad to a few sizes; "
                "latebind.explain() lists all of them, tracing.recompilations sets when to warn",
                RecompilationWarning,
                stacklevel=_user_level(),
            )

    # Comparison

    def _compare(
        self, tape: Tape, structure: Structure, variant: Variant, earlier: Sequence[Variant], reason: CompileReason
    ) -> tuple[str, str, int, str]:
        """Return the nearest computation, the user's line there, and the position and the text of the difference."""
        if reason == "new":
            found = self._nearest(structure)
            if found is None:
                return "", "", 0, ""
            position, difference = _first_difference(structure, found, variant)
            there = min(position, len(found.records) - 1)
            return _name_of(found.variants[0]), found.locate(there) if found.locate else "", position, difference
        if reason == "scalars":
            before = min(earlier, key=lambda one: len(one.differing(tape.scalars)) or len(tape.scalars) + 1)
            return _name_of(before), "", *_scalar_difference(structure, before, tape.scalars)
        return _name_of(earlier[0]), "", *_use_difference(structure, earlier[0], variant)

    def _nearest(self, structure: Structure) -> Structure | None:
        """Return the structure that begins, and ends, most like this one; `None` if none has its first operation."""
        records = structure.records
        others = [one for one in self._cache.structures() if one.variants and one is not structure]
        best: Structure | None = None
        score = (0, 0)
        for other in heapq.nlargest(_COMPARED, others, key=attrgetter("last_used")):
            operations = _common(records, other.records, _same_rule)
            if operations < score[0] or not operations:
                continue
            length = len(other.records)
            if operations == len(records) == length:
                operations += 1  # the same operations in all
            found = operations, _common(records, other.records, _same_record)
            if found > score:
                best, score = other, found
        return best


def _common(a: Sequence[Record], b: Sequence[Record], same: Callable[[Record, Record], bool]) -> int:
    """Return the length of the common beginning."""
    count = 0
    for one, other in zip(a, b, strict=False):
        if not same(one, other):
            break
        count += 1
    return count


def _same_rule(a: Record, b: Record) -> bool:
    return a[0].rule is b[0].rule


def _same_record(a: Record, b: Record) -> bool:
    return a == b


def _first_difference(now: Structure, before: Structure, variant: Variant) -> tuple[int, str]:
    """Return the position and the text of the first difference between two lists of records."""
    new, old = now.records, before.records
    position = _common(new, old, _same_record)
    if position == len(new) == len(old):
        device, other = variant.executable.device, before.variants[0].executable.device
        if device != other:
            return 0, f"runs on {device} where that one runs on {other}"
        return 0, "belongs to a function given to compile(), or to none where that one does"
    if position == len(old):
        return position, f"goes on with {_name(new[position])} where that one ends, after {_operations(position)}"
    if position == len(new):
        return position - 1, f"ends after {_operations(position)} where that one goes on with {_name(old[position])}"
    return position, _record_difference(position, new[position], old[position])


def _record_difference(position: int, new: Record, old: Record) -> str:
    mine, theirs = new[0], old[0]
    if mine.rule is not theirs.rule:
        return f"operation {position} is {_name(new)} where it was {_name(old)}"
    return f"operation {position}, {_name(new)}, {next(_differences(position, new, old), 'differs')}"


def _differences(position: int, new: Record, old: Record) -> Iterator[str]:
    """Yield what differs between two records of one rule."""
    mine: Signature = new[0]
    theirs: Signature = old[0]
    for index, (now, before) in enumerate(zip(mine.operand_types, theirs.operand_types, strict=False)):
        if now is not before or mine.is_scalar[index] != theirs.is_scalar[index]:
            yield f"takes {_type(now, mine, index)} where it took {_type(before, theirs, index)} (operand {index})"
    if len(mine.operand_types) != len(theirs.operand_types):
        yield f"takes {len(mine.operand_types)} operands where it took {len(theirs.operand_types)}"
    for name in sorted(mine.keywords.keys() | theirs.keywords.keys()):
        has, had = mine.keywords.get(name, "absent"), theirs.keywords.get(name, "absent")
        if has != had:
            yield f"has {name}={_short(has)} where it had {name}={_short(had)}"
    if mine is not theirs and mine.type is not theirs.type:
        yield f"gives {_shown_type(mine.type)} where it gave {_shown_type(theirs.type)}"
    if (mine.low is None) != (theirs.low is None):
        kinds = "a Python float", "a Python int"
        yield f"takes {kinds[mine.low is not None]} where it took {kinds[theirs.low is not None]}"
    for index, (code, known) in enumerate(zip(new[1:], old[1:], strict=False)):
        if code != known:
            yield f"takes {_operand(position, code)} where it took {_operand(position, known)} (array operand {index})"
    if mine is not theirs:
        yield "takes numbers of other kinds"


def _scalar_difference(structure: Structure, before: Variant, scalars: Sequence[Scalar]) -> tuple[int, str]:
    varying = sorted(before.differing(scalars))
    if not varying:
        return 0, "its numbers are parameters from now on, because they vary"
    position, name = _operation_of_scalar(structure.records, varying[0])
    was = before.constant(varying[0])
    rest = f", and {len(varying) - 1} more" if len(varying) > 1 else ""
    return position, (
        f"a number that {name} takes is {_short(scalars[varying[0]])} where it was {_short(was)}{rest}; "
        "it is a parameter from now on: further values compile nothing"
    )


def _operation_of_scalar(records: Sequence[Record], index: int) -> tuple[int, str]:
    seen = 0
    for position, record in enumerate(records):
        seen += record[0].scalar_count
        if index < seen:
            return position, _name(record)
    raise IndexError(f"there is no scalar {index} in this recording")


def _use_difference(structure: Structure, before: Variant, now: Variant) -> tuple[int, str]:
    for position in sorted(set(now.outputs) ^ set(before.outputs)):
        name = _name(structure.records[position])
        if position in now.output_set:
            return position, f"the result of operation {position}, {name}, is in use after it, where nothing used it"
        return position, f"nothing uses the result of operation {position}, {name}, any more"
    last = len(structure.records) - 1
    for leaf in sorted(now.donated ^ before.donated):
        if leaf in now.donated:
            return last, f"nothing else uses array argument {leaf} any more, so that its memory can be overwritten"
        return last, f"array argument {leaf} is still in use after it, so that its memory cannot be overwritten"
    return last, "a number of it is another one, and numbers stay constants (deterministic, or two of them varied)"


def _name_of(variant: Variant) -> str:
    stages = variant.executable.stages
    return str(stages[0].computation.name) if stages else "a graph without operations"


def _operations(count: int) -> str:
    return f"{count:,} operation{'s' if count != 1 else ''}"


def _name(record: Record) -> str:
    return str(record[0].rule.name)


def _type(type: TensorType, signature: Signature, index: int) -> str:
    return f"a number, as {type.dtype.name}" if signature.is_scalar[index] else _shown_type(type)


def _shown_type(type: TensorType) -> str:
    return f"{type.dtype.name}[{', '.join(map(str, type.shape))}]"


def _operand(position: int, code: int) -> str:
    return f"array argument {-1 - code}" if code < 0 else f"the result of operation {position - code}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _user_level() -> int:
    """Return the `stacklevel` with which the caller's warning names the user's line."""
    frame, wanted, level = sys._getframe(1), user_frame(2), 1
    while frame is not wanted and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    return level
