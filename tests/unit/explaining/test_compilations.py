"""Why was that compiled: the nearest computation, the first difference, and the lines on both sides."""

from __future__ import annotations

import json

import numpy as np
import pytest

import latebind as lb
from latebind.errors import ExplanationError


def normalised(x):
    scaled = x * 2.0 + 1.0
    return float(scaled.sum())


def only(compilations):
    (one,) = compilations
    return one


def test_the_first_compilation_of_its_kind_has_nothing_to_compare_with(container, lines):
    with lb.explain() as why:
        normalised(lb.ones((4, 3)))
    made = only(why.compilations)
    assert (made.reason, made.change, made.nearest) == ("first", None, None)
    assert made.line == lines(normalised, "float(")
    assert made.text == "return float(scaled.sum())"
    assert made.engines == "numpy"
    assert "Nothing like it was compiled before" in str(made)


def test_a_new_shape_is_named_with_both_types_and_lines(container, lines):
    a, b = lb.asarray(np.ones((4, 3))), lb.asarray(np.ones((5, 3)))
    with lb.explain() as why:
        normalised(a)
        normalised(b)
    first, second = why.compilations
    assert (second.reason, second.change.kind, second.change.operation) == ("graph", "type", "multiply")
    assert (second.change.now, second.change.before) == ("float64[5, 3]", "float64[4, 3]")
    assert second.change.line == second.nearest.line == lines(normalised, "scaled = ")
    assert second.nearest.name == first.name
    assert second.change.text == "scaled = x * 2.0 + 1.0"


def test_a_computation_from_before_the_block_is_compared_with(container, lines):
    a, b = lb.asarray(np.ones((4, 3))), lb.asarray(np.ones((4, 3), np.float32))
    normalised(a)
    with lb.explain() as why:
        normalised(b)
    made = only(why.compilations)
    assert (made.change.now, made.change.before) == ("float32[4, 3]", "float64[4, 3]")
    assert made.nearest.line == lines(normalised, "scaled = ")


def test_what_is_in_the_cache_is_not_compiled_and_not_listed(container):
    x = lb.asarray(np.ones(3))
    normalised(x)
    with lb.explain() as why:
        normalised(x)
    assert why.compilations == []
    assert "Compilations: 0" in str(why)


def test_a_scalar_that_varies_is_named_with_both_values(container):
    x = lb.asarray(np.ones(3))
    with lb.explain() as why:
        for rate in (0.5, 0.25, 0.125):
            (x - rate * x).tolist()
    _, made = why.compilations
    assert (made.reason, made.change.kind, made.count) == ("scalar", "scalar", 1)
    assert (made.change.now, made.change.before) == ("0.25", "0.5")
    assert "parameter from now on" in str(made)


def test_scalars_that_settings_keep_constant_are_told_each_time(make_container):
    with make_container({"name": "numpy", "interpretations": 0}, deterministic=True, recording={"direct": False}):
        x = lb.asarray(np.ones(3))
        with lb.explain() as why:
            for rate in (0.5, 0.25, 0.125):
                (x * rate).tolist()
    _, made = why.compilations
    assert (made.reason, made.change.kind, made.count) == ("outputs", "scalar", 2)
    assert made.change.now == "0.125"
    assert "deterministic" in str(made)


def test_an_attribute_is_named_with_both_values(container):
    x = lb.asarray(np.ones((3, 3)))
    with lb.explain() as why:
        for axis in (0, 1):
            x.sum(axis=axis).tolist()
    _, made = why.compilations
    assert (made.change.kind, made.change.operation, made.change.note) == ("attribute", "sum", "axis")
    assert (made.change.now, made.change.before) == ("(1,)", "(0,)")


def test_another_operation_is_named_with_the_one_that_was_there(container):
    x = lb.asarray(np.ones(3))
    with lb.explain() as why:
        for function in (lb.sin, lb.cos):
            (function(x + 1.0) * 2.0).tolist()
    _, made = why.compilations
    assert (made.change.kind, made.change.now, made.change.before) == ("operation", "cos", "sin")
    assert made.change.position == 1


