"""Random graphs give the same results whatever is reused, updated in place, viewed or returned."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.backends.interface import BackendData
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.settings import NumpySettings
from latebind.ir.node import Value, post_order

KEEPING = NumpyBackend(NumpySettings(reuse_buffers=False))


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
        self.values.append(makers[int(self.rng.integers(len(makers)))]())

    def binary(self) -> Value:
        x = self.pick()
        return self.graph.op(f"stablehlo::{self.rng.choice(['add', 'maximum', 'subtract'])}", x, self.like(x))

    def unary(self) -> Value:
        return self.graph.op(f"stablehlo::{self.rng.choice(['negate', 'abs', 'floor'])}", self.pick())

    def transpose(self) -> Value:
        return self.graph.op("stablehlo::transpose", self.pick(2), permutation=(1, 0))

    def flatten(self) -> Value:
        x = self.pick()
        other = [value for value in self.values if value.type.size == x.type.size and value.shape != x.shape]
        shape = other[0].shape if other else (x.type.size,)
        return self.graph.op("stablehlo::reshape", x, shape=shape)

    def slice(self) -> Value:
        x = self.pick(2)
        starts = [int(self.rng.integers(0, max(1, extent // 2))) for extent in x.shape]
        part = self.graph.slice(x, *((start, extent) for start, extent in zip(starts, x.shape, strict=True)))
        if part.shape[0] and self.rng.random() < 0.5:
            return self.graph.slice(part, (0, 1), (0, part.shape[1]))
        return part

    def reverse(self) -> Value:
        return self.graph.op("stablehlo::reverse", self.pick(2), dimensions=(int(self.rng.integers(2)),))

    def expand(self) -> Value:
        x = self.pick(int(self.rng.integers(2)))
        rows = self.n if not x.shape or self.rng.random() < 0.7 else 2
        return self.graph.expand(x, rows, *(x.shape or (self.n,)))

    def update(self) -> Value:
        x = self.pick(2)
        parts = [v for v in self.values if len(v.shape) == 2 and v.shape[0] <= x.shape[0] and v.shape[1] <= x.shape[1]]
        part = parts[int(self.rng.integers(len(parts)))]
        zero = self.graph.constant(np.int64(self.rng.integers(0, 3)))
        return self.graph.op("stablehlo::dynamic_update_slice", x, part, self.index, zero)

    def scatter(self) -> Value:
        x = self.pick(2)
        rows = self.graph.constant(self.rng.permutation(max(2, x.shape[0] + 1))[:2])
        part = self.graph.slice(x, (0, 1), (0, x.shape[1]))
        updates = self.graph.expand(self.graph.op("stablehlo::reshape", part, shape=(x.shape[1],)), 2, x.shape[1])
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
        x = self.pick(2)
        small = self.graph.op("stablehlo::sign", x)
        other = self.graph.op(
            "stablehlo::transpose", self.graph.op("stablehlo::sign", self.like(x)), permutation=(1, 0)
        )
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
    known = dict(zip(parameters, arrays, strict=True))
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
        known.update((output, np.array(result.handle)) for output, result in zip(outputs, done, strict=True))
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
    for output, array in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(output.handle, array)
    for position, (data, array) in enumerate(zip(graph.data, arrays, strict=True)):
        if position not in graph.donated:
            np.testing.assert_array_equal(data.handle, array)

    # What may be donated shares no memory with anything that is still there.
    graph.data = [data for position, data in enumerate(graph.data) if position not in graph.donated]
    alive = outputs + graph.data
    for output in outputs:
        if graph.backend.can_donate(output):
            assert not any(np.shares_memory(output.handle, other.handle) for other in alive if other is not output)
