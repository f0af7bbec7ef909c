"""The benchmark runs, watches its processes, and reads goals off what it measured. No wall time is asserted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.benchmarks.case import Spread, geometric_mean, growth_exponent
from tests.benchmarks.comparison import Comparison
from tests.benchmarks.goals import Goal, goals
from tests.benchmarks.report import MARKER, write_markdown
from tests.benchmarks.results import Results
from tests.benchmarks.scenarios import all_micro, case_named
from tests.benchmarks.worker import answer
from tests.benchmarks.workers import ContenderError, Process
from tests.benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).parents[2]


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the package as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "app")},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], Path]:
    """What a quick run of a few measurements prints, its JSON, and its folder."""
    folder = tmp_path_factory.mktemp("benchmarks")
    done = benchmarks(
        "--quick",
        "--only=jacobi,mlp,chain_of_adds,compiled_call_1,unseen_20,imports,cold",
        "--contenders=numpy,latebind-numpy",
        f"--json={folder / 'results.json'}",
        f"--plot={folder / 'results.png'}",
        f"--markdown={folder / 'page.md'}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads((folder / "results.json").read_text()), folder


def test_a_run_measures_what_was_asked_for(quick_run: tuple[str, dict[str, Any], Path]) -> None:
    printed, results, _ = quick_run
    assert set(results["micro"]) == {"chain_of_adds", "compiled_call_1", "unseen_20", "imports"}
    assert set(results["workloads"]) == {"jacobi", "mlp"}
    for name in results["workloads"]:
        taken = results["workloads"][name]["taken"]
        assert set(taken) == {"numpy", "latebind-numpy"}, name
        assert all(value > 0 for values in taken.values() for value in values), name
        assert set(results["first_calls"][0][name]) == {"numpy", "latebind-numpy"}
        assert name in printed and results["operations"][name][1] > 4
    assert [set(cold["second"]) for cold in results["cold"]] == [{"numpy", "latebind-numpy"}]


def test_goals_are_printed_as_markdown(quick_run: tuple[str, dict[str, Any], Path]) -> None:
    printed, results, folder = quick_run
    page = (folder / "page.md").read_text()
    assert len(results["goals"]) > 20 and MARKER in page
    for goal in results["goals"]:
        assert f"| {goal['what']} | {goal['goal']} | {goal['measured']} |" in printed
        assert f"| {goal['what']} |" in page


def test_a_plot_is_written_or_its_absence_is_explained(quick_run: tuple[str, dict[str, Any], Path]) -> None:
    printed, _, folder = quick_run
    plot = folder / "results.png"
    assert plot.read_bytes().startswith(b"\x89PNG") if plot.exists() else "no plot: Matplotlib" in printed


@pytest.mark.parametrize(
    ("arguments", "known"),
    [(("--only", "nonsense"), "black_scholes"), (("--contenders", "nonsense"), "latebind-xla")],
)
def test_unknown_names_are_refused_with_the_known_ones(arguments: tuple[str, str], known: str) -> None:
    done = benchmarks(*arguments)
    assert done.returncode == 2
    assert "nonsense" in done.stderr and known in done.stderr


def test_names_of_measurements_are_unique() -> None:
    micro = all_micro()
    assert not set(micro) & set(WORKLOADS)
    for path in micro.values():
        case = case_named(path)
        assert case.title and case.contenders and case.rounds >= 3, path


@pytest.fixture
def process() -> Iterator[Process]:
    """NumPy's process."""
    started = Process("numpy", threads=1)
    yield started
    started.stop(kill=True)


def test_a_contender_that_hangs_is_killed(process: Process) -> None:
    process.ask("begin")
    os.kill(process.pid, signal.SIGSTOP)  # it will never answer
    with pytest.raises(ContenderError, match=r"no answer in 0\.2 s: killed") as caught:
        process.ask("close", timeout=0.2)
    assert caught.value.kind == "hangs" and caught.value.fatal


def test_a_contender_whose_process_ends_is_reported(process: Process) -> None:
    process.ask("begin")
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(ContenderError, match="-9") as caught:
        process.ask("close")
    assert caught.value.kind == "died"


def test_a_contender_that_is_not_installed_is_missing() -> None:
    class Absent:
        def begin(self) -> None:
            from tests.benchmarks.libraries.library import MissingError

            raise MissingError("not importable: No module named 'absent'")

    assert answer(Absent(), {"do": "begin"}) == {"missing": "not importable: No module named 'absent'"}


