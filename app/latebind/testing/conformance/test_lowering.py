"""Lowering contexts in both forms, computations, and the compiler's errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from latebind.backends.interface import Backend, BackendDevice, Computation, LoweringContext
from latebind.errors import LatebindError, LoweringError, UnsupportedOpError
from latebind.ir.types import TensorType
from latebind.testing.conformance.tools import Bench, equal, fill


def test_empty_context(backend: Backend, device: BackendDevice) -> None:
    context = backend.create_lowering_context("empty", device)
    assert isinstance(context, LoweringContext)
    assert context.name == "empty" and context.device == device and context.emitted_node_count == 0


def test_context_with_post_order_has_lowered_it(bench: Bench) -> None:
    one, two = bench.constant(1, 2), bench.constant(3, 4)
    total = bench.add(one, two)
    context = bench.backend.create_lowering_context("given", bench.device, [one.node, two.node, total.node])
    assert context.emitted_node_count == 3
    context.add_result(total)
    (compiled,) = bench.backend.compile([context.build()])
    (output,) = bench.execute(compiled)
    assert equal(bench.get(output), bench.array(4, 6))


def test_context_with_emission_map_takes_what_is_emitted(bench: Bench) -> None:
    one = bench.constant(1, 2)
    first = bench.backend.create_lowering_context("first", bench.device)
    first.lower(one.node)
    second = bench.backend.create_lowering_context("second", bench.device, [one.node], first.emitted)
    assert one in second.emitted
    assert second.emitted_node_count == 0


def test_context_takes_keyword_arguments(bench: Bench) -> None:
    one = bench.constant(1, 2)
    context = bench.backend.create_lowering_context(
        name="given", device=bench.device, post_order=[one.node], emission_map=None
    )
    assert one in context.emitted


def test_contexts_do_not_share_state(bench: Bench) -> None:
    first = bench.backend.create_lowering_context("first", bench.device)
    second = bench.backend.create_lowering_context("second", bench.device)
    x = bench.parameter(bench.array(1, 2))
    first.add_parameter(x, "x")
    assert x not in second.emitted and not second.parameters


def test_parameters_and_results_are_counted_from_zero(bench: Bench) -> None:
    context = bench.backend.create_lowering_context("positions", bench.device)
    x, y = bench.parameter(bench.array(1)), bench.parameter(bench.array(1))
    assert [context.add_parameter(x, "x"), context.add_parameter(y, "y")] == [0, 1]
    assert [context.add_result(y), context.add_result(x)] == [0, 1]


def test_computation_tells_its_signature(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    y = bench.parameter(TensorType.of((3, 0), np.dtype(np.int32)))
    computation = bench.lower([x, y], [bench.add(x, x), y, x], donated=[0], aliases=[(0, 0)], name="signature")
    (compiled,) = bench.backend.compile([computation])
    for one in (computation, compiled):
        assert isinstance(one, Computation)
        assert one.name == "signature" and one.device == bench.device
        assert one.parameter_types == (x.type, y.type)
        assert len(one.parameter_names) == 2
        assert one.result_types == (x.type, y.type, x.type)
        assert tuple(one.aliases) == ((0, 0),)


def test_computation_has_a_text(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    computation = bench.lower([x], [bench.add(x, x)])
    text = bench.backend.computation_backend_text(computation)
    assert isinstance(text, str) and text.strip()
    (compiled,) = bench.backend.compile([computation])
    assert bench.backend.computation_backend_text(compiled).strip()


def test_emitted_nodes_are_counted_once(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    total = bench.add(x, x)
    context = bench.backend.create_lowering_context("count", bench.device)
    fill(context, [x], [total.node, total.node])
    assert context.emitted_node_count == 1


def test_result_that_is_not_emitted_is_refused(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    context = bench.backend.create_lowering_context("missing", bench.device)
    context.add_parameter(x, "x")
    with pytest.raises(LoweringError):
        context.add_result(bench.add(x, x))


def test_node_before_its_operands_is_refused(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    context = bench.backend.create_lowering_context("order", bench.device)
    with pytest.raises(LoweringError):
        context.lower(bench.add(x, x).node)


def test_unsupported_operation_is_refused_by_name(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    node = bench.builder.make_generic("lazy_tensors::not_supported", [x], {}, types=[x.type])
    context = bench.backend.create_lowering_context("unsupported", bench.device)
    context.add_parameter(x, "x")
    assert not bench.backend.lowers(node)
    with pytest.raises(UnsupportedOpError, match="lazy_tensors::not_supported"):
        context.lower(node)


def test_alias_of_different_types_is_refused(bench: Bench) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1))
    context = bench.backend.create_lowering_context("alias", bench.device)
    fill(context, [x, y], [])
    context.add_result(x)
    with pytest.raises(LoweringError):
        context.set_up_alias(0, 1)


def test_second_alias_of_a_parameter_or_output_is_refused(bench: Bench) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1, 2))
    total = bench.add(x, y)
    context = bench.backend.create_lowering_context("alias", bench.device)
    fill(context, [x, y], [total.node])
    context.add_result(total)
    context.add_result(total)
    context.set_up_alias(0, 0)
    with pytest.raises(LoweringError):
        context.set_up_alias(1, 0)
    with pytest.raises(LoweringError):
        context.set_up_alias(0, 1)


def test_shape_of_data_is_compared_with_a_result(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    context = bench.backend.create_lowering_context("shape", bench.device)
    context.add_parameter(x, "x")
    context.add_result(x)
    assert context.check_result_shape(bench.put(bench.array(5, 6)), 0)
    assert not context.check_result_shape(bench.put(bench.array(5, 6, 7)), 0)


def test_several_computations_compile_together_and_none_as_well(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    lowered = [bench.lower([x], [bench.add(*[x] * count)]) for count in (2, 3)]
    compiled = bench.backend.compile(lowered)
    results = [bench.get(bench.execute(one, bench.put(bench.array(1, 2)))[0]) for one in compiled]
    assert equal(results[0], bench.array(2, 4)) and equal(results[1], bench.array(3, 6))
    assert list(bench.backend.compile([])) == []


def test_compiling_again_changes_nothing(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    computation = bench.lower([x], [bench.add(x, x)])
    (first,) = bench.backend.compile([computation])
    (second,) = bench.backend.compile([first])
    for one in (first, second, first):
        assert equal(bench.get(bench.execute(one, bench.put(bench.array(1, 2)))[0]), bench.array(2, 4))


@pytest.mark.parametrize(
    "program", [object(), "garbage", b"\x00garbage", None], ids=["object", "text", "bytes", "none"]
)
def test_garbage_is_refused_by_the_compiler(bench: Bench, program: object) -> None:
    x = bench.parameter(bench.array(1, 2))
    garbage = replace(bench.lower([x], [bench.add(x, x)]), program=program)
    with pytest.raises(LatebindError):
        bench.backend.compile([garbage])
    works = bench.doubling(bench.array(1, 2))
    assert equal(bench.get(bench.execute(works, bench.put(bench.array(1, 2)))[0]), bench.array(2, 4))
