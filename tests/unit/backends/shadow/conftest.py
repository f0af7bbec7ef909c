"""NumPy backends with a bug each, to be found by comparison with one that has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.lowering import NumpyLoweringContext
from latebind.backends.shadow.backend import ShadowBackend
from latebind.containers import Container
from latebind.errors import ExecutionError
from latebind.injection.container import BoundContainer
from latebind.settings import load_settings


class WrongSineContext(NumpyLoweringContext):
    """Lowers sine as cosine."""


@WrongSineContext.register("stablehlo::sine")
def _(context, node, operands):
    return [context.ufunc("cos", operands, node.types[0].dtype)]


class WrongTogetherContext(NumpyLoweringContext):
    """Multiplies wrongly where the first operand is a sine of the same computation: a bug of a fusion."""


@WrongTogetherContext.register("stablehlo::multiply")
def _(context, node, operands):
    if node.operands[0].node.kind.name == "sine" and operands[0].parameter < 0:
        return [context.ufunc("add", operands, node.types[0].dtype)]
    return [context.ufunc("multiply", operands, node.types[0].dtype)]


class SlightlyOffContext(NumpyLoweringContext):
    """Multiplies with a relative error of 1e-12."""


@SlightlyOffContext.register("stablehlo::multiply")
def _(context, node, operands):
    return [context.expression("({0} * {1} * (1 + 1e-12))", operands, node.types[0])]


class BuggyBackend(NumpyBackend):
    """The NumPy backend with another lowering context, and a note of its shutdown."""

    name = "buggy"

    def __init__(self, context: type[NumpyLoweringContext] = NumpyLoweringContext) -> None:
        super().__init__()
        self.interpretations = 0
        self.context = context
        self.closed = False

    def create_lowering_context(self, name, device, post_order=(), emission_map=None):
        return self.context(name, device, post_order, emission_map)

    def prepare_to_exit(self) -> None:
        super().prepare_to_exit()
        self.closed = True


class FaultyReference(NumpyBackend):
    """A reference that fails at what it is told."""

    def __init__(self, fails_at: str) -> None:
        super().__init__()
        self.fails_at = fails_at

    def make_computation_data_from_tensor(self, *args, **kwargs):
        self._fail("transfer")
        return super().make_computation_data_from_tensor(*args, **kwargs)

    def compile(self, computations):
        self._fail("compile")
        return super().compile(computations)

    def execute_computation(self, *args):
        self._fail("execute")
        return super().execute_computation(*args)

    def create_lowering_context(self, *args):
        context: Any = super().create_lowering_context(*args)
        if self.fails_at == "lower":
            context.lower = lambda node: self._fail("lower")
        return context

    def _fail(self, where: str) -> None:
        if where == self.fails_at:
            raise ExecutionError(f"refuses to {where}")


@pytest.fixture
def buggy() -> Callable[[str], BuggyBackend]:
    contexts = {
        "right": NumpyLoweringContext,
        "sine": WrongSineContext,
        "together": WrongTogetherContext,
        "slightly": SlightlyOffContext,
    }
    return lambda bug: BuggyBackend(contexts[bug])


@pytest.fixture
def faulty() -> type[FaultyReference]:
    return FaultyReference


@pytest.fixture
def use() -> Iterator[Callable[[ShadowBackend], BoundContainer]]:
    """Put a shadow backend in force in a container of this test's own, and make that the current one."""
    containers: list[BoundContainer] = []

    def start(shadow: ShadowBackend) -> BoundContainer:
        settings = load_settings(None, {"backend": "numpy"}, environ={}, dotenv=None)
        container: Any = Container(name="shadow test", settings=settings)
        container.backend.override(shadow)
        container.__enter__()
        containers.append(container)
        return container

    yield start
    for container in reversed(containers):
        container.__exit__(None, None, None)
        container.close()


@pytest.fixture
def numbers() -> np.ndarray:
    return np.linspace(0.0, 2.0, 6)
