"""How long the first result takes in a fresh process: import of the engine, first call, next call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import contenders as peers
from tests.benchmarks.backends_cold_start import COMPILED, PROGRAMS
from tests.benchmarks.measurement import Spread
from tests.benchmarks.tables import Aim, Cell, Report, Table, number

TITLE = "cold start of the backends"
_ROUNDS = 3
_LATEBIND = f"{peers.LATEBIND}, "
_EMPTY, _FILLED = f"{_LATEBIND}xla, empty disk cache", f"{_LATEBIND}xla, filled disk cache"
#: What a filled disk cache has to save.
_AIM = 2


@dataclass(frozen=True, slots=True)
class Contender:
    """A process that is started.

    Attributes
    ----------
    name : str
        In the tables.
    engine : str
        For `backends_cold_start`.
    cached : bool or None
        Whether XLA's disk cache is filled; `None` for none.
    slow : bool
        Whether it takes tens of seconds: it runs in the first round only, for the first program only.
    """

    name: str
    engine: str
    cached: bool | None = None
    slow: bool = False


CONTENDERS = (
    Contender(_EMPTY, "xla", cached=False),
    Contender(_FILLED, "xla", cached=True),
    Contender(f"{_LATEBIND}numpy", "numpy"),
    Contender(f"{_LATEBIND}torchscript", "torchscript"),
    Contender(f"{_LATEBIND}torchscript{COMPILED}", f"torchscript{COMPILED}"),
    Contender(f"{_LATEBIND}inductor", "inductor"),
    Contender(f"{_LATEBIND}inductor{COMPILED}", f"inductor{COMPILED}", slow=True),
    Contender(peers.NUMPY, peers.NUMPY),
    Contender(peers.JIT, peers.JIT),
    Contender(peers.TORCH, peers.TORCH),
    Contender(peers.TORCH_COMPILE, peers.TORCH_COMPILE, slow=True),
)
_QUICK = (_EMPTY, _FILLED, peers.NUMPY, peers.JIT)
#: Import, first call and next call, in ms.
Taken = tuple[float, float, float]


def run(quick: bool) -> Report:
    """Measure each program in turns, each start in a process of its own."""
    report = Report("backends_cold", TITLE)
    programs = list(PROGRAMS)
    for program in programs[1:] if quick else programs:
        wanted = [
            contender
            for contender in CONTENDERS
            if (contender.name in _QUICK or not quick) and (program == programs[0] or not contender.slow)
        ]
        with tempfile.TemporaryDirectory() as folder:
            taken = _round_robin(report, program, wanted, 1 if quick else _ROUNDS, Path(folder))
        _add(report, program, taken)
    return report


def _round_robin(
    report: Report, program: str, contenders: Sequence[Contender], rounds: int, folder: Path
) -> dict[str, list[Taken]]:
    taken: dict[str, list[Taken]] = {}
    filled = folder / "filled"
    for turn in range(rounds):
        for contender in contenders:
            if contender.name in report.missing or (contender.slow and turn):
                continue
            try:
                if contender.cached and not turn:
                    _start(contender, program, filled, folder)  # fills it
                store = filled if contender.cached else Path(tempfile.mkdtemp(dir=folder))
                taken.setdefault(contender.name, []).append(_start(contender, program, store, folder))
            except peers.MissingPeerError as error:
                report.missing[contender.name] = str(error)
    return taken


def _start(contender: Contender, program: str, store: Path, folder: Path) -> Taken:
    """Run one process; its caches are below a new folder, but for XLA's, which is `store`."""
    command = [sys.executable, "-m", "tests.benchmarks.backends_cold_start", contender.engine, program]
    if contender.cached is not None:
        command.append(str(store))
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": tempfile.mkdtemp(dir=folder)}
    done = subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
    if done.returncode == 2:
        raise peers.MissingPeerError(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        raise RuntimeError(f"{contender.name}, {program}: {done.stderr}")
    imported, first, following = json.loads(done.stdout.splitlines()[-1])
    return imported, first, following


def _add(report: Report, program: str, taken: dict[str, list[Taken]]) -> None:
    """Add the table of one program."""
    baseline = taken.get(_EMPTY)
    rows: list[list[Cell]] = []
    ratios: dict[str, Spread] = {}
    for name, starts in taken.items():
        imported, first, following = (Spread.of(column) for column in zip(*starts, strict=True))
        row: list[Cell] = [name, imported.median, first.median, f"{number(first.lower)} to {number(first.upper)}"]
        if baseline is not None:
            # Slow contenders ran in the first rounds only.
            ratios[name] = Spread.of([own[1] / base[1] for own, base in zip(starts, baseline, strict=False)])
            row += [ratios[name].median, following.median]
        else:
            row += [None, following.median]
        rows.append(row)
    columns = ["contender", "import, ms", "first call, ms", "quartiles", "first call ÷ latebind, xla", "next call, ms"]
    notes = [
        "Import: of the library, with its start and, for latebind, the container; NumPy is imported before.",
        "First call: arguments to the engine, record or trace, compile, run, results to the host.",
        "Recorded at first, numpy and torch interpret a new graph; compiled: through latebind.compile.",
        "Inductor and torch.compile start with empty caches of their own, and once only: they take tens of seconds.",
    ]
    report.tables.append(Table(f"first result in a fresh process: {program}", columns, rows, notes))
    report.lost_to(f"first call, {program}", {name: ratio.median for name, ratio in ratios.items()})
    _add_aims(report, program, ratios)


def _add_aims(report: Report, program: str, ratios: dict[str, Spread]) -> None:
    report.aim(f"{program}: the first call on xla is below jax.jit's", ratios.get(peers.JIT), 1)
    filled = ratios.get(_FILLED)
    text = f"{program}: a filled disk cache makes the first call at least {_AIM} times as fast"
    measured = "nothing" if filled is None else f"{number(1 / filled.median)} times"
    report.aims.append(Aim(text, measured, None if filled is None else 1 / filled.median >= _AIM))
