"""Choosing elements: `where`, `take`, `choose`, `select`, `clip`, `nonzero`, and assignment by masks and indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.array import creation_functions as creation
from latebind.array import elementwise_functions as elementwise
from latebind.array import indexing_functions as indexing
from latebind.array import manipulation_functions as manipulation
from latebind.array import searching_functions as searching
from latebind.array.array import Array
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.operands import ArrayLike, as_array, is_scalar
from latebind.array.output import deliver
from latebind.array.rules.common import normalize_axis
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.numpy.arguments import alike, array_of, flat_unless, ground_of, refuse
from latebind.numpy.shaping import resize
from latebind.runtime.lazy import LazyTensor

__all__ = [
    "argwhere",
    "choose",
    "clip",
    "compress",
    "copyto",
    "extract",
    "flatnonzero",
    "nonzero",
    "piecewise",
    "place",
    "put",
    "put_along_axis",
    "putmask",
    "select",
    "take",
    "take_along_axis",
    "where",
]


def where(condition: ArrayLike, x: Any = None, y: Any = None, /) -> Any:
    """Return elements of `x` where a condition holds, of `y` elsewhere; with the condition alone, as `nonzero`.

    Raises
    ------
    ValueError
        If only one of `x` and `y` is given.
    """
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    ground = ground_of(condition, x, y)
    branches = [one if is_scalar(one) else array_of(one, ground) for one in (x, y)]
    return searching.where(array_of(condition, ground), *branches)


def nonzero(a: ArrayLike) -> tuple[Array, ...]:
    """Return the positions of the elements that are not zero; reads them."""
    return searching.nonzero(array_of(a))


def argwhere(a: ArrayLike) -> Array:
    """Return the positions of the elements that are not zero, one per row; reads them."""
    x = array_of(a)
    if not x.ndim:
        return creation.zeros((int(bool(x)), 0), dtype=np.int64, device=x.device)
    return manipulation.stack(searching.nonzero(x), axis=1)


def flatnonzero(a: ArrayLike) -> Array:
    """Return the positions in the flattened array of the elements that are not zero; reads them."""
    return searching.nonzero(array_of(a).reshape((-1,)))[0]


def extract(condition: ArrayLike, arr: ArrayLike) -> Array:
    """Return the elements of the flattened array where a condition holds, which is read."""
    (places,) = searching.nonzero(array_of(condition).reshape((-1,)))
    return indexing.take(array_of(arr).reshape((-1,)), places)


def compress(condition: ArrayLike, a: ArrayLike, axis: int | None = None, out: Any = None) -> Array:
    """Return the slices of an axis where a condition holds, which is read; it may be shorter than the axis."""
    x, along = flat_unless(array_of(a), axis)
    holds = array_of(condition)
    if holds.ndim != 1:
        raise ShapeMismatchError("compress: condition must be a 1-d array")
    (places,) = searching.nonzero(holds)
    return deliver("compress", indexing.take(x, places, axis=along), out)


def take(a: ArrayLike, indices: ArrayLike, axis: int | None = None, out: Any = None, mode: str = "raise") -> Array:
    """Return elements of an axis by their indices; of the flattened array if there is no axis.

    Parameters
    ----------
    mode : "raise", "wrap" or "clip"
        What happens to indices out of bounds.
    """
    x, along = flat_unless(array_of(a), axis)
    number = normalize_axis("take", along, x.ndim)
    places = indices if isinstance(indices, np.ndarray) else array_of(indices, x._ground)
    return deliver("take", indexing.take(x, within(places, x.shape[number], mode), axis=number), out)


def within(indices: Any, extent: int, mode: str) -> Any:
    """Return indices brought into bounds as a mode says.

    Raises
    ------
    ValueError
        If there is no such mode.
    """
    if mode == "wrap":
        return indices % extent
    if mode == "clip":
        return indices.clip(0, extent - 1)
    if mode != "raise":
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got '{mode}')")
    return indices


def take_along_axis(arr: ArrayLike, indices: ArrayLike, axis: int | None = -1) -> Array:
    """Return elements of an axis by indices that differ along the other axes."""
    x, along = flat_unless(array_of(arr), axis)
    return indexing.take_along_axis(x, array_of(indices, x._ground), axis=along)


def put_along_axis(arr: Any, indices: ArrayLike, values: ArrayLike, axis: int | None) -> None:
    """Assign to elements of an axis, in place, by indices that differ along the other axes."""
    places = array_of(indices, ground_of(arr))
    if axis is None:
        put(arr, places, values)
        return
    number = normalize_axis("put_along_axis", axis, arr.ndim)
    shape = np.broadcast_shapes(places.shape, tuple(1 if i == number else n for i, n in enumerate(arr.shape)))
    key: list[Any] = []
    for i, extent in enumerate(shape):
        along = tuple(-1 if i == one else 1 for one in range(len(shape)))
        key.append(places if i == number else np.arange(extent).reshape(along))
    arr[tuple(key)] = values


def put(a: Any, ind: ArrayLike, v: ArrayLike, mode: str = "raise") -> None:
    """Assign to elements of the flattened array in place; values are repeated as often as needed."""
    _require_ours("put", a)
    places = array_of(ind, a._ground).reshape((-1,))
    if not places.size:
        return
    values = array_of(v, a._ground)
    a.flat[within(places, a.size, mode)] = resize(values, (places.size,)) if values.size > 1 else values


def place(arr: Any, mask: ArrayLike, vals: ArrayLike) -> None:
    """Assign values in order to the elements under a mask, in place; reads the mask.

    Raises
    ------
    ValueError
        If there is something to set and no value.
    """
    _require_ours("place", arr)
    (places,) = searching.nonzero(array_of(mask, arr._ground).reshape((-1,)))
    values = array_of(vals, arr._ground)
    if places.size and not values.size:
        raise ValueError("Cannot insert from an empty array!")
    if places.size:
        arr.flat[places] = resize(values, (places.size,))


def putmask(a: Any, mask: ArrayLike, values: ArrayLike) -> None:
    """Assign to the elements under a mask, in place, the values at the same positions (repeated as often as needed)."""
    _require_ours("putmask", a)
    given = array_of(values, a._ground)
    fitting = given if given.shape == a.shape else resize(given, a.shape)
    a[...] = searching.where(array_of(mask, a._ground), astype(fitting, a.dtype), a)


def copyto(dst: Any, src: ArrayLike, casting: Any = "same_kind", where: Any = True) -> None:
    """Assign to an array in place, where a mask holds; a NumPy array as destination is written now.

    Raises
    ------
    DTypeMismatchError
        If the casting rule does not allow the conversion.
    """
    if isinstance(dst, np.ndarray):
        np.copyto(dst, np.asarray(src), casting=casting, where=np.asarray(where))
        return
    value = src if is_scalar(src) else array_of(src, dst._ground)
    source = value.dtype if isinstance(value, (Array, np.generic)) else np.result_type(dst.dtype, value)  # type: ignore[arg-type]
    if not np.can_cast(source, dst.dtype, casting=casting):
        raise DTypeMismatchError(f"copyto: cannot cast {source} to {dst.dtype.name} according to the rule {casting!r}")
    if where is True:
        dst[...] = value
        return
    full = broadcast_to(astype(as_array(value, dst._ground), dst.dtype), dst.shape)
    dst[...] = searching.where(array_of(where, dst._ground), full, dst)


def _require_ours(name: str, target: Any) -> None:
    if not isinstance(target, LazyTensor):
        raise refuse(name, f"{type(target).__name__} as destination", "convert the values with np.asarray first")


def choose(a: ArrayLike, choices: Any, out: Any = None, mode: str = "raise") -> Array:
    """Return elements of the choice whose number stands at each position; reads whether each number has a choice."""
    numbers = array_of(a)
    options = alike(*choices)
    dtype = np.result_type(*(one.dtype for one in options))
    shape = np.broadcast_shapes(numbers.shape, *(one.shape for one in options))
    stacked = manipulation.stack([broadcast_to(astype(one, dtype, copy=False), shape) for one in options])
    places = within(broadcast_to(numbers, shape), len(options), mode)
    outside = elementwise.logical_or(elementwise.less(places, 0), elementwise.greater_equal(places, len(options)))
    if mode == "raise" and bool(outside.any()):
        raise ValueError("invalid entry in choice array")
    return deliver("choose", indexing.take_along_axis(stacked, places[None], axis=0)[0], out)


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Array:
    """Return elements of the choice whose condition is the first to hold.

    Raises
    ------
    ValueError
        If there are not as many choices as conditions, or none.
    DTypeMismatchError
        If a condition is not boolean.
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError("list of cases must be same length as list of conditions, and not empty")
    conditions, choices = alike(*condlist), alike(*choicelist)
    for number, condition in enumerate(conditions):
        if condition.dtype.kind != "b":
            raise DTypeMismatchError(f"invalid entry {number} in condlist: should be boolean ndarray")
    otherwise = array_of(default)
    dtype = np.result_type(
        *(one if is_scalar(one) else two.dtype for one, two in zip(choicelist, choices, strict=True)),
        default if is_scalar(default) else otherwise.dtype,
    )
    shape = np.broadcast_shapes(*(one.shape for one in (*conditions, *choices, otherwise)))
    result = broadcast_to(astype(otherwise, dtype), shape)
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = searching.where(condition, astype(choice, dtype, copy=False), result)
    return result


