"""Tensors as device data: to and from NumPy, and whether anybody else sees a buffer."""

from __future__ import annotations

import sys

import numpy as np
import torch

from latebind.backends.data import BackendData, BackendDevice, HostArray
from latebind.backends.torch.dtypes import native
from latebind.ir.types import TensorType


class _Writable:
    """Presents read-only memory as writable: PyTorch has no read-only tensors, and warns. We never write to it."""

    def __init__(self, array: HostArray) -> None:
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface
        self.array = array


def torch_device(device: BackendDevice) -> torch.device:
    """Return PyTorch's device; the host has no ordinal there, `cpu` and `cpu:0` are not the same to its compilers."""
    return torch.device("cpu") if device.type == "cpu" else torch.device(device.type, device.ordinal)


def copied(array: HostArray, type: TensorType) -> torch.Tensor:
    """Return a contiguous host tensor with a copy of the array, whatever its strides and byte order."""
    tensor = torch.empty(type.shape, dtype=native(type.dtype), device="cpu")
    tensor.numpy()[...] = array
    return tensor


def shared(array: HostArray, type: TensorType) -> torch.Tensor | None:
    """Return a tensor that sees the array's memory, or `None` where a copy is needed.

    All tensors that the backend holds are contiguous; arrays that are not, or not in native byte order, are copied.
    """
    # Extents of 0 and 1 may have any stride.
    if array.dtype != type.dtype or not array.flags.c_contiguous or min(array.strides, default=0) < 0:
        return None
    if not array.flags.aligned:
        return None
    if array.flags.writeable:
        return torch.from_numpy(np.asarray(array))
    return torch.from_numpy(np.asarray(_Writable(array)))


def exported(tensor: torch.Tensor) -> HostArray:
    """Return a read-only NumPy view of a host tensor, or of a host copy of a tensor elsewhere."""
    view: HostArray = tensor.numpy() if tensor.is_cpu else tensor.cpu().numpy()
    view.flags.writeable = False
    return view


def _references(data: BackendData) -> tuple[int, int]:
    """Count references to the tensor object and to its storage; any view, also NumPy's, holds the storage."""
    tensor = data.handle
    return sys.getrefcount(tensor), torch._C._storage_Use_Count(tensor.untyped_storage()._cdata)


def is_sole_owner(data: BackendData) -> bool:
    """Whether nothing but this data refers to the tensor or sees its memory."""
    references, uses = _references(data)
    return references <= _REFERENCES and uses <= _USES


def _probe() -> BackendData:
    type = TensorType.of((2,), np.dtype(np.float64))
    return BackendData(type, BackendDevice("cpu"), torch.empty(2, dtype=torch.float64, device="cpu"))


_REFERENCES, _USES = _references(_probe())
