"""NumPy's protocols: ufuncs and functions of NumPy on a lazy array stay lazy, and `out=` does what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np

from latebind.array import ufunc_methods
from latebind.array.array import Array
from latebind.array.creation_functions import zeros
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.function_table import function_table
from latebind.array.operands import as_array
from latebind.array.operators import operand
from latebind.array.output import deliver
from latebind.array.searching_functions import where as choose
from latebind.array.ufunc_functions import FUNCTIONS, loop_dtypes, to_loop
from latebind.array.ufunc_methods import unsupported
from latebind.errors import ContainerMismatchError, DTypeMismatchError
from latebind.runtime.lazy import LazyTensor

Function = Callable[..., Any]

#: Options that do not change a result of ours.
_IRRELEVANT: Final = frozenset(("order", "subok"))
_METHODS: Final[dict[str, Function]] = {
    "reduce": ufunc_methods.reduce,
    "accumulate": ufunc_methods.accumulate,
    "outer": ufunc_methods.outer,
    "reduceat": ufunc_methods.reduceat,
}
#: Parameters of the methods in NumPy's order; the array comes first.
_PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "reduce": ("axis", "dtype", "out", "keepdims", "initial", "where"),
    "accumulate": ("axis", "dtype", "out"),
    "reduceat": ("axis", "dtype", "out"),
}


# Ufuncs


def array_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Carry out a NumPy ufunc with a lazy array among its operands.

    Without `out`, the operation is recorded. With a NumPy array as `out`, values are computed and written there, under
    the ufunc's own casting rules, so `a += x` changes `a`. With a lazy array as `out`, the write is recorded. Where
    `where` is false, a result without `out` is zero; NumPy leaves it undefined.

    Raises
    ------
    DTypeMismatchError
        For a ufunc, a method or an option that has no lazy form; the message says what to do.
    ContainerMismatchError
        If `out` mixes NumPy arrays and arrays of ours.
    """
    outputs = options.pop("out", ())
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    outputs = () if all(output is None for output in outputs) else outputs
    if any(isinstance(output, np.ndarray) for output in outputs):
        return _into_host(ufunc, method, inputs, outputs, options)
    if method == "at" and isinstance(inputs[0], np.ndarray):
        return ufunc.at(*map(_host, inputs))
    operands = list(inputs) if method == "at" else _operands(inputs, outputs)
    if operands is NotImplemented:
        return NotImplemented
    options = {name: value for name, value in options.items() if name not in _IRRELEVANT}
    try:
        return _recorded(ufunc, method, operands, outputs, options)
    except DTypeMismatchError as error:
        if outputs or str(error) != str(unsupported(ufunc, method)):
            raise
        converting = _converting(inputs)
        if converting is None:
            raise
        converting.metrics.count(f"NumpyFallback::{ufunc.__name__}")
        return getattr(ufunc, method)(*map(_host, inputs), **{name: _host(one) for name, one in options.items()})


