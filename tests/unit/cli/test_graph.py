"""`latebind graph`: what is printed and written for each compiled graph, also of programs that go wrong."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from tests.engines import need

STEPS = """
import latebind as lb

x = lb.asarray([1.0, 2.0, 3.0])
for _ in range(12):
    x = x * 2.0 + 1.0
    lb.mark_step()
total = float(lb.sum(lb.sin(x)))
print("done")
"""
RAISES = STEPS + "raise ValueError('on purpose')\n"


def headings(out: str) -> list[tuple[str, str]]:
    return re.findall(r"^// (graph \d+), computation_\d+(: .*)$", out, re.MULTILINE)


def test_each_graph_is_shown_once_as_recorded_and_as_the_backend_lowers_it(latebind, program):
    outcome = latebind("graph", program(STEPS))
    assert headings(outcome.out) == [
        ("graph 1", ": a new graph; 2 operations, 1 result"),
        ("graph 2", ": a new graph; 2 operations, 1 result"),
    ]
    assert outcome.out.count("// recorded:") == outcome.out.count("// final:") == 2
    assert re.search(r'array\.sin .* loc\(".*program\.py":8\)', outcome.out)
    # Graphs can be piped: what the program prints is not among them.
    assert "done" not in outcome.out
    assert "done" in outcome.err


def test_text_is_the_default(latebind, program):
    path = program(STEPS)
    names = re.compile(r"computation_\d+")
    first, second = (names.sub("", latebind("graph", path, *more).out) for more in ((), ("--text",)))
    assert first == second


def test_every_stage_and_the_backends_own_text(latebind, program):
    out = latebind("graph", program(STEPS), "--stages", "--graph", "2").out
    for heading in ("// recorded:", "// expanded:", "// simplified:", "// decomposed:", "// final:", "# numpy"):
        assert out.count(heading) == 1
    assert len(headings(out)) == 1
    assert "sin(" in out[out.index("# numpy") :]


def test_two_backends_side_by_side(latebind, program):
    need("jax")
    out = latebind("graph", program(STEPS), "--backend", "numpy", "--backend", "xla", "--stage", "backend").out
    assert re.search(r"^numpy +xla$", out, re.MULTILINE)
    left, right = out[: out.index("stablehlo.sine")], out[out.index("stablehlo.sine") :]
    assert "def computation_" in left
    assert "XLA's optimised HLO" in right


def test_dot_svg_and_html(latebind, program, tmp_path):
    path = program(STEPS)
    assert latebind("graph", path, "--dot").out.count("digraph") == 2
    outcome = latebind("graph", path, "--svg", "g.svg", "--html", "g.html")
    assert outcome.out == ""
    assert re.findall(r"written: (.*)", outcome.err) == ["g-1.svg", "g-2.svg", "g.html"]
    for name in ("g-1.svg", "g-2.svg"):
        ET.parse(tmp_path / name)
    assert (tmp_path / "g.html").read_text().startswith("<!doctype html>")
    latebind("graph", path, "--svg", "one.svg", "--graph", "1")
    assert (tmp_path / "one.svg").exists()


def test_json_has_the_nodes_the_edges_and_the_lines(latebind, program):
    path = program(STEPS)
    first = latebind("graph", path, "--json").json["graphs"][0]
    assert [node["operation"] for node in first["nodes"]] == [
        "an input",
        "stablehlo::constant",
        "array::multiply",
        "stablehlo::constant",
        "array::add",
    ]
    assert first["edges"] == [[0, 2], [1, 2], [2, 4], [3, 4]]
    assert first["nodes"][2]["line"] == f"{path}:6"


def test_times_are_measured_where_the_backend_can(latebind, program, tmp_path):
    assert latebind("graph", program(STEPS), "--time", "--html", "g.html").code == 0
    page = (tmp_path / "g.html").read_text()
    assert "run 12 times, operation by operation; 2 operations, 1 result" in page
    times = [float(each) for each in re.search(r'"seconds":\[([^]]*)\]', page)[1].split(",")]
    assert [each > 0 for each in times] == [False, False, True, False, True]


def test_without_times_there_is_nothing_to_colour_by(latebind, program, tmp_path):
    latebind("graph", program(STEPS), "--html", "g.html")
    assert '"seconds":[' not in (tmp_path / "g.html").read_text()


def test_a_program_that_raises_leaves_its_graphs_and_its_traceback(latebind, program, tmp_path):
    outcome = latebind("graph", program(RAISES), "--html", "g.html")
    assert outcome.code == 1
    assert "ValueError: on purpose" in outcome.err
    assert (tmp_path / "g.html").read_text().count('"operations":2') == 2
    assert len(headings(latebind("graph", program(RAISES)).out)) == 2


def test_a_program_that_never_waits_shows_what_ran_at_its_end(latebind, program):
    out = latebind("graph", program("import latebind as lb\nx = lb.sin(lb.ones((2,)))\n")).out
    assert "array.sin" in out


def test_a_program_that_records_nothing(latebind, program):
    outcome = latebind("graph", program("print('nothing')\n"))
    assert (outcome.code, outcome.out) == (0, "")
    assert "no graph was compiled" in outcome.err


def test_graphs_of_several_threads(latebind, program):
    threads = """
import threading
import latebind as lb

def work(count):
    x = lb.asarray([1.0] * count)
    print(float(lb.sum(lb.cos(x))))

threads = [threading.Thread(target=work, args=[count]) for count in (2, 3, 4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    out = latebind("graph", program(threads)).out
    assert sorted(set(re.findall(r"array\.cos %arg0 : (\S+)", out))) == [f"tensor<{count}xf64>" for count in (2, 3, 4)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--html", "missing/g.html"), "'missing/g.html' cannot be written"),
        (("--svg", "."), "'.' cannot be written"),
        (("--stage", "optimised"), "there is no 'optimised'"),
        (("--text", "--dot"), "give one of --text, --dot and --json"),
        (("--dot", "--stages"), "it draws one stage of one backend's graph"),
        (("--backend", "numpy", "--backend", "numpy"), "give one backend, or two that differ"),
        (("--time",), "give --html too"),
        (("--time", "--html", "g.html", "--backend", "xla"), "cannot tell what an operation costs"),
    ],
)
def test_wrong_usage_is_said_before_the_program_runs(latebind, program, monkeypatch, arguments, message):
    if "xla" in arguments:
        need("jax")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    outcome = latebind("graph", program(STEPS), *arguments)
    assert outcome.code == 2
    assert message in " ".join(re.sub(r"[│╭╮╰╯─]", " ", outcome.err).split())
    assert "done" not in outcome.err


def test_a_graph_that_is_not_there(latebind, program):
    outcome = latebind("graph", program(STEPS), "--graph", "9")
    assert outcome.code == 1
    assert "there is no graph 9: 2 were compiled" in outcome.err


def test_a_program_that_is_not_there(latebind):
    assert latebind("graph", "missing.py").code == 2
