"""Creation functions of the array API standard.

They make arrays for the current container (`with container:`), or the process default, on `device` or its default
device. Apart from `asarray` and `from_dlpack`, which take host memory over, they are recorded like any operation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeAlias

import numpy as np

from latebind.array.conversion import as_is, convert, create, default_dtype, from_exporter, scalar_of
from latebind.array.conversion import full as full_of
from latebind.array.operands import ArrayLike, apply, as_array, as_arrays, checked_dtype, is_scalar, to_ground
from latebind.array.rules.common import integer
from latebind.array.rules.creation import ARANGE, EYE, LINSPACE, TRIANGLE
from latebind.array.rules.shapes import BROADCAST_TO
from latebind.backends.interface import BackendDevice
from latebind.errors import DeviceMismatchError, DTypeMismatchError, ShapeMismatchError
from latebind.ir.types import DType
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.current import current_executor
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import record
from latebind.runtime.signature import INDEX
from latebind.runtime.tape import Ground

if TYPE_CHECKING:
    from latebind.array.array import Array

Device: TypeAlias = BackendDevice | str | None
DTypeLike: TypeAlias = Any
Shape: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Number: TypeAlias = bool | int | float | complex


def ground_of(device: Device) -> Ground:
    """Return where a creation function puts its result.

    Raises
    ------
    DeviceMismatchError
        If the backend has no such device.
    """
    if device is not None and not isinstance(device, (BackendDevice, str)):
        raise DeviceMismatchError(f"a device is given by its name, such as 'cpu:0', got {device!r}")
    return current_executor().ground(None if device is None else str(device))


def shape_of(name: str, shape: Shape) -> tuple[int, ...]:
    """Return a shape as a tuple of integers.

    Raises
    ------
    ShapeMismatchError
        If an extent is negative.
    DTypeMismatchError
        If one is no integer.
    """
    extents = shape if isinstance(shape, (tuple, list, Sequence)) else (shape,)
    found = tuple(integer(name, "an extent", extent) for extent in extents)
    if any(extent < 0 for extent in found):
        raise ShapeMismatchError(f"{name}: the shape {found} has a negative extent")
    return found


def _dtype(dtype: DTypeLike) -> DType | None:
    return None if dtype is None else checked_dtype(dtype)


def asarray(obj: Any, /, *, dtype: DTypeLike = None, device: Device = None, copy: bool | None = None) -> Array:
    """Convert an object to an array.

    Parameters
    ----------
    obj : Array, number, NumPy array, object with `__array__`, `__dlpack__` or a buffer, or nested sequences of these
        Sequences that hold arrays stay lazy.
    dtype : dtype, optional
        By default the object's own; Python numbers have the default dtypes of the settings.
    device : BackendDevice or str, optional
        By default where an array is, and the default device for everything else.
    copy : bool, optional
        `None` takes a snapshot of host memory that somebody could write to later, and shares the rest. `False` shares
        the memory, or fails if it cannot: a later write to it may or may not be seen. `True` always copies.

    Returns
    -------
    Array
        An array is returned as it is if nothing has to be done.

    Raises
    ------
    DTypeMismatchError
        If the elements are neither numbers nor booleans, or complex and the dtype is real.
    ShapeMismatchError
        If nested sequences are ragged, or `copy=False` cannot be satisfied.
    ScalarRangeError
        If a Python integer does not fit the dtype.
    DeviceMismatchError
        If the backend has no such device.
    """
    if isinstance(obj, LazyTensor):
        return as_is(obj, _dtype(dtype), device, copy)  # type: ignore[arg-type]
    return convert(obj, ground_of(device), _dtype(dtype), copy)


def from_dlpack(x: Any, /, *, device: Device = None, copy: bool | None = None) -> Array:
    """Take an array of another library over through DLPack.

    Parameters
    ----------
    x : object with `__dlpack__` and `__dlpack_device__`
        In host memory.
    device : BackendDevice or str, optional
        By default the default device.
    copy : bool, optional
        Unless it is true, the memory may be shared; latebind never writes to it then.

    Returns
    -------
    Array
        Shape and dtype of `x`.

    Raises
    ------
    DTypeMismatchError
        If `x` exports no memory that the host can see, or its dtype is not supported.
    """
    if isinstance(x, LazyTensor):
        return as_is(x, None, device, copy)  # type: ignore[arg-type]
    host = from_exporter(x)
    checked_dtype(host.dtype)
    return to_ground(host, ground_of(device), copy=copy is True)  # type: ignore[return-value]


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: DTypeLike = None, device: Device = None
) -> Array:
    """Return evenly spaced numbers in the half-open interval `[start, stop)`.

    Parameters
    ----------
    start : number
        First number; the end of the interval, which then starts at 0, if `stop` is left out.
    stop : number, optional
    step : number, optional
    dtype : dtype, optional
        By default the default integer dtype if all three are integers, else the default real dtype.
    device : BackendDevice or str, optional

    Returns
    -------
    Array
        Shape `(ceil((stop - start) / step),)`.

    Raises
    ------
    ShapeMismatchError
        If the step is zero.
    """
    first, last, width = (_host_number("arange", value) for value in (start, stop, step))
    if last is None:
        first, last = 0, first
    if width == 0:
        raise ShapeMismatchError("arange: the step must not be zero")
    ground = ground_of(device)
    integral = all(isinstance(value, int) for value in (first, last, width))
    found = _dtype(dtype) or default_dtype(0 if integral else 0.0, ground)
    if found.kind == "b":
        raise DTypeMismatchError("arange makes numbers: use zeros or asarray for booleans")
    length = len(range(first, last, width)) if integral else max(math.ceil((last - first) / width), 0)
    work = np.dtype(np.float32) if found == np.float16 else found
    begin = scalar_of(first, found) if length else 0
    after = scalar_of(first + width, found) if length > 1 else begin
    return create(ARANGE, ground, (work, begin), (work, after), length=length, dtype=found)


def _host_number(name: str, value: Any) -> Any:
    """Return a number whose value Python code needs; zero-dimensional arrays are read."""
    if isinstance(value, ScalarArgument):
        return value.get()
    if isinstance(value, (LazyTensor, np.generic, np.ndarray)):
        return np.asarray(value).item()
    if value is not None and not isinstance(value, (int, float, complex)):
        raise DTypeMismatchError(f"{name}: a number is needed, got {value!r}")
    return value


def empty(shape: Shape, *, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return an array whose values do not matter. They are zeros."""
    return full_of(shape_of("empty", shape), 0.0, ground_of(device), _dtype(dtype))


