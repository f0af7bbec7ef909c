"""Kernels written for NumPy give NumPy's result on every backend, unmodified; so do the ports to other libraries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
import pytest
from tests.benchmarks.contenders import BACKENDS, CONTENDERS, LATEBIND
from tests.benchmarks.libraries.library import Library, MissingError, load
from tests.benchmarks.operation_times import operation_times
from tests.benchmarks.workloads import WORKLOADS, Workload, flat
from tests.engines import need

from latebind.backends.registry import default_catalogue

#: Backends that latebind has, and the module of the engine that each needs.
_ENGINES = {"numpy": "numpy", "xla": "jax", "torchscript": "torch", "tiered": "jax"}
_KNOWN = [name for name, settings in BACKENDS.items() if settings["name"] in default_catalogue().specs]


@pytest.fixture(scope="module", params=_KNOWN)
def backend(request: pytest.FixtureRequest) -> Iterator[Library]:
    """latebind on one of its backends."""
    need(_ENGINES[request.param])
    library = load(CONTENDERS[f"{LATEBIND}{request.param}"])
    yield library
    library.close()


@pytest.fixture(params=list(WORKLOADS))
def workload(request: pytest.FixtureRequest) -> Workload:
    """One of the workloads."""
    return WORKLOADS[request.param]


def results(library: Library, workload: Workload, data: dict[str, Any]) -> tuple[numpy.ndarray, ...]:
    """Compute a workload on a library, from host data to host results."""
    run = library.workload(workload)
    arguments = {
        name: library.asarray(value) if isinstance(value, numpy.ndarray) else value for name, value in data.items()
    }
    return tuple(library.host(result) for result in library.wait(flat(run(**arguments))))


def test_an_unmodified_kernel_gives_numpys_result(backend: Library, workload: Workload) -> None:
    data = workload.data(**workload.toy)
    for _ in range(2):  # the second run finds what the first one compiled or learned
        workload.check(data, results(backend, workload, data))


def test_a_kernel_changes_none_of_its_arguments(workload: Workload) -> None:
    data, untouched = workload.data(**workload.toy), workload.data(**workload.toy)
    workload.expected(data)
    for name, value in untouched.items():
        numpy.testing.assert_array_equal(data[name], value, err_msg=name)


def test_operations_of_a_kernel_are_timed_one_by_one(workload: Workload) -> None:
    taken = operation_times(workload, quick=True)
    assert len(taken) >= 4 and min(taken) > 0


def test_a_wrong_result_is_refused(workload: Workload) -> None:
    data = workload.data(**workload.toy)
    first, *others = workload.expected(data)
    with pytest.raises(AssertionError, match="result 0"):
        workload.check(data, (first + 1, *others))
    with pytest.raises(AssertionError, match="result 0 is"):
        workload.check(data, (first.astype(numpy.complex64), *others))
    with pytest.raises(AssertionError, match="results instead of"):
        workload.check(data, (first, *others, first))


@pytest.mark.slow
@pytest.mark.parametrize("contender", ["numexpr", "numba", "jax-jit", "jax", "torch"])
def test_a_peer_gives_numpys_result(contender: str) -> None:
    pytest.importorskip(contender.partition("-")[0])
    library = load(CONTENDERS[contender])
    computed = []
    for workload in WORKLOADS.values():
        try:
            library.workload(workload)
        except MissingError:
            continue
        data = workload.data(**workload.toy)
        workload.check(data, results(library, workload, data))
        computed.append(workload.name)
    assert {"chain", "softmax"} <= set(computed)
