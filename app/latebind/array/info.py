"""The inspection API: what a namespace can do, and with which dtypes and devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latebind.array import dtypes
from latebind.array.data_type_functions import isdtype
from latebind.backends.interface import BackendDevice
from latebind.ir.types import DType
from latebind.runtime.current import ExecutorSource

if TYPE_CHECKING:
    from collections.abc import Mapping

_STANDARD = tuple(dtype for dtype in dtypes.ALL if dtype != dtypes.float16)


class NamespaceInfo:
    """What `__array_namespace_info__` returns (array API standard, inspection).

    Parameters
    ----------
    executor
        Gives the executor that the namespace is bound to.
    """

    def __init__(self, executor: ExecutorSource) -> None:
        self._executor = executor

    def capabilities(self) -> Mapping[str, bool | int | None]:
        """Return what is supported beyond the minimum: both data-dependent shapes and boolean indexing synchronise."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> BackendDevice:
        """Return the device where arrays are created unless told otherwise."""
        return self._executor().backend.backend_device()

    def default_dtypes(self, *, device: BackendDevice | str | None = None) -> dict[str, DType]:
        """Return the dtypes that creation functions take unless told otherwise."""
        options = self._executor().options
        return {
            "real floating": dtypes.named(options.default_real),
            "complex floating": dtypes.named(options.default_complex),
            "integral": dtypes.named(options.default_integral),
            "indexing": dtypes.int64,
        }

    def dtypes(
        self, *, device: BackendDevice | str | None = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, DType]:
        """Return the supported dtypes by name, of one kind (as in `isdtype`) or of all."""
        return {dtype.name: dtype for dtype in _STANDARD if kind is None or isdtype(dtype, kind)}

    def devices(self) -> tuple[BackendDevice, ...]:
        """Return the backend's devices, the default one first."""
        return tuple(self._executor().backend.backend_devices())
