"""What the user wrote that needed a value: from the frames between the user's line and the runtime."""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Final

from latebind.runtime.events import Synced
from latebind.runtime.recording import is_internal

#: What the user wrote, by the latebind function that it called.
_WRITTEN: Final = {
    "__array__": "numpy.asarray(), or a NumPy function that needs values",
    "__bool__": "bool(), as in `if x:` and `while x:`",
    "__complex__": "complex()",
    "__contains__": "in",
    "__dlpack__": "DLPack",
    "__float__": "float()",
    "__format__": "printing",
    "__index__": "a use as an index or a count, such as range()",
    "__int__": "int()",
    "__iter__": "iteration",
    "__repr__": "printing",
    "__str__": "printing",
    "get": "an index whose result's shape depends on values, such as a mask",
    "item": ".item()",
    "put": "an assignment through an index that depends on values, such as a mask",
    "tobytes": ".tobytes()",
    "tolist": ".tolist()",
}
#: What the executor was asked for, where that says it all.
_CAUSES: Final = {
    "loop": "a loop was found and cut: it runs while Python records on",
    "limit": "the recording reached its limit (recording.limit)",
    "leaf": "an operand is recorded in another thread, or for another device",
    "mark_step": "mark_step()",
    "sync": "sync()",
    "wait_device_ops": "wait_device_ops()",
}


def reason_of(event: Synced) -> tuple[CodeType, int, str]:
    """Return the user's instruction that a synchronisation comes from, and what it says.

    Called by an observer, in the thread that waited.
    """
    frame: FrameType = sys._getframe(1)
    name = frame.f_code.co_name
    while is_internal(frame.f_code.co_filename) and frame.f_back is not None:
        name = frame.f_code.co_name
        frame = frame.f_back
    return frame.f_code, frame.f_lasti, _CAUSES.get(event.cause) or _written(name)


def _written(name: str) -> str:
    found = _WRITTEN.get(name)
    return found if found is not None else f"{name.strip('_')}(), which needs values"
