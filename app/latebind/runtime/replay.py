"""Running a captured recording again, with other leaves and scalars."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from latebind.backends.interface import BackendData
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.runtime.cache import Structure
    from latebind.runtime.executor import LazyGraphExecutor
    from latebind.runtime.tape import Scalar, Tape


def replay(
    executor: LazyGraphExecutor,
    recording: Tape,
    structure: Structure,
    leaves: list[BackendData],
    scalars: list[Scalar],
    outputs: dict[int, LazyTensor],
    dying: Sequence[tuple[LazyTensor, int, BackendData]] = (),
) -> None:
    """Run a captured recording with these leaves and scalars, into these arrays.

    Parameters
    ----------
    executor
    recording, structure
        What was captured, and its computations.
    leaves
        Taken over: nothing else may hold the list.
    outputs
        Array to bind per position; each has this recording as its tape.
    dying
        Arrays that give up their values, the leaf that these are, and the data that takes their place.
    """
    executor.check_usable()
    start = perf_counter()
    executor.metrics.count("CapturedCalls")
    copy = recording.closed_copy(leaves, scalars, outputs)
    try:
        for array, _, gone in dying:
            array._data = gone
        executor.runner.run(copy, structure, list(outputs), start)
    except BaseException:
        if not copy.spent:
            for array, leaf, _ in dying:
                array._data = leaves[leaf]
        raise
