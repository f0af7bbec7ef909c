"""Operations on complex numbers that need more than one NumPy call."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def make_complex(real: Array, imaginary: Array) -> Array:
    """Return complex numbers of these parts, which broadcast."""
    dtype = np.dtype(np.complex64 if real.dtype == np.float32 else np.complex128)
    result: Array = np.empty(np.broadcast(real, imaginary).shape, dtype)
    result.real = real
    result.imag = imaginary
    return result


def logistic_complex(z: Array) -> Array:
    """Return the logistic function from the exponential that does not overflow."""
    right = z.real >= 0
    power = np.exp(np.where(right, -z, z))
    result: Array = np.where(right, z.dtype.type(1), power) / (1 + power)
    return result


def expm1_complex(z: Array) -> Array:
    """Return exp(z) - 1; NumPy's `expm1` has other values than its `exp` where a part is not finite."""
    power = np.exp(z)
    result: Array = np.where(np.isfinite(z), np.expm1(z), make_complex(power.real - 1, power.imag))
    return result
