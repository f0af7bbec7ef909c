"""How long the first result of a graph takes that was never seen, and what compiling it costs."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, time_ns
from typing import Any

from tests.benchmarks import contenders as peers
from tests.benchmarks.contenders import Contenders
from tests.benchmarks.measurement import Measure
from tests.benchmarks.programs import apply, operands, shuffled
from tests.benchmarks.tables import Report

#: New seeds for every run: MLX keeps what it compiled on the disk.
_RUN = time_ns()
TITLE = "first run of an unseen graph"
SIZES = (20, 200, 2_000)
_COMPILED = "latebind.compile"
#: Compiling thousands of operations takes jax.jit seconds.
_ROUNDS = {20: 15, 200: 9, 2_000: 3}
#: mlx.compile starts a C++ compiler, which takes 40 ms per operation.
_MLX_COMPILED_LIMIT = 20


def run(quick: bool) -> Report:
    """Measure the time to the first result, graph by graph, each one new."""
    report = Report("unseen_graph", TITLE)
    with peers.container():
        for size in SIZES[:1] if quick else SIZES:
            ratios = report.compare(
                f"time to the first result of an unseen graph of {size:,} operations, ms",
                _contenders(size, quick),
                rounds=2 if quick else _ROUNDS[size],
                settle=False,
                notes=[
                    "Another random program every time; the kinds of operation are known from a first one (warm-up).",
                    f"{_COMPILED} captures, lowers, compiles and runs at its first call, as jax.jit does.",
                ],
            )
            report.aim(f"{size:,} operations: first result before jax.jit's", ratios.get(peers.JIT), 1)
    return report


class _Programs:
    """A new program at every call, the same sequence for every contender."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._next = 0

    def __call__(self) -> Any:
        self._next += 1
        return shuffled(self._size, seed=_RUN + self._next)


def _first(size: int, run: Callable[[Any], object]) -> Measure:
    programs = _Programs(size)

    def measure() -> float:
        program = programs()
        start = perf_counter()
        run(program)
        return (perf_counter() - start) * 1e3

    return measure


def _contenders(size: int, quick: bool) -> Contenders:
    found = Contenders()
    found.add(peers.LATEBIND, lambda: _latebind(size))
    found.add(_COMPILED, lambda: _latebind_compiled(size))
    found.add(peers.NUMPY, lambda: _first(size, lambda program: apply(program, *operands())))
    found.add(peers.LAZY_CORE, lambda: _lazy_core(size))
    found.add(peers.JIT, lambda: _jit(size))
    found.add(peers.MLX, lambda: _mlx(size, compiled=False))
    if size <= _MLX_COMPILED_LIMIT and not quick:
        found.add(peers.MLX_COMPILED, lambda: _mlx(size, compiled=True))
    return found


def _latebind(size: int) -> Measure:
    import latebind as lb

    x, c = map(lb.asarray, operands())

    def run(program: Any) -> None:
        lb.sync(apply(program, x, c))
        lb.wait_device_ops()

    return _first(size, run)


def _latebind_compiled(size: int) -> Measure:
    import latebind as lb

    x, c = map(lb.asarray, operands())

    def run(program: Any) -> None:
        lb.compile(lambda x, c: apply(program, x, c))(x, c)
        lb.wait_device_ops()

    return _first(size, run)


def _lazy_core(size: int) -> Measure:
    core = peers.LazyCore()
    x, c = map(core.asarray, operands())

    def run(program: Any) -> None:
        result = apply(program, x, c)
        core.mark_step()
        core.wait()
        del result

    return _first(size, run)


def _jit(size: int) -> Measure:
    jax = peers.load_jax()
    x, c = map(jax.numpy.asarray, operands())
    return _first(size, lambda program: jax.jit(lambda x, c: apply(program, x, c))(x, c).block_until_ready())


def _mlx(size: int, *, compiled: bool) -> Measure:
    mx = peers.load_mlx()
    x, c = map(mx.array, operands())

    def run(program: Any) -> None:
        def function(x: Any, c: Any) -> Any:
            return apply(program, x, c)

        mx.eval((mx.compile(function) if compiled else function)(x, c))

    return _first(size, run)
