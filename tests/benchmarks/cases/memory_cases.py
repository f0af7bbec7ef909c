"""Memory: a loop of in-place updates, and the peak of whole programs against NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from time import perf_counter
from typing import Any

import numpy
from tests.benchmarks.case import Case, Prepared
from tests.benchmarks.cases.workload_cases import prepare
from tests.benchmarks.contenders import BACKENDS, LATEBIND
from tests.benchmarks.libraries.library import Library
from tests.benchmarks.memory import peak_growth
from tests.benchmarks.workloads import WORKLOADS, Workload

SHAPE = (1_000, 1_000)
#: Programs whose peak is compared: chains whose intermediate results need not be kept, and loops on two grids.
PEAKS = ("chain", "black_scholes", "layer_norm", "jacobi", "kmeans")
_STEPS = 50
_OURS = tuple(f"{LATEBIND}{name}" for name in BACKENDS)
_IN_PLACE = ("numpy", "torch", *_OURS)


def _loop(library: Library) -> Callable[[], Any]:
    """Return a loop of in-place updates on 8 MB that goes on where it stopped."""
    x = library.asarray(numpy.zeros(SHAPE))
    value = library.asarray(numpy.ones(SHAPE[1]))
    rows = count()

    def run() -> None:
        nonlocal x
        for _ in range(_STEPS):
            x[next(rows) % SHAPE[0]] = value
            x += 1
            library.start((x,))
        library.wait((x,))

    return run


def _step(library: Library, quick: bool) -> Prepared:
    run = _loop(library)

    def measure() -> float:
        start = perf_counter()
        run()
        return (perf_counter() - start) / _STEPS * 1e6

    return Prepared(measure)


def _growth(library: Library, quick: bool) -> Prepared:
    return Prepared(partial(peak_growth, _loop(library)))


def _peak(workload: Workload, library: Library, quick: bool) -> Prepared:
    run = prepare(workload, library, quick)

    def measure() -> float:
        assert run.clear is not None
        run.clear()  # else the run drops the results of the one before, and needs no memory for its own
        return peak_growth(run.measure)

    return Prepared(measure, run.check)


CASES: dict[str, Case] = {
    "in_place_step": Case(
        "x[i] = v; x += 1; start it, on an array of 8 MB", "us per step", _IN_PLACE, _step, rounds=15
    ),
    "in_place_growth": Case(
        f"growth of the resident memory over {_STEPS} steps of the same, at its highest",
        "MB",
        _IN_PLACE,
        _growth,
        rounds=5,
        settle=False,
    ),
    **{
        f"peak_{name}": Case(
            f"growth of the resident memory over one warm run of {name}, at its highest",
            "MB",
            ("numpy", "torch", "jax-jit", *_OURS),
            partial(_peak, WORKLOADS[name]),
            rounds=5,
            settle=False,
            notes=("Results count. jax-jit is the hand-written port.",),
        )
        for name in PEAKS
    },
}
