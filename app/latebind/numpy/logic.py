"""Comparisons of whole arrays, tests of kinds, rounding and parts: functions of elements that are no ufuncs."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from latebind.array import elementwise_functions as elementwise
from latebind.array.array import Array
from latebind.array.data_type_functions import astype
from latebind.array.operands import ArrayLike, is_scalar
from latebind.array.output import deliver
from latebind.array.searching_functions import where
from latebind.errors import ShapeMismatchError
from latebind.numpy.arguments import alike, array_of, complex_of, limits
from latebind.runtime.lazy import LazyTensor

__all__ = [
    "allclose",
    "angle",
    "around",
    "array_equal",
    "array_equiv",
    "fix",
    "imag",
    "isclose",
    "iscomplex",
    "iscomplexobj",
    "isfortran",
    "isneginf",
    "isposinf",
    "isreal",
    "isrealobj",
    "may_share_memory",
    "nan_to_num",
    "real",
    "real_if_close",
    "round",
    "shares_memory",
    "sinc",
]


def isclose(a: ArrayLike, b: ArrayLike, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Array:
    """Return whether elements differ by no more than `atol + rtol * abs(b)`."""
    x, y = alike(a, b)
    wide = np.result_type(y.dtype, np.float64 if y.dtype.kind in "iub" else y.dtype)
    y = astype(y, wide, copy=False)
    x = astype(x, np.result_type(x.dtype, wide), copy=False)
    tolerance = elementwise.add(atol, elementwise.multiply(rtol, elementwise.abs(y)))
    near = elementwise.less_equal(elementwise.abs(elementwise.subtract(x, y)), tolerance)
    near = elementwise.logical_or(elementwise.logical_and(near, elementwise.isfinite(y)), elementwise.equal(x, y))
    if equal_nan:
        near = elementwise.logical_or(near, elementwise.logical_and(elementwise.isnan(x), elementwise.isnan(y)))
    return near


def allclose(a: ArrayLike, b: ArrayLike, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> bool:
    """Return whether all elements are close; reads that one truth value."""
    return bool(isclose(a, b, rtol, atol, equal_nan).all())


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """Return whether shapes and all elements are equal; reads that one truth value."""
    x, y = alike(a1, a2)
    if x.shape != y.shape:
        return False
    same = elementwise.equal(x, y)
    if equal_nan and builtins.any(one.dtype.kind in "fc" for one in (x, y)):
        same = elementwise.logical_or(same, elementwise.logical_and(elementwise.isnan(x), elementwise.isnan(y)))
    return bool(same.all())


def array_equiv(a1: Any, a2: Any) -> bool:
    """Return whether arrays broadcast and are equal then; reads that one truth value."""
    try:
        return bool(elementwise.equal(*alike(a1, a2)).all())
    except ShapeMismatchError:
        return False


def iscomplexobj(x: Any) -> bool:
    """Return whether the dtype is complex."""
    return array_of(x).dtype.kind == "c"


def isrealobj(x: Any) -> bool:
    """Return whether the dtype is not complex."""
    return not iscomplexobj(x)


def iscomplex(x: ArrayLike) -> Array:
    """Return which elements have an imaginary part that is not zero."""
    return elementwise.not_equal(elementwise.imag(array_of(x)), 0)


def isreal(x: ArrayLike) -> Array:
    """Return which elements have no imaginary part, or zero."""
    return elementwise.equal(elementwise.imag(array_of(x)), 0)


def isposinf(x: ArrayLike, out: Any = None) -> Array:
    """Return which elements are plus infinity."""
    return deliver("isposinf", elementwise.equal(array_of(x), math.inf), out)


def isneginf(x: ArrayLike, out: Any = None) -> Array:
    """Return which elements are minus infinity."""
    return deliver("isneginf", elementwise.equal(array_of(x), -math.inf), out)


def isfortran(a: Any) -> bool:
    """Return false: arrays are in row-major order."""
    return False


def real(val: ArrayLike) -> Array:
    """Return the real part; a view of an array."""
    return array_of(val).real


def imag(val: ArrayLike) -> Array:
    """Return the imaginary part; a view of a complex array."""
    return array_of(val).imag


def angle(z: ArrayLike, deg: bool = False) -> Array:
    """Return the angle in the complex plane, in radians or degrees."""
    x = array_of(z)
    found = elementwise.atan2(elementwise.imag(x), elementwise.real(x))
    return elementwise.multiply(found, 180 / math.pi) if deg else found


def real_if_close(a: ArrayLike, tol: float = 100) -> Array:
    """Return the real part if all imaginary parts are near zero, which is read; else the array."""
    x = array_of(a)
    if x.dtype.kind != "c":
        return x
    limit = tol * float(limits(x.dtype).eps) if tol > 1 else tol
    return elementwise.real(x) if bool((elementwise.abs(elementwise.imag(x)) < limit).all()) else x


def around(a: ArrayLike, decimals: int = 0, out: Any = None) -> Array:
    """Return the elements rounded to decimals, halves to even."""
    return array_of(a).round(decimals, out=out)


round = around


def fix(x: ArrayLike, out: Any = None) -> Array:
    """Return the elements rounded towards zero."""
    return deliver("fix", elementwise.trunc(array_of(x)), out)


def nan_to_num(x: ArrayLike, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    """Return an array with numbers in the place of NaN and infinities; in place unless `copy`."""
    array = array_of(x)
    if array.dtype.kind not in "fc":
        return array.copy() if copy else array
    if array.dtype.kind == "c":
        parts = [nan_to_num(one, True, nan, posinf, neginf) for one in (array.real, array.imag)]
        made = complex_of(*parts)
    else:
        ends = limits(array.dtype)
        made = where(elementwise.isnan(array), _filling(nan, array), array)
        made = where(elementwise.equal(array, math.inf), _filling(ends.max if posinf is None else posinf, array), made)
        made = where(elementwise.equal(array, -math.inf), _filling(ends.min if neginf is None else neginf, array), made)
    if copy or not isinstance(x, LazyTensor):
        return made
    array[...] = made
    return array


def _filling(value: Any, array: Array) -> Any:
    return array.dtype.type(value) if is_scalar(value) else astype(array_of(value), array.dtype)


def sinc(x: ArrayLike) -> Array:
    """Return `sin(pi x) / (pi x)`, 1 at 0."""
    y = elementwise.multiply(math.pi, where(elementwise.equal(array_of(x), 0), 1.0e-20, array_of(x)))
    return elementwise.divide(elementwise.sin(y), y)


def astype_function(x: ArrayLike, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
    """Return the array converted to a dtype."""
    return astype(array_of(x), dtype, copy=copy, device=device)


def shares_memory(a: Any, b: Any, max_work: Any = None) -> bool:
    """Return whether two arrays are views of one array, or one of the other; they may still not overlap."""
    if not (isinstance(a, LazyTensor) and isinstance(b, LazyTensor)):
        return False
    owners = [one if one._link is None else one._link.base for one in (a, b)]
    return owners[0] is owners[1]


may_share_memory = shares_memory
