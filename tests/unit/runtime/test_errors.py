"""An error names the operation and the user's line, comes at every use, and poisons only what depends on it."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from tests.unit.runtime.conftest import MODES

from latebind.errors import CompilationError, ExecutionError, LatebindError, OutOfBoundsError, UnsupportedOpError


def fails(x, match, kind=ExecutionError):
    for _ in range(2):  # at the first use and at every later one
        with pytest.raises(kind, match=match):
            np.asarray(x)


def test_only_dependents_of_the_failed_operation_are_poisoned(any_executor, double, array, here):
    if any_executor.options.eager:
        pytest.skip("eager mode raises at the operation")
    double.fails_on = "stablehlo::divide"
    x = array([1.0, 2.0])
    before = x + 1
    where = here(1)
    bad = before / 4
    dependent = bad * 2 + before
    beside = x * 3
    after = beside - before
    fails(bad, f"{where}.*divide.*fire")
    fails(dependent, f"{where}.*divide.*fire")
    assert np.asarray(before).tolist() == [2.0, 3.0]
    assert np.asarray(beside).tolist() == [3.0, 6.0]
    assert np.asarray(after).tolist() == [1.0, 3.0]


def test_eager_mode_raises_at_the_operation(make_executor, double, array, here):
    make_executor(double, eager=True)
    double.fails_on = "stablehlo::divide"
    x = array([1.0])
    where = here(2)
    with pytest.raises(ExecutionError, match=f"{where}.*divide"):
        x / 2
    assert np.asarray(x + 1).tolist() == [2.0]


def test_an_engines_own_exception_is_explained(lazy_executor, double, array, here):
    double.fails_on, double.error = "stablehlo::divide", ZeroDivisionError("by zero, really")
    where = here(1)
    bad = array([1.0]) / 2
    fails(bad, f"{where}.*divide.*ZeroDivisionError: by zero, really")


def test_use_of_a_poisoned_array_in_a_later_recording_raises(lazy_executor, double, array):
    double.fails_on = "stablehlo::divide"
    x = array([1.0])
    bad = x / 2
    lazy_executor.mark_step()
    lazy_executor.wait_device_ops()
    double.fails_on = None
    with pytest.raises(ExecutionError, match="fire"):
        np.asarray(bad + 1)
    with pytest.raises(ExecutionError, match="fire"):
        np.asarray(x + bad)
    assert np.asarray(x + 1).tolist() == [2.0]


def test_a_leaf_that_fails_while_it_is_pending_poisons_only_its_dependents(make_executor, double, array, here):
    for interpretations in (0, 1_000_000):
        executor = make_executor(double, asynchronous="always", interpretations=0)
        double.fails_on = "stablehlo::divide"
        x = array([1.0])
        double.gate.clear()
        where = here(1)
        bad = x / 2
        executor.mark_step()
        executor.runner.interpretations = interpretations
        dependent, independent = bad + 1, x * 3
        if not interpretations:
            executor.mark_step()
        double.gate.set()
        fails(dependent, where)
        assert np.asarray(independent).tolist() == [3.0]


def test_an_error_does_not_come_from_the_barrier(make_executor, double, array):
    executor = make_executor(double, asynchronous="always")
    double.fails_on = "stablehlo::divide"
    bad = array([1.0]) / 2
    executor.mark_step()
    executor.wait_device_ops()
    fails(bad, "fire")


def test_a_view_and_a_rebound_array_of_a_failed_write_fail(lazy_executor, double, array):
    double.fails_on = "stablehlo::divide"
    x = array([1.0, 2.0])
    old = x + 0
    x /= 2
    view = x[0]
    fails(x, "fire")
    fails(view, "fire")
    assert np.asarray(old).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("mode", sorted(set(MODES) - {"eager"}))
def test_a_compile_error_poisons_only_its_dependents(make_executor, mode, double, array, here):
    make_executor(double, fallback="error", **MODES[mode])
    double.refuses_to_compile = "stablehlo::divide"
    x = array([1.0])
    where = here(1)
    bad = x / 2
    good = x + 1
    fails(bad, f"{where}.*out of registers", LatebindError)
    assert np.asarray(good).tolist() == [2.0]
    fails(bad, "out of registers", CompilationError)


def test_a_graph_that_the_backend_refuses_is_part_of_its_error(make_executor, double, array):
    make_executor(double, fallback="error")
    double.refuses_to_compile = "stablehlo::divide"
    bad = array([1.0]) / 2
    with pytest.raises(CompilationError) as caught:
        np.asarray(bad)
    assert "stablehlo.divide" in "\n".join(caught.value.__notes__)


def test_a_graph_that_the_backend_refuses_runs_on_the_reference_backend(make_executor, double, array, caplog):
    executor = make_executor(double, fallback="reference")
    double.refuses_to_compile = "stablehlo::divide"
    x = array([1.0, 3.0])
    result = x / 2 + 1
    with caplog.at_level(logging.WARNING, "latebind"):
        assert np.asarray(result).tolist() == [1.5, 2.5]
    assert executor.metrics.counter("FallbackGraphs") == 1
    assert "out of registers" in caplog.text and "stablehlo.divide" in caplog.text
    assert "stablehlo::divide" not in double.executed
    assert np.asarray(result * 2).tolist() == [3.0, 5.0]


def test_the_cause_of_a_compile_error_can_be_removed(make_executor, double, array):
    make_executor(double, fallback="error")
    double.refuses_to_compile = "stablehlo::divide"
    x = array([1.0])
    bad = x / 2
    fails(bad, "out of registers", CompilationError)
    double.refuses_to_compile = None
    assert np.asarray(x / 2).tolist() == [0.5]


def test_an_index_out_of_bounds_in_data_comes_at_the_first_use(any_executor, array, here):
    x = array([10.0, 20.0, 30.0])
    index = array([0, 5, 1])
    if any_executor.options.eager:
        with pytest.raises(OutOfBoundsError, match="index 5 is out of bounds for axis 0 with size 3"):
            x[index]
        return
    where = here(1)
    bad = x[index]
    dependent, good = bad + 1, x[array([2, -3])]
    fails(bad, f"{where}.*index 5 is out of bounds for axis 0 with size 3", IndexError)
    fails(dependent, f"{where}.*index 5", OutOfBoundsError)
    assert np.asarray(good).tolist() == [30.0, 10.0]
    assert np.asarray(x).tolist() == [10.0, 20.0, 30.0]


def test_the_same_graph_with_good_indices_works_after_bad_ones(lazy_executor, array):
    x = array([10.0, 20.0, 30.0])
    for i in (1, 7, 2, -4, -3):
        taken = x[array([i, 0])]
        if -3 <= i < 3:
            assert np.asarray(taken).tolist() == [[10.0, 20.0, 30.0][i], 10.0]
        else:
            fails(taken, f"index {i} is out of bounds", IndexError)


def test_a_write_at_a_bad_index_poisons_the_array(lazy_executor, array):
    x = array([10.0, 20.0])
    other = x + 0
    x[array([3])] = 1.0
    fails(x, "index 3 is out of bounds", IndexError)
    assert np.asarray(other).tolist() == [10.0, 20.0]


def test_static_indices_are_checked_when_recorded(any_executor, double, array):
    x = array([10.0, 20.0])
    for bad in (2, -3, [0, 2], np.array([5])):
        with pytest.raises(IndexError, match="out of bounds"):
            x[bad]
        with pytest.raises(IndexError, match="out of bounds"):
            x[bad] = 0
    assert np.asarray(x).tolist() == [10.0, 20.0]


def test_an_operation_without_lowering_falls_back_and_is_counted(make_executor, double, array):
    double.lacks = {"stablehlo::divide", "stablehlo::power"}
    executor = make_executor(double)
    x = array([2.0, 3.0])
    for _ in range(2):
        assert np.asarray((x + 1) / 2 - x).tolist() == [-0.5, -1.0]
    assert np.asarray(x**2.0 + 1).tolist() == [5.0, 10.0]
    counters = executor.metrics.counters()
    assert counters["Fallback::stablehlo::divide"] == 1
    assert counters["Fallback::stablehlo::power"] == 1
    assert double.executed["stablehlo::divide"] == 0
    assert double.executed["stablehlo::subtract"] == 2


def test_stages_around_several_fallbacks_give_the_same_results(make_executor, double, array):
    double.lacks = {"stablehlo::divide", "stablehlo::multiply"}
    make_executor(double)
    x, y = array([2.0, 3.0]), array([5.0, 7.0])
    a = x * y
    b = a / (x + 1)
    c = (b - a) * (b / y) + x
    n, m = np.array([2.0, 3.0]), np.array([5.0, 7.0])
    na = n * m
    nb = na / (n + 1)
    np.testing.assert_array_equal(np.asarray(c), (nb - na) * (nb / m) + n)
    np.testing.assert_array_equal(np.asarray(b), nb)
    np.testing.assert_array_equal(np.asarray(a), na)


def test_a_leaf_and_a_constant_can_be_results_of_stages(make_executor, double, array):
    double.lacks = {"stablehlo::divide"}
    make_executor(double)
    x = array([2.0, 3.0])
    y, z = x / 2, x.T
    assert np.asarray(y).tolist() == [1.0, 1.5]
    assert np.asarray(z).tolist() == [2.0, 3.0]


def test_without_a_fallback_an_operation_without_lowering_is_an_error(make_executor, double, array, here):
    double.lacks = {"stablehlo::divide"}
    make_executor(double, fallback="error")
    x = array([2.0, 3.0])
    where = here(1)
    bad = x / 2
    good = x + 1
    fails(bad, f"{where}.*stablehlo::divide.*fallback", UnsupportedOpError)
    fails(bad, "divide", NotImplementedError)
    assert np.asarray(good).tolist() == [3.0, 4.0]


def test_what_can_be_decomposed_does_not_fall_back(make_executor, double, array):
    double.lacks = {"numpy::floor_divide", "numpy::remainder"}
    executor = make_executor(double, fallback="error")
    x = array([7, -7, 7, -7])
    y = array([2, 2, -2, 0])
    with np.errstate(divide="ignore"):
        expected = np.array([7, -7, 7, -7]) // np.array([2, 2, -2, 0])
    assert np.asarray(x // y).tolist() == expected.tolist()
    assert not any(name.startswith("Fallback") for name in executor.metrics.counters())


def test_messages_name_no_line_where_source_lines_are_off(make_executor, double, array):
    make_executor(double, source_lines=False)
    double.fails_on = "stablehlo::divide"
    bad = array([1.0]) / 2
    with pytest.raises(ExecutionError, match="divide") as caught:
        np.asarray(bad)
    assert ".py" not in str(caught.value)


def test_a_backend_that_returns_too_few_results_hangs_nobody(make_executor, double, array, monkeypatch):
    executor = make_executor(double, asynchronous="always")
    monkeypatch.setattr(double, "execute_computation", lambda *_: [])
    y = array([1.0]) + 1
    executor.mark_step()
    executor.wait_device_ops()
    with pytest.raises(LatebindError):
        np.asarray(y)
    monkeypatch.undo()
    assert np.asarray(array([1.0]) + 1).tolist() == [2.0]


def test_an_error_in_one_thread_is_raised_in_all_with_its_own_traceback(executor, double, array):
    double.fails_on = "stablehlo::divide"
    bad = array([1.0]) / 2
    errors = []
    for _ in range(2):
        with pytest.raises(ExecutionError) as caught:
            np.asarray(bad)
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert str(errors[0]) == str(errors[1])
