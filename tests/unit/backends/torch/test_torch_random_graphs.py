"""Random graphs give the reference's results whatever is reused, updated in place, viewed or returned."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.ir.node import Value

pytestmark = pytest.mark.slow


class Growth:
    """A random graph of operations that share, copy, overwrite and return memory in every combination.

    All values are small integers, so that results do not depend on the order of sums.
    """

    def __init__(self, graph, body, rng, dtype) -> None:
        self.graph, self.body, self.rng, self.dtype = graph, body, rng, dtype
        self.values: list[Value] = []
        n = int(rng.choice([3, 8, 24]))
        for shape in [(n, n), (n, n), (n,), (), (n, n)]:
            array = rng.integers(0, 5, shape).astype(dtype)
            self.values.append(graph.parameter(array, donate=bool(rng.random() < 0.5)))
        self.values.append(graph.constant(rng.integers(0, 5, (n, n)).astype(dtype)))
        self.values.append(graph.expand(graph.constant(np.array(2, dtype)), n, n))
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
            self.update, self.update, self.scatter, self.scatter, self.select, self.reduce, self.sort, self.gather,
            self.join, self.pad,
        ]  # fmt: skip
        self.values.append(makers[int(self.rng.integers(len(makers)))]())

    def binary(self) -> Value:
        x = self.pick()
        return self.graph.op(f"stablehlo::{self.rng.choice(['add', 'maximum', 'subtract'])}", x, self.like(x))

    def unary(self) -> Value:
        return self.graph.op("stablehlo::negate", self.pick())

    def transpose(self) -> Value:
        return self.graph.op("stablehlo::transpose", self.pick(2), permutation=(1, 0))

    def flatten(self) -> Value:
        x = self.pick()
        other = [value for value in self.values if value.type.size == x.type.size and value.shape != x.shape]
        return self.graph.op("stablehlo::reshape", x, shape=other[0].shape if other else (x.type.size,))

    def slice(self) -> Value:
        x = self.pick(2)
        starts = [int(self.rng.integers(0, max(1, extent // 2))) for extent in x.shape]
        return self.graph.slice(x, *zip(starts, x.shape, strict=True))

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
        rows = self.graph.constant(self.rng.integers(-1, x.shape[0] + 1, 2))
        row = self.graph.op("stablehlo::reshape", self.graph.slice(x, (0, 1), (0, x.shape[1])), shape=(x.shape[1],))
        name = self.rng.choice(["add", "maximum", "none"])
        return self.graph.op(
            "stablehlo::scatter", x, rows, self.graph.expand(row, 2, x.shape[1]), update_window_dims=(1,),
            inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), index_vector_dim=1,
            update_computation=None if name == "none" else self.body(name),
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
        x, zero = self.pick(2), self.graph.constant(np.array(0, self.dtype))
        maximum = self.body("maximum")
        return self.graph.op("stablehlo::reduce", x, zero, dimensions=(int(self.rng.integers(2)),), body=maximum)

    def sort(self) -> Value:
        direction = str(self.rng.choice(["LT", "GT"]))
        return self.graph.op("stablehlo::sort", self.pick(2), dimension=0, comparison_direction=direction)

    def join(self) -> Value:
        x = self.pick(2)
        half = self.graph.slice(x, (0, x.shape[0] // 2), (0, x.shape[1]))
        return self.graph.op("stablehlo::concatenate", half, x, dimension=0)

    def pad(self) -> Value:
        x, zero = self.pick(2), self.graph.constant(np.array(1, self.dtype))
        return self.graph.op(
            "stablehlo::pad", x, zero, edge_padding_low=(1, -1), edge_padding_high=(-1, 1), interior_padding=(0, 0)
        )


@pytest.mark.parametrize("dtype", ["float32", "uint32", "complex64"])
@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_give_the_references_results(graph, body, seed, dtype):
    rng = np.random.default_rng(seed)
    growth = Growth(graph, body, rng, dtype)
    for _ in range(int(rng.integers(3, 40))):
        growth.grow()
    results = [growth.pick() for _ in range(int(rng.integers(1, 6)))]
    expected = graph.expect(*results)
    outputs = graph.execute(*results)
    for output, array in zip(outputs, expected, strict=True):
        assert output.handle.is_contiguous()
        np.testing.assert_array_equal(output.handle.numpy(), array)
    for position, (data, array) in enumerate(zip(graph.data, graph.arrays, strict=True)):
        if position not in graph.donated:
            np.testing.assert_array_equal(data.handle.numpy(), array)

    # What may be donated shares no memory with anything that is still there.
    graph.data = [data for position, data in enumerate(graph.data) if position not in graph.donated]
    alive = outputs + graph.data
    for output in outputs:
        if graph.backend.can_donate(output):
            found = output.handle.numpy()
            assert not any(np.shares_memory(found, other.handle.numpy()) for other in alive if other is not output)
