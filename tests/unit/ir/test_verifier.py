"""The verifier accepts what the builder makes and names the node that was tampered with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from latebind.errors import VerificationError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType
from latebind.ir.verifier import verify

Parameter = Callable[..., Value]


@pytest.fixture
def node(b: IrBuilder, parameter: Parameter) -> Node:
    b.origin = 12
    x = parameter((2, 3))
    return b.op("stablehlo::transpose", b.op("stablehlo::add", x, x), permutation=(1, 0)).node


def test_what_the_builder_makes_is_accepted(b: IrBuilder, node: Node) -> None:
    verify([node.value(), b.make_tensor_list([node.value(), b.make_scalar(1, np.int8).value()]).value(1)])


def test_a_wrong_type_is_found(node: Node) -> None:
    node.types = (TensorType.of((2, 3), np.dtype(np.float32)),)
    with pytest.raises(VerificationError, match=r"transpose.* at record 12: inference gives \(tensor<3x2xf32>,\)"):
        verify([node.value()])


def test_a_broken_constraint_is_found(node: Node) -> None:
    node.attributes = {"permutation": (0, 0)}
    with pytest.raises(VerificationError, match=r"permutation = .* must be unique"):
        verify([node.value()])


def test_wrong_attributes_are_found(node: Node) -> None:
    node.attributes = {}
    with pytest.raises(VerificationError, match="needs attribute permutation"):
        verify([node.value()])
    node.attributes = {"permutation": (1, 0), "axes": (1, 0)}
    with pytest.raises(VerificationError, match="has no attribute axes"):
        verify([node.value()])


def test_a_wrong_operand_count_is_found(node: Node) -> None:
    node.operands = node.operands * 2
    with pytest.raises(VerificationError, match="takes 1 operands"):
        verify([node.value()])


def test_an_unknown_operation_is_found(node: Node) -> None:
    node.kind = OpKind.get("stablehlo::nonsense")
    with pytest.raises(VerificationError, match="no operation stablehlo::nonsense"):
        verify([node.value()])


def test_an_output_that_does_not_exist_is_found(node: Node) -> None:
    with pytest.raises(VerificationError, match="a result is output 1"):
        verify([Value(node, 1)])
    node.operands = (Value(node.operands[0].node, 3),)
    with pytest.raises(VerificationError, match=r"operand 0 of .*transpose.* is output 3"):
        verify([node.value()])


def test_a_cycle_is_found(node: Node) -> None:
    add = node.operands[0].node
    add.operands = (node.value(), add.operands[1])
    with pytest.raises(VerificationError, match=r"operand 0 of .*add.* depends on that node itself"):
        verify([node.value()])
    add.operands = (add.value(), add.operands[1])
    with pytest.raises(VerificationError, match=r"operand 0 of .*add.* depends on that node itself"):
        verify([node.value()])


def test_a_type_that_is_none_is_found(node: Node) -> None:
    node.types = ((3, 2),)  # type: ignore[assignment]
    with pytest.raises(VerificationError, match="is not a TensorType"):
        verify([node.value()])
