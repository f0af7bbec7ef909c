"""What one recorded operation costs: record only, and record and run on a cache hit; 1,000 operations, 4x4 float32."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from tests.benchmarks import contenders as peers
from tests.benchmarks.contenders import Contenders
from tests.benchmarks.measurement import Measure
from tests.benchmarks.programs import Program, adds, apply, operands, shuffled
from tests.benchmarks.tables import Report

TITLE = "cost of one recorded operation"
OPERATIONS = 1000
#: A recording of 512 operations is searched for a loop, whose rounds then run while Python records.
_UNSEARCHED = 500
_SEED = 1
#: Runs after which a backend that interprets new graphs has compiled.
_WARMUP = 10


def run(quick: bool) -> Report:
    """Measure the chain of additions, and a program in which nothing repeats."""
    report = Report("per_operation", TITLE)
    rounds = 3 if quick else 60
    with peers.container():
        report.compare(
            f"record only, us per operation (chain of {OPERATIONS:,} adds)",
            _recording(adds(OPERATIONS)),
            rounds=rounds if quick else 20,
            warmup=_WARMUP,
            notes=[
                f"latebind records twice {_UNSEARCHED}: a longer loop is cut and starts to run. The rest is not timed."
            ],
        )
        ratios = report.compare(
            f"record + run on a cache hit, us per operation (chain of {OPERATIONS:,} adds)",
            _running(adds(OPERATIONS)),
            rounds=rounds,
            warmup=_WARMUP,
            notes=["Until the value is there. Eager engines and JAX have nothing to record: they run."],
        )
        report.aim("at most an eighth of PyTorch's lazy core", ratios.get(peers.LAZY_CORE), 8)
        report.aim("below MLX", ratios.get(peers.MLX), 1)
        report.compare(
            f"record + run on a cache hit, us per operation ({OPERATIONS:,} operations without a loop)",
            _running(shuffled(OPERATIONS, _SEED)),
            rounds=rounds if quick else 30,
            warmup=_WARMUP,
            notes=["Additions, subtractions, multiplications and divisions in random order: one graph, never cut."],
        )
    return report


def _recording(program: Program) -> Contenders:
    found = Contenders()
    found.add(peers.LATEBIND, lambda: _record_latebind(program))
    found.add(peers.LAZY_CORE, lambda: _record_lazy_core(program))
    found.add(peers.MLX, lambda: _record_mlx(program))
    found.add("jax.make_jaxpr", lambda: _record_jaxpr(program))
    return found


def _recorded(parts: list[Program], x: Any, c: Any, run: Callable[[Any], object]) -> Measure:
    """Return a measure of recording alone: what was recorded is then run, untimed."""
    length = sum(map(len, parts))

    def measure() -> float:
        seconds = 0.0
        for part in parts:
            start = perf_counter()
            y = apply(part, x, c)
            seconds += perf_counter() - start
            run(y)
        return seconds / length * 1e6

    return measure


def _record_latebind(program: Program) -> Measure:
    import latebind as lb

    x, c = map(lb.asarray, operands())
    parts = [program[start : start + _UNSEARCHED] for start in range(0, len(program), _UNSEARCHED)]
    return _recorded(parts, x, c, lb.sync)


def _record_lazy_core(program: Program) -> Measure:
    core = peers.LazyCore()
    x, c = map(core.asarray, operands())

    def run(_: Any) -> None:
        core.mark_step()
        core.wait()

    return _recorded([program], x, c, run)


def _record_mlx(program: Program) -> Measure:
    mx = peers.load_mlx()
    x, c = map(mx.array, operands())
    return _recorded([program], x, c, mx.eval)


def _record_jaxpr(program: Program) -> Measure:
    jax = peers.load_jax()
    x, c = map(jax.numpy.asarray, operands())

    def measure() -> float:
        # A new function every time: JAX would find the trace of a known one.
        start = perf_counter()
        jax.make_jaxpr(lambda x, c: apply(program, x, c))(x, c)
        return (perf_counter() - start) / len(program) * 1e6

    return measure


def _running(program: Program) -> Contenders:
    found = Contenders()
    found.add(peers.LATEBIND, lambda: _run_latebind(program))
    found.add(peers.NUMPY, lambda: _finished(program, *operands(), lambda _: None))
    found.add(peers.TORCH, lambda: _run_torch(program))
    found.add(peers.LAZY_CORE, lambda: _run_lazy_core(program))
    found.add(peers.JAX, lambda: _run_jax(program))
    found.add(peers.MLX, lambda: _run_mlx(program))
    return found


def _finished(program: Program, x: Any, c: Any, finish: Callable[[Any], object]) -> Measure:
    """Return a measure of recording or running a program and waiting for its value."""

    def measure() -> float:
        start = perf_counter()
        finish(apply(program, x, c))
        return (perf_counter() - start) / len(program) * 1e6

    return measure


def _run_latebind(program: Program) -> Measure:
    import latebind as lb

    x, c = map(lb.asarray, operands())

    def finish(y: Any) -> None:
        lb.sync(y)
        lb.wait_device_ops()

    return _finished(program, x, c, finish)


def _run_torch(program: Program) -> Measure:
    torch = peers.load_torch()
    x, c = map(torch.from_numpy, operands())
    return _finished(program, x, c, lambda _: None)


def _run_lazy_core(program: Program) -> Measure:
    core = peers.LazyCore()
    x, c = map(core.asarray, operands())

    def finish(_: Any) -> None:
        core.mark_step()
        core.wait()

    return _finished(program, x, c, finish)


def _run_jax(program: Program) -> Measure:
    jax = peers.load_jax()
    x, c = map(jax.numpy.asarray, operands())
    return _finished(program, x, c, lambda y: y.block_until_ready())


def _run_mlx(program: Program) -> Measure:
    mx = peers.load_mlx()
    x, c = map(mx.array, operands())
    return _finished(program, x, c, mx.eval)
