"""NumPy's methods of arrays, each the function of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from latebind.array import (
    creation_functions,
    elementwise_functions,
    indexing_functions,
    linear_algebra_functions,
    manipulation_functions,
    searching_functions,
    sorting_functions,
    statistical_functions,
    utility_functions,
)
from latebind.array.array import Array

_SAME_NAME = {
    statistical_functions: ("sum", "prod", "mean", "min", "max", "std", "var"),
    utility_functions: ("all", "any"),
    searching_functions: ("argmax", "argmin", "nonzero"),
    sorting_functions: ("argsort",),
    manipulation_functions: ("squeeze", "repeat"),
    elementwise_functions: ("clip",),
    indexing_functions: ("take",),
}


def _positional(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a method that takes the axis by position too, as NumPy's methods do."""

    def method(self: Array, axis: int | tuple[int, ...] | None = None, **options: Any) -> Array:
        result: Array = function(self, axis=axis, **options)
        return result

    method.__doc__ = f"The function `{name}` of this array."
    return method


def _plain(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def method(self: Array, *args: Any, **options: Any) -> Any:
        return function(self, *args, **options)

    method.__doc__ = f"The function `{name}` of this array."
    return method


def _shape_from(args: tuple[Any, ...]) -> Any:
    return args[0] if len(args) == 1 and not isinstance(args[0], int) else args


def _reshape(self: Array, *shape: Any, copy: bool | None = None) -> Array:
    """The array with another shape; a view where NumPy's would be one."""
    return manipulation_functions.reshape(self, _shape_from(shape), copy=copy)


def _ravel(self: Array) -> Array:
    """The elements in one dimension; a view where NumPy's would be one."""
    return manipulation_functions.reshape(self, (-1,))


def _flatten(self: Array) -> Array:
    """The elements in one dimension, in an array of their own."""
    return manipulation_functions.reshape(self, (-1,), copy=True)


def _transpose(self: Array, *axes: Any) -> Array:
    """The axes in another order, reversed by default; a view."""
    order = _shape_from(axes) if axes and axes != (None,) else range(self.ndim)[::-1]
    return manipulation_functions.permute_dims(self, tuple(order))


def _swapaxes(self: Array, axis1: int, axis2: int) -> Array:
    """Two axes exchanged; a view."""
    order = list(range(self.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return manipulation_functions.permute_dims(self, tuple(order))


def _round(self: Array) -> Array:
    """The nearest integers, half to even."""
    return elementwise_functions.round(self)


def _dot(self: Array, other: Any) -> Array:
    """NumPy's dot: product of scalars, inner product of vectors, matrix product."""
    other = creation_functions.asarray(other)
    if not self.ndim or not other.ndim:
        return elementwise_functions.multiply(self, other)
    if other.ndim == 1:
        return linear_algebra_functions.tensordot(self, other, axes=1)
    return linear_algebra_functions.tensordot(self, other, axes=([self.ndim - 1], [other.ndim - 2]))


def _fill(self: Array, value: Any) -> None:
    """Set every element."""
    self[...] = value


def _sort(self: Array, axis: int = -1) -> None:
    """Sort in place along an axis."""
    self[...] = sorting_functions.sort(self, axis=axis)


def _cumulative(function: Callable[..., Array]) -> Callable[..., Array]:
    def method(self: Array, axis: int | None = None, **options: Any) -> Array:
        return function(_ravel(self) if axis is None else self, axis=0 if axis is None else axis, **options)

    method.__doc__ = f"The function `{function.__name__}`, of all elements if no axis is given."
    return method


def _bind() -> None:
    for module, names in _SAME_NAME.items():
        for name in names:
            function = getattr(module, name)
            by_axis = module in (statistical_functions, utility_functions) or name in ("argmax", "argmin")
            setattr(Array, name, (_positional if by_axis else _plain)(function, name))
    for name, method in {
        "reshape": _reshape,
        "ravel": _ravel,
        "flatten": _flatten,
        "transpose": _transpose,
        "swapaxes": _swapaxes,
        "round": _round,
        "dot": _dot,
        "fill": _fill,
        "sort": _sort,
        "conj": _plain(elementwise_functions.conj, "conj"),
        "cumsum": _cumulative(statistical_functions.cumulative_sum),
        "cumprod": _cumulative(statistical_functions.cumulative_prod),
    }.items():
        setattr(Array, name, method)
    Array.real = property(elementwise_functions.real)  # type: ignore[attr-defined]
    Array.imag = property(elementwise_functions.imag)  # type: ignore[attr-defined]
    for name in ("__matmul__", "__rmatmul__", "__imatmul__"):
        setattr(Array, name, _MATRIX_PRODUCTS[name])


def _matmul(self: Array, other: Any) -> Array:
    return linear_algebra_functions.matmul(self, other)


def _rmatmul(self: Array, other: Any) -> Array:
    return linear_algebra_functions.matmul(other, self)


def _imatmul(self: Array, other: Any) -> Array:
    self[...] = linear_algebra_functions.matmul(self, other)
    return self


_MATRIX_PRODUCTS = {"__matmul__": _matmul, "__rmatmul__": _rmatmul, "__imatmul__": _imatmul}

_bind()
