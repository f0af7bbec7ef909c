"""`python -m tests.benchmarks.watching [--against APP] [--rounds N] [--quick]`: what watching costs, and not watching.

Fresh processes in turns, all on the `numpy` backend: recording, closing and starting is all that is left to measure
there. Figures are processor time; a ratio is the median over the rounds of a process's time divided by that of the
unwatched process of the same round. The two `unwatched` ones are equal: what lies between them is the error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from time import process_time
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
APP: Final = ROOT / "app"
BASE: Final = "unwatched"
#: Ways to run the cases, and what each sets in the environment.
WAYS: Final[dict[str, dict[str, str]]] = {
    BASE: {},
    "unwatched, again": {},
    "without source lines": {"LATEBIND_RECORDING__SOURCE_LINES": "false"},
    "an observer that does nothing": {},
    "explain()": {},
    "after an explain()": {},
    "profile()": {},
    "after a profile()": {},
    "profile(operations=True)": {},
}
EARLIER: Final = "the other checkout, unwatched"
_REPEATS: Final = 7
_CALLS: Final = 200


def cases(lb: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """Return one call of each case, by name."""
    x, c = lb.ones((4, 4), dtype=lb.float32), lb.ones((4, 4), dtype=lb.float32)
    lb.sync(x, c)

    def step(operations: int) -> Callable[[], object]:
        def run() -> object:
            y = x
            for _ in range(operations):
                y = y + c
            lb.mark_step()
            return y

        return run

    function = lb.compile(lambda x: x + c)
    yield "warm step of 1 operation", step(1)
    yield "warm step of 100 operations", step(100)
    yield "call of a compiled function", lambda: function(x)
    yield "x + c and float of its sum", lambda: float(lb.sum(x + c))


def main() -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.watching", description=__doc__)
    parser.add_argument("--against", type=Path, metavar="APP", help="folder `app` of another checkout, as a baseline")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="one round: whether it runs, no figures")
    parser.add_argument("--measure", choices=list(WAYS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, 2 if options.quick else _REPEATS)))
        return 0
    _show(_rounds(options), options)
    return 0


def measure(way: str, repeats: int) -> dict[str, float]:
    """Return microseconds of processor time per call of each case, in this process: the median of rows of calls."""
    import latebind as lb

    taken = {}
    for name, call in cases(lb):
        with _before(lb, way):
            for _ in range(_CALLS):  # compiled, predicted and warm
                call()
        rows = []
        with _watching(lb, way):
            for _ in range(repeats):
                start = process_time()
                for _ in range(_CALLS):
                    call()
                rows.append((process_time() - start) / _CALLS * 1e6)
        taken[name] = statistics.median(rows)
    return taken


def _before(lb: Any, way: str) -> AbstractContextManager[object]:
    """What is over when the measurement begins."""
    if way.startswith("after"):
        return lb.explain() if "explain" in way else lb.profile()  # type: ignore[no-any-return]
    return nullcontext()


def _watching(lb: Any, way: str) -> AbstractContextManager[object]:
    if way == "explain()":
        return lb.explain()  # type: ignore[no-any-return]
    if way == "an observer that does nothing":
        return _observed(lb)
    if way.startswith("profile"):
        return lb.profile(operations="operations" in way)  # type: ignore[no-any-return]
    return nullcontext()


@contextmanager
def _observed(lb: Any) -> Iterator[None]:
    from latebind.runtime.current import current_executor

    with current_executor().events.watched_by(lambda event: None):
        yield


def _rounds(options: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    """Run every way in a process of its own, once per round, and who goes first rotates."""
    ways = list(WAYS)
    if options.against is not None:
        ways.append(EARLIER)
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(1 if options.quick else options.rounds):
        turn = number % len(ways)
        for way in (*ways[turn:], *ways[:turn]):
            taken[way].append(_child(way, options))
    return taken


def _child(way: str, options: argparse.Namespace) -> dict[str, float]:
    app = options.against.resolve() if way == EARLIER else APP
    known = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    environment = {"PYTHONPATH": os.pathsep.join(map(str, (app, ROOT))), "LATEBIND_BACKEND": "numpy"}
    command = [sys.executable, "-m", "tests.benchmarks.watching", "--measure", BASE if way == EARLIER else way]
    done = subprocess.run(
        [*command, *(["--quick"] if options.quick else [])],
        env=known | environment | WAYS.get(way, {}),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _show(taken: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table
    from tests.benchmarks import machine
    from tests.benchmarks.case import Spread
    from tests.benchmarks.tables import number

    console = Console(width=None if sys.stdout.isatty() else 140)
    facts = machine.describe()
    console.print(f"{facts['processor']}; load {facts['load']}; python {facts['python']}", highlight=False)
    for name in taken[BASE][0]:
        table = Table(title=name)
        table.add_column("")
        for heading in ("us of processor time", f"ratio to {BASE}", "quartiles"):
            table.add_column(heading, justify="right")
        for way, rounds in taken.items():
            ratio = Spread.of([each[name] / base[name] for each, base in zip(rounds, taken[BASE], strict=True)])
            us = statistics.median(each[name] for each in rounds)
            quartiles = "" if way == BASE else f"{ratio.lower:.3f} - {ratio.upper:.3f}"
            table.add_row(way, number(us), f"{ratio.median:.3f}", quartiles)
        console.print(table)


if __name__ == "__main__":
    sys.exit(main())
