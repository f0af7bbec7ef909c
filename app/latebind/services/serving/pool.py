"""All programs of the server in their worker processes: the `ModelService` behind the HTTP routes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from latebind.services.serving.errors import ModelUnavailableError, UnknownModelError
from latebind.services.serving.served import ServedProgram
from latebind.services.serving.settings import ServeSettings
from latebind.services.serving.types import InferRequest, InferResult, ModelService, ModelStatus

logger = logging.getLogger("latebind.serving")


class ProgramPool(ModelService):
    """Runs each program of the configuration in worker processes of its own.

    It may be made anywhere; everything else is for one event loop, on which `start` is called first.

    Parameters
    ----------
    settings
    base
        Folder that paths of the configuration are relative to.

    Examples
    --------
    >>> pool = ProgramPool(load_serve_settings("serve.yaml"), Path("."))  # doctest: +SKIP
    >>> await pool.start()  # doctest: +SKIP
    >>> await pool.infer("digits", None, request)  # doctest: +SKIP
    """

    def __init__(self, settings: ServeSettings, base: Path) -> None:
        self._programs = {name: ServedProgram(name, program, base) for name, program in settings.programs.items()}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    # The server's life

    async def start(self) -> None:
        """Begin to load all programs that are loaded by themselves, and return; `statuses` says how far they are."""
        for name, program in self._programs.items():
            if program.program.autoload:
                self._in_background(program.load(), f"load {name}")
        await asyncio.sleep(0)  # they say LOADING from now on

    async def loaded(self) -> None:
        """Wait until everything that is being loaded is ready, or has failed."""
        while self._tasks:
            await asyncio.wait([*self._tasks])

    async def drain(self, timeout: float) -> None:
        """Refuse new requests and wait until those that there are have ended, at most so many seconds."""
        self._draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                for program in self._programs.values():
                    await program.quiet()
        left = [name for name, program in self._programs.items() if not program.is_quiet]
        if left:
            logger.warning("requests of %s have not ended in %g s", ", ".join(left), timeout)

    async def close(self) -> None:
        """Stop all workers; requests that there are get an error. Doing it twice is harmless."""
        self._draining = True
        for task in [*self._tasks]:
            task.cancel()
        if self._tasks:
            await asyncio.wait([*self._tasks])
        await asyncio.gather(*(program.close() for program in self._programs.values()))

    # The service

    def statuses(self) -> Sequence[ModelStatus]:
        """Return all programs of the configuration, loaded or not."""
        return [program.status() for program in self._programs.values()]

    def status(self, name: str, version: str | None = None) -> ModelStatus:
        """Return one program.

        Raises
        ------
        UnknownModelError
            If there is none of this name and version.
        """
        return self._find(name, version).status()

    async def infer(self, name: str, version: str | None, request: InferRequest) -> InferResult:
        """Run a program.

        Raises
        ------
        UnknownModelError, InvalidRequestError, OverloadedError, ModelUnavailableError
            If it cannot be run, or not now.
        ProgramFailedError, ProgramTimeoutError
            If it raises or dies, or takes too long.
        """
        program = self._find(name, version)
        if self._draining:
            raise ModelUnavailableError("the server stops")
        return await program.infer(request)

    async def load(self, name: str) -> None:
        """Load a program (again): requests go to the old workers until the new ones are ready.

        Raises
        ------
        UnknownModelError
            If there is none of this name.
        ModelUnavailableError
            If it cannot be loaded; the old workers go on.
        """
        program = self._find(name)
        if self._draining:
            raise ModelUnavailableError("the server stops")
        await self._finish(program.load(), f"load {name}")

    async def unload(self, name: str) -> None:
        """Stop a program after the requests that it has.

        Raises
        ------
        UnknownModelError
            If there is none of this name.
        """
        await self._finish(self._find(name).unload(), f"unload {name}")

    def report(self) -> Mapping[str, Any]:
        """Return live figures by program; those of busy workers are as of the last time that they were idle."""
        return {name: program.report() for name, program in self._programs.items()}

    async def refresh(self) -> None:
        """Bring the figures of idle workers up to date, for a report that is exact."""
        await asyncio.gather(*(program.refresh() for program in self._programs.values()))

    async def graphs(self, name: str) -> Sequence[Mapping[str, str]]:
        """Return the compiled graphs of a program: `name`, `ir`, `dot`, `backend_text`."""
        return await self._find(name).graphs()

    def _find(self, name: str, version: str | None = None) -> ServedProgram:
        program = self._programs.get(name)
        if program is None:
            raise UnknownModelError(f"there is no program {name!r}")
        if version is not None and version != program.program.version:
            raise UnknownModelError(f"there is no version {version!r} of program {name!r}")
        return program

    # Tasks

    def _in_background(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ModelUnavailableError):  # that is logged, and in the status
            logger.error("%s failed", task.get_name(), exc_info=error)

    async def _finish(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do it to the end, also if the caller is gone before."""
        await asyncio.shield(self._in_background(work, name))
