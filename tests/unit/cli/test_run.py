"""`latebind run`: whose output goes where, what the report has, and what becomes of errors."""

from __future__ import annotations

import sys

import pytest

ADD = "import latebind as lb\nx = lb.asarray([1.0, 2.0, 3.0])\ny = x + x\ntotal = float(lb.sum(y))\nlb.mark_step()\n"


def test_a_file_runs_as_main_with_its_arguments_and_its_folder(latebind, program):
    program("value = 41", "beside.py")
    path = program("import sys, beside\nprint(__name__, sys.argv[1:], beside.value + 1)")
    outcome = latebind("run", path, "one", "--", "--two")
    assert outcome.out.splitlines()[0] == "__main__ ['one', '--two'] 42"
    assert outcome.code == 0
    assert sys.argv[1:] != ["one", "--two"]
    sys.modules.pop("beside")


def test_the_report_has_what_was_run_and_what_it_cost(latebind, program):
    out = latebind("run", program(ADD)).out
    for row in (
        "backend",
        "device",
        "cpu:0",
        "graphs compiled",
        "for a scalar's promotion",
        "cache hits",
        "cache misses",
        *(f"time to {phase}" for phase in ("record", "lower", "compile", "execute", "transfer")),
        "operations per step",
        "overhead per operation",
        "total",
    ):
        assert row in out


def test_json_has_standard_output_to_itself(latebind, program):
    outcome = latebind("run", program("print('hello')\n" + ADD), "--json")
    report = outcome.json
    assert "hello" in outcome.err
    assert (report["backend"], report["device"]) == ("numpy", "cpu:0")
    assert report["results"]["total"] == 12.0
    assert report["results"]["y"] == {"shape": [3], "dtype": "float64", "values": [2.0, 4.0, 6.0]}
    assert report["counters"]["RecordedOps"] >= 2
    assert set(report["phases"]) == {"record", "dispatch", "lower", "compile", "execute", "transfer"}


def test_results_that_json_lacks_are_text(latebind, program):
    report = latebind("run", program("a = float('nan')\nb = float('inf')\n_hidden = 1.0"), "--json").json
    assert report["results"] == {"a": "nan", "b": "inf"}


def test_compare_runs_each_backend_in_a_container_of_its_own(latebind, program):
    path = program("import os\nfrom latebind.backends.registrar import get_backend\nkind = float(id(get_backend()))")
    outcome = latebind("run", path, "--compare", "numpy,numpy", "--json")
    assert [run["backend"] for run in outcome.json["runs"]] == ["numpy", "numpy"]
    (difference,) = outcome.json["differences"]
    assert difference["name"] == "kind" and difference["absolute"] > 0


def test_compare_prints_runs_side_by_side_and_the_largest_difference(latebind, program):
    out = latebind("run", program(ADD), "--compare", "numpy,auto").out
    assert "largest difference from numpy" in out
    assert out.count("numpy") >= 2


@pytest.mark.parametrize("form", ["ir", "text", "dot"])
def test_show_prints_the_compiled_graphs(latebind, program, form):
    path = program(
        "import latebind as lb\nfor _ in range(30):\n    x = lb.asarray([1.0, 2.0]) * 3.0\n    lb.mark_step()\n"
    )
    out = latebind("run", path, "--show", form).out
    assert f"({form})" in out
    assert {"ir": "stablehlo.multiply", "text": "def ", "dot": "digraph"}[form] in out


def test_an_exception_of_the_program_shows_its_own_frames_only(latebind, program):
    outcome = latebind("run", program("def f():\n    raise ValueError('boom')\n\nf()\n"))
    assert outcome.code == 1
    assert "in f\n    raise ValueError('boom')\n" in outcome.err
    assert "ValueError: boom" in outcome.err
    assert "runpy" not in outcome.err and "latebind/cli" not in outcome.err
    assert outcome.err.splitlines()[-1].startswith("latebind: program '")


