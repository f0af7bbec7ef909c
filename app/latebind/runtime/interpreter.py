"""Running a recording operation by operation: for graphs too new to be worth compiling, and after a failure.

Each signature has a kernel: the computation of that one operation, compiled once by the backend, its scalars
parameters. Errors do not escape: what depends on a failed operation gets its error, the rest its value.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latebind.backends.interface import BackendData, BackendDevice
from latebind.errors import ExecutionError, LatebindError, failure_of
from latebind.runtime.host_interpreter import run_on_host
from latebind.runtime.liveness import unreferenced
from latebind.runtime.signature import DONATION_BYTES

if TYPE_CHECKING:
    from latebind.runtime.compiler import Compiler
    from latebind.runtime.tape import Record, Scalar


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Runs recordings without lowering them as a whole.

    Attributes
    ----------
    compiler : Compiler
    device : BackendDevice
    records, scalars
        The recording.
    line : callable
        From a position to the user's line.
    """

    compiler: Compiler
    device: BackendDevice
    records: Sequence[Record]
    scalars: Sequence[Scalar]
    line: Callable[[int], str]

    def run(
        self, outputs: Collection[int], leaves: dict[int, BackendData], donatable: Collection[int] = ()
    ) -> dict[int, BackendData]:
        """Return the data of each output; failed ones have their error set.

        Parameters
        ----------
        outputs
            Positions of the wanted results.
        leaves
            Data per leaf; emptied as leaves are used up.
        donatable
            Leaves that nothing else holds.
        """
        if self.compiler.backend.direct:
            return run_on_host(self, outputs, leaves, donatable)
        last_uses, needed = self.last_uses(outputs)
        kept = {-1 - leaf for leaf in leaves if leaf not in donatable}
        values: dict[int, BackendData] = {-1 - leaf: data for leaf, data in leaves.items()}
        leaves.clear()
        next_scalar = 0
        for position, entry in enumerate(self.records):
            signature = entry[0]
            first, next_scalar = next_scalar, next_scalar + signature.scalar_count
            if not needed[position]:
                continue
            keys = [position - code if code > 0 else code for code in entry[1:]]
            operands = [values[key] for key in keys]
            dying = [key for key in last_uses.get(position, ()) if key not in kept]
            for key in dying:
                del values[key]
            values[position] = self.run_one(
                position, operands, self.scalars[first:next_scalar], [key in dying for key in keys] if dying else []
            )
            operands.clear()
        return {position: values[position] for position in outputs}

    def last_uses(self, outputs: Collection[int]) -> tuple[dict[int, list[int]], bytearray]:
        """Return which values each record uses last, and which records are needed at all."""
        needed = bytearray(len(self.records))
        seen: set[int] = set(outputs)
        for position in outputs:
            needed[position] = 1
        last_uses: dict[int, list[int]] = {}
        for position in range(max(outputs, default=-1), -1, -1):
            if not needed[position]:
                continue
            for code in self.records[position][1:]:
                key = position - code if code > 0 else code
                if code > 0:
                    needed[key] = 1
                if key not in seen:
                    seen.add(key)
                    last_uses.setdefault(position, []).append(key)
        return last_uses, needed

    def run_one(
        self, position: int, operands: list[BackendData], scalars: Sequence[Scalar], dying: Sequence[bool]
    ) -> BackendData:
        """Run one operation by its kernel; the result has its error set if that failed."""
        backend = self.compiler.backend
        try:
            # A loop variable would be one more reference to the last operand, which could then not be overwritten.
            errors = [operand.error for operand in operands if operand.error is not None]
            if errors:
                return self.failed(position, errors[0])
            signature = self.records[position][0]
            donated = self._overwritable(operands, dying) if dying and signature.has_large_operand else ()
            executable = self.compiler.kernel(self.device, signature, donated)
            return executable.run(backend, executable.arguments(backend, operands, scalars))[0]
        except Exception as error:
            return self.failed(position, self._explain(position, error))

    def _overwritable(self, operands: list[BackendData], dying: Sequence[bool]) -> tuple[int, ...]:
        return tuple(
            index
            for index, (alone, dies) in enumerate(zip(unreferenced(operands), dying, strict=True))
            if alone
            and dies
            and operands[index].type.nbytes >= DONATION_BYTES
            and self.compiler.backend.can_donate(operands[index])
        )

    def _explain(self, position: int, error: Exception) -> Exception:
        where = self.line(position)
        if isinstance(error, LatebindError) and not isinstance(error, ExecutionError):
            if not where:
                return error
            located = type(error)(f"{where}: {self.records[position][0].rule.name}: {error}")
            located.__cause__ = error
            for note in getattr(error, "__notes__", ()):
                located.add_note(note)
            return located
        failed = failure_of(
            f"{where + ': ' if where else ''}{self.records[position][0].rule.name} failed on backend "
            f"{self.compiler.backend.name!r}: {reason(error)}",
            error,
            origin=position,
        )
        failed.__cause__ = error
        return failed

    def failed(self, position: int, error: BaseException) -> BackendData:
        """Return the result of a record that could not be computed."""
        data = BackendData(self.records[position][0].type, self.device)
        data.error = detached(error)
        return data


def detached(error: BaseException) -> BaseException:
    """Return the error without its tracebacks, which would keep the frames and arrays of the reader alive."""
    chain: list[BaseException | None] = [error]
    seen: set[int] = set()
    while chain:
        link = chain.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        if link.__traceback__ is not None and not isinstance(link, LatebindError):
            link.add_note("".join(traceback.format_tb(link.__traceback__)))
        link.__traceback__ = None
        chain += link.__cause__, link.__context__
    return error


def reason(error: BaseException) -> str:
    """Return what an engine's error says, with its type unless it is one of ours."""
    text = str(error)
    if isinstance(error, LatebindError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
