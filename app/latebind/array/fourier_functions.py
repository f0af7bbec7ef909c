"""The `fft` extension of the array API standard.

`n` or `s` is the number of elements that are transformed along an axis: the array is cut, or continued with zeros.
`norm` says which direction is divided by it: `"backward"` the inverse one, `"forward"` the other, `"ortho"` both, by
the square root. Single precision stays single; integers count as float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from latebind.array.conversion import create, default_dtype, scalar_of
from latebind.array.creation_functions import Device, DTypeLike, ground_of
from latebind.array.elementwise_functions import conj
from latebind.array.manipulation_functions import roll
from latebind.array.operands import ArrayLike, apply, as_array, checked_dtype
from latebind.array.rules.common import Axes, integer, normalize_axes, normalize_axis
from latebind.array.rules.fourier import FREQUENCIES, SWAPPED, TRANSFORM
from latebind.errors import DTypeMismatchError, ShapeMismatchError

if TYPE_CHECKING:
    from latebind.array.array import Array

Norm: TypeAlias = Literal["backward", "ortho", "forward"]

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]


def fft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """Return the discrete Fourier transform along an axis.

    Parameters
    ----------
    x : Array or array-like
        Any numeric dtype.
    n : int, optional
        Number of elements; all by default.
    axis : int
    norm : "backward", "ortho" or "forward"

    Returns
    -------
    Array
        Complex, of the precision of `x`; `n` elements along the axis.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range, `n` is not positive, or `norm` is something else.
    """
    return _along("fft", "FFT", x, n, axis, norm)


def ifft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """Return the inverse of `fft`; parameters, result and errors are the same."""
    return _along("ifft", "IFFT", x, n, axis, norm)


def rfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """Return the first half, `n // 2 + 1` elements, of the Fourier transform of real numbers.

    Parameters and errors are those of `fft`; complex numbers are refused with a `DTypeMismatchError`.
    """
    return _along("rfft", "RFFT", x, n, axis, norm)


def irfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """Return the inverse of `rfft`: real numbers, `n` of them, by default `2 (M - 1)` for M along the axis.

    Parameters and errors are those of `fft`. The imaginary part of the first element, and of the last for an even
    `n`, has no influence.
    """
    return _along("irfft", "IRFFT", x, n, axis, norm)


def hfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """Return the Fourier transform, which is real, of what has Hermitian symmetry and is given by its first half.

    Parameters and errors are those of `fft`; `n` is the number of results, by default `2 (M - 1)`.
    """
    return _along("hfft", "IRFFT", conj(as_array(x)), n, axis, SWAPPED.get(norm, norm))


def ihfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """Return the inverse of `hfft`: the first half, `n // 2 + 1` elements, of real numbers' inverse transform.

    Parameters and errors are those of `rfft`.
    """
    return conj(_along("ihfft", "RFFT", x, n, axis, SWAPPED.get(norm, norm)))


def fftn(
    x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
) -> Array:
    """Return the discrete Fourier transform over several axes.

    Parameters
    ----------
    x : Array or array-like
        Any numeric dtype.
    s : sequence of int, optional
        Number of elements along each of the axes.
    axes : sequence of int, optional
        By default all axes, or as many of the last ones as `s` has items.
    norm : "backward", "ortho" or "forward"

    Returns
    -------
    Array
        Complex, of the precision of `x`.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range or comes twice, `s` and `axes` differ in length, a number of elements is not
        positive, or `norm` is something else.
    """
    return _over("fftn", "FFT", x, s, axes, norm)


def ifftn(
    x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
) -> Array:
    """Return the inverse of `fftn`; parameters, result and errors are the same."""
    return _over("ifftn", "IFFT", x, s, axes, norm)


def rfftn(
    x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
) -> Array:
    """Return the Fourier transform of real numbers over several axes; of the last of them, the first half.

    Parameters and errors are those of `fftn`; complex numbers are refused with a `DTypeMismatchError`.
    """
    return _over("rfftn", "RFFT", x, s, axes, norm)


def irfftn(
    x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
) -> Array:
    """Return the inverse of `rfftn`: real numbers, by default `2 (M - 1)` for M along the last of the axes.

    Parameters and errors are those of `fftn`.
    """
    return _over("irfftn", "IRFFT", x, s, axes, norm)


def fftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return the frequencies of the results of `fft`: `0, 1, ..., -2, -1` divided by `n d`.

    Parameters
    ----------
    n : int
        Number of elements.
    d : float
        Distance between samples.
    dtype : dtype, optional
        Real floating-point; the default one if left out.
    device
        Where to create the array.

    Raises
    ------
    ShapeMismatchError
        If `n` is not positive.
    DTypeMismatchError
        If the dtype is not real floating-point.
    """
    return _frequencies("fftfreq", n, d, dtype, device, half=False)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike = None, device: Device = None) -> Array:
    """Return the frequencies of the results of `rfft`: `0, 1, ..., n // 2` divided by `n d`.

    Parameters and errors are those of `fftfreq`.
    """
    return _frequencies("rfftfreq", n, d, dtype, device, half=True)


