"""`FailingBackend`: fails at a chosen call, for tests of what an application does when a computation fails."""

from __future__ import annotations

import copy as copying
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, get_args

from latebind.backends.interface import Backend, BackendData, BackendDevice, Computation, HostArray
from latebind.errors import LoweringError
from latebind.ir.node import Node, Value
from latebind.ir.types import TensorType
from latebind.testing.delegating import DelegatingBackend, DelegatingLoweringContext, Watched
from latebind.testing.operation_names import known_operation

Call: TypeAlias = Literal["lower", "compile", "execute", "transfer_to_device", "transfer_from_device"]

_CALLS: Final = get_args(Call)
_TRANSFERS: Final = ("transfer_to_device", "transfer_from_device")


class FailingBackend(DelegatingBackend):
    """Hands everything to another backend, and fails at chosen calls. May be used from several threads.

    Parameters
    ----------
    backend
        The backend that does the work.
    fail_on
        Which calls fail: `"lower"` (of one operation), `"compile"`, `"execute"` (of a computation),
        `"transfer_to_device"` or `"transfer_from_device"` (of an array).
    operation
        Only calls for this operation count, or for computations that contain it: `"stablehlo::add"` or `"add"`.
    at
        The first of the calls that count to fail, from 1.
    times
        How many calls fail from then on; by default all. After a failure latebind runs the recording again operation
        by operation, so what fails once only is recovered from, and does not reach the user.
    error
        What to raise, an exception or its class; by default what an engine might, a `RuntimeError`.

    Attributes
    ----------
    calls, failures : int
        How many calls counted, and how many of them failed.

    Raises
    ------
    ValueError
        If there is no such call or operation, or if an operation is given for a transfer.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        fail_on: Call,
        operation: str | None = None,
        at: int = 1,
        times: int | None = None,
        error: Exception | type[Exception] | None = None,
    ) -> None:
        if fail_on not in _CALLS:
            raise ValueError(f"fail_on is {fail_on!r}, but has to be one of {', '.join(map(repr, _CALLS))}")
        if operation is not None and fail_on in _TRANSFERS:
            raise ValueError(f"a transfer belongs to no operation: leave operation={operation!r} out")
        self.calls = 0
        self.failures = 0
        self._fail_on = fail_on
        self._operation = known_operation(operation) if operation is not None else None
        self._first, self._last = at, float("inf") if times is None else at + times - 1
        self._error = error
        self._lock = threading.Lock()
        self._watched = Watched()
        super().__init__(backend)

    def check(self, call: Call, operations: Collection[str] = ()) -> None:
        """Count a call, and raise if it is to fail."""
        if call != self._fail_on or (self._operation is not None and self._operation not in operations):
            return
        with self._lock:
            self.calls += 1
            number = self.calls
            if not self._first <= number <= self._last:
                return
            self.failures += 1
        raise self._make_error(f"FailingBackend was told to fail on {call}, call {number}")

    def _make_error(self, message: str) -> Exception:
        if isinstance(self._error, Exception):
            return copying.copy(self._error)
        if self._error is not None:
            return self._error(message)
        return LoweringError(message) if self._fail_on == "lower" else RuntimeError(message)

    # The calls

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> _FailingLoweringContext:
        context = _FailingLoweringContext(self, self.wrapped.create_lowering_context(name, device, (), emission_map))
        for node in post_order:
            context.lower(node)
        return context

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        for computation in computations:
            self.check("compile", self._watched.of(computation) or ())
        compiled = super().compile(computations)
        for computation, result in zip(computations, compiled, strict=True):
            self._watched.note(result, self._watched.of(computation))
        return compiled

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        self.check("execute", self._watched.of(computation) or ())
        return super().execute_computation(computation, arguments, device)

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        self.check("transfer_to_device")
        return super().make_computation_data_from_tensor(tensor, type, device, copy=copy)

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        self.check("transfer_from_device")
        return super().make_tensor_from_computation_data(data)


class _FailingLoweringContext(DelegatingLoweringContext):
    def __init__(self, backend: FailingBackend, context: Any) -> None:
        super().__init__(context)
        self._backend = backend

    def lower(self, node: Node) -> None:
        self._backend.check("lower", (node.kind.qualified,))
        super().lower(node)

    def build(self) -> Computation:
        computation = super().build()
        self._backend._watched.note(computation, tuple(node.kind.qualified for node in self.nodes))
        return computation
