"""Operands: from what users pass to what recording takes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from latebind.array.refused_dtypes import refusal
from latebind.errors import DTypeMismatchError, ScalarRangeError, ShapeMismatchError
from latebind.ir.types import ELEMENT_NAMES, DType, TensorType
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.current import current_executor
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import record
from latebind.runtime.signature import OperandKey, Rule
from latebind.runtime.tape import Ground, Scalar

if TYPE_CHECKING:
    from latebind.array.array import Array

#: What an array function takes where NumPy takes an "array-like".
ArrayLike: TypeAlias = "LazyTensor | np.ndarray | np.generic | bool | int | float | complex | Sequence[object]"

PYTHON_SCALARS = (bool, int, float, complex)


#: Looked up before the name of a dtype, or that of a scalar's, which NumPy works out anew each time.
_NATIVE: Final[dict[DType, DType]] = {np.dtype(name): np.dtype(name) for name in ELEMENT_NAMES}
_NUMPY_SCALARS: Final = frozenset(dtype.type for dtype in _NATIVE)


def checked_dtype(dtype: object) -> DType:
    """Return a dtype that the IR knows.

    Raises
    ------
    DTypeMismatchError
        For anything else: object, string and datetime arrays are refused by name.
    """
    if isinstance(dtype, np.dtype) and dtype in _NATIVE:
        return _NATIVE[dtype]
    try:
        found: DType = np.dtype(dtype)  # type: ignore[call-overload]
    except TypeError:
        found = np.dtype(object)
    if found.name not in ELEMENT_NAMES:
        raise DTypeMismatchError(refusal(dtype))
    return found.newbyteorder("=")


def host_array(value: object) -> np.ndarray:
    """Return an array-like as a host array of a supported dtype, native byte order.

    Raises
    ------
    DTypeMismatchError
        If its elements are not numbers or booleans.
    ShapeMismatchError
        If nested sequences are ragged.
    ScalarRangeError
        If it holds Python integers that fit no 64-bit dtype.
    """
    try:
        found = np.asarray(value)
    except OverflowError as error:
        raise ScalarRangeError(f"{error}: integers must fit in 64 bits") from None
    except ValueError as error:
        raise ShapeMismatchError(f"a nested sequence does not form an array: {error}") from None
    if found.dtype == object and found.size and all(isinstance(item, int) for item in found.flat):
        raise ScalarRangeError("the sequence holds integers that fit no 64-bit dtype: pass floats, or a dtype")
    return found.astype(checked_dtype(found.dtype), copy=False)


def to_ground(value: np.ndarray, ground: Ground, *, copy: bool = True) -> LazyTensor:
    """Put a host array on a device; a snapshot unless `copy` is false or nobody can write to it."""
    type = TensorType.of(value.shape, value.dtype)
    return ground.executor.from_host(value, type, ground, copy=copy)


def scalar_operand(position: int, value: Scalar | np.generic) -> tuple[int, OperandKey, Scalar]:
    """Return a scalar as `record` takes it: Python scalars are weak, NumPy's have their dtype."""
    if isinstance(value, np.generic):
        return position, checked_dtype(value.dtype), value.item()
    if isinstance(value, ScalarArgument):
        return position, value.key, value
    return position, type(value), value


def is_scalar(value: object) -> bool:
    """Whether an operand is kept as a scalar: a Python number or a NumPy scalar of a supported dtype."""
    if type(value) in PYTHON_SCALARS or isinstance(value, ScalarArgument):
        return True
    if type(value) in _NUMPY_SCALARS:
        return True
    return isinstance(value, np.generic) and value.dtype.name in ELEMENT_NAMES


def beyond(number: object) -> float:
    """Return the infinity on a number's side, which stands for an integer that no dtype of the comparison reaches."""
    value = number.value if isinstance(number, ScalarArgument) else number
    return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def apply(rule: Rule, *operands: ArrayLike, ground: Ground | None = None, **attributes: Hashable) -> Array:
    """Record an operation on array-likes.

    Arrays are operands, numbers become scalar operands, everything else is put on the arrays' device first. With no
    array among the operands, the device is the current container's default; of numbers alone, the first becomes an
    array.
    """
    alone = False
    if ground is None:
        for operand in operands:
            if isinstance(operand, LazyTensor):
                ground = operand._tape.ground
                break
        else:
            ground = current_executor().ground()
            alone = all(map(is_scalar, operands))
    tensors: list[LazyTensor] = []
    scalars: list[tuple[int, OperandKey, Scalar]] = []
    for position, operand in enumerate(operands):
        if isinstance(operand, LazyTensor):
            tensors.append(operand)
        elif is_scalar(operand) and not (alone and position == 0):
            scalars.append(scalar_operand(position, operand))  # type: ignore[arg-type]
        else:
            tensors.append(to_ground(host_array(operand), ground))
    return record(rule, tensors, tuple(attributes.items()), scalars=scalars, ground=ground)  # type: ignore[return-value]


def as_arrays(*values: ArrayLike) -> list[Array]:
    """Return array-likes as arrays, on the device of the first that is an array already."""
    ground = next((value._tape.ground for value in values if isinstance(value, LazyTensor)), None)
    return [as_array(value, ground) for value in values]


def as_array(value: ArrayLike, ground: Ground | None = None) -> Array:
    """Return an array-like as an array; arrays as they are."""
    if isinstance(value, LazyTensor):
        return value  # type: ignore[return-value]
    return to_ground(host_array(value), ground or current_executor().ground())  # type: ignore[return-value]
