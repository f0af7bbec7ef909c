"""The table behind `__array_function__`: NumPy's function to the one of the same name in this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

import numpy as np

import latebind.numpy
from latebind.numpy import fft, linalg


def _dispatched(theirs: Any, ours: ModuleType) -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return the functions that ask their arguments, with what we have under the same name."""
    found = {}
    for name in dir(theirs):
        if name.startswith("_") or name == "test":
            continue
        function = getattr(theirs, name)
        if not hasattr(function, "_implementation"):
            continue
        try:
            found[function] = getattr(ours, name)
        except AttributeError:
            continue
    return found


FUNCTIONS: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    **_dispatched(np, latebind.numpy),
    **_dispatched(np.linalg, linalg),
    **_dispatched(np.fft, fft),
}
