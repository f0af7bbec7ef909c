"""Memory: what comes in and goes out, who sees it, and what donated parameters are for."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from latebind.backends.interface import BackendData
from latebind.errors import DeviceMismatchError
from latebind.ir.types import ELEMENT_NAMES, TensorType

BIG = np.arange(40000, dtype=np.float64)


def type_of(array):
    return TensorType.of(array.shape, array.dtype.newbyteorder("="))


def address(data: BackendData) -> int:
    return data.handle.data_ptr()


def put(backend, array, *, copy=True):
    return backend.make_computation_data_from_tensor(array, type_of(array), backend.backend_device("cpu"), copy=copy)


# Data


@pytest.mark.parametrize("dtype", ELEMENT_NAMES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (4,), (2, 3)])
@pytest.mark.parametrize("copy", [True, False])
def test_host_arrays_come_back_as_they_were(backend, dtype, shape, copy):
    array = np.arange(max(1, int(np.prod(shape)))).astype(dtype)[: int(np.prod(shape))].reshape(shape)
    data = put(backend, array, copy=copy)
    assert isinstance(data.handle, torch.Tensor) and data.handle.dtype is getattr(torch, dtype)
    assert data.owned is copy
    found = backend.make_tensor_from_computation_data(data)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i4").reshape(2, 3),
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0)[::-2],
        np.broadcast_to(np.float32(3), (2, 2)),
        np.frombuffer(bytes(17), np.uint8)[1:].view(np.float64),
    ],
)
@pytest.mark.parametrize("copy", [True, False])
def test_what_a_tensor_cannot_see_is_copied(backend, array, copy):
    data = put(backend, array, copy=copy)
    np.testing.assert_array_equal(data.handle.numpy(), array)
    assert data.owned and data.handle.is_contiguous()
    assert backend.can_donate(data)


def test_copies_and_shared_memory(backend):
    array = np.arange(6.0)
    copied, shared = put(backend, array), put(backend, array, copy=False)
    array[0] = 9
    assert copied.handle[0] == 0 and shared.handle[0] == 9
    assert backend.can_donate(copied) and not backend.can_donate(shared)


@pytest.mark.parametrize("copy", [True, False])
def test_read_only_memory_is_taken_without_a_warning(backend, copy):
    array = np.arange(6.0)
    array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = put(backend, array, copy=copy)
    assert (data.handle.data_ptr() == array.__array_interface__["data"][0]) is not copy
    assert not array.flags.writeable and data.owned is copy


def test_shared_memory_lives_as_long_as_the_data(backend):
    array = np.full(100_000, 7.0)
    array.flags.writeable = False
    data = put(backend, array, copy=False)
    del array
    other = np.zeros(100_000)
    assert float(data.handle.sum()) == 700_000 and not other.any()


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(True, "bool"), (-5, "int8"), (2**63 - 1, "int64"), (2**64 - 1, "uint64"), (0.1, "float32"), (0.1, "float64"),
     (1e-8, "float16"), (complex(0.1, -0.0), "complex128"), (3, "complex64"), (float("nan"), "float64")],
)  # fmt: skip
def test_scalars_are_exact(backend, value, dtype):
    data = backend.make_computation_data_from_scalar(
        value, TensorType.of((), np.dtype(dtype)), backend.backend_device()
    )
    np.testing.assert_array_equal(backend.make_tensor_from_computation_data(data), np.array(value, dtype))
    assert backend.can_donate(data)


def test_wrong_shapes_and_devices_are_refused(backend):
    with pytest.raises(DeviceMismatchError, match="shape"):
        backend.make_computation_data_from_tensor(BIG, TensorType.of((3,), BIG.dtype), backend.backend_device())
    with pytest.raises(DeviceMismatchError, match="cpu:1"):
        backend.make_computation_data_from_tensor(BIG, type_of(BIG), type(backend.backend_device()).parse("cpu:1"))


def test_exports_are_read_only_views_that_prevent_donation(backend):
    data = put(backend, BIG)
    view = backend.make_tensor_from_computation_data(data)
    assert view.__array_interface__["data"][0] == address(data)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    assert not backend.can_donate(data)
    part = view[3:5]
    del view
    assert not backend.can_donate(data)
    del part
    assert backend.can_donate(data)


def test_can_donate_sees_every_other_holder(backend):
    data = put(backend, BIG)
    assert backend.can_donate(data)
    for other in (BackendData(data.type, data.device, data.handle), data.handle, data.handle[3:], data.handle.numpy()):
        assert not backend.can_donate(data)
        del other
    assert backend.can_donate(data)
    assert not backend.can_donate(backend.create_data_placeholder(data.device, data.type))


# Donation


@pytest.mark.parametrize("dtype", ["float64", "uint32", "complex64", "bool"])
def test_a_loop_of_updates_stays_in_one_buffer(graph, dtype):
    array = np.zeros(40000, dtype)
    x, at = graph.parameter(array, donate=True), graph.parameter(np.int64(0))
    row = graph.expand(graph.constant(np.array(1, dtype)), 1)
    computation = graph.lower(graph.op("stablehlo::dynamic_update_slice", x, row, at))
    graph.backend.compile([computation])
    state = graph.data[0]
    graph.data.clear()
    before = address(state)
    for step in range(20):
        counter = graph.backend.make_computation_data_from_scalar(step, at.type, graph.device)
        assert graph.backend.can_donate(state)
        (state,) = graph.backend.execute_computation(computation, [state, counter], graph.device)
    assert address(state) == before
    array[:20] = 1
    np.testing.assert_array_equal(state.handle.numpy(), array)


@pytest.mark.parametrize("dtype", ["float64", "int32", "uint32"])
@pytest.mark.parametrize("name", ["add", "chain", "scatter", "scatter_add", "constant"])
def test_donated_parameters_are_updated_in_place(graph, body, name, dtype):
    array = BIG.astype(dtype)
    x = graph.parameter(array, donate=True)
    if name == "add":
        value = graph.op("stablehlo::add", x, graph.parameter(array + 1))
    elif name == "chain":
        value = graph.op("stablehlo::negate", graph.op("stablehlo::multiply", graph.op("stablehlo::add", x, x), x))
        value = graph.op("stablehlo::add", value, value)
    elif name == "constant":
        value = graph.op("stablehlo::multiply", graph.expand(graph.constant(np.array(3, dtype)), BIG.size), x)
    else:
        value = graph.op(
            "stablehlo::scatter", x, graph.parameter(np.array([1, 1, 3, -7])), graph.parameter(np.ones(4, dtype)),
            update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), index_vector_dim=1,
            update_computation=body("add") if name == "scatter_add" else None,
        )  # fmt: skip
    before = address(graph.data[0])
    (expected,) = graph.expect(value)
    (result,) = graph.execute(value)
    if name != "chain":  # (x + x) * x needs x once more
        assert address(result) == before
    np.testing.assert_array_equal(result.handle.numpy(), expected)


def test_no_step_of_an_in_place_loop_allocates(graph):
    x, y = graph.parameter(BIG, donate=True), graph.parameter(BIG)
    half = graph.expand(graph.constant(0.5), BIG.size)
    value = graph.op("stablehlo::multiply", graph.op("stablehlo::add", x, y), half)
    computation = graph.lower(value)
    graph.backend.compile([computation])
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        graph.backend.execute_computation(computation, graph.data, graph.device)
    assert max((event.cpu_memory_usage for event in profile.events()), default=0) < BIG.nbytes


def test_a_donated_parameter_that_is_needed_later_is_copied_first(graph):
    x = graph.parameter(BIG, donate=True)
    zero = graph.constant(np.int64(0))
    updated = graph.op("stablehlo::dynamic_update_slice", x, graph.parameter(np.array([9.0])), zero)
    graph.check(updated, graph.op("stablehlo::add", updated, x))


def test_overlapping_sides_of_a_slice_assignment(graph):
    x = graph.parameter(BIG, donate=True)
    part = graph.slice(x, (0, BIG.size - 1))
    graph.check(graph.op("stablehlo::dynamic_update_slice", x, part, graph.constant(np.int64(1))))


def test_a_view_that_lives_on_keeps_a_donated_parameter(graph):
    x, y = graph.parameter(BIG, donate=True), graph.parameter(BIG + 1)
    first = graph.slice(x, (0, 3))
    total = graph.op("stablehlo::add", x, y)
    graph.check(total, graph.op("stablehlo::negate", first))


# Results


def test_parameters_are_never_written(graph):
    array = BIG.copy()
    array.flags.writeable = False
    x = graph.parameter(array, shared=True)
    graph.run(
        graph.op("stablehlo::add", x, x),
        graph.op("stablehlo::dynamic_update_slice", x, graph.parameter(np.ones(1)), graph.constant(np.int64(0))),
    )
    np.testing.assert_array_equal(array, BIG)


def test_a_result_that_is_a_parameter_blocks_the_donation_of_it(graph):
    backend = graph.backend
    x = graph.parameter(BIG)
    for value in (x, graph.op("stablehlo::reshape", x, shape=(200, 200))):
        (result,) = graph.execute(value)
        assert address(result) == address(graph.data[0])
        assert not backend.can_donate(graph.data[0]) and not backend.can_donate(result)
        del result
        assert backend.can_donate(graph.data[0])
    (result,) = graph.execute(x)
    graph.data.clear()
    assert backend.can_donate(result)


def test_a_result_that_sees_memory_which_is_not_owned_is_not_owned(graph):
    x = graph.parameter(BIG, shared=True)
    (result,) = graph.execute(graph.op("stablehlo::reshape", x, shape=(200, 200)))
    assert not result.owned and not graph.backend.can_donate(result)


def test_a_value_that_is_returned_twice_blocks_donation_until_one_handle_is_gone(graph):
    value = graph.op("stablehlo::negate", graph.parameter(BIG))
    results = graph.execute(value, value)
    assert not any(map(graph.backend.can_donate, results))
    results.pop()
    assert graph.backend.can_donate(results[0])


def test_results_are_contiguous_and_hold_no_memory_but_their_own(graph):
    x = graph.parameter(np.arange(400.0).reshape(20, 20))
    negated = graph.op("stablehlo::negate", x)
    transposed = graph.op("stablehlo::transpose", negated, permutation=(1, 0))
    row = graph.expand(graph.slice(negated, (0, 1), (0, 20)), 5, 20)
    graph.check(transposed, graph.slice(negated, (0, 2), (0, 3)), row, graph.slice(x, (1, 3), (0, 20)))
    for result in graph.execute(transposed, graph.slice(negated, (0, 2), (0, 3)), row, graph.slice(x, (1, 3), (0, 20))):
        assert result.handle.is_contiguous()
        assert result.handle.untyped_storage().nbytes() == result.type.nbytes
        assert graph.backend.can_donate(result)


def test_constants_are_never_written_nor_donated(graph):
    constant = graph.constant(BIG[:1000])
    computation = graph.lower(constant, graph.op("stablehlo::negate", constant))
    graph.backend.compile([computation])
    for _ in range(2):
        first, _second = graph.backend.execute_computation(computation, [], graph.device)
        assert graph.backend.can_donate(first)
        first.handle[:] = 5
    first, _second = graph.backend.execute_computation(computation, [], graph.device)
    np.testing.assert_array_equal(first.handle.numpy(), BIG[:1000])


def test_a_broadcast_is_neither_written_nor_returned(graph):
    row = graph.op("stablehlo::negate", graph.parameter(np.arange(50.0)))
    spread = graph.op("stablehlo::transpose", graph.expand(row, 50, 50), permutation=(1, 0))
    new, zero = graph.parameter(np.full((2, 2), 5.0)), graph.constant(np.int64(0))
    results = (
        spread,
        graph.op("stablehlo::sine", spread),
        graph.op("stablehlo::dynamic_update_slice", spread, new, zero, zero),
        graph.op("stablehlo::sort", spread, dimension=0, comparison_direction="LT"),
    )
    graph.check(*results, rtol=4)  # sine: see test_torch_elementwise
    for result in graph.execute(*results):
        result.handle[0, 0] = 99
        assert int((result.handle == 99).sum()) == 1
