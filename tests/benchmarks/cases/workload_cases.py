"""The workloads as cases: one run, from arrays of the library to results that are there."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import Any

import numpy
from tests.benchmarks.case import Case, Prepared
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.libraries.library import Library
from tests.benchmarks.workloads import WORKLOADS, Workload, flat


def prepare(workload: Workload, library: Library, quick: bool) -> Prepared:
    """Put a workload's data where the library computes."""
    run = library.workload(workload)
    data = workload.data(**(workload.toy if quick else workload.full))
    arguments = {
        name: library.asarray(value) if isinstance(value, numpy.ndarray) else value for name, value in data.items()
    }
    results: list[Any] = [()]

    def clear() -> None:
        results[0] = ()

    def measure() -> float:
        clear()
        start = perf_counter()
        results[0] = library.wait(flat(run(**arguments)))
        return (perf_counter() - start) * 1e3

    def check() -> None:
        workload.check(data, tuple(library.host(result) for result in results[0]))

    return Prepared(measure, check, clear)


def _case(workload: Workload) -> Case:
    title = (workload.kernel.__doc__ or workload.name).strip().splitlines()[0]
    return Case(title, "ms", tuple(CONTENDERS), partial(prepare, workload), rounds=9, warmup=8, settle=False)


CASES = {workload.name: _case(workload) for workload in WORKLOADS.values()}
