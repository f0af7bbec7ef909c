"""`latebind.numpy.random`: what `latebind.random` has, imported at the first use."""

from __future__ import annotations

import importlib
from typing import Any

from latebind.errors import UnsupportedOpError


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        module = importlib.import_module("latebind.random")
    except ModuleNotFoundError:
        raise UnsupportedOpError(
            f"latebind.numpy.random.{name} needs latebind.random, which this version lacks"
        ) from None
    return getattr(module, name)
