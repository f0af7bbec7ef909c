"""What starting a computation costs: a step of one operation, and a call of a compiled function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.benchmarks import contenders as peers
from tests.benchmarks.contenders import Contenders
from tests.benchmarks.measurement import Measure, per_call, scaled
from tests.benchmarks.programs import operands
from tests.benchmarks.tables import Report

TITLE = "cost of a small step"
#: Numbers of parameters, and of results, of the compiled functions.
WIDTHS = (1, 4, 16)
_COMPILED = "latebind, compiled"


def run(quick: bool) -> Report:
    """Measure `x + c` and compiled functions of several widths."""
    report = Report("small_steps", TITLE)
    calls, rounds = (5, 2) if quick else (200, 40)
    warmup = 3 if quick else 4
    with peers.container():
        report.compare(
            "x + c and start it, us per step (4x4 float32, warm)",
            _steps(calls),
            rounds=rounds,
            warmup=warmup,
            notes=[f"{calls} steps in a row, then one wait, which favours engines that run in the background."],
        )
        for width in WIDTHS[:1] if quick else WIDTHS:
            ratios = report.compare(
                f"call of a compiled function, {width} in and {width} out, us per call",
                _calls(width, calls),
                rounds=rounds,
                warmup=warmup,
                notes=["The function adds 1 to each of its arguments (4x4 float32)."],
            )
            report.aim(f"a compiled call, {width} in and {width} out, is below jax.jit's", ratios.get(peers.JIT), 1)
    return report


def _us(function: Callable[[], object], calls: int, finish: Callable[[], object] | None = None) -> Measure:
    return scaled(per_call(function, calls=calls, finish=finish), 1e6)


def _steps(calls: int) -> Contenders:
    found = Contenders()
    found.add(peers.LATEBIND, lambda: _step_latebind(calls))
    found.add(_COMPILED, lambda: _step_latebind_compiled(calls))
    found.add(peers.NUMPY, lambda: _step_numpy(calls))
    found.add(peers.TORCH, lambda: _step_torch(calls))
    found.add(peers.LAZY_CORE, lambda: _step_lazy_core(calls))
    found.add(peers.JAX, lambda: _step_jax(calls, compiled=False))
    found.add(peers.JIT, lambda: _step_jax(calls, compiled=True))
    found.add(peers.MLX, lambda: _step_mlx(calls, compiled=False))
    found.add(peers.MLX_COMPILED, lambda: _step_mlx(calls, compiled=True))
    return found


def _add(x: Any, c: Any) -> Any:
    return x + c


def _step_latebind(calls: int) -> Measure:
    import latebind as lb

    x, c = map(lb.asarray, operands())
    return _us(lambda: lb.sync(x + c), calls, lb.wait_device_ops)


def _step_latebind_compiled(calls: int) -> Measure:
    import latebind as lb

    x, c = map(lb.asarray, operands())
    add = lb.compile(_add)
    return _us(lambda: add(x, c), calls, lb.wait_device_ops)


def _step_numpy(calls: int) -> Measure:
    x, c = operands()
    return _us(lambda: x + c, calls)


def _step_torch(calls: int) -> Measure:
    x, c = map(peers.load_torch().from_numpy, operands())
    return _us(lambda: x + c, calls)


def _step_lazy_core(calls: int) -> Measure:
    core = peers.LazyCore()
    x, c = map(core.asarray, operands())

    def step() -> None:
        result = x + c
        core.mark_step()
        del result

    return _us(step, calls, core.wait)


def _step_jax(calls: int, *, compiled: bool) -> Measure:
    jax = peers.load_jax()
    x, c = map(jax.numpy.asarray, operands())
    add = jax.jit(_add) if compiled else _add
    return _us(lambda: add(x, c), calls, lambda: jax.block_until_ready(add(x, c)))


def _step_mlx(calls: int, *, compiled: bool) -> Measure:
    mx = peers.load_mlx()
    x, c = map(mx.array, operands())
    add = mx.compile(_add) if compiled else _add
    return _us(lambda: mx.eval(add(x, c)), calls)


def _increment(*arrays: Any) -> list[Any]:
    return [array + 1 for array in arrays]


def _calls(width: int, calls: int) -> Contenders:
    arguments = [np.full((4, 4), value, np.float32) for value in range(width)]
    found = Contenders()
    found.add(peers.LATEBIND, lambda: _call_latebind(arguments, calls))
    found.add(peers.NUMPY, lambda: _us(lambda: _increment(*arguments), calls))
    found.add(peers.LAZY_CORE, lambda: _call_lazy_core(arguments, calls))
    found.add(peers.JIT, lambda: _call_jax(arguments, calls))
    found.add(peers.MLX_COMPILED, lambda: _call_mlx(arguments, calls))
    return found


def _call_latebind(arguments: list[np.ndarray], calls: int) -> Measure:
    import latebind as lb

    arrays = list(map(lb.asarray, arguments))
    function = lb.compile(_increment)
    return _us(lambda: function(*arrays), calls, lb.wait_device_ops)


def _call_lazy_core(arguments: list[np.ndarray], calls: int) -> Measure:
    core = peers.LazyCore()
    arrays = list(map(core.asarray, arguments))

    def call() -> None:
        results = _increment(*arrays)
        core.mark_step()
        del results

    return _us(call, calls, core.wait)


def _call_jax(arguments: list[np.ndarray], calls: int) -> Measure:
    jax = peers.load_jax()
    arrays = list(map(jax.numpy.asarray, arguments))
    function = jax.jit(_increment)
    return _us(lambda: function(*arrays), calls, lambda: jax.block_until_ready(function(*arrays)))


def _call_mlx(arguments: list[np.ndarray], calls: int) -> Measure:
    mx = peers.load_mlx()
    arrays = list(map(mx.array, arguments))
    function = mx.compile(_increment)
    return _us(lambda: mx.eval(function(*arrays)), calls)
