"""Tensor contraction: `dot_general`."""

from __future__ import annotations

from collections.abc import Sequence

from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.attributes import ints
from latebind.ir.node import Attributes
from latebind.ir.ops.declare import check_dimensions, declare
from latebind.ir.types import TensorType


def _infer_dot_general(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    lhs, rhs = types
    if lhs.dtype != rhs.dtype:
        raise DTypeMismatchError("operands must have the same dtype")
    lhs_batch, rhs_batch = (ints(attributes, f"{side}_batching_dimensions") for side in ("lhs", "rhs"))
    lhs_sum, rhs_sum = (ints(attributes, f"{side}_contracting_dimensions") for side in ("lhs", "rhs"))
    check_dimensions((*lhs_batch, *lhs_sum), lhs.rank, "lhs batching and contracting dimensions")
    check_dimensions((*rhs_batch, *rhs_sum), rhs.rank, "rhs batching and contracting dimensions")
    for what, left, right in (("batching", lhs_batch, rhs_batch), ("contracting", lhs_sum, rhs_sum)):
        if len(left) != len(right) or any(lhs.shape[a] != rhs.shape[b] for a, b in zip(left, right, strict=True)):
            raise ShapeMismatchError(f"lhs_{what}_dimensions = {left} and rhs = {right} must pair equal extents")
    shape = (
        *(lhs.shape[d] for d in lhs_batch),
        *(e for d, e in enumerate(lhs.shape) if d not in lhs_batch and d not in lhs_sum),
        *(e for d, e in enumerate(rhs.shape) if d not in rhs_batch and d not in rhs_sum),
    )
    return (TensorType.of(shape, lhs.dtype),)


declare(
    "stablehlo::dot_general",
    "lhs rhs",
    "lhs_batching_dimensions rhs_batching_dimensions lhs_contracting_dimensions rhs_contracting_dimensions"
    " precision_config?",
    _infer_dot_general,
    "Sum of products over the contracting dimensions, for each index of the batching dimensions.",
)
