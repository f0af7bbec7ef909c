"""The benchmarks run, with the peers that are installed, and print what they promise. No wall time is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

#: Per group: contenders that every run has, peers that are there or listed as missing, and the number of tables.
PROMISED: dict[str, tuple[set[str], set[str], int]] = {
    "per_operation": (
        {"latebind", "NumPy eager"},
        {"PyTorch eager", "PyTorch lazy core", "JAX eager", "MLX", "jax.make_jaxpr"},
        3,
    ),
    "small_steps": (
        {"latebind", "latebind, compiled", "NumPy eager"},
        {"PyTorch eager", "PyTorch lazy core", "JAX eager", "jax.jit", "MLX", "MLX compiled"},
        2,
    ),
    "graph_size": ({"10", "1000"}, {"PyTorch lazy core", "MLX"}, 3),
    "in_place_memory": ({"latebind", "NumPy eager"}, {"PyTorch eager", "jax.jit, donating"}, 1),
    "import_time": ({"latebind", "NumPy", "required dependencies"}, {"PyTorch", "JAX", "MLX"}, 1),
    "unseen_graph": ({"latebind", "latebind.compile", "NumPy eager"}, {"PyTorch lazy core", "jax.jit", "MLX"}, 1),
    "mlp_step": (
        {"latebind", "latebind, compiled", "NumPy eager"},
        {"PyTorch eager", "PyTorch lazy core", "jax.jit", "MLX"},
        1,
    ),
    "backends_overhead": (
        {"about 100 us: 16,384 float32", "compiled: bare ÷ latebind", "recorded: bare ÷ latebind"},
        set(),
        2,
    ),
    "backends_throughput": (
        {"latebind, xla", "latebind, xla, compiled", "latebind, numpy", "NumPy eager"},
        {"numexpr", "jax.jit", "PyTorch eager"},
        2,
    ),
    "backends_cold": (
        {"latebind, xla, empty disk cache", "latebind, xla, filled disk cache", "NumPy eager"},
        {"jax.jit"},
        1,
    ),
    "random_numbers": ({"latebind", "NumPy eager"}, {"jax.jit", "PyTorch eager"}, 12),
}


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the package as a user does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "app")}
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What one run of all groups prints, and its JSON."""
    result = tmp_path_factory.mktemp("benchmarks") / "result.json"
    done = benchmarks("--quick", "--json", str(result))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(result.read_text())


def test_every_group_prints_what_it_promises(quick_run: tuple[str, dict[str, Any]]) -> None:
    printed, result = quick_run
    groups = {group["name"]: group for group in result["groups"]}
    assert list(groups) == list(PROMISED)
    assert result["failed"] == []
    for name, (always, peers, tables) in PROMISED.items():
        group = groups[name]
        assert len(group["tables"]) == tables, name
        rows = [row for table in group["tables"] for row in table["rows"]]
        columns = {column for table in group["tables"] for column in table["columns"]}
        measured = {str(row[0]) for row in rows if row[1] != "missing"} | (columns - set(group["missing"]))
        assert always <= measured, name
        assert peers <= measured | set(group["missing"]), name
        assert all(len(row) == len(table["columns"]) for table in group["tables"] for row in table["rows"]), name
        for table in group["tables"]:
            assert table["title"] in printed, name
        for peer, reason in group["missing"].items():
            assert reason and f"Missing: {peer}" in printed, name


def test_comparisons_have_absolute_values_spread_and_ratios(quick_run: tuple[str, dict[str, Any]]) -> None:
    _, result = quick_run
    compared = [table for group in result["groups"] for table in group["tables"] if "÷ latebind" in table["columns"]]
    assert compared
    for table in compared:
        assert table["columns"] == ["contender", "median", "quartiles", "÷ latebind", "quartiles of the ratio"]
        for name, median, _, ratio, _ in table["rows"]:
            assert median == "missing" or (median > 0 and ratio > 0), name
            assert name != "latebind" or ratio == 1


def test_unknown_group_is_refused_by_name() -> None:
    done = benchmarks("--only", "nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr and "per_operation" in done.stderr
