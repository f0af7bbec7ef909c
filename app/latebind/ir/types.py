"""Tensor types: shape and dtype of one value, interned so that equality is identity."""

from __future__ import annotations

import math
import threading
from typing import ClassVar, Final, final
from weakref import WeakValueDictionary

import numpy as np

DType = np.dtype[np.generic]

#: StableHLO spelling of each element type that the IR knows.
ELEMENT_NAMES: Final[dict[str, str]] = {
    "bool": "i1",
    "int8": "i8",
    "int16": "i16",
    "int32": "i32",
    "int64": "i64",
    "uint8": "ui8",
    "uint16": "ui16",
    "uint32": "ui32",
    "uint64": "ui64",
    "float16": "f16",
    "float32": "f32",
    "float64": "f64",
    "complex64": "complex<f32>",
    "complex128": "complex<f64>",
}


#: The one dtype object per element type that types hold, so that dtypes of types may be compared by identity.
_CANONICAL: Final[dict[str, DType]] = {name: np.dtype(name) for name in ELEMENT_NAMES}


@final
class TensorType:
    """Shape and dtype of one value.

    Instances are interned: `TensorType.of` returns the same object for the same shape and dtype, so types compare and
    hash by identity, which is what the recording path needs.

    Attributes
    ----------
    shape : tuple of int
        Extent of each dimension; `()` for a zero-dimensional value.
    dtype : numpy.dtype
        Element type, native byte order, one of `ELEMENT_NAMES`.
    """

    __slots__ = ("__weakref__", "dtype", "shape", "size")

    shape: tuple[int, ...]
    dtype: DType
    size: int

    _interned: ClassVar[WeakValueDictionary[tuple[tuple[int, ...], DType], TensorType]] = WeakValueDictionary()
    # Reentrant: a garbage collection inside may run a finaliser that makes types.
    _lock: ClassVar[threading.RLock] = threading.RLock()

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: DType) -> TensorType:
        """Return the type with this shape and dtype.

        Raises
        ------
        KeyError
            If the dtype is not one that the IR knows.
        """
        key = (shape, dtype)
        found = cls._interned.get(key)
        if found is not None:
            return found
        made = object.__new__(cls)
        made.shape = shape
        made.dtype = _CANONICAL[dtype.name]
        made.size = math.prod(shape)
        with cls._lock:  # `WeakValueDictionary.setdefault` is not atomic, and two types would be unequal for ever
            return cls._interned.setdefault(key, made)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that a dense value of this type takes."""
        return self.size * self.dtype.itemsize

    def with_shape(self, shape: tuple[int, ...]) -> TensorType:
        """Return the type of the same dtype with another shape."""
        return TensorType.of(shape, self.dtype)

    def with_dtype(self, dtype: DType) -> TensorType:
        """Return the type of the same shape with another dtype."""
        return TensorType.of(self.shape, dtype)

    def __repr__(self) -> str:
        return f"tensor<{'x'.join([*map(str, self.shape), ELEMENT_NAMES[self.dtype.name]])}>"

    def __reduce__(self) -> tuple[object, tuple[tuple[int, ...], DType]]:
        return TensorType.of, (self.shape, self.dtype)
