"""What NumPy computes for each rule: functions over host arrays, for direct execution.

A function takes the rule's operands as host arrays, NumPy scalars or Python scalars, and its attributes by name. It
gives the values and the dtype that the rule's nodes give on the reference backend, bit by bit, or raises: then the
nodes are run. It may return a view of an operand. `tests/unit/array/test_direct_rules.py` holds each one against its
rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from latebind.array.rules import creation, elementwise, indexing, linear, reductions, shapes
from latebind.array.rules.elementwise import RULES, UFUNCS
from latebind.ir.types import DType
from latebind.runtime.direct import check_kinds
from latebind.runtime.lazy import NotDirectError
from latebind.runtime.signature import Rule

#: Ufuncs that give something else than their rule does, by kind or character of the dtypes for which they do.
_ELSEWHERE: Final[dict[str, str]] = {"expm1": "c", "nextafter": "e", "reciprocal": "iuc", "tanh": "c"}


def direct(*rules: Rule) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function what these rules run directly (decorator)."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for rule in rules:
            rule.direct = function
        return function

    return decorate


def direct_write(rule: Rule) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function what a rule of assignment writes: `function(target, *operands, **attributes)` (decorator)."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def copied(x: np.ndarray, *operands: Any, **attributes: Any) -> np.ndarray:
            written = x.copy()
            function(written, *operands, **attributes)
            return written

        rule.direct_write, rule.direct = function, copied
        return function

    return decorate


# Elementwise


def _except(ufunc: np.ufunc, kinds: str) -> Callable[..., Any]:
    """Leave results of these dtypes to the rule."""

    def function(*operands: Any) -> Any:
        result = ufunc(*operands)
        if result.dtype.kind in kinds or result.dtype.char in kinds:
            raise NotDirectError
        return result

    return function


for _name, _ufunc in UFUNCS.items():
    RULES[_name].ufunc = None if _name in _ELSEWHERE else _ufunc
    RULES[_name].direct = _except(_ufunc, _ELSEWHERE[_name]) if _name in _ELSEWHERE else _ufunc


@direct(RULES["pow"])
def _pow(x: Any, y: Any) -> Any:
    """`**` takes `square`, `sqrt` and the like where the exponent is a Python scalar, as a compiled constant does."""
    return x**y if type(x) is np.ndarray and type(y) in (int, float) else np.power(x, y)


@direct(RULES["round"])
def _round(x: Any) -> Any:
    return np.rint(x) if x.dtype.kind in "fc" else x


@direct(RULES["real"], elementwise.REAL_VIEW)
def _real(x: Any) -> Any:
    return x.real


@direct(elementwise.ASTYPE)
def _astype(x: Any, *, dtype: DType) -> Any:
    if x.dtype.kind in "fc" and dtype.kind in "iu":
        raise NotDirectError  # NaN and what is out of range
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        x = x.real
    return x.astype(dtype)


@direct(elementwise.COPY)
def _copy(x: Any) -> Any:
    return x.copy()


@direct(elementwise.WHERE)
def _where(condition: Any, x: Any, y: Any) -> Any:
    if condition.dtype.kind != "b":
        raise NotDirectError  # which dtype numbers take depends on it
    return np.where(condition, x, y)


# Reductions

_add: Final[Any] = np.add.reduce
_multiply: Final[Any] = np.multiply.reduce
reductions.MAX.direct = np.maximum.reduce
reductions.MIN.direct = np.minimum.reduce
reductions.ALL.direct = np.logical_and.reduce
reductions.ANY.direct = np.logical_or.reduce
reductions.ARGMAX.direct = np.argmax
reductions.ARGMIN.direct = np.argmin


@direct(reductions.SUM)
def _sum(x: Any, *, axis: Any, dtype: DType, keepdims: bool) -> Any:
    if dtype.char == "e" or axis == ():
        raise NotDirectError  # added up in float32; of no axes, the sign of zero stays
    return _add(_converted(x, dtype), axis=axis, dtype=dtype, keepdims=keepdims)


@direct(reductions.PROD)
def _prod(x: Any, *, axis: Any, dtype: DType, keepdims: bool) -> Any:
    if dtype.kind == "c":
        raise NotDirectError  # infinities, in another order
    return _multiply(_converted(x, dtype), axis=axis, dtype=dtype, keepdims=keepdims)


def _converted(x: Any, dtype: DType) -> Any:
    return x if x.dtype == dtype else _astype(x, dtype=dtype)


@direct(reductions.MEAN)
def _mean(x: Any, *, axis: Any, dtype: DType | None, keepdims: bool) -> Any:
    if dtype is not None or x.dtype.kind not in "fc" or x.dtype.itemsize < 4 or axis == ():
        raise NotDirectError
    total = _add(x, axis=axis, keepdims=keepdims)
    return total / total.dtype.type(x.size // max(total.size, 1) if total.size else 1)


# Products


@direct(linear.MATMUL)
def _matmul(x: Any, y: Any) -> Any:
    if x.dtype != y.dtype or x.dtype.kind not in "fc" or x.dtype.itemsize < 4:
        raise NotDirectError
    return np.matmul(x, y)


# Shapes


@direct(shapes.TRANSPOSE)
def _transpose(x: Any, *, axes: tuple[int, ...]) -> Any:
    return x.transpose(axes)


@direct(shapes.RESHAPE)
def _reshape(x: Any, *, shape: tuple[int, ...]) -> Any:
    return x.reshape(shape)


@direct(shapes.BROADCAST_TO)
def _broadcast_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(x, shape)


@direct(shapes.CONCAT)
def _concat(*values: Any, axis: int | None) -> Any:
    return np.concatenate(values, axis=axis)


@direct(shapes.STACK)
def _stack(*values: Any, axis: int) -> Any:
    return np.stack(values, axis=axis)


# Creation


@direct(creation.FULL)
def _full(value: Any, *, shape: tuple[int, ...], dtype: DType) -> Any:
    if not isinstance(value, (bool, int, float)):
        raise NotDirectError
    return np.full(shape, value, dtype)


# Indexing


def _key(structure: indexing.Structure, starts: tuple[int, ...]) -> tuple[Any, ...]:
    """Return NumPy's key for a structure and its starts."""
    given = iter(starts)
    key: list[Any] = []
    for entry in structure:
        kind = entry[0]
        if kind == "all":
            key.append(_WHOLE)
        elif kind == "int":
            key.append(next(given))
        elif kind == "new":
            key.append(None)
        else:
            _, length, step = entry  # type: ignore[misc]
            start = next(given)
            if step > 0:
                key.append(slice(start, start + length * step, step))
            else:
                last = start - 1
                key.append(slice(start + (length - 1) * -step, None if last < 0 else last, step))
    return tuple(key)


