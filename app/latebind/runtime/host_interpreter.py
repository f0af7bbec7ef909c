"""Running a recording operation by operation on host arrays, for backends whose values are host arrays.

What `Interpreter` does with kernels, this does with the rules' direct functions: nothing is lowered or compiled, and
intermediate values are bare arrays. An operation that its direct function leaves to the nodes goes to the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from sys import getrefcount
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.backends.interface import Backend, BackendData
from latebind.runtime.direct import quiet_context
from latebind.runtime.signature import DONATION_BYTES

if TYPE_CHECKING:
    from latebind.runtime.interpreter import Interpreter
    from latebind.runtime.signature import Signature


def run_on_host(
    interpreter: Interpreter,
    outputs: Collection[int],
    leaves: dict[int, BackendData],
    donatable: Collection[int],
    one: Callable[..., np.ndarray | None] | None = None,
) -> dict[int, BackendData]:
    """Return the data of each output; failed ones have their error set.

    Parameters
    ----------
    interpreter, outputs, leaves, donatable
        As for `Interpreter.run`.
    one
        Called instead of `run_one` for each operation that is needed, in order.
    """
    one = one or run_one
    last_uses, needed = interpreter.last_uses(outputs)
    backend, device, records, scalars = (
        interpreter.compiler.backend,
        interpreter.device,
        interpreter.records,
        interpreter.scalars,
    )
    kept = {-1 - leaf for leaf in leaves if leaf not in donatable}
    values = _leaf_values(backend, leaves, donatable)
    run = quiet_context().run
    next_scalar = 0
    for position, entry in enumerate(records):
        signature: Signature = entry[0]
        first, next_scalar = next_scalar, next_scalar + signature.scalar_count
        if not needed[position]:
            continue
        keys = [position - code if code > 0 else code for code in entry[1:]]
        operands = [values[key] for key in keys]
        given = scalars[first:next_scalar] if signature.scalar_count else ()
        if position in last_uses:
            dying = [key for key in last_uses[position] if key not in kept]
            for key in dying:
                del values[key]
        else:
            dying = []
        out = one(run, interpreter, signature, operands, given, keys, dying)
        values[position] = _fallen_back(interpreter, position, signature, operands, given) if out is None else out
        operands.clear()
    results = {}
    for position in outputs:
        value = values[position]
        results[position] = (
            value
            if isinstance(value, BackendData)
            else backend.data_from_host(records[position][0].type, device, value)
        )
    return results


def _leaf_values(backend: Backend, leaves: dict[int, BackendData], donatable: Collection[int]) -> dict[int, Any]:
    """Return leaves as arrays; as data what may be overwritten, what failed, and what is on its way."""
    values: dict[int, Any] = {}
    for leaf, data in leaves.items():
        host = backend.host_handle(data) if data.error is None and leaf not in donatable else None
        values[-1 - leaf] = data if host is None else host
    leaves.clear()
    return values


def run_one(
    run: Any,
    interpreter: Interpreter,
    signature: Signature,
    operands: list[Any],
    scalars: Any,
    keys: list[int],
    dying: list[int],
) -> np.ndarray | None:
    """Return the value of one operation; `None` if the direct function cannot give it."""
    rule, type = signature.rule, signature.type
    function = rule.direct
    if function is None:
        return None
    target = -1
    if dying and signature.has_large_operand and (rule.ufunc is not None or rule.direct_write is not None):
        target = _overwritable(interpreter, signature, operands, keys, dying)
    try:
        for index, operand in enumerate(operands):
            if operand.__class__ is not np.ndarray:
                if operand.error is not None:
                    return None
                operand.wait()
                operands[index] = interpreter.compiler.backend.host_handle(operand)
        arguments = signature.host_operands(operands, scalars) if scalars else operands
        if target < 0:
            out = run(function, *arguments, **signature.keywords)
        elif rule.ufunc is not None:
            out = run(rule.ufunc, *arguments, out=operands[target])
        else:
            out = arguments[0]
            run(rule.direct_write, *arguments, **signature.keywords)
    except Exception:
        return None
    if out.__class__ is not np.ndarray:
        out = np.asarray(out)
    return out if out.dtype == type.dtype and out.shape == type.shape else None


#: What holds an intermediate value of which this is the last use: the list of operands, a local, and the question.
_HOLDERS: Final = 3


def _overwritable(
    interpreter: Interpreter, signature: Signature, operands: list[Any], keys: list[int], dying: list[int]
) -> int:
    """Return an operand whose memory the result may take, or -1."""
    type = signature.type
    if type.nbytes < DONATION_BYTES:
        return -1
    candidates = range(len(operands)) if signature.rule.ufunc is not None else (0,)
    for index in candidates:
        operand = operands[index]
        if keys[index] not in dying or keys.count(keys[index]) > 1:
            continue
        if operand.__class__ is np.ndarray:
            if (
                getrefcount(operand) <= _HOLDERS
                and operand.base is None
                and operand.dtype == type.dtype
                and operand.shape == type.shape
                and operand.flags.writeable
            ):
                return index
        elif operand.type is type and operand.error is None and getrefcount(operand) <= _HOLDERS:
            operand.wait()
            if interpreter.compiler.backend.can_donate(operand):
                return index
    return -1


def _fallen_back(
    interpreter: Interpreter, position: int, signature: Signature, operands: list[Any], scalars: Any
) -> Any:
    """Run one operation through its nodes; return an array, or data that failed."""
    backend = interpreter.compiler.backend
    arrays = [type for type, scalar in zip(signature.operand_types, signature.is_scalar, strict=True) if not scalar]
    data = [
        operand if isinstance(operand, BackendData) else backend.data_from_host(type, interpreter.device, operand)
        for operand, type in zip(operands, arrays, strict=True)
    ]
    result = interpreter.run_one(position, data, scalars, [])
    host = backend.host_handle(result) if result.error is None else None
    return result if host is None else host
