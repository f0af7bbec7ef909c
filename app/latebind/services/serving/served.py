"""One program of the server: its state, its queue, its workers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from latebind.services.serving.batching import BatchLayout, RequestQueue, Waiting
from latebind.services.serving.errors import (
    ModelUnavailableError,
    OverloadedError,
    ProgramFailedError,
    ProgramLoadError,
    ProgramTimeoutError,
)
from latebind.services.serving.histogram import ProgramFigures
from latebind.services.serving.seat import Seat, public
from latebind.services.serving.settings import ProgramSettings
from latebind.services.serving.types import InferRequest, InferResult, ModelState, ModelStatus

logger = logging.getLogger("latebind.serving")

#: Seconds after which a client may try again while workers start.
_STARTING: Final = 1.0
#: Seconds that a client that found the queue full is asked to wait, at least and at most.
_RETRY: Final = (0.1, 60.0)


class ServedProgram:
    """Takes the requests of one program and keeps its workers.

    Parameters
    ----------
    name, program
    base
        Folder that the program's paths are relative to.
    """

    def __init__(self, name: str, program: ProgramSettings, base: Path) -> None:
        self.name = name
        self.program = program
        self._base = base
        self._layout = BatchLayout(program)
        self._figures = ProgramFigures()
        self._queue = RequestQueue(program.queue, self._layout.largest, program.batching.max_delay_ms / 1e3)
        self._seats: list[Seat] = []
        self._tasks: dict[Seat, asyncio.Task[None]] = {}
        self._loading: list[Seat] = []
        self._reason = "not loaded"
        self._failed = False
        self._closing = False
        self._active = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._change = asyncio.Lock()
        self._backend = ""
        if program.batching.max_size > 1 and not self._layout.batched:
            logger.warning(
                "requests of program %s are not put together: the first extent of each input and output has to be -1",
                name,
            )

    # State

    def status(self) -> ModelStatus:
        """Return what is known of the program."""
        state, reason = self._state()
        return ModelStatus(
            self.name,
            self.program.version,
            state,
            self._backend or _named_backend(self.program.settings),
            self._layout.inputs,
            self._layout.outputs,
            reason,
            self._layout.largest,
        )

    def _state(self) -> tuple[ModelState, str]:
        if self._closing:
            return ModelState.UNLOADED, "it is being unloaded"
        if any(seat.is_usable for seat in self._seats):
            return ModelState.READY, ""
        if self._seats:
            trouble = next((seat.trouble for seat in self._seats if seat.trouble), "")
            return (ModelState.FAILED, trouble) if trouble else (ModelState.LOADING, "its workers are restarting")
        if self._loading:
            return ModelState.LOADING, "its workers are starting"
        return (ModelState.FAILED if self._failed else ModelState.UNLOADED), self._reason

    @property
    def is_quiet(self) -> bool:
        """Whether no request is waiting or running."""
        return not self._active

    async def quiet(self) -> None:
        """Wait until no request is waiting or running."""
        await self._quiet.wait()

    # Requests

    async def infer(self, request: InferRequest) -> InferResult:
        """Run the program on a request, maybe together with others."""
        self._figures.requests += 1
        loop = asyncio.get_running_loop()
        arrived = loop.time()
        try:
            self._check_available()
            rows, key = self._layout.measure(request)
            waiting = Waiting(request, rows, key, arrived, loop.create_future())
            self._queue.put(waiting, self._retry_after)
        except (ModelUnavailableError, OverloadedError):
            self._figures.rejected += 1
            raise
        self._active += 1
        self._quiet.clear()
        try:
            async with asyncio.timeout_at(arrived + self.program.timeout):
                return await waiting.result
        except TimeoutError:
            self._figures.timeouts += 1
            message = f"the request took longer than {self.program.timeout:g} s, waiting included"
            raise ProgramTimeoutError(message) from None
        except ProgramTimeoutError:
            self._figures.timeouts += 1
            raise
        except ProgramFailedError:
            self._figures.failures += 1
            raise
        except ModelUnavailableError:
            self._figures.rejected += 1
            raise
        finally:
            self._queue.end(waiting)
            self._figures.latency.observe(loop.time() - arrived)
            self._active -= 1
            if not self._active:
                self._quiet.set()

    def _check_available(self) -> None:
        """Refuse requests that no worker would take; those of workers that are being replaced wait for the new ones."""
        state, reason = self._state()
        if state is ModelState.READY or (state is ModelState.LOADING and self._seats):
            return
        soon = state is ModelState.LOADING or (state is ModelState.FAILED and bool(self._seats))
        raise ModelUnavailableError(f"program {self.name!r}: {reason}", retry_after=_STARTING if soon else None)

    def _retry_after(self) -> float:
        """Return the seconds that the waiting requests are going to take, by what runs took lately."""
        runs = len(self._queue)
        if self._layout.batched and self._figures.batches:
            taken = sum(rows * count for rows, count in self._figures.batch_rows.items())
            runs = max(1, round(runs * self._figures.batches / max(1, taken)))
        seconds = runs * self._figures.seconds_per_run / max(1, len(self._seats))
        return min(max(seconds, _RETRY[0]), _RETRY[1])

    # Workers

    async def load(self) -> None:
        """Start workers, and let them take the place of those that there are.

        Raises
        ------
        ModelUnavailableError
            If they do not get ready; what there was goes on.
        """
        async with self._change:
            seats = [self._new_seat() for _ in range(self.program.workers)]
            self._loading = seats
            try:
                await _start_all(seats)
            except ProgramLoadError as error:
                self._failed, self._reason = True, public(str(error))
                logger.error("program %s cannot be loaded: %s", self.name, error)
                raise ModelUnavailableError(f"program {self.name!r} cannot be loaded: {self._reason}") from None
            finally:
                self._loading = []
            self._failed, self._reason = False, ""
            assert seats[0].process is not None
            self._backend = seats[0].process.backend
            old, self._seats = self._seats, seats
            for seat in seats:
                task = self._tasks[seat] = asyncio.create_task(seat.tend(), name=f"worker of {self.name}")
                task.add_done_callback(_log_error)
            await self._retire(old)

    async def unload(self) -> None:
        """Stop the workers after the requests that there are; new ones are refused."""
        async with self._change:
            self._closing = True
            try:
                if self._seats:
                    await self.quiet()
                old, self._seats = self._seats, []
                await self._retire(old)
                self._failed, self._reason = False, "it was unloaded"
            finally:
                self._closing = False

    async def close(self) -> None:
        """Stop the workers now; requests that there are get an error."""
        self._closing = True
        self._fail_waiting("the server stops")
        for seat in [*self._tasks]:
            if seat.running is not None:
                seat.running.fail(lambda: ModelUnavailableError(f"program {self.name!r}: the server stops"))
                self._tasks[seat].cancel()
        await self._retire([*self._tasks])
        self._seats = []

    def _new_seat(self) -> Seat:
        return Seat(self.name, self.program, self._base, self._layout, self._queue, self._figures, self._seat_changed)

    async def _retire(self, seats: Sequence[Seat]) -> None:
        tasks = {seat: self._tasks[seat] for seat in seats if seat in self._tasks}
        for seat, task in tasks.items():
            seat.retire()
            if not seat.is_usable:  # it has no batch, and may take long to start again
                task.cancel()
        if tasks:
            await asyncio.wait(tasks.values())
        for seat in tasks:
            if seat.process is not None:
                await seat.process.stop()
            self._tasks.pop(seat, None)

    def _seat_changed(self) -> None:
        """Refuse what waits where no worker can be brought back."""
        state, reason = self._state()
        if state is ModelState.FAILED:
            self._fail_waiting(reason)

    def _fail_waiting(self, reason: str) -> None:
        for each in self._queue.drain():
            each.fail(ModelUnavailableError(f"program {self.name!r}: {reason}", retry_after=_STARTING))

    # What can be seen

    def report(self) -> dict[str, Any]:
        """Return the figures."""
        seats = [*self._tasks, *(seat for seat in self._loading if seat not in self._tasks)]
        figures = [seat.process.figures for seat in seats if seat.process is not None and seat.is_usable]
        return {
            **self._figures.report(figures),
            "waiting": len(self._queue),
            "running": sum(len(seat.running.requests) for seat in seats if seat.running is not None),
            "workers": [seat.report() for seat in seats],
        }

    async def refresh(self) -> None:
        """Ask the workers for their present figures; those that are busy are left alone."""
        idle = [seat for seat in self._seats if seat.is_usable and seat.running is None]
        await asyncio.gather(*(seat.ask({"kind": "report"}) for seat in idle), return_exceptions=True)

    async def graphs(self) -> list[Mapping[str, str]]:
        """Return the compiled graphs of a worker.

        Raises
        ------
        ModelUnavailableError
            If there is none.
        """
        usable = [seat for seat in self._seats if seat.is_usable]
        if not usable:
            raise ModelUnavailableError(f"program {self.name!r}: {self._state()[1]}", retry_after=_STARTING)
        seat = next((each for each in usable if each.running is None), usable[0])
        try:
            reply = await seat.ask({"kind": "graphs"})
        except ConnectionError:
            raise ModelUnavailableError(f"program {self.name!r}: its worker died", retry_after=_STARTING) from None
        return list(reply["graphs"])


async def _start_all(seats: Sequence[Seat]) -> None:
    """Start several workers at once; if one fails, stop all."""
    results = await asyncio.gather(*(seat.start() for seat in seats), return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if not errors:
        return
    stops = (seat.process.stop(at_once=True) for seat in seats if seat.process is not None)
    await asyncio.gather(*stops, return_exceptions=True)
    raise errors[0]


def _log_error(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("%s failed", task.get_name(), exc_info=error)


def _named_backend(settings: Mapping[str, Any]) -> str:
    backend = settings.get("backend", "")
    return str(backend.get("name", "") if isinstance(backend, Mapping) else backend)
