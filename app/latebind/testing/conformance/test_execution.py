"""Execution: results, arguments, several computations in flight, and errors that stay where they belong."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

from latebind.backends.interface import BackendData
from latebind.ir.types import TensorType
from latebind.testing.conformance.sampling.samples import DTYPES
from latebind.testing.conformance.sampling.values import ordinary
from latebind.testing.conformance.tools import Bench, equal


def test_results_have_type_device_and_value(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    outputs = bench.execute(bench.compile([x], [bench.add(x, x), x]), bench.put(bench.array(1, 2)))
    assert len(outputs) == 2
    for output, wanted in zip(outputs, (bench.array(2, 4), bench.array(1, 2)), strict=True):
        assert isinstance(output, BackendData)
        assert output.type is x.type and output.device == bench.device and output.has_value
        assert equal(bench.get(output), wanted)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_arguments_of_every_dtype_pass_through(bench: Bench, dtype: np.dtype[np.generic]) -> None:
    arrays = [ordinary(dtype, shape) for shape in ((), (3,), (0, 2), (2, 1, 3))]
    parameters = [bench.parameter(array) for array in arrays]
    for found, wanted in zip(bench.run(parameters, parameters, *arrays), arrays, strict=True):
        assert equal(found, wanted)


def test_graph_without_results(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    assert bench.execute(bench.compile([x], []), bench.put(bench.array(1, 2))) == []


def test_graph_without_parameters(bench: Bench) -> None:
    assert equal(bench.run([], [bench.add(bench.constant(1, 2), bench.constant(3, 4))])[0], bench.array(4, 6))


def test_constant_is_a_result(bench: Bench) -> None:
    (first, second) = bench.run([], [bench.constant(1, 2)] * 2)
    assert equal(first, bench.array(1, 2)) and equal(second, bench.array(1, 2))


def test_unused_parameters(bench: Bench) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1, 2, 3))
    (result,) = bench.run([y, x, y], [bench.add(x, x)], bench.array(0, 0, 0), bench.array(1, 2), bench.array(9, 9, 9))
    assert equal(result, bench.array(2, 4))


def test_a_launcher_runs_the_computation_again_and_again(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    computation = bench.compile([x], [bench.add(x, x), x])
    launch = bench.backend.launcher(computation, bench.device)
    other = bench.backend.launcher(bench.doubling(bench.array(1, 2)), bench.device)
    kept = []
    for value in range(1, 4):
        outputs = launch([bench.put(bench.array(value, 2))])
        assert [output.type for output in outputs] == [x.type, x.type]
        assert all(output.device == bench.device and output.has_value for output in outputs)
        kept.append(outputs[0])
        (doubled,) = other([outputs[0]])
        assert equal(bench.get(doubled), bench.array(4 * value, 8))
    for value, output in zip(range(1, 4), kept, strict=True):
        assert equal(bench.get(output), bench.array(2 * value, 4))
    (again, _) = bench.execute(computation, kept[0])
    assert equal(bench.get(again), bench.array(4, 8))


def test_one_result_twice(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    total = bench.add(x, x)
    for found in bench.run([x], [total, total], bench.array(1, 2)):
        assert equal(found, bench.array(2, 4))


def test_one_argument_for_two_parameters(bench: Bench) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1, 2))
    data = bench.put(bench.array(1, 2))
    (output,) = bench.execute(bench.compile([x, y], [bench.add(x, y)]), data, data)
    assert equal(bench.get(output), bench.array(2, 4))
    assert equal(bench.get(data), bench.array(1, 2))


def test_permuted_parameters(bench: Bench) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1, 2))
    for found, wanted in zip(
        bench.run([x, y], [y, x], bench.array(1, 2), bench.array(3, 4)),
        (bench.array(3, 4), bench.array(1, 2)),
        strict=True,
    ):
        assert equal(found, wanted)


def test_execution_repeats(bench: Bench) -> None:
    computation = bench.doubling(bench.array(1, 2))
    for value in range(5):
        (output,) = bench.execute(computation, bench.put(bench.array(value, 2)))
        assert equal(bench.get(output), bench.array(2 * value, 4))


def test_arguments_and_results_outlive_later_executions(bench: Bench) -> None:
    computation = bench.doubling(bench.array(1, 2))
    arguments = [bench.put(bench.array(value, 2)) for value in range(20)]
    outputs = [bench.execute(computation, argument)[0] for argument in arguments]
    exported = [bench.backend.make_tensor_from_computation_data(output) for output in outputs]
    for value in range(20):
        assert equal(np.array(exported[value]), bench.array(2 * value, 4))
        assert equal(bench.get(arguments[value]), bench.array(value, 2))
        assert equal(bench.get(outputs[value]), bench.array(2 * value, 4))


def test_several_executions_in_flight(bench: Bench) -> None:
    large = np.ones(200_000, bench.dtype)
    computation = bench.doubling(large)
    data = [bench.put(large)]
    for _ in range(4):
        data.append(bench.execute(computation, data[-1])[0])
    for power, one in reversed(list(enumerate(data))):
        assert equal(bench.get(one), np.full(200_000, 2**power, bench.dtype))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_wrong_number_of_arguments_is_an_error(bench: Bench, count: int) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1, 2))
    computation = bench.compile([x, y], [bench.add(x, y)])
    data = bench.put(bench.array(1, 2))
    with pytest.raises(Exception):  # noqa: B017  (whatever the engine raises; that it does is what counts)
        for output in bench.execute(computation, *[data] * count):
            bench.get(output)
    assert equal(bench.get(bench.execute(computation, data, data)[0]), bench.array(2, 4))


def test_argument_of_another_type_does_no_harm(bench: Bench) -> None:
    """The runtime never passes one; an engine may refuse it or compute something, but later executions are right."""
    computation = bench.doubling(bench.array(1, 2))
    for wrong in (bench.array(1, 2, 3), np.ones((2, 2), bench.dtype), np.ones(2, np.int8), np.ones((), bench.dtype)):
        with suppress(Exception):
            for output in bench.execute(computation, bench.put(wrong)):
                bench.get(output)
        assert equal(bench.get(bench.execute(computation, bench.put(bench.array(1, 2)))[0]), bench.array(2, 4))


def test_placeholder_that_was_filled_is_an_argument(bench: Bench) -> None:
    computation = bench.doubling(bench.array(1, 2))
    placeholder = bench.backend.create_data_placeholder(bench.device, TensorType.of((2,), bench.dtype))
    placeholder.assign(bench.execute(computation, bench.put(bench.array(1, 2)))[0])
    assert equal(bench.get(bench.execute(computation, placeholder)[0]), bench.array(4, 8))


def test_many_parameters_and_results(bench: Bench) -> None:
    arrays = [bench.array(index % 50, 1) for index in range(200)]
    parameters = [bench.parameter(array) for array in arrays]
    results = [bench.add(x, x) for x in parameters]
    for found, array in zip(bench.run(parameters, results, *arrays), arrays, strict=True):
        assert equal(found, array + array)


def test_deep_graph(bench: Bench) -> None:
    """Deeper than Python's recursion limit: nothing in lowering or compiling may recurse over the graph."""
    x = bench.parameter(bench.array(0, 1))
    value = x
    for _ in range(1500):
        value = bench.add(value, x)
    assert equal(bench.run([x], [value], bench.array(0, 1))[0], bench.array(0, 1501))


def test_every_device_computes(bench: Bench) -> None:
    for device in bench.backend.backend_devices():
        bench.device = device
        (output,) = bench.execute(bench.doubling(bench.array(1, 2)), bench.put(bench.array(1, 2)))
        assert output.device == device
        assert equal(bench.get(output), bench.array(2, 4))
