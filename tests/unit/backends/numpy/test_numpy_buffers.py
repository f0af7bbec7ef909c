"""Memory: dead buffers are written over, live ones never; donated parameters are updated in place."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.backends.interface import BackendData
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.settings import NumpySettings
from latebind.ir.node import Value

KEEPING = NumpyBackend(NumpySettings(reuse_buffers=False))
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
    shifted = graph.op("stablehlo::add", total, graph.expand(graph.op("stablehlo::reshape", scalar, shape=()), BIG.size))
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


def test_a_result_that_is_a_parameter_is_a_view_and_blocks_its_donation(graph):
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
    type_ = NumpyBackend().make_computation_data_from_scalar
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
    assert backend.can_donate(type_(3, _type(np.array(3)), backend.backend_device()))


def test_shared_data_and_placeholders_are_not_donated(backend):
    device = backend.backend_device()
    shared = backend.make_computation_data_from_tensor(BIG, _type(BIG), device, copy=False)
    assert shared.handle is BIG and not backend.can_donate(shared)
    assert not backend.can_donate(backend.create_data_placeholder(device, _type(BIG)))


def _type(array: np.ndarray):
    from latebind.ir.types import TensorType

    return TensorType.of(array.shape, array.dtype)


# Random graphs


class Growth:
    """A random graph of operations that share, copy, overwrite and return memory in every combination."""

    def __init__(self, graph, body, rng) -> None:
        self.graph, self.body, self.rng = graph, body, rng
        self.values: list[Value] = []
        n = int(rng.choice([3, 8, 24]))
        for shape in [(n, n), (n, n), (n,), (), (n, n)]:
            array = rng.integers(-4, 5, shape).astype(np.float32)
            self.values.append(graph.parameter(array, donate=bool(rng.random() < 0.5)))
        self.values.append(graph.constant(rng.integers(-4, 5, (n, n)).astype(np.float32)))
        self.values.append(graph.expand(graph.constant(np.float32(2)), n, n))
        self.index = graph.parameter(np.int64(rng.integers(0, n)))
        self.n = n

    def pick(self, rank: int | None = None) -> Value:
        fitting = [value for value in self.values if rank is None or len(value.shape) == rank]
        recent = fitting[-6:] if self.rng.random() < 0.7 else fitting
        return recent[int(self.rng.integers(len(recent)))]

    def like(self, value: Value) -> Value:
        same = [other for other in self.values if other.shape == value.shape]
        return same[int(self.rng.integers(len(same)))]

    def grow(self) -> None:
        makers = [
            self.binary, self.binary, self.unary, self.transpose, self.flatten, self.slice, self.reverse, self.expand,
            self.update, self.update, self.scatter, self.select, self.reduce, self.matmul, self.sort, self.gather,
            self.scalar, self.join, self.clamp,
        ]  # fmt: skip
        made = makers[int(self.rng.integers(len(makers)))]()
        if made is not None:
            self.values.append(made)

    def binary(self) -> Value:
        x = self.pick()
        return self.graph.op(f"stablehlo::{self.rng.choice(['add', 'maximum', 'subtract'])}", x, self.like(x))

    def unary(self) -> Value:
        return self.graph.op(f"stablehlo::{self.rng.choice(['negate', 'abs', 'floor'])}", self.pick())

    def transpose(self) -> Value:
        return self.graph.op("stablehlo::transpose", self.pick(2), permutation=(1, 0))

    def flatten(self) -> Value | None:
        x = self.pick()
        other = [value for value in self.values if value.type.size == x.type.size and value.shape != x.shape]
        shape = other[0].shape if other else (x.type.size,)
        return self.graph.op("stablehlo::reshape", x, shape=shape)

    def slice(self) -> Value:
        x = self.pick(2)
        starts = [int(self.rng.integers(0, max(1, extent // 2))) for extent in x.shape]
        part = self.graph.slice(x, *((start, extent) for start, extent in zip(starts, x.shape)))
        if part.shape[0] and self.rng.random() < 0.5:
            return self.graph.slice(part, (0, 1), (0, part.shape[1]))
        return part

    def reverse(self) -> Value:
        return self.graph.op("stablehlo::reverse", self.pick(2), dimensions=(int(self.rng.integers(2)),))

    def expand(self) -> Value:
        return self.graph.expand(self.pick(int(self.rng.integers(2))), 2, *([self.n] if self.rng.random() < 2 else []))\
            if self.pick(1).shape == (self.n,) else self.graph.expand(self.pick(0), self.n, self.n)  # fmt: skip

    def update(self) -> Value | None:
        x = self.pick(2)
        parts = [v for v in self.values if len(v.shape) == 2 and v.shape[0] <= x.shape[0] and v.shape[1] <= x.shape[1]]
        part = parts[int(self.rng.integers(len(parts)))]
        zero = self.graph.constant(np.int64(self.rng.integers(0, 3)))
        return self.graph.op("stablehlo::dynamic_update_slice", x, part, self.index, zero)

    def scatter(self) -> Value:
        x = self.pick(2)
        rows = self.graph.constant(self.rng.permutation(x.shape[0] + 1)[:2])
        part = self.graph.slice(x, (0, 1), (0, x.shape[1]))
        updates = self.graph.expand(self.graph.op("stablehlo::reshape", part, shape=(x.shape[1],)), 2, x.shape[1])
        rows = rows if rows.shape == (2,) else self.graph.constant(np.array([0, 1]))
        return self.graph.op(
            "stablehlo::scatter", x, rows, updates, update_window_dims=(1,), inserted_window_dims=(0,),
            scatter_dims_to_operand_dims=(0,), index_vector_dim=1,
            update_computation=self.body("add") if self.rng.random() < 0.5 else None,
        )  # fmt: skip

    def gather(self) -> Value:
        x = self.pick(2)
        rows = self.graph.constant(self.rng.integers(0, x.shape[0], x.shape[0]))
        return self.graph.op(
            "stablehlo::gather", x, rows, offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,),
            index_vector_dim=1, slice_sizes=(1, x.shape[1]),
        )  # fmt: skip

    def select(self) -> Value:
        x = self.pick()
        mask = self.graph.op("stablehlo::compare", self.like(x), self.like(x), comparison_direction="LT")
        return self.graph.op("stablehlo::select", mask, x, self.like(x))

    def reduce(self) -> Value:
        x, zero = self.pick(2), self.graph.constant(np.float32(0))
        maximum = self.body("maximum")
        return self.graph.op("stablehlo::reduce", x, zero, dimensions=(int(self.rng.integers(2)),), body=maximum)

    def matmul(self) -> Value:
        mod = self.graph.op("stablehlo::compare", self.pick(2), self.graph.expand(self.pick(0), 1, 1), **{
            "comparison_direction": "LT"}) if False else None  # fmt: skip
        x = self.pick(2)
        small = self.graph.op("stablehlo::sign", x)
        other = self.graph.op("stablehlo::transpose", self.graph.op("stablehlo::sign", self.like(x)), permutation=(1, 0))
        assert mod is None
        return self.graph.op(
            "stablehlo::dot_general", small, other, lhs_batching_dimensions=(), rhs_batching_dimensions=(),
            lhs_contracting_dimensions=(1,), rhs_contracting_dimensions=(0,),
        )  # fmt: skip

    def sort(self) -> Value:
        direction = str(self.rng.choice(["LT", "GT"]))
        return self.graph.op("stablehlo::sort", self.pick(2), dimension=0, comparison_direction=direction)

    def scalar(self) -> Value:
        x = self.pick(1)
        first = self.graph.op("stablehlo::slice", x, start_indices=(0,), limit_indices=(1,), strides=(1,))
        return self.graph.op("stablehlo::reshape", first, shape=())

    def join(self) -> Value:
        x = self.pick(2)
        half = self.graph.slice(x, (0, x.shape[0] // 2), (0, x.shape[1]))
        return self.graph.op("stablehlo::concatenate", half, x, dimension=0)

    def clamp(self) -> Value:
        x = self.pick()
        bound = [self.graph.constant(np.float32(limit)) for limit in (-50, 50)]
        return self.graph.op("stablehlo::clamp", bound[0], x, bound[1])


def node_by_node(results, parameters, arrays):
    """Run each node as a computation of its own that reuses nothing."""
    from latebind.ir.node import post_order

    known = dict(zip(parameters, arrays))
    device = KEEPING.backend_device()
    for node in post_order(results):
        outputs = [node.value(index) for index in range(len(node.types))]
        if outputs[0] in known:
            continue
        context = KEEPING.create_lowering_context("one", device)
        for operand in dict.fromkeys(node.operands):
            context.add_parameter(operand, "x")
        context.lower(node)
        for output in outputs:
            context.add_result(output)
        (computation,) = KEEPING.compile([context.build()])
        data = [BackendData(v.type, device, known[v].copy()) for v in dict.fromkeys(node.operands)]
        done = KEEPING.execute_computation(computation, data, device)
        known.update((output, np.array(result.handle)) for output, result in zip(outputs, done))
    return [known[result] for result in results]


@pytest.mark.parametrize("seed", range(400))
def test_random_graphs_give_the_same_whatever_is_reused(make_graph, body, seed):
    rng = np.random.default_rng(seed)
    graph = make_graph()
    growth = Growth(graph, body, rng)
    for _ in range(int(rng.integers(3, 40))):
        growth.grow()
    count = int(rng.integers(1, 6))
    results = [growth.pick() for _ in range(count)]
    arrays = [data.handle.copy() for data in graph.data]
    expected = node_by_node(results, graph.parameters, arrays)

    outputs = graph.execute(*results)
    for output, array in zip(outputs, expected):
        np.testing.assert_array_equal(output.handle, array)
    for position, (data, array) in enumerate(zip(graph.data, arrays)):
        if position not in graph.donated:
            np.testing.assert_array_equal(data.handle, array)

    # What may be donated shares no memory with anything that is still there.
    graph.data = [data for position, data in enumerate(graph.data) if position not in graph.donated]
    alive = outputs + graph.data
    for output in outputs:
        if graph.backend.can_donate(output):
            assert not any(np.shares_memory(output.handle, other.handle) for other in alive if other is not output)
