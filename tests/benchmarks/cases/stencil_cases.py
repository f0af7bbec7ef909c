"""A stencil of 1,000 steps written as a plain Python loop, as a whole: first run and warm run."""

from __future__ import annotations

from functools import partial

from tests.benchmarks.case import Case, Prepared
from tests.benchmarks.cases.workload_cases import prepare
from tests.benchmarks.contenders import BACKENDS, LATEBIND
from tests.benchmarks.libraries.library import Library
from tests.benchmarks.workloads import WORKLOADS
from tests.benchmarks.workloads.stencils import jacobi_data
from tests.benchmarks.workloads.workload import Workload

#: Sides of the grid.
SIDES = (150, 350, 1_000)
STEPS = 1_000


def _sized(side: int) -> Workload:
    jacobi = WORKLOADS["jacobi"]
    return Workload(
        jacobi.kernel,
        jacobi_data,
        {"n": side, "steps": STEPS},
        {"n": 10, "steps": 20},
        fused=True,
        peers=jacobi.peers,
    )


def _prepare(side: int, library: Library, quick: bool) -> Prepared:
    return prepare(_sized(side), library, quick)


CASES: dict[str, Case] = {
    f"jacobi_{side}": Case(
        f"Jacobi, {STEPS:,} steps of two half steps on {side} by {side}, float64, the loop as a whole",
        "ms",
        ("numpy", "numba", "torch", "jax-jit", *(f"{LATEBIND}{name}" for name in BACKENDS)),
        partial(_prepare, side),
        rounds=3 if side > 500 else 5,
        warmup=2,
        settle=False,
        notes=("The first run is the first with this side in its process; caches on the disk are off.",),
    )
    for side in SIDES
}
