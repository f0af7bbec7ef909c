"""Operations that make or move elements without computing: constants, shapes, slices, padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.attributes import array, element_type, integer, ints
from latebind.ir.node import Attributes
from latebind.ir.ops.declare import (
    check_dimension,
    check_dimensions,
    check_length,
    check_scalar_of,
    check_shape,
    declare,
)
from latebind.ir.types import ELEMENT_NAMES, TensorType

Types = tuple[TensorType, ...]
INT32: Final = np.dtype(np.int32)


def _infer_constant(types: Sequence[TensorType], attributes: Attributes) -> Types:
    value = array(attributes)
    if value.flags.writeable:
        raise DTypeMismatchError("value must be a read-only array")
    if value.dtype.name not in ELEMENT_NAMES:
        raise DTypeMismatchError(f"value has dtype {value.dtype}, which the IR does not have")
    return (TensorType.of(value.shape, value.dtype),)


def _infer_iota(types: Sequence[TensorType], attributes: Attributes) -> Types:
    shape, dtype = ints(attributes, "shape"), element_type(attributes)
    check_shape(shape)
    check_dimension(integer(attributes, "iota_dimension"), len(shape), "iota_dimension")
    if dtype.kind == "b":
        raise DTypeMismatchError("dtype must be integer, float or complex, got bool")
    return (TensorType.of(shape, dtype),)


def _infer_bitcast_convert(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, dtype = types[0], element_type(attributes)
    source = operand.dtype
    if source == dtype:
        return (operand,)
    if "b" in (source.kind, dtype.kind):
        raise DTypeMismatchError("a boolean has no bit pattern to convert")
    if (source.kind == "c") != (dtype.kind == "c"):
        raise DTypeMismatchError(f"cannot convert bits between real and complex, {source} to {dtype}")
    if source.itemsize == dtype.itemsize:
        return (operand.with_dtype(dtype),)
    if source.itemsize > dtype.itemsize:
        return (TensorType.of((*operand.shape, source.itemsize // dtype.itemsize), dtype),)
    ratio = dtype.itemsize // source.itemsize
    if operand.shape[-1:] != (ratio,):
        raise ShapeMismatchError(f"the last dimension must be {ratio} to convert {source} to {dtype}")
    return (TensorType.of(operand.shape[:-1], dtype),)


def _infer_broadcast_in_dim(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand = types[0]
    dimensions, shape = ints(attributes, "broadcast_dimensions"), ints(attributes, "shape")
    check_shape(shape)
    check_length(dimensions, len(operand.shape), "broadcast_dimensions")
    check_dimensions(dimensions, len(shape), "broadcast_dimensions")
    for extent, dimension in zip(operand.shape, dimensions, strict=True):
        if extent != 1 and extent != shape[dimension]:
            raise ShapeMismatchError(
                f"extent {extent} must be 1 or the extent {shape[dimension]} of dimension {dimension} of shape {shape}"
            )
    return (TensorType.of(shape, operand.dtype),)


def _infer_reshape(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, shape = types[0], ints(attributes, "shape")
    check_shape(shape)
    result = TensorType.of(shape, operand.dtype)
    if result.size != operand.size:
        raise ShapeMismatchError(f"shape {shape} must have {operand.size} elements, not {result.size}")
    return (result,)


def _infer_transpose(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand, permutation = types[0], ints(attributes, "permutation")
    check_length(permutation, operand.rank, "permutation")
    check_dimensions(permutation, operand.rank, "permutation")
    return (operand.with_shape(tuple(operand.shape[dimension] for dimension in permutation)),)


def _infer_reverse(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_dimensions(ints(attributes, "dimensions"), types[0].rank, "dimensions")
    return (types[0],)


def _infer_slice(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand = types[0]
    starts, limits, strides = (ints(attributes, name) for name in ("start_indices", "limit_indices", "strides"))
    for name, values in (("start_indices", starts), ("limit_indices", limits), ("strides", strides)):
        check_length(values, operand.rank, name)
    shape = []
    for extent, start, limit, stride in zip(operand.shape, starts, limits, strides, strict=True):
        if not 0 <= start <= limit <= extent:
            raise ShapeMismatchError(f"need 0 <= start <= limit <= extent, got {start}, {limit}, {extent}")
        if stride <= 0:
            raise ShapeMismatchError(f"strides = {strides} must be positive")
        shape.append(-(-(limit - start) // stride))
    return (operand.with_shape(tuple(shape)),)


def _infer_concatenate(types: Sequence[TensorType], attributes: Attributes) -> Types:
    if not types:
        raise ShapeMismatchError("at least one operand is needed")
    first, dimension = types[0], integer(attributes, "dimension")
    check_dimension(dimension, first.rank, "dimension")
    total = 0
    for other in types:
        if other.dtype != first.dtype:
            raise DTypeMismatchError("operands must have the same dtype")
        shape = other.shape
        if (
            len(shape) != first.rank
            or shape[:dimension] != first.shape[:dimension]
            or shape[dimension + 1 :] != first.shape[dimension + 1 :]
        ):
            raise ShapeMismatchError(f"operands must have the same shape outside dimension {dimension}")
        total += shape[dimension]
    return (first.with_shape((*first.shape[:dimension], total, *first.shape[dimension + 1 :])),)


def _infer_pad(types: Sequence[TensorType], attributes: Attributes) -> Types:
    operand = types[0]
    check_scalar_of(types[1], operand, "padding_value")
    lows, highs = ints(attributes, "edge_padding_low"), ints(attributes, "edge_padding_high")
    interiors = ints(attributes, "interior_padding")
    for name, values in (("edge_padding_low", lows), ("edge_padding_high", highs), ("interior_padding", interiors)):
        check_length(values, operand.rank, name)
    check_shape(interiors, "interior_padding")
    shape = tuple(
        low + extent + max(extent - 1, 0) * interior + high
        for extent, low, high, interior in zip(operand.shape, lows, highs, interiors, strict=True)
    )
    check_shape(shape, "the padded shape")
    return (operand.with_shape(shape),)


def _infer_get_dimension_size(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_dimension(integer(attributes, "dimension"), types[0].rank, "dimension")
    return (TensorType.of((), INT32),)


def _infer_same(types: Sequence[TensorType], attributes: Attributes) -> Types:
    return tuple(types)


declare("stablehlo::constant", "", "value", _infer_constant, "A constant of any rank.")
declare("stablehlo::iota", "", "iota_dimension shape dtype", _infer_iota, "Positions along one dimension.")
declare("stablehlo::bitcast_convert", "operand", "dtype", _infer_bitcast_convert, "The same bits as another dtype.")
declare(
    "stablehlo::broadcast_in_dim",
    "operand",
    "broadcast_dimensions shape",
    _infer_broadcast_in_dim,
    "Repeat to a shape; operand dimension i becomes broadcast_dimensions[i].",
)
declare("stablehlo::reshape", "operand", "shape", _infer_reshape, "The same elements, in row-major order, in a shape.")
declare("stablehlo::transpose", "operand", "permutation", _infer_transpose, "Permute dimensions.")
declare("stablehlo::reverse", "operand", "dimensions", _infer_reverse, "Reverse the order along dimensions.")
declare("stablehlo::slice", "operand", "start_indices limit_indices strides", _infer_slice, "A strided window.")
declare("stablehlo::concatenate", "*inputs", "dimension", _infer_concatenate, "Join along a dimension.")
declare(
    "stablehlo::pad",
    "operand padding_value",
    "edge_padding_low edge_padding_high interior_padding",
    _infer_pad,
    "Pad edges (negative: crop) and between elements.",
)
declare(
    "stablehlo::get_dimension_size",
    "operand",
    "dimension",
    _infer_get_dimension_size,
    "Extent of a dimension, as int32.",
)
declare("stablehlo::optimization_barrier", "*operand", "", _infer_same, "The operands, all computed before any use.")
