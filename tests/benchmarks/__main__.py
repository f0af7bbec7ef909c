"""`python -m tests.benchmarks [--only NAME ...] [--json FILE] [--markdown FILE] [--quick]`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from tests.benchmarks import machine
from tests.benchmarks.markdown import write_figures
from tests.benchmarks.tables import Report, show, show_behind

#: Modules of this package, in the order in which they run.
GROUPS = (
    "per_operation",
    "small_steps",
    "graph_size",
    "in_place_memory",
    "import_time",
    "unseen_graph",
    "mlp_step",
    "backends_overhead",
    "backends_throughput",
    "backends_cold",
    "random_numbers",
)


class GroupError(Exception):
    """A group could not run; the message holds its traceback."""


def main() -> int:
    """Run groups and print what they measured; return 1 if one could not run."""
    options = _options()
    for variable in [name for name in os.environ if name.startswith("LATEBIND_")]:
        del os.environ[variable]
    names = options.only or list(GROUPS)
    console = Console(width=None if sys.stdout.isatty() else 132)
    facts = machine.describe()
    if not options.worker:
        console.print(f"{facts['processor']}; {facts['python']}; load {facts['load']}", highlight=False)
    reports, failed = [], []
    for name in names:
        start = perf_counter()
        try:
            report = _run_here(name, options.quick) if options.quick or options.worker else _run_apart(name)
        except GroupError as error:
            failed.append(name)
            console.print(str(error), style="red", markup=False, highlight=False)
            continue
        report["seconds"] = perf_counter() - start
        reports.append(report)
        if not options.worker:
            show(report, console)
    if not options.worker:
        show_behind(reports, console)
    if options.markdown is not None:
        write_figures(options.markdown, facts, reports)
    if options.json is not None:
        result = {"machine": facts, "quick": options.quick, "groups": reports, "failed": failed}
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Ratios of latebind to its peers.")
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="NAME", help=f"groups to run: {', '.join(GROUPS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured to this file")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="replace the figures at the end of this page")
    parser.add_argument("--quick", action="store_true", help="few repeats, in one process: a check that it runs")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_here(name: str, quick: bool) -> dict[str, Any]:
    try:
        report: Report = importlib.import_module(f"tests.benchmarks.{name}").run(quick)
    except Exception:
        raise GroupError(f"{name} failed:\n{traceback.format_exc()}") from None
    return asdict(report)


def _run_apart(name: str) -> dict[str, Any]:
    """Run a group in a process of its own, so that no group finds the heap and the threads of another."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "tests.benchmarks", "--worker", "--only", name, "--json", str(result)]
        done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
        if done.returncode:
            raise GroupError(done.stdout + done.stderr)
        report: dict[str, Any] = json.loads(result.read_text())["groups"][0]
        return report


if __name__ == "__main__":
    sys.exit(main())
