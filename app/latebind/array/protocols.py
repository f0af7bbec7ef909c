"""NumPy's ufunc protocol: `np.sin(x)` on a lazy array stays lazy, and `out=` does what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from latebind.array import (
    elementwise_functions,
    linear_algebra_functions,
    statistical_functions,
    utility_functions,
)
from latebind.array.array import Array
from latebind.array.operands import as_array
from latebind.array.operators import operand
from latebind.array.output import deliver
from latebind.array.rules.elementwise import UFUNCS
from latebind.errors import ContainerMismatchError, DTypeMismatchError
from latebind.runtime.lazy import LazyTensor

#: The function that stands for each ufunc.
_FUNCTIONS: Final[dict[np.ufunc, Callable[..., Any]]] = {
    **{ufunc: getattr(elementwise_functions, name) for name, ufunc in UFUNCS.items()},
    np.divmod: divmod,
    np.fabs: elementwise_functions.abs,
    np.matmul: linear_algebra_functions.matmul,
    np.vecdot: linear_algebra_functions.vecdot,
}
#: The reduction that stands for each ufunc's `reduce`.
_REDUCTIONS: Final[dict[np.ufunc, Callable[..., Array]]] = {
    np.add: statistical_functions.sum,
    np.multiply: statistical_functions.prod,
    np.maximum: statistical_functions.max,
    np.minimum: statistical_functions.min,
    np.logical_and: utility_functions.all,
    np.logical_or: utility_functions.any,
}
#: The running total that stands for each ufunc's `accumulate`.
_ACCUMULATIONS: Final[dict[np.ufunc, Callable[..., Array]]] = {
    np.add: statistical_functions.cumulative_sum,
    np.multiply: statistical_functions.cumulative_prod,
}
#: Options that do not change a result of ours.
_IRRELEVANT: Final = frozenset(("order", "subok"))


def array_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Carry out a NumPy ufunc with a lazy array among its operands.

    Without `out`, the operation is recorded. With a NumPy array as `out`, values are computed and written there, under
    the ufunc's own casting rules, so `a += x` changes `a`. With a lazy array as `out`, the write is recorded.

    Raises
    ------
    DTypeMismatchError
        For a ufunc, a method or an option that has no lazy form; the message says what to do.
    ContainerMismatchError
        If `out` mixes NumPy arrays and arrays of ours.
    """
    outputs = options.pop("out", ())
    if any(isinstance(output, np.ndarray) for output in outputs):
        return _into_host(ufunc, method, inputs, outputs, options)
    function = _lazy_form(ufunc, method)
    options = {name: value for name, value in options.items() if name not in _IRRELEVANT}
    if options.get("dtype", ...) is None:
        del options["dtype"]
    operands = _operands(inputs, outputs)
    if operands is NotImplemented:
        return NotImplemented
    if method == "__call__" and options:
        raise DTypeMismatchError(
            f"np.{ufunc.__name__} of a lazy array takes no option {', '.join(sorted(options))}: use astype or where()"
        )
    if method != "__call__":
        options = _axis_options(ufunc, method, operands[1:], options)
        operands = operands[:1]
    result = function(*operands, **options)
    if not outputs:
        return result
    if not isinstance(result, tuple):
        return deliver(f"np.{ufunc.__name__}", result, outputs[0])
    return tuple(deliver(f"np.{ufunc.__name__}", one, out) for one, out in zip(result, outputs, strict=True))


def _lazy_form(ufunc: np.ufunc, method: str) -> Callable[..., Any]:
    table = {"__call__": _FUNCTIONS, "reduce": _REDUCTIONS, "accumulate": _ACCUMULATIONS}.get(method, {})
    try:
        return table[ufunc]
    except KeyError:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise DTypeMismatchError(
            f"np.{name} has no lazy form: convert the array first (np.asarray(x)), or use a function of latebind"
        ) from None


def _operands(inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
    """Return the operands as our functions take them, at least one an array; `NotImplemented` for foreign types."""
    array = next(value for value in (*inputs, *outputs) if isinstance(value, Array))
    operands = [operand(value, array) for value in inputs]
    if any(value is NotImplemented for value in operands):
        return NotImplemented
    if not any(isinstance(value, LazyTensor) for value in operands):
        operands[0] = as_array(operands[0], array._ground)
    return operands


def _axis_options(ufunc: np.ufunc, method: str, positional: list[Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of `reduce` and `accumulate`, whose axis is the first one unless said otherwise."""
    named = {**dict(zip(("axis", "dtype"), positional, strict=False)), **options}
    allowed = {"axis", "dtype", "keepdims"} if _REDUCTIONS[ufunc] is statistical_functions.sum else {"axis", "keepdims"}
    if ufunc is np.multiply:
        allowed.add("dtype")
    if method == "accumulate":
        allowed.discard("keepdims")
    if unknown := named.keys() - allowed:
        raise DTypeMismatchError(
            f"np.{ufunc.__name__}.{method} of a lazy array takes no option {', '.join(sorted(unknown))}"
        )
    return {"axis": 0, **named}


def _into_host(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], outputs: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Compute now and write into NumPy arrays."""
    if not all(isinstance(output, np.ndarray) or output is None for output in outputs):
        raise ContainerMismatchError(f"np.{ufunc.__name__}: out mixes NumPy arrays and lazy arrays")
    values = [np.asarray(value) if isinstance(value, LazyTensor) else value for value in inputs]
    return getattr(ufunc, method)(*values, out=outputs, **options)
