"""`python -m tests.benchmarks.serving [--seconds S] [--clients 1,8,64] [--soak SECONDS [--json FILE]]`.

The load comes from wrk (Debian: `apt-get install wrk`), with one connection per client that asks again as soon as it
has its answer. Contenders take turns, so that a busy machine hits all alike; figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy
import orjson
from rich.console import Console
from rich.table import Table
from tests.benchmarks.serving.programs import MODELS, write_configuration
from tests.benchmarks.serving.servers import bare, latebind
from tests.benchmarks.serving.soak import soak

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


def main() -> int:
    """Measure, and print a table for each model; return 1 if an answer was wrong or missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving")
    parser.add_argument("--seconds", type=float, default=4.0, help="of load in each turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", default="1,8,64,256", help="numbers of clients")
    parser.add_argument("--soak", type=float, help="seconds of mixed good and bad traffic, and nothing else")
    parser.add_argument("--json", type=Path, help="file for the report of --soak as JSON")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    if options.soak:
        return soak(options.soak, console, options.json)
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        wrk = shutil.which("wrk")
        if wrk is None:
            parser.error("the load generator wrk is missing: apt-get install wrk, or brew install wrk")
        config = write_configuration(Path(folder))
        servers = {"latebind": stack.enter_context(latebind(config, Path(folder, "log"))).url}
        for engine in ("jax", "numpy"):
            servers[f"FastAPI, {engine}"] = stack.enter_context(bare(engine))
        for model in MODELS:
            script = load_script(Path(folder), model)
            clients = [int(one) for one in options.clients.split(",")]
            console.print(table(wrk, servers, model, script, clients, options.seconds, options.rounds))
    return 0


def table(
    wrk: str, servers: dict[str, str], model: str, script: Path, clients: list[int], seconds: float, rounds: int
) -> Table:
    """Measure one model."""
    found = Table(title=f"{model}: requests per second; p50 and p99 in ms", title_justify="left")
    found.add_column("clients", justify="right")
    for name in servers:
        found.add_column(name, justify="right")
    found.add_column("latebind / jax", justify="right")
    for count in clients:
        runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in servers}
        for turn in range(rounds):
            names = list(servers)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                url = servers[name] + f"/v2/models/{model}/infer"
                runs[name].append(measure(wrk, url, script, count, seconds))
                settle(url, model)
        cells = []
        for name in servers:
            rate, p50, p99 = (statistics.median(column) for column in zip(*runs[name], strict=True))
            cells.append(f"{rate:,.0f}; {p50:.1f}, {p99:.1f}")
        ratios = [ours[0] / theirs[0] for ours, theirs in zip(runs["latebind"], runs["FastAPI, jax"], strict=True)]
        found.add_row(str(count), *cells, f"{statistics.median(ratios):.2f}")
    return found


def measure(wrk: str, url: str, script: Path, clients: int, seconds: float) -> tuple[float, float, float]:
    """Return requests per second, and the median and 99th percentile of the latency in ms."""
    arguments = [
        wrk,
        "-t1",
        f"-c{clients}",
        f"-d{seconds:.0f}s",
        "--timeout",
        "30s",
        "--latency",
        "-s",
        str(script),
        url,
    ]
    text = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text or not re.search(r" [1-9]\d* requests in ", text):
        raise RuntimeError(f"requests failed:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))  # type: ignore[union-attr]
    p50, p99 = (_milliseconds(re.search(rf"{share}%\s+([\d.]+)(\w+)", text)) for share in (50, 99))
    return rate, p50, p99


def settle(url: str, model: str) -> None:
    """Wait until a server has worked off what clients that are gone left in its queue."""
    with urllib.request.urlopen(urllib.request.Request(url, request_body(model).encode()), timeout=300):
        pass


def _milliseconds(match: Any) -> float:
    return float(match.group(1)) * _UNITS[match.group(2)]


def load_script(folder: Path, model: str) -> Path:
    """Write what wrk sends."""
    script = folder / f"{model}.lua"
    kind = "wrk.headers['Content-Type'] = 'application/json'"
    script.write_text(f"wrk.method = 'POST'\nwrk.body = '{request_body(model)}'\n{kind}\n")
    return script


def request_body(model: str) -> str:
    """Return a request for one row of numbers."""
    width = MODELS[model][0]
    data = numpy.random.default_rng(1).uniform(size=width).round(4).tolist()
    return orjson.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, width], "data": data}]}).decode()


if __name__ == "__main__":
    sys.exit(main())
