"""Rules of `fft`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from latebind.array.rules.common import INT64, cast, expand, full, like, scalar, transpose, window
from latebind.array.rules.creation import positions
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.ir.ops.fourier import MOST_DIMENSIONS
from latebind.ir.ops.linear_algebra import complex_dtype, real_dtype
from latebind.ir.types import DType
from latebind.runtime.signature import Rule

#: Exponent of the number of elements by which a result is multiplied, forward and inverse (whose operation divides).
_SCALES: Final = {"backward": (0.0, 0.0), "ortho": (-0.5, 0.5), "forward": (-1.0, 1.0)}
#: The same normalisation for a transform in the other direction.
SWAPPED: Final = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _operand(b: IrBuilder, name: str, x: Value, kind: str) -> Value:
    """Return the operand in the dtype that the transform takes; integers count as float64, float16 as float32."""
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)
    if kind != "RFFT":
        return cast(b, x, complex_dtype(dtype))
    if dtype.kind == "c":
        raise DTypeMismatchError(f"{name} takes real numbers, got {dtype.name}: take the real part, or use fft")
    return cast(b, x, np.dtype(np.float32) if dtype.name == "float16" else dtype)


def _resized(b: IrBuilder, x: Value, axis: int, extent: int) -> Value:
    """Return the array cut, or continued with zeros, along an axis."""
    if x.shape[axis] >= extent:
        return x if x.shape[axis] == extent else window(b, x, axis, 0, extent)
    nothing = (0,) * len(x.shape)
    high = tuple(extent - x.shape[axis] if one == axis else 0 for one in range(len(x.shape)))
    zero = scalar(b, 0, x.dtype)
    return b.op("stablehlo::pad", x, zero, edge_padding_low=nothing, edge_padding_high=high, interior_padding=nothing)


def _over(b: IrBuilder, x: Value, kind: str, axes: Sequence[int], lengths: Sequence[int]) -> Value:
    """One operation over at most three axes, which are moved to the end and back."""
    rank = len(x.shape)
    order = (*(axis for axis in range(rank) if axis not in axes), *axes)
    x = b.op("stablehlo::fft", transpose(b, x, order), fft_type=kind, fft_length=tuple(lengths))
    return transpose(b, x, tuple(order.index(axis) for axis in range(rank)))


def _passes(kind: str, count: int) -> list[tuple[str, slice]]:
    """Return which operation runs over which of the axes, in order; a real axis is the last one of its own pass."""
    groups = [slice(max(stop - MOST_DIMENSIONS, 0), stop) for stop in range(count, 0, -MOST_DIMENSIONS)]
    if kind == "RFFT":
        return [("RFFT" if group.stop == count else "FFT", group) for group in groups]
    if kind == "IRFFT":
        return [("IRFFT" if group.stop == count else "IFFT", group) for group in reversed(groups)]
    return [(kind, group) for group in groups]


def _transform(
    b: IrBuilder, x: Value, *, name: str, kind: str, axes: tuple[int, ...], lengths: tuple[int, ...], norm: str
) -> Value:
    """Fourier transform over axes, the last one of which is that of the real transforms."""
    if norm not in _SCALES:
        raise ShapeMismatchError(f"{name}: norm has to be 'backward', 'ortho' or 'forward', got {norm!r}")
    if any(length < 1 for length in lengths):
        raise ShapeMismatchError(f"{name}: a transform has at least one element along each axis, got {lengths}")
    x = _operand(b, name, x, kind)
    for position, (axis, length) in enumerate(zip(axes, lengths, strict=True)):
        halved = kind == "IRFFT" and position == len(axes) - 1
        x = _resized(b, x, axis, length // 2 + 1 if halved else length)
    if not x.type.size:
        return _nothing(b, x, kind, axes, lengths)
    for operation, group in _passes(kind, len(axes)):
        x = _over(b, x, operation, axes[group], lengths[group])
    exponent = _SCALES[norm][kind in ("IFFT", "IRFFT")]
    return _scaled(b, x, math.prod(lengths) ** exponent) if exponent else x


TRANSFORM: Final = Rule("fft", _transform)


def _scaled(b: IrBuilder, x: Value, factor: float) -> Value:
    """Return the product with a real number: by parts, so that an infinite one makes no NaN of the other."""
    if x.dtype.kind != "c":
        return b.op("stablehlo::multiply", x, like(b, factor, x))
    parts = (b.op(f"stablehlo::{part}", x) for part in ("real", "imag"))
    return b.op("stablehlo::complex", *(b.op("stablehlo::multiply", part, like(b, factor, part)) for part in parts))


def _nothing(b: IrBuilder, x: Value, kind: str, axes: tuple[int, ...], lengths: tuple[int, ...]) -> Value:
    """Return the result for a batch without elements."""
    shape = list(x.shape)
    if kind in ("RFFT", "IRFFT"):
        shape[axes[-1]] = lengths[-1] // 2 + 1 if kind == "RFFT" else lengths[-1]
    return full(b, 0, tuple(shape), real_dtype(x.dtype) if kind == "IRFFT" else complex_dtype(x.dtype))


def _frequencies(b: IrBuilder, spacing: Value, *, n: int, length: int, wrap: bool, dtype: DType) -> Value:
    """Multiples of `1 / (n spacing)`, from 0 up; with `wrap`, those of the second half of n less n."""
    place = positions(b, 0, (length,))
    if wrap:
        second = b.op("stablehlo::compare", place, like(b, (n + 1) // 2, place), comparison_direction="GE")
        less = b.op("stablehlo::subtract", place, full(b, n, (length,), INT64))
        place = b.op("stablehlo::select", second, less, place)
    width = b.op("stablehlo::multiply", scalar(b, n, spacing.dtype), spacing)
    unit = b.op("stablehlo::divide", scalar(b, 1, spacing.dtype), width)
    multiples = b.op("stablehlo::multiply", cast(b, place, spacing.dtype), expand(b, unit, (length,)))
    return cast(b, multiples, dtype)


FREQUENCIES: Final = Rule("fftfreq", _frequencies)
