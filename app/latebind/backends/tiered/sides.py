"""Handing values from one tier to the other, and who may overwrite what."""

from __future__ import annotations

from collections.abc import Callable

from latebind.backends.interface import Backend, BackendData, HostArray
from latebind.backends.tiered.data import LentData, ScalarData, TieredData
from latebind.backends.tiered.ledger import Ledger


class Sides:
    """Makes the missing side of a value.

    Memory is shared where the engines can: on the host a value changes tiers without a copy. What shares memory is
    never overwritten: a value with two sides is not donated, and what is donated on a tier that it has to be brought to
    is copied.

    Parameters
    ----------
    baseline, optimizing
    ledger
        Told of each value that changes tiers.
    clock
        Gives seconds.

    Attributes
    ----------
    places : dict of BackendDevice to BackendDevice
        The baseline's device for each of the optimizing backend's.
    """

    def __init__(self, baseline: Backend, optimizing: Backend, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._baseline = baseline
        self._optimizing = optimizing
        self._ledger = ledger
        self._clock = clock
        own = baseline.backend_devices()
        self.places = {
            device: device if device in own else baseline.backend_device() for device in optimizing.backend_devices()
        }

    def on_baseline(self, data: TieredData, *, copy: bool = False) -> BackendData:
        """Return the baseline's side of a value; `copy` if it is to be overwritten."""
        if data.baseline is not None:
            return data.baseline
        assert data.optimizing is not None
        start = self._clock()
        host = self._optimizing.make_tensor_from_computation_data(data.optimizing)
        made = self._baseline.make_computation_data_from_tensor(host, data.type, self.places[data.device], copy=copy)
        if not copy:
            data.baseline = made
        self._ledger.transferred(self._clock() - start)
        return made

    def on_optimizing(self, data: TieredData, *, copy: bool = False) -> BackendData:
        """Return the optimizing backend's side of a value; `copy` if it is to be overwritten."""
        if data.optimizing is not None:
            return data.optimizing
        if isinstance(data, ScalarData):
            data.optimizing = self._optimizing.make_computation_data_from_scalar(data.handle, data.type, data.device)
            return data.optimizing
        assert data.baseline is not None
        start = self._clock()
        host = self._baseline.make_tensor_from_computation_data(data.baseline)
        made = self._optimizing.make_computation_data_from_tensor(host, data.type, data.device, copy=copy)
        if not copy and not isinstance(data, LentData):
            data.optimizing = made
        self._ledger.transferred(self._clock() - start)
        return made

    def to_host(self, data: TieredData) -> HostArray:
        """Return the value in host memory, from the tier that has it."""
        if data.baseline is None and data.optimizing is not None:
            return self._optimizing.make_tensor_from_computation_data(data.optimizing)
        return self._baseline.make_tensor_from_computation_data(self.on_baseline(data))

    def can_donate(self, data: TieredData) -> bool:
        """Whether one tier alone has the value, and may overwrite it."""
        if data.baseline is None:
            return data.optimizing is not None and self._optimizing.can_donate(data.optimizing)
        return data.optimizing is None and self._baseline.can_donate(data.baseline)

    def is_ready(self, data: TieredData) -> bool:
        """Whether a value can be read without waiting for an engine."""
        if data.baseline is None and data.optimizing is not None:
            return self._optimizing.is_ready(data.optimizing)
        return data.baseline is None or self._baseline.is_ready(data.baseline)
