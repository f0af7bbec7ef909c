"""A recording that nobody closes is cut by itself: right results, bounded memory."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import numpy as np
import pytest


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("mode", [{}, {"asynchronous": "always"}, {"interpretations": 3}])
def test_every_place_of_the_cut_gives_the_same_results(make_executor, array, limit, mode):
    make_executor(recording_limit=limit, **mode)
    x, expected = array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])
    kept, expected_kept = [], []
    for i in range(40):
        y, z = x + i, expected + i
        y[1:] -= x[:-1]
        z[1:] -= expected[:-1]
        x, expected = y * 0.5 + x, z * 0.5 + expected
        if i % 7 == 0:
            kept.append(y)
            expected_kept.append(z)
    np.testing.assert_array_equal(np.asarray(x), expected)
    np.testing.assert_array_equal(np.array([np.asarray(one) for one in kept]), expected_kept)


def test_a_cut_does_not_make_the_arguments_of_the_operation_outputs(make_executor, double, array):
    make_executor(double, recording_limit=10)
    x = array([0.0])
    y = x
    for _ in range(100):
        y = y + 1
    assert float(y[0]) == 100.0
    assert {len(one.result_types) for one in double.computations} <= {1}


def test_a_hundred_thousand_operations_without_a_sync_keep_the_recording_short(executor, array):
    x = array(np.zeros(4))
    longest = 0
    for i in range(100_000):
        x = x + 1.0
        if i % 97 == 0:
            longest = max(longest, len(executor.ground().tape().records))
    assert np.asarray(x).tolist() == [100_000.0] * 4
    assert longest <= executor.options.recording_limit
    compiles = executor.metrics.counter("UncachedCompile") + executor.metrics.counter("VariantCompile")
    assert compiles + executor.metrics.counter("ScalarPromotion") < 10


def allocated_by_latebind() -> int:
    """Bytes that latebind's own lines hold; other threads of the process allocate as well."""
    own = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/latebind/*")])
    return sum(trace.size for trace in own.traces)


def test_memory_of_an_endless_loop_is_flat(executor, array):
    x = array(np.zeros(4096))

    def run(rounds):
        nonlocal x
        for _ in range(rounds):
            x += 1.0
            x *= 0.5

    tracemalloc.start()
    try:
        for _ in range(20):  # compiles what it is going to
            run(1000)
            executor.mark_step()
        gc.collect()
        before = allocated_by_latebind()
        for _ in range(20):
            run(1000)
            executor.mark_step()
        gc.collect()
        after = allocated_by_latebind()
    finally:
        tracemalloc.stop()
    assert after - before < 200_000


def test_a_growing_recording_without_a_loop_is_cut_at_the_limit(make_executor, array):
    executor = make_executor(recording_limit=600, interpretations=1_000_000, direct=False)
    rng = np.random.default_rng(0)
    x, expected = array(np.ones(3)), np.ones(3)
    for choice in rng.integers(0, 3, 3000):
        if choice == 0:
            x, expected = x + 0.5, expected + 0.5
        elif choice == 1:
            x, expected = x * -1.0, expected * -1.0
        else:
            x, expected = abs(x) - 0.25, abs(expected) - 0.25
        assert len(executor.ground().tape().records) <= 600
    np.testing.assert_array_equal(np.asarray(x), expected)
    assert executor.metrics.counter("AutomaticCut") >= 4


def test_a_loop_in_the_recording_becomes_one_computation(executor, array):
    x = array(np.zeros(3))
    for _ in range(3000):
        y = x * 0.5
        x = y + 1.0
    np.testing.assert_allclose(np.asarray(x), [2.0] * 3, rtol=1e-15)
    assert executor.metrics.counter("LoopsFound") >= 1
    assert executor.metrics.counter("CachedCompile") >= 5


def test_a_view_over_a_cut_still_sees_its_base(make_executor, array):
    make_executor(recording_limit=5)
    base = array(np.arange(6.0))
    view = base[2:4]
    expected = np.arange(6.0)
    expected_view = expected[2:4]
    for i in range(20):
        base += 1
        expected += 1
        view *= 1.5
        expected_view *= 1.5
        if i % 3 == 0:
            base[3] = float(i)
            expected[3] = float(i)
    np.testing.assert_array_equal(np.asarray(base), expected)
    np.testing.assert_array_equal(np.asarray(view), expected_view)


def test_no_reference_is_left_behind_by_a_cut(make_executor, array):
    make_executor(recording_limit=4)
    x = array(np.ones(2))
    for _ in range(10):
        x = x + 1
    np.asarray(x)
    y = x + 0
    np.asarray(y)
    assert sys.getrefcount(x) == sys.getrefcount(y)
