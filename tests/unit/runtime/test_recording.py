"""Operations are recorded and run only when a value is needed; what nobody can reach is never computed."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.errors import ScalarRangeError, ShapeMismatchError


def compiles(executor):
    names = ("UncachedCompile", "ScalarPromotion", "VariantCompile")
    return sum(executor.metrics.counter(name) for name in names)


def test_nothing_runs_before_a_value_is_needed(lazy_executor, double, array):
    x = array([1.0, 2.0])
    y = (x + 1) * x - 3
    y[0] = 5.0
    assert y.shape == (2,) and y.dtype == np.float64
    assert not double.computations and not double.compiled
    assert np.asarray(y).tolist() == [5.0, 3.0]
    assert double.executed["stablehlo::add"] == 1


@pytest.mark.parametrize("read", [np.asarray, repr, str, lambda x: x.tolist(), lambda x: bool((x == x)[0])])
def test_every_kind_of_read_runs_the_recording(executor, double, array, read):
    x = array([1.0, 2.0]) + 1
    read(x)
    assert double.executed["stablehlo::add"] == 1


@pytest.mark.parametrize("read", [float, int, bool, complex, lambda x: x.item(), lambda x: f"{x:.1f}"])
def test_every_kind_of_scalar_read_runs_the_recording(executor, double, array, read):
    assert read(array(1.0) + 1) == read(np.float64(2.0))
    assert double.executed["stablehlo::add"] == 1


def test_unreachable_values_are_never_computed(lazy_executor, double, array):
    x = array([1.0, 2.0])
    y = x + 1
    for _ in range(5):
        x * y / 3
    z = y - x
    del y
    assert np.asarray(z).tolist() == [1.0, 1.0]
    assert double.executed["stablehlo::multiply"] == double.executed["stablehlo::divide"] == 0
    assert double.executed["stablehlo::add"] == double.executed["stablehlo::subtract"] == 1


def test_a_recording_without_a_live_array_runs_nothing(lazy_executor, double, array):
    x = array([1.0])
    x + 1
    lazy_executor.mark_step()
    lazy_executor.wait_device_ops()
    assert not double.computations


def test_one_read_computes_all_that_lives(lazy_executor, double, array):
    x = array([1.0, 2.0])
    y, z = x + 1, x * 3
    np.asarray(y)
    lazy_executor.wait_device_ops()
    count = len(double.computations)
    assert np.asarray(z).tolist() == [3.0, 6.0]
    assert len(double.computations) == count


def test_sync_computes_without_a_read(lazy_executor, double, array):
    y = array([1.0]) + 1
    lazy_executor.sync([y])
    lazy_executor.wait_device_ops()
    assert double.executed["stablehlo::add"] == 1


def test_a_wrong_operand_records_nothing(any_executor, array):
    x = array([1.0, 2.0])
    y = x + 1
    with pytest.raises(ShapeMismatchError, match=r"add.*\(2,\).*\(3,\)"):
        x + array([1.0, 2.0, 3.0])
    small = array([1], np.uint8)
    with pytest.raises(ScalarRangeError, match="300"):
        small + 300
    with pytest.raises(TypeError):
        x + object()
    assert np.asarray(y * 2).tolist() == [4.0, 6.0]
    assert np.asarray(small + 1).tolist() == [2]


def test_equal_recordings_share_one_computation(executor, double, array):
    for value in range(5):
        x = array([float(value)] * 3)
        assert np.asarray((x + x) * x).tolist() == [2.0 * value * value] * 3
    assert compiles(executor) == 1
    assert executor.metrics.counter("CachedCompile") == 4


def test_leaves_count_by_type_not_by_value(executor, array):
    for shape, dtype in [((2,), np.float64), ((3,), np.float64), ((2,), np.float32), ((2, 1), np.float64)]:
        for fill in (1, 2):
            x = array(np.full(shape, fill, dtype))
            y = x + x
            assert np.asarray(y).tolist() == np.full(shape, 2 * fill).tolist() and y.dtype == dtype
    assert compiles(executor) == 4


def test_aliasing_of_leaves_is_part_of_the_key(executor, array):
    def f(a, b):
        return np.asarray(a * 2 - b).tolist()

    a, b = array([1.0, 2.0]), array([10.0, 20.0])
    assert f(a, a) == [1.0, 2.0]
    assert f(a, b) == [-8.0, -16.0]
    assert f(b, b) == [10.0, 20.0]
    assert f(b, a) == [19.0, 38.0]
    assert compiles(executor) == 2


def test_operand_order_is_part_of_the_key(executor, array):
    a, b = array([5.0]), array([3.0])
    assert float((a * 1 - b)[0]) == 2.0
    assert float((b - a * 1)[0]) == -2.0
    x, y = a + b, a - b
    assert (float((x - y)[0]), float((y - x)[0])) == (6.0, -6.0)


def test_the_same_operation_on_another_older_value_is_another_graph(executor, array):
    x = array([1.0])
    a, b = x + 1, x + 10
    assert float((a * 1)[0]) == 2.0
    c, d = x + 1, x + 10
    assert float((d * 1)[0]) == 11.0
    assert (float(a[0]), float(b[0]), float(c[0])) == (2.0, 11.0, 2.0)


def test_an_array_that_is_computed_already_enters_as_a_leaf(lazy_executor, double, array):
    x = array([1.0, 2.0]) + 1
    np.asarray(x)
    y = x * 2
    assert np.asarray(y).tolist() == [4.0, 6.0]
    assert double.executed["stablehlo::add"] == 1


def test_a_finaliser_that_records_does_not_disturb_the_recording(executor, array):
    import gc

    x = array([1.0, 2.0])
    kept = []

    class Recorder:
        def __del__(self):
            kept.append(x * 100)

    def loop():
        total = x
        for _ in range(300):
            cycle = Recorder()
            cycle.self = cycle
            del cycle
            total = total + x
        return total

    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        total = loop()
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    assert np.asarray(total).tolist() == [301.0, 602.0]
    assert len(kept) == 300
    assert all(np.asarray(one).tolist() == [100.0, 200.0] for one in kept)