def test_an_error_of_ours_in_a_program_shows_the_users_line(latebind, program):
    outcome = latebind("run", program("import latebind as lb\nx = lb.zeros((2, 3)) + lb.zeros((4,))\n"))
    assert outcome.code == 1
    assert "x = lb.zeros((2, 3)) + lb.zeros((4,))" in outcome.err
    assert "ShapeMismatchError" in outcome.err
    assert "app/latebind" not in outcome.err


def test_a_chain_of_exceptions_stays(latebind, program):
    text = "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error\n"
    err = latebind("run", program(text)).err
    assert "ZeroDivisionError" in err and "direct cause" in err and "KeyError: 'k'" in err
    assert "runpy" not in err


def test_a_syntax_error_names_the_line(latebind, program):
    outcome = latebind("run", program("x = (1\n"))
    assert outcome.code == 1
    assert "program.py" in outcome.err and "SyntaxError" in outcome.err
    assert "runpy" not in outcome.err


@pytest.mark.parametrize(("leave", "code"), [("sys.exit()", 0), ("sys.exit(0)", 0), ("sys.exit(3)", 1)])
def test_leaving_with_sys_exit(latebind, program, leave, code):
    outcome = latebind("run", program(f"import sys\n{leave}"))
    assert outcome.code == code
    assert ("left with sys.exit(3)" in outcome.err) == (code == 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digts", "there is no program 'digts': did you mean 'digits'?"),
        ("zzzzzz", "there is no program 'zzzzzz': known are digits."),
        ("missing.py", "there is no program file 'missing.py'"),
        ("./", "'./' is no file"),
        ("models.py", "there is no program file 'models.py'; did you mean 'model.py'?"),
        ("data.txt", "'data.txt' is one of latebind's programs if it is a name"),
        ("picture.py", "'picture.py' is no Python program: it has zero bytes"),
    ],
)
def test_a_program_that_does_not_exist(latebind, name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").touch()
    (tmp_path / "data.txt").touch()
    (tmp_path / "picture.py").write_bytes(b"\x89PNG\0")
    outcome = latebind("run", name)
    assert outcome.code == 2
    assert outcome.err.startswith(f"latebind: {message}")


def test_ctrl_c_leaves_with_130(latebind, program):
    assert latebind("run", program("raise KeyboardInterrupt")).code == 130


def test_wrong_usage(latebind, program):
    path = program("")
    assert latebind("run").code == 2
    assert latebind("run", path, "--no-such-option").code == 2
    assert latebind("run", path, "--backend", "numpy", "--compare", "numpy").code == 2
    assert latebind("nonsense").code == 2


def test_wrong_configuration(latebind, program, tmp_path):
    path = program("")
    (tmp_path / "wrong.yaml").write_text("eagr: true")
    for arguments, message in (
        (("--backend", "nunpy"), "'backend.name' (command line): unknown backend 'nunpy'; did you mean 'numpy'?"),
        (("--config", "wrong.yaml"), "unknown key 'eagr' (wrong.yaml:1); did you mean 'eager'?"),
        (("--config", "no.yaml"), "there is no configuration file 'no.yaml', which --config names"),
    ):
        outcome = latebind("run", path, *arguments)
        assert outcome.code == 3
        assert message in outcome.err
        assert len(outcome.err.splitlines()) == 1


def test_a_backend_that_cannot_be_used(latebind, program):
    outcome = latebind("run", program(""), "--backend", "no_such_module:Backend")
    assert outcome.code == 4
    assert outcome.err.startswith("latebind: backend 'no_such_module:Backend' (dotted path) cannot be loaded")
    assert len(outcome.err.splitlines()) == 1


def test_the_container_is_the_default_on_the_programs_threads_too(latebind, program):
    path = program(
        "import threading\nfrom latebind.runtime.current import current_executor\nfound = []\n"
        "thread = threading.Thread(target=lambda: found.append(current_executor()))\nthread.start()\nthread.join()\n"
        "same = float(found[0] is current_executor())\n"
    )
    assert latebind("run", path, "--json").json["results"]["same"] == 1.0


def test_the_environment_chooses_the_backend(latebind, program, monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND__NAME", "numpi")
    outcome = latebind("run", program(""))
    assert outcome.code == 3
    assert "environment variable LATEBIND_BACKEND__NAME" in outcome.err
