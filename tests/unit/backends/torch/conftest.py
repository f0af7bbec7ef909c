"""A graph that is built, compiled and run on the torch backend, and compared with the NumPy backend, in a few lines."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.backends.interface import Backend, BackendData, Computation
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.torch.backend import TorchBackend
from latebind.backends.torch.settings import TorchSettings
from latebind.ir.builder import IrBuilder
from latebind.ir.decompositions import decompose
from latebind.ir.node import Value, post_order
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

REFERENCE = NumpyBackend()
BACKENDS = {name: TorchBackend(TorchSettings(compiler=name)) for name in ("eager", "torchscript", "inductor")}


class Graph:
    """Parameters with their data, and operations on them."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.device = backend.backend_device("cpu")
        self.builder = IrBuilder()
        self.parameters: list[Value] = []
        self.arrays: list[np.ndarray] = []
        self.data: list[BackendData] = []
        self.donated: list[int] = []

    def parameter(self, array: object, *, donate: bool = False, shared: bool = False) -> Value:
        array = np.asarray(array)
        type = TensorType.of(array.shape, array.dtype)
        if donate:
            self.donated.append(len(self.parameters))
        self.arrays.append(array)
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
        return self.op(
            "stablehlo::slice", value, start_indices=starts, limit_indices=limits, strides=(1,) * len(bounds)
        )

    def lower(self, *results: Value, name: str = "graph", backend: Backend | None = None) -> Computation:
        backend = backend or self.backend
        results = decompose(results, backend.lowers, self.builder)
        context = backend.create_lowering_context(name, self.device)
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
        (computation,) = self.backend.compile([self.lower(*results)])
        return self.backend.execute_computation(computation, self.data, self.device)

    def run(self, *results: Value) -> list[np.ndarray]:
        """Run, check types and that parameters are as they were; return host copies."""
        outputs = [np.array(self.backend.make_tensor_from_computation_data(data)) for data in self.execute(*results)]
        for result, output in zip(results, outputs, strict=True):
            assert (output.dtype, output.shape) == (result.dtype, result.shape)
        for position, (data, array) in enumerate(zip(self.data, self.arrays, strict=True)):
            if position not in self.donated:
                np.testing.assert_array_equal(self.backend.make_tensor_from_computation_data(data), array)
        return outputs

    def expect(self, *results: Value) -> list[np.ndarray]:
        """Run on the reference backend."""
        computation = self.lower(*results, backend=REFERENCE)
        REFERENCE.compile([computation])
        data = [
            REFERENCE.make_computation_data_from_tensor(array, value.type, self.device)
            for array, value in zip(self.arrays, self.parameters, strict=True)
        ]
        return [output.handle for output in REFERENCE.execute_computation(computation, data, self.device)]

    def check(self, *results: Value, rtol: float = 0.0, atol: float = 0.0, signs: bool = False) -> None:
        """Compare with the reference; `rtol` is in units of the last place of each result."""
        for found, expected in zip(self.run(*results), self.expect(*results), strict=True):
            assert_near(found, expected, rtol, atol, signs)

    def check_op(self, name: str, *arrays: object, rtol: float = 0.0, atol: float = 0.0, signs: bool = False,
                 **attributes: object) -> None:  # fmt: skip
        """Compare one operation with the reference."""
        node = self.builder.make_generic(name, [self.parameter(array) for array in arrays], attributes)
        self.check(*(node.value(index) for index in range(len(node.types))), rtol=rtol, atol=atol, signs=signs)


def assert_near(found: np.ndarray, expected: np.ndarray, rtol: float, atol: float, signs: bool) -> None:
    """Equal, or within `rtol` units in the last place; infinities and NaN have to be equal in any case."""
    if expected.dtype.kind not in "fc" or not (rtol or atol):
        np.testing.assert_array_equal(found, expected)
    else:
        eps = np.finfo(expected.dtype).eps
        if expected.dtype.kind == "c":  # by part: an infinite part says nothing about the other
            found, expected = (np.stack([array.real, array.imag]) for array in (found, expected))
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(found, expected, rtol=rtol * eps, atol=atol * eps)
    if signs and expected.dtype.kind in "fc":
        if expected.dtype.kind == "c":
            found, expected = (np.stack([array.real, array.imag]) for array in (found, expected))
        known = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(found)[known], np.signbit(expected)[known])


def kind(name: str) -> OpKind:
    return OpKind.get(f"stablehlo::{name}")


@pytest.fixture(params=["eager", "torchscript"])
def backend(request: pytest.FixtureRequest) -> TorchBackend:
    return BACKENDS[request.param]


@pytest.fixture
def graph(backend: TorchBackend) -> Graph:
    return Graph(backend)


@pytest.fixture
def make_graph() -> type:
    return Graph


@pytest.fixture
def inductor() -> TorchBackend:
    return BACKENDS["inductor"]


@pytest.fixture
def body() -> object:
    return kind


@pytest.fixture
def torch_backends() -> dict[str, TorchBackend]:
    """One backend per compiler."""
    return BACKENDS
