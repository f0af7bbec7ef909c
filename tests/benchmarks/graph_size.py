"""How cost grows with the size of a graph, from 10 to 100,000 operations: it has to be linear."""

from __future__ import annotations

import gc
import statistics
from time import perf_counter
from typing import Any

from tests.benchmarks import contenders as peers
from tests.benchmarks.measurement import growth_exponent
from tests.benchmarks.programs import Program, adds, apply, operands, shuffled
from tests.benchmarks.tables import Aim, Cell, Report, Table, number

TITLE = "cost of graphs by size"
SIZES = (10, 100, 1_000, 10_000, 100_000)
#: The largest graph that PyTorch's lazy core is given; it walks graphs recursively.
_LAZY_CORE_LIMIT = 10_000
#: Above this, costs that do not depend on the size no longer show.
_LARGE = 100
#: Repeats, for a size: enough to total about this many operations.
_OPERATIONS = 200_000
#: Runs of a compiled program; the collector's long passes fall into some of them.
_WARM_RUNS = 5
#: Runs after which a backend that interprets new graphs has compiled.
_UNTIL_WARM = 10
_COLUMNS = ["operations", "record", "first run", "first, total", "compiling run", "warm run", "warm, total"]


def run(quick: bool) -> Report:
    """Measure graphs in which nothing repeats, and loops as they run by default."""
    report = Report("graph_size", TITLE)
    gc.freeze()
    sizes = SIZES[:3] if quick else SIZES
    with peers.container(recording={"limit": 2 * SIZES[-1]}) as container:
        costs = {size: _phases(container, size, 2 if quick else _repeats(size)) for size in sizes}
    _add_phases(report, costs)
    with peers.container() as container:
        rows = [_loop(container, size, 2 if quick else _repeats(size)) for size in sizes]
    columns = ["operations", "first, total", "warm, total", "recordings", "loop cuts", "compiled"]
    notes = [
        "us per operation. A loop is cut at its period and runs while Python records. Recordings and cuts: per run.",
        "Compiled: graphs compiled for this size that no smaller one had needed.",
    ]
    report.tables.append(Table("the same number of adds in a loop, as it runs by default", columns, rows, notes))
    _add_peers(report, {size: phases[-1] for size, phases in costs.items()}, quick)
    return report


