"""What PyTorch's factorisations need around them, so that matrices without a result are reported.

MKL's `geev` neither reports NaN and infinities nor always survives them, its `syevd` overlooks some, its `gesdd` takes
infinities for numbers, and PyTorch calls a matrix with NaN one that is not positive definite.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def infinities_as_nan(a: Tensor) -> Tensor:
    """Return the matrices with NaN for every element that is no number: `svd` raises for NaN."""
    return torch.where(torch.isfinite(a), a, math.nan)


def refused_unless_finite(a: Tensor, *, dtype: torch.dtype, triangle: bool) -> Tensor:
    """Return the matrices; raise if one has NaN or an infinity, by a routine that does, for a matrix of order 1.

    Its result, which is zero, is added to the matrices: no compiler may leave the routine out, or call it later.

    Parameters
    ----------
    dtype
        The real dtype of the parts.
    triangle
        Whether the lower triangle alone counts.
    """
    read = torch.tril(a) if triangle else a
    probe = torch.where(torch.isfinite(read).all(), 0.0, math.nan).to(dtype)
    values = torch.linalg.eig(torch.reshape(probe, (1, 1)))[0]
    return torch.add(a, torch.reshape(torch.real(values), ()))


def sign_or_nan(sign: Tensor, logarithm: Tensor) -> Tensor:
    """Return the sign of determinants, NaN where they have none."""
    return torch.where(torch.isnan(logarithm), math.nan, sign)


def cholesky(a: Tensor, identity: Tensor, *, lower: bool) -> Tensor:
    """Return the triangular factor; one of NaN for a matrix whose triangle has NaN or an infinity, as LAPACK does.

    Parameters
    ----------
    identity
        A matrix that is factorised in the place of those.
    """
    triangle = torch.tril if lower else torch.triu
    is_finite = torch.isfinite(triangle(a)).all(-1, keepdim=True).all(-2, keepdim=True)
    factor = torch.linalg.cholesky(torch.where(is_finite, a, identity), upper=not lower)
    factor = torch.where(is_finite, factor, math.nan)
    return torch.tril(factor) if lower else torch.triu(factor)


def solve_triangular(a: Tensor, b: Tensor, *, left: bool, lower: bool, unit: bool, transposition: str) -> Tensor:
    """Return x with `op(a) @ x == b`, or `x @ op(a) == b`, reading one triangle of `a`."""
    if transposition != "NO_TRANSPOSE":
        a, lower = torch.transpose(a, -1, -2), not lower
    if transposition == "ADJOINT":
        a = torch.conj_physical(a)
    found: Tensor = torch.linalg.solve_triangular(a, b, upper=not lower, left=left, unitriangular=unit)
    return found
