"""Backends that are wrong in one way each, on purpose; the conformance kit has to name what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from latebind.backends.interface import Backend, BackendData, BackendDevice, Computation, HostArray
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.lowering import NumpyLoweringContext, Variables
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType


class WrongContext(NumpyLoweringContext):
    """NumPy's lowerings, some of them wrong."""


class WithWrongContext(NumpyBackend):
    """Lowers with `WrongContext`."""

    context: ClassVar[type[NumpyLoweringContext]] = WrongContext

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> NumpyLoweringContext:
        return self.context(name, device, post_order, emission_map)


class HyperbolicContext(NumpyLoweringContext):
    """Takes the hyperbolic for the plain tangent."""


@HyperbolicContext.register("stablehlo::tan")
def _tangent(context: HyperbolicContext, node: Node, operands: Variables) -> Variables:
    return (context.ufunc("tanh", operands, node.types[0].dtype),)


class WrongTangent(WithWrongContext):
    context = HyperbolicContext


class PositiveZeroContext(NumpyLoweringContext):
    """Adds zero to what it negates, which loses the sign of a zero."""


@PositiveZeroContext.register("stablehlo::negate")
def _negate(context: PositiveZeroContext, node: Node, operands: Variables) -> Variables:
    dtype = node.types[0].dtype
    negated = context.ufunc("negative", operands, dtype)
    return (context.ufunc("add", (negated, context.scalar(0, dtype)), dtype),)


class FlushesNegativeZero(WithWrongContext):
    context = PositiveZeroContext


class UnstableContext(NumpyLoweringContext):
    """Sorts equal elements in the opposite order."""


@UnstableContext.register("stablehlo::sort")
def _sort(context: UnstableContext, node: Node, operands: Variables) -> Variables:
    types = [operand.type for operand in node.operands]
    full = [context.full(operand, type) for operand, type in zip(operands, types, strict=True)]
    axis = int(str(node.attributes["dimension"])) % types[0].rank
    descending = node.attributes["comparison_direction"] == "GT"
    window = ", ".join([":"] * axis + ["::-1"])
    key = f"{{0}}[{window}]"
    flips = [f"{{{position}}}[{window}]" for position in range(len(full))]
    text = f"sort_together({axis}, {descending}, {key}, {', '.join(flips[1:])})"
    if len(types) == 1:
        return (context.expression(f"{text}[0]", tuple(full), types[0]),)
    return context.tuple_expression(text, tuple(full), types)


class UnstableSort(WithWrongContext):
    context = UnstableContext


class WrongShapes(NumpyBackend):
    """Hands results out with a dimension too many."""

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        return super().make_tensor_from_computation_data(data)[None]


class SharesOnCopy(NumpyBackend):
    """Keeps the caller's memory although a copy was asked for."""

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        data = super().make_computation_data_from_tensor(tensor, type, device, copy=False)
        data.owned = True
        return data


class IgnoresExports(NumpyBackend):
    """Lets anything be overwritten, whoever still sees it."""

    def can_donate(self, data: BackendData) -> bool:
        return True


class DropsSecondForm(NumpyBackend):
    """Forgets post-order and emission map."""

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> NumpyLoweringContext:
        return super().create_lowering_context(name, device)


class TruncatesScalars(NumpyBackend):
    """Takes scalars through float64, which lacks large integers."""

    def make_computation_data_from_scalar(
        self, scalar: bool | int | float | complex, type: TensorType, device: BackendDevice
    ) -> BackendData:
        if isinstance(scalar, int):
            with np.errstate(all="ignore"):
                return BackendData(type, device, np.array(np.float64(scalar)).astype(type.dtype))
        return super().make_computation_data_from_scalar(scalar, type, device)


class ForgetsArguments(NumpyBackend):
    """Pads missing arguments instead of refusing."""

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        types = computation.parameter_types[len(arguments) :]
        padding = [BackendData(type, device, np.zeros(type.shape, type.dtype)) for type in types]
        padded = [*arguments, *padding][: len(computation.parameter_types)]
        return super().execute_computation(computation, padded, device)


class LacksOperations(NumpyBackend):
    """Lowers neither the tangent (core: it falls back) nor the inverse sine (decomposed), and lacks float16 sums."""

    gaps: ClassVar[Mapping[str, frozenset[str]]] = {"stablehlo::add": frozenset({"float16"})}

    def supports(self, kind: OpKind) -> bool:
        return kind.qualified not in ("stablehlo::tan", "chlo::asin") and super().supports(kind)


class DeclaresWrongTangent(WrongTangent):
    """Is wrong, and says so for the cases that fail: tangents of 0 and NaN are right either way."""

    deviations: ClassVar[Mapping[str, str]] = {"stablehlo::tan[*]-*": "the hyperbolic tangent is taken for it"}


class DeclaresTooMuch(NumpyBackend):
    """Declares a deviation that is not there."""

    deviations: ClassVar[Mapping[str, str]] = {"stablehlo::negate[float32]-special": "an old bug of the engine"}


class FlushesDenormals(NumpyBackend):
    """Flushes denormal numbers to zero, and says so."""

    deviations: ClassVar[Mapping[str, str]] = {"*-denormals": "the engine flushes denormals to zero"}

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        from latebind.testing.conformance.evaluation import flush

        flushed = [BackendData(data.type, device, flush(data.handle)) for data in arguments]
        outputs = super().execute_computation(computation, flushed, device)
        return [BackendData(data.type, device, flush(data.handle)) for data in outputs]


class Abstract(Backend):
    """Lacks most methods."""

    name = "abstract"

    def backend_devices(self) -> Sequence[BackendDevice]:
        return [BackendDevice("cpu")]


class Explodes(NumpyBackend):
    """Cannot be built."""

    def __init__(self, settings: object = None) -> None:
        raise RuntimeError("the engine is on fire")


class NoBackend:
    """Not a backend at all."""
