"""The `fft` extension of the array API standard (discrete Fourier transforms)."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from latebind.array.fourier_functions import (
    fft,
    fftfreq,
    fftn,
    fftshift,
    hfft,
    ifft,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfftn,
    rfft,
    rfftfreq,
    rfftn,
)

if not _TYPE_CHECKING:  # type checkers know which names there are

    def __getattr__(name: str) -> None:
        from latebind.missing_names import missing_name

        raise missing_name("latebind.fft", name)


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
