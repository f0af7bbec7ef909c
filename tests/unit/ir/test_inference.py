"""Type rules: what each operation gives, and what it refuses. Types are written as MLIR writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from latebind.errors import DTypeMismatchError, ShapeMismatchError, TypeInferenceError
from latebind.ir.opkind import OpKind
from latebind.ir.optable import all_operations, lookup
from latebind.ir.types import ELEMENT_NAMES, TensorType

DTYPES = {spelling: np.dtype(name) for name, spelling in ELEMENT_NAMES.items()}
ADD, AND = OpKind.get("stablehlo::add"), OpKind.get("stablehlo::and")
F32, I32 = np.dtype(np.float32), np.dtype(np.int32)


def t(text: str) -> TensorType:
    match = re.fullmatch(r"((?:\d+x)*)(.*)", text)
    assert match is not None
    return TensorType.of(tuple(map(int, match[1].split("x")[:-1])), DTYPES[match[2]])


def infer(kind: str, operands: str, attributes: dict[str, Any]) -> Sequence[TensorType]:
    definition = lookup(OpKind.get(kind if "::" in kind else f"stablehlo::{kind}"))
    assert definition is not None
    return definition.infer([t(word) for word in operands.split()], attributes)


def constant(value: Any, *, writeable: bool = False) -> dict[str, Any]:
    array = np.array(value)
    array.setflags(write=writeable)
    return {"value": array}


GATHER = {
    "offset_dims": (1,),
    "collapsed_slice_dims": (0,),
    "start_index_map": (0,),
    "index_vector_dim": 1,
    "slice_sizes": (1, 4),
}
GATHER_BATCH = {
    "offset_dims": (2,),
    "collapsed_slice_dims": (1,),
    "operand_batching_dims": (0,),
    "start_indices_batching_dims": (0,),
    "start_index_map": (1,),
    "index_vector_dim": 2,
    "slice_sizes": (1, 1, 4),
    "indices_are_sorted": True,
}
SCATTER = {
    "update_window_dims": (1,),
    "inserted_window_dims": (0,),
    "scatter_dims_to_operand_dims": (0,),
    "index_vector_dim": 1,
    "update_computation": None,
}
SCATTER_BATCH = {
    "update_window_dims": (2,),
    "inserted_window_dims": (1,),
    "input_batching_dims": (0,),
    "scatter_indices_batching_dims": (0,),
    "scatter_dims_to_operand_dims": (1,),
    "index_vector_dim": 2,
    "update_computation": ADD,
    "unique_indices": True,
}
WINDOW = {
    "window_dimensions": (2, 3),
    "window_strides": (1, 2),
    "base_dilations": (1, 1),
    "window_dilations": (1, 1),
    "padding": ((0, 0), (1, 1)),
    "body": ADD,
}
DOT = {
    "lhs_batching_dimensions": (0,),
    "rhs_batching_dimensions": (0,),
    "lhs_contracting_dimensions": (2,),
    "rhs_contracting_dimensions": (1,),
}
PAD = {"edge_padding_low": (1, -1), "edge_padding_high": (0, 2), "interior_padding": (2, 0)}
SLICE = {"start_indices": (0, 1), "limit_indices": (2, 6), "strides": (1, 2)}

GOOD: list[tuple[str, str, dict[str, Any], str]] = [
    ("abs", "2xf32", {}, "2xf32"),
    ("abs", "2xcomplex<f32>", {}, "2xf32"),
    ("real", "2xcomplex<f64>", {}, "2xf64"),
    ("imag", "2xf16", {}, "2xf16"),
    ("complex", "3xf64 3xf64", {}, "3xcomplex<f64>"),
    ("add", "2x3xi1 2x3xi1", {}, "2x3xi1"),
    ("power", "i32 i32", {}, "i32"),
    ("is_finite", "2xf16", {}, "2xi1"),
    ("compare", "2xi8 2xi8", {"comparison_direction": "LT"}, "2xi1"),
    ("compare", "f32 f32", {"comparison_direction": "EQ", "compare_type": "TOTALORDER"}, "i1"),
    ("convert", "2xf32", {"dtype": I32}, "2xi32"),
    ("select", "i1 2xf32 2xf32", {}, "2xf32"),
    ("select", "2xi1 2xf32 2xf32", {}, "2xf32"),
    ("clamp", "f32 2xf32 2xf32", {}, "2xf32"),
    ("constant", "", constant([[1.0, 2.0]]), "1x2xf64"),
    ("iota", "", {"iota_dimension": 1, "shape": (2, 3), "dtype": F32}, "2x3xf32"),
    ("bitcast_convert", "2xf32", {"dtype": I32}, "2xi32"),
    ("bitcast_convert", "2xf64", {"dtype": I32}, "2x2xi32"),
    ("bitcast_convert", "5x4xi8", {"dtype": F32}, "5xf32"),
    ("broadcast_in_dim", "3x1xf32", {"broadcast_dimensions": (2, 0), "shape": (7, 4, 3)}, "7x4x3xf32"),
    ("reshape", "2x3xf32", {"shape": (6, 1)}, "6x1xf32"),
    ("transpose", "2x3x4xf32", {"permutation": (2, 0, 1)}, "4x2x3xf32"),
    ("reverse", "2x3xf32", {"dimensions": (1,)}, "2x3xf32"),
    ("slice", "3x6xf32", SLICE, "2x3xf32"),
    ("dynamic_slice", "3x6xf32 i32 i32", {"slice_sizes": (1, 6)}, "1x6xf32"),
    ("dynamic_update_slice", "3x6xf32 1x2xf32 ui8 ui8", {}, "3x6xf32"),
    ("concatenate", "2x3xf32 2x0xf32 2x1xf32", {"dimension": 1}, "2x4xf32"),
    ("pad", "3x4xf32 f32", PAD, "8x5xf32"),
    ("pad", "0x4xf32 f32", PAD, "1x5xf32"),
    ("gather", "5x4xf32 7x1xi32", GATHER, "7x4xf32"),
    ("gather", "5x4xf32 7xi32", GATHER, "7x4xf32"),
    ("gather", "3x5x4xf32 3x7x1xi64", GATHER_BATCH, "3x7x4xf32"),
    ("scatter", "5x4xf32 7x1xi32 7x4xf32", SCATTER, "5x4xf32"),
    ("scatter", "3x5x4xf32 3x7x1xi64 3x7x2xf32", SCATTER_BATCH, "3x5x4xf32"),
    ("reduce", "2x3x4xf32 f32", {"dimensions": (0, 2), "body": ADD}, "3xf32"),
    ("reduce", "2x3xi1 i1", {"dimensions": (1,), "body": AND}, "2xi1"),
    ("reduce_window", "4x8xf32 f32", WINDOW, "3x4xf32"),
    ("reduce_window", "4x8xf32 f32", {**WINDOW, "base_dilations": (2, 1), "window_dilations": (1, 3)}, "6x2xf32"),
    ("reduce_window", "0x8xf32 f32", WINDOW, "0x4xf32"),
    ("sort", "2x3xf32 2x3xi64", {"dimension": -1, "comparison_direction": "GT"}, "2x3xf32 2x3xi64"),
    ("dot_general", "2x3x4xf32 2x4x5xf32", DOT, "2x3x5xf32"),
    ("get_dimension_size", "2x3xf32", {"dimension": 1}, "i32"),
    ("optimization_barrier", "2xf32 i8", {}, "2xf32 i8"),
    ("chlo::is_inf", "2xf32", {}, "2xi1"),
    ("chlo::next_after", "2xf32 2xf32", {}, "2xf32"),
    ("numpy::argmax", "2x3xf32", {"dimension": 0}, "3xi64"),
    ("numpy::argmax", "0x3xi1", {"dimension": 1}, "0xi64"),
    ("numpy::signbit", "2xf64", {}, "2xi1"),
    ("numpy::cumulative_sum", "2x3xi8", {"dimension": 1}, "2x3xi8"),
    ("lazy_tensors::tensor_list", "2xf32 i8", {}, "2xf32 i8"),
    ("lazy_tensors::tensor_data", "", constant(np.int8(1)), "i8"),
    ("lazy_tensors::cast", "2xf32", {"dtype": I32}, "2xi32"),
    ("lazy_tensors::ltc_get_dimensions_size", "2x3xf32", {"dimensions": (0, 1)}, "i32"),
    ("lazy_tensors::replication_pad", "2x3xf32", {"padding": (1, 2)}, "2x6xf32"),
    ("lazy_tensors::replication_pad_backward", "2x6xf32 2x3xf32", {"padding": (1, 2)}, "2x3xf32"),
]

SHAPE, DTYPE = ShapeMismatchError, DTypeMismatchError
BAD: list[tuple[str, str, dict[str, Any], type[TypeInferenceError], str]] = [
    ("abs", "2xui8", {}, DTYPE, "signed integer or float or complex, got uint8"),
    ("add", "2xf32 3xf32", {}, SHAPE, "same shape"),
    ("add", "2xf32 2xf64", {}, DTYPE, "same dtype"),
    ("subtract", "i1 i1", {}, DTYPE, "got bool"),
    ("and", "f32 f32", {}, DTYPE, "boolean or signed integer or unsigned integer, got float32"),
    ("sine", "2xi32", {}, DTYPE, "float or complex, got int32"),
    ("atan2", "complex<f32> complex<f32>", {}, DTYPE, "must be float"),
    ("real", "i32", {}, DTYPE, "float or complex"),
    ("complex", "f16 f16", {}, DTYPE, "float32 or float64"),
    ("is_finite", "i32", {}, DTYPE, "must be float"),
    ("compare", "f32 f32", {"comparison_direction": "<"}, DTYPE, "one of EQ, NE"),
    ("compare", "f32 f32", {"comparison_direction": "LT", "compare_type": "SIGNED"}, DTYPE, "FLOAT, TOTALORDER"),
    ("compare", "f32 i32", {"comparison_direction": "LT"}, DTYPE, "same dtype"),
    ("convert", "f32", {"dtype": "int32"}, DTYPE, "must be one of the dtypes"),
    ("select", "i8 f32 f32", {}, DTYPE, "pred must be boolean"),
    ("select", "3xi1 2xf32 2xf32", {}, SHAPE, "pred must be zero-dimensional"),
    ("select", "i1 2xf32 2xf64", {}, DTYPE, "on_true and on_false"),
    ("clamp", "3xf32 2xf32 f32", {}, SHAPE, "min must be zero-dimensional"),
    ("clamp", "f32 2xf32 f64", {}, DTYPE, "max must have the operand's dtype"),
    ("constant", "", constant(1.0, writeable=True), DTYPE, "read-only"),
    ("constant", "", constant("text"), DTYPE, "which the IR does not have"),
    ("constant", "", {"value": 1.0}, DTYPE, "must be a NumPy array"),
    ("iota", "", {"iota_dimension": 2, "shape": (2, 3), "dtype": F32}, SHAPE, "iota_dimension = 2"),
    ("iota", "", {"iota_dimension": 0, "shape": (2,), "dtype": DTYPES["i1"]}, DTYPE, "got bool"),
    ("iota", "", {"iota_dimension": 0, "shape": (-2,), "dtype": F32}, SHAPE, "must not be negative"),
    ("bitcast_convert", "2xi1", {"dtype": DTYPES["i8"]}, DTYPE, "no bit pattern"),
    ("bitcast_convert", "2xcomplex<f32>", {"dtype": F32}, DTYPE, "between real and complex"),
    ("bitcast_convert", "3xi8", {"dtype": F32}, SHAPE, "last dimension must be 4"),
    ("broadcast_in_dim", "3xf32", {"broadcast_dimensions": (0,), "shape": (4,)}, SHAPE, "extent 3 must be 1"),
    ("broadcast_in_dim", "3xf32", {"broadcast_dimensions": (1,), "shape": (3,)}, SHAPE, "must be dimensions"),
    ("broadcast_in_dim", "3x3xf32", {"broadcast_dimensions": (0, 0), "shape": (3,)}, SHAPE, "unique"),
    ("broadcast_in_dim", "3xf32", {"broadcast_dimensions": [0], "shape": (3,)}, SHAPE, "tuple of int"),
    ("reshape", "2x3xf32", {"shape": (5,)}, SHAPE, "6 elements, not 5"),
    ("reshape", "2x3xf32", {"shape": (-1, 6)}, SHAPE, "negative"),
    ("transpose", "2x3xf32", {"permutation": (0, 0)}, SHAPE, "unique"),
    ("transpose", "2x3xf32", {"permutation": (0,)}, SHAPE, "each of 2 dimensions"),
    ("reverse", "2x3xf32", {"dimensions": (2,)}, SHAPE, "rank 2"),
    ("slice", "3x6xf32", {**SLICE, "limit_indices": (2, 7)}, SHAPE, "got 1, 7, 6"),
    ("slice", "3x6xf32", {**SLICE, "strides": (1, 0)}, SHAPE, "positive"),
    ("dynamic_slice", "3x6xf32 i32 i64", {"slice_sizes": (1, 6)}, DTYPE, "same dtype"),
    ("dynamic_slice", "3x6xf32 i32", {"slice_sizes": (1, 6)}, SHAPE, "start_indices"),
    ("dynamic_slice", "3x6xf32 i32 i32", {"slice_sizes": (4, 6)}, SHAPE, "between 0 and the shape"),
    ("dynamic_slice", "3xf32 f32", {"slice_sizes": (1,)}, DTYPE, "integer"),
    ("dynamic_slice", "3xf32 1xi32", {"slice_sizes": (1,)}, SHAPE, "zero-dimensional"),
    ("dynamic_update_slice", "3xf32 4xf32 i32", {}, SHAPE, "fit into it"),
    ("dynamic_update_slice", "3xf32 2xf64 i32", {}, DTYPE, "operand and update"),
    ("concatenate", "2x3xf32 3x3xf32", {"dimension": 1}, SHAPE, "outside dimension 1"),
    ("concatenate", "2xf32 2xi32", {"dimension": 0}, DTYPE, "same dtype"),
    ("concatenate", "", {"dimension": 0}, SHAPE, "at least one"),
    ("pad", "3x4xf32 f64", PAD, DTYPE, "padding_value"),
    ("pad", "3x4xf32 1xf32", PAD, SHAPE, "padding_value must be zero-dimensional"),
    ("pad", "3x4xf32 f32", {**PAD, "edge_padding_low": (1, -9)}, SHAPE, "must not be negative"),
    ("gather", "5x4xf32 7x1xf32", GATHER, DTYPE, "indices must be"),
    ("gather", "5x4xf32 7x2xi32", GATHER, SHAPE, "index vectors have 2 items"),
    ("gather", "5x4xf32 7x1xi32", {**GATHER, "slice_sizes": (2, 4)}, SHAPE, "at most 1"),
    ("gather", "5x4xf32 7x1xi32", {**GATHER, "slice_sizes": (1, 5)}, SHAPE, "must fit"),
    ("gather", "5x4xf32 7x1xi32", {**GATHER, "offset_dims": (2,)}, SHAPE, "offset_dims"),
    ("gather", "5x4xf32 7x1xi32", {**GATHER, "index_vector_dim": 3}, SHAPE, "index_vector_dim"),
    ("gather", "2x5x4xf32 3x7x1xi64", GATHER_BATCH, SHAPE, "pair equal extents"),
    ("scatter", "5x4xf32 7x1xi32 7x5xf32", SCATTER, SHAPE, "must fit the input"),
    ("scatter", "5x4xf32 7x1xi32 6x4xf32", SCATTER, SHAPE, "updates must have shape"),
    ("scatter", "5x4xf32 7x1xi32 7x4xf64", SCATTER, DTYPE, "input and updates"),
    ("scatter", "5x4xf32 7x1xi32 7x4xf32", {**SCATTER, "update_computation": AND}, DTYPE, "update_computation"),
    ("reduce", "2x3xf32 f64", {"dimensions": (0,), "body": ADD}, DTYPE, "init_value"),
    ("reduce", "2x3xf32 f32", {"dimensions": (2,), "body": ADD}, SHAPE, "rank 2"),
    ("reduce", "2x3xf32 f32", {"dimensions": (0,), "body": AND}, DTYPE, "body stablehlo::and"),
    ("reduce", "2x3xf32 f32", {"dimensions": (0,), "body": None}, DTYPE, "body must be one of"),
    ("reduce_window", "4x8xf32 f32", {**WINDOW, "window_strides": (0, 1)}, SHAPE, "positive"),
    ("reduce_window", "4x8xf32 f32", {**WINDOW, "padding": ((0, 0),)}, SHAPE, "padding"),
    ("reduce_window", "4x8xf32 f32", {**WINDOW, "padding": (0, 0)}, SHAPE, "pairs of int"),
    ("sort", "2xf32 3xf32", {"dimension": 0, "comparison_direction": "LT"}, SHAPE, "same shape"),
    ("sort", "2xf32", {"dimension": 1, "comparison_direction": "LT"}, SHAPE, "rank 1"),
    ("sort", "2xf32", {"dimension": 0, "comparison_direction": "LE"}, DTYPE, "LT, GT"),
    ("dot_general", "2x3x4xf32 2x4x5xf64", DOT, DTYPE, "same dtype"),
    ("dot_general", "2x3x4xf32 2x3x5xf32", DOT, SHAPE, "contracting_dimensions"),
    ("dot_general", "2x3x4xf32 3x4x5xf32", DOT, SHAPE, "batching_dimensions"),
    ("dot_general", "2x3x4xf32 2x4x5xf32", {**DOT, "lhs_batching_dimensions": (2,)}, SHAPE, "unique"),
    ("get_dimension_size", "2xf32", {"dimension": 1}, SHAPE, "rank 1"),
    ("chlo::erf", "complex<f32>", {}, DTYPE, "must be float"),
    ("chlo::is_inf", "i32", {}, DTYPE, "must be float"),
    ("numpy::argmax", "0x3xf32", {"dimension": 0}, SHAPE, "must not be empty"),
    ("numpy::floor_divide", "complex<f32> complex<f32>", {}, DTYPE, "got complex64"),
    ("numpy::signbit", "i32", {}, DTYPE, "must be float"),
    ("numpy::cumulative_sum", "2xi1", {"dimension": 0}, DTYPE, "got bool"),
    ("lazy_tensors::replication_pad", "0xf32", {"padding": (1, 0)}, SHAPE, "no edge to repeat"),
    ("lazy_tensors::replication_pad", "2xf32", {"padding": (1,)}, SHAPE, "pairs"),
    ("lazy_tensors::ltc_get_dimensions_size", "65536x65536xi8", {"dimensions": (0, 1)}, SHAPE, "fit int32"),
    ("lazy_tensors::device_data", "", {}, TypeInferenceError, "make_device_data"),
]


@pytest.mark.parametrize(("kind", "operands", "attributes", "results"), GOOD)
def test_result_types(kind: str, operands: str, attributes: dict[str, Any], results: str) -> None:
    assert tuple(infer(kind, operands, attributes)) == tuple(t(word) for word in results.split())


@pytest.mark.parametrize(("kind", "operands", "attributes", "error", "constraint"), BAD)
def test_errors_name_operation_operand_types_and_constraint(
    kind: str, operands: str, attributes: dict[str, Any], error: type[TypeInferenceError], constraint: str
) -> None:
    with pytest.raises(error) as caught:
        infer(kind, operands, attributes)
    qualified = kind if "::" in kind else f"stablehlo::{kind}"
    assert str(caught.value).startswith(f"{qualified}({', '.join(repr(t(word)) for word in operands.split())}): ")
    assert constraint in str(caught.value)


ELEMENTWISE = [
    d
    for d in all_operations()
    if not d.attributes and len(d.operands) <= 2 and "*" not in str(d.operands) and d.kind.namespace != "linalg"
]


@pytest.mark.parametrize("definition", [d for d in ELEMENTWISE if d.operands], ids=lambda d: d.kind.qualified)
def test_elementwise_operations_keep_the_shape_and_admit_some_dtype(definition: Any) -> None:
    admitted = []
    for dtype in DTYPES.values():
        operand = TensorType.of((2, 3), dtype)
        try:
            (result,) = definition.infer([operand] * len(definition.operands), {})
        except DTypeMismatchError:
            continue
        assert result.shape == (2, 3)
        admitted.append(dtype)
    assert admitted
    if len(definition.operands) == 2:
        with pytest.raises(ShapeMismatchError, match="same shape"):
            definition.infer([TensorType.of((2,), admitted[0]), TensorType.of((3,), admitted[0])], {})
