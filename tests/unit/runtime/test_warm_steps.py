"""A step that repeats runs by a short way as long as nothing about it changes; what changes is noticed at once."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.errors import ExecutionError, OutOfBoundsError

#: Steps after which one is warm.
WARM = 5
SIZE = 4096  # elements: more than what is too small to be worth donating


@pytest.fixture
def executor(make_executor, double):
    """Runs everything in the caller's thread, however long it takes on a busy machine."""
    return make_executor(double, asynchronous="never")


@pytest.fixture
def warm(monkeypatch):
    """Counts the steps that took the short way."""
    from latebind.runtime import executor as module

    taken = []

    def counted(*arguments):
        end = run_warm(*arguments)
        taken.append(end > 0)
        return end

    run_warm = module.run_warm
    monkeypatch.setattr(module, "run_warm", counted)
    return taken


def test_a_step_that_repeats_is_warm(executor, array, warm):
    x = array([1.0])
    for _ in range(2 * WARM):
        y = x + 1
        executor.mark_step()
        assert np.asarray(y).tolist() == [2.0]
    assert warm[-WARM:] == [True] * WARM


def test_what_follows_a_step_is_recorded_as_before(executor, array, warm):
    x = array([1.0])
    for k in range(3 * WARM):
        x = x * 2 if k % 2 else x + 1
        executor.mark_step()
    y = x - x
    executor.mark_step()
    assert np.asarray(y).tolist() == [0.0]
    assert warm[-1] is False
    expected = 1.0
    for k in range(3 * WARM):
        expected = expected * 2 if k % 2 else expected + 1
    assert np.asarray(x).tolist() == [expected]


def test_results_that_die_or_stay_alive_are_noticed(executor, array, double, warm):
    x = array([1.0])
    for _ in range(2 * WARM):
        y = x + 1
        z = y * 2
        del y
        executor.mark_step()
        assert np.asarray(z).tolist() == [4.0]
    assert warm[-1]
    y = x + 1
    z = y * 2
    executor.mark_step()
    assert (np.asarray(y).tolist(), np.asarray(z).tolist()) == ([2.0], [4.0])


def test_scalars_that_change_are_noticed(executor, array):
    x = array([1.0])
    for a in [2.0] * WARM + [3.0, -0.0, 0.0, 2.0, 2, True]:
        y = x * a
        executor.mark_step()
        assert np.asarray(y).tolist() == [float(a)]
        assert np.signbit(np.asarray(y)[0]) == np.signbit(a)


def test_leaves_that_are_one_array_or_two_are_told_apart(executor, array):
    x, y = array([1.0]), array([2.0])
    for k in range(3 * WARM):
        z = x + (x if k % 3 == 2 else y)
        executor.mark_step()
        assert np.asarray(z).tolist() == [2.0 if k % 3 == 2 else 3.0]


def test_views_and_writes(executor, array, warm):
    base = array([[1.0, 2.0], [3.0, 4.0]])
    for k in range(2 * WARM):
        base.T[0] += base[:, 1] @ base.T
        executor.mark_step()
        if k >= WARM:
            base[0, 0] = 0.0
            executor.mark_step()
    expected = np.array([[1.0, 2.0], [3.0, 4.0]])
    for k in range(2 * WARM):
        expected.T[0] += expected[:, 1] @ expected.T
        if k >= WARM:
            expected[0, 0] = 0.0
    np.testing.assert_allclose(np.asarray(base), expected, rtol=1e-12)  # sums of two products in either order
    assert any(warm)


def test_a_view_that_outlives_the_step(executor, array):
    kept = []
    for k in range(2 * WARM):
        x = array([1.0, 2.0]) * 1
        view = x[1:]
        if k % 2:
            kept.append((x, view))
        executor.mark_step()
        view += 1
        assert np.asarray(view).tolist() == [3.0]
        assert np.asarray(x).tolist() == [1.0, 3.0]


