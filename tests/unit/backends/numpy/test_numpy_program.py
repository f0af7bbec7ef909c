"""The generated program: its text, its errors, large graphs."""

from __future__ import annotations

import linecache
import time
import traceback

import numpy as np
import pytest

from latebind.backends.interface import LoweringContext
from latebind.backends.numpy.allocation import PART_LENGTH
from latebind.backends.numpy.lowering import NumpyLoweringContext
from latebind.errors import CompilationError, ExecutionError, LoweringError, UnsupportedOpError
from latebind.ir.optable import all_operations


def test_the_text_is_a_readable_program(graph):
    x, y = graph.parameter(np.ones((4, 4), np.float32)), graph.parameter(np.ones(4, np.float32), donate=True)
    half = graph.expand(graph.constant(np.float32(0.5)), 4, 4)
    total = graph.op("stablehlo::add", x, graph.expand(y, 4, 4))
    value = graph.op("stablehlo::tanh", graph.op("stablehlo::multiply", total, half))
    assert graph.lower(value, name="layer").text == (
        "def layer(p0, p1):\n"
        "    # layer on cpu:0\n"
        "    # p0 (arg0): tensor<4x4xf32>\n"
        "    # p1 (arg1): tensor<4xf32>, donated\n"
        "    # c0 = 0.5: tensor<f32>\n"
        "    v0 = add(p0, p1)  # stablehlo::add: tensor<4x4xf32>\n"
        "    multiply(v0, c0, out=v0)  # stablehlo::multiply: tensor<4x4xf32>\n"
        "    tanh(v0, out=v0)  # stablehlo::tanh: tensor<4x4xf32>\n"
        "    return [v0]\n"
    )
    assert graph.backend.computation_backend_text(graph.lower(value)).startswith("def graph(")


def test_large_dead_arrays_are_deleted_at_their_last_use(graph):
    x = graph.parameter(np.ones(5000))
    first, second = graph.op("stablehlo::negate", x), graph.op("stablehlo::sine", x)
    mask = graph.op("stablehlo::compare", first, second, comparison_direction="LT")
    assert "\n    del v" in graph.lower(mask, graph.op("stablehlo::not", mask)).text


def test_every_core_operation_has_a_lowering(backend):
    missing = [definition.kind for definition in all_operations() if definition.core and not definition.leaf
               and not backend.supports(definition.kind)]  # fmt: skip
    assert missing == []


def test_every_lowering_is_of_an_operation_of_the_table():
    known = {definition.kind for definition in all_operations()}
    assert [kind for kind in NumpyLoweringContext.lowerings if kind not in known] == []


def failing(graph):
    """A graph whose second statement fails: the data of a parameter is not what its type says."""
    x, y = graph.parameter(np.ones((4, 4))), graph.parameter(np.ones((4, 4)))
    graph.builder.origin = 16
    first = graph.op("stablehlo::sine", x)
    graph.builder.origin = 17
    second = graph.op("stablehlo::add", first, y)
    graph.builder.origin = 18
    last = graph.op("stablehlo::cosine", second)
    graph.data[1].handle = np.ones((3, 3))
    return last


def test_an_error_names_the_operation_and_its_origin(graph):
    with pytest.raises(ExecutionError, match=r"stablehlo::add\(tensor<4x4xf64>, tensor<4x4xf64>\) failed: Val") as info:
        graph.execute(failing(graph))
    assert info.value.origin == 17
    assert isinstance(info.value.__cause__, ValueError)
    shown = "".join(traceback.format_exception(info.value))
    assert "add(v0, p1, out=v0)" in shown
    linecache.cache.pop("<latebind graph>", None)


def test_interrupts_are_not_swallowed(graph, monkeypatch):
    from latebind.backends.numpy import namespace

    def interrupt(*operands, out=None):
        raise KeyboardInterrupt

    monkeypatch.setitem(namespace.NAMES, "add", interrupt)
    x = graph.parameter(np.ones(3))
    value = graph.op("stablehlo::add", x, x)
    with pytest.raises(KeyboardInterrupt):
        graph.execute(value)
    monkeypatch.undo()
    np.testing.assert_array_equal(graph.run(value)[0], 2 * np.ones(3))


