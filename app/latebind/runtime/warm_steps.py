"""The warm step: a recording that is exactly the predicted one, run by one function.

Hot path, measured by `make bench`, rows "x + c and start it": a program that repeats a step closes a recording with the
records, live arrays, scalars and donated buffers of the last time. Then nothing has to be looked up, and what
`Runner` does in twenty small functions is done here in one body: it is worth half of the time of a step of one
operation. Whatever is not as last time is left to `Runner`; the two have to do the same.
"""

from __future__ import annotations

from sys import getrefcount
from time import perf_counter
from typing import TYPE_CHECKING, Final

from latebind.runtime.liveness import UNREFERENCED, release_dead_views
from latebind.runtime.running import SMOOTHING

if TYPE_CHECKING:
    from latebind.runtime.cache import ComputationCache, Structure
    from latebind.runtime.running import Runner
    from latebind.runtime.tape import Tape

#: Computations of a blocking engine that take longer, in seconds, may be the worker's.
SHORT_SECONDS: Final = 2e-4


def run_warm(runner: Runner, cache: ComputationCache, tape: Tape, structure: Structure | None, start: float) -> float:
    """Run a closed recording if it is the predicted one and nothing about it has changed.

    Parameters
    ----------
    runner, cache
        The executor's own.
    tape
        The recording.
    structure
        The one that followed the previous recording the last time.
    start
        `perf_counter()` when the recording was closed.

    Returns
    -------
    float
        `perf_counter()` after the run, or 0 if the recording has to go the general way; it is then untouched.
    """
    if structure is None or tape.checks or not structure.variants or structure.evicted:
        return 0.0
    variant = structure.variants[0]
    executable = variant.executable
    launch = executable.launch
    seconds = variant.seconds
    if launch is None or variant.runs < 2 or seconds is None or structure.records != tape.records:
        return 0.0
    options = runner.options
    if runner.backend.blocking and (
        options.asynchronous == "always"
        or options.eager
        or (options.asynchronous == "auto" and (seconds >= SHORT_SECONDS or options.inline_below_us is not None))
    ):
        return 0.0
    scalars = tape.scalars
    if scalars and not variant.accepts(scalars):
        return 0.0
    arrays = tape.arrays
    if tape.views:
        release_dead_views(arrays, tape.views)
    live = [position for position, count in enumerate(map(getrefcount, arrays)) if count > UNREFERENCED]
    if not live or live != variant.live:
        return 0.0
    for position in live:
        array = arrays[position]
        if array is None or array._link is not None or array._tape is not tape or array._pos != position:
            return 0.0
    leaves = tape.leaves
    for data in leaves:
        if data._ready is not None or data.error is not None:
            return 0.0
    del position, array
    if leaves:
        del data  # one more reference to the last leaf, which could then not be donated
    tape.leaf_of.clear()
    if structure.has_large_leaf and variant.donated != frozenset(runner.donatable(leaves)):
        return 0.0
    if executable.takes_all and len(leaves) == len(executable.leaves):
        arguments = leaves
    else:
        arguments = executable.arguments(runner.backend, leaves, scalars)
    if variant.donated:
        tape.spent = True
        runner.metrics.count("DonatedBuffers", len(variant.donated))
    begin = perf_counter()
    try:
        results = launch(arguments)
    except Exception as error:
        results = runner.isolation(tape).recover(variant, arguments, error)
    end = perf_counter()
    ground = tape.ground
    for position, data in zip(live, results, strict=True):
        array = arrays[position]
        if array is not None and array._tape is tape and array._pos == position:
            array._data = data
            array._tape = ground
    taken = end - begin
    variant.seconds = taken if taken < seconds else seconds + SMOOTHING * (taken - seconds)
    variant.runs += 1
    variant.underused = 0
    structure.sightings += 1
    cache.touch(structure)
    runner.metrics.add_step(len(tape.records), start - tape.started, begin - start, taken)
    if runner.events.observers:
        runner.tell(tape, structure, variant, "computation", live, results, start, begin, end)
        end = perf_counter()  # recording goes on now
    return end
