"""`latebind graph` in a process of its own, stopped by Ctrl-C; the page's parts are installed with the package."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tests.integration.test_cli import ROOT

FOR_EVER = """
import signal
import sys

import latebind as lb

# Whatever started the tests may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
x = lb.ones((3,))
for step in range(10**12):
    x = x * 0.5 + 0.5
    lb.mark_step()
    if step == 100:
        print("running", file=sys.stderr, flush=True)
"""


def test_ctrl_c_shows_the_graphs_that_there_are(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(FOR_EVER)
    process = subprocess.Popen(
        [sys.executable, "-m", "latebind", "graph", str(program)],
        cwd=tmp_path,
        env=os.environ | {"LATEBIND_BACKEND": "numpy"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait(30)
    assert process.returncode == 130
    assert "// graph 1, computation_0: a new graph" in out
    assert "array.multiply" in out


def test_every_part_of_the_page_is_package_data():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["latebind"]
    package = ROOT / "app" / "latebind"
    parts = [path.relative_to(package) for path in (package / "inspection" / "page").iterdir() if path.is_file()]
    parts = [part for part in parts if part.suffix != ".py"]
    assert Path("inspection/page/page.html") in parts
    assert [part for part in parts if not any(fnmatch(str(part), pattern) for pattern in patterns)] == []
