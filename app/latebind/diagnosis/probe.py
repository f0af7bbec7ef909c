"""Trying a backend in a process of its own, so that one that crashes or hangs is reported and takes nothing with it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from time import monotonic
from typing import IO, Any, Final

#: Seconds that an engine may take to load, from a cold disk, and that its self-test may take then.
LOADING_SECONDS: Final = 60.0
SELF_TEST_SECONDS: Final = 10.0
#: After which nothing more is read: processes that the child forked may still hold the other end of the pipe.
_LAST_EVENTS: Final = ("done", "unavailable", "failed", "late", "gone")
_KEPT_OUTPUT: Final = 2000
_START: Final = (
    "import json, sys\nsys.path[:] = json.loads(sys.argv[1])\nfrom latebind.diagnosis.self_test import main\nmain()\n"
)


class State(StrEnum):
    """What became of a backend."""

    WORKS = "works"
    NOT_INSTALLED = "not installed"
    #: It is installed, but cannot be loaded.
    UNAVAILABLE = "unavailable"
    WRONG_RESULTS = "wrong results"
    #: It raised where it should not.
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One program of the self-test: `problem` is `None` where the result was NumPy's."""

    name: str
    problem: str | None
    seconds: float


@dataclass(slots=True)
class Probe:
    """What is known of a backend after it was tried.

    Attributes
    ----------
    state : State
    problem : str or None
        What is wrong, for people.
    devices : list of str
    report : str
        What the engine says of itself.
    checks : list of CheckResult
        Those that ran.
    doing : str
        What it does, or did when it ended.
    seconds : float
        How long the process took, loading included.
    """

    state: State = State.WORKS
    problem: str | None = None
    devices: list[str] = field(default_factory=list)
    report: str = ""
    checks: list[CheckResult] = field(default_factory=list)
    doing: str = "loading its engine"
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return asdict(self)


def probe(
    backend: str,
    *,
    configured: bool = False,
    config: str | os.PathLike[str] | None = None,
    self_test: bool = True,
    loading_seconds: float = LOADING_SECONDS,
    self_test_seconds: float = SELF_TEST_SECONDS,
) -> Probe:
    """Try a backend in another process.

    Parameters
    ----------
    backend
        Its name or dotted path.
    configured
        Whether to make it as the configuration says, with its options, instead of with its defaults.
    config
        File of the configuration, if any was given.
    self_test
        Whether to run the self-test, or only to load the engine and to list its devices.
    loading_seconds, self_test_seconds
        After which it counts as hanging.
    """
    orders = {
        "backend": backend,
        "configured": configured,
        "config": None if config is None else os.fspath(config),
        "self_test": self_test,
    }
    found = Probe()
    start = monotonic()
    deadline = start + loading_seconds
    with (
        tempfile.TemporaryDirectory(prefix="latebind-doctor-") as folder,
        tempfile.TemporaryFile() as errors,
        _running(orders, folder, errors) as process,
    ):
        lines = _lines(process)
        event: Mapping[str, Any] = {"event": "started"}
        while event["event"] not in _LAST_EVENTS:
            event = _next(lines, deadline)
            _note(found, event)
            if event["event"] == "loaded":
                deadline = monotonic() + self_test_seconds
        if found.state is State.WORKS:
            _note_end(found, _end(process, deadline), errors)
    found.seconds = monotonic() - start
    if found.state is State.TIMED_OUT:
        limit = self_test_seconds if found.devices else loading_seconds
        found.problem = f"it did not come back within {limit:g} s from {found.doing}"
    return found


@contextlib.contextmanager
def _running(orders: Mapping[str, object], folder: str, errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Start the child, and end it with all that it started.

    Its cache of compiled programs is a folder of its own: what it compiles is neither found nor kept.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _START, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "XDG_CACHE_HOME": folder},
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # one that died at once is reported by its exit code
            process.stdin.write(json.dumps(orders).encode())
            process.stdin.close()
        yield process
    finally:
        _kill(process)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the child and its group: a compiler may have started processes of its own."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _lines(process: subprocess.Popen[bytes]) -> queue.SimpleQueue[bytes]:
    """Return a queue that a thread fills with the child's lines; an empty one is the last."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError, OSError):  # closed meanwhile
            for line in process.stdout:
                lines.put(line)
        lines.put(b"")

    threading.Thread(target=read, daemon=True, name="latebind-doctor").start()
    return lines


def _next(lines: queue.SimpleQueue[bytes], deadline: float) -> Mapping[str, Any]:
    try:
        line = lines.get(timeout=max(0.0, deadline - monotonic()))
    except queue.Empty:
        return {"event": "late"}
    event: Mapping[str, Any] = json.loads(line) if line else {"event": "gone"}
    return event


def _note(found: Probe, event: Mapping[str, Any]) -> None:
    """Take down one thing that the child said."""
    match event["event"]:
        case "loaded":
            found.devices, found.report = event["devices"], event["report"]
            found.doing = "running"
        case "checking":
            found.doing = f"the check {event['name']!r}"
        case "checked":
            check = CheckResult(event["name"], event["problem"], event["seconds"])
            found.checks.append(check)
            if check.problem is not None and found.state is State.WORKS:
                found.state = State.WRONG_RESULTS
                found.problem = f"{check.name}: {check.problem}"
        case "closing":
            found.doing = "shutting down"
        case "unavailable" | "failed" as state:
            found.state = State.UNAVAILABLE if state == "unavailable" else State.FAILED
            found.problem = event["message"]
        case "late":
            found.state = State.TIMED_OUT
        case "done":
            found.doing = ""


def _end(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    try:
        return process.wait(max(0.0, deadline - monotonic()))
    except subprocess.TimeoutExpired:
        return None


def _note_end(found: Probe, code: int | None, errors: IO[bytes]) -> None:
    """Take down how the child ended, once it said its last."""
    if code is None:
        found.state, found.doing = State.TIMED_OUT, "leaving the process"
    elif code != 0 or found.doing:
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"left with code {code}"
        found.state = State.CRASHED
        found.problem = f"its process {how} during {found.doing or 'its exit'}{_last_words(errors)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_words(errors: IO[bytes]) -> str:
    """Return the line of standard error that tells most, as the tail of a message."""
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - _KEPT_OUTPUT))
    lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal Python error")]
    told = fatal[-1:] or lines[-1:]
    return f"; it said: {told[0]}" if told else ""
