"""The requests that wait for one program, and the batches that its workers take."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from latebind.services.serving.buckets import bucket_for, buckets_of
from latebind.services.serving.errors import InvalidRequestError, OverloadedError, ServingError
from latebind.services.serving.framing import Header, bytes_of
from latebind.services.serving.program import is_batched, specs_of
from latebind.services.serving.settings import ProgramSettings
from latebind.services.serving.types import DATATYPES, InferRequest, InferResult

#: What two requests have to have in common to be put together: the extents beside the first one.
Key: TypeAlias = tuple[tuple[int, ...], ...]

_NEVER: Final = float("inf")
#: Batches for which the queue remembers how many requests were on their way.
_REMEMBERED: Final = 16


@dataclass(slots=True, eq=False)
class Waiting:
    """A request on its way through the queue and a worker.

    Attributes
    ----------
    request, rows, key
    arrived, started : float
        On the event loop's clock.
    result : asyncio.Future of InferResult
    alone : bool
        Whether it is tried for the second time, by itself.
    """

    request: InferRequest
    rows: int
    key: Key
    arrived: float
    result: asyncio.Future[InferResult]
    started: float = 0.0
    alone: bool = False

    def fail(self, error: ServingError) -> None:
        """End it with an error, unless it has ended."""
        if not self.result.done():
            self.result.set_exception(error)


@dataclass(slots=True)
class Batch:
    """Requests that one run of the program answers."""

    requests: list[Waiting]
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = sum(each.rows for each in self.requests)

    def fail(self, error: Callable[[], ServingError]) -> None:
        """End its requests with an error each."""
        for each in self.requests:
            each.fail(error())


class BatchLayout:
    """How a program's requests become one message to a worker, and the answer their results.

    Parameters
    ----------
    program
    """

    def __init__(self, program: ProgramSettings) -> None:
        self.inputs = specs_of(program.inputs)
        self.outputs = specs_of(program.outputs)
        self.batched = is_batched(program)
        self.buckets = buckets_of(program.batching) if self.batched else ()
        self.largest = program.batching.max_size if self.batched else 0

    def measure(self, request: InferRequest) -> tuple[int, Key]:
        """Return the rows of a request, and what it has to have in common with others; make its arrays contiguous.

        Raises
        ------
        InvalidRequestError
            If an input is missing or unknown, first extents differ, or there are more rows than a batch may have.
        """
        names = {spec.name for spec in self.inputs}
        if set(request.inputs) != names:
            wrong = sorted(names ^ set(request.inputs))
            raise InvalidRequestError(f"inputs: {', '.join(map(repr, wrong))} missing or not declared")
        arrays = {name: _contiguous(array) for name, array in request.inputs.items()}
        for spec in self.inputs:
            if arrays[spec.name].dtype != DATATYPES[spec.datatype] or arrays[spec.name].ndim != len(spec.shape):
                raise InvalidRequestError(f"input {spec.name!r} has another datatype or rank than declared")
        request.inputs = arrays
        shapes = [arrays[spec.name].shape for spec in self.inputs]
        if not self.batched:
            return 1, tuple(shapes)
        rows = shapes[0][0]
        for spec, shape in zip(self.inputs, shapes, strict=True):
            if shape[0] != rows:
                raise InvalidRequestError(
                    f"input {spec.name!r} has {shape[0]} rows, but {self.inputs[0].name!r} has {rows}"
                )
        if rows > self.largest:
            raise InvalidRequestError(
                f"input {self.inputs[0].name!r} has {rows} rows, but a batch has {self.largest} at most: "
                "send several requests"
            )
        return rows, tuple(shape[1:] for shape in shapes)

    def message(self, batch: Batch) -> tuple[Header, list[memoryview]]:
        """Return what the worker gets; it fills up with zeros to the padded shapes."""
        first = batch.requests[0]
        padded = bucket_for(batch.rows, self.buckets) if self.batched else 0
        columns = [[each.request.inputs[spec.name] for each in batch.requests] for spec in self.inputs]
        shapes = [(padded, *tail) for tail in first.key] if self.batched else [list(shape) for shape in first.key]
        wanted: set[str] | None = set()
        for each in batch.requests:
            if each.request.outputs is None:
                wanted = None
                break
            assert wanted is not None
            wanted.update(each.request.outputs)
        header = {
            "kind": "infer",
            "rows": batch.rows if self.batched else None,
            "shapes": shapes,
            "filled": [sum(array.nbytes for array in column) for column in columns],
            "wanted": None if wanted is None else sorted(wanted),
        }
        return header, [bytes_of(array) for column in columns for array in column]

    def expected(self, outputs: Sequence[tuple[str, Sequence[int]]]) -> list[tuple[Sequence[int], np.dtype[Any]]]:
        """Return shape and dtype of the arrays that an answer announces."""
        dtypes = {spec.name: DATATYPES[spec.datatype] for spec in self.outputs}
        return [(shape, dtypes[name]) for name, shape in outputs]

    def distribute(self, batch: Batch, outputs: Mapping[str, np.ndarray], seconds: float) -> None:
        """Give each request its rows of the results."""
        begin = 0
        for each in batch.requests:
            end = begin + each.rows
            wanted = outputs if each.request.outputs is None else each.request.outputs
            own = {name: outputs[name][begin:end] if self.batched else outputs[name] for name in wanted}
            begin = end
            if not each.result.done():
                each.result.set_result(InferResult(own, batch.rows, each.started - each.arrived, seconds))


def _contiguous(array: np.ndarray) -> np.ndarray:
    """Return an array whose memory can be sent; truth values that came as other bytes than 0 and 1 are made ones."""
    array = array if array.flags.c_contiguous else np.array(array, order="C")
    return array.view(np.uint8) != 0 if array.dtype == np.bool_ else array


class RequestQueue:
    """A bounded queue from which workers take batches. For one event loop.

    Requests are put together in the order of their arrival, with those that have the same other extents. A batch is
    taken when it is full, when its first request has waited for `max_delay`, or when nobody else is expected: as many
    requests are on their way as there were at most during the last batches. So clients that each wait for their answer
    before they ask again, a single one for example, do not wait for others that there are not.

    Parameters
    ----------
    capacity
        Requests that may wait.
    max_rows
        Rows of a batch; 0 takes requests one by one.
    max_delay
        Seconds.
    """

    def __init__(self, capacity: int, max_rows: int, max_delay: float) -> None:
        self._capacity = capacity
        self._max_rows = max_rows
        self._max_delay = max_delay if max_rows else 0.0
        self._groups: dict[Key, deque[Waiting]] = {}
        self._rows: dict[Key, int] = {}
        self._again: deque[Waiting] = deque()
        self._count = 0
        self._on_their_way = 0
        self._most = 0
        self._most_before: deque[int] = deque(maxlen=_REMEMBERED)
        self._takers: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return self._count

    def put(self, waiting: Waiting, retry_after: Callable[[], float]) -> None:
        """Add a request.

        Raises
        ------
        OverloadedError
            If the queue is full; `retry_after` says when it is worth trying again.
        """
        if self._count >= self._capacity:
            raise OverloadedError(
                f"{self._count} requests are waiting, and no more may (queue: {self._capacity})",
                retry_after=retry_after(),
            )
        group = self._groups.setdefault(waiting.key, deque())
        group.append(waiting)
        self._count += 1
        self._on_their_way += 1
        self._most = max(self._most, self._on_their_way)
        rows = self._rows[waiting.key] = self._rows.get(waiting.key, 0) + waiting.rows
        if len(group) == 1 or rows >= self._max_rows or self._nobody_else_is_expected():
            self.wake()

    def put_back(self, requests: Sequence[Waiting]) -> None:
        """Have requests tried again, each by itself, before all others. They are not refused."""
        for each in requests:
            if not each.result.done():
                each.alone = True
                self._again.append(each)
                self._count += 1
        self.wake()

    def end(self, waiting: Waiting) -> None:
        """Note that a request has its answer, or that nobody waits for it any more; it leaves the queue."""
        self._on_their_way -= 1
        if waiting.alone and waiting in self._again:
            self._again.remove(waiting)
            self._count -= 1
        elif (group := self._groups.get(waiting.key)) is not None and waiting in group:
            group.remove(waiting)
            self._left(waiting.key, group, [waiting])

    def drain(self) -> list[Waiting]:
        """Take out everything that waits."""
        found = [*self._again, *(each for group in self._groups.values() for each in group)]
        self._again.clear()
        self._groups.clear()
        self._rows.clear()
        self._count = 0
        return found

    def wake(self) -> None:
        """Have those that wait in `take` look again."""
        for taker in self._takers:
            if not taker.done():
                taker.set_result(None)

    async def take(self, interrupted: Callable[[], bool], timeout: float | None = None) -> Batch | None:
        """Wait for a batch; `None` if interrupted (look again with `wake`), or if none is there in time."""
        loop = asyncio.get_running_loop()
        patience = _NEVER if timeout is None else loop.time() + timeout
        while not interrupted():
            now = loop.time()
            due = self._due(now)
            if due <= now:
                return self._pop(now)
            if now >= patience:
                return None
            await self._changed(min(due, patience) - now)
        return None

    async def _changed(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        taker = loop.create_future()
        timer = loop.call_later(seconds, _set, taker) if seconds < _NEVER else None
        self._takers.add(taker)
        try:
            await taker
        finally:
            self._takers.discard(taker)
            if timer is not None:
                timer.cancel()

    def _due(self, now: float) -> float:
        """Return when the next batch is to be taken."""
        if self._again:
            return now
        if not self._groups:
            return _NEVER
        if self._nobody_else_is_expected() or any(rows >= self._max_rows for rows in self._rows.values()):
            return now
        return min(group[0].arrived for group in self._groups.values()) + self._max_delay

    def _nobody_else_is_expected(self) -> bool:
        return self._on_their_way >= max(self._most, *self._most_before, 0)

    def _pop(self, now: float) -> Batch:
        if self._again:
            self._count -= 1
            return Batch([self._again.popleft()])
        oldest = min(self._groups, key=lambda key: self._groups[key][0].arrived)
        if self._groups[oldest][0].arrived + self._max_delay > now:  # another one may be full already
            full = [key for key, rows in self._rows.items() if rows >= self._max_rows]
            oldest = min(full or self._groups, key=lambda key: self._groups[key][0].arrived)
        self._most_before.append(self._most)
        self._most = self._on_their_way
        group = self._groups[oldest]
        taken = [group.popleft()]
        rows = taken[0].rows
        while group and rows + group[0].rows <= self._max_rows:
            rows += group[0].rows
            taken.append(group.popleft())
        self._left(oldest, group, taken)
        return Batch(taken)

    def _left(self, key: Key, group: deque[Waiting], gone: Sequence[Waiting]) -> None:
        self._count -= len(gone)
        self._rows[key] -= sum(each.rows for each in gone)
        if not group:
            del self._groups[key], self._rows[key]


def _set(taker: asyncio.Future[None]) -> None:
    if not taker.done():
        taker.set_result(None)
