"""When a result counts as the reference's: exact, or within a tolerance, with care at NaN, infinities and zeros."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a floating-point result may be from the reference's.

    A result is accepted within `ulps * eps * |reference| + absolute * eps + magnitude * eps * M`, where `M` is what the
    operation gives on the absolute values of its operands. Integers and booleans are always compared exactly.

    Attributes
    ----------
    ulps : float
        Units in the last place, relative to the reference's result; of complex numbers relative to its modulus.
    half : float or None
        The same for float16, if it differs.
    absolute : float
        Units of the last place of 1: for functions whose zeros are not at representable numbers.
    magnitude : float
        Per term: for sums, which may cancel.
    zero_sign : bool
        Whether the sign of a zero is defined, and so compared.
    reason : str
        Why the tolerance is what it is.
    """

    ulps: float = 0
    half: float | None = None
    absolute: float = 0
    magnitude: float = 0
    zero_sign: bool = True
    reason: str = "exact: IEEE 754 or the StableHLO specification gives one result"

    @property
    def exact(self) -> bool:
        """Whether results are compared bit by bit (but for NaN)."""
        return not (self.ulps or self.absolute or self.magnitude)

    def scaled(self, terms: int) -> Tolerance:
        """Return the tolerance of a result that combines this many values."""
        if terms == 1 or self.exact:
            return self
        return replace(
            self,
            ulps=self.ulps * terms,
            half=None if self.half is None else self.half * terms,
            magnitude=self.magnitude * terms**0.5,
        )


def agreement(
    found: Array,
    wanted: Array,
    tolerance: Tolerance,
    *,
    magnitude: Array | None = None,
    denormals: bool = False,
) -> Array:
    """Return where two arrays of one shape and dtype agree.

    Parameters
    ----------
    found, wanted
        The result and the reference's.
    tolerance
    magnitude
        What the reference gives on absolute values, if the tolerance needs it.
    denormals
        Whether denormal results have to be right. Otherwise anything up to the smallest normal number counts as zero,
        of either sign: engines flush denormals, and only the cases named `denormals` ask whether they do.
    """
    if wanted.dtype.kind not in "fc":
        return np.asarray(found == wanted)
    if wanted.dtype.kind == "f":
        return _close(found, wanted, tolerance, magnitude, denormals)
    if not tolerance.exact:
        return _close_complex(found, wanted, tolerance, magnitude, denormals)
    parts = (_close(getattr(found, p), getattr(wanted, p), tolerance, None, denormals) for p in ("real", "imag"))
    return np.logical_and(*parts)


def difference(found: Array, wanted: Array, agrees: Callable[[Array, Array], Array]) -> str:
    """Return what is wrong with a result, or an empty string.

    Parameters
    ----------
    agrees
        Says where two arrays agree.
    """
    if found.dtype != wanted.dtype or found.shape != wanted.shape:
        return f"is {found.dtype}{list(found.shape)}, expected {wanted.dtype}{list(wanted.shape)}"
    bad = ~agrees(found, wanted)
    return _describe(np.asarray(bad), found, wanted) if np.any(bad) else ""


def _describe(bad: Array, found: Array, wanted: Array) -> str:
    """Return the count of wrong elements and the first few of them."""
    positions = np.argwhere(bad)
    shown = [
        f"{list(map(int, position)) if position.size else ''} is {found[tuple(position)]!r}, "
        f"expected {wanted[tuple(position)]!r}"
        for position in positions[:4]
    ]
    more = "; ..." if len(positions) > len(shown) else ""
    return f"{len(positions)} of {bad.size} elements differ: " + "; ".join(shown) + more


def _close(found: Array, wanted: Array, tolerance: Tolerance, magnitude: Array | None, denormals: bool) -> Array:
    """Return where real numbers agree."""
    info = np.finfo(wanted.dtype.name)
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    if tolerance.zero_sign:
        same &= np.isnan(wanted) | (wanted != 0) | (np.signbit(found) == np.signbit(wanted))
    with np.errstate(all="ignore"):
        if not denormals:
            smallest = wanted.dtype.type(info.smallest_normal)
            # A number within the tolerance of the smallest normal one may have been flushed as well.
            flushed = (np.abs(found) <= smallest) & (np.abs(wanted) <= smallest)
            same |= flushed & ((np.abs(wanted) > 0) | (np.abs(found) > 0))
        if tolerance.exact:
            return np.asarray(same)
        near = np.abs(_finite(found, info) - _finite(wanted, info)) <= _allowed(np.abs(wanted), tolerance, magnitude)
        # An infinity is near a number only at the very end of the range.
        edge = np.isfinite(found) | np.isfinite(wanted)
        zeros = (found == 0) & (wanted == 0)
        return np.asarray(same | (near & edge & ~zeros & ~np.isnan(found) & ~np.isnan(wanted)))


def _finite(values: Array, info: Any) -> Array:
    """Return values in float64 or better, infinities as the largest number."""
    limit = np.longdouble(info.max)
    return np.clip(values.astype(np.longdouble), -limit, limit)


def _allowed(size: Array, tolerance: Tolerance, magnitude: Array | None) -> Array:
    """Return the difference that is allowed for results of these sizes."""
    info = np.finfo(size.dtype.name)
    eps = np.longdouble(info.eps)
    ulps = tolerance.half if tolerance.half is not None and size.dtype == np.float16 else tolerance.ulps
    scale = np.maximum(_finite(size, info), np.longdouble(info.smallest_normal))
    allowed = ulps * eps * scale + tolerance.absolute * eps
    if magnitude is not None and tolerance.magnitude:
        allowed = allowed + tolerance.magnitude * eps * _finite(np.abs(magnitude).astype(size.dtype), info)
    return np.asarray(allowed)


def _close_complex(
    found: Array, wanted: Array, tolerance: Tolerance, magnitude: Array | None, denormals: bool
) -> Array:
    """Return where complex numbers agree: finite ones to the modulus, others by what kind of number they are.

    C99's Annex G, NumPy and the engines differ in which parts of a result are infinite or NaN. So a result with a NaN
    has to be matched by one that is not finite, an infinite one by one with an infinite part.
    """
    with np.errstate(all="ignore"):
        size = np.hypot(wanted.real, wanted.imag)
        allowed = _allowed(size, tolerance, magnitude)
        info = np.finfo(size.dtype.name)
        if not denormals:
            allowed = np.maximum(allowed, np.longdouble(info.smallest_normal))
        near = np.ones(wanted.shape, bool)
        for part in ("real", "imag"):
            near &= np.abs(_finite(getattr(found, part), info) - _finite(getattr(wanted, part), info)) <= allowed
    finite = np.isfinite(wanted)
    infinite = np.isinf(wanted) & ~np.isnan(wanted.real) & ~np.isnan(wanted.imag)
    return np.asarray(
        np.where(finite, near & ~np.isnan(found), np.where(infinite, np.isinf(found), ~np.isfinite(found)))
    )
