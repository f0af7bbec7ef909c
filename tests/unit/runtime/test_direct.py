"""Programs that never repeat run operation by operation on host arrays, and see what they would see when recorded."""

from __future__ import annotations

import math
import operator
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

import latebind as lb
from latebind.array.capture import compile
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import ExecutionError, OutOfBoundsError, ScalarRangeError, ShapeMismatchError, ShutdownError
from latebind.runtime import direct_phases


@pytest.fixture
def executor(make_executor):
    """An executor of the plain NumPy backend, whose operations may run directly."""
    return make_executor(NumpyBackend(), interpretations=6)


@pytest.fixture
def direct(executor, array):
    """The executor after recordings that were all new: the thread runs operations directly."""
    return go_direct(executor, array)


def go_direct(executor, array):
    size = 1
    while executor.ground().tape().direct is None:
        assert size < 40
        np.asarray(array(np.ones(size)) + 1.0)
        size += 1
    return executor


def cholesky(matrix):
    for j in range(matrix.shape[0]):
        matrix[j, j] = (matrix[j, j] - matrix[j, :j] @ matrix[j, :j]) ** 0.5
        matrix[j + 1 :, j] -= matrix[j + 1 :, :j] @ matrix[j, :j]
        matrix[j + 1 :, j] /= matrix[j, j]
        row = matrix[j]
        row[j + 1 :] = 0.0
    return matrix


def test_a_factorisation_with_shrinking_slices_is_not_recorded(executor, array):
    random = np.random.default_rng(0)
    given = random.normal(size=(60, 60))
    given = given @ given.T + 60 * np.eye(60)
    result = cholesky(array(given))
    np.testing.assert_allclose(np.asarray(result), np.linalg.cholesky(given), rtol=1e-9)
    counter = executor.metrics.counter
    assert counter("DirectPhases") >= 1
    assert counter("RecordedOps") < 600 and counter("UncachedCompile") == 0


def repeat_itself(executor, array, monkeypatch, rounds, *, direct_seconds, recorded_seconds):
    """Run a program of one step, on a clock on which a step takes the time given for how it runs."""
    now = [0.0]
    monkeypatch.setattr(direct_phases, "perf_counter", lambda: now[0])
    executor.ground().local.direct_since = now[0]
    x = array(np.zeros(8))
    for _ in range(rounds):
        now[0] += recorded_seconds if executor.ground().tape().direct is None else direct_seconds
        x = x * 0.5 + 1.0
        float(x[0])
    np.testing.assert_allclose(np.asarray(x), 2.0)


def test_a_program_that_starts_to_repeat_itself_is_recorded_again(direct, array, monkeypatch):
    repeat_itself(direct, array, monkeypatch, 1000, direct_seconds=2e-5, recorded_seconds=1e-5)
    counter = direct.metrics.counter
    assert direct.ground().tape().direct is None
    assert counter("CachedCompile") > 500
    assert counter("DirectOps") >= 512


def test_a_program_that_repeats_itself_is_not_recorded_where_that_takes_longer(executor, array, monkeypatch):
    records = 2 * direct_phases.FIRST_SPAN
    repeat_itself(executor, array, monkeypatch, records, direct_seconds=1e-5, recorded_seconds=2e-5)
    counter = executor.metrics.counter
    assert counter("DirectOps") > 0.5 * records
    # Whether it is still so is tried again and again, at a small part of the time.
    assert 2 <= counter("DirectPhases") <= 20


def test_a_program_that_repeats_itself_is_recorded_where_direct_execution_takes_longer(executor, array, monkeypatch):
    records = 2 * direct_phases.FIRST_SPAN
    repeat_itself(executor, array, monkeypatch, records, direct_seconds=2e-5, recorded_seconds=1e-5)
    counter = executor.metrics.counter
    assert counter("DirectPhases") == 1
    assert counter("CachedCompile") > records - 2 * direct_phases.OPERATIONS


def test_a_program_of_long_operations_that_repeats_itself_is_not_tried_directly(executor, array, monkeypatch):
    records = 2 * direct_phases.FIRST_SPAN
    repeat_itself(executor, array, monkeypatch, records, direct_seconds=1e-4, recorded_seconds=1e-3)
    assert executor.metrics.counter("DirectPhases") == 0


