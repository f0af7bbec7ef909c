"""NumPy's ufunc protocol: `np.sin(x)` on a lazy array stays lazy, and `out=` does what it says."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.array.array import Array
from latebind.array.operators import fitted, operand
from latebind.array.operands import apply
from latebind.array.rules.elementwise import COPY, RULES, UFUNCS
from latebind.errors import ContainerMismatchError, DTypeMismatchError, ShapeMismatchError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.views import write

_RULE_OF = {ufunc: RULES[name] for name, ufunc in UFUNCS.items()}


def array_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Carry out a NumPy ufunc with a lazy array among its operands.

    Without `out`, the operation is recorded. With a NumPy array as `out`, values are computed and written there, under the
    ufunc's own casting rules, so `a += x` changes `a`. With a lazy array as `out`, the write is recorded.

    Raises
    ------
    DTypeMismatchError
        For a ufunc, a method or an option that has no lazy form; the message says what to do.
    """
    outputs = options.pop("out", ())
    if any(isinstance(output, np.ndarray) for output in outputs):
        return _into_host(ufunc, method, inputs, outputs, options)
    if method != "__call__" or ufunc not in _RULE_OF:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise DTypeMismatchError(
            f"np.{name} has no lazy form: convert the array first (np.asarray(x)), or use a function of latebind"
        )
    if options:
        raise DTypeMismatchError(
            f"np.{ufunc.__name__} of a lazy array takes no option {', '.join(sorted(options))}: use astype or where()"
        )
    array = next(value for value in (*inputs, *outputs) if isinstance(value, Array))
    operands = [operand(value, array) for value in inputs]
    if any(value is NotImplemented for value in operands):
        return NotImplemented
    if not any(isinstance(value, LazyTensor) for value in operands):
        operands[0] = apply(COPY, operands[0], ground=array._ground)
    result = apply(_RULE_OF[ufunc], *operands)
    return _into_array(ufunc.__name__, result, outputs[0]) if outputs else result


def _into_host(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], outputs: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Compute now and write into NumPy arrays."""
    if not all(isinstance(output, np.ndarray) or output is None for output in outputs):
        raise ContainerMismatchError(f"np.{ufunc.__name__}: out mixes NumPy arrays and lazy arrays")
    values = [np.asarray(value) if isinstance(value, LazyTensor) else value for value in inputs]
    return getattr(ufunc, method)(*values, out=outputs, **options)


def _into_array(name: str, result: Array, target: Array) -> Array:
    """Write a result into a lazy array, as an in-place operator would."""
    if result.shape != target.shape:
        raise ShapeMismatchError(f"np.{name}: the result has shape {result.shape}, out has {target.shape}")
    write(target, result if result._type is target._type else fitted(f"np.{name}", target, result))
    return target
