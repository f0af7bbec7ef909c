"""The user's frame: the innermost one that is not latebind's own."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Final

from latebind.ir.source import locate

_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
#: Frames of these folders are latebind's own; the first frame outside them is the user's line.
INTERNAL_PREFIXES: Final = (
    *(
        _PACKAGE + folder + os.sep
        for folder in ("array", "backends", "explaining", "ir", "numpy", "profiling", "runtime")
    ),
    *(_PACKAGE + module for module in ("__init__", "fft.py", "linalg.py", "random.py")),
)
#: Whether a file is one of these, by its name; looked up several times per record.
IS_INTERNAL: Final[dict[str, bool]] = {}


def user_frame(depth: int) -> FrameType:
    """Return the innermost frame that is not latebind's own."""
    frame: FrameType = sys._getframe(depth)
    while True:
        filename = frame.f_code.co_filename
        internal = IS_INTERNAL.get(filename)
        if internal is None:
            internal = IS_INTERNAL[filename] = filename.startswith(INTERNAL_PREFIXES)
        if not internal:
            return frame
        outer = frame.f_back
        if outer is None:
            break
        frame = outer
    return frame


def user_line() -> str:
    """Return the user's line that the innermost call comes from."""
    frame = user_frame(2)
    return str(locate(frame.f_code, frame.f_lasti))
