"""The lazy array."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from latebind.array import indexing
from latebind.array.creation_functions import asarray
from latebind.array.data_type_functions import astype
from latebind.array.numpy_methods import NumpyMethods
from latebind.array.operands import apply, checked_dtype
from latebind.array.rules.elementwise import COPY
from latebind.array.rules.shapes import matrix_transpose, permute
from latebind.backends.interface import BackendDevice
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.types import DType
from latebind.runtime.tape import Ground
from latebind.runtime.views import as_memory

if TYPE_CHECKING:
    from latebind.array.declared import DeclaredOperators as _Base
    from latebind.array.namespace import Namespace
else:
    _Base = NumpyMethods


class Array(_Base):
    """A lazy n-dimensional array of the array API standard, with NumPy's views and in-place updates.

    Operations on it are recorded; nothing runs until a value is needed (`np.asarray`, `float`, `bool`, `print`), or
    until `sync` or `mark_step` says so. Made by the creation functions (`latebind.asarray`, `latebind.zeros`, ...), not
    by calling the class.
    """

    __slots__ = ()

    #: NumPy's operators leave a mixed expression to us.
    __array_priority__ = 1000

    def __new__(cls, *args: object, **kwargs: object) -> Array:
        raise TypeError("arrays are made by the creation functions: latebind.asarray(...), latebind.zeros(...), ...")

    # What is known without running anything

    @property
    def dtype(self) -> DType:
        """Element type."""
        return self._type.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Extent of each dimension."""
        return self._type.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._type.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._type.size

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._type.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._type.nbytes

    @property
    def device(self) -> BackendDevice:
        """The device on which the value is, or will be."""
        return self._ground.device

    @property
    def _ground(self) -> Ground:
        return self._tape.ground

    @property
    def T(self) -> Array:
        """The transpose: all axes reversed; a view."""
        return permute(self, tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> Array:
        """The matrix transpose: the last two axes exchanged; a view.

        Raises
        ------
        ShapeMismatchError
            If there are fewer than two dimensions.
        """
        return matrix_transpose(self)

    # Conversion to host values: closes the recording and waits

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        """Return the value as a host array: read-only and without a copy where the engine can, unless `copy`."""
        host = self._ground.executor.value(self)
        if dtype is not None and np.dtype(dtype) != host.dtype:  # type: ignore[call-overload]
            if copy is False:
                raise ValueError(f"a {self.dtype.name} array cannot be seen as {dtype!s} without a copy")
            return host.astype(dtype)  # type: ignore[call-overload, no-any-return]
        return host.copy() if copy else host

    def __dlpack__(
        self,
        /,
        *,
        stream: object = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Export the value in host memory through DLPack, read-only.

        Raises
        ------
        BufferError
            If the consumer speaks a version before 1.0, which cannot be told that memory is read-only, and refuses a
            copy; or asks for another device.
        """
        host = self._ground.executor.value(self)
        if copy is None and (max_version is None or max_version < (1, 0)):
            host = host.copy()
        return host.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)  # type: ignore[misc]

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._ground.executor.value(self).__dlpack_device__()

    def item(self, *index: int) -> bool | int | float | complex:
        """Return one element as a Python scalar; the only one if no index is given."""
        return self._ground.executor.value(self).item(*index)  # type: ignore[no-any-return]

    def to_numpy(self) -> np.ndarray:
        """Return the value as `numpy.asarray` does: the name by which Matplotlib and others ask for it."""
        return self.__array__()

    def tolist(self) -> Any:
        """Return the value as nested lists of Python scalars."""
        return self._ground.executor.value(self).tolist()

    def _single(self, what: str) -> np.ndarray:
        if self.size != 1:
            raise ShapeMismatchError(
                f"{what}() takes an array with one element, got shape {self.shape}: "
                "index it, or use any() or all() for a condition"
            )
        return self._ground.executor.value(self).reshape(())

    def __bool__(self) -> bool:
        return bool(self._single("bool"))

    def __int__(self) -> int:
        return int(self._single("int"))

    def __float__(self) -> float:
        if self.dtype.kind == "c":
            raise DTypeMismatchError("float() of a complex array: take real() or abs() first")
        return float(self._single("float"))

    def __complex__(self) -> complex:
        return complex(self._single("complex"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.ndim:
            raise DTypeMismatchError(
                f"only zero-dimensional integer arrays can be an index, got {self._type!r}: convert with int()"
            )
        return operator.index(self._single("index").item())

    def __repr__(self) -> str:
        if self._tape.ground is not self._tape and getattr(self._tape, "capturing", False):
            return f"Array({self._type!r}, being captured)"
        text = np.array2string(self._ground.executor.value(self), separator=", ", prefix="Array(")
        shape = f"shape={self.shape}, " if not self.size and self.shape != (0,) else ""
        return f"Array({text}, {shape}dtype={self.dtype.name})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return what a notebook shows: type, device, backend, and whether it is computed; nothing is run for it."""
        from latebind.array.display import mime_bundle

        return mime_bundle(self)

    def __str__(self) -> str:
        return str(self._ground.executor.value(self))

    def __format__(self, spec: str) -> str:
        if self.ndim == 0:
            return format(self.item(), spec)
        try:
            return format(str(self), spec)
        except ValueError:
            raise DTypeMismatchError(
                f"format {spec!r} is for one number, and the array has shape {self.shape}: format its elements, or use "
                "numpy.array2string"
            ) from None

    # Sequence

    def __len__(self) -> int:
        if not self.ndim:
            raise DTypeMismatchError("len() of a zero-dimensional array")
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        """Yield rows as views, or elements; integers and booleans as NumPy's scalars, because they index and decide."""
        if not self.ndim:
            raise DTypeMismatchError("iteration over a zero-dimensional array")
        if self.ndim == 1 and self.dtype.kind in "iub" and not getattr(self._tape, "capturing", False):
            return iter(self._ground.executor.value(self))
        return (self[index] for index in range(self.shape[0]))

    def __contains__(self, value: Any) -> bool:
        found = self == value
        # Of what no array can be compared with, such as text, `==` is Python's.
        return bool(found.any()) if isinstance(found, Array) else bool(found)

    def __delitem__(self, key: object) -> None:
        raise ShapeMismatchError(
            "elements of an array cannot be deleted: index it with what is to be kept, or use latebind.numpy.delete"
        )

    # The functions themselves: a method that calls them would cost a loop over elements a tenth.
    __getitem__ = indexing.get
    __setitem__ = indexing.put

    # Copies and conversions

    def astype(
        self, dtype: object, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Array:
        """Return the array converted to a dtype; itself if it has it already and `copy` is false.

        Raises
        ------
        DTypeMismatchError
            If the casting rule does not allow it, or a complex array would become real.
        """
        if not np.can_cast(self.dtype, checked_dtype(dtype), casting=casting):  # type: ignore[arg-type]
            raise DTypeMismatchError(f"astype: {self.dtype.name} to {dtype!s} is against the casting rule {casting!r}")
        return astype(self, dtype, copy=copy)

    def copy(self, order: str = "C") -> Array:
        """Return an array of its own with the same value."""
        return as_memory(apply(COPY, self))  # type: ignore[return-value]

    def __copy__(self) -> Array:
        return as_memory(apply(COPY, self))  # type: ignore[return-value]

    def __deepcopy__(self, memo: object) -> Array:
        return as_memory(apply(COPY, self))  # type: ignore[return-value]

    def __reduce__(self) -> tuple[object, tuple[np.ndarray]]:
        return asarray, (np.array(self),)

    def to_device(self, device: BackendDevice | str, /, *, stream: None = None) -> Array:
        """Return the array on another device of its backend; itself if it is there already."""
        executor = self._ground.executor
        ground = executor.ground(str(device))
        if ground is self._ground:
            return self
        return executor.from_host(executor.value(self), self._type, ground, copy=True)  # type: ignore[return-value]

    # Protocols

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType | Namespace:
        from latebind.array.namespace import namespace_of

        return namespace_of(self, api_version)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        from latebind.array.protocols import array_ufunc

        return array_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        from latebind.array.protocols import array_function

        return array_function(func, types, args, kwargs)

    __hash__ = None  # type: ignore[assignment]