def _recorded(
    ufunc: np.ufunc, method: str, operands: list[Any], outputs: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    if method == "__call__":
        return _call(ufunc, operands, outputs, options)
    if method == "at":
        return ufunc_methods.at(ufunc, operands[0], *operands[1:])
    if method not in _METHODS:
        raise unsupported(ufunc, method)
    if method == "outer":
        if outputs:
            options["out"] = outputs
        return ufunc_methods.outer(ufunc, operands[0], operands[1], **options)
    taken = 2 if method == "reduceat" else 1
    named = {**dict(zip(_PARAMETERS[method], operands[taken:], strict=False)), **options}
    given = named.pop("out", None) or (outputs[0] if outputs else None)
    if unknown := named.keys() - set(_PARAMETERS[method]):
        raise DTypeMismatchError(
            f"np.{ufunc.__name__}.{method} of a lazy array takes no option {', '.join(sorted(unknown))}"
        )
    named = {name: value for name, value in named.items() if value is not np._NoValue}
    result = _METHODS[method](ufunc, *operands[:taken], **named)
    return deliver(f"np.{ufunc.__name__}.{method}", result, given)


def _call(ufunc: np.ufunc, operands: list[Any], outputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    name = f"np.{ufunc.__name__}"
    if ufunc not in FUNCTIONS:
        raise unsupported(ufunc, "__call__")
    mask = options.pop("where", True)
    dtype, casting = options.pop("dtype", None), options.pop("casting", "same_kind")
    if ufunc.signature is None and options:
        raise DTypeMismatchError(
            f"{name} of a lazy array takes no option {', '.join(sorted(options))}: use astype or where()"
        )
    if dtype is not None or casting != "same_kind":
        loop = loop_dtypes(ufunc, tuple(operands), dtype, casting)
        result = FUNCTIONS[ufunc](*to_loop(tuple(operands), loop), **options)
        if not isinstance(result, tuple):
            result = astype(result, loop[-1], copy=False)
    else:
        result = FUNCTIONS[ufunc](*operands, **options)
    if mask is not True:
        result = _masked(result, mask, outputs)
    if not outputs:
        return result
    if not isinstance(result, tuple):
        return deliver(name, result, outputs[0])
    return tuple(deliver(name, one, out) for one, out in zip(result, outputs, strict=True))


def _masked(result: Any, mask: Any, outputs: tuple[Any, ...]) -> Any:
    if isinstance(result, tuple):
        old = outputs or (None,) * len(result)
        return tuple(_masked(one, mask, () if out is None else (out,)) for one, out in zip(result, old, strict=True))
    mask = as_array(mask, result._ground)
    shape = np.broadcast_shapes(result.shape, mask.shape)
    kept = outputs[0] if outputs else zeros(shape, dtype=result.dtype, device=result.device)
    return choose(mask, broadcast_to(result, shape), astype(kept, result.dtype, copy=False))


def _operands(inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
    """Return the operands as our functions take them, at least one an array; `NotImplemented` for foreign types."""
    array = next((value for value in (*inputs, *outputs) if isinstance(value, Array)), None)
    if array is None:  # only where= is lazy
        return [as_array(inputs[0]), *inputs[1:]]
    operands = [operand(value, array) if position < 2 else value for position, value in enumerate(inputs)]
    if operands[0] is NotImplemented or any(
        value is NotImplemented and not _is_option(given) for value, given in zip(operands, inputs, strict=True)
    ):
        return NotImplemented
    operands = [given if value is NotImplemented else value for value, given in zip(operands, inputs, strict=True)]
    if not isinstance(operands[0], LazyTensor) and not any(isinstance(one, LazyTensor) for one in operands):
        operands[0] = as_array(operands[0], array._ground)
    return operands


def _is_option(value: Any) -> bool:
    """Whether a positional argument can be an axis or an index, which are no operands."""
    return value is None or value is Ellipsis or isinstance(value, (slice, type, np.dtype))


def _into_host(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], outputs: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Compute now and write into NumPy arrays."""
    if not all(isinstance(output, np.ndarray) or output is None for output in outputs):
        raise ContainerMismatchError(f"np.{ufunc.__name__}: out mixes NumPy arrays and lazy arrays")
    values = map(_host, inputs)
    return getattr(ufunc, method)(*values, out=outputs, **{name: _host(one) for name, one in options.items()})


# Functions


def array_function(function: Function, types: Iterable[type], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Carry out a function of NumPy that got a lazy array.

    Raises
    ------
    DTypeMismatchError
        If it has no lazy form, and the setting `numpy_fallback` does not allow to convert.
    """
    if not all(issubclass(one, LazyTensor) or one is np.ndarray or one is np.memmap for one in types):
        return NotImplemented
    table = function_table()
    if function in table:
        return table[function](*args, **options)
    name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
    executor = _converting((args, options))
    if executor is None:
        raise DTypeMismatchError(
            f"{name} has no lazy form: convert the arrays first (np.asarray(x)), use a function of latebind.numpy, or "
            "set 'numpy_fallback: convert'"
        )
    executor.metrics.count(f"NumpyFallback::{function.__name__}")
    return function(*_host(args), **_host(options))


def _converting(arguments: Any) -> Any:
    """Return the executor of the first lazy array among arguments if its settings allow to convert, else nothing."""
    array = _first(arguments)
    if array is None or array._ground.executor.options.numpy_fallback != "convert":
        return None
    return array._ground.executor


def _first(value: Any) -> Array | None:
    if isinstance(value, Array):
        return value
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return next((found for one in value if (found := _first(one)) is not None), None)
    return None


def _host(value: Any) -> Any:
    """Return arguments with host arrays in the place of lazy ones, in sequences too."""
    if isinstance(value, LazyTensor):
        return np.asarray(value)
    if isinstance(value, dict):
        return {name: _host(one) for name, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_host(one) for one in value)
    return value