def test_a_loop_that_nobody_reads_from_stays_recorded(executor, array):
    """A phase of direct execution ends where a value is read, and here that may be hours away."""
    x = array(np.zeros(8))
    for _ in range(2 * direct_phases.FIRST_SPAN):
        x = x * 0.5 + 1.0
    np.testing.assert_allclose(np.asarray(x), 2.0)
    assert executor.metrics.counter("DirectPhases") == 0
    assert executor.metrics.counter("LoopsFound") == 1


def test_phases_get_longer_while_nothing_repeats(executor, array, monkeypatch):
    monkeypatch.setattr(direct_phases, "perf_counter", lambda: 0.0)  # a busy machine's phases are shorter
    for size in range(1, 400):
        np.asarray(array(np.ones(size)) + 1.0)
    first = executor.metrics.counter("DirectPhases")
    for size in range(400, 4000):
        np.asarray(array(np.ones(size)) + 1.0)
    assert first >= 1
    assert executor.metrics.counter("DirectPhases") - first <= 5
    assert executor.metrics.counter("Recordings") < 200


def test_a_phase_of_slow_operations_ends_after_a_while(direct, array, monkeypatch):
    """What follows a program that never repeats may repeat, and be slow: it must not wait for 100,000 operations."""
    now = [0.0]
    monkeypatch.setattr(direct_phases, "perf_counter", lambda: now[0])
    local, tape = direct.ground().local, direct.ground().tape()
    local.direct_since, local.patience = now[0], direct_phases.MOST_OPERATIONS
    tape.direct.left = local.patience - direct_phases.OPERATIONS + 3
    x = array(np.zeros(8))
    now[0] = 2 * direct_phases.LONGEST_SECONDS
    float((x + 1.0)[0])
    assert direct.ground().tape() is tape  # too few operations to say anything about the program
    now[0] = 0.5 * direct_phases.LONGEST_SECONDS
    float((x + 1.0)[0])
    assert direct.ground().tape() is tape  # too early
    now[0] = 2 * direct_phases.LONGEST_SECONDS
    float(x[0])
    assert direct.ground().tape().direct is None
    assert direct_phases.OPERATIONS <= local.patience < 2 * direct_phases.OPERATIONS


def test_the_setting_switches_it_off(make_executor, array):
    executor = make_executor(NumpyBackend(), interpretations=6, direct=False)
    for size in range(1, 40):
        np.asarray(array(np.ones(size)) + 1.0)
    assert executor.metrics.counter("DirectPhases") == 0


def test_a_backend_that_changes_what_runs_sees_every_operation(make_executor, double, array):
    executor = make_executor(double, interpretations=6)
    for size in range(1, 40):
        np.asarray(array(np.ones(size)) + 1.0)
    assert executor.metrics.counter("DirectPhases") == 0


def test_writes_go_to_memory_in_place(direct, array):
    x = array(np.zeros(10_000))
    address = x._data.handle.ctypes.data
    x[3:7] = 1.0
    x += 2.0
    part = x[10:]
    part *= 3.0
    x[np.array([0, 1])] = array([5.0, 6.0])
    x[x > 5.5] = -1.0
    assert x._data.handle.ctypes.data == address
    expected = np.full(10_000, 6.0)
    expected[:10] = [5, 6, 2, 3, 3, 3, 3, 2, 2, 2]
    expected[expected > 5.5] = -1.0
    np.testing.assert_array_equal(np.asarray(x), expected)


def test_a_value_that_left_never_changes(direct, array):
    x = array(np.arange(6.0))
    seen = np.asarray(x)
    window = np.asarray(x[2:])
    x[2] = 99.0
    x += 1.0
    np.testing.assert_array_equal(seen, np.arange(6.0))
    np.testing.assert_array_equal(window, np.arange(2.0, 6.0))
    np.testing.assert_array_equal(np.asarray(x), [1, 2, 100, 4, 5, 6])


