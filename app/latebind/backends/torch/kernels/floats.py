"""Operations on floats that need more than one PyTorch call."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

#: Integers of the same width.
_BITS: Final = {torch.float16: torch.int16, torch.float32: torch.int32, torch.float64: torch.int64}


def sign(x: Tensor) -> Tensor:
    """Return the sign; -0.0 and NaN are kept."""
    return torch.where(torch.gt(torch.abs(x), 0), torch.sign(x), x)


def remainder(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return the remainder with the sign of `x`.

    PyTorch's `fmod` gives NaN where the quotient overflows. That of float32 does not in float64; in float64 multiples
    of the divisor are taken off first, so that no quotient is above `2**700`.
    """
    if dtype == torch.float32:
        return torch.fmod(x.to(torch.float64), y.to(torch.float64)).to(torch.float32)
    if dtype == torch.float64:
        wide = torch.mul(y, 2.0**699)
        x = torch.fmod(torch.fmod(x, torch.mul(wide, 2.0**699)), wide)
    return torch.fmod(x, y)


def floor_remainder(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return the remainder with the sign of `y`, also where it is 0."""
    rest = remainder(x, y, dtype=dtype)
    moved = torch.where(torch.logical_xor(torch.lt(rest, 0), torch.lt(y, 0)), torch.add(rest, y), rest)
    return torch.where(torch.eq(rest, 0), torch.copysign(rest, y), moved)


def floor_divide(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Divide and round down; float16 in float32, as NumPy."""
    if dtype == torch.float16:
        return torch.floor_divide(x.to(torch.float32), y.to(torch.float32)).to(torch.float16)
    return torch.floor_divide(x, y)


def exponential_minus_one(x: Tensor) -> Tensor:
    """Return `exp(x) - 1` from `exp` and `log`, whose errors cancel (Higham, Accuracy and Stability, 1.14.1).

    For Inductor, whose own `expm1` is a difference.
    """
    power = torch.exp(x)
    difference = torch.sub(power, 1)
    corrected = torch.div(torch.mul(difference, x), torch.log(power))
    plain = torch.logical_or(torch.eq(difference, -1), torch.isinf(power))
    return torch.where(torch.eq(power, 1), x, torch.where(plain, difference, corrected))


def round_nearest_away(x: Tensor) -> Tensor:
    """Round to the nearest integer, ties away from zero (StableHLO `round_nearest_afz`)."""
    whole = torch.trunc(x)
    away = torch.add(torch.abs(whole), 1)
    tie = torch.ge(torch.abs(torch.sub(x, whole)), 0.5)
    return torch.copysign(torch.where(tie, away, torch.abs(whole)), x)


def cube_root(x: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return the cube root: a power in float64, then a step of Newton's method; tiny numbers scaled by `2**162`."""
    wide = x if dtype == torch.float64 else x.to(torch.float64)
    magnitude = torch.abs(wide)
    tiny = torch.lt(magnitude, 1e-280)
    scaled = torch.where(tiny, torch.mul(magnitude, 2.0**162), magnitude)
    root = torch.pow(scaled, 1 / 3)
    square = torch.mul(root, root)
    better = torch.sub(root, torch.div(torch.sub(torch.mul(square, root), scaled), torch.mul(square, 3.0)))
    better = torch.where(tiny, torch.mul(better, 2.0**-54), better)
    regular = torch.logical_and(torch.gt(magnitude, 0), torch.lt(magnitude, float("inf")))
    result = torch.copysign(torch.where(regular, better, magnitude), wide)
    return result if dtype == torch.float64 else result.to(dtype)


def total_order(x: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return integers in the total order of IEEE 754: -NaN, -inf, ..., -0, +0, ..., inf, NaN."""
    bits = x.view(_BITS[dtype])
    return torch.where(torch.lt(bits, 0), torch.bitwise_xor(bits, torch.iinfo(_BITS[dtype]).max), bits)