def empty_like(x: ArrayLike, /, *, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return an array of the shape (and dtype, unless given) of another one, whose values do not matter."""
    return full_like(x, 0, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DTypeLike = None, device: Device = None
) -> Array:
    """Return a matrix with ones on a diagonal.

    Parameters
    ----------
    n_rows, n_cols : int
        Shape; square if `n_cols` is left out.
    k : int
        Which diagonal: above the main one if positive, below if negative.
    dtype : dtype, optional
        By default the default real dtype.
    device : BackendDevice or str, optional
    """
    ground = ground_of(device)
    shape = shape_of("eye", (n_rows, n_rows if n_cols is None else n_cols))
    found = _dtype(dtype) or default_dtype(0.0, ground)
    return create(EYE, ground, (INDEX, _offset("eye", k)), shape=shape, dtype=found)


#: Further from the main diagonal than any element.
_FAR = 2**62


def _offset(name: str, k: Any) -> Any:
    if isinstance(k, ScalarArgument) and isinstance(k.value, int):
        return k
    return max(-_FAR, min(integer(name, "k", k), _FAR))


def full(shape: Shape, fill_value: ArrayLike, *, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return an array that is filled with a value.

    Parameters
    ----------
    shape : int or tuple of int
    fill_value : number, Array or array-like
        An array has to broadcast to the shape.
    dtype : dtype, optional
        By default the default dtype of the value's kind, and an array's own.
    device : BackendDevice or str, optional
    """
    extents = shape_of("full", shape)
    if isinstance(fill_value, LazyTensor) or not is_scalar(fill_value):
        value = asarray(fill_value, dtype=dtype, device=device)
        return _spread("full", value, extents)
    return full_of(extents, fill_value, ground_of(device), _dtype(dtype))


def _spread(name: str, value: Array, shape: tuple[int, ...]) -> Array:
    try:
        return apply(BROADCAST_TO, value, shape=shape)
    except ShapeMismatchError:
        raise ShapeMismatchError(
            f"{name}: a fill value of shape {value.shape} does not broadcast to shape {shape}; one number fills any"
        ) from None


def full_like(x: ArrayLike, /, fill_value: ArrayLike, *, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return an array of the shape (and dtype, unless given) of another one, filled with a value."""
    like = as_array(x)
    found = _dtype(dtype) or like.dtype
    if isinstance(fill_value, LazyTensor) or not is_scalar(fill_value):
        return _spread("full_like", asarray(fill_value, dtype=found, device=device), like.shape)
    ground = like._ground if device is None else like._ground.executor.ground(device)
    return full_of(like.shape, fill_value, ground, found)


def linspace(
    start: Number,
    stop: Number,
    /,
    num: int,
    *,
    dtype: DTypeLike = None,
    device: Device = None,
    endpoint: bool = True,
) -> Array:
    """Return `num` evenly spaced numbers over an interval.

    Parameters
    ----------
    start, stop : number or zero-dimensional array
    num : int
        How many; not negative.
    dtype : dtype, optional
        By default the default real dtype, or the default complex dtype for complex bounds. Numbers are computed in
        double precision; integers are rounded down.
    device : BackendDevice or str, optional
    endpoint : bool
        Whether `stop` is the last number.
    """
    number = integer("linspace", "num", num)
    if number < 0:
        raise ShapeMismatchError(f"linspace: num has to be 0 or more, got {number}")
    ground = ground_of(device)
    bounds = [_host_number("linspace", value) for value in (start, stop)]
    complex_bounds = any(isinstance(bound, complex) for bound in bounds)
    work = np.dtype(np.complex128 if complex_bounds else np.float64)
    found = _dtype(dtype) or default_dtype(0j if complex_bounds else 0.0, ground)
    first, last = (scalar_of(bound, work) for bound in bounds)
    attributes = {"number": number, "endpoint": bool(endpoint), "dtype": found}
    return create(LINSPACE, ground, (work, first), (work, last), **attributes)


def meshgrid(*arrays: ArrayLike, indexing: Literal["xy", "ij"] = "xy") -> tuple[Array, ...]:
    """Return coordinate arrays from coordinate vectors.

    Parameters
    ----------
    arrays : Array or array-like
        One-dimensional (or zero-dimensional), n of them, of lengths N1, N2, N3, ...
    indexing : "xy" or "ij"
        Cartesian: the results have shape `(N2, N1, N3, ...)`; or matrix indexing: `(N1, N2, N3, ...)`.

    Returns
    -------
    tuple of Array
        As many as there are vectors, each with its vector's dtype.
    """
    if indexing not in ("xy", "ij"):
        raise ShapeMismatchError(f"meshgrid: indexing has to be 'xy' or 'ij', got {indexing!r}")
    vectors = as_arrays(*arrays)
    if any(vector.ndim > 1 for vector in vectors):
        raise ShapeMismatchError("meshgrid takes one-dimensional arrays")
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    shape = tuple(vectors[number].size for number in order)
    grids = []
    for number, vector in enumerate(vectors):
        along = tuple(vector.size if axis == order.index(number) else 1 for axis in range(len(order)))
        grids.append(apply(BROADCAST_TO, vector.reshape(along), shape=shape))
    return tuple(grids)


def ones(shape: Shape, *, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return an array of ones, by default of the default real dtype."""
    return full_of(shape_of("ones", shape), 1.0, ground_of(device), _dtype(dtype))


def ones_like(x: ArrayLike, /, *, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return an array of ones with the shape (and dtype, unless given) of another one."""
    return full_like(x, 1, dtype=dtype, device=device)


def tril(x: ArrayLike, /, *, k: int = 0) -> Array:
    """Return the lower triangle of matrices: what is above diagonal `k` is zero.

    Raises
    ------
    ShapeMismatchError
        If there are fewer than two dimensions.
    """
    return _triangle("tril", x, k, upper=False)


def triu(x: ArrayLike, /, *, k: int = 0) -> Array:
    """Return the upper triangle of matrices: what is below diagonal `k` is zero.

    Raises
    ------
    ShapeMismatchError
        If there are fewer than two dimensions.
    """
    return _triangle("triu", x, k, upper=True)


def _triangle(name: str, x: ArrayLike, k: int, *, upper: bool) -> Array:
    matrices = as_array(x)
    if matrices.ndim < 2:
        raise ShapeMismatchError(f"{name}: at least 2 dimensions are needed, got shape {matrices.shape}")
    attributes = (("upper", upper),)
    return record(TRIANGLE, [matrices], attributes, scalars=[(1, INDEX, _offset(name, k))])  # type: ignore[return-value]


def zeros(shape: Shape, *, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return an array of zeros, by default of the default real dtype."""
    return full_of(shape_of("zeros", shape), 0.0, ground_of(device), _dtype(dtype))


def zeros_like(x: ArrayLike, /, *, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return an array of zeros with the shape (and dtype, unless given) of another one."""
    return full_like(x, 0, dtype=dtype, device=device)
