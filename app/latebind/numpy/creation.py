"""Creation functions under NumPy's names and signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from latebind.array import creation_functions as creation
from latebind.array.array import Array
from latebind.array.data_type_functions import astype
from latebind.array.elementwise_functions import add, divide, floor, less, log10, multiply, pow, subtract
from latebind.array.manipulation_functions import moveaxis, reshape
from latebind.array.operands import ArrayLike, is_scalar
from latebind.array.searching_functions import where
from latebind.errors import DTypeMismatchError
from latebind.numpy.arguments import alike, array_of, check_order, count_of, ground_of
from latebind.numpy.shaping import atleast_1d
from latebind.runtime.lazy import LazyTensor

__all__ = [
    "arange",
    "array",
    "asanyarray",
    "asarray",
    "asarray_chkfinite",
    "ascontiguousarray",
    "asfortranarray",
    "copy",
    "empty",
    "empty_like",
    "from_dlpack",
    "frombuffer",
    "fromfunction",
    "fromiter",
    "fromstring",
    "full",
    "full_like",
    "geomspace",
    "linspace",
    "logspace",
    "ndarray",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


#: Arrays are made by functions; the class is for `isinstance`.
ndarray = Array


def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: str = "K",
    subok: bool = False,
    ndmin: int = 0,
    like: Any = None,
) -> Array:
    """Make an array of its own from an array-like; sequences that hold arrays stay lazy.

    Raises
    ------
    DTypeMismatchError
        If the elements are neither numbers nor booleans.
    ShapeMismatchError
        If nested sequences are ragged.
    """
    check_order("array", order)
    plain = isinstance(object, (LazyTensor, np.ndarray))
    made = creation.asarray(object, dtype=dtype, copy=copy if plain or not copy else None)
    if isinstance(object, LazyTensor) and made is object and copy:
        made = made.copy()
    return made if made.ndim >= ndmin else reshape(made, (1,) * (ndmin - made.ndim) + made.shape)


def asarray(
    a: Any,
    dtype: Any = None,
    order: str | None = None,
    *,
    device: Any = None,
    copy: bool | None = None,
    like: Any = None,
) -> Array:
    """Return an array-like as an array; an array as it is unless a dtype or a copy is asked for."""
    check_order("asarray", order)
    return creation.asarray(a, dtype=dtype, device=device, copy=copy)


asanyarray = asarray


def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Array:
    """Return an array with at least one dimension; arrays are always in row-major order."""
    made: Array = atleast_1d(creation.asarray(a, dtype=dtype))
    return made


asfortranarray = ascontiguousarray


def asarray_chkfinite(a: Any, dtype: Any = None, order: str | None = None) -> Array:
    """Return an array after reading whether all its elements are finite.

    Raises
    ------
    ValueError
        If one is infinite or NaN.
    """
    from latebind.array.elementwise_functions import isfinite

    made = asarray(a, dtype, order)
    if made.dtype.kind in "fc" and not bool(isfinite(made).all()):
        raise ValueError("array must not contain infs or NaNs")
    return made


def copy(a: Any, order: str = "K", subok: bool = False) -> Array:
    """Return an array of its own with the same values."""
    return array(a, order=order)


def empty(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None) -> Array:
    """Return an array whose values do not matter. They are zeros."""
    check_order("empty", order)
    return creation.empty(_shape(shape), dtype=dtype, device=device)


def zeros(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None) -> Array:
    """Return an array of zeros, float64 unless the settings say otherwise."""
    check_order("zeros", order)
    return creation.zeros(_shape(shape), dtype=dtype, device=device)


def ones(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None) -> Array:
    """Return an array of ones, float64 unless the settings say otherwise."""
    check_order("ones", order)
    return creation.ones(_shape(shape), dtype=dtype, device=device)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Array:
    """Return an array that is filled with a value, which broadcasts."""
    check_order("full", order)
    value = fill_value if is_scalar(fill_value) else array_of(fill_value)
    return creation.full(_shape(shape), value, dtype=dtype, device=device)


def _shape(shape: Any) -> tuple[int, ...]:
    """Return a shape; extents that are arrays are read."""
    if isinstance(shape, LazyTensor):
        shape = np.asarray(shape)
    return tuple(int(extent) for extent in shape) if isinstance(shape, np.ndarray) and shape.ndim else shape


def _like(a: ArrayLike, value: Any, dtype: Any, shape: Any, device: Any) -> Array:
    model = array_of(a)
    if shape is None:
        return creation.full_like(model, value, dtype=dtype, device=device)
    found = model.dtype if dtype is None else dtype
    return creation.full(_shape(shape), value, dtype=found, device=model.device if device is None else device)


def empty_like(
    prototype: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Array:
    """Return an array like another one, whose values do not matter. They are zeros."""
    return _like(prototype, 0, dtype, shape, device)


def zeros_like(
    a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Array:
    """Return an array of zeros like another one."""
    return _like(a, 0, dtype, shape, device)


def ones_like(
    a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Array:
    """Return an array of ones like another one."""
    return _like(a, 1, dtype, shape, device)


def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Array:
    """Return an array like another one, filled with a value."""
    return _like(a, fill_value if is_scalar(fill_value) else array_of(fill_value), dtype, shape, device)


def arange(*bounds: Any, dtype: Any = None, device: Any = None, like: Any = None, **named: Any) -> Array:
    """Return evenly spaced numbers of a half-open interval: `arange([start,] stop[, step], dtype=None)`.

    Raises
    ------
    ShapeMismatchError
        If the step is zero.
    TypeError
        If the arguments are not those of NumPy's function.
    """
    given = dict(zip(("start",) if len(bounds) == 1 else ("start", "stop", "step", "dtype"), bounds, strict=False))
    if len(bounds) > 4 or given.keys() & named.keys() or named.keys() - {"start", "stop", "step"}:
        raise TypeError("arange takes (stop) or (start, stop, step=1), and dtype")
    given.update(named)
    dtype = given.pop("dtype", dtype)
    if "stop" not in given and "start" not in given:
        raise TypeError("arange() requires stop to be specified.")
    start, stop = given.get("start", 0), given.get("stop")
    step = given.get("step")
    return creation.arange(start, stop, 1 if step is None else step, dtype=dtype, device=device)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Return evenly spaced numbers over an interval; bounds that are arrays give one row of numbers per element.

    Returns
    -------
    Array, or (Array, step) if `retstep`
        The numbers along `axis`. Integers are rounded down.

    Raises
    ------
    ShapeMismatchError
        If `num` is negative.
    """
    count = count_of("linspace", "num", num)
    parts = count - 1 if endpoint else count
    if all(np.ndim(one) == 0 and not isinstance(one, LazyTensor) for one in (start, stop)):
        made = creation.linspace(start, stop, count, dtype=dtype, device=device, endpoint=endpoint)
        step = (stop - start) / parts if parts > 0 else float("nan")
        return (made, np.float64(step) if not isinstance(step, complex) else step) if retstep else made
    first, last = (multiply(bound, 1.0) for bound in alike(start, stop))
    delta = subtract(last, first)
    places = reshape(creation.arange(count, dtype=np.float64, device=delta.device), (count,) + (1,) * delta.ndim)
    offsets = multiply(divide(places, parts), delta) if parts > 0 else multiply(places, delta)
    if parts > 0:
        step = divide(delta, parts)
        offsets = where(step == 0, offsets, multiply(places, step))
    else:
        step = multiply(delta, float("nan"))
    made = add(offsets, first)
    if endpoint and count > 1:
        made[-1] = last
    wanted = made.dtype if dtype is None else np.dtype(dtype)
    made = moveaxis(astype(floor(made) if wanted.kind in "iu" else made, wanted, copy=False), 0, axis)
    return (made, step) if retstep else made


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    """Return numbers whose logarithms are evenly spaced from `start` to `stop`."""
    exponents = linspace(start, stop, num, endpoint=endpoint, axis=axis)
    made = pow(base if is_scalar(base) else array_of(base, ground_of(exponents)), exponents)
    return made if dtype is None else astype(made, dtype, copy=False)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Array:
    """Return numbers that grow by a constant factor, from `start` to `stop`; real bounds.

    Raises
    ------
    DTypeMismatchError
        If a bound is complex.
    ValueError
        If a bound that is a number is zero.
    """
    if any(is_scalar(one) and one == 0 for one in (start, stop)):
        raise ValueError("Geometric sequence cannot include zero")
    first, last = (multiply(bound, 1.0) for bound in alike(start, stop))
    if "c" in (first.dtype.kind, last.dtype.kind):
        raise DTypeMismatchError("geomspace: complex bounds are not supported: use exp(linspace(log(a), log(b), n))")
    sign = where(less(first, 0), -1.0, 1.0)
    first, last = multiply(first, sign), multiply(last, sign)
    made = logspace(log10(first), log10(last), num, endpoint=endpoint)
    if num > 0:
        made[0] = first
        if endpoint and num > 1:
            made[-1] = last
    made = moveaxis(multiply(made, sign), 0, axis)
    return made if dtype is None else astype(made, dtype, copy=False)


def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = float, like: Any = None, **named: Any
) -> Any:
    """Return what a function gives for the coordinate arrays of a shape."""
    from latebind.numpy.grids import indices

    return function(*indices(shape, dtype=dtype), **named)


def fromiter(iter: Any, dtype: Any, count: int = -1, *, like: Any = None) -> Array:
    """Return an array of what an iterator gives."""
    return creation.asarray(np.fromiter(iter, dtype, count))


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0, *, like: Any = None) -> Array:
    """Return a snapshot of a buffer as an array."""
    return creation.asarray(np.frombuffer(buffer, dtype, count, offset))


def fromstring(string: str, dtype: Any = float, count: int = -1, *, sep: str, like: Any = None) -> Array:
    """Return the numbers in a text."""
    return creation.asarray(np.fromstring(string, dtype, count, sep=sep))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """Take an array of another library over through DLPack."""
    return creation.from_dlpack(x, device=device, copy=copy)
