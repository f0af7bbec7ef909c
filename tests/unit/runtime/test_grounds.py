"""Several executors and several devices: never mixed by accident, and never confused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from latebind.array.operands import as_array
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import ContainerMismatchError, DeviceMismatchError


@pytest.fixture
def two(make_executor):
    return make_executor(name="left"), make_executor(name="right")


def on(executor, values, device=None):
    return as_array(np.array(values), executor.ground(device))


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b: a + b,
        lambda a, b: a.__iadd__(b),
        lambda a, b: a < b,
        lambda a, b: a.__setitem__(0, b),
        lambda a, b: (a + 1) * (b + 1),
    ],
)
@pytest.mark.parametrize("computed", [False, True])
def test_arrays_of_two_executors_do_not_mix(two, mix, computed):
    a, b = on(two[0], [1.0, 2.0]), on(two[1], [1.0, 2.0])
    if not computed:
        a, b = a + 0, b + 0
    with pytest.raises(ContainerMismatchError, match=r"left.*right|right.*left"):
        mix(a, b)
    with pytest.raises(ValueError, match="asarray"):
        mix(b, a)
    assert np.asarray(a + 1).tolist() == np.asarray(b + 1).tolist() == [2.0, 3.0]


def test_two_executors_share_no_cache(two):
    for executor in two:
        assert np.asarray(on(executor, [1.0]) + 1).tolist() == [2.0]
        assert executor.metrics.counter("UncachedCompile") == 1


def test_recordings_of_two_executors_interleave(two):
    a, b = on(two[0], [1.0]), on(two[1], [10.0])
    for _ in range(50):
        a, b = a + 1, b - 1
        b *= 2.0
        b *= 0.5
        a[0] += 0.0
    assert (float(a[0]), float(b[0])) == (51.0, -40.0)


@pytest.fixture
def devices(make_executor):
    return make_executor(NumpyBackend(SimpleNamespace(devices=2)))


def test_arrays_of_two_devices_do_not_mix(devices):
    a, b = on(devices, [1.0], "cpu:0"), on(devices, [1.0], "cpu:1")
    with pytest.raises(DeviceMismatchError, match=r"cpu:0.*cpu:1.*to_device"):
        a + b
    with pytest.raises(DeviceMismatchError, match=r"cpu:1.*cpu:0.*to_device"):
        (b + 1) - (a + 1)
    assert float((a + 1)[0]) == float((b + 1)[0]) == 2.0


def test_an_unknown_device_is_refused_by_name(devices):
    for name in ("cpu:2", "gpu", "cpu:x", ""):
        with pytest.raises(DeviceMismatchError):
            devices.ground(name)


def test_results_stay_on_the_device_of_their_operands(devices):
    for name in ("cpu:0", "cpu:1", "cpu:0"):
        x = on(devices, [1.0], name)
        y = x * 2 + x[0]
        np.asarray(y)
        assert str(y.device) == name
        assert str(y._data.device) == name


def test_to_device_moves_a_pending_value(devices):
    a, b = on(devices, [1.0], "cpu:0") + 1, on(devices, [5.0], "cpu:1") * 1
    moved = a.to_device("cpu:1")
    assert str(moved.device) == "cpu:1"
    assert float((moved + b)[0]) == 7.0
    assert a.to_device("cpu:0") is a
    moved += 1
    assert float(a[0]) == 2.0


def test_mark_step_is_per_device(devices):
    a, b = on(devices, [1.0], "cpu:0") + 1, on(devices, [5.0], "cpu:1") * 2
    devices.mark_step("cpu:1")
    assert b._tape is devices.ground("cpu:1")
    assert a._tape is not devices.ground("cpu:0")
    devices.mark_step()
    assert a._tape is devices.ground("cpu:0")
    assert (float(a[0]), float(b[0])) == (2.0, 10.0)


def test_messages_name_the_operation(two):
    a, b = on(two[0], [1.0]), on(two[1], [1.0])
    with pytest.raises(ContainerMismatchError, match="multiply"):
        a * b
