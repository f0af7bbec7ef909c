"""A graph that is built, compiled and run on the NumPy backend in a few lines."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.backends.interface import BackendData, Computation
from latebind.backends.numpy.backend import NumpyBackend
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value, post_order
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType


class Graph:
    """Parameters with their data, and operations on them."""

    def __init__(self, backend: NumpyBackend) -> None:
        self.backend = backend
        self.device = backend.backend_device()
        self.builder = IrBuilder()
        self.parameters: list[Value] = []
        self.data: list[BackendData] = []
        self.donated: list[int] = []

    def parameter(self, array: object, *, donate: bool = False, shared: bool = False) -> Value:
        array = np.asarray(array)
        type = TensorType.of(array.shape, array.dtype)
        if donate:
            self.donated.append(len(self.parameters))
        self.data.append(self.backend.make_computation_data_from_tensor(array, type, self.device, copy=not shared))
        self.parameters.append(self.builder.make_parameter(type).value())
        return self.parameters[-1]

    def constant(self, value: object) -> Value:
        return self.builder.make_constant(np.asarray(value)).value()

    def op(self, name: str, *operands: Value, **attributes: object) -> Value:
        return self.builder.op(name, *operands, **attributes)

    def expand(self, value: Value, *shape: int) -> Value:
        return self.builder.make_expand(value, shape).value()

    def slice(self, value: Value, *bounds: tuple[int, int]) -> Value:
        starts, limits = zip(*bounds, strict=True)
        strides = (1,) * len(bounds)
        return self.op("stablehlo::slice", value, start_indices=starts, limit_indices=limits, strides=strides)

    def lower(self, *results: Value, name: str = "graph") -> Computation:
        context = self.backend.create_lowering_context(name, self.device)
        for position, parameter in enumerate(self.parameters):
            context.add_parameter(parameter, f"arg{position}")
        for node in post_order(results):
            context.lower(node)
        for result in results:
            context.add_result(result)
        for position in self.donated:
            context.donate(position)
        return context.build()

    def execute(self, *results: Value) -> list[BackendData]:
        computation = self.lower(*results)
        self.backend.compile([computation])
        return self.backend.execute_computation(computation, self.data, self.device)

    def run(self, *results: Value) -> list[np.ndarray]:
        outputs = self.execute(*results)
        for result, output in zip(results, outputs, strict=True):
            assert type(output.handle) is np.ndarray
            assert output.handle.dtype == result.dtype
            assert output.handle.shape == result.shape
        return [output.handle for output in outputs]

    def apply(self, name: str, *arrays: object, **attributes: object) -> np.ndarray:
        return self.apply_all(name, *arrays, **attributes)[0]

    def apply_all(self, name: str, *arrays: object, **attributes: object) -> list[np.ndarray]:
        before = [np.array(array) for array in arrays]
        node = self.builder.make_generic(name, [self.parameter(array) for array in arrays], attributes)
        outputs = self.run(*(node.value(index) for index in range(len(node.types))))
        for data, array in zip(self.data[-len(arrays) :], before, strict=True):
            np.testing.assert_array_equal(data.handle, array)
        return outputs


def kind(name: str) -> OpKind:
    return OpKind.get(f"stablehlo::{name}")


@pytest.fixture(scope="session")
def backend() -> NumpyBackend:
    return NumpyBackend()


@pytest.fixture
def graph(backend: NumpyBackend) -> Graph:
    return Graph(backend)


@pytest.fixture
def make_graph(backend: NumpyBackend) -> type:
    return lambda other=None: Graph(other or backend)


@pytest.fixture
def body() -> object:
    return kind
