"""Long-running work on every backend, beside NumPy and the compilers that people use instead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from tests.benchmarks import contenders as peers
from tests.benchmarks.backends_engines import (
    BACKENDS,
    Engine,
    on_jit,
    on_latebind,
    on_numba,
    on_numexpr,
    on_numpy,
    on_torch,
    started,
    warm,
)
from tests.benchmarks.backends_programs import Program, digits_step, layer_norm, polynomial, product, softmax
from tests.benchmarks.contenders import Contenders
from tests.benchmarks.measurement import Measure, Spread, per_call, round_robin
from tests.benchmarks.tables import Cell, Report, Table, number

TITLE = "throughput of the backends"
#: Backends in the order of the rows; all ratios are to the first, the default one.
_BACKENDS = ("xla", "numpy", "torchscript", "inductor")
_BASELINE = f"{peers.LATEBIND}, {_BACKENDS[0]}"
_COMPILED = f"{_BASELINE}, compiled"
#: Every measurement is a row of runs of at least this length, in seconds.
_ROW = 0.01
_ROUNDS = 11


def run(quick: bool) -> Report:
    """Measure each program on all engines in turns."""
    report = Report("backends_throughput", TITLE)
    programs = _programs(quick)
    fastest: list[list[Cell]] = []
    for program in programs:
        taken = _compare(report, program, quick)
        fastest.append(_fastest(program, taken))
    columns = ["program", "fastest of latebind", "ms", "fastest peer", "ms ", "peer ÷ latebind", "quartiles"]
    notes = ["Recorded at every run, as latebind is used; the peers' functions are compiled once."]
    report.tables.append(Table("the fastest on each side", columns, fastest, notes))
    return report


def _programs(quick: bool) -> list[Program]:
    if quick:
        return [polynomial(1_000)]
    return [
        polynomial(2_000_000),
        softmax(2_048, 1_024),
        layer_norm(2_048, 1_024),
        product(256),
        product(1_024),
        digits_step(),
    ]


def _compare(report: Report, program: Program, quick: bool) -> dict[str, list[float]]:
    with ExitStack() as opened:
        found = Contenders()
        for name, make in _engines(program, opened, quick).items():
            found.add(name, lambda name=name, make=make: _timed(warm(name, program, make)))  # type: ignore[misc]
        taken = round_robin(found.measures, rounds=2 if quick else _ROUNDS)
    report.add_comparison(f"{program.name}, ms", taken, found.missing, baseline=_BASELINE, notes=_notes(program))
    return taken


def _engines(program: Program, opened: ExitStack, quick: bool) -> dict[str, Callable[[], Engine]]:
    """Return what makes each contender."""
    backends = _BACKENDS[:2] if quick else _BACKENDS
    engines: dict[str, Callable[[], Engine]] = {
        f"{peers.LATEBIND}, {backend}": lambda backend=backend: on_latebind(started(BACKENDS[backend], opened), program)  # type: ignore[misc]
        for backend in backends
    }
    engines[_COMPILED] = lambda: on_latebind(started(BACKENDS[_BACKENDS[0]], opened), program, compiled=True)
    engines[peers.NUMPY] = lambda: on_numpy(program)
    if program.numexpr is not None:
        engines[peers.NUMEXPR] = lambda: on_numexpr(program)
    if program.numba is not None and not quick:
        engines[peers.NUMBA] = lambda: on_numba(program)
    engines[peers.JIT] = lambda: on_jit(program)
    engines[peers.TORCH] = lambda: on_torch(program)
    if not quick:
        engines[peers.TORCH_COMPILE] = lambda: on_torch(program, peers.TORCH_COMPILE)
    return engines


def _timed(engine: Engine) -> Measure:
    once = per_call(engine.run, calls=1)
    calls = max(1, round(_ROW / once()))
    row = per_call(engine.run, calls=calls)
    return lambda: row() * 1e3


def _notes(program: Program) -> list[str]:
    notes = ["Each run is waited for. All engines use their default number of threads."]
    if program.numexpr is None:
        notes.append("NumExpr has no matrix products, and Numba calls BLAS for them: they do not take part.")
    return notes


def _fastest(program: Program, taken: dict[str, list[float]]) -> list[Cell]:
    """Return a row that compares the fastest of latebind with the fastest of the peers."""
    medians = {name: Spread.of(values).median for name, values in taken.items()}
    ours = min((name for name in medians if name.startswith(peers.LATEBIND)), key=medians.__getitem__)
    theirs = min((name for name in medians if not name.startswith(peers.LATEBIND)), key=medians.__getitem__)
    ratio = Spread.of([peer / own for peer, own in zip(taken[theirs], taken[ours], strict=True)])
    quartiles = f"{number(ratio.lower)} to {number(ratio.upper)}"
    return [program.name, ours, medians[ours], theirs, medians[theirs], ratio.median, quartiles]
