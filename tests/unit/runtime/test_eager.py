"""The option `eager` runs every operation at once, with the same results."""

from __future__ import annotations

import numpy as np
import pytest


def program(array):
    x = array(np.arange(12.0).reshape(3, 4))
    y = x * 2 + x[1]
    row = y[0]
    row -= 1
    y[:, 1] = x[:, 0]
    y[y > 10] = -1.0
    z = y.T[1:] / (x.T[:-1] + 1)
    total = 0.0
    for i in range(3):
        total = total + float(z[i, i])
    return [np.asarray(one) for one in (x, y, row, z, -abs(z), z < 1, x[[0, 2]], x[array([1, 1])])], total


def test_results_are_those_of_lazy_execution(make_executor, array):
    make_executor(eager=True)
    eager, eager_total = program(array)
    make_executor()
    lazy, lazy_total = program(array)
    assert eager_total == lazy_total
    for one, other in zip(eager, lazy, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_every_operation_runs_at_once(make_executor, double, array):
    executor = make_executor(double, eager=True)
    x = array([1.0, 2.0])
    for count, operation in enumerate((lambda: x + 1, lambda: x * x, lambda: x[0], lambda: x.T, lambda: -x), 1):
        result = operation()
        assert result._tape is executor.ground()
        assert len(double.computations) == count


def test_an_in_place_update_runs_at_once(make_executor, double, array):
    executor = make_executor(double, eager=True)
    x = array([1.0, 2.0])
    view = x[1:]
    x += 1
    x[0] = 9.0
    assert x._tape is executor.ground() and double.executed["stablehlo::add"] == 1
    assert np.asarray(view).tolist() == [3.0]


def test_repeated_operations_are_compiled_once(make_executor, double, array):
    make_executor(double, eager=True)
    x = array([1.0, 2.0])
    for i in range(20):
        x = x + float(i)
    assert double.compiled <= 3


def test_compiled_functions_run_eagerly_too(make_executor, double, array):
    from latebind.array.capture import compile

    make_executor(double, eager=True)

    @compile
    def function(x):
        return x + 1 if x[0] > 0 else x - 1

    assert np.asarray(function(array([1.0]))).tolist() == [2.0]
    assert np.asarray(function(array([-1.0]))).tolist() == [-2.0]
    with pytest.raises(ValueError, match="broadcast"):
        function(array([1.0])) + array([1.0, 2.0]) * array([1.0, 2.0, 3.0])
