"""Dtypes and constants of the namespace. A dtype is a `numpy.dtype`, whatever the backend."""

from __future__ import annotations

from typing import Final

import numpy as np

from latebind.ir.types import DType

bool_: Final[DType] = np.dtype(np.bool_)
int8: Final[DType] = np.dtype(np.int8)
int16: Final[DType] = np.dtype(np.int16)
int32: Final[DType] = np.dtype(np.int32)
int64: Final[DType] = np.dtype(np.int64)
uint8: Final[DType] = np.dtype(np.uint8)
uint16: Final[DType] = np.dtype(np.uint16)
uint32: Final[DType] = np.dtype(np.uint32)
uint64: Final[DType] = np.dtype(np.uint64)
#: Not in the standard; what NumPy's functions of 8-bit integers give.
float16: Final[DType] = np.dtype(np.float16)
float32: Final[DType] = np.dtype(np.float32)
float64: Final[DType] = np.dtype(np.float64)
complex64: Final[DType] = np.dtype(np.complex64)
complex128: Final[DType] = np.dtype(np.complex128)

ALL: Final[tuple[DType, ...]] = (
    bool_,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    float16,
    float32,
    float64,
    complex64,
    complex128,
)

e: Final[float] = float(np.e)
inf: Final[float] = float("inf")
nan: Final[float] = float("nan")
newaxis: Final = None
pi: Final[float] = float(np.pi)


def named(name: str) -> DType:
    """Return the dtype with this name."""
    return next(dtype for dtype in ALL if dtype.name == name)
