"""`python -m tests.benchmarks [--only NAME,...] [--contenders NAME,...] [--quick] [--json FILE] [--plot FILE]`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from tests.benchmarks import machine
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.goals import goals
from tests.benchmarks.plot import PlotError, write_plot
from tests.benchmarks.report import show, write_markdown
from tests.benchmarks.results import Results
from tests.benchmarks.scenarios import COLD_WORKLOADS, MICRO, Plan, all_micro, run
from tests.benchmarks.workloads import WORKLOADS

_FOLDER = Path("bench-results")
#: Groups of measurements besides those of the micro-benchmarks.
_GROUPS = ("imports", "workloads", "cold", *MICRO)


def main() -> int:
    """Run what was asked for, print it and write it; return 1 if a result of latebind's was wrong or missing."""
    parser = _parser()
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 240)
    progress = Console(stderr=True)
    results = Results(machine.describe() | {"threads": str(options.threads)}, options.quick)
    plan = _plan(parser, options, progress)
    console.print(f"{results.machine['processor']}; load {results.machine['load']}", highlight=False)
    interrupted = False
    try:
        run(plan, results)
    except KeyboardInterrupt:
        interrupted = True
        console.print("interrupted: what follows was measured before", style="red")
    show(results, console)
    _write(options, results, console)
    return 130 if interrupted else int(_latebind_failed(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="latebind beside its peers.")
    groups = ", ".join(_GROUPS)
    parser.add_argument(
        "--only", type=_names, metavar="NAME,...", help=f"groups ({groups}), workloads, or micro-benchmarks"
    )
    parser.add_argument("--contenders", type=_names, metavar="NAME,...", help=f"of {', '.join(CONTENDERS)}")
    parser.add_argument("--quick", action="store_true", help="toy sizes and two rounds: whether it runs, no figures")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads and processors of each contender")
    parser.add_argument("--json", type=Path, default=_FOLDER / "results.json", metavar="FILE")
    parser.add_argument("--plot", type=Path, default=_FOLDER / "results.png", metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="replace the figures at the end of this page")
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _plan(parser: argparse.ArgumentParser, options: argparse.Namespace, progress: Console) -> Plan:
    """Turn the options into a plan; what is not known is refused by name."""
    micro = all_micro()
    known = {*_GROUPS, *micro, *WORKLOADS}
    for name in options.only or ():
        if name not in known:
            parser.error(f"unknown measurement '{name}': known are {', '.join(sorted(known))}")
    for name in options.contenders or ():
        if name not in CONTENDERS:
            parser.error(f"unknown contender '{name}': known are {', '.join(CONTENDERS)}")
    only = set(options.only or _GROUPS)
    for group, module in MICRO.items():
        if group in only:
            only |= set(importlib.import_module(f"tests.benchmarks.{module}").CASES)
    return Plan(
        contenders=options.contenders or list(CONTENDERS),
        micro={name: path for name, path in micro.items() if name in only},
        workloads=[name for name in WORKLOADS if name in only or "workloads" in only],
        cold=COLD_WORKLOADS[: 1 if options.quick else None] if "cold" in only else (),
        imports="imports" in only,
        quick=options.quick,
        threads=options.threads,
        tell=lambda line: progress.print(f"... {line}", style="dim", highlight=False),
    )


def _write(options: argparse.Namespace, results: Results, console: Console) -> None:
    options.json.parent.mkdir(parents=True, exist_ok=True)
    data = results.as_json() | {"goals": [asdict(goal) for goal in goals(results)]}
    options.json.write_text(json.dumps(data, indent=1) + "\n")
    console.print(f"written: {options.json}", highlight=False)
    try:
        write_plot(results, options.plot)
        console.print(f"written: {options.plot}", highlight=False)
    except PlotError as error:
        console.print(str(error), style="yellow", highlight=False)
    if options.markdown is not None:
        write_markdown(results, options.markdown)
        console.print(f"written: {options.markdown}", highlight=False)


def _latebind_failed(results: Results) -> bool:
    """Whether latebind was wrong or failed anywhere; a backend that is not installed is no failure."""
    comparisons = [*results.micro.values(), *results.workloads.values()]
    return any(
        name.startswith("latebind") and kind != "missing"
        for comparison in comparisons
        for name, (kind, _) in comparison.problems.items()
    )


if __name__ == "__main__":
    sys.exit(main())
