"""Nodes, values, their order, and the keys of attributes."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest

from latebind.errors import ShapeMismatchError
from latebind.ir.attributes import ints, key_of, key_of_all
from latebind.ir.builder import IrBuilder
from latebind.ir.node import AttributeValue, Value, post_order, types_of
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

Parameter = Callable[..., Value]


def test_kinds_and_types_are_interned() -> None:
    assert OpKind.get("stablehlo::add") is OpKind.get("stablehlo::add")
    assert TensorType.of((2,), np.dtype(np.int8)) is TensorType.of((2,), np.dtype("i1"))
    with pytest.raises(ValueError, match="namespace::name"):
        OpKind.get("add")


def test_values_are_equal_when_node_and_output_are_the_same(b: IrBuilder, parameter: Parameter) -> None:
    bundle = b.make_tensor_list([parameter(), parameter()])
    assert bundle.value(1) == Value(bundle, 1) and bundle.value(0) != bundle.value(1)
    assert len({bundle.value(0), Value(bundle, 0), bundle.value(1)}) == 2


def test_post_order_puts_operands_first_and_each_node_once(b: IrBuilder, parameter: Parameter) -> None:
    x, y = parameter(), parameter()
    total = b.op("stablehlo::add", x, y)
    product = b.op("stablehlo::multiply", total, total)
    assert post_order([product, total]) == [x.node, y.node, total.node, product.node]


def test_post_order_does_not_recurse(b: IrBuilder, parameter: Parameter) -> None:
    value = parameter()
    for _ in range(2 * sys.getrecursionlimit()):
        value = b.op("stablehlo::negate", value)
    assert len(post_order([value])) == 2 * sys.getrecursionlimit() + 1


def test_attribute_keys_tell_bits_apart() -> None:
    values: list[AttributeValue] = [
        0.0,
        -0.0,
        0,
        False,
        1,
        1.0,
        True,
        1 + 0j,
        "1",
        None,
        math.inf,
        (1,),
        (True,),
        np.dtype(np.int8),
    ]
    assert len({key_of(value) for value in values}) == len(values)
    assert key_of(math.nan) == key_of(math.nan)
    arrays = [np.zeros(2), np.array([0.0, -0.0]), np.zeros(2, np.float32), np.zeros((2, 1)), np.zeros(2, np.int64)]
    assert len({key_of(array) for array in arrays}) == len(arrays)
    assert key_of(np.zeros(2)) == key_of(np.zeros(2))
    assert key_of_all({"a": 1, "b": (2, 3)}) == key_of_all({"b": (2, 3), "a": 1}) != key_of_all({"a": 1})


def test_attributes_are_read_with_their_type() -> None:
    assert ints({}, "dimensions", ()) == () and ints({"dimensions": (1, 2)}, "dimensions") == (1, 2)
    with pytest.raises(ShapeMismatchError, match="must be a tuple of int, got True"):
        ints({"dimensions": True}, "dimensions")
    with pytest.raises(ShapeMismatchError, match=r"must be a tuple of int, got \(1.0,\)"):
        ints({"dimensions": (1.0,)}, "dimensions")


def test_types_of_gives_one_type_per_value(parameter: Parameter) -> None:
    x, y = parameter((2,)), parameter((), "int8")
    assert types_of([x, y]) == (x.type, y.type)
