"""`out=` and in-place operations: a result goes where the user says, if NumPy's casting rules allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from latebind.array.operands import apply
from latebind.array.rules.elementwise import ASTYPE
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import common_ground
from latebind.runtime.views import write

if TYPE_CHECKING:
    from latebind.array.array import Array

Output: TypeAlias = "LazyTensor | np.ndarray | None"


def fitted(name: str, target: LazyTensor, value: Array) -> Array:
    """Return a result converted to the dtype of the array that it is written to, if NumPy would allow that.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    DTypeMismatchError
        If the conversion is not of the same kind: float to integer, complex to float.
    """
    wanted = target._type
    if value.shape != wanted.shape:
        raise ShapeMismatchError(
            f"{name}: the result has shape {value.shape}, which does not fit into the array of shape {wanted.shape}"
        )
    if value.dtype == wanted.dtype:
        return value
    if not np.can_cast(value.dtype, wanted.dtype, casting="same_kind"):
        raise DTypeMismatchError(
            f"{name}: the result has dtype {value.dtype.name}, which an array of {wanted.dtype.name} cannot hold: "
            "convert the array first, with astype, or write x = x ... instead of the in-place form"
        )
    return apply(ASTYPE, value, dtype=wanted.dtype)


def deliver(name: str, result: Array, out: Output) -> Array:
    """Return a result, after writing it to `out` if there is one; what is returned is `out` then.

    A NumPy array is written now, which needs the value; a write to an array of ours is recorded.

    Raises
    ------
    ShapeMismatchError, DTypeMismatchError
        If the result does not fit.
    """
    if out is None:
        return result
    if isinstance(out, LazyTensor):
        common_ground(ASTYPE, [out, result])
        write(out, fitted(name, out, result))
        return out  # type: ignore[return-value]
    if not isinstance(out, np.ndarray):
        raise DTypeMismatchError(f"{name}: out has to be an array, got {type(out).__name__}")
    if out.shape != result.shape:
        raise ShapeMismatchError(f"{name}: the result has shape {result.shape}, out has shape {out.shape}")
    try:
        np.copyto(out, np.asarray(result), casting="same_kind")
    except TypeError as error:
        raise DTypeMismatchError(f"{name}: {error}") from None
    return out  # type: ignore[return-value]
