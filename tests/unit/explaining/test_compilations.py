"""Every compilation names the graph that is most like it, what is different first, and the user's lines."""

from __future__ import annotations

import inspect
import json
import logging
import threading
import warnings

import numpy as np
import pytest

import latebind as lb
from latebind.errors import RecompilationWarning


def line(offset: int = 0) -> str:
    """Return the caller's line, as a recording names it."""
    caller = inspect.currentframe().f_back
    return f"{caller.f_code.co_filename}:{caller.f_lineno + offset}"


def step(x, y):
    return lb.sum(x * y + 1.0)


def causes(*pairs):
    """Return why each of these steps was compiled."""
    with lb.explain() as seen:
        for x, y in pairs:
            float(step(x, y))
    return seen.compilations


def ones(*shape, dtype="float64"):
    return lb.asarray(np.ones(shape, dtype))


def test_the_first_graph_is_like_nothing(container):
    (cause,) = causes((ones(4), ones(4)))
    assert cause.reason == "new" and cause.nearest == "" and cause.difference == ""
    assert cause.operations == 3 and cause.seconds > 0
    assert "no graph in the cache is like it" in str(cause)


def test_a_shape_is_named_with_both_lines(container):
    with lb.explain() as seen:
        np.asarray(ones(4) * 2.0)
        before = line(-1)
        np.asarray(ones(6) * 2.0)
        here = line(-1)
    first, cause = seen.compilations
    assert cause.nearest == first.name
    assert (cause.line, cause.nearest_line) == (here, before)
    assert cause.difference == "operation 0, multiply, takes float64[6] where it took float64[4] (operand 0)"
    assert str(cause).startswith(f"{here}: {cause.name} was compiled (1 operation, ")
    assert str(cause).endswith(f"it is like {first.name}, but {cause.difference} (there at {before})")


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("ones(4, dtype='float32')", "ones(4)"), "takes float32[4] where it took float64[4] (operand 0)"),
        (("ones(4)", "ones()"), "takes float64[] where it took float64[4] (operand 1)"),
    ],
)
def test_the_first_operand_that_differs_is_named(container, pair, expected):
    _, cause = causes((ones(4), ones(4)), tuple(eval(text) for text in pair))
    assert cause.difference == f"operation 0, multiply, {expected}"


def test_one_array_twice_is_not_two_arrays(container):
    x = ones(4)
    _, cause = causes((ones(4), ones(4)), (x, x))
    assert cause.difference == (
        "operation 0, multiply, takes array argument 0 where it took array argument 1 (array operand 1)"
    )


def test_an_attribute_is_named(container):
    with lb.explain() as seen:
        np.asarray(lb.sum(ones(3, 3), axis=0))
        np.asarray(lb.sum(ones(3, 3), axis=1))
    difference = seen.compilations[1].difference
    assert "sum" in difference and "(0,)" in difference and "(1,)" in difference and "where it had" in difference


def test_another_operation_and_a_longer_graph_are_named(container):
    with lb.explain() as seen:
        np.asarray(ones(3) + 1.0)
        np.asarray((ones(3) + 1.0) * 2.0)
        np.asarray((ones(3) + 1.0) - 2.0)
        np.asarray(lb.sqrt((ones(3) + 1.0) * 2.0))
    differences = [cause.difference for cause in seen.compilations[1:]]
    assert differences == [
        "goes on with multiply where that one ends, after 1 operation",
        "operation 1 is subtract where it was multiply",
        "goes on with sqrt where that one ends, after 2 operations",
    ]


def test_a_number_that_varies_is_named_and_compiles_once_more_only(container):
    with lb.explain() as seen:
        for rate in (0.1, 0.2, 0.3, 0.4):
            np.asarray(ones(3) * rate)
    _, cause = seen.compilations
    assert cause.reason == "scalars"
    assert cause.difference.startswith("a number that multiply takes is 0.2 where it was 0.1")
    assert cause.line == line(-4)


