"""The command that users run, on right, wrong and broken backends."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from tests.conformance.runs import ROOT, kit, run_kit

from latebind.testing.plugin import WHAT_TO_PASS

pytestmark = pytest.mark.slow


def test_table_ends_the_run():
    done = run_kit(kit("test_operations"), "-k", "stablehlo::sine", backend="numpy")
    assert done.returncode == 0, done.stdout
    assert "latebind conformance: numpy" in done.stdout
    assert re.search(r"stablehlo::sine +\d+ +passed +native", done.stdout)


def test_table_is_whole_under_xdist():
    done = run_kit(kit("test_operations"), "-k", "stablehlo::sine", "-n", "2", backend="numpy")
    assert done.returncode == 0, done.stdout
    alone = run_kit(kit("test_operations"), "-k", "stablehlo::sine", backend="numpy")
    row = re.search(r"stablehlo::sine +\d+ .*", alone.stdout)
    assert row is not None and row[0] in done.stdout


def test_backend_may_be_a_configuration_file(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("backend:\n  name: numpy\n  devices: 3\n")
    done = run_kit(kit("test_devices"), kit("test_execution"), "-k", "device", backend=str(path))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_run_without_a_backend_says_what_to_pass(arguments):
    done = run_kit(kit(), *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert WHAT_TO_PASS in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_run_by_path_without_a_backend_says_what_to_pass():
    done = run_kit("app/latebind/testing/conformance/test_devices.py")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert WHAT_TO_PASS in done.stderr


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("Explodes", "the engine is on fire"),
        ("Abstract", "abstract"),
        ("NoBackend", "has to be a subclass of latebind.backends.interface.Backend"),
        ("Missing", "Missing"),
        ("no_such_package.backend:Engine", "no_such_package"),
        ("nunpy", "did you mean 'numpy'?"),
        ("no/such/file.yaml", "file.yaml"),
    ],
)
def test_backend_that_cannot_be_built_is_one_failure_that_blames_it(backend, reason):
    done = run_kit(kit(), backend=backend)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "1 failed in" in done.stdout
    assert "cannot be built, so nothing of it was checked" in done.stdout
    assert backend in done.stdout and reason in done.stdout


@pytest.mark.parametrize(
    ("backend", "module", "caught"),
    [
        ("WrongShapes", "test_execution", "test_execution_repeats"),
        ("SharesOnCopy", "test_data", "test_a_copy_is_a_snapshot[float32]"),
        ("SharesOnCopy", "test_data", "test_shared_memory_is_not_owned[int8]"),
        ("IgnoresExports", "test_donation", "test_exported_view_never_changes"),
        ("IgnoresExports", "test_donation", "test_shared_host_memory_never_changes"),
        ("IgnoresExports", "test_donation", "test_identity_result_outlives_its_argument"),
        ("DropsSecondForm", "test_lowering", "test_context_with_post_order_has_lowered_it"),
        ("DropsSecondForm", "test_lowering", "test_context_with_emission_map_takes_what_is_emitted"),
        ("TruncatesScalars", "test_data", "test_scalars_are_exact[int64]"),
        ("ForgetsArguments", "test_execution", "test_wrong_number_of_arguments_is_an_error[1]"),
    ],
)
def test_interface_that_is_wrong_is_named(backend, module, caught):
    done = run_kit(kit(module), backend=backend)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert f"  interface::{caught}" in done.stdout, done.stdout


def test_right_interface_passes_where_the_wrong_ones_fail():
    modules = ["test_data", "test_execution", "test_donation", "test_lowering"]
    done = run_kit(*map(kit, modules), backend="numpy")
    assert done.returncode == 0, done.stdout


def test_declared_deviation_is_expected():
    done = run_kit(kit("test_operations"), "-k", "stablehlo::tan[", backend="DeclaresWrongTangent")
    assert done.returncode == 0, done.stdout
    assert re.search(r"stablehlo::tan +\d+ +\d+ deviate as declared", done.stdout)


def test_deviation_that_is_gone_fails_the_run():
    done = run_kit(kit("test_operations"), "-k", "stablehlo::negate", backend="DeclaresTooMuch")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "every case passes now, so remove it from the backend's `deviations`" in done.stdout


def test_gaps_and_fallbacks_are_in_the_table():
    done = run_kit(
        kit("test_operations"), "-k", "stablehlo::tan[ or chlo::asin[ or add[float", backend="LacksOperations"
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"stablehlo::add +\d+ +passed +native; by fallback: float16", done.stdout)
    assert re.search(r"stablehlo::tan +\d+ +passed +by fallback", done.stdout)
    assert re.search(r"chlo::asin +\d+ +passed +by decomposition", done.stdout)


def test_wrong_program_is_shrunk_to_a_script_that_shows_it():
    done = run_kit(kit("test_programs"), "-k", "compiled", "--latebind-examples", "200", backend="UnstableSort")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    found = re.search(r"^import numpy as np\n.*?sep=[^\n]*$", done.stdout, re.MULTILINE | re.DOTALL)
    assert found is not None, done.stdout
    program = found[0]
    assert program.count("lb.argsort(") == 1 and len(program.splitlines()) < 30, program
    shown = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'app'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "reference:" in shown.stdout and "tested:" in shown.stdout


IMPORTS = """
import sys
import pytest
import latebind
before = set(sys.modules)
import latebind.testing.plugin
print(*sorted(set(sys.modules) - before))
"""


def test_plugin_imports_nothing_of_its_own():
    """pytest loads it in every run where latebind is installed."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env={"PYTHONPATH": str(ROOT / "app")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["latebind.testing", "latebind.testing.fixtures", "latebind.testing.plugin"]
