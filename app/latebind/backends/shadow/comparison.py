"""When two results count as equal, and how far apart they are if they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from latebind.backends.interface import HostArray

#: Epsilons of the largest magnitude that cancellation in a sum or a product of matrices may leave.
_CANCELLATION: Final = 16


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far apart floating-point results may be; integers and truth values have to be equal, NaN equals NaN.

    `|a - b| <= atol + rtol * |b|` has to hold, `b` from the reference.

    Attributes
    ----------
    rtol : float or None
        `None`: the square root of the dtype's epsilon, so that half of the digits agree (1.5e-8 in float64, 3.5e-4 in
        float32, 0.03 in float16). Rounding alone stays far below, and a wrong algorithm seldom does.
    atol : float or None
        `None`: 16 epsilon times the largest finite magnitude in `b`, at least times 1. What cancels in a sum has an
        error of the size of the terms, not of the result.
    """

    rtol: float | None = None
    atol: float | None = None

    def limits(self, reference: HostArray) -> tuple[float, float]:
        """Return `(rtol, atol)` for a result of the reference."""
        if reference.dtype.kind not in "fc":
            return 0.0, 0.0
        epsilon = float(np.finfo(reference.dtype.name).eps)
        atol = self.atol
        if atol is None:
            magnitudes = np.abs(reference[np.isfinite(reference)])
            largest = float(magnitudes.max()) if magnitudes.size else 0.0
            atol = _CANCELLATION * epsilon * max(1.0, largest)
        return epsilon**0.5 if self.rtol is None else self.rtol, atol


@dataclass(frozen=True, slots=True)
class Difference:
    """How two results differ.

    Attributes
    ----------
    first : tuple of int
        Index of the first element beyond the tolerance, in row-major order.
    values : (object, object)
        The two elements there.
    count, size : int
        Elements beyond the tolerance, and all.
    absolute, relative : float
        Largest differences over all elements where both are finite.
    ulp : int or None
        Largest difference in units in the last place; `None` for integers.
    rtol, atol : float
        What was allowed.
    """

    first: tuple[int, ...]
    values: tuple[object, object]
    count: int
    size: int
    absolute: float
    relative: float
    ulp: int | None
    rtol: float
    atol: float


def identical(one: HostArray, other: HostArray) -> bool:
    """Whether two arrays have the same bits."""
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


def compare(primary: HostArray, reference: HostArray, tolerance: Tolerance) -> Difference | None:
    """Return how two results differ; `None` if they are equal within the tolerance."""
    rtol, atol = tolerance.limits(reference)
    wrong = ~_close(primary, reference, rtol, atol)
    if not wrong.any():
        return None
    first = tuple(int(index) for index in np.unravel_index(int(wrong.argmax()), wrong.shape))
    absolute, relative = _largest(primary, reference)
    return Difference(
        first,
        (primary[first].item(), reference[first].item()),
        int(wrong.sum()),
        int(wrong.size),
        absolute,
        relative,
        _largest_ulp(primary, reference),
        rtol,
        atol,
    )


def _close(one: HostArray, other: HostArray, rtol: float, atol: float) -> npt.NDArray[np.bool_]:
    """Whether each pair of elements is equal within the tolerance, in precision enough not to overflow."""
    equal = np.asarray(one == other)
    if other.dtype.kind not in "fc":
        return equal
    nan = np.isnan(one) & np.isnan(other)
    wide = np.complex128 if other.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        a, b = one.astype(wide), other.astype(wide)
        near = np.abs(a - b) <= atol + rtol * np.abs(b)
    close: npt.NDArray[np.bool_] = np.asarray(equal | nan | (near & np.isfinite(one) & np.isfinite(other)))
    return close


def _largest(one: HostArray, other: HostArray) -> tuple[float, float]:
    """Return the largest absolute and relative difference."""
    if other.dtype.kind not in "fc":
        # Python's integers: the difference of two int64 may not fit, and as floats close ones would be equal.
        a, b = one.astype(object), other.astype(object)
    else:
        finite = np.isfinite(one) & np.isfinite(other)
        wide = np.complex128 if other.dtype.kind == "c" else np.float64
        a, b = one[finite].astype(wide), other[finite].astype(wide)
    with np.errstate(all="ignore"):
        apart: Any = np.abs(a - b) if b.dtype != object else np.abs(a * 1 - b * 1)
        scale: Any = np.abs(b * 1)
        relative = [
            float(d) / float(s) if s else float("inf") for d, s in zip(apart.flat, scale.flat, strict=True) if d
        ]
    return float(max(apart.flat, default=0)), max(relative, default=0.0)


def _largest_ulp(one: HostArray, other: HostArray) -> int | None:
    """Return the largest number of representable values between two elements, over real and imaginary parts."""
    if other.dtype.kind not in "fc":
        return None
    real = np.dtype(f"f{other.dtype.itemsize // (2 if other.dtype.kind == 'c' else 1)}")
    a, b = (np.ascontiguousarray(each).reshape(-1).view(real) for each in (one, other))
    finite = np.isfinite(a) & np.isfinite(b)
    steps = zip(_ordinals(a[finite]), _ordinals(b[finite]), strict=True)
    return max((abs(x - y) for x, y in steps), default=0)


def _ordinals(values: npt.NDArray[Any]) -> list[int]:
    """Number the representable values in order; both zeros are 0."""
    bits = values.view(f"i{values.dtype.itemsize}")
    lowest = int(np.iinfo(bits.dtype).min)
    return [bit if bit >= 0 else lowest - bit for bit in bits.tolist()]