def test_a_python_int_is_not_a_float(container):
    with lb.explain() as seen:
        np.asarray(ones(3) * 2.0)
        np.asarray(ones(3) * 2)
    assert seen.compilations[1].difference == "operation 0, multiply, takes a Python int where it took a Python float"


def test_results_that_are_in_use_are_named(container):
    with lb.explain() as seen:
        for keep in (False, True):
            y = ones(3) + 1.0
            z = y * 2.0
            if not keep:
                del y
            np.asarray(z)
    first, cause = seen.compilations
    assert cause.reason == "outputs" and cause.nearest == first.name
    assert cause.difference == "the result of operation 0, add, is in use after it, where nothing used it"


def test_memory_that_cannot_be_overwritten_any_more_is_named(container):
    with lb.explain() as seen:
        for keep in (False, True):
            x = ones(10_000) + 0.0
            container.executor().sync((x,))
            container.executor().wait_device_ops()
            y = x * 2.0
            if not keep:
                del x
            np.asarray(y)
    assert [cause.reason for cause in seen.compilations] == ["new", "new", "outputs"]
    assert "still in use after it, so that its memory cannot be overwritten" in seen.compilations[2].difference


def test_what_was_compiled_before_the_block_is_compared_as_well(container):
    np.asarray(ones(3) * 2.0)
    with lb.explain() as seen:
        np.asarray(ones(4) * 2.0)
    (cause,) = seen.compilations
    assert "takes float64[4] where it took float64[3]" in cause.difference


def test_like_reasons_of_one_line_are_one_paragraph(container):
    with lb.explain() as seen:
        for size in range(1, 8):
            np.asarray(ones(size) * 2.0)
    assert len(seen.compilations) == 7
    first, more = sorted(seen.groups, key=lambda group: group.count)
    assert (first.count, more.count) == (1, 6)
    assert more.last.difference.startswith("operation 0, multiply, takes float64[7] where")
    assert str(seen).startswith("7 compilations, ") and "and 5 more like it" in str(seen)


def test_hits_are_not_compilations(container):
    np.asarray(ones(3) * 2.0)
    with lb.explain() as seen:
        np.asarray(ones(3) * 2.0)
    assert seen.compilations == [] and seen.recordings == {"computation": 1}
    assert str(seen).startswith("0 compilations, 0 s\n  recordings: 1 as a compiled graph")


def test_captured_functions_say_why_they_were_captured_again(container):
    with lb.explain() as seen:

        @lb.compile
        def double(x):
            return x * 2.0

        for size in (3, 4):
            np.asarray(double(ones(size)))
    (why,) = seen.recaptures
    assert "double: " in why and why.endswith("x: float64[3] -> float64[4]")
    assert "functions given to compile() that were captured again" in str(seen) and why[-30:] in str(seen)


def test_the_same_operations_inside_and_outside_a_compiled_function_are_told_apart(container, caplog):
    with lb.explain() as seen:
        np.asarray(ones(3) * 2.0)
        np.asarray(lb.compile(lambda x: x * 2.0)(ones(3)))
    assert seen.compilations[1].difference == "belongs to a function given to compile(), or to none where that one does"
    assert not caplog.records


def test_the_same_operations_on_two_devices_are_told_apart(make_container):
    with make_container(backend={"name": "numpy", "interpretations": 0, "devices": 2}), lb.explain() as seen:
        for device in ("cpu:0", "cpu:1"):
            np.asarray(lb.asarray(np.ones(3), device=device) * 2.0)
    assert seen.compilations[1].difference == "runs on cpu:1 where that one runs on cpu:0"


def test_an_error_of_the_comparison_does_not_reach_the_program(container, monkeypatch, caplog):
    monkeypatch.setattr(container.executor().runner.recompilations, "_nearest", None)
    with lb.explain() as seen:
        assert np.asarray(ones(3) * 2.0).tolist() == [2.0, 2.0, 2.0]
    assert seen.compilations[0].nearest == "" and "could not be worked out" in caplog.text


