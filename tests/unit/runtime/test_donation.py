"""Buffers that die are overwritten; buffers that anybody else sees never are."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from latebind.array.operands import as_array
from latebind.errors import DonatedDataError, ExecutionError
from latebind.ir.types import TensorType

SIZE = 4096  # elements: more than what is too small to be worth it


def address(x):
    host = np.asarray(x)
    return host.__array_interface__["data"][0]


@pytest.mark.parametrize("options", [{}, {"interpretations": 1_000_000}])
def test_a_loop_of_in_place_updates_allocates_nothing_per_step(make_executor, array, options):
    # On a busy machine a step could otherwise take so long that the worker runs the next, beside its predecessor.
    executor = make_executor(asynchronous="never", **options)
    x = array(np.zeros(1 << 16))
    for _ in range(20):
        x += 1.0
        executor.mark_step()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for _ in range(50):
            x += 1.0
            executor.mark_step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < x.nbytes // 2
    assert np.asarray(x)[0] == 70.0


def test_the_buffer_of_an_in_place_loop_stays_the_same(executor, array):
    x = array(np.zeros(SIZE))
    addresses = set()
    for _ in range(30):
        x += 1.0
        executor.mark_step()
        executor.wait_device_ops()  # on a busy machine a step may take long enough for the worker
        addresses.add(x._data.handle.ctypes.data)
    assert len(addresses) <= 3
    assert executor.metrics.counter("DonatedBuffers") >= 20


def test_an_exported_view_blocks_donation_and_stays_unchanged(any_executor, array):
    x = array(np.zeros(SIZE))
    for step in range(8):
        x += 1.0
        any_executor.mark_step()
        export = np.asarray(x)
        before = export.copy()
        x *= 2.0
        any_executor.mark_step()
        any_executor.wait_device_ops()
        np.testing.assert_array_equal(export, before)
        assert not export.flags.writeable
        if step % 2:
            del export
    assert np.asarray(x)[0] == 510.0


def test_a_slice_of_an_export_blocks_donation_too(any_executor, array):
    x = array(np.zeros(SIZE))
    x += 1.0
    part = np.asarray(x)[5:7]
    for _ in range(5):
        x += 1.0
        any_executor.mark_step()
    any_executor.wait_device_ops()
    assert part.tolist() == [1.0, 1.0]


def test_a_copy_of_an_export_is_writable_and_independent(any_executor, array):
    x = array(np.zeros(SIZE))
    copy = np.array(x)
    copy[0] = 7.0
    assert x.__array__(copy=True).flags.writeable
    assert float(x[0]) == 0.0


@pytest.mark.parametrize("writeable", [True, False])
def test_shared_memory_is_never_written(any_executor, writeable):
    host = np.zeros(SIZE)
    host.flags.writeable = writeable
    ground = any_executor.ground()
    x = any_executor.from_host(host, TensorType.of(host.shape, host.dtype), ground, copy=False)
    for _ in range(6):
        x += 1.0
        any_executor.mark_step()
    any_executor.wait_device_ops()
    assert not host.any()
    assert np.asarray(x)[0] == 6.0


def test_an_array_is_a_snapshot_of_host_memory(lazy_executor):
    host = np.zeros(SIZE)
    x = as_array(host)
    y = x + 1
    host[:] = 9.0
    assert np.asarray(y)[0] == 1.0 and np.asarray(x)[0] == 0.0


def test_two_arrays_on_one_data_are_not_overwritten(any_executor, array):
    x = array(np.zeros(SIZE))
    y = any_executor.wrap(x._data, x._tape)
    for _ in range(6):
        x += 1.0
        any_executor.mark_step()
    assert (np.asarray(x)[0], np.asarray(y)[0]) == (6.0, 0.0)


def test_an_array_that_is_still_used_is_not_overwritten(any_executor, array):
    x = array(np.zeros(SIZE))
    for _ in range(6):
        y = x + 1.0
        any_executor.mark_step()
    assert (np.asarray(x)[0], np.asarray(y)[0]) == (0.0, 1.0)


def test_queued_readers_see_the_value_of_their_time(make_executor, double, array):
    executor = make_executor(double, asynchronous="always", queue_size=64)
    x = array(np.zeros(SIZE))
    np.asarray(x + 0)
    double.gate.clear()
    sums = []
    for _ in range(10):
        sums.append(x + 0.5)
        executor.mark_step()
        x += 1.0
        executor.mark_step()
    double.gate.set()
    assert [np.asarray(one)[3] for one in sums] == [i + 0.5 for i in range(10)]
    assert np.asarray(x)[3] == 10.0


def test_identity_results_do_not_share_a_buffer_that_is_overwritten(any_executor, array):
    x = array(np.zeros(SIZE))
    y = x.T
    z = x[:]
    w = +x
    any_executor.mark_step()
    for _ in range(6):
        w += 1.0
        any_executor.mark_step()
    assert (np.asarray(x)[0], np.asarray(y)[0], np.asarray(z)[0], np.asarray(w)[0]) == (0.0, 0.0, 0.0, 6.0)


def test_two_results_that_are_one_value_are_written_apart(any_executor, array):
    x = array(np.ones(SIZE))
    a, b = x * 2, x * 2
    any_executor.mark_step()
    for _ in range(5):
        a += 1.0
        any_executor.mark_step()
    assert (np.asarray(a)[0], np.asarray(b)[0]) == (7.0, 2.0)


def test_a_failure_after_a_donation_says_that_the_old_value_is_gone(executor, double, array, here):
    x = array(np.zeros(SIZE))
    other = array(np.ones(SIZE))
    for _ in range(6):
        x /= 2.0
        executor.mark_step()
    assert executor.metrics.counter("DonatedBuffers") > 0
    double.fails_on, double.fails_after_running = "stablehlo::divide", True
    x /= 2.0
    executor.mark_step()
    double.fails_on = None
    for _ in range(2):
        with pytest.raises(DonatedDataError, match="gone"):
            np.asarray(x)
    assert issubclass(DonatedDataError, ExecutionError) and issubclass(ExecutionError, RuntimeError)
    assert np.asarray(other)[0] == 1.0


def test_a_failed_argument_costs_no_donated_value(make_executor, double, array):
    executor = make_executor(double, asynchronous="always")
    x, scale = array(np.zeros(SIZE)), array([1.0])

    def step(bad):
        nonlocal x
        x += 1.0
        y = bad * 3.0
        executor.mark_step()
        executor.wait_device_ops()
        return y

    for _ in range(6):
        step(scale * 1.0)
    double.fails_on = "stablehlo::divide"
    double.gate.clear()
    bad = scale / 2.0
    executor.mark_step()  # pending
    x += 1.0
    y = bad * 3.0
    executor.mark_step()
    double.gate.set()
    executor.wait_device_ops()
    with pytest.raises(ExecutionError):
        np.asarray(y)
    assert np.asarray(x)[0] == 7.0