def test_copies_and_results_do_not_share_memory_with_their_operands(direct, array):
    x = array(np.arange(6.0))
    copied, real, turned, wide = x.copy(), lb.real(x), lb.permute_dims(x, (0,)), lb.broadcast_to(x, (2, 6))
    x += 10.0
    for one in (copied, real):
        np.testing.assert_array_equal(np.asarray(one), np.arange(6.0))
    np.testing.assert_array_equal(np.asarray(wide), [np.arange(6.0)] * 2)
    np.testing.assert_array_equal(np.asarray(turned), np.arange(10.0, 16.0))  # a view
    wide[0, 0] = 5.0
    assert np.asarray(wide)[1, 0] == 0.0 and float(x[0]) == 10.0


def test_views_of_views_write_to_the_base(direct, array):
    x = array(np.zeros((4, 6)))
    part = x[1:3].T[::2]
    part[0] = 7.0
    part += 1.0
    flat = x.reshape(24)
    flat[-1] = 5.0
    expected = np.zeros((4, 6))
    view = expected[1:3].T[::2]
    view[0] = 7.0
    view += 1.0
    expected[-1, -1] = 5.0
    np.testing.assert_array_equal(np.asarray(x), expected)
    np.testing.assert_array_equal(np.asarray(part), view)


def test_views_live_on_when_recording_resumes(direct, array):
    x = array(np.zeros((4, 6)))
    row = x[2]
    while direct.ground().tape().direct is not None:
        x += 0.0
        float(x[0, 0])
    row += 1.0
    y = x * 2.0
    x[2, 0] = 9.0
    assert direct.ground().tape().records
    np.testing.assert_array_equal(np.asarray(row), [9, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(np.asarray(y[2]), [2] * 6)


def test_what_another_thread_has_recorded_sees_the_value_of_its_time(direct, array):
    x = array(np.zeros(5))
    recorded, written = threading.Event(), threading.Event()
    seen = []

    def other():
        y = x + 1.0
        assert direct.ground().tape().records
        recorded.set()
        written.wait(30)
        seen.append(np.asarray(y).tolist())

    thread = threading.Thread(target=other)
    thread.start()
    assert recorded.wait(30)
    x[0] = 5.0
    x += 1.0
    written.set()
    thread.join(30)
    assert seen == [[1.0] * 5]
    assert np.asarray(x).tolist() == [6.0, 1.0, 1.0, 1.0, 1.0]


def test_overlapping_operands_are_read_before_they_are_written(direct, array):
    x, expected = array(np.arange(8.0)), np.arange(8.0)
    x[1:] = x[:-1]
    expected[1:] = expected[:-1].copy()
    x[1:] += x[:-1]
    expected[1:] += expected[:-1].copy()
    np.testing.assert_array_equal(np.asarray(x), expected)


def test_errors_are_those_of_recorded_operations(direct, array):
    x, small = array(np.zeros((3, 3))), array(np.zeros(3, np.int8))
    with pytest.raises(OutOfBoundsError):
        x[5]
    with pytest.raises(OutOfBoundsError):
        x[0, 4] = 1.0
    with pytest.raises(ShapeMismatchError):
        x + array(np.zeros(4))
    with pytest.raises(ScalarRangeError):
        small + 300
    with pytest.raises(ScalarRangeError):
        small[0] = 300
    with pytest.raises(IndexError):
        np.asarray(x[array([7])])
    singular = lb.linalg.inv(x)
    with pytest.raises(ExecutionError, match=r"test_direct\.py:\d+: inv"):
        np.asarray(singular)
    assert direct.ground().tape().direct is not None


def test_a_captured_function_runs_beside_it(direct, array):
    function = compile(lambda x, k: x * k + 1.0)
    x = array(np.arange(4.0))
    for k in range(5):
        x = function(x, float(k)) - 1.0
        x[0] = 1.0
    assert np.asarray(x).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_closed_executor_refuses(direct, array):
    x = array(np.zeros(3))
    direct.close()
    with pytest.raises(ShutdownError):
        x + 1.0


def test_interpreting_a_chain_of_large_operations_takes_the_memory_of_a_few(make_executor, array):
    make_executor(NumpyBackend(), interpretations=6, direct=False)
    x = array(np.ones(200_000))
    y = x * 2.0
    for _ in range(20):
        y = y * 0.5 + 1.0
    tracemalloc.start()
    try:
        np.testing.assert_allclose(np.asarray(y), 2.0)
        assert tracemalloc.get_traced_memory()[1] < 3 * x.nbytes
    finally:
        tracemalloc.stop()


OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
]
NUMBERS = [0.0, -0.0, 1.5, -2.0, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan, 3.0]


@pytest.mark.parametrize("compute", OPERATORS)
@pytest.mark.parametrize("dtypes", list(product(["float64", "float32", "int64", "int32", "uint8", "bool"], repeat=2)))
def test_numbers_give_what_arrays_of_one_element_give(direct, array, compute, dtypes):
    hosts = []
    for dtype in dtypes:
        values = NUMBERS if dtype.startswith("f") else [0, 1, 7, 100] if dtype == "uint8" else [0, 1]
        if dtype.startswith("int"):
            values = [0, 1, -7, np.iinfo(dtype).max, np.iinfo(dtype).min]
        with np.errstate(over="ignore"):
            hosts.append(np.asarray(values, dtype))
    x, y = array(hosts[0]), array(hosts[1])
    for i, j in product(range(len(hosts[0])), range(len(hosts[1]))):
        try:
            expected = np.asarray(compute(x[i : i + 1], y[j : j + 1]))[0]
        except Exception as error:
            with pytest.raises(type(error)):
                compute(x[i], y[j])
            continue
        found = np.asarray(compute(x[i], y[j]))
        assert found.shape == ()
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes(), (hosts[0][i], hosts[1][j])


@pytest.mark.parametrize("compute", OPERATORS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
@pytest.mark.parametrize("number", [0.0, -0.0, 2.5, 1e300, math.nan, math.inf, 3, 0, -1])
def test_numbers_and_python_numbers_give_what_arrays_and_python_numbers_give(direct, array, compute, dtype, number):
    host = np.asarray([0, 1, 7, 100], dtype)
    x = array(host)
    for i in range(len(host)):
        for given in (lambda v: compute(v, number), lambda v: compute(number, v)):
            try:
                expected = np.asarray(given(x[i : i + 1]))[0]
            except Exception as error:
                with pytest.raises(type(error)):
                    given(x[i])
                continue
            found = np.asarray(given(x[i]))
            assert found.dtype == expected.dtype
            assert found.tobytes() == expected.tobytes()


def test_a_number_is_an_array_to_whoever_asks(direct, array):
    x = array(np.arange(4.0))
    number = x[2] * 2.0
    assert (number.shape, number.dtype, number.ndim, number.size) == ((), np.float64, 0, 1)
    assert float(number) == 4.0
    assert number.T.shape == number.reshape(1)[0].shape == ()
    assert float(number[()]) == 4.0
    assert np.asarray(number.astype("int32")) == 4
    assert np.asarray(number.reshape(1, 1)).tolist() == [[4.0]]
    number = kept = x[2] * 2.0
    number += 1.0
    assert (float(kept), float(number)) == (4.0, 5.0)
    x[0] = number
    x[1:3] = number
    assert np.asarray(x).tolist() == [5.0, 5.0, 5.0, 3.0]
    assert np.asarray(x * number).tolist() == [25.0, 25.0, 25.0, 15.0]


def test_a_number_goes_on_into_a_recording_and_to_another_thread(executor, direct, array):
    number = array(np.arange(4.0))[3] * 0.5
    executor.ground().tape().direct.left = 0
    total = number + array(np.ones(2))
    assert np.asarray(total).tolist() == [2.5, 2.5]
    later = number * array(np.ones(2)) + number
    assert executor.ground().tape().direct is None
    assert np.asarray(later).tolist() == [3.0, 3.0]
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: float(number + 1.0)).result(60) == 2.5


def test_a_view_that_is_assigned_to_itself_changes_nothing(direct, array):
    x = array(np.arange(6.0).reshape(2, 3))
    row = x[0]
    row -= array(np.ones(3))
    x[0] = row
    assert np.asarray(x).tolist() == [[-1.0, 0.0, 1.0], [3.0, 4.0, 5.0]]
