"""Devices, configuration and reports of a backend."""

from __future__ import annotations

import pytest

from latebind.backends.interface import Backend, BackendDevice
from latebind.errors import DeviceMismatchError
from latebind.ir.opkind import OpKind
from latebind.ir.optable import all_operations
from latebind.ir.types import ELEMENT_NAMES
from latebind.testing.conformance.backends import BackendUnderTest


@pytest.fixture
def fresh(under_test: BackendUnderTest) -> Backend:
    """An instance that the test may configure."""
    return under_test.build()


def test_there_is_a_device_and_the_first_is_the_default(backend: Backend) -> None:
    devices = list(backend.backend_devices())
    assert devices and all(isinstance(device, BackendDevice) for device in devices)
    assert len(set(devices)) == len(devices)
    assert backend.backend_device() == devices[0]
    assert (backend.default_device_type, backend.default_device_ordinal) == (devices[0].type, devices[0].ordinal)


def test_devices_are_found_by_name(backend: Backend) -> None:
    for device in backend.backend_devices():
        assert backend.backend_device(str(device)) == device
        if not device.ordinal:
            assert backend.backend_device(device.type) == device


@pytest.mark.parametrize("name", ["no-such-device:0", "no-such-device", "cpu:9999", ":0", "cpu:", "cpu:x", ""])
def test_unknown_device_is_refused(backend: Backend, name: str) -> None:
    with pytest.raises(DeviceMismatchError):
        backend.backend_device(name)


def test_default_device_follows_type_and_ordinal(fresh: Backend) -> None:
    for device in fresh.backend_devices():
        fresh.default_device_ordinal = 0
        fresh.default_device_type = device.type
        fresh.default_device_ordinal = device.ordinal
        assert fresh.backend_device() == device


def test_unknown_default_is_refused_and_changes_nothing(fresh: Backend) -> None:
    before = fresh.backend_device()
    with pytest.raises(DeviceMismatchError):
        fresh.default_device_type = "no-such-device"
    with pytest.raises(DeviceMismatchError):
        fresh.default_device_ordinal = 9999
    assert fresh.backend_device() == before


def test_configuration_of_one_instance_is_not_the_other_s(backend: Backend, fresh: Backend) -> None:
    before = backend.backend_device()
    last = list(fresh.backend_devices())[-1]
    fresh.default_device_type, fresh.default_device_ordinal = last.type, last.ordinal
    assert backend.backend_device() == before


def test_fallback_device_and_dynamic_shapes(backend: Backend) -> None:
    assert isinstance(backend.eager_fallback_device(), BackendDevice)
    assert isinstance(backend.enable_dynamic_shape(), bool)


def test_compilation_devices_default_to_the_device(backend: Backend) -> None:
    name = str(backend.backend_device())
    assert list(backend.compilation_devices(name, [])) == [name]
    assert list(backend.compilation_devices(name, [name])) == [name]


def test_builder_stays_the_same(backend: Backend) -> None:
    assert backend.ir_builder() is backend.ir_builder()


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**63 - 1])
def test_seed_may_be_any_integer(fresh: Backend, seed: int) -> None:
    fresh.set_rng_seed(seed)


def test_metric_report_is_text(backend: Backend) -> None:
    assert isinstance(backend.metric_report(), str)


def test_declarations_are_well_formed(backend: Backend) -> None:
    assert isinstance(backend.name, str) and backend.name
    assert isinstance(backend.blocking, bool)
    assert isinstance(backend.interpretations, int) and backend.interpretations >= 0
    assert all(isinstance(reason, str) and reason for reason in backend.deviations.values()), "give each a reason"


def test_gaps_name_known_operations_and_dtypes(backend: Backend) -> None:
    known = {definition.kind.qualified for definition in all_operations()} | {"*"}
    assert set(backend.gaps) <= known
    assert set().union(*backend.gaps.values()) <= set(ELEMENT_NAMES)


def test_supports_answers_for_every_operation(backend: Backend) -> None:
    assert all(isinstance(backend.supports(definition.kind), bool) for definition in all_operations())
    assert backend.supports(OpKind.get("conformance::no_such_operation")) is False
