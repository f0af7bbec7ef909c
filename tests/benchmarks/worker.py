"""One contender's process: `python -m tests.benchmarks.worker CONTENDER`. It stays alive and answers commands.

A command is one line of JSON on standard input, the answer one line on what was standard output; whatever a library
prints goes to standard error. `workers.py` is the other end.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
from time import perf_counter
from typing import Any

from tests.benchmarks.case import Prepared
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.libraries.library import Library, MissingError, load

#: Calls in a row with nothing being compiled in the background, after which a library is taken to be warm.
SETTLED = 20


class Worker:
    """The state of one process: its library, and the case that is open."""

    def __init__(self, contender: str) -> None:
        self._contender = CONTENDERS[contender]
        self._library: Library | None = None
        self._prepared: Prepared | None = None

    def begin(self) -> float:
        """Import the library; return the seconds that it took."""
        start = perf_counter()
        self._library = load(self._contender)
        return perf_counter() - start

    def open(self, case: str, quick: bool) -> None:
        """Prepare a case, `module:name`, without running it."""
        assert self._library is not None
        self._library.forget()
        module, _, name = case.partition(":")
        found = importlib.import_module(f"tests.benchmarks.{module}").CASES[name]
        self._prepared = found.prepare(self._library, quick)

    def measure(self, repeat: int, settle: bool) -> list[float]:
        """Return measurements; with `settle`, each one is the second of two."""
        assert self._prepared is not None
        taken = []
        for _ in range(repeat):
            if settle:
                self._prepared.measure()
            taken.append(self._prepared.measure())
        return taken

    def warm(self, calls: int, seconds: float, most: float) -> int:
        """Run until `calls` and `seconds` are both reached, or `most` seconds are; return the number of runs.

        A library that compiles in the background gets the time for it, and some calls after that.
        """
        assert self._prepared is not None and self._library is not None
        start, count, spent, settled = perf_counter(), 0, 0.0, 0
        while (count < calls or spent < seconds or settled < SETTLED) and spent < most:
            self._prepared.measure()
            count += 1
            settled = settled + 1 if self._library.settled() else 0
            spent = perf_counter() - start
        gc.collect()
        gc.freeze()  # nobody pays for a pass over the modules that a library brings
        return count

    def check(self) -> None:
        """Compare the result of the last measurement with NumPy's."""
        assert self._prepared is not None
        if self._prepared.check is not None:
            self._prepared.check()

    def operation_time(self, workload: str, quick: bool) -> list[float]:
        """Return the median time of NumPy's operations in a workload, in us, and their number."""
        from tests.benchmarks.operation_times import median_operation
        from tests.benchmarks.workloads import WORKLOADS

        return list(median_operation(WORKLOADS[workload], quick))

    def close(self) -> None:
        """Forget the case and its arrays."""
        self._prepared = None
        gc.unfreeze()
        gc.collect()

    def end(self) -> None:
        """Release the library."""
        if self._library is not None:
            self._library.close()


def answer(worker: Any, command: dict[str, Any]) -> dict[str, Any]:
    """Return what a command's method returns, or what kind of error it raises."""
    try:
        return {"value": getattr(worker, command.pop("do"))(**command)}
    except MissingError as error:
        return {"missing": str(error)}
    except AssertionError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        return {"wrong": " ".join(line.strip() for line in lines[:6]) or traceback.format_exc()}
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0]
        return {"failed": f"{type(error).__name__}: {first}", "traceback": traceback.format_exc()}


def main() -> None:
    """Answer commands until the other end closes the pipe."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer(worker, json.loads(line))), file=answers, flush=True)
    worker.end()


if __name__ == "__main__":
    main()
