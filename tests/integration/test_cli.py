"""The command as a user runs it: in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engines import need

ROOT = Path(__file__).parents[2]


def latebind(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    command = [sys.executable, "-m", "latebind", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    return subprocess.run(command, cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "backend"),
    [
        (("--config", "config/default.yaml"), "tiered"),
        (("--backend", "xla"), "xla"),
        (("--backend", "torch"), "torch"),
        (("--backend", "numpy"), "numpy"),
    ],
    ids=["default configuration", "xla", "torch", "numpy"],
)
def test_the_main_job_reaches_its_accuracy_and_compiles_its_steps_once(tmp_path, arguments, backend):
    need({"xla": "jax", "tiered": "jax"}.get(backend, backend))
    done = latebind("run", "digits", "--json", *arguments, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    report = json.loads(done.stdout)
    assert report["backend"] == backend
    assert report["results"]["accuracy"] >= 0.97
    assert report["cache_hits"] > 10 * report["graphs_compiled"]


def test_the_environment_names_the_backend(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import latebind as lb\nresult = float(lb.sum(lb.asarray([1.0, 2.0]) ** 2))\n")
    done = latebind("run", str(program), "--json", cwd=tmp_path, LATEBIND_BACKEND__NAME="auto")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"]["result"] == 5.0


def test_a_program_that_raises_leaves_with_1_and_its_own_traceback(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import latebind as lb\nx = lb.asarray([1, 2, 3])\nprint(x[5])\n")
    done = latebind("run", str(program), cwd=tmp_path)
    assert done.returncode == 1
    assert "print(x[5])" in done.stderr
    assert str(ROOT / "app" / "latebind") not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("version",), 0), (("run", "nothing.py"), 2), (("config", "check", "Makefile"), 3), (("run", "--wrong"), 2)],
)
def test_exit_codes(arguments, code):
    done = latebind(*arguments)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_ctrl_c_leaves_with_130(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import sys, time\nprint('ready', flush=True)\nwhile True:\n    time.sleep(0.01)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "latebind", "run", str(program)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
