"""Rewriting to what a backend supports. The values of the decompositions are tested in test_decomposition_values.py."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from latebind.errors import DTypeMismatchError, UnsupportedOpError, VerificationError
from latebind.ir import optable
from latebind.ir.builder import IrBuilder
from latebind.ir.decompositions import decompose
from latebind.ir.ltc_ops import REFUSED
from latebind.ir.node import Node, Value, post_order
from latebind.ir.opkind import OpKind
from latebind.ir.optable import OpDef, all_operations, lookup
from latebind.ir.types import ELEMENT_NAMES, TensorType
from latebind.ir.verifier import verify

Parameter = Callable[..., Value]
DECOMPOSED = [d for d in all_operations() if d.decompose is not None and d.kind.namespace in ("chlo", "numpy")]


def nothing(node: Node) -> bool:
    return False


@pytest.mark.parametrize("definition", DECOMPOSED, ids=lambda d: d.kind.qualified)
def test_every_decomposition_gives_core_operations_for_every_dtype_and_shape(b: IrBuilder, definition: OpDef) -> None:
    attributes: dict[str, Any] = {"dimension": 0} if definition.attributes else {}
    done = 0
    for name in ELEMENT_NAMES:
        for shape in ((2, 3), (1, 0), ()):
            if attributes and not shape:
                continue
            leaf = b.make_parameter(TensorType.of(shape, np.dtype(name)))
            try:
                node = b.make_generic(definition.kind, [leaf.value()] * len(definition.operands), attributes)
            except DTypeMismatchError:
                continue
            (result,) = decompose([node.value()], nothing, b)
            verify([result])
            assert result.type is node.types[0]
            kinds = [lookup(inner.kind) for inner in post_order([result])]
            assert all(d is not None and (d.core or d.leaf) for d in kinds)
            done += 1
    assert done


def test_what_the_backend_supports_or_is_core_is_kept(b: IrBuilder, parameter: Parameter) -> None:
    value = b.op("stablehlo::add", b.op("chlo::erf", parameter()), parameter())
    assert decompose([value], lambda node: node.kind.name == "erf", b) == [value]


def test_shared_nodes_stay_shared_and_sharing_is_across_results(b: IrBuilder, parameter: Parameter) -> None:
    square = b.op("chlo::square", parameter())
    total = b.op("stablehlo::add", square, square)
    new_total, new_square = decompose([total, square], nothing, b)
    assert new_total.node.operands == (new_square, new_square)


def test_new_nodes_take_the_origin_of_the_node_that_they_replace(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter()
    for origin in (4, 9):
        node = b.make_generic("chlo::sinh", [x], origin=origin)
        user = b.make_generic("stablehlo::abs", [node.value()], origin=origin + 1)
        (result,) = decompose([user.value()], nothing, b)
        inner = [n for n in post_order([result]) if n is not x.node and n is not result.node]
        assert inner and {n.origin for n in inner} == {origin} and result.node.origin == origin + 1
    assert b.origin == -1


def test_a_tensor_list_becomes_its_values(b: IrBuilder, parameter: Parameter) -> None:
    x, y = parameter(), parameter((), "int8")
    bundle = b.make_tensor_list([x, y])
    assert decompose([bundle.value(1), bundle.value(0)], nothing, b) == [y, x]


@pytest.mark.parametrize("name", REFUSED)
def test_kinds_without_a_meaning_are_refused(b: IrBuilder, parameter: Parameter, name: str) -> None:
    x = parameter()
    node = b.make_generic(f"lazy_tensors::{name}", [x], types=[x.type])
    with pytest.raises(UnsupportedOpError, match=f"lazy_tensors::{name}"):
        decompose([node.value()], nothing, b)
    assert decompose([node.value()], lambda node: True, b) == [node.value()]


def test_an_operation_with_neither_support_nor_decomposition_is_named(parameter: Parameter, b: IrBuilder) -> None:
    x = parameter()
    node = Node(OpKind.get("linalg::unknown"), (x,), (x.type,), {})
    with pytest.raises(UnsupportedOpError, match="linalg::unknown is neither supported"):
        decompose([node.value()], nothing, b)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (lambda b, operands, attributes: [b.op("chlo::square", operands[0])], "comes back to"),
        (lambda b, operands, attributes: [b.make_cast(operands[0], np.dtype(np.int8)).value()], "gives .*i8"),
    ],
)
def test_wrong_decompositions_are_found(
    b: IrBuilder, parameter: Parameter, monkeypatch: pytest.MonkeyPatch, formula: Any, message: str
) -> None:
    kind = OpKind.get("chlo::square")
    definition = lookup(kind)
    assert definition is not None
    monkeypatch.setitem(optable._table, kind, dataclasses.replace(definition, decompose=formula))
    with pytest.raises(VerificationError, match=message):
        decompose([b.op("chlo::square", parameter())], nothing, b)


def test_a_decomposition_runs_once_per_signature(
    b: IrBuilder, parameter: Parameter, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, calls = OpKind.get("chlo::square"), []
    definition = lookup(kind)
    assert definition is not None and definition.decompose is not None
    original = definition.decompose

    def counted(b: IrBuilder, operands: Sequence[Value], attributes: Any) -> Sequence[Value]:
        calls.append(operands[0].type)
        return original(b, operands, attributes)

    monkeypatch.setitem(optable._table, kind, dataclasses.replace(definition, decompose=counted))
    x, y = parameter((2,)), parameter((3,))
    decompose([b.op("chlo::square", v) for v in (x, y, x, y)], nothing, b)
    assert calls == [x.type, y.type]


def test_a_long_chain_is_decomposed_without_recursion(b: IrBuilder, parameter: Parameter) -> None:
    value: Value = parameter()
    for _ in range(100_000):
        value = b.op("chlo::square", value)
    start = time.perf_counter()
    (result,) = decompose([value], nothing, b)
    assert time.perf_counter() - start < 20
    assert len(post_order([result])) == 100_001
