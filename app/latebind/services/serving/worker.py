"""The worker process: `python -m latebind.services.serving.worker CONNECTION LIFELINE`, two inherited file descriptors.

It loads one program, says that it is ready, and answers messages one after the other until the connection is closed.
The lifeline is a pipe that ends when the server is gone, however that came about: then the process ends at once, also
in the middle of a computation that lets other threads run; on Linux, of any.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from latebind.services.serving.framing import BlockingChannel, ConnectionLost, Header, bytes_of
from latebind.services.serving.limits import end_with_parent, limit_memory, memory_is_limitable, resident_bytes
from latebind.services.serving.runner import ProgramRunner
from latebind.services.serving.settings import ProgramSettings

logger = logging.getLogger("latebind.serving")

#: Seconds after which a result brings the figures along: a worker that is never idle is never asked for them.
_REPORT_EVERY: Final = 0.5
#: Characters of a program's message that go to the server.
_LONGEST_MESSAGE: Final = 2000


class LogBuffer(logging.Handler):
    """Keeps log records for the server, which writes them to its own log: they travel with the next answer."""

    def __init__(self) -> None:
        super().__init__()
        self._records: deque[tuple[int, str, str]] = deque(maxlen=200)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._records.append((record.levelno, record.name, self.format(record)))

    def take(self) -> list[tuple[int, str, str]]:
        """Return what was logged since the last time."""
        taken = []
        while self._records:
            taken.append(self._records.popleft())
        return taken


class Worker:
    """Answers the server's messages.

    Parameters
    ----------
    channel, runner, logs
    """

    def __init__(self, channel: BlockingChannel, runner: ProgramRunner, logs: LogBuffer) -> None:
        self._channel = channel
        self._runner = runner
        self._logs = logs
        self._reported = time.monotonic()

    def serve(self) -> None:
        """Answer until the connection is closed."""
        while (message := self._channel.receive()) is not None:
            kind = message["kind"]
            if kind == "infer":
                self._infer(message)
            elif kind == "report":
                self._say({"kind": "report", **self._figures()})
            elif kind == "graphs":
                self._say({"kind": "graphs", "graphs": self._runner.graphs()})
            else:
                raise ConnectionLost(f"unknown message {kind!r}")

    def _infer(self, message: Header) -> None:
        """Run a batch: `shapes` of the padded inputs, `filled` bytes of each that follow, `rows`, `wanted` outputs."""
        received = False
        start = time.perf_counter()
        try:
            inputs = self._allocate(message)
            for array, filled in zip(inputs, message["filled"], strict=True):
                memory = array.reshape(-1).view(np.uint8)
                self._channel.receive_into(memory[:filled].data)
                memory[filled:] = 0
            received = True
            rows = message["rows"]
            start = time.perf_counter()
            results = self._runner.run(inputs, None if rows is None else message["shapes"][0][0])
            chosen = [
                (spec.name, result if rows is None else result[:rows])
                for spec, result in zip(self._runner.outputs, results, strict=True)
                if message["wanted"] is None or spec.name in message["wanted"]
            ]
        except ConnectionLost:
            raise
        except BaseException as error:  # sys.exit of a program included
            if not received:  # no memory for the arrays
                self._channel.skip(message["bytes"])
            self._say({"seconds": time.perf_counter() - start, **failure(error)})
            return
        seconds = time.perf_counter() - start
        outputs = [(name, list(result.shape)) for name, result in chosen]
        figures = self._figures() if time.monotonic() - self._reported > _REPORT_EVERY else {}
        answer = {"kind": "result", "seconds": seconds, "outputs": outputs, **figures}
        self._say(answer, [bytes_of(result) for _, result in chosen])

    def _allocate(self, message: Header) -> list[np.ndarray]:
        return [np.empty(shape, dtype) for shape, dtype in zip(message["shapes"], self._runner.dtypes(), strict=True)]

    def _figures(self) -> dict[str, Any]:
        self._reported = time.monotonic()
        return {"figures": figures_of(self._runner)}

    def _say(self, header: Mapping[str, Any], arrays: list[memoryview] | None = None) -> None:
        logs = self._logs.take()
        self._channel.send({**header, "logs": logs} if logs else header, arrays or ())


def failure(error: BaseException, kind: str = "raised") -> Header:
    """Return what the server hears of an exception: type, message, and the traceback for its log."""
    message = str(error)
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}..."
    return {
        "kind": kind,
        "type": type(error).__name__,
        "message": message,
        "traceback": "".join(traceback.format_exception(error)),
    }


def figures_of(runner: ProgramRunner) -> dict[str, Any]:
    """Return a worker's figures for the report."""
    return {**runner.figures(), "resident_bytes": resident_bytes()}


def load(message: Header) -> ProgramRunner:
    """Load and compile the program that the first message describes, and limit the memory."""
    program = ProgramSettings.model_validate(message["program"])
    runner = ProgramRunner(message["name"], program, Path(message["base"]))
    runner.warm_up()
    if program.memory_limit_mb is not None:
        if memory_is_limitable():
            limit_memory(program.memory_limit_mb)
        else:
            logger.warning("this system does not enforce memory_limit_mb; nothing limits this worker's memory")
    return runner


def run(connection: int, lifeline: int) -> int:
    """Serve on inherited descriptors and return the exit code."""
    channel = BlockingChannel(socket.socket(fileno=connection))
    threading.Thread(target=_leave_with_server, args=(lifeline,), name="lifeline", daemon=True).start()
    logs = LogBuffer()
    logging.getLogger().addHandler(logs)
    logging.captureWarnings(True)
    message = channel.receive()
    if message is None:
        return 0
    try:
        runner = load(message)
    except BaseException as error:
        channel.send({**failure(error, "failed"), "logs": logs.take()})
        return 1
    ready = {"kind": "ready", "backend": runner.backend.name, "figures": figures_of(runner), "logs": logs.take()}
    channel.send(ready)
    try:
        Worker(channel, runner, logs).serve()
    finally:
        runner.close()
    return 0


def _leave_with_server(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    os._exit(0)


def main() -> None:
    """Run with the descriptors that the command line names. Ctrl-C is the server's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    connection, lifeline = map(int, sys.argv[1:3])
    try:
        code = run(connection, lifeline)
    except ConnectionError:
        code = 1  # the server is gone, or stops this process
    sys.exit(code)


if __name__ == "__main__":
    main()
