"""uint16, uint32 and uint64 as signed integers of the same bits: what depends on the order of values.

Flipping the sign bit maps the order of unsigned integers to that of signed ones.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from latebind.backends.torch.kernels import integers


def flipped(x: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return signed integers in the order of the unsigned ones; its own inverse."""
    return torch.bitwise_xor(x, torch.iinfo(dtype).min)


def comparison(compare: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """Return the comparison of unsigned integers."""

    def kernel(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
        return compare(flipped(x, dtype=dtype), flipped(y, dtype=dtype))

    return kernel


def _extremum(choose: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def kernel(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
        return flipped(choose(flipped(x, dtype=dtype), flipped(y, dtype=dtype)), dtype=dtype)

    return kernel


maximum = _extremum(torch.maximum)
minimum = _extremum(torch.minimum)


def divide(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Divide; `x / 0` is 0."""
    if dtype != torch.int64:
        wide = integers.divide(_widened(x, dtype), _widened(y, dtype))
        return wide.to(dtype)
    return _divide_long(x, y)


def remainder(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return the remainder; `x % 0` is 0."""
    rest = torch.sub(x, torch.mul(divide(x, y, dtype=dtype), y))
    return torch.masked_fill(rest, torch.eq(y, 0), 0)


def _divide_long(x: Tensor, y: Tensor) -> Tensor:
    """Divide uint64: half of `x` divided as a signed integer, doubled and corrected (Hacker's Delight, 9-3)."""
    half = torch.bitwise_and(torch.bitwise_right_shift(x, 1), torch.iinfo(torch.int64).max)
    quotient = torch.mul(integers.divide(half, torch.clamp(y, min=0)), 2)
    rest = torch.sub(x, torch.mul(quotient, y))
    at_least = torch.ge(flipped(rest, dtype=torch.int64), flipped(y, dtype=torch.int64))
    quotient = torch.add(quotient, at_least.to(torch.int64))
    large = torch.ge(flipped(x, dtype=torch.int64), flipped(y, dtype=torch.int64)).to(torch.int64)
    quotient = torch.where(torch.lt(y, 0), large, quotient)
    return torch.masked_fill(quotient, torch.eq(y, 0), 0)


def power(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Raise to a power, wrapping; exponents from 2**63 up are halved first."""
    if dtype != torch.int64:
        return torch.pow(x.to(torch.int64), _widened(y, dtype)).to(dtype)
    half = torch.bitwise_and(torch.bitwise_right_shift(y, 1), torch.iinfo(dtype).max)
    root = torch.pow(x, half)
    odd = torch.eq(torch.bitwise_and(y, 1), 1)
    return torch.mul(torch.mul(root, root), torch.where(odd, x, 1))


def shift_right(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Shift right with zeros moved in."""
    return integers.shift_right_logical(x, y, dtype=dtype)


def _widened(x: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.bitwise_and(x.to(torch.int64), (1 << torch.iinfo(dtype).bits) - 1)
