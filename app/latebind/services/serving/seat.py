"""One worker's place: the process in it is fed with batches, and replaced when it dies."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np

from latebind.services.serving.batching import Batch, BatchLayout, RequestQueue
from latebind.services.serving.errors import ProgramFailedError, ProgramLoadError, ProgramTimeoutError, ServingError
from latebind.services.serving.framing import Header
from latebind.services.serving.histogram import ProgramFigures
from latebind.services.serving.limits import resident_bytes
from latebind.services.serving.process import WorkerProcess
from latebind.services.serving.settings import ProgramSettings

logger = logging.getLogger("latebind.serving")

#: Seconds after the last batch at which an idle worker is asked for its figures.
_REFRESH_AFTER: Final = 0.2
#: Seconds before a process that died again without having answered is replaced: twice as many each time.
_BACKOFF: Final = (0.1, 10.0)
#: Seconds that an answer beside the batches may take: figures, graphs.
_ERRAND_TIMEOUT: Final = 30.0
#: Absolute paths: quoted, where folders may have spaces, and bare.
_ROOT: Final = r"(?:[A-Za-z]:[\\/]|~?/)"
_QUOTED: Final = re.compile(rf"""(?<=['"`]){_ROOT}(?:[^'"`]*[\\/])?([^'"`\\/]+)(?=['"`])""")
_BARE: Final = re.compile(rf"""(?<![\w.\\/]){_ROOT}(?:[^\s:'"]*[\\/])?([^\s:'"\\/]+)""")


class SeatState(StrEnum):
    """What a worker does, for the report."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    DEAD = "dead"


class Seat:
    """Keeps one worker process of a program going.

    Parameters
    ----------
    name, program, base
        What the process loads; paths are relative to the base.
    layout, queue, figures
        The program's.
    changed
        Called when the worker becomes ready, or cannot be restarted.

    Attributes
    ----------
    state : SeatState
    restarts : int
    trouble : str
        Why the last attempt to restart failed; empty if none did.
    """

    def __init__(
        self,
        name: str,
        program: ProgramSettings,
        base: Path,
        layout: BatchLayout,
        queue: RequestQueue,
        figures: ProgramFigures,
        changed: Callable[[], None],
    ) -> None:
        self.name = name
        self.program = program
        self.base = base
        self.state = SeatState.STARTING
        self.restarts = 0
        self.trouble = ""
        self.process: WorkerProcess | None = None
        self.running: Batch | None = None
        self._layout = layout
        self._queue = queue
        self._figures = figures
        self._changed = changed
        self._retiring = asyncio.Event()
        self._errands: list[tuple[Header, asyncio.Future[Header]]] = []
        self._stale = False
        self._deaths = 0

    # From outside

    async def start(self) -> None:
        """Start a process and wait until it has loaded the program.

        Raises
        ------
        ProgramLoadError
            If it does not get ready.
        """
        try:
            process = self.process = WorkerProcess(self.name)
        except OSError as error:
            self.state = SeatState.DEAD
            raise ProgramLoadError(f"a worker process cannot be started: {error.strerror or error}") from error
        message = {
            "kind": "load",
            "name": self.name,
            "base": str(self.base.resolve()),
            "program": self.program.model_dump(mode="json"),
        }
        try:
            await process.load(message, self.program.startup_timeout)
        except BaseException:
            self.state = SeatState.DEAD
            process.kill()
            await asyncio.shield(process.stop(at_once=True))
            raise
        process.when_gone(self._queue.wake)
        self.state = SeatState.READY
        self.trouble = ""

    def retire(self) -> None:
        """Let it stop after the batch that it has."""
        self._retiring.set()
        self._queue.wake()

    async def ask(self, message: Header) -> Header:
        """Ask the worker between two batches.

        Raises
        ------
        ConnectionError
            If it dies meanwhile.
        """
        answer: asyncio.Future[Header] = asyncio.get_running_loop().create_future()
        self._errands.append((message, answer))
        self._queue.wake()
        return await answer

    def report(self) -> dict[str, Any]:
        """Return the line of this worker in the report."""
        pid = self.process.pid if self.process is not None else 0
        dead = self.process is None or self.process.exited.is_set()
        resident = 0 if dead else resident_bytes(pid)
        if not resident and not dead and self.process is not None:
            resident = self.process.figures.get("resident_bytes", 0)
        return {"pid": pid, "state": str(self.state), "restarts": self.restarts, "resident_bytes": resident}

    @property
    def is_usable(self) -> bool:
        """Whether there is a worker that takes batches."""
        return self.state in (SeatState.READY, SeatState.BUSY)

    # The task

    async def tend(self) -> None:
        """Feed the worker, and replace it when it dies, until `retire`; then stop it."""
        try:
            while True:
                await self._serve()
                if not await self._replace():
                    return
        finally:
            self._end()

    async def _replace(self) -> bool:
        """Put a new process in the place of one that died; return false after `retire`."""
        process = self.process
        assert process is not None
        self._leave()
        if self._retiring.is_set():
            await process.stop()
            return False
        self._changed()
        await process.stop(at_once=True)
        logger.error("worker %d of program %s has ended (%s) and is replaced", process.pid, self.name, process.ending())
        while not self._retiring.is_set():
            self._deaths += 1
            if self._deaths > 1 and await self._pause(min(_BACKOFF[1], _BACKOFF[0] * 2.0 ** (self._deaths - 2))):
                return False
            self.restarts += 1
            self.state = SeatState.STARTING
            try:
                await self.start()
            except ProgramLoadError as error:
                self.trouble = public(str(error))
                logger.error("a worker of program %s cannot be restarted: %s", self.name, error)
                self._changed()
                continue
            self._changed()
            return True
        return False

    async def _pause(self, seconds: float) -> bool:
        """Wait; return whether `retire` came meanwhile."""
        try:
            await asyncio.wait_for(self._retiring.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _serve(self) -> None:
        """Feed the process until it dies or `retire`."""
        process = self.process
        assert process is not None
        while not process.exited.is_set() and not self._retiring.is_set():
            try:
                if self._errands:
                    message, answer = self._errands.pop(0)
                    await self._run_errand(process, message, answer)
                    continue
                batch = await self._queue.take(self._interrupted, _REFRESH_AFTER if self._stale else None)
                if batch is not None:
                    await self._run(process, batch)
                elif self._stale and not self._interrupted():
                    self._stale = False
                    self._errands.append(({"kind": "report"}, asyncio.get_running_loop().create_future()))
            except (ConnectionError, OSError):
                return

    def _interrupted(self) -> bool:
        gone = self.process is None or self.process.exited.is_set()
        return gone or self._retiring.is_set() or bool(self._errands)

    async def _run_errand(self, process: WorkerProcess, message: Header, answer: asyncio.Future[Header]) -> None:
        try:
            async with asyncio.timeout(_ERRAND_TIMEOUT):
                reply = await process.ask(message)
        except (OSError, TimeoutError) as error:
            if not answer.done():
                answer.set_exception(ConnectionError(f"the worker did not answer: {type(error).__name__}"))
                answer.exception()  # nobody may wait for it
            process.kill()
            raise ConnectionError from None
        if not answer.done():
            answer.set_result(reply)

    async def _run(self, process: WorkerProcess, batch: Batch) -> None:
        """Have a batch run and give its requests their results or errors.

        Raises
        ------
        ConnectionError
            If the process is of no use any more.
        """
        start = asyncio.get_running_loop().time()
        limit = self.program.compute_timeout or self.program.timeout
        for each in batch.requests:
            each.started = start
            self._figures.queue_seconds.observe(start - each.arrived)
        self.state, self.running, self._stale = SeatState.BUSY, batch, True
        try:
            async with asyncio.timeout_at(start + limit):
                message, arrays = self._layout.message(batch)
                reply = await process.ask(message, arrays)
                expected = self._layout.expected(reply.get("outputs", ()))
                received = await process.receive_arrays(expected)
        except TimeoutError:
            process.kill()
            logger.error("program %s ran for longer than %g s; its worker is killed", self.name, limit)
            self._blame(batch, ProgramTimeoutError(f"the program ran for longer than {limit:g} s"))
            raise ConnectionError from None
        except (ConnectionError, OSError):
            self._blame(batch, ProgramFailedError("the program's process died while it ran this request"))
            raise
        finally:
            self.state, self.running = SeatState.READY, None
        self._deaths = 0
        self._answer(batch, reply, received)

    def _answer(self, batch: Batch, reply: Header, received: list[np.ndarray]) -> None:
        """Give the requests of a batch what the worker said."""
        self._figures.ran(batch.rows if self._layout.batched else len(batch.requests), reply["seconds"])
        if reply["kind"] == "result":
            names = [name for name, _ in reply["outputs"]]
            self._layout.distribute(batch, dict(zip(names, received, strict=True)), reply["seconds"])
            return
        ids = [each.request.request_id for each in batch.requests if each.request.request_id]
        logger.error(
            "program %s raised (requests: %s)\n%s",
            self.name,
            ", ".join(ids) or "without id",
            reply["traceback"],
            extra={"program": self.name, "request_ids": ids},
        )
        self._blame(batch, ProgramFailedError(f"the program raised {reply['type']}: {public(reply['message'])}"))

    def _blame(self, batch: Batch, error: ServingError) -> None:
        """End a request with an error; of several, try each by itself, for one of them may be the only one to blame."""
        if len(batch.requests) > 1:
            self._queue.put_back(batch.requests)
        else:
            batch.requests[0].fail(error)

    def _fail_errands(self) -> None:
        for _, answer in self._errands:
            if not answer.done():
                answer.set_exception(ConnectionError("the worker died"))
                answer.exception()  # nobody may wait for it
        self._errands.clear()

    def _end(self) -> None:
        """Leave nothing behind, also when the task was cancelled."""
        if self.process is not None and not self.process.exited.is_set():
            self.process.kill()
        self._leave()

    def _leave(self) -> None:
        """Take note that there is no worker any more."""
        self.state = SeatState.DEAD
        if self.process is not None:
            self._figures.retire(self.process.figures)
            self.process.figures = {}
        self._fail_errands()


def public(message: str) -> str:
    """Return a message for clients: of files, the names only."""
    return _BARE.sub(r"\1", _QUOTED.sub(r"\1", message))
