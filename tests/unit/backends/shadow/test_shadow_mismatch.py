"""A difference is an error or a warning, and names the smallest subgraph that shows it."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.shadow.backend import ShadowBackend
from latebind.errors import ExecutionError
from latebind.ir.builder import IrBuilder
from latebind.ir.types import TensorType


def shadow_of(primary, **options) -> ShadowBackend:
    return ShadowBackend(primary=primary, reference=NumpyBackend(), **options)


def failure(array) -> str:
    with pytest.raises(ExecutionError) as caught:
        np.asarray(array)
    return str(caught.value)


def test_one_wrong_operation_is_shown_with_its_operands_and_the_users_line(use, buggy):
    use(shadow_of(buggy("sine")))
    x = lb.asarray([0.0, 1.0, 2.0])
    y = lb.sqrt(lb.sin(x * 0.5) + 1.0)  # the line
    message = failure(y)
    assert f"{__file__}:" in message and "sin failed on backend 'shadow'" in message
    assert "%0 = stablehlo.sine %arg0 : tensor<3xf64>" in message
    assert "%arg0 = [0.0, 0.5, 1.0]" in message
    assert "buggy = [1.0, 0.8775825618903728, 0.5403023058681398]" in message
    assert "numpy = [0.0, 0.479425538604203, 0.8414709848078965]" in message
    assert "the first at [0]: 1.0 (buggy) and 0.0 (numpy)" in message
    assert "multiply" not in message and "sqrt" not in message


def test_arrays_that_do_not_depend_on_the_difference_keep_their_values(use, buggy, numbers):
    use(shadow_of(buggy("sine")))
    x = lb.asarray(numbers)
    wrong, right = lb.sin(x), x + 1.0
    lb.sync()
    assert np.array_equal(np.asarray(right), numbers + 1)
    assert "stablehlo.sine" in failure(wrong)
    assert "stablehlo.sine" in failure(wrong), "each use has the error"


def test_a_bug_of_two_operations_together_is_narrowed_down_to_the_two(use, buggy, numbers):
    shadow = shadow_of(buggy("together"))
    use(shadow)
    y = x = lb.asarray(numbers)
    for _ in range(3):
        y = y + 0.25
    z = lb.sin(y) * x
    for _ in range(3):
        z = z - 0.5
    message = failure(z)
    graph = message[message.index("func.func") : message.index("return")]
    assert [name in graph for name in ("stablehlo.sine", "stablehlo.multiply")] == [True, True]
    assert graph.count("stablehlo.") == 2
    assert shadow.counters["ShadowMismatches"] == 1


@pytest.mark.parametrize(("name", "raises"), [("kernel_both", True), ("computation_1", False)])
def test_what_differs_together_is_raised_in_a_kernel_and_set_on_the_result_elsewhere(buggy, name, raises):
    # A kernel is one operation of the user's: the interpreter that runs it adds the line to what it raises.
    shadow, builder = shadow_of(buggy("together")), IrBuilder()
    type, device = TensorType.of((2,), np.dtype(np.float64)), shadow.backend_device()
    x = builder.make_parameter(type).value()
    sine = builder.op("stablehlo::sine", x)
    product = builder.op("stablehlo::multiply", sine, x)
    context = shadow.create_lowering_context(name, device)
    context.add_parameter(x, "x")
    for value in (sine, product):
        context.lower(value.node)
        context.add_result(value)
    (computation,) = shadow.compile([context.build()])
    arguments = [shadow.make_computation_data_from_tensor(np.array([1.0, 2.0]), type, device)]
    if raises:
        with pytest.raises(ExecutionError, match=r"stablehlo\.multiply"):
            shadow.execute_computation(computation, arguments, device)
    else:
        right, wrong = shadow.execute_computation(computation, arguments, device)
        assert right.error is None and "stablehlo.multiply" in str(wrong.error)


def test_of_several_results_only_those_that_differ_are_errors(use, buggy, numbers):
    use(shadow_of(buggy("together")))
    x = lb.asarray(numbers)
    right, wrong = x + 1.0, lb.sin(x) * x
    lb.sync()
    assert np.array_equal(np.asarray(right), numbers + 1)
    assert "stablehlo.sine" in failure(wrong)


def test_a_difference_after_donation_is_narrowed_down_all_the_same(use, buggy):
    use(shadow_of(buggy("sine")))
    x = lb.zeros(10_000)
    lb.sync(x)
    x[:] = lb.sin(x)
    message = failure(x)
    assert "stablehlo.sine %arg0 : tensor<10000xf64>" in message
    assert "%arg0 = [0.0, 0.0, 0.0, ..., 0.0, 0.0, 0.0]" in message


def test_warning_logs_the_subgraph_once_and_goes_on_with_the_primarys_values(use, buggy, numbers, caplog):
    shadow = shadow_of(buggy("sine"), on_mismatch="warn")
    use(shadow)
    with caplog.at_level(logging.WARNING, "latebind.shadow"):
        for _ in range(3):
            assert np.array_equal(np.asarray(lb.sin(lb.asarray(numbers))), np.cos(numbers))
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == shadow.counters["ShadowMismatches"] == 3
    assert ["func.func" in message for message in messages] == [True, False, False]


@pytest.mark.parametrize(("rtol", "agrees"), [(2e-12, True), (5e-13, False), (None, True)])
def test_the_tolerance_is_a_setting(use, buggy, rtol, agrees):
    # The primary's products are off by 1e-12; the default in float64 is 1.5e-8.
    use(shadow_of(buggy("slightly"), rtol=rtol, atol=0.0))
    product = lb.asarray([1.0, 3.0]) * 3.0
    if agrees:
        assert np.allclose(np.asarray(product), [3.0, 9.0], rtol=2e-12, atol=0)
    else:
        assert "beyond rtol=5e-13, atol=0" in failure(product)


@pytest.mark.parametrize("where", ["lower", "compile", "execute", "transfer"])
def test_a_reference_that_fails_is_logged_and_counted_and_no_error(use, buggy, faulty, numbers, caplog, where):
    shadow = ShadowBackend(primary=buggy("sine"), reference=faulty(where))
    use(shadow)
    with caplog.at_level(logging.WARNING, "latebind.shadow"):
        assert np.array_equal(np.asarray(lb.sin(lb.asarray(numbers))), np.cos(numbers))
    assert shadow.counters["ShadowReferenceFailures"] > 0
    assert shadow.counters["ShadowComparisons"] == 0
    assert "reference 'numpy' failed to" in caplog.text and f"refuses to {where}" in caplog.text


def test_a_primary_that_fails_fails_as_it_would_alone(use, faulty, numbers):
    use(ShadowBackend(primary=faulty("execute"), reference=NumpyBackend()))
    message = failure(lb.asarray(numbers) + 1.0)
    assert message.startswith(f"{__file__}:") and "refuses to execute" in message
