"""NumPy's methods of arrays: each hands over to the function of the same name.

Signatures are NumPy's, so that `numpy.sum(x)` and its like, which call the method, work on lazy arrays and stay lazy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, cast

import numpy as np

from latebind.array import (
    elementwise_functions,
    indexing_functions,
    linear_algebra_functions,
    manipulation_functions,
    searching_functions,
    sorting_functions,
    statistical_functions,
    utility_functions,
)
from latebind.array.data_type_functions import astype
from latebind.array.function_table import lazy_form
from latebind.array.operands import ArrayLike, as_array
from latebind.array.output import Output, deliver
from latebind.array.rules.common import Axes, integer
from latebind.array.rules.elementwise import IMAG_VIEW, REAL_VIEW
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.views import take_view

if TYPE_CHECKING:
    from latebind.array.array import Array
    from latebind.array.creation_functions import DTypeLike

Order = Literal["C", "F", "A", "K"]


class ArrayMethods(LazyTensor):
    """The methods of `Array` that are functions of the namespace, too."""

    __slots__ = ()

    @property
    def real(self) -> Array:
        """The real part; a view, as in NumPy."""
        return take_view(REAL_VIEW, self)  # type: ignore[return-value]

    @real.setter
    def real(self, value: ArrayLike) -> None:
        self.real[...] = value

    @property
    def imag(self) -> Array:
        """The imaginary part; a view, as in NumPy. Zeros of real numbers, which are an array of their own."""
        if self._type.dtype.kind != "c":
            return elementwise_functions.imag(self)
        return take_view(IMAG_VIEW, self)  # type: ignore[return-value]

    @imag.setter
    def imag(self, value: ArrayLike) -> None:
        if self._type.dtype.kind != "c":
            raise DTypeMismatchError(f"an array of {self._type.dtype.name} has no imaginary part to set")
        self.imag[...] = value

    def all(self, axis: Axes = None, out: Output = None, keepdims: bool = False) -> Array:
        """Whether all elements along axes are true."""
        return deliver("all", utility_functions.all(self, axis=axis, keepdims=keepdims), out)

    def any(self, axis: Axes = None, out: Output = None, keepdims: bool = False) -> Array:
        """Whether an element along axes is true."""
        return deliver("any", utility_functions.any(self, axis=axis, keepdims=keepdims), out)

    def argmax(self, axis: int | None = None, out: Output = None, *, keepdims: bool = False) -> Array:
        """The positions of the largest elements."""
        return deliver("argmax", searching_functions.argmax(self, axis=axis, keepdims=keepdims), out)

    def argmin(self, axis: int | None = None, out: Output = None, *, keepdims: bool = False) -> Array:
        """The positions of the smallest elements."""
        return deliver("argmin", searching_functions.argmin(self, axis=axis, keepdims=keepdims), out)

    def argsort(
        self,
        axis: int | None = -1,
        kind: str | None = None,
        order: None = None,
        *,
        stable: bool | None = None,
        descending: bool = False,
    ) -> Array:
        """The indices that sort the array; stable whatever `kind` says."""
        flat, along = (self.ravel(), 0) if axis is None else (self, axis)
        return sorting_functions.argsort(flat, axis=along, descending=descending)

    def clip(self, min: ArrayLike | None = None, max: ArrayLike | None = None, out: Output = None) -> Array:
        """The elements limited to an interval."""
        return deliver("clip", elementwise_functions.clip(self, min, max), out)

    def conj(self) -> Array:
        """The complex conjugate."""
        return elementwise_functions.conj(self)

    conjugate = conj

    def cumprod(self, axis: int | None = None, dtype: DTypeLike = None, out: Output = None) -> Array:
        """The products of all elements up to each position; of the flattened array if there is no axis."""
        flat, along = (self.ravel(), 0) if axis is None else (self, axis)
        return deliver("cumprod", statistical_functions.cumulative_prod(flat, axis=along, dtype=dtype), out)

    def cumsum(self, axis: int | None = None, dtype: DTypeLike = None, out: Output = None) -> Array:
        """The sums of all elements up to each position; of the flattened array if there is no axis."""
        flat, along = (self.ravel(), 0) if axis is None else (self, axis)
        return deliver("cumsum", statistical_functions.cumulative_sum(flat, axis=along, dtype=dtype), out)

    def dot(self, other: ArrayLike, out: Output = None) -> Array:
        """NumPy's `dot`: over the last axis of this array and the second to last (or only) one of the other.

        Raises
        ------
        ShapeMismatchError
            If the two axes differ in length.
        """
        factor = as_array(other, self._tape.ground)
        rank = len(self._type.shape)
        if not rank or not factor.ndim:
            result = elementwise_functions.multiply(self, factor)
        else:
            axes = ([rank - 1], [max(factor.ndim - 2, 0)])
            result = linear_algebra_functions.tensordot(self, factor, axes=axes)
        return deliver("dot", result, out)

    def fill(self, value: ArrayLike) -> None:
        """Set every element to a value."""
        cast("Array", self)[...] = value

    def flatten(self, order: Order = "C") -> Array:
        """The elements in one dimension, in an array of their own."""
        return _ordered(self, order, (-1,), True)

    def max(self, axis: Axes = None, out: Output = None, keepdims: bool = False) -> Array:
        """The largest elements along axes."""
        return deliver("max", statistical_functions.max(self, axis=axis, keepdims=keepdims), out)

    def mean(self, axis: Axes = None, dtype: DTypeLike = None, out: Output = None, keepdims: bool = False) -> Array:
        """The arithmetic mean along axes."""
        return deliver("mean", statistical_functions.mean(self, axis=axis, dtype=dtype, keepdims=keepdims), out)

    def min(self, axis: Axes = None, out: Output = None, keepdims: bool = False) -> Array:
        """The smallest elements along axes."""
        return deliver("min", statistical_functions.min(self, axis=axis, keepdims=keepdims), out)

    def nonzero(self) -> tuple[Array, ...]:
        """The positions of the elements that are not zero; reads the values."""
        return searching_functions.nonzero(self)

    def prod(self, axis: Axes = None, dtype: DTypeLike = None, out: Output = None, keepdims: bool = False) -> Array:
        """The product along axes."""
        return deliver("prod", statistical_functions.prod(self, axis=axis, dtype=dtype, keepdims=keepdims), out)

    def ravel(self, order: Order = "C") -> Array:
        """The elements in one dimension; a view where NumPy's would be one."""
        return _ordered(self, order, (-1,), None)

    def repeat(self, repeats: int | ArrayLike, axis: int | None = None) -> Array:
        """An array with each element repeated."""
        return manipulation_functions.repeat(self, repeats, axis=axis)

    def reshape(
        self, *shape: SupportsIndex | Sequence[SupportsIndex], order: Order = "C", copy: bool | None = None
    ) -> Array:
        """The elements in another shape, given as a tuple or as numbers; a view where NumPy's would be one."""
        return _ordered(self, order, _unpacked(shape), copy)

    def round(self, decimals: int = 0, out: Output = None) -> Array:
        """The elements rounded to decimals, halves to even."""
        places = integer("round", "decimals", decimals)
        if not places or (self._type.dtype.kind in "iub" and places > 0):
            return deliver("round", elementwise_functions.round(self), out)
        if self._type.dtype.kind == "c":  # by parts, so that a NaN or an infinity stays in its part
            whole = astype(elementwise_functions.real(self).round(places), self._type.dtype)
            whole.imag = elementwise_functions.imag(self).round(places)
            return deliver("round", whole, out)
        power = 10.0 ** abs(places)
        scaled = (
            elementwise_functions.multiply(self, power) if places > 0 else elementwise_functions.divide(self, power)
        )
        rounded = elementwise_functions.round(scaled)
        back = elementwise_functions.divide if places > 0 else elementwise_functions.multiply
        return deliver("round", astype(back(rounded, power), self._type.dtype, copy=False), out)

    def sort(self, axis: int = -1, kind: str | None = None, order: None = None, *, stable: bool | None = None) -> None:
        """Sort in place along an axis."""
        cast("Array", self)[...] = sorting_functions.sort(self, axis=axis, stable=True)

    def squeeze(self, axis: Axes = None) -> Array:
        """A view without axes of extent 1."""
        return manipulation_functions.squeeze(self, axis)

    def std(
        self,
        axis: Axes = None,
        dtype: DTypeLike = None,
        out: Output = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        correction: float | None = None,
    ) -> Array:
        """The standard deviation along axes; `correction` is another name for `ddof`."""
        x = self if dtype is None else astype(self, dtype, copy=False)
        lost = ddof if correction is None else correction
        return deliver("std", statistical_functions.std(x, axis=axis, correction=lost, keepdims=keepdims), out)

    def sum(self, axis: Axes = None, dtype: DTypeLike = None, out: Output = None, keepdims: bool = False) -> Array:
        """The sum along axes."""
        return deliver("sum", statistical_functions.sum(self, axis=axis, dtype=dtype, keepdims=keepdims), out)

    def swapaxes(self, axis1: int, axis2: int) -> Array:
        """A view with two axes exchanged."""
        return manipulation_functions.swapaxes(self, axis1, axis2)

    def take(
        self,
        indices: ArrayLike,
        axis: int | None = None,
        out: Output = None,
        mode: Literal["raise", "wrap", "clip"] = "raise",
    ) -> Array:
        """Elements of an axis by their indices; of the flattened array if there is no axis."""
        if mode != "raise":
            return lazy_form(np.take)(self, indices, axis, out, mode)  # type: ignore[no-any-return]
        flat, along = (self.ravel(), 0) if axis is None else (self, axis)
        return deliver("take", indexing_functions.take(flat, indices, axis=along), out)

    def transpose(self, *axes: SupportsIndex | Sequence[SupportsIndex] | None) -> Array:
        """A view with the axes in another order, given as a tuple or as numbers; reversed by default."""
        rank = len(self._type.shape)
        order = range(rank)[::-1] if not axes or axes == (None,) else _unpacked(axes)
        return manipulation_functions.permute_dims(self, order)

    def var(
        self,
        axis: Axes = None,
        dtype: DTypeLike = None,
        out: Output = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        correction: float | None = None,
    ) -> Array:
        """The variance along axes; `correction` is another name for `ddof`."""
        x = self if dtype is None else astype(self, dtype, copy=False)
        lost = ddof if correction is None else correction
        return deliver("var", statistical_functions.var(x, axis=axis, correction=lost, keepdims=keepdims), out)

    def __divmod__(self, other: ArrayLike) -> tuple[Array, Array]:
        return elementwise_functions.floor_divide(self, other), elementwise_functions.remainder(self, other)

    def __rdivmod__(self, other: ArrayLike) -> tuple[Array, Array]:
        return elementwise_functions.floor_divide(other, self), elementwise_functions.remainder(other, self)


def _unpacked(arguments: tuple[Any, ...]) -> Sequence[SupportsIndex]:
    """Return numbers that were given one by one, or as one tuple."""
    if len(arguments) == 1 and isinstance(arguments[0], (Sequence, np.ndarray)):
        return tuple(arguments[0])
    return arguments


def _ordered(array: LazyTensor, order: str, shape: Sequence[SupportsIndex], copy: bool | None) -> Array:
    """Reshape; elements are read and placed in column-major order for "F", which is row-major order of transposes."""
    if order not in ("C", "F", "A", "K"):
        raise ShapeMismatchError(f"order {order!r} is not known: it is one of 'C', 'F', 'A', 'K'")
    if order != "F":
        return manipulation_functions.reshape(array, shape, copy=copy)
    turned = manipulation_functions.permute_dims(array, range(len(array._type.shape))[::-1])
    made = manipulation_functions.reshape(turned, tuple(shape)[::-1], copy=copy)
    return manipulation_functions.permute_dims(made, range(made.ndim)[::-1])