def test_operations_that_ran_directly_are_counted(make_container):
    with make_container(backend="numpy"), lb.explain() as seen:
        for size in range(1, 60):
            np.asarray(ones(size) + 1.0)
    assert seen.direct_operations > 0 and "ran directly" in str(seen)


def test_other_threads_are_seen(container):
    x = ones(3)
    with lb.explain() as seen:
        thread = threading.Thread(target=lambda: np.asarray(x * 2.0))
        thread.start()
        thread.join()
    assert len(seen.compilations) == 1


def test_without_source_lines_there_are_no_lines(make_container):
    with make_container(recording={"source_lines": False}), lb.explain() as seen:
        for size in (3, 4):
            np.asarray(ones(size) * 2.0)
    assert [cause.line for cause in seen.compilations] == ["", ""]
    assert "somewhere: " in str(seen.compilations[1]) and str(seen)


def test_code_without_a_file_has_the_name_of_its_source(container):
    with lb.explain() as seen:
        exec(compile("np.asarray(x * 2.0)", "<typed in>", "exec"), {"np": np, "x": ones(3)})
    assert seen.compilations[0].line == "<typed in>:1"
    assert [one.line for one in seen.synchronisations] == ["<typed in>:1"]


def test_everything_is_plain_data_as_well(container):
    with lb.explain() as seen:
        for size in (3, 4):
            float(lb.sum(ones(size) * 2.0))
    found = json.loads(json.dumps(seen.as_dict()))
    assert [one["reason"] for one in found["compilations"]] == ["new", "new"]
    assert found["compilations"][1]["text"].endswith(")") and found["synchronisations"][0]["count"] == 2


def test_long_recordings_are_compared_to_their_first_difference(make_container):
    def chain(last):
        x = ones(2)
        for i in range(5_000):
            x = lb.sin(x) if i % 7 else lb.cos(x)
        np.asarray(last(x))

    with make_container(recording={"limit": 100_000, "direct": False}), lb.explain() as seen:
        chain(lb.exp)
        chain(lb.exp2)
    differences = [cause.difference for cause in seen.compilations if cause.nearest]
    assert differences and all("is exp2 where it was exp" in one or "operation" in one for one in differences)


# The warning


def varied(sizes):
    for size in sizes:
        np.asarray(ones(size) * 2.0)


def test_a_line_that_causes_many_compilations_is_warned_of_once(make_container):
    with make_container(tracing={"recompilations": 3}), pytest.warns(RecompilationWarning) as warned:
        varied(range(1, 12))
    (warning,) = warned
    text = str(warning.message)
    assert "has caused 4 compilations" in text and "takes float64[5] where it took" in text
    assert warning.filename == __file__


@pytest.mark.parametrize(("allowed", "sizes"), [(None, 40), (8, 9)])
def test_there_is_no_warning_below_the_limit_or_without_one(make_container, allowed, sizes):
    with make_container(tracing={"recompilations": allowed}), warnings.catch_warnings():
        warnings.simplefilter("error")
        varied(range(1, sizes + 1))


# The log


def test_each_compilation_is_a_log_record_with_fields(container, caplog):
    with caplog.at_level(logging.INFO, "latebind.compilation"):
        varied((3, 4))
    first, second = caplog.records
    assert first.compilation["reason"] == "new" and first.compilation["nearest"] == ""
    assert second.compilation["nearest"] == first.compilation["name"]
    assert second.compilation["operations"] == 1 and "float64[4]" in second.compilation["difference"]
    assert second.getMessage().startswith(second.compilation["line"])


def test_nothing_is_compared_when_nobody_wants_to_know(make_container, monkeypatch):
    from latebind.runtime import recompilations

    monkeypatch.setattr(recompilations.Recompilations, "note", None)
    with make_container(tracing={"recompilations": None}):
        varied((3, 4))