def test_buffers_that_die_are_still_overwritten(executor, array, warm):
    x = array(np.zeros(SIZE))
    addresses, exports = set(), []
    for _ in range(4 * WARM):
        x += 1.0
        executor.mark_step()
        addresses.add(x._data.handle.ctypes.data)
    assert len(addresses) <= 3
    assert warm[-1]
    donated = executor.metrics.counter("DonatedBuffers")
    assert donated >= 2 * WARM
    for _ in range(2 * WARM):
        exports.append(np.asarray(x))
        x += 1.0
        executor.mark_step()
    assert [export[0] for export in exports] == [4.0 * WARM + k for k in range(2 * WARM)]


def test_a_warm_step_that_fails_poisons_what_depends_on_it(executor, array, double, here):
    def step():
        return x / 2, x + 1

    line = here(-2)
    x = array([1.0])
    for _ in range(2 * WARM):
        bad, good = step()
        executor.mark_step()
    double.fails_on = "stablehlo::divide"
    bad, good = step()
    executor.mark_step()
    with pytest.raises(ExecutionError, match=f"{line}.*divide"):
        np.asarray(bad)
    assert np.asarray(good).tolist() == [2.0]
    double.fails_on = None
    bad, good = step()
    executor.mark_step()
    assert np.asarray(bad).tolist() == [0.5]


def test_an_interrupted_warm_step_is_run_again(executor, array, double):
    x = array([1.0])
    for _ in range(2 * WARM):
        y = x / 2
        executor.mark_step()
    double.fails_on, double.error = "stablehlo::divide", KeyboardInterrupt()
    y = x / 2
    with pytest.raises(KeyboardInterrupt):
        executor.mark_step()
    double.fails_on = double.error = None
    assert np.asarray(y).tolist() == [0.5]


def test_an_argument_that_failed_passes_its_error_on(executor, array, double):
    x = array([1.0])
    for _ in range(2 * WARM):
        y = x + 1
        executor.mark_step()
    double.fails_on = "stablehlo::divide"
    bad = x / 2
    executor.mark_step()
    double.fails_on = None
    with pytest.raises(ExecutionError, match="divide"):
        y = bad + 1
        executor.mark_step()
        np.asarray(y)
    y = x + 1
    executor.mark_step()
    assert np.asarray(y).tolist() == [2.0]


def test_indices_are_checked_at_every_step(executor, array):
    x = array([1.0, 2.0])
    for k in range(3 * WARM):
        y = x[array([k % 3])]
        executor.mark_step()
        if k % 3 < 2:
            assert np.asarray(y).tolist() == [1.0 + k % 3]
        else:
            with pytest.raises(OutOfBoundsError):
                np.asarray(y)


def test_metrics_are_as_in_any_step(executor, array):
    x = array([1.0])
    for k in range(1, 4 * WARM):
        y = x + 1
        executor.mark_step()
        assert np.asarray(y).tolist() == [2.0]
        counters, timers = executor.metrics.counters(), executor.metrics.timers()
        assert counters["Recordings"] == counters["RecordedOps"] == counters["Steps"] == k
        assert counters["UncachedCompile"] == 1
        assert counters.get("CachedCompile", 0) == k - 1
        assert {timers[name][0] for name in ("RecordTime", "DispatchTime", "ExecuteTime")} == {k}
    executor.metrics.reset()
    y = x + 1
    executor.mark_step()
    assert executor.metrics.timers()["ExecuteTime"][0] == executor.metrics.timers()["RecordTime"][0] == 1


def test_steps_of_every_mode_agree(any_executor, array):
    w = array([1.0, 2.0])
    for k in range(3 * WARM):
        g = w * 0.5
        w -= g
        if k % 4 == 3:
            w[0] = 1.0
        any_executor.mark_step()
    expected = np.array([1.0, 2.0])
    for k in range(3 * WARM):
        expected -= expected * 0.5
        if k % 4 == 3:
            expected[0] = 1.0
    assert np.asarray(w).tolist() == expected.tolist()


def test_a_cache_that_drops_a_structure_is_noticed(executor, array):
    x = array([1.0])
    for _ in range(2 * WARM):
        y = x + 1
        executor.mark_step()
    executor.cache.clear()
    y = x + 1
    executor.mark_step()
    assert np.asarray(y).tolist() == [2.0]
    assert executor.metrics.counter("UncachedCompile") == 2
