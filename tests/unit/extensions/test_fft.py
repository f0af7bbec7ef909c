"""Fourier transforms agree with NumPy's in all options, and inverse ones give back what was transformed.

The error of a fast transform of n elements is below `log2(n)` epsilon of the norm; 50 epsilon of the largest result
leaves room for that on every engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind import fft
from latebind.errors import DTypeMismatchError, ShapeMismatchError

COMPLEX, REAL = ("fft", "ifft", "hfft", "irfft"), ("rfft", "ihfft")
NORMS = ("backward", "ortho", "forward")


def signal(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    rng = np.random.default_rng(len(shape))
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else 3 * x).astype(dtype)


def close(found: Any, wanted: np.ndarray) -> None:
    found = np.asarray(found)
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    scale = np.max(np.abs(wanted), initial=1e-3)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=50 * np.finfo(wanted.dtype).eps * scale)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int8"])
@pytest.mark.parametrize("name", [*COMPLEX, *REAL])
@pytest.mark.parametrize(
    "options",
    [{}, {"n": 3}, {"n": 8, "axis": 0}, {"axis": 1, "norm": "ortho"}, {"norm": "forward"}, {"n": 1, "axis": -2}],
)
def test_transforms_along_one_axis(name: str, dtype: str, options: dict[str, Any]) -> None:
    x = signal((4, 6, 5), dtype)
    if name in REAL and x.dtype.kind == "c":
        with pytest.raises(DTypeMismatchError, match=f"{name} takes real numbers"):
            getattr(fft, name)(lb.asarray(x), **options)
        return
    close(getattr(fft, name)(lb.asarray(x), **options), getattr(np.fft, name)(x, **options))


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"axes": (1,)},
        {"axes": (2, 0)},
        {"axes": (0, 1, 3)},
        {"s": (5, 2), "axes": (0, 3)},
        {"s": (2, 6, 3, 2, 4), "axes": (0, 1, 2, 3, 4)},
    ],
)
def test_transforms_over_several_axes(name: str, options: dict[str, Any]) -> None:
    x = signal((3, 4, 2, 3, 5), "float32" if name == "rfftn" else "complex64")
    close(getattr(fft, name)(lb.asarray(x), norm="ortho", **options), getattr(np.fft, name)(x, norm="ortho", **options))


def test_the_last_axes_are_taken_where_only_lengths_are_given() -> None:
    x = signal((3, 4, 5), "complex128")
    close(fft.fftn(lb.asarray(x), s=(2, 3)), np.fft.fftn(x, s=(2, 3), axes=(1, 2)))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("length", [1, 2, 7, 8])
def test_inverse_transforms_give_back_the_signal(length: int, norm: Any) -> None:
    z, x = signal((2, length), "complex128"), signal((2, length), "float64")
    close(fft.ifft(fft.fft(lb.asarray(z), norm=norm), norm=norm), z)
    close(fft.irfft(fft.rfft(lb.asarray(x), norm=norm), n=length, norm=norm), x)
    close(fft.hfft(fft.ihfft(lb.asarray(x), norm=norm), n=length, norm=norm), x)


def test_a_batch_without_elements() -> None:
    close(fft.fft(lb.ones((0, 3))), np.fft.fft(np.ones((0, 3))))
    close(fft.rfftn(lb.ones((0, 3, 4)), axes=(1, 2)), np.fft.rfftn(np.ones((0, 3, 4)), axes=(1, 2)))
    close(fft.irfft(lb.ones((0, 3), dtype=lb.complex64)), np.fft.irfft(np.ones((0, 3), np.complex64)))


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("d", [1.0, 0.1])
def test_frequencies(n: int, d: float) -> None:
    np.testing.assert_allclose(fft.fftfreq(n, d=d), np.fft.fftfreq(n, d=d), rtol=4e-16)
    np.testing.assert_allclose(fft.rfftfreq(n, d=d), np.fft.rfftfreq(n, d=d), rtol=4e-16)
    assert fft.fftfreq(n, dtype=lb.float32).dtype == np.float32


@pytest.mark.parametrize("axes", [None, 0, (1,), (0, 2), ()])
def test_shifts_move_the_zero_frequency_and_back(axes: Any) -> None:
    x = np.arange(60).reshape(3, 4, 5)
    shifted = fft.fftshift(lb.asarray(x), axes=axes)
    np.testing.assert_array_equal(shifted, np.fft.fftshift(x, axes=axes))
    np.testing.assert_array_equal(fft.ifftshift(shifted, axes=axes), x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: fft.fft(x, axis=2), "axis 2 is out of range"),
        (lambda x: fft.fft(x, n=0), "at least one element"),
        (lambda x: fft.fft(x, norm="other"), "norm has to be"),
        (lambda x: fft.hfft(x, norm="other"), "norm has to be"),
        (lambda x: fft.fftn(x, s=(1, 2, 3)), "s has 3 items"),
        (lambda x: fft.fftn(x, s=(1,), axes=(0, 1)), "s has 1 items for 2 axes"),
        (lambda x: fft.fftn(x, axes=(0, -2)), "name an axis twice"),
        (lambda x: fft.rfftn(x, axes=()), "at least one axis"),
        (lambda x: fft.irfft(x[:, :1]), "at least one element"),
        (lambda x: fft.fftfreq(0), "n has to be positive"),
    ],
)
def test_what_does_not_fit_is_refused_when_recorded(call: Any, message: str) -> None:
    with pytest.raises(ShapeMismatchError, match=message):
        call(lb.ones((3, 4)))


def test_frequencies_are_real_floating_point() -> None:
    with pytest.raises(DTypeMismatchError, match="real floating-point, got int64"):
        fft.fftfreq(3, dtype=lb.int64)
