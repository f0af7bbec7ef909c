"""Host memory to the device and back; whatever an engine raises there gets the backend's name and the type."""

from __future__ import annotations

from time import perf_counter

from latebind.backends.interface import Backend, BackendData, BackendDevice, HostArray
from latebind.errors import ExecutionError, LatebindError
from latebind.ir.types import TensorType
from latebind.runtime.events import Events, Transferred
from latebind.runtime.interpreter import reason
from latebind.runtime.metrics import Metrics


def to_device(
    backend: Backend,
    metrics: Metrics,
    events: Events,
    tensor: HostArray,
    type: TensorType,
    device: BackendDevice,
    *,
    copy: bool,
) -> BackendData:
    """Put a host array on a device.

    Raises
    ------
    ExecutionError
        If the engine cannot.
    """
    start = perf_counter()
    try:
        data = backend.make_computation_data_from_tensor(tensor, type, device, copy=copy)
    except LatebindError:
        raise
    except Exception as error:
        raise ExecutionError(f"backend {backend.name!r} could not put {type} on {device}: {reason(error)}") from error
    end = perf_counter()
    metrics.add_time("TransferToDeviceTime", end - start)
    if events.observers:
        events.tell(Transferred(True, type, data, start, end))
    return data


def to_host(backend: Backend, metrics: Metrics, events: Events, data: BackendData) -> HostArray:
    """Return a value in host memory, read-only.

    Raises
    ------
    ExecutionError
        If the engine cannot, or if what it hands out is not of the type that it promised.
    """
    start = perf_counter()
    try:
        host = backend.make_tensor_from_computation_data(data)
    except LatebindError:
        raise
    except Exception as error:
        raise ExecutionError(f"backend {backend.name!r} could not hand out {data.type}: {reason(error)}") from error
    end = perf_counter()
    metrics.add_time("TransferFromDeviceTime", end - start)
    type = data.type
    if events.observers:
        events.tell(Transferred(False, type, data, start, end))
    if host.shape != type.shape or host.dtype != type.dtype:
        raise ExecutionError(
            f"backend {backend.name!r} is wrong: it gave a value of shape {host.shape} and dtype {host.dtype} "
            f"for a result of type {type}"
        )
    if host.flags.writeable:
        host = host.view()
        host.flags.writeable = False
    return host
