"""Text, DOT and source lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import numpy as np
import pytest

from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.print_dot import to_dot
from latebind.ir.print_text import to_text
from latebind.ir.source import SourceLine, locate
from latebind.ir.types import TensorType

Parameter = Callable[..., Value]


@pytest.fixture
def graph(b: IrBuilder) -> tuple[list[Node], list[Value]]:
    x = b.make_parameter(TensorType.of((2, 3), np.dtype(np.float32)))
    b.origin = 0
    half = b.make_expand(b.make_scalar(0.5, np.float32).value(), (2, 3)).value()
    b.origin = 1
    product = b.op("stablehlo::multiply", x.value(), half)
    zero = b.make_scalar(0, np.float32).value()
    total = b.op("stablehlo::reduce", product, zero, dimensions=(1,), body=OpKind.get("stablehlo::add"))
    return [x], [total, product]


def test_a_graph_prints_as_stablehlo_like_text_with_user_lines(graph: tuple[list[Node], list[Value]]) -> None:
    text = to_text("step", *graph, lambda origin: ["/home/me/a.py:12", ""][origin])
    assert text == (
        "func.func @step(%arg0: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<2x3xf32>) {\n"
        '  %0 = stablehlo.constant dense<0.5> : tensor<f32> loc("/home/me/a.py":12)\n'
        "  %1 = stablehlo.broadcast_in_dim %0, broadcast_dimensions = [] : (tensor<f32>) -> tensor<2x3xf32>"
        ' loc("/home/me/a.py":12)\n'
        "  %2 = stablehlo.multiply %arg0, %1 : tensor<2x3xf32>\n"
        "  %3 = stablehlo.constant dense<0.0> : tensor<f32>\n"
        "  %4 = stablehlo.reduce %2, %3, body = stablehlo.add, dimensions = [1]"
        " : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>\n"
        "  return %4, %2 : tensor<2xf32>, tensor<2x3xf32>\n"
        "}\n"
    )


def test_without_lines_nothing_is_located(graph: tuple[list[Node], list[Value]]) -> None:
    assert "loc(" not in to_text("f", *graph)
    assert 'loc("somewhere")' in to_text("f", *graph, lambda origin: "somewhere")


def test_outputs_of_one_node_are_told_apart(b: IrBuilder, parameter: Parameter) -> None:
    x, y = parameter((4,)), parameter((4,), "int64")
    node = b.make_generic("stablehlo::sort", [x, y], {"dimension": 0, "comparison_direction": "LT", "is_stable": True})
    text = to_text("f", [x.node, y.node], [node.value(1)])
    assert (
        "%0:2 = stablehlo.sort %arg0, %arg1, comparison_direction = LT, dimension = 0, is_stable = true"
        " : (tensor<4xf32>, tensor<4xi64>) -> (tensor<4xf32>, tensor<4xi64>)" in text
    )
    assert "return %0#1 : tensor<4xi64>" in text


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (np.array([[1, 2], [3, 4]], np.int8), "dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>"),
        (np.array(True), "dense<true> : tensor<i1>"),
        (np.array(1 - 2j), "dense<(1.0, -2.0)> : tensor<complex<f64>>"),
        (np.array(-0.0), "dense<-0.0> : tensor<f64>"),
        (np.zeros((0, 2)), "dense<[]> : tensor<0x2xf64>"),
        (np.arange(100), "dense<[0, 1, 2, 3, 4, 5, 6, 7, ...]> : tensor<100xi64>"),
    ],
)
def test_constants_print_their_elements(b: IrBuilder, value: np.ndarray, printed: str) -> None:
    assert f"%0 = stablehlo.constant {printed}\n" in to_text("f", [], [b.make_constant(value).value()])


def test_every_name_is_defined_before_it_is_used(b: IrBuilder, parameter: Parameter) -> None:
    x, free = parameter(), parameter()
    value = b.op("stablehlo::add", b.op("stablehlo::sine", x), b.op("stablehlo::sine", free))
    defined = {"%arg0"}
    for line in to_text("f", [x.node], [value]).splitlines()[1:-1]:
        target, equals, rest = line.strip().partition(" = ")
        assert set(re.findall(r"%\w+", rest if equals else line)) <= defined
        defined.add(target)
    assert "%1 = lazy_tensors.device_data : tensor<2x3xf32>" in to_text("f", [x.node], [value])


def test_a_graph_prints_as_dot(graph: tuple[list[Node], list[Value]]) -> None:
    dot = to_dot('a "b"', *graph, lambda origin: f"c:\\u.py:{origin}")
    assert dot.startswith('digraph "a \\"b\\"" {\n') and dot.endswith("}\n")
    assert 'n0 [shape=ellipse, label="%arg0\\ntensor<2x3xf32>"];' in dot
    assert '[label="stablehlo::multiply\\ntensor<2x3xf32>\\nc:\\\\u.py:1"];' in dot
    assert 'n0 -> n3 [label="0"];' in dot and 'n2 -> n3 [label="1"];' in dot
    assert "n5 -> r0;" in dot and "n3 -> r1;" in dot
    assert dot.count("->") == 7


def test_a_dot_edge_shows_which_output_it_takes(b: IrBuilder, parameter: Parameter) -> None:
    bundle = b.make_tensor_list([parameter(), parameter()])
    assert 'label="#1"' in to_dot("f", [], [bundle.value(1)])


def test_printing_does_not_recurse(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter()
    value = x
    for _ in range(3000):
        value = b.op("stablehlo::negate", value)
    assert to_text("f", [x.node], [value]).count("\n") == 3003
    assert to_dot("f", [x.node], [value]).count("->") == 3001


def here() -> tuple[SourceLine, int]:
    frame = sys._getframe()
    line = locate(
        frame.f_code,
        frame.f_lasti,
    )
    return line, frame.f_code.co_firstlineno


def test_locate_finds_the_line_of_an_instruction() -> None:
    line, first = here()
    assert line.filename == __file__ and line.function == "here"
    assert first < line.line <= first + 4 and str(line) == f"{__file__}:{line.line}"
    assert line.text in ("line = locate(", "frame.f_lasti,")


def test_locate_falls_back_to_the_first_line_of_the_function() -> None:
    code = here.__code__
    assert locate(code, -1).line == code.co_firstlineno
    assert locate(code, 10**6).line == code.co_firstlineno
    assert SourceLine("<string>", 3, "f").text == ""
