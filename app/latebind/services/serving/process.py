"""A worker process as the server sees it: started, asked, killed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import latebind
from latebind.services.serving.errors import ProgramLoadError
from latebind.services.serving.framing import AsyncChannel, Header, bytes_of
from latebind.settings.layers import without_server

logger = logging.getLogger("latebind.serving")

#: Standard error, also where the server's `sys.stderr` is something else: what a program prints is no output of ours.
_STDERR: Final = 2
#: Seconds from closing the connection to SIGTERM, and from there to SIGKILL.
_GRACE: Final = (3.0, 1.0)


class WorkerProcess:
    """One worker process. It belongs to the event loop that it is started on.

    Parameters
    ----------
    name
        Of the program, for messages.

    Attributes
    ----------
    pid : int
    exited : asyncio.Event
        Set once the process is gone.
    figures : dict
        The last ones that it sent.
    backend : str
        Name of its backend; empty until it is ready.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.exited = asyncio.Event()
        self.figures: dict[str, Any] = {}
        self.backend = ""
        self._loop = asyncio.get_running_loop()
        self._when_gone: Callable[[], None] = _nothing
        if os.name != "posix":
            raise ProgramLoadError("workers inherit descriptors, which needs Linux or macOS")
        mine, its = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-u",
                    "-P",
                    "-m",
                    "latebind.services.serving.worker",
                    str(its.fileno()),
                    str(lifeline),
                ],
                pass_fds=(its.fileno(), lifeline),
                stdin=subprocess.DEVNULL,
                stdout=_STDERR,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the server, and what the program starts can be ended with it
            )
        except BaseException:
            mine.close()
            os.close(self._lifeline)
            raise
        finally:
            its.close()
            os.close(lifeline)
        self.pid = self._process.pid
        self._channel = AsyncChannel(mine)
        threading.Thread(target=self._wait, name=f"worker {self.pid}", daemon=True).start()

    # Messages

    async def load(self, message: Mapping[str, Any], timeout: float) -> None:
        """Have it load its program and wait until it is ready.

        Raises
        ------
        ProgramLoadError
            If it fails to, dies, or takes longer.
        """
        try:
            async with asyncio.timeout(timeout):
                reply = await self.ask(message)
        except TimeoutError:
            raise ProgramLoadError(f"loading and compiling took longer than {timeout:g} s (startup_timeout)") from None
        except (ConnectionError, OSError):
            await self._gone()
            raise ProgramLoadError(f"the worker died while it loaded the program ({self.ending()})") from None
        if reply["kind"] != "ready":
            logger.error("program %s cannot be loaded:\n%s", self.name, reply.get("traceback", ""))
            raise ProgramLoadError(str(reply["message"]))
        self.backend = reply["backend"]

    async def ask(self, message: Mapping[str, Any], arrays: Sequence[memoryview] = ()) -> Header:
        """Send a message and return the answer's header.

        Raises
        ------
        ConnectionError, OSError
            If the process dies.
        """
        await self._channel.send(message, arrays)
        reply = await self._channel.receive()
        for level, source, text in reply.pop("logs", ()):
            logger.log(level, "program %s, worker %d, %s: %s", self.name, self.pid, source, text)
        if "figures" in reply:
            self.figures = reply["figures"]
        return reply

    async def receive_arrays(self, shapes: Sequence[tuple[Sequence[int], np.dtype[Any]]]) -> list[np.ndarray]:
        """Return the arrays that follow an answer's header."""
        arrays = [np.empty(shape, dtype) for shape, dtype in shapes]
        for array in arrays:
            await self._channel.receive_into(bytes_of(array))
        return arrays

    # The end

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Have a function called once the process is gone."""
        self._when_gone = callback
        if self.exited.is_set():
            callback()

    def ending(self) -> str:
        """Return how the process ended, in words."""
        code = self._process.returncode
        if code is None:
            return "it lost the connection"
        if code >= 0:
            return f"exit code {code}"
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
        return f"killed by signal {-code}"

    def kill(self) -> None:
        """End the process, and what it has started, at once."""
        self._signal(signal.SIGKILL)

    async def stop(self, *, at_once: bool = False) -> None:
        """Close the connection and wait until the process is gone; ask, then terminate, then kill."""
        try:
            self._channel.close()
            if at_once:
                self.kill()
            for patience, number in zip(_GRACE, (signal.SIGTERM, signal.SIGKILL), strict=True):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.exited.wait(), patience)
                    return
                self._signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.exited.wait(), _GRACE[0])
                return
            logger.error("worker %d of program %s does not end, not even when it is killed", self.pid, self.name)
        except BaseException:
            self.kill()
            raise
        finally:
            if self._lifeline >= 0:
                os.close(self._lifeline)
                self._lifeline = -1

    async def _gone(self) -> None:
        """Wait for the end of a process that has closed the connection; one that lives on is killed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.exited.wait(), _GRACE[1])
            return
        self.kill()

    def _signal(self, number: int) -> None:
        if self._process.returncode is None:  # its process group is its own as long as nobody has waited for it
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _wait(self) -> None:
        """Wait for the end on a thread of its own, and end what the process has left behind."""
        if hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._say_exited)

    def _say_exited(self) -> None:
        self.exited.set()
        self._when_gone()


def _nothing() -> None:
    pass


def _environment() -> dict[str, str]:
    """Return the environment without the server's own variables, which may hold its token, and with this latebind.

    JAX by itself takes most of a GPU's memory when it starts, which is nothing for several workers on one GPU.
    """
    environ = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", **without_server(os.environ)}
    root = Path(latebind.__file__).parents[1]
    if root.name not in ("site-packages", "dist-packages"):
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root), environ.get("PYTHONPATH", ""))))
    return environ
