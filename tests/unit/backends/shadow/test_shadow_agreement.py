"""Where both backends agree, a program on the shadow backend is the program on the primary."""

from __future__ import annotations

import numpy as np
import pytest

import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.shadow.backend import ShadowBackend
from latebind.ir.builder import IrBuilder
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType


@pytest.fixture
def shadow(buggy):
    return ShadowBackend(primary=buggy("right"), reference=NumpyBackend())


def test_results_are_the_primarys(use, buggy, numbers):
    use(ShadowBackend(primary=buggy("slightly"), reference=NumpyBackend()))
    result = np.asarray(lb.asarray(numbers) * 3.0)
    # Exact: the product of the primary, which is off by 1e-12, not that of the reference.
    assert np.array_equal(result, numbers * 3.0 * (1 + 1e-12))


def test_every_result_is_compared_and_counted(use, shadow, numbers):
    use(shadow)
    x = lb.asarray(numbers)
    doubled, shifted = x * 2.0, x + 1.0
    lb.sync()
    assert np.array_equal(np.asarray(doubled), numbers * 2) and np.array_equal(np.asarray(shifted), numbers + 1)
    assert dict(shadow.counters) == {"ShadowComparisons": 2, "ShadowMismatches": 0, "ShadowReferenceFailures": 0}
    assert "Counter: ShadowComparisons\n  Value: 2" in shadow.metric_report()


def test_a_loop_of_updates_in_place_donates_on_the_primary_and_stays_right(use, shadow):
    container = use(shadow)
    x = lb.zeros(10_000)
    for _ in range(5):
        x += 1.0
        lb.sync(x)
    assert np.array_equal(np.asarray(x), np.full(10_000, 5.0))
    assert container.metrics().counter("DonatedBuffers") > 0


def test_a_difference_within_the_tolerance_does_not_grow_over_computations(use, buggy):
    shadow = ShadowBackend(primary=buggy("slightly"), reference=NumpyBackend(), rtol=5e-12)
    use(shadow)
    x = lb.ones(3)
    for _ in range(50):
        x = x * 1.5
        lb.sync(x)
    # 50 steps of a relative error of 1e-12 are 10 times what is allowed in one step.
    assert np.allclose(np.asarray(x), 1.5**50 * (1 + 1e-12) ** 50, rtol=1e-14, atol=0)
    assert shadow.counters["ShadowMismatches"] == 0


def test_nan_and_infinity_agree_with_themselves(use, shadow):
    use(shadow)
    x = lb.asarray([np.nan, np.inf, -np.inf, 0.0])
    assert np.array_equal(np.asarray(x * 2.0 - x), [np.nan, np.nan, np.nan, 0.0], equal_nan=True)
    assert shadow.counters["ShadowMismatches"] == 0


def test_shared_memory_is_shared_with_both(use, shadow):
    use(shadow)
    host = np.arange(4.0)
    x = lb.asarray(host, copy=False)
    host[0] = 7.0
    assert np.array_equal(np.asarray(x + 0.5), [7.5, 1.5, 2.5, 3.5])
    assert shadow.counters["ShadowMismatches"] == 0


def test_what_one_cannot_lower_is_decomposed_for_both(shadow, monkeypatch):
    kind = OpKind.get("stablehlo::tanh")
    assert shadow.supports(kind)
    monkeypatch.setattr(shadow.reference, "supports", lambda asked: asked is not kind)
    assert not shadow.supports(kind)


def test_a_lowering_context_may_start_from_what_is_emitted(shadow):
    builder, type = IrBuilder(), TensorType.of((2,), np.dtype(np.float64))
    parameter = builder.make_parameter(type)
    total = builder.op("stablehlo::add", parameter.value(), parameter.value())
    device = shadow.backend_device()
    first = shadow.create_lowering_context("first", device)
    first.add_parameter(parameter.value(), "x")
    second = shadow.create_lowering_context("second", device, [total.node], first.emitted)
    assert total in second.emitted and second.emitted_node_count == 1


def test_the_text_of_a_computation_is_that_of_both(shadow):
    builder, type = IrBuilder(), TensorType.of((2,), np.dtype(np.float64))
    parameter = builder.make_parameter(type).value()
    context = shadow.create_lowering_context("doubled", shadow.backend_device())
    context.add_parameter(parameter, "x")
    total = builder.op("stablehlo::add", parameter, parameter)
    context.lower(total.node)
    context.add_result(total)
    (computation,) = shadow.compile([context.build()])
    text = shadow.computation_backend_text(computation)
    assert text.startswith("# buggy\n") and "\n# numpy\n" in text
    assert text.count("def ") == 2


def test_closing_it_closes_both(buggy):
    primary, reference = buggy("right"), buggy("right")
    ShadowBackend(primary=primary, reference=reference).prepare_to_exit()
    assert primary.closed and reference.closed
