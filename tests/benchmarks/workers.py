"""The other end of `worker.py`: processes that are started, asked, watched, and killed when they hang."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.benchmarks.contenders import CONTENDERS

ROOT = Path(__file__).parents[2]
#: What limits the threads of NumPy's BLAS, NumExpr, Numba, PyTorch and dask; XLA and MLX take the processors they see.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "DASK_NUM_WORKERS",
)


class ContenderError(Exception):
    """A contender did not answer as it should.

    Attributes
    ----------
    kind : str
        `missing`, `wrong`, `failed`, `hangs`, or `died`.
    detail : str
        Everything that is known, for the log.
    """

    def __init__(self, kind: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.detail = detail or message

    @property
    def fatal(self) -> bool:
        """Whether its process is gone."""
        return self.kind in ("hangs", "died")


class Process:
    """One contender's process.

    Parameters
    ----------
    contender
        Its name.
    threads
        How many threads every library may use.
    environment
        More variables.
    """

    def __init__(self, contender: str, threads: int, environment: Mapping[str, str] | None = None) -> None:
        self.contender = contender
        self._timeout = CONTENDERS[contender].timeout
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the process)
        self._answers: Queue[str | None] = Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.worker", contender],
            cwd=ROOT,
            env=_environment(contender, threads, environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            preexec_fn=_pin(threads),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def ask(self, do: str, *, timeout: float | None = None, **arguments: Any) -> Any:
        """Send a command and return its value.

        Raises
        ------
        ContenderError
            If there is none in time, or it is an error.
        """
        assert self._process.stdin is not None
        try:
            print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
            answer = self._answers.get(timeout=timeout or self._timeout)
        except Empty:
            self.stop(kill=True)
            raise ContenderError("hangs", f"no answer in {timeout or self._timeout:g} s: killed") from None
        except BrokenPipeError:
            answer = None
        if answer is None:
            code = self._process.wait()
            raise ContenderError("died", f"its process ended with {code}", self.errors())
        result = json.loads(answer)
        for kind in ("missing", "wrong", "failed"):
            if kind in result:
                raise ContenderError(kind, result[kind], result.get("traceback", ""))
        return result["value"]

    def errors(self) -> str:
        """Return the end of what it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-4000:]

    def stop(self, *, kill: bool = False) -> None:
        """End the process; by force if asked, or if it does not end."""
        assert self._process.stdin is not None
        if kill:
            self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._errors.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(None)


def _environment(contender: str, threads: int, more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    limits = dict.fromkeys(_THREADS, str(threads))
    return kept | limits | dict(CONTENDERS[contender].environment) | dict(more)


def _pin(threads: int) -> Any:
    """Return what keeps a process on as many processors, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    processors = sorted(os.sched_getaffinity(0))[:threads]
    return lambda: os.sched_setaffinity(0, processors)


class Team:
    """The processes of a run, by contender: started when they are first needed, and again after one that hung.

    Attributes
    ----------
    missing : dict
        Reason, by name of a contender that cannot take part at all.
    """

    def __init__(self, threads: int, environment: Mapping[str, str] | None = None) -> None:
        self.missing: dict[str, str] = {}
        self._threads = threads
        self._environment = environment
        self._processes: dict[str, Process] = {}

    def get(self, contender: str) -> Process:
        """Return a contender's process.

        Raises
        ------
        ContenderError
            If it cannot take part.
        """
        if contender in self.missing:
            raise ContenderError("missing", self.missing[contender])
        if contender not in self._processes:
            process = Process(contender, self._threads, self._environment)
            try:
                process.ask("begin")
            except ContenderError as error:
                self.missing[contender] = str(error)
                if not error.fatal:
                    process.stop()
                raise
            self._processes[contender] = process
        return self._processes[contender]

    def drop(self, contender: str) -> None:
        """Forget a process that is gone; the next case starts another."""
        self._processes.pop(contender, None)

    def stop(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.stop()
        self._processes.clear()