def test_a_loop_with_one_more_round_has_operations_more(container):
    x = lb.asarray(np.ones(3))

    def run(rounds):
        y = x
        for _ in range(rounds):
            y = lb.sin(y)
        return y.tolist()

    with lb.explain() as why:
        run(3)
        run(5)
        run(2)
    _, longer, shorter = why.compilations
    assert (longer.change.kind, longer.change.now, longer.change.before) == (
        "operation",
        "2 operations more",
        "the end",
    )
    assert (shorter.change.now, shorter.change.before) == ("the end", "1 operation more")


def test_an_array_that_is_in_use_now_is_named(container):
    x = lb.asarray(np.ones(3))

    def run(keep):
        doubled = x + x
        tripled = doubled * 3.0
        if not keep:
            del doubled
        return tripled.tolist()

    with lb.explain() as why:
        run(keep=False)
        run(keep=True)
    _, made = why.compilations
    assert (made.reason, made.change.kind, made.change.operation) == ("outputs", "live", "add")
    assert made.change.text == "doubled = x + x"


def test_a_buffer_that_is_shared_now_is_named(container):
    def grow(x):
        x = x + 1.0
        lb.mark_step()
        return x

    x = lb.asarray(np.zeros(2000)) + 1.0
    lb.mark_step()
    with lb.explain() as why:
        for _ in range(5):
            x = grow(x)
        kept = x
        x = grow(x)
    assert kept.shape == x.shape
    made = why.compilations[-1]
    assert (made.reason, made.change.kind, made.change.operation) == ("outputs", "donation", "add")
    assert made.change.note == "float64[2000]"


def test_one_array_twice_is_another_computation_than_two_arrays(container):
    a, b = lb.asarray(np.ones(3)), lb.asarray(np.ones(3))
    with lb.explain() as why:
        for other in (b, a):
            (a * other + 1.0).tolist()
    _, made = why.compilations
    assert (made.change.kind, made.change.operation) == ("aliasing", "multiply")
    assert "used before" in made.change.now


def test_an_operand_that_came_from_outside_is_told_from_one_of_the_recording(container):
    a = lb.asarray(np.ones(3))
    with lb.explain() as why:
        for read in (False, True):
            b = lb.sin(a)
            if read:
                b.tolist()
            ((b + a) * b).tolist()
    assert why.compilations[-1].change.kind in ("operation", "operand")


@pytest.mark.filterwarnings("ignore::latebind.errors.RecompilationWarning")
def test_one_reason_at_one_line_is_one_paragraph_with_a_count(container):
    arrays = [lb.asarray(np.ones((n, 3))) for n in range(2, 12)]
    with lb.explain() as why:
        for x in arrays:
            normalised(x)
    first, rest = why.compilations
    assert (first.count, rest.count) == (1, 9)
    assert rest.change.now == "float64[11, 3]"
    assert "is the last of 9 compiled" in str(rest)
    assert "Compilations: 10," in str(why)


def test_what_the_cache_dropped_is_recognised(make_container):
    settings = {"recording": {"direct": False}, "cache": {"max_entries": 1}}
    with make_container({"name": "numpy", "interpretations": 0}, **settings):
        x = lb.asarray(np.ones(3))
        with lb.explain() as why:
            for function in (lb.sin, lb.sum, lb.sin):
                np.asarray(function(x))
    assert [made.change.kind for made in why.compilations if made.change][-1:] == ["dropped"]
    assert why.tallies.evicted == 2
    assert "cache.max_entries" in str(why.compilations[-1])


def test_a_captured_function_says_what_its_own_explanation_says(container):
    @lb.compile
    def step(x, depth):
        return x * 2.0 if depth > 2 else x + 1.0

    with lb.explain() as why:
        for shape, depth in ((3, 1), (4, 1), (4, 3)):
            step(lb.asarray(np.ones(shape)), depth)
    first, again = why.compilations[0], [made for made in why.compilations if made.reason == "recaptured"]
    assert first.reason == "captured"
    assert first.function.endswith("step")
    told = [line.partition(": ")[2] for line in step.explain()]
    assert len(told) == 2
    assert again[-1].change.now.partition(", whose")[0] == told[-1].partition(", whose")[0]


def test_an_explanation_is_plain_data_too(container):
    with lb.explain() as why:
        for n in (3, 4):
            normalised(lb.asarray(np.ones(n)))
    data = json.loads(json.dumps(why.as_dict()))
    assert data["compilations"][1]["change"]["kind"] == "type"
    assert data["compilations"][1]["paragraph"] == str(why.compilations[1])
    assert data["synchronisations"][0]["reason"] == "float()"


