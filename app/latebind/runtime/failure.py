"""What happens after a computation failed: run it by operations, and poison only what depends on the failure."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from latebind.backends.interface import BackendData, BackendDevice
from latebind.errors import DonatedDataError, OutOfBoundsError
from latebind.runtime.interpreter import Interpreter, detached, reason
from latebind.runtime.tape import PASSED

if TYPE_CHECKING:
    from latebind.runtime.cache import Variant
    from latebind.runtime.compiler import Compiler
    from latebind.runtime.tape import Record, Scalar


#: Position of the flag, position of the checked operation, and the message of an offending value.
PositionedCheck: TypeAlias = tuple[int, int, Callable[[int], str]]


@dataclass(frozen=True, slots=True)
class Isolation:
    """A recording, kept for the case that its computation fails.

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

    def recover(
        self, variant: Variant, arguments: Sequence[BackendData], error: Exception, *, overwritten: bool = True
    ) -> list[BackendData]:
        """Return the results, those that depend on what failed with their error set.

        Parameters
        ----------
        variant
            The computation that failed.
        arguments
            Its arguments.
        error
            What it raised.
        overwritten
            Whether it had started, so that the arguments that it was allowed to overwrite are gone.
        """
        executable = variant.executable
        leaves: dict[int, BackendData] = {}
        for leaf, argument in zip(executable.leaves, arguments, strict=False):
            if overwritten and leaf in executable.donated:
                gone = DonatedDataError(
                    f"{self._describe(error)}. The array's old value is gone: its buffer was given to the "
                    "computation that failed, to be overwritten"
                )
                leaves[leaf] = BackendData(argument.type, self.device)
                leaves[leaf].error = gone
            else:
                leaves[leaf] = argument
        values = self.interpreter().run(variant.outputs, leaves)
        return [values[position] for position in variant.outputs]

    def interpreter(self) -> Interpreter:
        """Return what runs the recording operation by operation."""
        return Interpreter(self.compiler, self.device, self.records, self.scalars, self.line)

    def apply_checks(
        self, checks: Sequence[PositionedCheck], outputs: Sequence[int], results: Sequence[BackendData]
    ) -> None:
        """Poison the results that depend on an operation whose check failed."""
        for flag, position, describe in checks:
            data = results[outputs.index(flag)]
            if data.error is not None:
                continue
            value = int(self.compiler.backend.make_tensor_from_computation_data(data))
            if value == PASSED:
                continue
            where = self.line(position)
            error = OutOfBoundsError(f"{where + ': ' if where else ''}{describe(value)}")
            dependent = self._dependents(position)
            for index, output in enumerate(outputs):
                if output in dependent and results[index].error is None:
                    results[index].error = detached(error)

    def _dependents(self, position: int) -> set[int]:
        found = {position}
        for later in range(position + 1, len(self.records)):
            if any(code > 0 and later - code in found for code in self.records[later][1:]):
                found.add(later)
        return found

    def _describe(self, error: BaseException) -> str:
        origin = getattr(error, "origin", -1)
        if not isinstance(origin, int) or not 0 <= origin < len(self.records):
            return f"a computation failed: {reason(error)}"
        where = self.line(origin)
        return f"{where + ': ' if where else ''}{self.records[origin][0].rule.name} failed: {reason(error)}"


class Guard:
    """Stands in the results of a computation that runs on asynchronously until somebody needs one of them.

    Then its flags are read, and what depends on an operation whose check failed is poisoned. It takes the place of the
    event that readers of a placeholder wait for (`BackendData.wait`).
    """

    __slots__ = ("_isolation", "_lock", "_pending")

    def __init__(
        self,
        isolation: Isolation,
        checks: Sequence[PositionedCheck],
        outputs: Sequence[int],
        results: Sequence[BackendData],
    ) -> None:
        flags = {flag for flag, _, _ in checks}
        kept = [
            data if position in flags else weakref.ref(data) for position, data in zip(outputs, results, strict=True)
        ]
        self._isolation = isolation
        self._pending: tuple[Sequence[PositionedCheck], Sequence[int], list[Any]] | None = (checks, outputs, kept)
        self._lock = threading.RLock()  # a finaliser may read a result while its flags are read
        for data in results:
            data._ready = self

    def is_set(self) -> bool:
        """Whether the flags were read."""
        return self._pending is None

    def set(self) -> None:
        """Do nothing: a result that has a guard has its value."""

    def wait(self) -> None:
        """Read the flags."""
        with self._lock:
            if self._pending is None:
                return
            checks, outputs, kept = self._pending
            gone = BackendData(self._isolation.records[0][0].type, self._isolation.device)
            results = [(item() or gone) if isinstance(item, weakref.ref) else item for item in kept]
            # The flags themselves are read below; everybody else waits until the errors are set.
            for flag, _, _ in checks:
                results[outputs.index(flag)]._ready = None
            self._isolation.apply_checks(checks, outputs, results)
            self._pending = None
            for data in results:
                data._ready = None
