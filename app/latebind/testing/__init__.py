"""Testing tools: doubles of a backend, pytest fixtures, and the conformance kit. See docs/testing.md.

`RecordingBackend` notes what reaches a backend, `FailingBackend` fails where it is told to, and `ShadowBackend` runs
two backends and compares them. They are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latebind.backends.shadow.backend import ShadowBackend
    from latebind.testing.failing import FailingBackend
    from latebind.testing.recording import RecordingBackend

__all__ = ["FailingBackend", "RecordingBackend", "ShadowBackend"]

_HOMES = {
    "FailingBackend": "latebind.testing.failing",
    "RecordingBackend": "latebind.testing.recording",
    "ShadowBackend": "latebind.backends.shadow.backend",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
