"""When what was recorded runs: `sync`, `mark_step`, `wait_device_ops`, and what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latebind.array.array import Array
from latebind.runtime.current import current_executor
from latebind.runtime.metrics import Metrics

if TYPE_CHECKING:
    from latebind.backends.interface import BackendDevice


def sync(*arrays: Array) -> None:
    """Start computing these arrays, and every live array of the recordings that they are part of.

    Without arguments, the same as `mark_step`. Returns when the work is started; errors surface at the first use.

    Raises
    ------
    TypeError
        If one is no array.
    """
    if not arrays:
        mark_step()
    for one in arrays:
        if not isinstance(one, Array):
            raise TypeError(f"sync takes arrays, got {type(one).__name__}: write sync(x, y), or sync(*arrays)")
        one._tape.ground.executor.sync([one])


def mark_step(device: BackendDevice | str | None = None) -> None:
    """Close this thread's recording for a device of the current container and start computing its live arrays.

    Raises
    ------
    DeviceMismatchError
        If the backend has no such device.
    """
    current_executor().mark_step(device)


def wait_device_ops() -> None:
    """Block until everything that the current container has started is done."""
    current_executor().wait_device_ops()


def metrics() -> Metrics:
    """Return the counters and timers of the current container."""
    return current_executor().metrics
