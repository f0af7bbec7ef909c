"""Values that are pending in another thread's recording."""

from __future__ import annotations

import threading
from time import sleep
from typing import TYPE_CHECKING

from latebind.backends.interface import BackendData
from latebind.errors import CaptureError, ExecutionError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.running import checks_of, is_at, settle
from latebind.runtime.tape import Tape
from latebind.runtime.user_frames import user_line

if TYPE_CHECKING:
    from latebind.runtime.executor import LazyGraphExecutor


def snapshot(executor: LazyGraphExecutor, array: LazyTensor, tape: Tape) -> BackendData | None:
    """Compute one array of another thread's open recording without disturbing that thread.

    The records that are complete now are enough: the array is one of them. Its own thread goes on recording and
    finds it materialised. If that thread closes the recording meanwhile, its results are waited for, and `None`
    is returned.
    """
    if tape.capturing:
        raise CaptureError(
            f"{user_line()}: this array was made while compile() captured a function, and is neither a result of "
            "it nor an argument: return it from the function"
        )
    executor.check_usable()
    runner = executor.runner
    position = array._pos  # before the length: the array's thread may re-bind it to a later record
    length = tape.complete_length()
    leaves = list(tape.leaves)
    if tape.closed:
        _await_binding(array, tape)
        return None
    if array._tape is not tape:
        return None
    copy = tape.closed_copy(leaves, list(tape.scalars), {}, length)
    wanted = sorted({position, *(check.flag._pos for check in copy.checks)})
    structure = executor.cache.find(copy.records, None, tape.ground.device)
    structure.sightings += 1
    executor.metrics.count("Recordings")
    if structure.sightings <= runner.interpretations:
        executor.metrics.count("Interpreted")
        isolation = runner.isolation(copy)
        settle(leaves)
        values = isolation.interpreter().run(wanted, dict(enumerate(leaves)))
        results = [values[one] for one in wanted]
        isolation.apply_checks(checks_of(copy), wanted, results)
        return _bind(array, tape, position, results[wanted.index(position)])
    variant = structure.match(wanted, copy.scalars, ())
    if variant is None:
        variant = runner.compile(copy, structure, wanted, [])
    else:
        executor.metrics.count("CachedCompile")
    arguments = variant.executable.arguments(executor.backend, leaves, copy.scalars)
    results = runner.execute(variant, arguments, runner.isolation(copy))
    runner.isolation(copy).apply_checks(checks_of(copy), variant.outputs, results)
    return _bind(array, tape, position, results[variant.outputs.index(position)])


def _bind(array: LazyTensor, tape: Tape, position: int, data: BackendData) -> BackendData:
    """Bind the array, unless its own thread has bound or re-bound it meanwhile."""
    if is_at(array, tape, position):
        array._data = data
        array._tape = tape.ground
    return data


def _await_binding(array: LazyTensor, tape: Tape) -> None:
    """Wait until the thread that closed a recording has bound an array of it."""
    while array._tape is tape:
        if not tape.closed:  # interrupted, and open again
            return
        if tape.ident == threading.get_ident() and not tape.finished:
            raise ExecutionError("a finaliser or signal handler needs a value of the recording that is being run")
        if tape.finished and array._tape is tape:
            raise ExecutionError("the array's value is lost: its computation was interrupted")
        sleep(1e-4)