_WHOLE: Final = slice(None)


@direct(indexing.BASIC_INDEX)
def _basic_index(x: Any, *starts: int, structure: indexing.Structure) -> Any:
    return x[_key(structure, starts)]


@direct_write(indexing.BASIC_PUT)
def _basic_put(target: np.ndarray, value: Any, *starts: int, structure: indexing.Structure) -> None:
    check_kinds(target, value)
    target[_key(structure, starts)] = value


def _indices(indices: tuple[Any, ...], axes: tuple[int, ...], rank: int, place: int) -> tuple[Any, ...]:
    """Return NumPy's key for index arrays that stand for some axes, if NumPy puts the result's axes where we do."""
    key: list[Any] = [_WHOLE] * rank
    for index, axis in zip(indices, axes, strict=True):
        if index.dtype.kind not in "iu":
            raise NotDirectError
        key[axis] = index
    adjacent = axes == tuple(range(axes[0], axes[0] + len(axes)))
    if place != (axes[0] if adjacent else 0):
        raise NotDirectError
    return tuple(key)


@direct(indexing.TAKE)
def _take(x: Any, *indices: Any, axes: tuple[int, ...], place: int) -> Any:
    return x[_indices(indices, axes, x.ndim, place)]


@direct_write(indexing.PUT)
def _put(target: np.ndarray, value: Any, *indices: Any, axes: tuple[int, ...], place: int) -> None:
    check_kinds(target, value)
    target[_indices(indices, axes, target.ndim, place)] = value


@direct_write(elementwise.ASSIGN_WHERE)
def _assign_where(target: np.ndarray, mask: Any, new: Any) -> None:
    check_kinds(target, new)
    if getattr(new, "size", 1) == 1:
        target[mask] = new.reshape(()) if isinstance(new, np.ndarray) else new
    else:
        raise NotDirectError
