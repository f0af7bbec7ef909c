"""`latebind explain`: what is printed of a program's compilations and waits, also of programs that go wrong."""

from __future__ import annotations

import json

import pytest

SIZES = """
import latebind as lb

for size in range(2, 6):
    x = lb.ones(size)
    print(float((x * 2.0 + 1.0).sum()))
"""
SETTINGS = "backend: {name: numpy, interpretations: 0}\nrecording: {direct: false}\n"


@pytest.fixture
def compiled(tmp_path):
    """Path of settings with which every graph is compiled at its first sight."""
    path = tmp_path / "settings.yaml"
    path.write_text(SETTINGS)
    return str(path)


def test_compilations_have_a_paragraph_and_waits_a_line(latebind, program, compiled):
    outcome = latebind("explain", program(SIZES), "--config", compiled)
    assert outcome.code == 0
    assert "Compilations: 4," in outcome.out
    words = " ".join(outcome.out.split())
    assert "is the last of 3 compiled by numpy for this reason" in words
    assert "shape of `full` at program.py:5 is (5,), and was (4,) at program.py:5" in words
    (line,) = [line for line in outcome.out.splitlines() if "float()" in line]
    assert line.split()[:3] == ["program.py:6", "float()", "4"]


def test_paragraphs_are_as_wide_as_the_terminal(latebind, program, compiled, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = latebind("explain", program(SIZES), "--config", compiled).out
    paragraphs = out.partition("Compilations")[2].partition("Synchronisations")[0]
    assert 50 < max(map(len, paragraphs.splitlines())) <= 60


def test_what_the_program_prints_is_printed(latebind, program):
    assert latebind("explain", program(SIZES)).out.startswith("6.0\n9.0\n")


def test_json_is_all_of_standard_output(latebind, program, compiled):
    outcome = latebind("explain", program(SIZES), "--config", compiled, "--json")
    document = outcome.json
    assert document["ended_by"] is None
    assert [made["count"] for made in document["compilations"]] == [1, 3]
    assert document["compilations"][1]["change"]["before"] == "(4,)"
    waits = {wait["reason"]: wait["count"] for wait in document["synchronisations"]}
    assert waits["float()"] == 4
    assert outcome.err.startswith("6.0\n9.0\n")


def test_a_program_that_raises_leaves_what_there_is(latebind, program, compiled):
    outcome = latebind("explain", program(SIZES + "raise KeyError('end')\n"), "--config", compiled)
    assert outcome.code == 1
    assert "raised KeyError" in outcome.out
    assert "Compilations: 4," in outcome.out
    assert "KeyError: 'end'" in outcome.err


def test_a_program_that_raises_leaves_json(latebind, program):
    outcome = latebind("explain", program(SIZES + "1 / 0\n"), "--json")
    assert outcome.code == 1
    assert "ZeroDivisionError" in json.loads(outcome.out)["ended_by"]


def test_a_program_without_arrays_has_nothing_to_explain(latebind, program):
    out = latebind("explain", program("print('hello')")).out
    assert "Compilations: 0" in out
    assert "hello" in out


def test_the_end_of_the_program_is_named_where_its_results_are_read(latebind, program):
    out = latebind("explain", program("import latebind as lb\nx = lb.ones(3) * 2.0\n")).out
    assert "the end of the program" in out


def test_arguments_reach_the_program(latebind, program):
    out = latebind("explain", program("import sys\nprint(sys.argv[1:])"), "--", "--rate", "2").out
    assert "['--rate', '2']" in out


def test_a_program_that_is_not_there_is_wrong_usage(latebind):
    assert latebind("explain", "missing.py").code == 2


def test_wrong_settings_are_wrong_configuration(latebind, program, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("tracing: {warn_after_compilations: 0}")
    outcome = latebind("explain", program(SIZES), "--config", str(wrong))
    assert outcome.code == 3
    assert "warn_after_compilations" in outcome.err
