"""Simplification: what vanishes, what is folded, what is merged, and what must stay."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value, post_order
from latebind.ir.simplify import simplify
from latebind.ir.types import TensorType
from latebind.ir.verifier import verify

Parameter = Callable[..., Value]
F32, I32 = np.dtype(np.float32), np.dtype(np.int32)


def one(b: IrBuilder, value: Value) -> Value:
    (result,) = simplify([value], b)
    verify([result])
    assert result.type is value.type
    return result


def names(value: Value) -> list[str]:
    return [node.kind.name for node in post_order([value])]


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("broadcast_in_dim", {"broadcast_dimensions": (0, 1), "shape": (2, 3)}),
        ("convert", {"dtype": F32}),
        ("reshape", {"shape": (2, 3)}),
        ("transpose", {"permutation": (0, 1)}),
        ("slice", {"start_indices": (0, 0), "limit_indices": (2, 3), "strides": (1, 1)}),
        ("reverse", {"dimensions": ()}),
        ("concatenate", {"dimension": 0}),
    ],
)
def test_operations_that_change_nothing_vanish(
    b: IrBuilder, parameter: Parameter, name: str, attributes: dict[str, Any]
) -> None:
    x = parameter((2, 3))
    assert one(b, b.op(f"stablehlo::{name}", x, **attributes)) == x


def test_a_pad_by_nothing_and_an_update_of_everything_vanish(b: IrBuilder, parameter: Parameter) -> None:
    x, y, zero = parameter((2,)), parameter((2,)), b.make_scalar(0, F32).value()
    nothing = {"edge_padding_low": (0,), "edge_padding_high": (0,), "interior_padding": (0,)}
    assert one(b, b.op("stablehlo::pad", x, zero, **nothing)) == x
    assert one(b, b.op("stablehlo::dynamic_update_slice", x, y, parameter((), "int32"))) == y


def test_a_square_transpose_is_not_taken_for_the_identity(b: IrBuilder, parameter: Parameter) -> None:
    turned = b.op("stablehlo::transpose", parameter((3, 3)), permutation=(1, 0))
    assert one(b, turned) == turned
    spread = b.op("stablehlo::broadcast_in_dim", parameter((3, 3)), broadcast_dimensions=(1, 0), shape=(3, 3))
    assert one(b, spread) == spread


def test_dynamic_slices_with_constant_starts_become_static_and_clamped(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter((5, 6))
    far, below = b.make_scalar(9, I32).value(), b.make_scalar(-2, I32).value()
    result = one(b, b.op("stablehlo::dynamic_slice", x, far, below, slice_sizes=(2, 3)))
    assert names(result) == ["device_data", "slice"]
    assert result.node.attributes == {"start_indices": (3, 0), "limit_indices": (5, 3), "strides": (1, 1)}
    free = b.op("stablehlo::dynamic_slice", x, parameter((), "int32"), below, slice_sizes=(2, 3))
    assert one(b, free) == free


def test_dynamic_update_slices_keep_constant_starts(b: IrBuilder, parameter: Parameter) -> None:
    start = b.make_scalar(1, I32).value()
    update = b.op("stablehlo::dynamic_update_slice", parameter((5,)), parameter((2,)), start)
    assert one(b, update) == update


@pytest.mark.parametrize(
    ("value", "source", "target"),
    [(1.75, "float64", "int8"), (300, "int64", "uint8"), (-1, "int8", "uint64"), (2.5, "float32", "bool"),
     (1e300, "float64", "float16"), (1 + 2j, "complex64", "float32"), (True, "bool", "complex128")],
)  # fmt: skip
def test_conversions_of_scalar_constants_are_folded_as_numpy_converts(
    b: IrBuilder, value: Any, source: str, target: str
) -> None:
    array = np.array(value, source)
    result = one(b, b.make_cast(b.make_scalar(value, source).value(), np.dtype(target)).value())
    with np.errstate(all="ignore"):
        expected = (array.real if target == "float32" else array).astype(target)
    assert result.node.kind.name == "constant" and result.node.attributes["value"] == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, 2.0**31, -1e10])
def test_conversions_out_of_range_are_left_to_the_engine(b: IrBuilder, value: float) -> None:
    assert names(one(b, b.make_cast(b.make_scalar(value, "float64").value(), I32).value())) == ["constant", "convert"]


def test_a_repeated_constant_is_converted_before_it_is_repeated(b: IrBuilder) -> None:
    spread = b.make_expand(b.make_scalar(2, I32).value(), (4,)).value()
    result = one(b, b.make_cast(spread, F32).value())
    assert names(result) == ["constant", "broadcast_in_dim"] and result.node.operands[0].dtype == F32


def test_chains_of_movement_become_one(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter((2, 1))
    inner = b.op("stablehlo::broadcast_in_dim", x, broadcast_dimensions=(2, 1), shape=(5, 1, 2))
    outer = b.op("stablehlo::broadcast_in_dim", inner, broadcast_dimensions=(0, 1, 3), shape=(5, 4, 7, 2))
    result = one(b, outer)
    assert names(result) == ["device_data", "broadcast_in_dim"]
    assert result.node.attributes["broadcast_dimensions"] == (3, 1)
    reshaped = b.op("stablehlo::reshape", b.op("stablehlo::reshape", x, shape=(2,)), shape=(2, 1))
    assert one(b, reshaped) == x
    turned = b.op("stablehlo::transpose", parameter((2, 3, 4)), permutation=(1, 2, 0))
    again = one(b, b.op("stablehlo::transpose", turned, permutation=(1, 2, 0)))
    assert names(again) == ["device_data", "transpose"] and again.node.attributes["permutation"] == (2, 0, 1)
    assert one(b, b.op("stablehlo::transpose", turned, permutation=(2, 0, 1))).node.kind.name == "device_data"


def test_folded_chains_compute_the_same(b: IrBuilder, run_graph: Callable[..., Any]) -> None:
    leaf = b.make_parameter(TensorType.of((2, 3, 4), F32))
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    value = b.op("stablehlo::transpose", leaf.value(), permutation=(1, 2, 0))
    value = b.op("stablehlo::transpose", value, permutation=(0, 2, 1))
    value = b.op("stablehlo::broadcast_in_dim", value, broadcast_dimensions=(1, 0, 2), shape=(2, 3, 4))
    value = b.op("stablehlo::broadcast_in_dim", value, broadcast_dimensions=(1, 2, 3), shape=(2, 2, 3, 4))
    value = b.op("stablehlo::reshape", b.op("stablehlo::reshape", value, shape=(4, 12)), shape=(48,))
    before, after = (run_graph([v], {leaf: x})[0] for v in (value, one(b, value)))
    np.testing.assert_array_equal(before, after)


def test_sizes_fold_to_their_values(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter((6, 4))
    size = b.make_size_div(b.make_size_mul(b.make_size_node(x, 0), b.make_size_node(x, 1)), b.make_size_node(x, 1))
    assert one(b, size.value()).node.attributes["value"] == 6
    assert one(b, b.op("stablehlo::get_dimension_size", x, dimension=1)).node.attributes["value"] == 4


def test_equal_nodes_are_merged_across_results(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter()
    first, second = (b.op("stablehlo::tanh", b.op("stablehlo::add", x, x)) for _ in range(2))
    b.origin = 5
    results = simplify([first, second, b.op("stablehlo::sine", x)], b)
    assert results[0] == results[1] != results[2] and results[0].node.origin == -1
    assert b.origin == 5


def test_nodes_that_differ_are_not_merged(b: IrBuilder, parameter: Parameter) -> None:
    x, y = parameter((4, 4)), parameter((4, 4))
    values = [
        x,
        y,
        b.op("stablehlo::subtract", x, y),
        b.op("stablehlo::subtract", y, x),
        b.op("stablehlo::reverse", x, dimensions=(0,)),
        b.op("stablehlo::reverse", x, dimensions=(1,)),
        *(
            b.make_scalar(v, d).value()
            for v, d in [(0.0, F32), (-0.0, F32), (0.0, np.dtype(float)), (0, I32), (0, np.dtype(bool))]
        ),
        *(b.make_cast(x, np.dtype(d)).value() for d in ("int32", "int64")),
    ]
    assert len(set(simplify(values, b))) == len(values)


def test_constants_merge_by_bits(b: IrBuilder) -> None:
    nans = simplify([b.make_scalar(math.nan, F32).value() for _ in range(2)], b)
    assert nans[0] == nans[1]


def test_rebuilt_nodes_keep_their_origin(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter()
    inner = b.make_generic("stablehlo::convert", [x], {"dtype": F32}, origin=3).value()
    node = b.make_generic("stablehlo::abs", [inner], origin=4)
    result = one(b, node.value())
    assert result.node.operands == (x,) and result.node.origin == 4


def test_a_long_chain_is_simplified_in_linear_time(b: IrBuilder, parameter: Parameter) -> None:
    value: Value = parameter()
    nodes: list[Node] = []
    for _ in range(100_000):
        value = b.op("stablehlo::add", value, value)
        nodes.append(value.node)
    start = time.perf_counter()
    assert one(b, value) == value
    assert time.perf_counter() - start < 20
