"""Element types: those of values, and those that computations carry them in.

PyTorch stores uint16, uint32 and uint64 but hardly computes with them. Inside a computation such a value is a view of
the signed integers with the same bits: sums, products, comparisons for equality and everything that moves elements are
the same on both, and the few operations that are not have kernels (`kernels/unsigned.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from latebind.ir.types import ELEMENT_NAMES, DType

#: PyTorch's dtype of each element type.
_NATIVE: Final[dict[DType, torch.dtype]] = {np.dtype(name): getattr(torch, name) for name in ELEMENT_NAMES}
#: Signed dtypes of the same width, for the unsigned ones that PyTorch does not compute with.
_SIGNED: Final[dict[DType, torch.dtype]] = {
    np.dtype(f"uint{width}"): getattr(torch, f"int{width}") for width in (16, 32, 64)
}
_CARRIERS: Final = {**_NATIVE, **_SIGNED}


def native(dtype: DType) -> torch.dtype:
    """Return PyTorch's dtype of the same elements."""
    return _NATIVE[dtype]


def carrier(dtype: DType) -> torch.dtype:
    """Return the dtype that values of this element type have inside a computation."""
    return _CARRIERS[dtype]


def is_reinterpreted(dtype: DType) -> bool:
    """Whether values are carried in another dtype than they are stored in."""
    return dtype in _SIGNED
