"""Integer operations: division by zero gives 0, and what is outside the width shifts to 0.

The processor traps on division by zero and on the smallest integer divided by -1, so those divisors are replaced first.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _harmless(y: Tensor) -> Tensor:
    """Return a divisor with 1 for 0 and -1."""
    return torch.masked_fill(y, torch.logical_or(torch.eq(y, 0), torch.eq(y, -1)), 1)


def _divide(x: Tensor, y: Tensor, rounding: str) -> Tensor:
    quotient = torch.div(x, _harmless(y), rounding_mode=rounding)
    quotient = torch.where(torch.eq(y, -1), torch.neg(x), quotient)
    return torch.masked_fill(quotient, torch.eq(y, 0), 0)


def divide(x: Tensor, y: Tensor) -> Tensor:
    """Divide, truncating towards zero."""
    return _divide(x, y, "trunc")


def floor_divide(x: Tensor, y: Tensor) -> Tensor:
    """Divide, rounding down."""
    return _divide(x, y, "floor")


def remainder(x: Tensor, y: Tensor) -> Tensor:
    """Return the remainder with the sign of `x`."""
    return torch.fmod(x, _harmless(y))


def floor_remainder(x: Tensor, y: Tensor) -> Tensor:
    """Return the remainder with the sign of `y`."""
    return torch.remainder(x, _harmless(y))


def divide_bytes(x: Tensor, y: Tensor) -> Tensor:
    """Divide uint8."""
    zero = torch.eq(y, 0)
    return torch.masked_fill(torch.div(x, torch.masked_fill(y, zero, 1), rounding_mode="trunc"), zero, 0)


def remainder_bytes(x: Tensor, y: Tensor) -> Tensor:
    """Return the remainder of uint8."""
    return torch.fmod(x, torch.masked_fill(y, torch.eq(y, 0), 1))


def shift_left(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Shift left; 0 where the shift is outside the width."""
    return torch.masked_fill(torch.bitwise_left_shift(x, _inside(y, dtype)), _is_outside(y, dtype), 0)


def shift_right_logical(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Shift signed integers right with zeros moved in; 0 where the shift is outside the width."""
    shift = _inside(y, dtype)
    half = torch.bitwise_and(torch.bitwise_right_shift(x, 1), torch.iinfo(dtype).max)
    moved = torch.bitwise_right_shift(half, torch.clamp(torch.sub(shift, 1), min=0))
    moved = torch.where(torch.eq(shift, 0), x, moved)
    return torch.masked_fill(moved, _is_outside(y, dtype), 0)


def shift_right_arithmetic(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Shift signed integers right with the sign moved in."""
    last = torch.iinfo(dtype).bits - 1
    shift = torch.where(torch.lt(y, 0), last, torch.clamp(y, max=last))
    return torch.bitwise_right_shift(x, shift)


def shift_right_bytes(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Shift uint8 right; 0 where the shift is outside the width."""
    return torch.masked_fill(torch.bitwise_right_shift(x, _inside(y, dtype)), _is_outside(y, dtype), 0)


def _is_outside(y: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.logical_or(torch.lt(y, 0), torch.ge(y, torch.iinfo(dtype).bits))


def _inside(y: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.clamp(y, 0, torch.iinfo(dtype).bits - 1)


def population_count(x: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Count the bits that are set: sums of neighbouring bits, pairs, quads, then bytes (Hacker's Delight, 5-1)."""
    x = _widened(x, dtype)
    x = torch.sub(x, torch.bitwise_and(torch.bitwise_right_shift(x, 1), 0x5555555555555555))
    pairs = torch.bitwise_and(torch.bitwise_right_shift(x, 2), 0x3333333333333333)
    x = torch.add(torch.bitwise_and(x, 0x3333333333333333), pairs)
    x = torch.bitwise_and(torch.add(x, torch.bitwise_right_shift(x, 4)), 0x0F0F0F0F0F0F0F0F)
    x = torch.bitwise_right_shift(torch.mul(x, 0x0101010101010101), 56)
    return x if dtype == torch.int64 else x.to(dtype)


def count_leading_zeros(x: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Count the zero bits above the highest bit that is set; the width for 0."""
    width = torch.iinfo(dtype).bits
    bits = _widened(x, dtype)
    for shift in (1, 2, 4, 8, 16, 32):
        if shift < width:
            rest = torch.bitwise_right_shift(bits, shift)
            bits = torch.bitwise_or(bits, torch.bitwise_and(rest, (1 << (64 - shift)) - 1))
    count = torch.add(torch.neg(population_count(bits, dtype=torch.int64)), width)
    return count if dtype == torch.int64 else count.to(dtype)


def _widened(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the bits as int64, zeros above."""
    if dtype == torch.int64:
        return x
    return torch.bitwise_and(x.to(torch.int64), (1 << torch.iinfo(dtype).bits) - 1)
