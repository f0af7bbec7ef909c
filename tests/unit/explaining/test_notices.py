"""What is said of compilations without being asked: warnings for lines that cause many, and log records."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest

import latebind as lb
from latebind.errors import RecompilationWarning


def read(x):
    return float((x * 2.0).sum())


def compiling(make_container, **tracing):
    return make_container({"name": "numpy", "interpretations": 0}, recording={"direct": False}, tracing=tracing)


def run(sizes):
    for size in sizes:
        read(lb.asarray(np.ones(size)))


def test_a_line_that_causes_too_many_compilations_warns_once_where_it_is(make_container, lines):
    with compiling(make_container, warn_after_compilations=3), pytest.warns(RecompilationWarning) as caught:
        run(range(2, 12))
    (warning,) = caught
    assert f"{warning.filename}:{warning.lineno}".endswith(lines(read, "float("))
    assert "has caused 4 compilations" in str(warning.message)
    assert "is float64[5], and was float64[4]" in str(warning.message)


def test_as_many_compilations_as_allowed_are_no_reason_to_warn(make_container):
    with compiling(make_container, warn_after_compilations=3), warnings.catch_warnings():
        warnings.simplefilter("error")
        run((2, 3, 4, 2, 3, 4))


def test_the_default_allows_eight(make_container):
    with compiling(make_container), pytest.warns(RecompilationWarning, match="has caused 9 compilations"):
        run(range(2, 12))


def test_null_never_warns(make_container):
    with compiling(make_container, warn_after_compilations=None), warnings.catch_warnings():
        warnings.simplefilter("error")
        run(range(2, 20))


def test_the_environment_sets_the_number(make_container, monkeypatch):
    monkeypatch.setenv("LATEBIND_TRACING__WARN_AFTER_COMPILATIONS", "1")
    with compiling(make_container), pytest.warns(RecompilationWarning, match="has caused 2 compilations"):
        run((2, 3))


def test_a_line_that_compiles_different_things_compiles_nothing_again(make_container):
    def show(x):
        x.tolist()

    functions = (
        lambda x: lb.sin(x),
        lambda x: lb.sum(x),
        lambda x: x @ x,
        lambda x: lb.cos(x),
        lambda x: lb.exp(x),
    )
    with compiling(make_container, warn_after_compilations=1), warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in functions:
            show(function(lb.asarray(np.ones(3))))


def test_a_warning_that_is_an_error_reaches_the_program(make_container):
    with compiling(make_container, warn_after_compilations=1), warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RecompilationWarning):
            run((2, 3))


def test_each_compilation_has_a_log_record_with_fields(make_container, caplog, lines):
    with caplog.at_level(logging.INFO, "latebind.compilation"), compiling(make_container):
        run((2, 3))
    first, second = [record for record in caplog.records if record.name == "latebind.compilation"]
    assert (first.reason, first.difference, first.nearest) == ("first", None, None)
    assert (second.reason, second.difference, second.nearest) == ("graph", "type", first.computation)
    assert (second.now, second.before) == ("float64[3]", "float64[2]")
    assert second.line == lines(read, "float(")
    assert second.operations == 2
    assert second.seconds > 0
    assert "is float64[3], and was float64[2]" in second.getMessage()


def test_nothing_is_worked_out_where_nobody_listens(make_container, monkeypatch):
    def fail(*_):
        raise AssertionError

    monkeypatch.setattr("latebind.explaining.notices.analyse", fail)
    with compiling(make_container):
        run((2, 3, 4))


def test_equal_code_in_other_files_is_other_lines(make_container):
    with compiling(make_container, warn_after_compilations=1), warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (2, 3, 4):
            code = compile("(x * 2.0).tolist()", f"<cell {size}>", "exec")
            exec(code, {"x": lb.asarray(np.ones(size))})