def test_explanations_nest_and_are_used_once(container):
    x = lb.asarray(np.ones(3))
    with lb.explain() as outer:
        normalised(x)
        with lb.explain() as inner:
            (x * 5.0 - 1.0).tolist()
    assert (len(outer.compilations), len(inner.compilations)) == (2, 1)
    with pytest.raises(ExplanationError, match="used already"), outer:
        pass


def test_what_ran_without_compiling_is_said(make_container):
    with make_container("numpy"):
        x = lb.asarray(np.ones(3))
        with lb.explain() as why:
            normalised(x)
    assert why.tallies.interpreted == 1
    assert "too new to be worth compiling" in str(why)


def test_eager_execution_is_said(make_container):
    with make_container("numpy", eager=True):
        x = lb.asarray(np.ones(3))
        with lb.explain() as why:
            normalised(x)
    assert "eager: true" in str(why)


def test_a_program_that_never_repeats_itself_is_said_to_run_directly(make_container):
    def run():
        for size in range(1, 400):
            x = lb.asarray(np.ones(size))
            (x * 2.0 + 1.0).tolist()

    with make_container("numpy"), lb.explain() as why:
        run()
    assert why.tallies.direct > 0
    assert "directly, because the program did not repeat itself" in str(why)


def test_what_has_not_run_is_said(container):
    x = lb.asarray(np.ones(3))
    with lb.explain() as why:
        y = x + 1.0
        assert "1 operation is recorded and has not run" in str(why)
    assert y.shape == (3,)


def test_a_program_without_source_has_its_file_and_number(container):
    with lb.explain() as why:
        exec(compile("y = x + 1.0\nfloat(y.sum())", "<session>", "exec"), {"x": lb.asarray(np.ones(3))})
    made = only(why.compilations)
    assert (made.line, made.text) == ("<session>:2", "")
    assert made.lines == "<session>:1-2"


def test_without_source_lines_a_compilation_is_explained_all_the_same(make_container):
    settings = {"recording": {"source_lines": False, "direct": False}}
    with make_container({"name": "numpy", "interpretations": 0}, **settings), lb.explain() as why:
        for n in (3, 4):
            normalised(lb.asarray(np.ones(n)))
    assert why.compilations[1].change.now == "float64[4]"
    assert "a line that is not known" in str(why)


FIRST_DIFFERENCES = {
    "kind of number": (lambda x: x * 2, lambda x: x * 2.0, "type", "a Python float", "a Python int"),
    "NumPy's number": (
        lambda x: x * 2.0,
        lambda x: x * np.float64(2),
        "type",
        "a number of dtype float64",
        "a Python float",
    ),
    "number for an array": (lambda x: x * x, lambda x: x * 2.0, "type", "a Python float", "float64[4, 6]"),
    "length of a slice": (lambda x: x[1:3], lambda x: x[1:4], "attribute", "[slice of 3, :]", "[slice of 2, :]"),
    "start of a slice": (lambda x: x[1:3], lambda x: x[2:4], "scalar", "2", "1"),
    "new axis": (lambda x: x[None], lambda x: x[:, None], "attribute", "[:, None, :]", "[None, :, :]"),
    "dtype": (lambda x: x.astype(lb.float32), lambda x: x.astype(lb.int64), "attribute", "int64", "float32"),
    "number of operands": (
        lambda x: lb.concat([x, x]),
        lambda x: lb.concat([x, x, x]),
        "operand",
        "3 operands",
        "2 operands",
    ),
}


@pytest.mark.parametrize("what", FIRST_DIFFERENCES)
def test_the_first_difference_is_in_the_users_words(container, what):
    before, now, kind, *values = FIRST_DIFFERENCES[what]
    x = lb.asarray(np.arange(24.0).reshape(4, 6))
    with lb.explain() as why:
        for function in (before, now):
            function(x).tolist()
    made = why.compilations[-1]
    assert (made.change.kind, made.change.now, made.change.before) == (kind, *values)
    assert f"{values[0]}, and " in str(made)


def test_an_explanation_that_fails_is_logged_and_the_program_goes_on(container, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("latebind.explaining.collector.analyse", fail)
    with lb.explain() as why:
        assert normalised(lb.asarray(np.ones(3))) == 9.0
    assert why.compilations == []
    assert "an observer failed" in caplog.text
