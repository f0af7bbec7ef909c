"""Reductions, windowed reductions and sort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.attributes import body_kind, integer, ints, pairs, text
from latebind.ir.node import Attributes
from latebind.ir.opkind import OpKind
from latebind.ir.ops.declare import (
    ANY,
    BOOL_OR_INT,
    check_dimensions,
    check_kind,
    check_length,
    check_scalar_of,
    declare,
)
from latebind.ir.types import TensorType

Types = tuple[TensorType, ...]

#: Bodies that a reduction may name, and the dtype kinds that each admits.
BODIES: Final = {
    OpKind.get("stablehlo::add"): ANY,
    OpKind.get("stablehlo::multiply"): ANY,
    OpKind.get("stablehlo::maximum"): ANY,
    OpKind.get("stablehlo::minimum"): ANY,
    OpKind.get("stablehlo::and"): BOOL_OR_INT,
    OpKind.get("stablehlo::or"): BOOL_OR_INT,
}


def check_body(body: OpKind | None, operand: TensorType, what: str) -> None:
    """Refuse a body that is not one of `BODIES` or does not admit the operand's dtype."""
    if body is None or body not in BODIES:
        raise DTypeMismatchError(f"{what} must be one of {', '.join(map(str, BODIES))}, got {body}")
    check_kind(operand, BODIES[body], f"operands of {what} {body}")


def _infer_reduce(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, dimensions = types[0], ints(attributes, "dimensions")
    check_scalar_of(types[1], operand, "init_value")
    check_dimensions(dimensions, operand.rank, "dimensions")
    check_body(body_kind(attributes), operand, "body")
    return (operand.with_shape(tuple(e for d, e in enumerate(operand.shape) if d not in dimensions)),)


def _infer_reduce_window(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand = types[0]
    check_scalar_of(types[1], operand, "init_value")
    check_body(body_kind(attributes), operand, "body")
    names = ("window_dimensions", "window_strides", "base_dilations", "window_dilations")
    columns = []
    for name in names:
        column = ints(attributes, name)
        check_length(column, operand.rank, name)
        if any(item <= 0 for item in column):
            raise ShapeMismatchError(f"{name} = {column} must be positive")
        columns.append(column)
    padding = pairs(attributes, "padding")
    check_length(padding, operand.rank, "padding")
    return (operand.with_shape(tuple(map(_window_count, operand.shape, *columns, padding))),)


def _window_count(extent: int, size: int, stride: int, base: int, dilation: int, padding: tuple[int, int]) -> int:
    """Return how many windows fit along one dimension (StableHLO `reduce_window`, constraint C15)."""
    dilated = padding[0] + (0 if extent == 0 else (extent - 1) * base + 1) + padding[1]
    window = (size - 1) * dilation + 1
    return 0 if dilated <= 0 or window > dilated else (dilated - window) // stride + 1


def _infer_sort(types: Sequence[TensorType], attributes: Attributes) -> Types:
    if not types:
        raise ShapeMismatchError("at least one operand is needed")
    first, dimension = types[0], integer(attributes, "dimension")
    if not -first.rank <= dimension < first.rank:
        raise ShapeMismatchError(f"dimension = {dimension} must be a dimension of a value of rank {first.rank}")
    if any(other.shape != first.shape for other in types):
        raise ShapeMismatchError("operands must have the same shape")
    text(attributes, "comparison_direction", ("LT", "GT"))
    return tuple(types)


declare(
    "stablehlo::reduce",
    "input init_value",
    "dimensions body",
    _infer_reduce,
    "Combine the elements along dimensions with a body.",
)
declare(
    "stablehlo::reduce_window",
    "input init_value",
    "window_dimensions window_strides base_dilations window_dilations padding body",
    _infer_reduce_window,
    "Combine the elements of each window with a body.",
)
declare(
    "stablehlo::sort",
    "*inputs",
    "dimension comparison_direction is_stable?",
    _infer_sort,
    "Sort all operands by the first, stably; NaN last for LT; complex by (real, imaginary).",
)
