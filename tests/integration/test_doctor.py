"""`latebind doctor` as a user runs it, on machines where something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # loads every engine that is installed

CRASHING = """
import os
from latebind.backends.numpy.backend import NumpyBackend

class Crashing(NumpyBackend):
    name = "crashing"

    def execute_computation(self, computation, arguments, device):
        os.abort()
"""


@pytest.fixture
def doctor(tmp_path):
    """Run the command in a process of its own, where engines are what the folder has of them: broken ones."""
    for module in ("jax", "jaxlib", "torch"):
        (tmp_path / f"{module}.py").write_text(f"raise ImportError('lib{module}.so: undefined symbol')\n")
    (tmp_path / "crashing.py").write_text(CRASHING)

    def run(*arguments: str, **environment: str):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
        paths = os.pathsep.join(map(str, (tmp_path, ROOT / "app")))
        command = [sys.executable, "-m", "latebind", "doctor", *arguments]
        settings = {"PYTHONPATH": paths, "XDG_CACHE_HOME": str(tmp_path / "cache"), "COLUMNS": "200"}
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=clean | settings | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )

    return run


def test_engines_that_fail_on_import_are_told_apart_from_those_that_are_missing(doctor):
    done = doctor("--json", LATEBIND_BACKEND="numpy")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    states = {each["name"]: each["state"] for each in found["backends"]}
    assert states["numpy"] == "works"
    assert states["xla"] == states["torch"] == "unavailable"
    problems = {each["subject"]: each for each in found["problems"]}
    assert "libjax.so: undefined symbol" in problems["backend xla"]["problem"]
    assert "'latebind[xla]'" in problems["backend xla"]["remedy"]
    assert problems["backend torch"]["severity"] == "warning"


def test_a_configured_backend_that_crashes_is_reported(doctor):
    done = doctor(LATEBIND_BACKEND="crashing:Crashing")
    assert done.returncode == 1, done.stderr
    assert "crashing:Crashing (configured)" in done.stdout
    assert "during the check 'elementwise float64'" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_configured_engine_that_cannot_be_imported_leaves_with_4(doctor):
    done = doctor("--no-self-test", LATEBIND_BACKEND="xla")
    assert done.returncode == 4, done.stderr
    assert "error backend xla: unavailable" in done.stdout