def _repeats(size: int) -> int:
    return max(3, min(25, _OPERATIONS // size))


def _phases(container: Any, size: int, repeats: int) -> list[float]:
    """Return the median cost of each phase, in seconds: record, first run, compiling run, warm run, warm total."""
    import latebind as lb

    x, c = map(lb.asarray, operands())
    taken = []
    for repeat in range(repeats):
        program = shuffled(size, seed=size + repeat)
        gc.collect()
        record, first = _record_and_run(program, x, c)
        compiling = first
        while not _compiled(container):
            _, compiling = _record_and_run(program, x, c)
        container.metrics().reset()
        gc.collect()
        warm = [_record_and_run(program, x, c) for _ in range(_WARM_RUNS)]
        _, run = map(statistics.median, zip(*warm, strict=True))
        taken.append([record, first, compiling, run, statistics.median(map(sum, warm))])
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def _record_and_run(program: Program, x: Any, c: Any) -> tuple[float, float]:
    import latebind as lb

    start = perf_counter()
    y = apply(program, x, c)
    recorded = perf_counter()
    lb.sync(y)
    lb.wait_device_ops()
    return recorded - start, perf_counter() - recorded


def _compiled(container: Any) -> bool:
    return bool(container.metrics().counter("UncachedCompile"))


def _add_phases(report: Report, costs: dict[int, list[float]]) -> None:
    totals = {
        size: [record, first, record + first, compiling, warm, warm_total]
        for size, (record, first, compiling, warm, warm_total) in costs.items()
    }
    rows: list[list[Cell]] = [[size, *(cost / size * 1e6 for cost in phases)] for size, phases in totals.items()]
    large = [size for size in totals if size >= _LARGE]
    exponents = [growth_exponent(large, column) for column in zip(*(totals[size] for size in large), strict=True)]
    rows.append([f"exponent from {_LARGE:,} on", *exponents])
    notes = [
        "us per operation; the exponent is k in cost = c * operations ** k, and 1 is linear.",
        "First run: the graph was never seen, its kinds of operation were; it is interpreted if the backend says so.",
    ]
    report.tables.append(Table("one graph without a loop, latebind on NumPy", _COLUMNS, rows, notes))
    for name, exponent in (("first, total", exponents[2]), ("warm, total", exponents[5])):
        report.aims.append(Aim(f"{name}: linear (exponent below 1.1)", number(exponent), exponent < 1.1))


def _loop(container: Any, size: int, repeats: int) -> list[Cell]:
    import latebind as lb

    x, c = map(lb.asarray, operands())
    program = adds(size)
    first = sum(_record_and_run(program, x, c))
    warm = statistics.median([sum(_record_and_run(program, x, c)) for _ in range(_UNTIL_WARM + repeats)][_UNTIL_WARM:])
    metrics = container.metrics()
    compiled = metrics.counter("UncachedCompile")
    metrics.reset()
    _record_and_run(program, x, c)
    return [size, first / size * 1e6, warm / size * 1e6, *map(metrics.counter, ("Recordings", "LoopCut")), compiled]


def _add_peers(report: Report, latebind: dict[int, float], quick: bool) -> None:
    """Add the warm cost of the same graphs on NumPy and on the peers that record."""
    sizes = tuple(latebind)
    columns: list[list[Cell]] = [[*sizes, f"exponent from {_LARGE:,} on"]]
    names = ["operations"]
    for name, costs in (
        (peers.NUMPY, _numpy(sizes, quick)),
        (peers.LAZY_CORE, _guarded(report, peers.LAZY_CORE, _lazy_core, sizes, quick)),
        (peers.MLX, _guarded(report, peers.MLX, _mlx, sizes, quick)),
    ):
        measured = [cost for size, cost in costs.items() if size >= _LARGE]
        exponent = growth_exponent([size for size in costs if size >= _LARGE], measured) if measured else None
        columns.append([*(costs[size] / size * 1e6 if size in costs else None for size in sizes), exponent])
        names.append(name)
        if costs:
            worst = min(cost / latebind[size] for size, cost in costs.items())
            report.lost_to("warm graph, at the size that is worst for latebind", {name: worst})
    notes = [f"us per operation, warm, in total. The lazy core is stopped at {_LAZY_CORE_LIMIT:,}."]
    report.tables.append(
        Table("the same graphs on peers", names, [list(row) for row in zip(*columns, strict=True)], notes)
    )


def _guarded(report: Report, name: str, measure: Any, sizes: tuple[int, ...], quick: bool) -> dict[int, float]:
    try:
        return measure(sizes, quick)  # type: ignore[no-any-return]
    except peers.MissingPeerError as error:
        report.missing[name] = str(error)
        return {}


def _warm(size: int, quick: bool, x: Any, c: Any, finish: Any) -> float:
    """Return the median seconds of a program that was run before."""
    program = shuffled(size, seed=size)
    taken = []
    gc.collect()
    for _ in range(2 if quick else _repeats(size) + 2):
        start = perf_counter()
        finish(apply(program, x, c))
        taken.append(perf_counter() - start)
    return statistics.median(taken[1:] if quick else taken[2:])


def _numpy(sizes: tuple[int, ...], quick: bool) -> dict[int, float]:
    return {size: _warm(size, quick, *operands(), lambda _: None) for size in sizes}


def _lazy_core(sizes: tuple[int, ...], quick: bool) -> dict[int, float]:
    core = peers.LazyCore()
    x, c = map(core.asarray, operands())

    def finish(_: Any) -> None:
        core.mark_step()
        core.wait()

    return {size: _warm(size, quick, x, c, finish) for size in sizes if size <= _LAZY_CORE_LIMIT}


def _mlx(sizes: tuple[int, ...], quick: bool) -> dict[int, float]:
    mx = peers.load_mlx()
    x, c = map(mx.array, operands())
    return {size: _warm(size, quick, x, c, mx.eval) for size in sizes}