def test_memory_errors_are_execution_errors(graph, monkeypatch):
    from latebind.backends.numpy import namespace

    def exhaust(*operands, out=None):
        raise MemoryError

    monkeypatch.setitem(namespace.NAMES, "add", exhaust)
    x = graph.parameter(np.ones(3))
    with pytest.raises(ExecutionError, match="MemoryError"):
        graph.execute(graph.op("stablehlo::add", x, x))


def test_a_chain_of_100_000_operations(graph):
    value = graph.parameter(np.ones((4, 4)))
    for step in range(100_000):
        value = graph.op("stablehlo::sine" if step % 2 else "stablehlo::cosine", value)
    graph.parameter(np.ones(1))
    expected = np.ones((4, 4))
    for _ in range(50_000):
        expected = np.sin(np.cos(expected))
    before = time.perf_counter()
    (found,) = graph.run(value)
    assert time.perf_counter() - before < 20
    np.testing.assert_array_equal(found, expected)


def test_a_graph_in_several_parts_keeps_what_is_alive(graph):
    rng = np.random.default_rng(0)
    x = graph.parameter(np.arange(6.0), donate=True)
    values = [x, graph.parameter(np.ones(6))]
    arrays = [np.arange(6.0), np.ones(6)]
    for step in range(3 * PART_LENGTH):
        i, j = rng.integers(max(0, len(values) - 40), len(values), 2)
        values.append(graph.op("stablehlo::maximum" if step % 3 else "stablehlo::subtract", values[i], values[j]))
        arrays.append((np.maximum if step % 3 else np.subtract)(arrays[i], arrays[j]))
    chosen = [int(i) for i in rng.integers(2, len(values), 20)] + [0, len(values) - 1]
    for found, i in zip(graph.run(*(values[i] for i in chosen)), chosen, strict=True):
        np.testing.assert_array_equal(found, arrays[i])
    computation = graph.lower(*(values[i] for i in chosen))
    assert "def graph_part_2(state):" in computation.text


def test_an_error_in_a_later_part_is_found(graph):
    x = graph.parameter(np.ones(6))
    value = x
    for step in range(PART_LENGTH + 10):
        graph.builder.origin = step
        value = graph.op("stablehlo::cosine", value)
    graph.builder.origin = 123456
    other = graph.parameter(np.ones(6))
    value = graph.op("stablehlo::add", value, other)
    graph.data[1].handle = np.ones(5)
    with pytest.raises(ExecutionError, match="stablehlo::add") as info:
        graph.execute(value)
    assert info.value.origin == 123456
    assert "add(v0, p1, out=v0)" in "".join(traceback.format_exception(info.value))


def test_names_of_computations_need_not_be_identifiers(graph):
    x = graph.parameter(np.ones(3))
    computation = graph.lower(graph.op("stablehlo::negate", x), name="my graph/1")
    assert computation.text.startswith("def _my_graph_1(p0):")
    graph.backend.compile([computation])


def test_both_forms_of_a_lowering_context(graph):
    x = graph.parameter(np.ones(3))
    value = graph.op("stablehlo::negate", x)
    first = graph.backend.create_lowering_context("first", graph.device)
    first.add_parameter(x, "x")
    second = graph.backend.create_lowering_context("second", graph.device, [value.node], first.emitted)
    assert second.emitted_node_count == 1
    assert isinstance(second, LoweringContext)


def test_refusals(graph):
    x = graph.parameter(np.ones(3))
    erf = graph.op("chlo::erf", x)
    context = graph.backend.create_lowering_context("graph", graph.device)
    context.add_parameter(x, "x")
    with pytest.raises(UnsupportedOpError, match="chlo::erf"):
        context.lower(erf.node)
    with pytest.raises(LoweringError, match="cannot donate 3"):
        context.donate(3)
    computation = graph.lower(x)
    computation.program = None
    with pytest.raises(CompilationError, match="not lowered by the NumPy backend"):
        graph.backend.compile([computation])