def fftshift(x: ArrayLike, /, *, axes: Axes = None) -> Array:
    """Move the frequency 0 to the middle of each axis.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range or comes twice.
    """
    return _shifted("fftshift", x, axes, 1)


def ifftshift(x: ArrayLike, /, *, axes: Axes = None) -> Array:
    """Move the frequency 0 from the middle of each axis to its start: the inverse of `fftshift`."""
    return _shifted("ifftshift", x, axes, -1)


def _along(name: str, kind: str, x: ArrayLike, n: int | None, axis: int, norm: str) -> Array:
    array = as_array(x)
    number = normalize_axis(name, axis, array.ndim)
    length = _default_length(kind, array.shape[number]) if n is None else integer(name, "n", n)
    return apply(TRANSFORM, array, name=name, kind=kind, axes=(number,), lengths=(length,), norm=norm)


def _default_length(kind: str, extent: int) -> int:
    return 2 * (extent - 1) if kind == "IRFFT" else extent


def _over(name: str, kind: str, x: ArrayLike, s: Sequence[int] | None, axes: Sequence[int] | None, norm: str) -> Array:
    array = as_array(x)
    rank = array.ndim
    if axes is None:
        count = rank if s is None else len(s)
        if count > rank:
            raise ShapeMismatchError(f"{name}: s has {count} items for an array with {rank} dimensions")
        axes = range(rank - count, rank)
    numbers = tuple(normalize_axis(name, axis, rank) for axis in axes)
    if len(set(numbers)) != len(numbers):
        raise ShapeMismatchError(f"{name}: axes {tuple(axes)} name an axis twice")
    if not numbers and kind in ("RFFT", "IRFFT"):
        raise ShapeMismatchError(f"{name} needs at least one axis")
    if s is None:
        lengths = [array.shape[number] for number in numbers]
        if numbers:
            lengths[-1] = _default_length(kind, lengths[-1])
    else:
        lengths = [integer(name, "s", length) for length in s]
        if len(lengths) != len(numbers):
            raise ShapeMismatchError(f"{name}: s has {len(lengths)} items for {len(numbers)} axes")
    return apply(TRANSFORM, array, name=name, kind=kind, axes=numbers, lengths=tuple(lengths), norm=norm)


def _frequencies(name: str, n: int, d: float, dtype: DTypeLike, device: Device, *, half: bool) -> Array:
    number = integer(name, "n", n)
    if number < 1:
        raise ShapeMismatchError(f"{name}: n has to be positive, got {number}")
    ground = ground_of(device)
    chosen = default_dtype(0.0, ground) if dtype is None else checked_dtype(dtype)
    if chosen.kind != "f":
        raise DTypeMismatchError(f"{name}: the dtype has to be real floating-point, got {chosen.name}")
    length = number // 2 + 1 if half else number
    work = np.dtype(np.float64)
    attributes = {"n": number, "length": length, "wrap": not half, "dtype": chosen}
    return create(FREQUENCIES, ground, (work, scalar_of(d, work)), **attributes)


def _shifted(name: str, x: ArrayLike, axes: Axes, direction: int) -> Array:
    array = as_array(x)
    numbers = normalize_axes(name, axes, array.ndim)
    if not numbers:
        return roll(array, 0)
    return roll(array, tuple(direction * (array.shape[axis] // 2) for axis in numbers), axis=numbers)
