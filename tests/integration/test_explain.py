"""`latebind explain` in a process of its own, and the programs of docs/explain.md."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engines import need
from tests.integration.test_cli import ROOT, latebind

PAGE = ROOT / "docs" / "explain.md"
FOR_EVER = """
import latebind as lb

x = lb.ones((3,))
for step in range(10**12):
    x = x * 0.5 + 0.5
    float(x[0])
    if step == 100:
        print("running", file=__import__("sys").stderr, flush=True)
"""


def blocks() -> list[str]:
    return re.findall(r"```(?:python)?\n(.*?)```", PAGE.read_text(), re.DOTALL)


def masked(report: str) -> list[str]:
    """Return a report without what differs from run to run: times, and the order that they decide."""
    found = []
    for line in report.splitlines():
        text = re.sub(r"\d[\d.]*(e-\d+)? (ms|s)\b", "T", line)
        text = re.sub(r"^( +[\d,]+) +[\d.,]+", r"\1 T", text)
        found.append(" ".join(text.split()))
    return sorted(line for line in found if not line.startswith("times"))


def test_the_page_s_program_is_explained_as_the_page_says(tmp_path: Path) -> None:
    need("jax")
    program, printed = blocks()[1:3]
    (tmp_path / "train.py").write_text(program)
    settings = {"LATEBIND_BACKEND__PERSISTENT_CACHE": "false"}
    found = latebind("explain", "--backend", "xla", "train.py", cwd=tmp_path, **settings)
    assert found.returncode == 0, found.stderr
    assert masked(found.stdout) == masked(printed)


def test_a_program_that_raises_leaves_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import latebind as lb\nprint(float(lb.ones(3)[0] * 2.0))\n1 / 0\n")
    found = latebind("explain", "program.py", cwd=tmp_path)
    assert found.returncode == 1
    assert "ZeroDivisionError" in found.stderr and "2.0" in found.stderr
    assert re.search(r"1 +[\d.]+ +program.py:2 +float\(\)", found.stdout)


def test_a_program_that_never_waits_says_so(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import latebind as lb\nlb.compile(lambda x: x)\n")
    found = latebind("explain", "program.py", cwd=tmp_path)
    assert found.returncode == 0 and found.stdout.startswith("0 compilations, 0 s\n  recordings: none ran")


def test_json_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import latebind as lb\nprint(float(lb.ones(3)[0] * 2.0))\n")
    found = latebind("explain", "program.py", "--json", cwd=tmp_path)
    document = json.loads(found.stdout)
    assert document["synchronisations"][0]["reason"] == "float()"
    assert document["synchronisations"][0]["line"] == "program.py:2"


def test_a_program_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    found = latebind("explain", "nothing.py", cwd=tmp_path)
    assert found.returncode == 2 and found.stdout == "" and "nothing.py" in found.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as SIGINT")
def test_ctrl_c_prints_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(FOR_EVER)
    process = subprocess.Popen(
        [sys.executable, "-m", "latebind", "explain", "program.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "synchronisations" in printed and "float()" in printed
