"""What "the same as NumPy" means: shape, dtype, values, the sign of zeros, and NaN where NumPy has NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from latebind.errors import LatebindError


def assert_same(actual: Any, expected: Any, *, ulps: float = 0, signed_zeros: bool = True, about: str = "") -> None:
    """Compare with NumPy's result.

    Parameters
    ----------
    ulps
        Units in the last place by which each number, or part of a complex number, may differ, relative to the largest
        finite number of the result; 0 compares bits, but for NaN.
    signed_zeros
        Whether `-0.0` and `0.0` differ when bits are compared.
    """
    found, wanted = np.asarray(actual), np.asarray(expected)
    assert found.dtype == wanted.dtype, f"{about}: dtype {found.dtype}, not {wanted.dtype}"
    assert found.shape == wanted.shape, f"{about}: shape {found.shape}, not {wanted.shape}"
    if wanted.dtype.kind == "c":
        assert_same(found.real, wanted.real, ulps=ulps, about=about)
        assert_same(found.imag, wanted.imag, ulps=ulps, about=about)
    elif wanted.dtype.kind != "f":
        np.testing.assert_array_equal(found, wanted, err_msg=about)
    elif ulps:
        _assert_close(found, wanted, ulps, about)
    else:
        np.testing.assert_array_equal(found, wanted, err_msg=about)
        numbers = ~np.isnan(wanted) & (signed_zeros | (wanted != 0))
        np.testing.assert_array_equal(np.signbit(found[numbers]), np.signbit(wanted[numbers]), err_msg=about)


def _assert_close(found: np.ndarray, wanted: np.ndarray, ulps: float, about: str) -> None:
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(found[~finite], wanted[~finite], err_msg=about)
    scale = np.max(np.abs(wanted[finite]), initial=np.finfo(wanted.dtype).smallest_normal)
    allowed = ulps * float(np.finfo(wanted.dtype).eps) * float(scale)
    difference = np.abs(found[finite].astype(np.float64) - wanted[finite].astype(np.float64))
    assert np.all(difference <= allowed), f"{about}: {found} differs from {wanted} by {difference.max()} > {allowed}"


def outcome(function: Callable[[], Any]) -> Any:
    """Return what NumPy gives, or the exception that it raises; floating-point warnings are off."""
    try:
        with np.errstate(all="ignore"):
            return function()
    except Exception as error:
        return error


def assert_same_outcome(
    actual: Callable[[], Any], expected: Callable[[], Any], *, ulps: float = 0, about: str = ""
) -> None:
    """Compare values, or that both refuse: where NumPy raises, latebind raises one of its own errors."""
    wanted = outcome(expected)
    if isinstance(wanted, Exception):
        try:
            found = np.asarray(actual())
        except LatebindError:
            return
        raise AssertionError(f"{about}: NumPy refuses ({wanted!r}), latebind gives {found!r}")
    assert_same(actual(), wanted, ulps=ulps, about=about)
