"""What starting a computation costs: a step of one operation, calls of compiled functions, a training step."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy
from tests.benchmarks.case import Case, Prepared
from tests.benchmarks.contenders import BACKENDS, LATEBIND
from tests.benchmarks.libraries.library import Library
from tests.benchmarks.programs import operands
from tests.benchmarks.workloads import WORKLOADS
from tests.benchmarks.workloads.learning import mlp_data

#: Numbers of parameters, and of results, of the compiled functions.
WIDTHS = (1, 4, 16)
#: Elements of the program of four exponentials, from about 0.1 to about 1 ms.
EXPONENTIALS = (16_384, 262_144)
_CALLS = 200
_TRAINING_STEPS = 50
_OURS = tuple(f"{LATEBIND}{name}" for name in BACKENDS)
_ALL = ("numpy", "torch", "torch-lazy", "jax", "jax-jit", "mlx", *_OURS)
_IN_A_ROW = f"{_CALLS} in a row, then one wait, which favours engines that run in the background."


def _row(library: Library, calls: int, step: Callable[[], Any], unit: float = 1e6) -> Prepared:
    """Return a measure of `calls` steps that are started one after the other, and waited for at the end."""

    def measure() -> float:
        results: Any = ()
        start = perf_counter()
        for _ in range(calls):
            results = step()
            library.start(results)
        library.wait(results)
        return (perf_counter() - start) / calls * unit

    return Prepared(measure)


def _one_operation(library: Library, quick: bool) -> Prepared:
    x, c = map(library.asarray, operands())
    add = library.usual(lambda x, c: x + c)
    return _row(library, _CALLS, lambda: (add(x, c),))


def _compiled(width: int) -> Callable[[Library, bool], Prepared]:
    def prepare(library: Library, quick: bool) -> Prepared:
        arrays = [library.asarray(numpy.full((4, 4), value, numpy.float32)) for value in range(width)]
        call = library.compile(lambda *arrays: tuple([array + 1 for array in arrays]))

        def measure() -> float:
            results: Any = ()
            start = perf_counter()
            for _ in range(_CALLS):
                results = call(*arrays)
            library.wait(results)
            return (perf_counter() - start) / _CALLS * 1e6

        return Prepared(measure)

    return prepare


def _training(library: Library, quick: bool) -> Prepared:
    kernel, functions = WORKLOADS["mlp"].kernel, library.namespace
    data = mlp_data(inputs=64, hidden=128, classes=10, batch=64, steps=1)
    w1, b1, w2, b2, images, labels = (
        library.asarray(value) for value in data.values() if isinstance(value, numpy.ndarray)
    )
    train = library.usual(lambda *arguments: kernel(functions, *arguments, 1))
    state: list[Any] = [w1, b1, w2, b2]
    rate = [0.1]

    def step() -> tuple[Any, ...]:
        *state[:], loss = train(*state, images, labels, rate[0])
        rate[0] *= 0.9999
        return (*state, loss)

    return _row(library, _TRAINING_STEPS, step)


def _exponentials(size: int, compiled: bool) -> Callable[[Library, bool], Prepared]:
    def prepare(library: Library, quick: bool) -> Prepared:
        x = library.asarray(numpy.random.default_rng(0).uniform(-1.0, 1.0, size).astype(numpy.float32))
        functions = library.namespace

        def body(x: Any) -> Any:
            for _ in range(4):
                x = functions.exp(x * 0.5 - 1.0)
            return x

        call = library.compile(body) if compiled else library.usual(body)

        def measure() -> float:
            start = perf_counter()
            library.wait((call(x),))
            return (perf_counter() - start) * 1e6

        return Prepared(measure)

    return prepare


CASES: dict[str, Case] = {
    "one_operation": Case(
        "x + c and start it, warm, 4x4 float32", "us", _ALL, _one_operation, rounds=30, notes=(_IN_A_ROW,)
    ),
    **{
        f"compiled_call_{width}": Case(
            f"call of a compiled function, {width} in and {width} out",
            "us",
            ("jax-jit", "mlx", *_OURS),
            _compiled(width),
            rounds=30,
            notes=(_IN_A_ROW, "The function adds 1 to each of its arguments."),
        )
        for width in WIDTHS
    },
    "mlp_step": Case(
        "training step 64-128-10, batch 64, float32",
        "us per step",
        _ALL,
        _training,
        rounds=20,
        notes=("The learning rate decays at every step. Steps in a row, one wait at the end of the row.",),
    ),
    **{
        f"exponentials_{size}{'_compiled' if compiled else ''}": Case(
            f"four exponentials of {size:,} float32, one call and a wait, {'compiled' if compiled else 'recorded'}",
            "us",
            ("jax-jit", "torch-inductor", *_OURS) if compiled else ("numpy", "torch", "jax-jit", *_OURS),
            _exponentials(size, compiled),
            rounds=20,
        )
        for size in EXPONENTIALS
        for compiled in (False, True)
    },
}
