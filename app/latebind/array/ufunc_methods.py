"""The methods of NumPy's ufuncs on lazy arrays: `reduce`, `accumulate`, `outer`, `at` and `reduceat`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.array import statistical_functions as statistics
from latebind.array import utility_functions as utility
from latebind.array.creation_functions import arange, full
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.manipulation_functions import concat, moveaxis, reshape, stack
from latebind.array.operands import ArrayLike, apply, as_array
from latebind.array.rules.common import cast, normalize_axes, normalize_axis
from latebind.array.rules.common import reshape as reshape_value
from latebind.array.rules.reductions import MAX, MIN, PROD, SUM
from latebind.array.searching_functions import where as choose
from latebind.array.short_reductions import known_reduction, remember_axis
from latebind.array.ufunc_functions import FUNCTIONS, loop_dtypes
from latebind.errors import DTypeMismatchError, OutOfBoundsError, ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.ir.opkind import OpKind
from latebind.runtime.signature import Rule
from latebind.runtime.views import write

if TYPE_CHECKING:
    from latebind.array.array import Array

Function = Callable[..., Any]

#: Reductions of the standard that are a ufunc's `reduce`.
_REDUCTIONS: Final[dict[np.ufunc, Function]] = {
    np.add: statistics.sum,
    np.multiply: statistics.prod,
    np.maximum: statistics.max,
    np.minimum: statistics.min,
    np.logical_and: utility.all,
    np.logical_or: utility.any,
}
#: Those of them that are recorded at once when they come again.
_RULES: Final[dict[np.ufunc, Rule]] = {np.add: SUM, np.multiply: PROD, np.maximum: MAX, np.minimum: MIN}
_ACCUMULATIONS: Final[dict[np.ufunc, Function]] = {
    np.add: statistics.cumulative_sum,
    np.multiply: statistics.cumulative_prod,
}
#: Operands may be combined in any grouping, so that pairs take as many steps as the length has bits.
_ASSOCIATIVE: Final = frozenset(
    (
        np.add,
        np.bitwise_and,
        np.bitwise_or,
        np.bitwise_xor,
        np.fmax,
        np.fmin,
        np.hypot,
        np.logaddexp,
        np.logaddexp2,
        np.logical_and,
        np.logical_or,
        np.logical_xor,
        np.maximum,
        np.minimum,
        np.multiply,
    )
)
_LOGICAL: Final = frozenset((np.logical_and, np.logical_or, np.logical_xor))
#: What `at` does with elements that are named more than once, as the body of a scatter.
_BODIES: Final = {
    np.add: "stablehlo::add",
    np.subtract: "stablehlo::add",
    np.multiply: "stablehlo::multiply",
    np.maximum: "stablehlo::maximum",
    np.minimum: "stablehlo::minimum",
    np.bitwise_and: "stablehlo::and",
    np.bitwise_or: "stablehlo::or",
}


def unsupported(ufunc: np.ufunc, method: str) -> DTypeMismatchError:
    """Return the error for a ufunc or a method that has no lazy form."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    return DTypeMismatchError(
        f"np.{name} has no lazy form: convert the array first (np.asarray(x)), use a function of latebind, or set "
        "'numpy_fallback: convert'"
    )


def _function(ufunc: np.ufunc, method: str) -> Function:
    if ufunc.nin != 2 or ufunc.nout != 1 or ufunc.signature is not None or ufunc not in FUNCTIONS:
        raise unsupported(ufunc, method)
    return FUNCTIONS[ufunc]


