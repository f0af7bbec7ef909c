"""Memory of a loop of in-place updates: flat, and without an allocation per step.

Every contender runs in a process of its own (`python -m tests.benchmarks.in_place_memory CONTENDER STEPS`).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from tests.benchmarks import contenders as peers
from tests.benchmarks.tables import Aim, Cell, Report, Table

TITLE = "memory of in-place updates"
STEPS = 1_000
SHAPE = (1000, 1000)
NBYTES = 8_000_000
MB = 1e6
#: Steps before the measurement: compilation, donation, the allocator's pools.
_WARMUP = 20
#: Steps between two waits; the median block counts.
_BLOCK = 10
_ROUNDS = 3
_EXIT_MISSING = 3

Step = Callable[[int], None]


def run(quick: bool) -> Report:
    """Run the loop of each contender, in turns."""
    report = Report("in_place_memory", TITLE)
    steps = 30 if quick else STEPS
    table = Table(
        f"x[i] = v; x += 1; mark_step, {steps:,} steps on an array of {NBYTES / MB:g} MB",
        [
            "contender",
            "us per step",
            "resident growth, MB",
            "resident peak, MB",
            "traced growth, MB",
            "allocating blocks",
        ],
        [],
        [
            f"After {_WARMUP} steps. Time: median over blocks of {_BLOCK} steps and a wait, and over the processes.",
            "Memory: the worst process. Resident peak: above the resident memory with the array in place.",
            f"Allocating: blocks of {_BLOCK} steps that held {NBYTES / 2 / MB:g} MB more at some time than before, by "
            "tracemalloc, in a second pass; engines that allocate outside Python are not traced.",
        ],
    )
    rows: dict[str, list[list[Any]]] = {name: [] for name in _CONTENDERS}
    for _ in range(1 if quick else _ROUNDS):
        for name in [name for name in _CONTENDERS if name not in report.missing]:
            result = _child(name, steps)
            if isinstance(result, str):
                report.missing[name] = result
            else:
                rows[name].append(result)
    for name, taken in rows.items():
        table.rows.append([name, *_summary(taken)] if taken else [name, "missing", None, None, None, None])
    report.tables.append(table)
    times = {str(row[0]): row[1] for row in table.rows if isinstance(row[1], float)}
    report.lost_to("in-place step", {name: time / times[peers.LATEBIND] for name, time in times.items()})
    _, _, growth, _, traced, allocating = table.rows[0]
    flat = abs(growth) < NBYTES / MB and traced < 0.1  # type: ignore[arg-type, operator]
    report.aims.append(Aim("latebind's memory is flat", f"{growth:.1f} MB resident, {traced:.2f} MB traced", flat))
    blocks = f"{allocating} of {steps // _BLOCK} blocks of {_BLOCK} steps allocate"
    report.aims.append(Aim("latebind allocates no buffer per step", blocks, allocating == 0))
    return report


def _summary(taken: list[list[Any]]) -> list[Cell]:
    """Return the median time and the worst memory of several rounds."""
    seconds, *memory = zip(*taken, strict=True)
    return [statistics.median(seconds), *(None if None in column else max(column) for column in memory)]


def _child(name: str, steps: int) -> list[Cell] | str:
    """Return a contender's row without its name, or why it is missing."""
    command = [sys.executable, "-m", "tests.benchmarks.in_place_memory", name, str(steps)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    if done.returncode == _EXIT_MISSING:
        return done.stdout.strip()
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


# In the child


def resident() -> float:
    """Return this process's resident memory in bytes; the peak so far where the system does not tell more."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * 4096.0
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(usage if sys.platform == "darwin" else usage * 1024)


def measure(make: Callable[[], tuple[Step, Callable[[], object]]], steps: int, *, traced: bool) -> list[Cell]:
    """Return us per step, resident growth and peak, traced growth, and the steps that allocated."""
    step, wait = make()
    for i in range(_WARMUP):
        step(i)
    wait()
    before = peak = resident()
    blocks = []
    for first in range(0, steps, _BLOCK):
        start = perf_counter()
        for i in range(first, first + _BLOCK):
            step(i)
        peak = max(peak, resident())
        wait()
        blocks.append((perf_counter() - start) / _BLOCK * 1e6)
    row: list[Cell] = [statistics.median(blocks), (resident() - before) / MB, (max(peak, resident()) - before) / MB]
    return row + (_trace(make, steps) if traced else [None, None])


def _trace(make: Callable[[], tuple[Step, Callable[[], object]]], steps: int) -> list[Cell]:
    tracemalloc.start()
    step, wait = make()
    for i in range(_WARMUP):
        step(i)
    wait()
    started, _ = tracemalloc.get_traced_memory()
    allocating = 0
    for first in range(0, steps, _BLOCK):
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for i in range(first, first + _BLOCK):
            step(i)
        wait()
        allocating += tracemalloc.get_traced_memory()[1] - before > NBYTES / 2
    growth = (tracemalloc.get_traced_memory()[0] - started) / MB
    tracemalloc.stop()
    return [growth, allocating]


def _latebind() -> tuple[Step, Callable[[], object]]:
    import latebind as lb

    x = lb.asarray(np.zeros(SHAPE))
    v = lb.asarray(np.ones(SHAPE[1]))

    def step(i: int) -> None:
        nonlocal x
        x[i % SHAPE[0]] = v
        x += 1
        lb.mark_step()

    return step, lb.wait_device_ops


def _numpy() -> tuple[Step, Callable[[], object]]:
    x, v = np.zeros(SHAPE), np.ones(SHAPE[1])

    def step(i: int) -> None:
        nonlocal x
        x[i % SHAPE[0]] = v
        x += 1

    return step, lambda: None


def _torch() -> tuple[Step, Callable[[], object]]:
    torch = peers.load_torch()
    x, v = torch.zeros(SHAPE, dtype=torch.float64), torch.ones(SHAPE[1], dtype=torch.float64)

    def step(i: int) -> None:
        nonlocal x
        x[i % SHAPE[0]] = v
        x += 1

    return step, lambda: None


def _lazy_core() -> tuple[Step, Callable[[], object]]:
    core = peers.LazyCore()
    x, v = core.asarray(np.zeros(SHAPE)), core.asarray(np.ones(SHAPE[1]))

    def step(i: int) -> None:
        nonlocal x
        # Every index is a graph of its own to the lazy core; one row keeps its cache warm.
        x[0] = v
        x += 1
        core.mark_step()

    return step, core.wait


def _jax() -> tuple[Step, Callable[[], object]]:
    jax = peers.load_jax()
    jax.config.update("jax_enable_x64", True)
    x, v = jax.numpy.zeros(SHAPE), jax.numpy.ones(SHAPE[1])
    update = jax.jit(lambda x, i, v: x.at[i].set(v) + 1, donate_argnums=0)

    def step(i: int) -> None:
        nonlocal x
        x = update(x, i % SHAPE[0], v)

    return step, lambda: x.block_until_ready()


#: How to make the loop, and whether tracemalloc sees its buffers.
_CONTENDERS = {
    peers.LATEBIND: (_latebind, True),
    peers.NUMPY: (_numpy, True),
    peers.TORCH: (_torch, False),
    f"{peers.LAZY_CORE} (x[0] = v)": (_lazy_core, False),
    f"{peers.JIT}, donating": (_jax, False),
}


def main() -> None:
    """Measure one contender and print its row as JSON."""
    name, steps = sys.argv[1], int(sys.argv[2])
    make, traced = _CONTENDERS[name]
    with ExitStack() as stack:
        if name == peers.LATEBIND:
            stack.enter_context(peers.container())
        try:
            print(json.dumps(measure(make, steps, traced=traced)))
        except peers.MissingPeerError as error:
            print(error)
            sys.exit(_EXIT_MISSING)


if __name__ == "__main__":
    main()
