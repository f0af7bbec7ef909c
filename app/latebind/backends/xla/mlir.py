"""StableHLO's text form: constants and attributes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from latebind.ir.types import TensorType

#: Constants with more elements than this are written as hexadecimal bytes.
MANY: Final = 16


def array_attribute(items: Iterable[int]) -> str:
    """Return a list of integers: `array<i64: 1, 2>`."""
    text = ", ".join(map(str, items))
    return f"array<i64: {text}>" if text else "array<i64>"


def bool_array_attribute(items: Iterable[bool]) -> str:
    """Return a list of truth values: `array<i1: true>`."""
    text = ", ".join("true" if item else "false" for item in items)
    return f"array<i1: {text}>" if text else "array<i1>"


def pairs_attribute(items: Sequence[tuple[int, int]]) -> str:
    """Return pairs of integers as a dense attribute of shape (n, 2)."""
    if not items:
        return "dense<> : tensor<0x2xi64>"
    text = ", ".join(f"[{low}, {high}]" for low, high in items)
    return f"dense<[{text}]> : tensor<{len(items)}x2xi64>"


def dims(items: Iterable[int]) -> str:
    """Return a list of dimensions inside a structured attribute: `[0, 1]`."""
    return f"[{', '.join(map(str, items))}]"


def dense(value: npt.NDArray[np.generic]) -> str:
    """Return a constant's value: `dense<1.0>`; exact for every dtype, NaN payloads and signed zeros included."""
    type = TensorType.of(value.shape, value.dtype)
    if not value.size:
        return f"dense<> : {type!r}"
    if _is_uniform(value):
        return splat(value.flat[0], type)
    if value.size <= MANY or value.dtype.kind == "b":
        return f"dense<{_nested(value)}> : {type!r}"
    little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    return f'dense<"0x{little.tobytes().hex().upper()}"> : {type!r}'


def splat(scalar: Any, type: TensorType) -> str:
    """Return a constant with one value everywhere; nothing of the type's size is made."""
    return f"dense<{element(scalar[()]) if type.size else ''}> : {type!r}"


def _is_uniform(value: npt.NDArray[np.generic]) -> bool:
    """Whether all elements have the same bits."""
    if all(stride == 0 or extent == 1 for stride, extent in zip(value.strides, value.shape, strict=True)):
        return True
    first = value.flat[0].tobytes()
    return value.flat[value.size - 1].tobytes() == first and value.tobytes() == first * value.size


def _nested(value: npt.NDArray[np.generic]) -> str:
    if value.ndim == 0:
        return element(value.flat[0])
    return f"[{', '.join(map(_nested, value))}]"


def element(item: Any) -> str:
    """Return one element: decimal where that is exact, the bits in hexadecimal otherwise."""
    kind = item.dtype.kind
    if kind == "b":
        return "true" if item else "false"
    if kind == "c":
        return f"({element(item.real)}, {element(item.imag)})"
    if kind == "f":
        return _float(item)
    return str(int(item))


def _float(item: Any) -> str:
    value = float(item)
    if math.isfinite(value):
        mantissa, separator, exponent = repr(value).partition("e")
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}{separator}{exponent}"
    width = 2 * item.dtype.itemsize
    return f"0x{int(item.view(f'u{item.dtype.itemsize}')):0{width}X}"