def test_a_wrong_result_and_an_error_are_told_apart() -> None:
    class Broken:
        def check(self) -> None:
            raise AssertionError("\nNot equal to tolerance\n\nresult 0\n")

        def measure(self) -> None:
            raise ValueError("too small\nby far")

    assert answer(Broken(), {"do": "check"}) == {"wrong": "Not equal to tolerance result 0"}
    failed = answer(Broken(), {"do": "measure"})
    assert failed["failed"] == "ValueError: too small" and "in measure" in failed["traceback"]


def test_summaries_of_measurements() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(1.5, 2.0, 2.5)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0)
    assert growth_exponent([10, 100, 1000], [3, 30, 300]) == pytest.approx(1.0)


def measured(name: str, **taken: float) -> Comparison:
    """A comparison with the same figure in every round."""
    return Comparison(name, name, "ms", taken={key.replace("_", "-"): [value] * 3 for key, value in taken.items()})


def verdicts(results: Results) -> dict[str, Goal]:
    return {goal.what: goal for goal in goals(results)}


def test_goals_of_micro_benchmarks_are_ratios_of_medians() -> None:
    results = Results({}, quick=True)
    assert all(goal.met is None for goal in goals(results))
    results.micro["mlp_step"] = measured("mlp_step", latebind_xla=1.0, latebind_numpy=1.0, torch_lazy=6.0)
    results.micro["one_operation"] = measured("one_operation", latebind_xla=11.0, latebind_numpy=11.0, jax_jit=10.0)
    found = verdicts(results)
    assert found["MLP step, `xla`"].met is True
    assert found["MLP step, `numpy`"].met is False
    assert found["warm step of 1 operation, `xla`"].met is True
    assert found["warm step of 1 operation, `numpy`"].met is False


def test_goals_of_workloads_name_what_is_below_them() -> None:
    results = Results({}, quick=True)
    results.workloads["chain"] = measured("chain", numpy=60.0, jax_jit=10.0, latebind_xla=10.0)
    results.workloads["jacobi"] = measured("jacobi", numpy=60.0, jax_jit=10.0, latebind_xla=20.0)
    results.workloads["lu"] = measured("lu", numpy=60.0, jax_jit=10.0, latebind_xla=100.0)
    results.operations = {"chain": (100.0, 20), "jacobi": (100.0, 20), "lu": (5.0, 20)}
    results.first_calls = [{"chain": {"numpy": 60.0, "latebind-xla": 300.0, "jax-jit": 100.0}}]
    steady = {goal.goal: goal for goal in goals(results) if goal.what.startswith(("steady", "sum"))}
    assert steady["at least 5 times NumPy"].measured.endswith("below: jacobi 3.00")
    assert steady["none below 0.9 of NumPy"].met is True
    assert steady["none below 0.5 of NumPy"].met is True
    assert steady["at least the hand-written `jax.jit` version's speed"].met is False
    assert steady["at most 1.5 times NumPy's"].measured == "5.00 times; `jax.jit` 1.67"
    results.workloads["lu"].taken["latebind-xla"] = [200.0] * 3
    steady = {goal.goal: goal for goal in goals(results)}
    assert steady["none below 0.5 of NumPy"].met is False
    assert "lu 0.300" in steady["none below 0.5 of NumPy"].measured


def test_a_workload_without_a_figure_keeps_a_goal_from_being_met() -> None:
    results = Results({}, quick=True)
    results.workloads["chain"] = measured("chain", numpy=60.0, jax_jit=10.0, latebind_xla=5.0)
    results.workloads["adi"] = measured("adi", numpy=60.0, jax_jit=10.0)
    results.workloads["adi"].problems["latebind-xla"] = ("hangs", "no answer in 120 s: killed")
    steady = {goal.goal: goal for goal in goals(results)}
    assert steady["at least the hand-written `jax.jit` version's speed"].met is False
    assert "no figure for adi" in steady["at least the hand-written `jax.jit` version's speed"].measured


def test_markdown_replaces_the_figures_and_keeps_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\ntext\n\n{MARKER}\nold figures\n")
    results = Results({"processor": "a processor", "numpy": "2"}, quick=True)
    results.workloads["chain"] = measured("chain", numpy=60.0, latebind_xla=5.0)
    results.workloads["chain"].problems["mlx"] = ("wrong", "result 0 differs")
    write_markdown(results, page)
    text = page.read_text()
    assert text.startswith("# Title\n\ntext\n") and "old figures" not in text
    assert "| chain (fused) | NaN |".lower() in text.lower() and "12.0 (12.0-12.0)" in text
    assert "- mlx, chain: wrong: result 0 differs" in text
