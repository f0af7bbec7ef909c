"""Dtype promotion as NumPy 2 does it (NEP 50): arrays promote by dtype, Python scalars are weak."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from latebind.errors import DTypeMismatchError
from latebind.ir.types import ELEMENT_NAMES, DType, TensorType

_SAMPLES: Final[dict[object, bool | int | float | complex]] = {bool: False, int: 0, float: 0.0, complex: 0j}


@lru_cache(maxsize=1024)
def promote_dtypes(*dtypes: DType) -> DType:
    """Return the dtype to which these promote.

    Raises
    ------
    DTypeMismatchError
        If there is none in the IR.
    """
    try:
        promoted: DType = np.result_type(*dtypes)
    except TypeError:
        promoted = np.dtype(object)
    if promoted.name not in ELEMENT_NAMES:
        names = ", ".join(dtype.name for dtype in dtypes)
        raise DTypeMismatchError(f"no dtype holds all of {names}: convert one of the operands first, with astype")
    return promoted


def integer_range(dtype: DType) -> tuple[int, int]:
    """Return the smallest and the largest value of an integer dtype."""
    info = np.iinfo(dtype)  # type: ignore[type-var]
    return int(info.min), int(info.max)


def weak_scalar_dtype(key: TensorType | DType | type, array_dtypes: Sequence[DType]) -> DType:
    """Return the dtype that a scalar operand takes beside arrays of these dtypes.

    Parameters
    ----------
    key
        Python type of a weak scalar, or the dtype of a NumPy scalar, which is not weak.
    array_dtypes
        Dtypes of the array operands; empty if there are none.
    """
    sample = _SAMPLES.get(key)
    if sample is None:
        if isinstance(key, np.dtype):
            return key
        raise DTypeMismatchError(f"{key!r} is not the type of a scalar that an array can be combined with")
    if not array_dtypes:
        return np.result_type(sample)
    return np.result_type(np.result_type(*array_dtypes), sample)
