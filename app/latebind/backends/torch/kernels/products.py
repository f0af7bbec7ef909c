"""Matrix products of integers where PyTorch has none: on GPUs."""

from __future__ import annotations

import torch
from torch import Tensor

#: Bits of the digits that integers are cut into: sums of up to 2**21 products of two digits are exact in float64.
_DIGIT = 16


def matmul_of_integers(x: Tensor, y: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Multiply matrices of integers, wrapping: digit by digit in float64, where each sum is exact.

    Products of high digits alone are beyond the width, and left out.
    """
    count = max(1, torch.iinfo(dtype).bits // _DIGIT)
    left, right = ([_digit(operand, place) for place in range(count)] for operand in (x, y))
    total: Tensor | None = None
    for place in range(count):
        for low in range(place + 1):
            product = torch.matmul(left[low], right[place - low]).to(torch.int64)
            shifted = torch.bitwise_left_shift(product, _DIGIT * place) if place else product
            total = shifted if total is None else torch.add(total, shifted)
    assert total is not None
    return total if dtype == torch.int64 else total.to(dtype)


def _digit(x: Tensor, place: int) -> Tensor:
    shifted = torch.bitwise_right_shift(x.to(torch.int64), _DIGIT * place) if place else x.to(torch.int64)
    return torch.bitwise_and(shifted, (1 << _DIGIT) - 1).to(torch.float64)
