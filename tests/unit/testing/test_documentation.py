"""The examples of docs/testing.md run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from latebind.settings import load_settings

pytestmark = pytest.mark.slow  # starts processes

TEXT = Path("docs/testing.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_the_python_blocks_are_test_files_that_pass(tmp_path):
    module, *tests = blocks("python")
    (tmp_path / "forecast.py").write_text(module)
    for number, test in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(test)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path("app").resolve()), str(tmp_path)])}
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "latebind.testing.fixtures"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{''.join(tests).count('def test_')} passed" in done.stdout


@pytest.mark.parametrize("block", blocks("yaml"))
def test_the_yaml_blocks_are_right(block, tmp_path):
    (tmp_path / "config.yaml").write_text(block)
    assert load_settings(tmp_path / "config.yaml", environ={}, dotenv=None).backend.name == "shadow"