def piecewise(x: ArrayLike, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Array:
    """Return what the function of the last condition that holds gives; each one is computed for all elements."""
    values = array_of(x)
    if isinstance(condlist, (list, tuple)) and condlist and not np.isscalar(condlist[0]):
        conditions = alike(*condlist)
    else:
        given = array_of(condlist)
        conditions = [given] if given.shape == values.shape else list(given)
    functions = list(funclist)
    if len(functions) == len(conditions) + 1:
        result = _piece(functions.pop(), values, args, kw)
    elif len(functions) == len(conditions):
        result = creation.zeros_like(values)
    else:
        raise ValueError(
            f"with {len(conditions)} condition(s), either {len(conditions)} or one more function is needed"
        )
    for condition, function in zip(conditions, functions, strict=True):
        result = searching.where(condition, _piece(function, values, args, kw), result)
    return result


def _piece(function: Any, x: Array, args: Any, kw: Any) -> Array:
    value = array_of(function(x, *args, **kw) if callable(function) else function, x._ground)
    return broadcast_to(astype(value, x.dtype, copy=False), x.shape)


def clip(
    a: ArrayLike,
    a_min: Any = None,
    a_max: Any = None,
    out: Any = None,
    *,
    min: Any = None,
    max: Any = None,
    **options: Any,
) -> Array:
    """Limit the elements to an interval."""
    low, high = (one if one is not None else other for one, other in ((a_min, min), (a_max, max)))
    bounds = [one if one is None or is_scalar(one) else array_of(one) for one in (low, high)]
    result = elementwise.clip(array_of(a), *bounds)
    if options.get("dtype") is not None:
        result = astype(result, options["dtype"], copy=False)
    return deliver("clip", result, out)