def reduce(
    ufunc: np.ufunc,
    array: ArrayLike,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Array:
    """Combine all elements along axes.

    Parameters
    ----------
    ufunc : numpy.ufunc
        Of two operands.
    array : Array or array-like
    axis : int, tuple of int or None
        `None` for all axes.
    dtype : dtype, optional
        Of the computation.
    keepdims : bool
    initial : number, optional
        What the reduction starts with.
    where : Array or array-like
        Which elements take part; broadcasts.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range, or there is nothing to combine and the ufunc has no identity.
    DTypeMismatchError
        If the ufunc has no lazy form.
    """
    rule = _RULES.get(ufunc) if dtype is None and initial is None and where is True else None
    known = None if rule is None else known_reduction(rule, array, axis, keepdims)
    if known is not None:
        return known
    function = _function(ufunc, "reduce")
    x = as_array(array)
    axes = normalize_axes(f"{ufunc.__name__}.reduce", axis, x.ndim)
    x = _operand(ufunc, x, dtype)
    if where is not True:
        x = _masked(ufunc, x, where, initial)
    shape = tuple(1 if i in axes else extent for i, extent in enumerate(x.shape))
    if initial is not None and any(x.shape[i] == 0 for i in axes):
        kept = shape if keepdims else tuple(extent for i, extent in enumerate(x.shape) if i not in axes)
        return full(kept, initial, dtype=x.dtype, device=x.device)
    if ufunc in _REDUCTIONS:
        options = {"dtype": dtype} if ufunc in (np.add, np.multiply) and dtype is not None else {}
        result: Array = _REDUCTIONS[ufunc](x, axis=axes, keepdims=keepdims, **options)
        if rule is not None:
            remember_axis(rule, x, axis, axes, keepdims)
    else:
        result = _fold_axes(ufunc, function, x, axes, keepdims)
    if initial is not None:
        result = function(result, as_array(initial, x._ground).astype(result.dtype))
    return result


def _operand(ufunc: np.ufunc, x: Array, dtype: Any) -> Array:
    if ufunc in _LOGICAL:
        return astype(x, np.bool_, copy=False)
    if dtype is None or ufunc in (np.add, np.multiply):
        return x
    return astype(x, loop_dtypes(ufunc, (x, x), dtype)[0], copy=False)


def identity_of(ufunc: np.ufunc, x: Array, initial: Any) -> Any:
    """Return what takes the place of elements that do not take part.

    Raises
    ------
    ShapeMismatchError
        If the ufunc has no identity and there is no initial value.
    """
    found = initial if ufunc.identity is None else ufunc.identity
    if found is None:
        raise ShapeMismatchError(
            f"np.{ufunc.__name__}.reduce with where= needs initial=, because the operation has no identity"
        )
    return found


def _masked(ufunc: np.ufunc, x: Array, where: Any, initial: Any) -> Array:
    mask = broadcast_to(as_array(where, x._ground), x.shape)
    return choose(mask, x, astype(as_array(identity_of(ufunc, x, initial), x._ground), x.dtype))


def _fold_axes(ufunc: np.ufunc, function: Function, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    kept = tuple(extent for i, extent in enumerate(x.shape) if i not in axes)
    ones = tuple(1 if i in axes else extent for i, extent in enumerate(x.shape))
    moved = moveaxis(x, axes, tuple(range(len(axes))))
    flat = reshape(moved, (-1 if x.size else int(np.prod([x.shape[i] for i in axes], dtype=int)), *kept))
    if not flat.shape[0]:
        if ufunc.identity is None:
            raise ShapeMismatchError(f"np.{ufunc.__name__}.reduce of no elements: the operation has no identity")
        result = full(kept, ufunc.identity, dtype=x.dtype, device=x.device)
    elif ufunc in _ASSOCIATIVE:
        result = _in_pairs(function, flat)
    else:
        result = functools.reduce(function, [flat[i] for i in range(flat.shape[0])])
    return reshape(result, ones) if keepdims else result


def _in_pairs(function: Function, x: Array) -> Array:
    while (length := x.shape[0]) > 1:
        half = length // 2
        paired = function(x[:half], x[half : 2 * half])
        x = paired if length == 2 * half else concat([paired, x[2 * half :]])
    return x[0]


def accumulate(ufunc: np.ufunc, array: ArrayLike, axis: int = 0, dtype: Any = None) -> Array:
    """Return the results of combining all elements up to each position of an axis.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range.
    DTypeMismatchError
        If the ufunc has no lazy form.
    """
    function = _function(ufunc, "accumulate")
    x = as_array(array)
    number = normalize_axis(f"{ufunc.__name__}.accumulate", axis, x.ndim)
    if ufunc in _ACCUMULATIONS:
        return _ACCUMULATIONS[ufunc](x, axis=number, dtype=dtype)  # type: ignore[no-any-return]
    moved = moveaxis(_operand(ufunc, x, dtype), number, 0)
    length = moved.shape[0]
    if ufunc in _ASSOCIATIVE:
        step = 1
        while step < length:
            moved = concat([moved[:step], function(moved[step:], moved[:-step])])
            step *= 2
    elif length:
        totals = [moved[0]]
        for i in range(1, length):
            totals.append(function(totals[-1], moved[i]))
        moved = stack(totals)
    return moveaxis(moved, 0, number)


def outer(ufunc: np.ufunc, x1: ArrayLike, x2: ArrayLike, **options: Any) -> Array:
    """Apply a ufunc to all pairs of elements: the axes of the first operand, then those of the second.

    Raises
    ------
    DTypeMismatchError
        If the ufunc has no lazy form.
    """
    from latebind.array.protocols import array_ufunc

    _function(ufunc, "outer")
    first, second = as_array(x1), as_array(x2)
    columns = reshape(first, first.shape + (1,) * second.ndim)
    return array_ufunc(ufunc, "__call__", (columns, second), options)  # type: ignore[no-any-return]


def reduceat(ufunc: np.ufunc, array: ArrayLike, indices: ArrayLike, axis: int = 0, dtype: Any = None) -> Array:
    """Reduce the sections of an axis that start at indices; the indices are read.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range.
    OutOfBoundsError
        If an index is.
    """
    x, starts = as_array(array), np.asarray(indices)
    number = normalize_axis(f"{ufunc.__name__}.reduceat", axis, x.ndim)
    moved = moveaxis(x, number, 0)
    length = moved.shape[0]
    if starts.size and not (starts.min() >= 0 and starts.max() < length):
        raise OutOfBoundsError(f"np.{ufunc.__name__}.reduceat: an index is out of bounds for axis of size {length}")
    sections = []
    for start, stop in zip(starts, [*starts[1:], length], strict=True):
        section = moved[int(start) : max(int(stop), int(start) + 1)]
        sections.append(reduce(ufunc, section, axis=0, dtype=dtype))
    return moveaxis(stack(sections), 0, number)


def _scatter(b: IrBuilder, x: Value, indices: Value, updates: Value, *, body: str) -> Value:
    """Combine updates into a one-dimensional array; StableHLO `scatter`."""
    return b.op(
        "stablehlo::scatter",
        x,
        reshape_value(b, indices, (*indices.shape, 1)),
        cast(b, updates, x.dtype),
        update_window_dims=(),
        inserted_window_dims=(0,),
        scatter_dims_to_operand_dims=(0,),
        index_vector_dim=1,
        indices_are_sorted=False,
        unique_indices=False,
        update_computation=OpKind.get(body),
    )


SCATTER: Final = Rule("at", _scatter)


def at(ufunc: np.ufunc, array: Array, key: Any, values: ArrayLike | None = None) -> None:
    """Combine values into elements in place; an element that is named more than once gets each of its values.

    Parameters
    ----------
    ufunc : numpy.ufunc
        One operand, or one of `add`, `subtract`, `multiply`, `maximum`, `minimum`, `bitwise_and`, `bitwise_or`.
    array : Array
    key
        Anything that indexes the array.
    values : Array or array-like
        Broadcasts to the elements.

    Raises
    ------
    DTypeMismatchError
        For another ufunc, or values whose dtype the array cannot hold.
    """
    if ufunc.nin == 1 and ufunc in FUNCTIONS:
        array[key] = FUNCTIONS[ufunc](array[key])
        return
    if ufunc not in _BODIES or values is None:
        raise unsupported(ufunc, "at")
    dtypes = loop_dtypes(ufunc, (array, values))
    if not np.can_cast(dtypes[-1], array.dtype, casting="same_kind"):
        raise DTypeMismatchError(
            f"np.{ufunc.__name__}.at: the result has dtype {dtypes[-1].name}, which an array of {array.dtype.name} "
            "cannot hold"
        )
    places = reshape(arange(array.size, device=array.device), array.shape)[key]
    updates = broadcast_to(as_array(values, array._ground), places.shape)
    if ufunc is np.subtract:
        updates = FUNCTIONS[np.negative](astype(updates, array.dtype))
    flat = reshape(array, (-1,))
    combined = apply(SCATTER, flat, reshape(places, (-1,)), reshape(updates, (-1,)), body=_BODIES[ufunc])
    write(array, reshape(combined, array.shape, copy=True))
