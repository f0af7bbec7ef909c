"""Memory: dead buffers are written over, live ones never; donated parameters are updated in place."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.backends.interface import BackendData
from latebind.ir.types import TensorType

BIG = np.arange(40000, dtype=np.float64)


def address(data: BackendData) -> int:
    return data.handle.__array_interface__["data"][0]


# Donation


def test_a_donated_parameter_is_updated_in_place_by_a_slice_assignment(graph):
    x, update = graph.parameter(BIG, donate=True), graph.parameter(np.ones(3))
    start = graph.constant(np.int64(2))
    before = address(graph.data[0])
    assert graph.backend.can_donate(graph.data[0])
    computed = graph.op("stablehlo::dynamic_update_slice", x, update, start)
    assert "p0[2:5] = p1" in graph.lower(computed).text
    (result,) = graph.execute(computed)
    assert address(result) == before
    np.testing.assert_array_equal(result.handle[:6], [0, 1, 1, 1, 1, 5])


def test_a_loop_of_updates_stays_in_one_buffer(graph):
    x, at = graph.parameter(BIG, donate=True), graph.parameter(np.int64(0))
    row = graph.expand(graph.constant(np.float64(7)), 1)
    value = graph.op("stablehlo::dynamic_update_slice", x, row, at)
    computation = graph.lower(value)
    graph.backend.compile([computation])
    state, counter = graph.data
    before = address(state)
    for step in range(20):
        counter = graph.backend.make_computation_data_from_scalar(step, at.type, graph.device)
        assert graph.backend.can_donate(state)
        (state,) = graph.backend.execute_computation(computation, [state, counter], graph.device)
        graph.data.clear()
    assert address(state) == before
    np.testing.assert_array_equal(state.handle[:21], [7] * 20 + [20])


@pytest.mark.parametrize("name", ["elementwise", "select", "scatter", "sort", "chain", "scalar"])
def test_other_operations_update_donated_parameters_in_place(graph, body, name):
    array = np.float64(3) if name == "scalar" else BIG
    x = graph.parameter(array, donate=True)
    other = graph.parameter(array + 1)
    if name in ("elementwise", "scalar"):
        value, expected = graph.op("stablehlo::add", x, other), 2 * array + 1
    elif name == "chain":
        value = graph.op("stablehlo::sine", graph.op("stablehlo::cosine", graph.op("stablehlo::add", x, other)))
        expected = np.sin(np.cos(2 * array + 1))
    elif name == "select":
        mask = graph.parameter(BIG % 2 == 0)
        value, expected = graph.op("stablehlo::select", mask, other, x), np.where(BIG % 2 == 0, BIG + 1, BIG)
    elif name == "sort":
        value = graph.op("stablehlo::sort", x, dimension=0, comparison_direction="LT")
        expected = array
    else:
        value = graph.op(
            "stablehlo::scatter", x, graph.parameter(np.array([1, 1, 3])), graph.parameter(np.ones(3)),
            update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), index_vector_dim=1,
            update_computation=body("add"),
        )  # fmt: skip
        expected = BIG.copy()
        expected[[1, 3]] += [2, 1]
    before = address(graph.data[0])
    (result,) = graph.execute(value)
    assert address(result) == before
    np.testing.assert_array_equal(result.handle, expected)


def test_set_up_alias_donates(graph):
    x = graph.parameter(BIG)
    value = graph.op("stablehlo::negate", x)
    context = graph.backend.create_lowering_context("graph", graph.device)
    context.add_parameter(x, "x")
    context.lower(value.node)
    context.add_result(value)
    context.set_up_alias(0, 0)
    computation = context.build()
    assert computation.aliases == ((0, 0),)
    assert computation.program.donated == {0}
    graph.backend.compile([computation])
    (result,) = graph.backend.execute_computation(computation, graph.data, graph.device)
    assert address(result) == address(graph.data[0])


def test_a_donated_parameter_that_is_needed_later_is_copied_first(graph):
    x = graph.parameter(BIG, donate=True)
    zero = graph.constant(np.int64(0))
    updated = graph.op("stablehlo::dynamic_update_slice", x, graph.parameter(np.array([9.0])), zero)
    total = graph.op("stablehlo::add", updated, x)
    first, second = graph.run(updated, total)
    assert first[0] == 9 and second[0] == 9 and second[1] == 2


def test_a_donated_parameter_gives_its_memory_to_another_value(graph):
    x, y, z = graph.parameter(BIG, donate=True), graph.parameter(BIG), graph.parameter(BIG)
    scalar = graph.op(
        "stablehlo::dynamic_slice", x, graph.constant(np.int64(5)), slice_sizes=(1,)
    )  # a view of x that lives longer than x
    total = graph.op("stablehlo::add", y, z)
    shifted = graph.op(
        "stablehlo::add", total, graph.expand(graph.op("stablehlo::reshape", scalar, shape=()), BIG.size)
    )
    np.testing.assert_array_equal(graph.run(shifted)[0], 2 * BIG + 5)


def test_overlapping_sides_of_a_slice_assignment(graph):
    x = graph.parameter(BIG, donate=True)
    shifted = graph.op(
        "stablehlo::dynamic_update_slice", x, graph.slice(x, (0, BIG.size - 1)), graph.constant(np.int64(1))
    )
    before = address(graph.data[0])
    (result,) = graph.execute(shifted)
    assert address(result) == before
    np.testing.assert_array_equal(result.handle, np.concatenate([BIG[:1], BIG[:-1]]))


# Results


def test_parameters_are_never_written(graph):
    array = np.arange(6.0)
    array.flags.writeable = False
    x = graph.parameter(array, shared=True)
    doubled = graph.op("stablehlo::add", x, x)
    updated = graph.op("stablehlo::dynamic_update_slice", x, graph.parameter(np.ones(1)), graph.constant(np.int64(0)))
    graph.run(doubled, updated, graph.op("stablehlo::sine", x))
    np.testing.assert_array_equal(array, np.arange(6.0))


def test_parameters_may_be_strided(graph):
    array = np.arange(24.0).reshape(4, 6)[::2, ::-3]
    x = graph.parameter(array, shared=True)
    value = graph.op("stablehlo::reshape", graph.op("stablehlo::exponential", x), shape=(4,))
    np.testing.assert_array_equal(graph.run(value)[0], np.exp(array).reshape(4))


def test_a_result_that_is_a_parameter_blocks_the_donation_of_it(graph):
    backend = graph.backend
    x = graph.parameter(BIG)
    (result,) = graph.execute(x)
    assert address(result) == address(graph.data[0])
    assert not backend.can_donate(graph.data[0]) and not backend.can_donate(result)
    del graph.data[0]
    assert backend.can_donate(result)


def test_a_result_that_sees_memory_which_is_not_owned_is_not_owned(graph):
    x = graph.parameter(BIG, shared=True)
    (result,) = graph.execute(graph.op("stablehlo::reshape", x, shape=(200, 200)))
    assert not result.owned and not graph.backend.can_donate(result)


def test_a_value_that_is_returned_twice_blocks_donation_until_one_handle_is_gone(graph):
    backend = graph.backend
    value = graph.op("stablehlo::negate", graph.parameter(BIG))
    results = graph.execute(value, value)
    assert not any(map(backend.can_donate, results))
    results.pop()
    assert backend.can_donate(results[0])


def test_a_small_view_of_a_large_buffer_is_copied_out_of_it(graph):
    value = graph.op("stablehlo::negate", graph.parameter(BIG))
    (result,) = graph.execute(graph.slice(value, (0, 3)))
    assert result.handle.base is None


def test_constants_are_never_written_nor_donated(graph):
    constant = graph.constant(np.arange(1000.0))
    value = graph.op("stablehlo::negate", constant)
    computation = graph.lower(constant, value)
    graph.backend.compile([computation])
    first = graph.backend.execute_computation(computation, [], graph.device)
    assert not graph.backend.can_donate(first[0])
    second = graph.backend.execute_computation(computation, [], graph.device)
    np.testing.assert_array_equal(second[0].handle, np.arange(1000.0))


def test_zero_dimensional_results_are_arrays_of_their_own(graph):
    x, y = graph.parameter(np.float32(2)), graph.constant(np.float32(3))
    total = graph.op("stablehlo::add", x, y)
    column = graph.op("stablehlo::reshape", total, shape=(1, 1))
    results = graph.execute(total, total, column, x, y)
    assert all(type(result.handle) is np.ndarray for result in results)
    assert [result.handle.tolist() for result in results] == [5, 5, [[5]], 2, 3]
    assert graph.backend.can_donate(results[0]) and graph.backend.can_donate(results[1])


# can_donate


def test_can_donate_sees_every_other_holder(backend):
    data = backend.make_computation_data_from_tensor(BIG, _type(BIG), backend.backend_device())
    assert backend.can_donate(data)
    view = backend.make_tensor_from_computation_data(data)
    assert not view.flags.writeable
    assert not backend.can_donate(data)
    part = view[3:5]
    del view
    assert not backend.can_donate(data)
    del part
    assert backend.can_donate(data)
    other = BackendData(data.type, data.device, data.handle)
    assert not backend.can_donate(data)
    del other
    memory = memoryview(data.handle)
    assert not backend.can_donate(data)
    del memory
    assert backend.can_donate(data)
    data.handle.flags.writeable = False
    assert not backend.can_donate(data)
    assert backend.can_donate(backend.make_computation_data_from_scalar(3, _type(np.array(3)), data.device))


def test_shared_data_and_placeholders_are_not_donated(backend):
    device = backend.backend_device()
    shared = backend.make_computation_data_from_tensor(BIG, _type(BIG), device, copy=False)
    assert shared.handle is BIG and not backend.can_donate(shared)
    assert not backend.can_donate(backend.create_data_placeholder(device, _type(BIG)))


def _type(array: np.ndarray):
    return TensorType.of(array.shape, array.dtype)


def test_a_broadcast_view_is_neither_written_nor_returned(graph):
    row = graph.op("stablehlo::negate", graph.parameter(np.arange(50.0)))
    spread = graph.op("stablehlo::transpose", graph.expand(row, 50, 50), permutation=(1, 0))
    full = -np.broadcast_to(np.arange(50.0), (50, 50)).T
    new = graph.parameter(np.full((2, 2), 5.0))
    zero = graph.constant(np.int64(0))
    updated = full.copy()
    updated[:2, :2] = 5
    cases = {
        "returned": (spread, full),
        "ufunc": (graph.op("stablehlo::sine", spread), np.sin(full)),
        "updated": (graph.op("stablehlo::dynamic_update_slice", spread, new, zero, zero), updated),
        "sorted": (graph.op("stablehlo::sort", spread, dimension=0, comparison_direction="LT"), np.sort(full, 0)),
    }
    for value, expected in cases.values():
        (result,) = graph.execute(value)
        np.testing.assert_array_equal(result.handle, expected)
        assert graph.backend.can_donate(result)
        result.handle[0, 0] = 99
        assert (result.handle == 99).sum() == 1
