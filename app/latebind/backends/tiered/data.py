"""One value with a side per tier. A side is made when a computation of that tier first needs it."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.backends.data import MAKING
from latebind.backends.interface import BackendData, BackendDevice, Scalar
from latebind.ir.types import TensorType


class TieredData(BackendData):
    """A value on the baseline, on the optimizing backend, or on both.

    Two sides may share memory, so a value with both is never overwritten by either.

    Attributes
    ----------
    baseline, optimizing : BackendData or None
        The sides. A placeholder has none.

    Parameters
    ----------
    side
        The one that there is.
    """

    __slots__ = ("baseline", "optimizing")

    # One is made per result of each call, so the base class's constructor is not called.
    def __init__(
        self,
        type: TensorType,
        device: BackendDevice,
        baseline: BackendData | None = None,
        optimizing: BackendData | None = None,
        side: BackendData | None = None,
    ) -> None:
        self.type = type
        self.device = device
        self.baseline = baseline
        self.optimizing = optimizing
        self.handle = side
        self._ready = None
        if side is None:
            self.owned = True
            self.error = None
        else:
            self.owned = side.owned
            self.error = side.error

    def assign(self, data: BackendData) -> None:
        """Fill the placeholder with what an execution returned."""
        assert isinstance(data, TieredData)
        self.baseline, self.optimizing = data.baseline, data.optimizing
        super().assign(data)


class LentData(TieredData):
    """Memory that the user lent us and may still write: what the other tier copied of it must not be kept."""

    __slots__ = ()


class ScalarData(TieredData):
    """A scalar; the baseline has it at once, which costs little there. Its `handle` is the Python scalar."""

    __slots__ = ()

    def __init__(self, scalar: Scalar, type: TensorType, device: BackendDevice, baseline: BackendData) -> None:
        super().__init__(type, device, baseline)
        self.handle = scalar


class DirectTieredData(TieredData):
    """What direct execution made, as `DirectData` is on one tier: its baseline side is made when somebody asks for it.

    Attributes
    ----------
    value : ndarray, numpy.generic or None
        `None` once somebody has asked for a side.
    """

    __slots__ = ("value",)

    error = None
    owned = True
    _ready = None

    value: Any

    @staticmethod
    def side(type: TensorType, device: BackendDevice, value: Any) -> BackendData:
        """Put a value on the baseline: set by the backend, in a class of its own."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name in ("baseline", "handle"):
            type = self.type
            with MAKING:
                value = self.value
                if value is not None:  # nobody else was faster
                    self.baseline = self.handle = self.side(type, self.device, np.asarray(value))
                    self.value = None
            return self.baseline
        if name == "optimizing":
            return None  # not kept: another thread may be setting one
        if name == "type":
            value = self.value
            if value is not None:  # otherwise somebody made it meanwhile
                self.type = TensorType.of(value.shape, value.dtype)
            return self.type
        raise AttributeError(f"{self.__class__.__name__!r} object has no attribute {name!r}")
