"""What a warm call costs beyond the engine's own: programs of 10 us to 10 ms, on a backend and on its bare engine."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from operator import itemgetter

from tests.benchmarks import contenders as peers
from tests.benchmarks.backends_engines import BACKENDS, Engine, on_jit, on_latebind, on_torch, started, warm
from tests.benchmarks.backends_programs import Program, chain
from tests.benchmarks.measurement import Measure, Spread, per_call, round_robin
from tests.benchmarks.tables import Aim, Cell, Report, Table, number

TITLE = "a warm call on a compiled backend, beyond the bare engine's own time"
#: Lengths that programs are to have on the bare engine, in us; each comes near its length at the sizes that are chosen.
LENGTHS = (10, 100, 1_000, 10_000)
#: The length for which there is an aim, and how many times the bare engine's time latebind may take.
AIM_LENGTH, AIM = 1_000, 1.1
_CALLED, _RECORDED = "latebind.compile", "latebind, recorded"
#: Elements that are tried first for the longest program, those of a quick run, and the fewest.
_LARGEST_FIRST, _QUICK, _SMALLEST = 1 << 21, 1 << 14, 16
#: By what factor a program may miss its length, and how often its size is corrected.
_NEAR, _CORRECTIONS = 2, 4
#: Calls of which the fastest says how long a program takes.
_PROBES = 30
#: Every measurement is a row of calls of about this length, in us.
_ROW = 5_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A backend and what it is compared with: the same engine without latebind."""

    backend: str
    peer: str
    on_peer: Callable[[Program], Engine]


PAIRS = (
    Pair("xla", peers.JIT, on_jit),
    Pair("torchscript", peers.TORCH_TRACE, lambda program: on_torch(program, peers.TORCH_TRACE)),
    Pair("inductor", peers.TORCH_COMPILE, lambda program: on_torch(program, peers.TORCH_COMPILE)),
    Pair("eager", peers.TORCH, on_torch),
)
_COLUMNS = (
    "program",
    "bare, us",
    "compiled: bare ÷ latebind",
    "quartiles",
    "beyond, us",
    "recorded: bare ÷ latebind",
    "quartiles ",
    "beyond, us ",
)


def run(quick: bool) -> Report:
    """Measure every backend against its engine."""
    report = Report("backends_overhead", TITLE)
    for pair in PAIRS[:2] if quick else PAIRS:
        _compare(report, pair, quick)
    return report


def _compare(report: Report, pair: Pair, quick: bool) -> None:
    """Add the table of one backend."""
    rows: list[list[Cell]] = []
    aims: dict[str, Spread] = {}
    size = _QUICK if quick else _LARGEST_FIRST
    try:
        # Downwards, because only where the engine's own overhead is small does the time say what size to take.
        for length in LENGTHS[1::-1] if quick else LENGTHS[::-1]:
            size, bare = _sized(pair, size, length, quick)
            taken = _measure(pair, chain(size), bare, length, quick)
            rows.append(_row(report, pair, f"about {_length(length)}: {size:,} float32", taken))
            if length == AIM_LENGTH:
                aims = {name: _ratio(taken[name], taken[pair.peer]) for name in (_CALLED, _RECORDED)}
                double = chain(size // 2, "float64")
                taken = _measure(pair, double, _bare(pair, double), length, quick)
                rows.append(_row(report, pair, f"about {_length(length)}: {size // 2:,} float64", taken))
            size //= 10
    except peers.MissingPeerError as error:
        report.missing[f"{pair.backend} against {pair.peer}"] = str(error)
    notes = [
        f"Bare: {pair.peer}. Beyond: median over the rounds of latebind's time less the bare engine's.",
        "Four exponentials of linear functions, over as many elements as take about that long on the bare engine.",
    ]
    title = f"{pair.backend}: a call and a wait for its result, against {pair.peer}"
    report.tables.append(Table(title, list(_COLUMNS), rows[::-1], notes))
    if not quick:
        for name in (_CALLED, _RECORDED):
            _add_aim(report, f"{pair.backend}, {name}", pair.peer, aims.get(name))


def _bare(pair: Pair, program: Program) -> Engine:
    return warm(pair.peer, program, lambda: pair.on_peer(program))


def _sized(pair: Pair, size: int, length: int, quick: bool) -> tuple[int, Engine]:
    """Return the number of elements that takes about this long on the bare engine, and the engine with them.

    Of the sizes that are tried, from the given one on, the nearest: on a busy machine times do not follow the size.
    """
    tried: list[tuple[float, int, Engine]] = []
    for _ in range(1 if quick else _CORRECTIONS):
        size = max(_SMALLEST, size // _SMALLEST * _SMALLEST)
        engine = _bare(pair, chain(size))
        call = _timed(engine, 1)
        off = min(call() for _ in range(_PROBES)) / length
        tried.append((abs(math.log(off)), size, engine))
        if 1 / _NEAR <= off <= _NEAR or (off > 1 and size == _SMALLEST):
            break
        size = round(size / off)
    _, size, engine = min(tried, key=itemgetter(0))
    return size, engine


def _length(us: int) -> str:
    return f"{us / 1000:g} ms" if us >= 1_000 else f"{us} us"


def _measure(pair: Pair, program: Program, bare: Engine, length: int, quick: bool) -> dict[str, list[float]]:
    """Return the measurements of the three contenders on one program, in us, taken in turns."""
    calls, rounds = (3, 2) if quick else (max(1, _ROW // length), 21)
    with ExitStack() as opened:
        settings = BACKENDS[pair.backend]
        engines = {
            _CALLED: lambda: on_latebind(started(settings, opened), program, compiled=True),
            _RECORDED: lambda: on_latebind(started(settings, opened), program),
        }
        measures = {pair.peer: _timed(bare, calls)}
        measures |= {name: _timed(warm(name, program, make), calls) for name, make in engines.items()}
        return round_robin(measures, rounds=rounds)


def _timed(engine: Engine, calls: int) -> Measure:
    row = per_call(engine.run, calls=calls)

    def measure() -> float:
        with engine.around():
            return row() * 1e6

    return measure


def _ratio(values: list[float], base: list[float]) -> Spread:
    return Spread.of([value / other for value, other in zip(values, base, strict=True)])


def _row(report: Report, pair: Pair, program: str, taken: dict[str, list[float]]) -> list[Cell]:
    bare = taken[pair.peer]
    row: list[Cell] = [program, Spread.of(bare).median]
    behind = {}
    for name in (_CALLED, _RECORDED):
        ratio = _ratio(bare, taken[name])
        beyond = Spread.of([value - base for value, base in zip(taken[name], bare, strict=True)])
        row += [ratio.median, f"{number(ratio.lower)} to {number(ratio.upper)}", beyond.median]
        behind[f"{pair.peer} against {name}"] = ratio.median
    report.lost_to(f"{pair.backend}, a program of {program}", behind)
    return row


def _add_aim(report: Report, who: str, peer: str, ratio: Spread | None) -> None:
    text = f"{who}: a program of 1 ms takes at most {AIM:g} times as long as on {peer}"
    if ratio is None:
        report.aims.append(Aim(text, "nothing", None))
    else:
        report.aims.append(Aim(text, f"{number(ratio.median)} times", ratio.median <= AIM))
