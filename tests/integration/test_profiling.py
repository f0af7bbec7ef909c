"""`latebind run --stats --profile` in a process of its own: signals, terminals, and the real engines."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest
from tests.engines import need
from tests.integration.test_cli import ROOT, latebind
from tests.unit.profiling.trace_format import checked

DEADLINE = 30.0
FOR_EVER = """
import latebind as lb

x = lb.ones((3,))
for step in range(10**12):
    x = x * 0.5 + 0.5
    lb.mark_step()
    if step == 100:
        print("running", flush=True)
"""
#: A program whose compiler is done when somebody presses enter.
SLOW_COMPILER = """
import sys

import latebind as lb
from latebind.backends.registrar import get_backend

backend = type(get_backend())
compile = backend.compile

def slowly(self, computations):
    sys.stdin.readline()
    return compile(self, computations)

backend.compile = slowly
x = lb.ones((3,)) * 2
lb.sync(x)
print("done", flush=True)
"""


@pytest.mark.parametrize("profiled", [True, False], ids=["with a trace", "tables only"])
def test_ctrl_c_prints_and_writes_what_there_is(tmp_path, profiled):
    program = tmp_path / "program.py"
    program.write_text(FOR_EVER)
    trace = ("--profile", "out.json") if profiled else ()
    process = subprocess.Popen(
        [sys.executable, "-m", "latebind", "run", str(program), "--stats", *trace],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, err
    assert "KeyboardInterrupt" in out
    assert re.search(r"^ +program.py:6 +[\d,]+ .*x = x \* 0.5 \+ 0.5$", out, re.MULTILINE), out
    assert "Traceback" not in err
    if profiled:
        assert len(checked(tmp_path / "out.json").of("s")) >= 100


def test_a_program_that_raises_leaves_its_tables_its_traceback_and_a_trace(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import latebind as lb\nx = lb.ones((3,))\nlb.sync(x)\nprint(1 / 0)\n")
    done = latebind("run", str(program), "--stats", "--profile", "out.json", cwd=tmp_path)
    assert done.returncode == 1
    assert "phases of" in done.stdout and "program.py:2" in done.stdout
    assert "ZeroDivisionError" in done.stderr and "print(1 / 0)" in done.stderr
    assert str(ROOT / "app" / "latebind") not in done.stderr
    assert len(checked(tmp_path / "out.json").of("s")) == 1


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_write_protected_is_found_out_before_the_program_runs(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("print('ran')")
    folder = tmp_path / "protected"
    folder.mkdir(mode=0o500)
    done = latebind("run", str(program), "--profile", "protected/out.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "Permission denied" in done.stderr and done.stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "tiered", "xla", "torch"])
def test_every_backend_has_every_phase_in_its_tables_and_its_trace(tmp_path, backend):
    need({"xla": "jax", "tiered": "jax"}.get(backend, backend))
    program = tmp_path / "program.py"
    steps = "for _ in range(12):\n    x = lb.sin(x) * 2.0\n    lb.mark_step()\n"
    program.write_text(f"import latebind as lb\nx = lb.asarray([1.0, 2.0])\n{steps}total = float(lb.sum(x))\n")
    options = ("--backend", backend, "--stats", "--json", "--profile", "out.json")
    done = latebind("run", str(program), *options, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    trace = checked(tmp_path / "out.json")
    for category in ("record", "lower", "compile", "execute", "transfer", "wait"):
        assert trace.spans(category), category
    assert len(trace.of("s")) == 13
    stats = json.loads(done.stdout)["stats"]
    assert sum(graph["runs"] for graph in stats["graphs"]) == 13
    assert {line["line"] for line in stats["lines"]} >= {"program.py:4", "program.py:5", "program.py:6"}
    assert any("waited for" in note for note in stats["notes"]) == (backend in ("xla", "tiered"))


def test_the_page_s_program_prints_tables_and_metrics_and_writes_a_trace(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "profiling.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "program.py").write_text("\n".join(blocks))
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for shown in ("phases of", "program.py:7", "Counter: CachedCompile", 'latebind_steps_total{job="train"} 50'):
        assert shown in done.stdout
    assert len(checked(tmp_path / "out.json").of("s")) == 50


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_compilation_longer_than_a_second_is_shown_on_a_terminal_and_erased(tmp_path):
    import pty

    program = tmp_path / "program.py"
    program.write_text(SLOW_COMPILER)
    config = tmp_path / "config.yaml"
    config.write_text("backend: {name: numpy, interpretations: 0}\n")
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "latebind", "run", str(program), "--config", str(config)],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"COLUMNS": "200"},
        text=True,
    )
    os.close(theirs)
    assert process.stdin is not None
    try:
        shown = _read_until(terminal, r"latebind: compiling computation_\d+ for (\d+) s \(program\.py:\d+\)")
        assert int(shown[1]) >= 1
        out, _ = process.communicate("\n", timeout=DEADLINE)
        assert "done" in out
        assert process.returncode == 0
        assert _rest(terminal).endswith("\r\x1b[2K")
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def _read_until(terminal: int, pattern: str) -> re.Match[str]:
    """Read from a terminal until it shows this."""
    seen, deadline = "", time.monotonic() + DEADLINE
    while (found := re.search(pattern, seen)) is None:
        assert select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0], seen
        seen += os.read(terminal, 4096).decode()
    return found


def _rest(terminal: int) -> str:
    """Return what is still to be read from a terminal that nobody writes to any more."""
    parts = []
    with contextlib.suppress(OSError):  # how Linux says that this was all
        while part := os.read(terminal, 4096):
            parts.append(part)
    return b"".join(parts).decode()


def test_no_progress_where_standard_error_is_no_terminal(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(SLOW_COMPILER)
    done = latebind("run", str(program), cwd=tmp_path, LATEBIND_BACKEND="numpy")
    assert done.returncode == 0
    assert done.stderr == ""
