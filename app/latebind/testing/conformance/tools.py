"""Small graphs on a backend, through its interface alone, for the tests of the interface."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pytest

from latebind.backends.interface import Backend, BackendData, Computation, LoweringContext
from latebind.ir.node import Node, Value, post_order
from latebind.ir.types import TensorType
from latebind.testing.conformance.sampling.samples import DTYPES, Array, type_of

#: dtypes in the order in which the tests of the interface prefer them.
_PREFERRED = ("float32", "float64", "int32", "int64", "float16")


class Bench:
    """Makes, lowers, compiles and runs graphs. All arithmetic is `stablehlo::add`, the first operation of any backend.

    Attributes
    ----------
    backend : Backend
    dtype : numpy.dtype
        A dtype for which the backend lowers `stablehlo::add`.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.device = backend.backend_device()
        self.builder = backend.ir_builder()
        names = [*_PREFERRED, *(dtype.name for dtype in DTYPES if dtype.name not in _PREFERRED)]
        able = [name for name in names if self._adds(np.dtype(name))]
        if not able:
            pytest.skip(f"backend {backend.name!r} does not lower stablehlo::add, which this test computes with")
        self.dtype = np.dtype(able[0])

    def _adds(self, dtype: np.dtype[np.generic]) -> bool:
        x = self.parameter(TensorType.of((2,), dtype))
        return self.backend.lowers(self.add(x, x).node)

    # Values and graphs

    def array(self, *values: float) -> Array:
        """Return a vector of the bench's dtype."""
        return np.array(values, self.dtype)

    def parameter(self, like: Array | TensorType) -> Value:
        """Return a parameter of an array's type."""
        return self.builder.make_parameter(like if isinstance(like, TensorType) else type_of(like)).value()

    def constant(self, *values: float) -> Value:
        """Return a constant vector."""
        return self.builder.make_constant(self.array(*values)).value()

    def add(self, *values: Value) -> Value:
        """Return a sum."""
        return reduce(lambda x, y: self.builder.op("stablehlo::add", x, y), values)

    # Data

    def put(self, array: Array, *, copy: bool = True) -> BackendData:
        """Put an array on the device."""
        return self.backend.make_computation_data_from_tensor(array, type_of(array), self.device, copy=copy)

    def get(self, data: BackendData) -> Array:
        """Return a copy of a value."""
        return np.array(self.backend.make_tensor_from_computation_data(data))

    # Computations

    def lower(
        self,
        parameters: Sequence[Value],
        results: Sequence[Value],
        *,
        donated: Sequence[int] = (),
        aliases: Sequence[tuple[int, int]] = (),
        name: str = "conformance",
    ) -> Computation:
        """Lower a graph as the runtime does."""
        context = self.backend.create_lowering_context(name, self.device)
        fill(context, parameters, post_order(results))
        for value in results:
            context.add_result(value)
        for parameter in donated:
            context.donate(parameter)
        for output, parameter in aliases:
            context.set_up_alias(output, parameter)
        return context.build()

    def compile(
        self,
        parameters: Sequence[Value],
        results: Sequence[Value],
        *,
        donated: Sequence[int] = (),
        aliases: Sequence[tuple[int, int]] = (),
    ) -> Computation:
        """Lower and compile a graph."""
        (compiled,) = self.backend.compile([self.lower(parameters, results, donated=donated, aliases=aliases)])
        return compiled

    def execute(self, computation: Computation, *arguments: BackendData) -> list[BackendData]:
        """Run a compiled computation."""
        return self.backend.execute_computation(computation, list(arguments), self.device)

    def run(self, parameters: Sequence[Value], results: Sequence[Value], *arrays: Array) -> list[Array]:
        """Compile and run a graph on arrays; return host copies."""
        outputs = self.execute(self.compile(parameters, results), *map(self.put, arrays))
        return [self.get(output) for output in outputs]

    def doubling(self, like: Array, *, donated: bool = False) -> Computation:
        """Return the computation `x + x`, which may write its result over its argument if that is donated."""
        x = self.parameter(like)
        if donated:
            return self.compile([x], [self.add(x, x)], donated=[0], aliases=[(0, 0)])
        return self.compile([x], [self.add(x, x)])


def fill(context: LoweringContext[object], parameters: Sequence[Value], nodes: Sequence[Node]) -> None:
    """Declare parameters and lower the other nodes of a graph."""
    for position, value in enumerate(parameters):
        context.add_parameter(value, f"p{position}")
    given = {id(value.node) for value in parameters}
    for node in nodes:
        if id(node) not in given:
            context.lower(node)


def equal(found: Array, wanted: Array) -> bool:
    """Whether two arrays are the same: type, shape, every bit but those of NaN."""
    if found.dtype != wanted.dtype or found.shape != wanted.shape:
        return False
    if wanted.dtype.kind == "c":
        return equal(np.asarray(found.real), np.asarray(wanted.real)) and equal(
            np.asarray(found.imag), np.asarray(wanted.imag)
        )
    same = np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f")
    if same and wanted.dtype.kind == "f":
        numbers = ~np.isnan(wanted)
        return np.array_equal(np.signbit(found[numbers]), np.signbit(wanted[numbers]))
    return same
