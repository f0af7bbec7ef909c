"""`latebind.numpy.fft`: NumPy's names on `latebind.fft`, which is imported at the first use of a function."""

from __future__ import annotations

import importlib
from typing import Any

from latebind.array.array import Array
from latebind.array.manipulation_functions import roll
from latebind.array.operands import ArrayLike
from latebind.errors import UnsupportedOpError
from latebind.numpy.arguments import array_of, axes_of

DELEGATED = (
    "fft", "ifft", "fftn", "ifftn", "rfft", "irfft", "rfftn", "irfftn", "hfft", "ihfft", "fftfreq", "rfftfreq",
)  # fmt: skip


def _library(name: str) -> Any:
    try:
        return getattr(importlib.import_module("latebind.fft"), name)
    except ModuleNotFoundError:
        raise UnsupportedOpError(f"latebind.numpy.fft.{name} needs latebind.fft, which this version lacks") from None


def __getattr__(name: str) -> Any:
    if name not in DELEGATED:
        raise AttributeError(f"module 'latebind.numpy.fft' has no attribute {name!r}")
    frequencies = name.endswith("freq")
    several = name.endswith("n")
    names = ("d",) if frequencies else ("s" if several else "n", "axes" if several else "axis")

    def call(a: Any, *args: Any, norm: str | None = None, **kwargs: Any) -> Any:
        options = {**dict(zip((*names, "norm"), args, strict=False)), **kwargs}
        if frequencies:
            return _library(name)(a, **options)
        return _library(name)(array_of(a), norm=options.pop("norm", norm) or "backward", **options)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`latebind.fft.{name}`, with NumPy's arguments by position."
    return call


def _plane(name: str) -> Any:
    def call(a: ArrayLike, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Array:
        return __getattr__(f"{name}n")(a, s, axes, norm=norm)  # type: ignore[no-any-return]

    call.__name__ = call.__qualname__ = f"{name}2"
    call.__doc__ = f"`{name}n` over two axes, the last ones by default."
    return call


fft2, ifft2, rfft2, irfft2 = (_plane(_name) for _name in ("fft", "ifft", "rfft", "irfft"))


def fftshift(x: ArrayLike, axes: Any = None) -> Array:
    """Return the array with the zero frequency moved to the middle of axes."""
    array = array_of(x)
    found = axes_of("fftshift", axes, array.ndim)
    return roll(array, tuple(array.shape[i] // 2 for i in found), axis=found)


def ifftshift(x: ArrayLike, axes: Any = None) -> Array:
    """Return the array with the zero frequency moved back to the front of axes."""
    array = array_of(x)
    found = axes_of("ifftshift", axes, array.ndim)
    return roll(array, tuple(-(array.shape[i] // 2) for i in found), axis=found)
