"""NumPy's methods and attributes of arrays that are no functions of the standard, most of them functions of NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from latebind.array.creation_functions import arange
from latebind.array.function_table import lazy_form
from latebind.array.layout import reshape_is_view
from latebind.array.manipulation_functions import reshape
from latebind.array.methods import ArrayMethods
from latebind.array.operands import ArrayLike
from latebind.array.output import Output
from latebind.errors import DTypeMismatchError
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array


class FlatArray:
    """`x.flat`: the elements in row-major order, read and written in place.

    Parameters
    ----------
    array : Array
        Whose elements these are.
    """

    __slots__ = ("base",)

    def __init__(self, array: Array) -> None:
        self.base = array

    def __len__(self) -> int:
        return self.base.size

    def __getitem__(self, key: Any) -> Array:
        taken = reshape(self.base, (-1,))[key]
        return taken.copy() if taken._link is not None else taken

    def __setitem__(self, key: Any, value: ArrayLike) -> None:
        array = self.base
        if reshape_is_view(array, (array.size,)):
            reshape(array, (-1,))[key] = value
            return
        flat = reshape(array, (-1,), copy=True)
        flat[key] = value
        array[...] = reshape(flat, array.shape)

    def __iter__(self) -> Iterator[Array]:
        return iter(reshape(self.base, (-1,), copy=True))

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return reshape(self.base, (-1,)).__array__(dtype, copy)

    def copy(self) -> Array:
        """Return the elements in an array of their own."""
        return self.base.flatten()


class NumpyMethods(ArrayMethods):
    """What NumPy's arrays have beyond the functions of the standard."""

    __slots__ = ()

    @property
    def flat(self) -> FlatArray:
        """The elements in row-major order; assigning to it sets them all."""
        return FlatArray(cast("Array", self))

    @flat.setter
    def flat(self, value: ArrayLike) -> None:
        array = cast("Array", self)
        lazy_form(np.put)(array, arange(array.size, device=array.device), value)

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis, if the array were in row-major order by itself."""
        type = self._type
        return tuple(np.lib.stride_tricks.as_strided(np.empty(0, type.dtype), type.shape).strides)

    @property
    def base(self) -> Array | None:
        """The array whose values a view shares; nothing for an array of its own."""
        return None if self._link is None else cast("Array", self._link.base)

    def __round__(self, ndigits: int | None = None) -> int | float:
        return round(cast("Array", self).item(), ndigits)  # type: ignore[arg-type]

    def argpartition(self, kth: Any, axis: int | None = -1, kind: str = "introselect", order: None = None) -> Array:
        """The indices that partition; those that sort."""
        return lazy_form(np.argpartition)(self, kth, axis)  # type: ignore[no-any-return]

    def choose(self, choices: Any, out: Output = None, mode: str = "raise") -> Array:
        """Elements of the choices whose numbers the array holds."""
        return lazy_form(np.choose)(self, choices, out, mode)  # type: ignore[no-any-return]

    def compress(self, condition: ArrayLike, axis: int | None = None, out: Output = None) -> Array:
        """The slices of an axis where a condition holds, which is read."""
        return lazy_form(np.compress)(condition, self, axis, out)  # type: ignore[no-any-return]

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
        """The diagonals of the planes of two axes."""
        return lazy_form(np.diagonal)(self, offset, axis1, axis2)  # type: ignore[no-any-return]

    def partition(self, kth: Any, axis: int = -1, kind: str = "introselect", order: None = None) -> None:
        """Sort in place along an axis, which is a partition, too."""
        cast("Array", self)[...] = lazy_form(np.partition)(self, kth, axis)

    def put(self, indices: ArrayLike, values: ArrayLike, mode: str = "raise") -> None:
        """Assign to elements of the flattened array."""
        lazy_form(np.put)(self, indices, values, mode)

    def searchsorted(self, v: ArrayLike, side: Any = "left", sorter: ArrayLike | None = None) -> Array:
        """Where values would have to be inserted to keep the array sorted."""
        return lazy_form(np.searchsorted)(self, v, side, sorter)  # type: ignore[no-any-return]

    def setflags(self, write: bool | None = None, align: bool | None = None, uic: bool | None = None) -> None:
        """Accept what arrays are already.

        Raises
        ------
        DTypeMismatchError
            If the array is to become read-only.
        """
        if write is False:
            raise DTypeMismatchError("setflags: arrays cannot be made read-only; np.asarray(x) gives a read-only one")

    def tobytes(self, order: str = "C") -> bytes:
        """The computed elements as bytes, in row-major order."""
        return np.asarray(self).tobytes(order)  # type: ignore[arg-type]

    def tofile(self, fid: Any, sep: str = "", format: str = "%s") -> None:
        """Write the computed elements to a file."""
        np.asarray(self).tofile(fid, sep, format)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Output = None) -> Array:
        """The sums of diagonals."""
        return lazy_form(np.trace)(self, offset, axis1, axis2, dtype, out)  # type: ignore[no-any-return]

    def view(self, dtype: Any = None, type: Any = None) -> Array:
        """Return a view of all elements.

        Raises
        ------
        DTypeMismatchError
            If the bits are to be read as another dtype, or as a subclass.
        """
        if isinstance(dtype, builtin_type) and issubclass(dtype, LazyTensor):
            dtype, type = None, dtype
        if (dtype is not None and np.dtype(dtype) != self._type.dtype) or type not in (None, self.__class__):
            raise DTypeMismatchError(
                "view: bits cannot be read as another dtype: use astype, or np.asarray(x).view(...)"
            )
        return cast("Array", self)[...]


builtin_type = type
