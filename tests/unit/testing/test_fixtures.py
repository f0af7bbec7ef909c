"""The pytest fixtures, in a project of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # starts processes

TESTS = {
    "own": """
import numpy as np
import pytest
import latebind as lb
from latebind.runtime.current import current_executor

def test_the_container_is_current_and_runs_on_numpy(latebind_container):
    assert latebind_container.backend().name == "numpy"
    assert lb.zeros(3)._ground.executor is latebind_container.executor()

@pytest.mark.latebind(backend={"name": "numpy", "devices": 2}, recording={"limit": 7})
class TestMarker:
    def test_it_holds_settings(self, latebind_container):
        settings = latebind_container.settings()
        assert (settings.backend.devices, settings.recording.limit) == (2, 7)

    @pytest.mark.latebind(recording={"limit": 8})
    def test_the_nearest_wins_key_by_key(self, latebind_container):
        settings = latebind_container.settings()
        assert (settings.backend.devices, settings.recording.limit) == (2, 8)

@pytest.mark.latebind("own.yaml")
def test_a_file_is_read(latebind_container):
    assert latebind_container.settings().cache.max_entries == 3

def test_the_environment_does_not_leak_in(latebind_container):
    assert latebind_container.settings().seed is None

@pytest.mark.latebind(environment=True)
def test_the_environment_counts_where_it_is_asked_for(latebind_container):
    assert latebind_container.settings().seed == 5
""",
    "override": """
import numpy as np
import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.containers import build_container, default_container

class Fake(NumpyBackend):
    pass

def test_the_tests_container_is_overridden(latebind_container, latebind_override_backend):
    first, second = Fake(), Fake()
    assert latebind_override_backend(first) is first
    assert latebind_override_backend(second) is second
    assert latebind_container.backend() is second
    assert lb.zeros(2)._ground.executor.backend is second
    assert not isinstance(default_container().backend(), Fake)

def test_without_a_container_of_its_own_it_is_the_process_default(latebind_override_backend):
    latebind_override_backend(Fake())
    assert lb.zeros(2)._ground.executor.backend is default_container().backend()
    assert isinstance(default_container().backend(), Fake)
    raise ValueError("this test fails")

def test_the_override_ended_with_the_test_that_failed():
    assert not isinstance(default_container().backend(), Fake)

def test_a_container_may_be_given(latebind_override_backend):
    container = build_container(backend="numpy")
    latebind_override_backend(Fake(), container)
    assert isinstance(container.backend(), Fake) and not isinstance(default_container().backend(), Fake)
    container.close()
""",
    "closed": """
kept = []

def test_one(latebind_container):
    kept.append(latebind_container)
    assert not latebind_container.closed

def test_two():
    from latebind.runtime.current import current_executor
    assert kept[0].closed
""",
    "wrong": """
import pytest

@pytest.mark.latebind(recordng={})
def test_wrong(latebind_container):
    pass
""",
}


@pytest.fixture
def run(tmp_path: Path):
    """Run one of the test files in a process of its own, with the fixtures as a plugin; return its report."""

    def run_file(name: str, **environment: str) -> str:
        (tmp_path / f"test_{name}.py").write_text(TESTS[name])
        (tmp_path / "own.yaml").write_text("cache: {max_entries: 3}\nbackend: numpy\n")
        command = [sys.executable, "-m", "pytest", "-p", "latebind.testing.fixtures", "--strict-markers", "-q", "-x"]
        command = [*command[:-1], "-p", "no:cacheprovider", f"test_{name}.py"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env={**_environment(), **environment}, check=False
        )
        return done.stdout + done.stderr

    return run_file


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "LATEBIND_BACKEND": "numpy", "PYTHONPATH": str(Path("app").resolve())}


def test_the_container(run):
    assert "6 passed" in run("own", LATEBIND_SEED="5")


def test_overrides(run):
    report = run("override")
    assert "3 passed" in report and "1 failed" in report
    assert "ValueError: this test fails" in report


def test_the_container_is_closed_after_its_test(run):
    assert "2 passed" in run("closed")


def test_a_wrong_marker_is_said_with_the_nearest_key(run):
    assert "unknown key 'recordng' (marker latebind); did you mean 'recording'?" in run("wrong")


def test_importing_the_testing_tools_imports_no_engine_and_no_settings_library():
    heavy = {"pydantic", "yaml", "dependency_injector", "jax", "torch", "latebind.backends.numpy.backend", "hypothesis"}
    program = (
        "import sys, latebind.testing.fixtures, latebind.testing; "
        f"print(sorted({heavy} & set(sys.modules)), latebind.testing.__all__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_environment()
    )
    assert done.stdout == "[] ['FailingBackend', 'RecordingBackend', 'ShadowBackend']\n"


def test_a_name_that_is_not_there_is_said_so():
    import latebind.testing

    with pytest.raises(AttributeError, match="has no attribute 'BrokenBackend'"):
        latebind.testing.BrokenBackend  # noqa: B018
