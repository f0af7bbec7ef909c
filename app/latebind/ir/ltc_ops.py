"""The operation kinds of PyTorch's lazy tensor core (`torch/csrc/lazy/core/internal_ops/ltc_ops.h`), by name.

Those with a meaning here decompose into core operations or are leaves. The others are in the table so that they are
known by name, and refuse to be inferred or decomposed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from latebind.errors import ShapeMismatchError, TypeInferenceError, UnsupportedOpError
from latebind.ir.attributes import array, element_type, ints
from latebind.ir.node import Attributes, Value
from latebind.ir.opkind import OpKind
from latebind.ir.ops.declare import check_dimensions, check_same_type, declare
from latebind.ir.types import TensorType

if TYPE_CHECKING:
    from latebind.ir.builder import IrBuilder

Types = tuple[TensorType, ...]

#: Kinds that have a name and no meaning yet.
REFUSED: Final = (
    "all_to_all",
    "collective_permute",
    "cross_replica_sum",
    "moving_average",
    "nms",
    "not_supported",
)


def _declare_refused(name: str) -> None:
    """Declare a kind whose type rule and decomposition raise `UnsupportedOpError`."""
    kind = OpKind.get(f"lazy_tensors::{name}")
    message = f"{kind} is known by name only: it has no type rule, no decomposition and no backend that lowers it yet"

    def infer(types: Sequence[TensorType], attributes: Attributes) -> Types:
        raise UnsupportedOpError(message)

    def decompose(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
        raise UnsupportedOpError(message)

    declare(kind.qualified, "*operands", "", infer, "Known by name only; refused.", decompose=decompose)


def _infer_device_data(types: Sequence[TensorType], attributes: Attributes) -> Types:
    raise TypeInferenceError("the type comes from the data: use make_device_data or make_parameter")


def _infer_tensor_data(types: Sequence[TensorType], attributes: Attributes) -> Types:
    value = array(attributes)
    return (TensorType.of(value.shape, value.dtype),)


def _decompose_tensor_data(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    return (b.make_constant(array(attributes)).value(),)


def _infer_tensor_list(types: Sequence[TensorType], attributes: Attributes) -> Types:
    return tuple(types)


def _decompose_tensor_list(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    return operands


def _infer_cast(types: Sequence[TensorType], attributes: Attributes) -> Types:
    return (types[0].with_dtype(element_type(attributes)),)


def _decompose_cast(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    return (b.make_cast(operands[0], element_type(attributes)).value(),)


def _infer_get_dimensions_size(types: Sequence[TensorType], attributes: Attributes) -> Types:
    dimensions = ints(attributes, "dimensions")
    check_dimensions(dimensions, types[0].rank, "dimensions")
    if math.prod(types[0].shape[d] for d in dimensions) >= 2**31:
        raise ShapeMismatchError("the product of the extents must fit int32")
    return (TensorType.of((), np.dtype(np.int32)),)


def _decompose_get_dimensions_size(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    size = b.make_scalar(1, np.int32).value()
    for dimension in ints(attributes, "dimensions"):
        extent = b.op("stablehlo::get_dimension_size", operands[0], dimension=dimension)
        size = b.op("stablehlo::multiply", size, extent)
    return (size,)


def _edges(attributes: Attributes, rank: int) -> list[tuple[int, int, int]]:
    """Return `(dimension, low, high)` from a padding that is written from the last dimension on, as PyTorch's."""
    padding = ints(attributes, "padding")
    if len(padding) % 2 or len(padding) > 2 * rank or min(padding, default=0) < 0:
        raise ShapeMismatchError(f"padding = {padding} must be pairs that are not negative, at most {rank} of them")
    return [(rank - 1 - i, padding[2 * i], padding[2 * i + 1]) for i in range(len(padding) // 2)]


def _infer_replication_pad(types: Sequence[TensorType], attributes: Attributes) -> Types:
    shape = list(types[0].shape)
    for dimension, low, high in _edges(attributes, len(shape)):
        if low + high and not shape[dimension]:
            raise ShapeMismatchError(f"dimension {dimension} is empty: it has no edge to repeat")
        shape[dimension] += low + high
    return (types[0].with_shape(tuple(shape)),)


def _infer_replication_pad_backward(types: Sequence[TensorType], attributes: Attributes) -> Types:
    (padded,) = _infer_replication_pad(types[1:], attributes)
    check_same_type((types[0], padded), "grad_output and the padded input")
    return (types[1],)


def _slab(b: IrBuilder, value: Value, dimension: int, start: int, limit: int) -> Value:
    """Return the part of a value between two positions of one dimension."""
    rank = len(value.shape)
    starts = tuple(start if d == dimension else 0 for d in range(rank))
    limits = tuple(limit if d == dimension else e for d, e in enumerate(value.shape))
    return b.op("stablehlo::slice", value, start_indices=starts, limit_indices=limits, strides=(1,) * rank)


def _decompose_replication_pad(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    value = operands[0]
    for dimension, low, high in _edges(attributes, len(value.shape)):
        if not low + high:
            continue
        extent, pieces = value.shape[dimension], [value]
        for count, start, position in ((low, 0, 0), (high, extent - 1, 2)):
            shape = tuple(count if d == dimension else e for d, e in enumerate(value.shape))
            pieces.insert(position, b.make_expand(_slab(b, value, dimension, start, start + 1), shape).value())
        value = b.op("stablehlo::concatenate", *pieces, dimension=dimension)
    return (value,)


def _decompose_replication_pad_backward(
    b: IrBuilder, operands: Sequence[Value], attributes: Attributes
) -> Sequence[Value]:
    value = operands[0]
    zero = b.make_scalar(0, value.dtype).value()
    for dimension, low, high in reversed(_edges(attributes, len(value.shape))):
        extent = value.shape[dimension] - low - high
        total = _slab(b, value, dimension, low, low + extent)
        for start, count, at in ((0, low, 0), (low + extent, high, extent - 1)):
            if count:
                edge = _slab(b, value, dimension, start, start + count)
                total = b.op("stablehlo::add", total, _fold_edge(b, edge, zero, dimension, at, extent))
        value = total
    return (value,)


def _fold_edge(b: IrBuilder, edge: Value, zero: Value, dimension: int, at: int, extent: int) -> Value:
    """Return zeros with the sum of an edge along a dimension at one position of it."""
    add = OpKind.get("stablehlo::add")
    summed = b.op("stablehlo::reduce", edge, zero, dimensions=(dimension,), body=add)
    kept = b.op("stablehlo::reshape", summed, shape=tuple(1 if d == dimension else e for d, e in enumerate(edge.shape)))
    rank = len(edge.shape)
    return b.op(
        "stablehlo::pad",
        kept,
        zero,
        edge_padding_low=tuple(at if d == dimension else 0 for d in range(rank)),
        edge_padding_high=tuple(extent - 1 - at if d == dimension else 0 for d in range(rank)),
        interior_padding=(0,) * rank,
    )


for _name in REFUSED:
    _declare_refused(_name)
declare("lazy_tensors::device_data", "", "", _infer_device_data, "Data that lives on a device.", leaf=True)
declare("lazy_tensors::tensor_data", "", "value", _infer_tensor_data, "A host array.", decompose=_decompose_tensor_data)
declare(
    "lazy_tensors::tensor_list",
    "*inputs",
    "",
    _infer_tensor_list,
    "Values bundled in one node, one output each.",
    decompose=_decompose_tensor_list,
)
declare("lazy_tensors::cast", "operand", "dtype", _infer_cast, "Conversion to a dtype.", decompose=_decompose_cast)
declare(
    "lazy_tensors::ltc_get_dimensions_size",
    "operand",
    "dimensions",
    _infer_get_dimensions_size,
    "Product of the extents of dimensions, as int32.",
    decompose=_decompose_get_dimensions_size,
)
declare(
    "lazy_tensors::replication_pad",
    "input",
    "padding",
    _infer_replication_pad,
    "Pad by repeating the edges; padding in pairs from the last dimension on.",
    decompose=_decompose_replication_pad,
)
declare(
    "lazy_tensors::replication_pad_backward",
    "grad_output input",
    "padding",
    _infer_replication_pad_backward,
    "Gradient of replication_pad with respect to its input.",
    decompose=_decompose_replication_pad_backward,
)
