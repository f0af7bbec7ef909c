"""Operations on complex numbers, with NumPy's results at zeros, infinities and NaN, and NumPy's order."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def _by_part(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a function that works on the parts.

    PyTorch's own sums multiply one operand by a complex 1, and its negation loses the sign of zeros.
    """

    def kernel(*operands: Tensor) -> Tensor:
        return torch.view_as_complex(function(*map(torch.view_as_real, operands)))

    return kernel


add = _by_part(torch.add)
subtract = _by_part(torch.sub)
negative = _by_part(torch.neg)
rounded = _by_part(torch.round)


def exponential_minus_one(x: Tensor) -> Tensor:
    """Return exp(x) - 1, from exp(x) where a part is not finite."""
    power = torch.exp(x)
    open_ended = torch.complex(torch.real(power) - 1, torch.imag(power))
    return torch.where(torch.isfinite(x), torch.expm1(x), open_ended)


def acos(x: Tensor) -> Tensor:
    """Return the inverse cosine, whose imaginary part has the other sign; PyTorch's loses that of zeros."""
    found = torch.acos(x)
    return torch.complex(torch.real(found), torch.copysign(torch.imag(found), torch.neg(torch.imag(x))))


def square(x: Tensor) -> Tensor:
    """Multiply by itself."""
    return torch.mul(x, x)


def _comparison(
    first: Callable[[Tensor, Tensor], Tensor], second: Callable[[Tensor, Tensor], Tensor]
) -> Callable[..., Tensor]:
    """Return the comparison by real part, then imaginary part; false with NaN."""

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        a, b, c, d = torch.real(x), torch.imag(x), torch.real(y), torch.imag(y)
        ordered = torch.logical_not(torch.logical_or(torch.isnan(b), torch.isnan(d)))
        decided = torch.logical_and(first(a, c), ordered)
        return torch.logical_or(decided, torch.logical_and(torch.eq(a, c), second(b, d)))

    return kernel


less = _comparison(torch.lt, torch.lt)
less_equal = _comparison(torch.lt, torch.le)
greater = _comparison(torch.gt, torch.gt)
greater_equal = _comparison(torch.gt, torch.ge)


def maximum(x: Tensor, y: Tensor) -> Tensor:
    """Return the larger number; the first NaN wins."""
    return torch.where(torch.logical_or(torch.isnan(x), greater_equal(x, y)), x, y)


def minimum(x: Tensor, y: Tensor) -> Tensor:
    """Return the smaller number; the first NaN wins."""
    return torch.where(torch.logical_or(torch.isnan(x), less_equal(x, y)), x, y)


def power(x: Tensor, y: Tensor) -> Tensor:
    """Raise to a power; `0 ** y` is 0 where the real part of `y` is positive and NaN otherwise, `x ** 0` is 1."""
    of_zero = torch.where(torch.gt(torch.real(y), 0), torch.mul(x, 0), torch.mul(x, float("nan")))
    result = torch.where(torch.eq(x, 0), of_zero, torch.pow(x, y))
    result = torch.where(torch.eq(y, 1), x, torch.where(torch.eq(y, 2), torch.mul(x, x), result))
    return torch.where(torch.eq(y, 0), 1, result)


def sign(x: Tensor) -> Tensor:
    """Return `x / |x|`; of numbers with one infinite part the unit of that part."""
    a, b = torch.real(x), torch.imag(x)
    left, right = torch.isinf(a), torch.isinf(b)
    unit = torch.complex(torch.where(left, torch.sign(a), 0.0), torch.where(right, torch.sign(b), 0.0))
    undefined = torch.logical_or(torch.isnan(x), torch.logical_and(left, right))
    result = torch.where(undefined, torch.mul(x, float("nan")), torch.sgn(x))
    return torch.where(torch.logical_xor(left, right), unit, result)


def log_plus_one(x: Tensor) -> Tensor:
    """Return `log(1 + x)` from length and angle."""
    a, b = torch.add(torch.real(x), 1), torch.imag(x)
    return torch.complex(torch.log(torch.hypot(a, b)), torch.atan2(b, a))


def logistic(x: Tensor) -> Tensor:
    """Return `1 / (1 + exp(-x))`, from the exponential that does not overflow."""
    right = torch.ge(torch.real(x), 0)
    power = torch.exp(torch.where(right, negative(x), x))
    total = torch.complex(torch.add(torch.real(power), 1), torch.imag(power))
    return torch.div(torch.where(right, 1, power), total)


def sort_order(x: Tensor, *, dim: int, descending: bool) -> Tensor:
    """Return the positions that sort stably: real parts, imaginary parts, then those with a NaN part."""
    a, b = torch.real(x), torch.imag(x)
    order = torch.sort(b, dim=dim, stable=True, descending=descending)[1]
    by_real = torch.sort(torch.gather(a, dim, order), dim=dim, stable=True, descending=descending)[1]
    order = torch.gather(order, dim, by_real)
    rank = torch.add(torch.isnan(b).to(torch.uint8), torch.isnan(a).to(torch.uint8), alpha=2)
    by_rank = torch.sort(torch.gather(rank, dim, order), dim=dim, stable=True, descending=descending)[1]
    return torch.gather(order, dim, by_rank)
