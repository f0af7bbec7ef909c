"""What a notebook shows of an array: what is known of it without computing it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from latebind.backends.interface import BackendData
from latebind.runtime.capture import InputData
from latebind.runtime.tape import Tape

if TYPE_CHECKING:
    from latebind.array.array import Array

#: Values of larger arrays are not shown, computed or not: they would have to be brought from the device.
_SHOWN_BYTES: Final = 2**20

COMPUTED: Final = "computed"
NOT_COMPUTED: Final = "not computed"
RUNNING: Final = "being computed"
FAILED: Final = "its computation failed"
CAPTURED: Final = "being captured by compile()"
STALE: Final = "a view, taken again when it is used"


@dataclass(frozen=True, slots=True)
class State:
    """Where the value of an array is.

    Attributes
    ----------
    label : str
    data : BackendData or None
        The value; only where nobody has to wait for it.
    """

    label: str
    data: BackendData | None = None


def state_of(array: Array) -> State:
    """Return where an array's value is. Nothing is run, recorded or waited for."""
    link = array._link
    if link is not None and link.version != link.base._version:
        return State(STALE)
    tape = array._tape
    if isinstance(tape, Tape):
        return State(CAPTURED if tape.capturing else RUNNING if tape.closed else NOT_COMPUTED)
    try:
        data = array._data
    except AttributeError:  # another thread writes to it
        return State(NOT_COMPUTED)
    if isinstance(data, InputData):
        return State(CAPTURED)
    if data.error is not None:
        return State(FAILED)
    if data.is_pending or not data.has_value or not array._ground.executor.backend.is_ready(data):
        return State(RUNNING)
    # What stands for the checks of a computation that is done is asked when the value is read.
    return State(COMPUTED, data if data._ready is None else None)


def mime_bundle(array: Array) -> dict[str, str]:
    """Return what a notebook shows, as text and as HTML."""
    state = state_of(array)
    ground = array._ground
    shape = ", ".join(map(str, array.shape))
    about = f"{array.dtype.name}[{shape}] on {ground.device}, backend {ground.executor.backend.name!r}: {state.label}"
    values = _values(array, state)
    plain = f"<latebind.Array {about}>" + (f"\n{values}" if values else "")
    html = (
        '<div style="font-family: monospace; line-height: 1.6">'
        f"<b>latebind.Array</b> {escape(array.dtype.name)}[{shape}]"
        f'<br><span style="opacity: 0.75">device</span> {escape(str(ground.device))}'
        f' <span style="opacity: 0.75">backend</span> {escape(ground.executor.backend.name)}'
        f' <span style="border: 1px solid; border-radius: 4px; padding: 0 6px">{escape(state.label)}</span>'
        + (f'<pre style="margin: 6px 0 0">{escape(values)}</pre>' if values else "")
        + "</div>"
    )
    return {"text/plain": plain, "text/html": html}


def _values(array: Array, state: State) -> str:
    """Return the values, where they are there and at hand."""
    data = state.data
    if data is None or data.type.nbytes > _SHOWN_BYTES or data.device.type != "cpu":
        return ""
    host = array._ground.executor.backend.make_tensor_from_computation_data(data)
    return np.array2string(host, separator=", ")
