"""Files and texts: the values are computed and handed to NumPy, and what is read becomes an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from latebind.array.creation_functions import asarray
from latebind.runtime.lazy import LazyTensor

__all__ = [
    "array2string",
    "array_repr",
    "array_str",
    "fromfile",
    "genfromtxt",
    "load",
    "loadtxt",
    "save",
    "savetxt",
    "savez",
    "savez_compressed",
]


def _converted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's function with the values of lazy arrays as arguments."""

    def host(value: Any) -> Any:
        return np.asarray(value) if isinstance(value, LazyTensor) else value

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*map(host, args), **{name: host(one) for name, one in kwargs.items()})

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = f"NumPy's `{function.__name__}` of the computed values."
    return call


def _loaded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's function with its result as an array; archives are left as they are."""

    def call(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        return asarray(found) if isinstance(found, np.ndarray) else found

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = f"NumPy's `{function.__name__}`; an array that it gives becomes ours."
    return call


save = _converted(np.save)
savez = _converted(np.savez)
savez_compressed = _converted(np.savez_compressed)
savetxt = _converted(np.savetxt)
array2string = _converted(np.array2string)
array_repr = _converted(np.array_repr)
array_str = _converted(np.array_str)
load = _loaded(np.load)
loadtxt = _loaded(np.loadtxt)
genfromtxt = _loaded(np.genfromtxt)
fromfile = _loaded(np.fromfile)
