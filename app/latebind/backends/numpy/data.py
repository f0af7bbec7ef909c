"""Arrays as device data: aligned copies, and whether anybody else sees a buffer."""

from __future__ import annotations

import sys
from typing import Final

import numpy as np

from latebind.backends.interface import BackendData, BackendDevice, HostArray
from latebind.ir.types import TensorType

#: What vector units and other engines (zero-copy hand-over) want.
ALIGNMENT: Final = 64


def aligned_empty(type: TensorType) -> HostArray:
    """Return an uninitialised C-contiguous array whose memory starts at a multiple of `ALIGNMENT` bytes."""
    nbytes = type.nbytes
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return np.ndarray(type.shape, type.dtype, memory, start)


def aligned_copy(array: HostArray, type: TensorType) -> HostArray:
    """Return a copy of an array, in native byte order, with memory as in `aligned_empty`."""
    copy = aligned_empty(type)
    copy[...] = array
    return copy


def is_sole_owner(data: BackendData) -> bool:
    """Whether nothing but this data refers to the array, nor to the memory that the array is a view of.

    A view holds the array that owns its memory (NumPy shortens chains of bases), so counting references to the two
    finds every other holder: another handle, an exported view, a memory view, a computation that is still running.
    """
    array = data.handle
    base = array.base
    if base is None:
        return sys.getrefcount(array) <= _ARRAY_REFERENCES
    return (
        type(base) is np.ndarray
        and base.base is None
        and sys.getrefcount(array) <= _ARRAY_REFERENCES
        and sys.getrefcount(base) <= _BASE_REFERENCES
    )


def _count_references(data: BackendData) -> tuple[int, int]:
    """Count references exactly as `is_sole_owner` does."""
    array = data.handle
    base = array.base
    return sys.getrefcount(array), sys.getrefcount(base)


def _probe() -> BackendData:
    type = TensorType.of((2,), np.dtype(np.float64))
    return BackendData(type, BackendDevice("cpu"), np.empty(3)[:2])


_ARRAY_REFERENCES, _BASE_REFERENCES = _count_references(_probe())
