"""What XLA does itself in linear algebra, and what goes to the reference backend."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import latebind as lb
from latebind import linalg
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.lowering import NumpyLoweringContext
from latebind.backends.xla.backend import XlaBackend
from latebind.backends.xla.settings import XlaSettings
from latebind.errors import UnsupportedOpError
from latebind.injection.container import BoundContainer
from latebind.ir.builder import IrBuilder
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType
from latebind.runtime import current
from latebind.runtime.executor import LazyGraphExecutor
from latebind.runtime.options import ExecutorOptions

X = np.array([[4.0, 1, 0], [1, 5, 2], [0, 2, 6]], np.float32)


class WithoutLapack(XlaBackend):
    """As on an accelerator, for whose programs LAPACK cannot be called."""

    def __init__(self) -> None:
        super().__init__(XlaSettings(persistent_cache=False))
        self._has_lapack = False


@pytest.fixture
def without_lapack() -> Iterator[LazyGraphExecutor]:
    executor = LazyGraphExecutor(WithoutLapack(), name="no LAPACK", reference=NumpyBackend)
    token = current.set_current(lambda: executor)
    yield executor
    current.reset_current(token)
    executor.close()


def test_nothing_falls_back_on_the_host(container: BoundContainer) -> None:
    x = lb.asarray(X)
    results = [
        *linalg.svd(x), *linalg.eigh(x), *linalg.eig(x), *linalg.qr(x), *linalg.slogdet(x),
        linalg.cholesky(x), linalg.solve(x, x), linalg.inv(x), linalg.det(x), lb.fft.fftn(x),
    ]  # fmt: skip
    lb.sync(*results)
    lb.wait_device_ops()
    assert not [name for name in container.executor().metrics.counters() if name.startswith("Fallback")]


def test_without_lapack_factorisations_run_on_the_reference_and_are_counted(without_lapack: LazyGraphExecutor) -> None:
    x = lb.asarray(X)
    q, r = linalg.qr(x + 0)
    np.testing.assert_allclose(q @ r * 2, 2 * X, atol=2e-5)  # 3 roundings of numbers up to 12
    np.testing.assert_allclose(linalg.cholesky(x), np.linalg.cholesky(X), rtol=1e-6)
    counters = without_lapack.metrics.counters()
    assert counters["Fallback::linalg::qr"] == 1
    assert "Fallback::stablehlo::cholesky" not in counters


def test_without_a_reference_the_error_names_the_operation() -> None:
    executor = LazyGraphExecutor(WithoutLapack(), name="strict", options=ExecutorOptions())
    token = current.set_current(lambda: executor)
    try:
        with pytest.raises(UnsupportedOpError, match=r"linalg::svd.*fallback: reference"):
            np.asarray(linalg.svdvals(lb.asarray(X)))
    finally:
        current.reset_current(token)
        executor.close()


@pytest.mark.parametrize("transpose", ["NO_TRANSPOSE", "TRANSPOSE", "ADJOINT"])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("unit", [True, False])
def test_triangular_solutions_agree_with_the_reference(left: bool, lower: bool, unit: bool, transpose: str) -> None:
    rng = np.random.default_rng(0)
    shapes = (2, 3, 3), ((2, 3, 2) if left else (2, 2, 3))
    a, y = (rng.normal(size=shape) + 1j * rng.normal(size=shape) for shape in shapes)
    a += 4 * np.eye(3)
    results = []
    for backend in (NumpyBackend(), XlaBackend(XlaSettings(persistent_cache=False))):
        b, device = IrBuilder(), backend.backend_device()
        given = [b.make_parameter(TensorType.of(x.shape, x.dtype)).value() for x in (a, y)]
        attributes = {"left_side": left, "lower": lower, "unit_diagonal": unit, "transpose_a": transpose}
        node = b.make_generic("stablehlo::triangular_solve", given, attributes)
        context = backend.create_lowering_context("solve", device)
        for position, value in enumerate(given):
            context.add_parameter(value, f"p{position}")
        context.lower(node)
        context.add_result(node.value())
        (computation,) = backend.compile([context.build()])
        data = [backend.make_computation_data_from_tensor(x, TensorType.of(x.shape, x.dtype), device) for x in (a, y)]
        (result,) = backend.execute_computation(computation, data, device)
        results.append(backend.make_tensor_from_computation_data(result))
    np.testing.assert_allclose(results[1], results[0], atol=1e-13)  # some 100 epsilon at a condition below 10
    assert OpKind.get("stablehlo::triangular_solve") in NumpyLoweringContext.lowerings
