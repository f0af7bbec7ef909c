"""A scalar is a constant until it varies; then it is a parameter, after three compilations at most."""

from __future__ import annotations

import numpy as np
import pytest


def compiles(executor):
    return executor.metrics.counter("UncachedCompile") + executor.metrics.counter("ScalarPromotion")


def test_a_learning_rate_that_changes_every_step_compiles_nothing_new_from_the_third_step_on(executor, array):
    w, g = array(np.ones(8, np.float32)), array(np.full(8, 0.5, np.float32))
    expected = np.ones(8, np.float32)
    for step in range(50):
        rate = 0.1 / (1 + step)
        w -= rate * g
        executor.mark_step()
        expected -= np.float32(rate) * np.float32(0.5)
        if step == 2:
            after_three = executor.compiler and compiles(executor)
    assert compiles(executor) == after_three <= 3
    np.testing.assert_allclose(np.asarray(w), expected, rtol=1e-6)  # float32, 50 subtractions


@pytest.mark.parametrize("interpretations", [0, 1, 2, 3])
def test_several_scalars_that_start_to_vary_one_after_another(make_executor, array, interpretations):
    executor = make_executor(interpretations=interpretations)
    x = array([1.0])
    for step in range(40):
        a, b, c = 2.0, 3.0 + (step > 5) * step, 4.0 + (step > 10) * step
        d = 5.0 + (step > 20) * step
        assert float((((x * a + b) * c) - d)[0]) == (a + b) * c - d
    assert compiles(executor) <= 3


def test_scalars_that_do_not_vary_stay_constants(executor, double, array):
    x = array([1.0, 2.0])
    for rate in (0.1, 0.2, 0.3):
        np.asarray((x**2) * rate)
    parameters = len(double.computations[-1].parameter_names)
    assert parameters == 2  # x and the rate


def test_deterministic_switches_promotion_off(make_executor, double, array):
    executor = make_executor(double, deterministic=True)
    x = array([1.0, 2.0])
    for rate in (0.1, 0.2, 0.3, 0.1):
        np.testing.assert_array_equal(np.asarray(x * rate), np.array([1.0, 2.0]) * rate)
    assert executor.metrics.counter("ScalarPromotion") == 0
    assert all(len(one.parameter_names) == 1 for one in double.computations)
    assert executor.metrics.counter("CachedCompile") == 1


def test_results_do_not_depend_on_the_promotion(make_executor, array):
    results = []
    for options in ({"deterministic": True}, {}, {"interpretations": 2}):
        make_executor(**options)
        x = array(np.linspace(0.1, 3, 17).astype(np.float32))
        results.append([np.asarray((x * rate + 1.5) / (rate + 2) - x**rate).copy() for rate in (0.5, 2.0, 3.0, 0.5)])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=3e-7, atol=1e-6)  # a few ulp of float32


def test_an_integer_index_in_a_loop_is_one_computation(executor, array):
    x = array(np.arange(100.0))
    for i in range(100):
        assert float(x[i]) == i
    assert compiles(executor) <= 3


def test_two_integer_indices_in_a_loop_are_one_computation(executor, array):
    x = array(np.arange(100.0).reshape(10, 10))
    for i in range(10):
        for j in range(10):
            assert float(x[i, j]) == 10 * i + j
    assert compiles(executor) <= 3


def test_a_slice_that_moves_is_one_computation(executor, array):
    x = array(np.arange(100.0))
    for i in range(90):
        assert np.asarray(x[i : i + 10]).tolist() == list(range(i, i + 10))
    assert compiles(executor) <= 3


def test_a_negative_index_is_the_same_site(executor, array):
    x = array(np.arange(10.0))
    for i in range(-10, 10):
        assert float(x[i]) == i % 10
    assert compiles(executor) <= 3


def test_an_assignment_at_a_moving_index_is_one_computation(executor, array):
    x = array(np.zeros(50))
    for i in range(50):
        x[i] = float(i)
        executor.mark_step()
    assert np.asarray(x).tolist() == list(range(50))
    assert compiles(executor) <= 4  # and the last recording, which reads only


def test_integers_and_floats_are_different_sites(executor, array):
    x = array([1, 2])
    for _ in range(3):
        assert np.asarray(x * 2).dtype == np.int64
        assert np.asarray(x * 2.0).dtype == np.float64
        assert np.asarray(x * True).dtype == np.int64
    assert compiles(executor) == 3


def test_numpy_scalars_have_their_dtype(executor, array):
    x = array([1.0, 2.0], np.float32)
    assert (x * 2.0).dtype == np.float32
    assert (x * np.float64(2.0)).dtype == np.float64
    assert (x * np.float32(2.0)).dtype == np.float32
    assert np.asarray(x * np.float64(0.1)).tolist() == (np.array([1, 2], np.float32) * np.float64(0.1)).tolist()


def test_integers_beyond_64_bits_are_refused_when_recorded(any_executor, array):
    x = array([1, 2])
    with pytest.raises(OverflowError, match="9223372036854775808"):
        x + 2**63
    assert np.asarray(x + (2**63 - 1 - 2)).tolist() == [2**63 - 2, 2**63 - 1]


def test_a_constant_of_another_value_gives_its_own_result_on_a_superset_hit(executor, array):
    x = array([1.0])
    y = x * 2
    z = y + 1
    assert (float(y[0]), float(z[0])) == (2.0, 3.0)
    z = x * 4 + 1
    assert float(z[0]) == 5.0
    z = x * 4 + 7
    assert float(z[0]) == 11.0
