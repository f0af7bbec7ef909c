"""What is known of an array's values while a program is drawn: how large they are, and how far two backends differ.

Values are *exact* (`error == 0`) if every backend has to give the same: integers, and small integers in floating point.
Only exact values decide anything (comparisons, masks, positions, conversions to integers), because a difference in the
last place would otherwise become one of 1. The error of the others is bounded by the usual first-order rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from latebind.ir.types import DType

#: Units in the last place that one operation may be wrong by.
OPERATION_ULPS: Final = 8
#: Floating-point values stay below, so that nothing overflows.
_CEILING: Final = {"float16": 2.0**10, "float32": 2.0**40, "float64": 2.0**40}


@dataclass(frozen=True, slots=True)
class Worth:
    """Bounds on the values of an array.

    Attributes
    ----------
    bound : float
        Largest absolute value.
    error : float
        Largest difference between two backends.
    """

    bound: float
    error: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether every backend gives these values."""
        return self.error == 0


def largest_exact(dtype: DType) -> float:
    """Return up to where a floating-point dtype has every integer; infinity for others."""
    return 2.0 ** (np.finfo(dtype.name).nmant + 1) if dtype.kind == "f" else np.inf


def stored(worth: Worth, dtype: DType, *, rounds: bool = False) -> Worth | None:
    """Return what is known of values once they are in a dtype; `None` if they could overflow it.

    Parameters
    ----------
    rounds
        Whether the operation rounds although its operands are exact.
    """
    if dtype.kind == "b":
        return Worth(1)
    if dtype.kind in "iu":
        return Worth(min(worth.bound, 2.0 ** (8 * dtype.itemsize)))  # integers wrap
    if not worth.bound <= _CEILING[dtype.name]:
        return None
    if rounds or not worth.exact or worth.bound > largest_exact(dtype):
        error = worth.error + OPERATION_ULPS * float(np.finfo(dtype.name).eps) * max(worth.bound, 1e-3)
        return Worth(worth.bound + error, error)
    return worth


def either(one: Worth, other: Worth) -> Worth:
    """Return what holds for values of both."""
    return Worth(max(one.bound, other.bound), max(one.error, other.error))
