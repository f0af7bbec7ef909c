"""What the tests of the workers share: a pool of programs for one test, and waiting for conditions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from latebind.services.serving.pool import ProgramPool
from latebind.services.serving.settings import ServeSettings
from latebind.services.serving.types import InferRequest, InferResult, ModelState

HERE = Path(__file__).parent
#: Seconds that a condition may take on a busy machine.
DEADLINE = 40.0


def program(function: str, **keys: Any) -> dict[str, Any]:
    """Return a program over rows of four floats."""
    tensor = {"datatype": "FP32", "shape": [-1, 4]}
    declared = {"inputs": [{"name": "x", **tensor}], "outputs": [{"name": "y", **tensor}]}
    return {"program": f"worker_programs.py:{function}", **declared, **keys}


@asynccontextmanager
async def serving(base: Path = HERE, **programs: Mapping[str, Any]) -> AsyncIterator[ProgramPool]:
    """Serve programs that all get ready; afterwards none of their processes is left."""
    pool = ProgramPool(ServeSettings.model_validate({"programs": programs}), base)
    pids: set[int] = set()
    await pool.start()
    try:
        await asyncio.wait_for(pool.loaded(), DEADLINE)
        states = {status.name: (status.state, status.reason) for status in pool.statuses()}
        wanted = {name: (ModelState.READY, "") for name, each in programs.items() if each.get("autoload", True)}
        assert {name: states[name] for name in wanted} == wanted
        pids = set(pids_of(pool))
        yield pool
        pids |= set(pids_of(pool))
    finally:
        await asyncio.wait_for(pool.close(), DEADLINE)
    assert [pid for pid in pids if is_running(pid)] == []


def pids_of(pool: ProgramPool, *names: str) -> list[int]:
    """Return the processes of the workers."""
    report = pool.report()
    return [worker["pid"] for name in names or report for worker in report[name]["workers"]]


def is_running(pid: int) -> bool:
    """Whether a process is there, and is more than an entry that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc/self").exists()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.005)


def rows(*values: float, width: int = 4) -> np.ndarray:
    """Return a row per value, filled with it."""
    return np.repeat(np.array(values, np.float32)[:, None], width, axis=1)


async def ask(pool: ProgramPool, name: str, *values: float, **inputs: np.ndarray) -> InferResult:
    """Send one request: a row per value."""
    return await pool.infer(name, None, InferRequest(inputs or {"x": rows(*values)}))
