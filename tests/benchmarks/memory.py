"""How much the resident memory of this process grows while something runs, at its highest; Linux only."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.libraries.library import MissingError

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def peak_growth(function: Callable[[], object]) -> float:
    """Run a function and return by how many MB it made the process grow.

    The C library's free pages are given back before, so that memory which earlier runs left there does not hide the
    growth.

    Raises
    ------
    MissingError
        If this system does not keep the peak.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    try:
        _CLEAR.write_text(_RESET_PEAK)
        before = _kilobytes("VmRSS")
        function()
        return max(0.0, (_kilobytes("VmHWM") - before) / 1e3)
    except (OSError, ValueError) as error:
        raise MissingError(f"this system does not tell the peak of the resident memory: {error}") from error


def _kilobytes(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise ValueError(f"no {field} in {_STATUS}")
