"""The discrete Fourier transform over the last dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from latebind.errors import ShapeMismatchError
from latebind.ir.attributes import ints, text
from latebind.ir.node import Attributes
from latebind.ir.ops.declare import check_kind, declare
from latebind.ir.ops.linear_algebra import check_precision, complex_dtype, real_dtype
from latebind.ir.types import TensorType

FFT_TYPES: Final = ("FFT", "IFFT", "RFFT", "IRFFT")
#: Most dimensions that one operation transforms.
MOST_DIMENSIONS: Final = 3


def _infer_fft(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    (operand,) = types
    kind, lengths = text(attributes, "fft_type", FFT_TYPES), ints(attributes, "fft_length")
    check_precision(operand)
    check_kind(operand, frozenset("f" if kind == "RFFT" else "c"))
    if not 1 <= len(lengths) <= min(MOST_DIMENSIONS, operand.rank):
        raise ShapeMismatchError(
            f"fft_length = {lengths} must have one to {MOST_DIMENSIONS} items, of the last dimensions"
        )
    if min(lengths) < 1:
        raise ShapeMismatchError(f"fft_length = {lengths} must be positive")
    half = (*lengths[:-1], lengths[-1] // 2 + 1)
    outer, inner = operand.shape[: -len(lengths)], operand.shape[-len(lengths) :]
    if inner != (half if kind == "IRFFT" else lengths):
        raise ShapeMismatchError(f"fft_length = {lengths} does not fit the last dimensions {inner}")
    dtype = real_dtype(operand.dtype) if kind == "IRFFT" else complex_dtype(operand.dtype)
    return (TensorType.of((*outer, *(half if kind == "RFFT" else lengths)), dtype),)


declare(
    "stablehlo::fft",
    "operand",
    "fft_type fft_length",
    _infer_fft,
    "Fourier transform over the last dimensions; inverse transforms are divided by the number of elements.",
    optional=True,
)
