"""One value with a side per tier. A side is made when a computation of that tier first needs it."""

from __future__ import annotations

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
