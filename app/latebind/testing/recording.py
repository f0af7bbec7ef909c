"""`RecordingBackend`: notes what reaches a backend, for tests that say what has to be lowered, compiled and run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy.typing as npt

from latebind.backends.interface import Backend, BackendData, BackendDevice, Computation, HostArray, Scalar
from latebind.ir.node import Node, Value, types_of
from latebind.ir.types import TensorType
from latebind.testing.delegating import DelegatingBackend, DelegatingLoweringContext, Watched
from latebind.testing.operation_names import known_operation

Action: TypeAlias = Literal["lowered", "compiled", "executed", "to device", "scalar to device", "to host"]

#: Events that a failure message prints at most, the newest.
MAX_PRINTED: Final = 40


@dataclass(frozen=True, slots=True)
class Event:
    """One call that reached the backend.

    Attributes
    ----------
    action : str
        `"lowered"`, `"compiled"`, `"executed"`, `"to device"` (a host array), `"scalar to device"` or `"to host"`.
    operations : tuple of str
        Qualified names: the operation that was lowered, or all those of the computation.
    operands, results : tuple of TensorType
        Of the operation or the computation; of what was transferred, `results`.
    donated : tuple of int
        Parameters that the computation may overwrite.
    computation : str
        Name of the computation; empty for transfers.
    """

    action: Action
    operations: tuple[str, ...] = ()
    operands: tuple[TensorType, ...] = ()
    results: tuple[TensorType, ...] = ()
    donated: tuple[int, ...] = ()
    computation: str = ""

    def __str__(self) -> str:
        types = ", ".join(map(repr, self.results))
        if not self.computation:
            return f"{self.action:<9} {types}"
        what = self.operations[0] if self.action == "lowered" else _abbreviated(self.operations)
        donated = f", may overwrite {', '.join(f'parameter {index}' for index in self.donated)}" if self.donated else ""
        operands = ", ".join(map(repr, self.operands))
        return f"{self.action:<9} {what} ({operands}) -> {types}  [{self.computation}{donated}]"


class RecordingBackend(DelegatingBackend):
    """Hands everything to another backend and notes it. All methods may be called from several threads.

    Parameters
    ----------
    backend
        The backend that does the work.
    interpretations
        Overrides the wrapped backend's: with 0 each graph is compiled as a whole when it is first seen, so that counts
        do not depend on how new it is.

    Attributes
    ----------
    events : tuple of Event
        What was noted, oldest first.
    """

    def __init__(self, backend: Backend, *, interpretations: int | None = None) -> None:
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self._watched = Watched()
        super().__init__(backend)
        if interpretations is not None:
            self.interpretations = interpretations

    # What was recorded

    @property
    def events(self) -> tuple[Event, ...]:
        with self._lock:
            return tuple(self._events)

    @property
    def lowered(self) -> list[str]:
        """Qualified names of the operations that were lowered, in order."""
        return [event.operations[0] for event in self._of("lowered", 0)]

    def mark(self) -> int:
        """Return the number of events so far, for `since=` of the assertions."""
        with self._lock:
            return len(self._events)

    def clear(self) -> None:
        """Forget what was recorded. Marks taken before are of no use afterwards."""
        with self._lock:
            self._events.clear()

    # Assertions. `since` leaves out what came before a mark.

    def assert_lowered(
        self,
        operation: str,
        *,
        times: int | None = None,
        shape: tuple[int, ...] | None = None,
        dtype: npt.DTypeLike | None = None,
        since: int = 0,
    ) -> None:
        """Assert that an operation was lowered: at least once, or exactly so many times.

        Parameters
        ----------
        operation
            `"stablehlo::add"`, or `"add"`.
        times
        shape, dtype
            Of its first result; by default any.
        """
        wanted = known_operation(operation)
        found = [
            event
            for event in self._of("lowered", since)
            if event.operations == (wanted,)
            and (shape is None or event.results[0].shape == shape)
            and (dtype is None or event.results[0].dtype == dtype)
        ]
        kind = "".join([f" of shape {shape}" if shape is not None else "", f" and dtype {dtype}" if dtype else ""])
        self._check(f"{wanted}{kind} to be lowered", len(found), times, since)

    def assert_not_lowered(self, operation: str, *, since: int = 0) -> None:
        """Assert that an operation was not lowered."""
        self.assert_lowered(operation, times=0, since=since)

    def assert_compiled(self, *, times: int | None = None, operation: str | None = None, since: int = 0) -> None:
        """Assert that computations were compiled, all or those that contain an operation."""
        self._check_computations("compiled", times, operation, since)

    def assert_nothing_compiled_since(self, mark: int) -> None:
        """Assert that what ran since a mark was in the cache."""
        self._check_computations("compiled", 0, None, mark)

    def assert_executed(self, *, times: int | None = None, operation: str | None = None, since: int = 0) -> None:
        """Assert that computations ran, all or those that contain an operation."""
        self._check_computations("executed", times, operation, since)

    def assert_nothing_executed(self, *, since: int = 0) -> None:
        """Assert that nothing ran: everything is still recorded only."""
        self._check_computations("executed", 0, None, since)

    def assert_no_transfer_to_host(self, *, since: int = 0) -> None:
        """Assert that no value was read."""
        self._check("values to be read", len(self._of("to host", since)), 0, since)

    def assert_no_transfer_to_device(self, *, since: int = 0) -> None:
        """Assert that no host array was put on a device; scalars that are arguments of a computation do not count."""
        self._check("host arrays to be put on a device", len(self._of("to device", since)), 0, since)

    def assert_donated(self, *, times: int | None = None, shape: tuple[int, ...] | None = None, since: int = 0) -> None:
        """Assert that computations ran that were allowed to overwrite arguments.

        Parameters
        ----------
        times
            Number of arguments, over all runs; by default any number but 0.
        shape
            Of the arguments that count; by default any.
        """
        found = sum(
            shape is None or event.operands[index].shape == shape
            for event in self._of("executed", since)
            for index in event.donated
        )
        self._check("arguments to be donated", found, times, since)

    def _check_computations(self, action: Action, times: int | None, operation: str | None, since: int) -> None:
        wanted = known_operation(operation) if operation is not None else None
        found = [event for event in self._of(action, since) if wanted is None or wanted in event.operations]
        subject = f"computations with {wanted}" if wanted else "computations"
        self._check(f"{subject} to be {action}", len(found), times, since)

    def _check(self, what: str, found: int, times: int | None, since: int) -> None:
        if found == times or (times is None and found):
            return
        wanted = "at least once" if times is None else _count(times)
        raise AssertionError(f"expected {what} {wanted}; found: {_count(found)}\n{self._printed(since)}")

    def _of(self, action: Action, since: int) -> list[Event]:
        return [event for event in self.events[since:] if event.action == action]

    def _printed(self, since: int) -> str:
        events = self.events
        start = max(since, len(events) - MAX_PRINTED)
        left_out = f", {start - since} older ones left out" if start > since else ""
        head = f"recorded since mark {since}{left_out}:" if since else f"recorded{left_out}:"
        return "\n".join([head, *(f"  {index:>3} {events[index]}" for index in range(start, len(events)))])

    # What is noted

    def _note(self, event: Event) -> None:
        with self._lock:
            self._events.append(event)

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> _RecordingLoweringContext:
        context = _RecordingLoweringContext(self, self.wrapped.create_lowering_context(name, device, (), emission_map))
        for node in post_order:
            context.lower(node)
        return context

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        compiled = super().compile(computations)
        for computation, result in zip(computations, compiled, strict=True):
            operations, donated = self._watched.of(computation) or ((), ())
            self._watched.note(result, (operations, donated))
            self._note(self._event("compiled", result))
        return compiled

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        self._note(self._event("executed", computation))
        return super().execute_computation(computation, arguments, device)

    def _event(self, action: Action, computation: Computation) -> Event:
        operations, donated = self._watched.of(computation) or ((), ())
        return Event(
            action, operations, computation.parameter_types, computation.result_types, donated, computation.name
        )

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        self._note(Event("to device", results=(type,)))
        return super().make_computation_data_from_tensor(tensor, type, device, copy=copy)

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        self._note(Event("scalar to device", results=(type,)))
        return super().make_computation_data_from_scalar(scalar, type, device)

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        self._note(Event("to host", results=(data.type,)))
        return super().make_tensor_from_computation_data(data)


class _RecordingLoweringContext(DelegatingLoweringContext):
    def __init__(self, backend: RecordingBackend, context: Any) -> None:
        super().__init__(context)
        self._backend = backend

    def lower(self, node: Node) -> None:
        known = len(self.nodes)
        super().lower(node)
        if len(self.nodes) > known:
            self._backend._note(
                Event("lowered", (node.kind.qualified,), types_of(node.operands), node.types, computation=self.name)
            )

    def build(self) -> Computation:
        computation = super().build()
        operations = tuple(node.kind.qualified for node in self.nodes)
        self._backend._watched.note(computation, (operations, tuple(sorted(self.donated))))
        return computation


def _count(times: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times")


def _abbreviated(operations: Sequence[str]) -> str:
    """Return names without those of what only prepares operands; the first few."""
    names = [name.partition("::")[2] for name in operations if name != "stablehlo::constant"]
    return f"{' '.join(names[:6])}{' ...' if len(names) > 6 else ''}"
