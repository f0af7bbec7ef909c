"""`latebind run --stats`, `--profile`, `--operations`: what is printed and written, also of programs that go wrong."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.unit.profiling.trace_format import checked

STEPS = """
import latebind as lb

x = lb.asarray([1.0, 2.0, 3.0])
for _ in range(12):
    x = x * 2.0 + 1.0
    lb.mark_step()
total = float(lb.sum(x))
"""
SECTIONS = ("phases of ", "graphs, the most expensive first", "lines", "memory: at most ")


def test_stats_are_the_report_and_four_tables_with_the_users_lines(latebind, program):
    path = program(STEPS)
    out = latebind("run", path, "--stats").out
    assert "overhead per operation" in out and "total" in out
    assert [title for title in SECTIONS if f"\n{title}" not in out] == []
    assert "program.py:6" in out and "x = x * 2.0 + 1.0" in out
    assert "from the host" in out


def test_without_stats_there_are_none(latebind, program):
    assert "phases of" not in latebind("run", program(STEPS)).out


def test_stats_as_json(latebind, program):
    stats = latebind("run", program(STEPS), "--stats", "--json").json["stats"]
    assert set(stats) == {"seconds", "phases", "counters", "graphs", "lines", "operations", "memory", "notes"}
    assert sum(graph["runs"] for graph in stats["graphs"]) == 13
    assert stats["phases"]["record"]["times"] == 13
    assert stats["memory"]["arrays"][0]["line"] == "program.py:4"


def test_stats_of_several_backends_name_them(latebind, program):
    out = latebind("run", program(STEPS), "--stats", "--compare", "numpy,tiered").out
    assert "\nnumpy: phases of" in out and "\ntiered: phases of" in out


def test_operations_are_timed_where_the_backend_can(latebind, program):
    outcome = latebind("run", program(STEPS), "--operations", "--json")
    timed = outcome.json["stats"]["operations"]
    assert {(each["name"], each["line"], each["runs"]) for each in timed} == {
        ("multiply", "program.py:6", 12),
        ("add", "program.py:6", 12),
        ("sum", "program.py:8", 1),
    }


def test_a_trace_is_written_beside_the_report(latebind, program, tmp_path):
    outcome = latebind("run", program(STEPS), "--profile", "out.json")
    assert outcome.code == 0
    assert outcome.err == "written: out.json\n"
    assert "phases of" not in outcome.out
    trace = checked(tmp_path / "out.json")
    assert len(trace.of("s")) == 13
    assert {span["args"]["lines"] for span in trace.spans("execute")} >= {"program.py:6"}
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) & 0o600 == 0o600


@pytest.mark.parametrize(
    ("ending", "code", "ended"),
    [
        ("raise ValueError('boom')", 1, "raised ValueError"),
        ("import sys; sys.exit(3)", 1, "left with sys.exit(3)"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
        ("lb.zeros((2,)) + lb.zeros((3,))", 1, "raised ShapeMismatchError"),
    ],
)
def test_a_program_that_ends_badly_leaves_what_there_is(latebind, program, tmp_path, ending, code, ended):
    path = program(STEPS + ending)
    outcome = latebind("run", path, "--stats", "--profile", "out.json")
    assert outcome.code == code
    assert [title for title in SECTIONS if f"\n{title}" not in outcome.out] == []
    assert "ended by" in outcome.out and ended in outcome.out
    assert "written: out.json" in outcome.err
    assert ("boom" in outcome.err) == ("boom" in ending)
    assert len(checked(tmp_path / "out.json").of("s")) == 13
    report = latebind("run", path, "--stats", "--json").json
    assert ended in report["ended_by"] and report["results"] == {}


def test_a_program_that_ends_badly_in_a_comparison_leaves_the_runs_before_it(latebind, program):
    text = (
        "import os, sys\nfrom latebind.backends.registrar import get_backend\nif get_backend().name != 'numpy': 1 / 0"
    )
    report = latebind("run", program(text), "--stats", "--json", "--compare", "numpy,tiered").json
    assert [run["backend"] for run in report["runs"]] == ["numpy", "tiered"]
    assert ["ended_by" in run for run in report["runs"]] == [False, True]


def test_a_program_that_never_asks_for_a_value_ran_nothing(latebind, program):
    outcome = latebind("run", program("import latebind as lb\ndef f():\n    lb.ones((3,)) * 2\nf()\n"), "--stats")
    assert outcome.code == 0
    assert "graphs, the most expensive first\n  nothing\n" in outcome.out


def test_arrays_that_are_left_at_the_end_of_a_program_are_its_results_and_run(latebind, program):
    report = latebind("run", program("import latebind as lb\nx = lb.ones((3,)) * 2\n"), "--stats", "--json").json
    assert [graph["where"] for graph in report["stats"]["graphs"]] == ["program.py:2"]


@pytest.mark.parametrize("target", ["missing/out.json", "."])
def test_an_output_file_that_cannot_be_written_is_refused_before_the_program_runs(latebind, program, tmp_path, target):
    outcome = latebind("run", program("open('ran', 'w')"), "--profile", target, "--stats")
    assert outcome.code == 2
    assert outcome.err.startswith(f"latebind: the profile cannot be written to {target!r}: ")
    assert outcome.out == ""
    assert not (tmp_path / "ran").exists()


def test_a_file_that_can_no_longer_be_written_at_the_end_does_not_hide_the_results(latebind, program, tmp_path):
    (tmp_path / "gone").mkdir()
    text = "import os\nfor name in os.listdir('gone'):\n    os.remove(f'gone/{name}')\nos.rmdir('gone')\nresult = 2.5\n"
    outcome = latebind("run", program(text), "--profile", "gone/out.json")
    assert outcome.code == 2
    assert "2.5" in outcome.out
    assert "the profile cannot be written to 'gone/out.json'" in outcome.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_does_not_hide_the_results(latebind, program):
    outcome = latebind("run", program(STEPS), "--stats", "--profile", "/dev/full")
    assert outcome.code == 2
    assert "total" in outcome.out and "phases of" in outcome.out
    assert "the profile cannot be written to '/dev/full': No space left on device" in outcome.err


def test_a_trace_is_of_one_run(latebind, program):
    outcome = latebind("run", program(STEPS), "--profile", "out.json", "--compare", "numpy,numpy")
    assert outcome.code == 2
    assert "a trace is of one run" in " ".join(outcome.err.split())


def test_a_trace_may_go_to_a_device(latebind, program):
    outcome = latebind("run", program(STEPS), "--profile", "/dev/null")
    assert outcome.code == 0


def test_a_hundred_thousand_operations(latebind, program, tmp_path):
    loop = "for _ in range(50_000):\n    x = x * 0.5 + 0.5\n"
    text = f"import latebind as lb\nx = lb.ones((2,))\n{loop}total = float(x[0])\n"
    report = latebind("run", program(text), "--stats", "--profile", "out.json", "--json").json
    checked(tmp_path / "out.json")
    by_line = {line["line"]: line["operations"] for line in report["stats"]["lines"]}
    assert by_line["program.py:4"] == 100_000


def test_a_program_with_threads_has_a_track_for_each(latebind, program, tmp_path):
    text = (
        "import threading\nimport latebind as lb\n"
        "def work():\n    x = lb.ones((3,))\n    for _ in range(8):\n        x = x + 1.0\n        lb.mark_step()\n"
        "threads = [threading.Thread(target=work, name=f'trainer {i}') for i in range(3)]\n"
        "[thread.start() for thread in threads]\n[thread.join() for thread in threads]\n"
    )
    assert latebind("run", program(text), "--profile", "out.json").code == 0
    assert {f"trainer {index}" for index in range(3)} <= set(checked(tmp_path / "out.json").threads.values())


def test_code_without_a_file_keeps_its_line_numbers(latebind, program):
    text = "import latebind as lb\nexec(compile('y = lb.ones((3,)) + 1\\nlb.sync(y)', '<typed in>', 'exec'))\n"
    report = latebind("run", program(text), "--stats", "--json").json
    assert [graph["where"] for graph in report["stats"]["graphs"]] == ["<typed in>:1"]


def test_what_the_json_names_is_json(latebind, program):
    json.loads(latebind("run", program(STEPS), "--stats", "--operations", "--json").out, parse_constant=_refuse)


def _refuse(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")
