"""What one recorded operation costs: chains of small operations, 4x4 float32."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from time import perf_counter, time_ns

from tests.benchmarks.case import Case, Measure, Prepared
from tests.benchmarks.contenders import BACKENDS, LATEBIND
from tests.benchmarks.libraries.library import Library
from tests.benchmarks.programs import Program, adds, apply, operands, shuffled

OPERATIONS = 1_000
#: Sizes of programs that were never seen.
UNSEEN = (20, 200, 2_000)
#: Sizes for the growth with the number of operations.
SIZES = (1, 10, 100, 1_000, 10_000, 100_000)
#: PyTorch's lazy core walks graphs recursively.
_LAZY_CORE_LIMIT = 10_000
#: A recording of 512 operations is searched for a loop, whose rounds then run while Python records.
_UNSEARCHED = 500
#: New programs in every process: some libraries keep what they compiled on the disk.
_RUN = time_ns()
_OURS = tuple(f"{LATEBIND}{name}" for name in BACKENDS)
_EAGER = ("numpy", "torch", "jax")
_RECORDING = ("torch-lazy", "mlx", *_OURS)


def _run(library: Library, program: Program) -> Measure:
    """Return a measure of recording or running a program until its value is there, in us per operation."""
    x, c = map(library.asarray, operands())

    def measure() -> float:
        start = perf_counter()
        library.wait((apply(program, x, c),))
        return (perf_counter() - start) / len(program) * 1e6

    return measure


def _record(library: Library, quick: bool) -> Prepared:
    x, c = map(library.asarray, operands())
    parts = [adds(_UNSEARCHED)] * (OPERATIONS // _UNSEARCHED)

    def measure() -> float:
        seconds = 0.0
        for part in parts:
            start = perf_counter()
            y = apply(part, x, c)
            seconds += perf_counter() - start
            library.wait((y,))
        return seconds / OPERATIONS * 1e6

    return Prepared(measure)


def _unseen(size: int) -> Callable[[Library, bool], Prepared]:
    def prepare(library: Library, quick: bool) -> Prepared:
        x, c = map(library.asarray, operands())
        seeds = count(_RUN)
        # The kinds of operation are known; the first call of a process is another scenario.
        library.wait((apply(shuffled(12, next(seeds)), x, c),))

        def measure() -> float:
            program = shuffled(size, next(seeds))
            call = library.usual(lambda x, c: apply(program, x, c))
            start = perf_counter()
            library.wait((call(x, c),))
            return (perf_counter() - start) * 1e3

        return Prepared(measure)

    return prepare


def _sized(size: int, program: Program | None) -> Callable[[Library, bool], Prepared]:
    def prepare(library: Library, quick: bool) -> Prepared:
        return Prepared(_run(library, program if program is not None else shuffled(size, seed=size)))

    return prepare


def _sized_cases() -> dict[str, Case]:
    cases = {}
    for size in SIZES:
        contenders = tuple(name for name in ("numpy", *_RECORDING) if name != "torch-lazy" or size <= _LAZY_CORE_LIMIT)
        rounds = 5 if size > 1_000 else 15
        for name, program in (("loop", adds(size)), ("mixed", None)):
            what = "the same addition" if program is not None else "operations in random order"
            cases[f"{name}_{size}"] = Case(
                f"{size:,} times {what}: first run and warm run",
                "us per operation",
                contenders,
                _sized(size, program),
                rounds=rounds,
                warmup=3 if size > 1_000 else 10,
                settle=False,
            )
    return cases


def _prepared(make: Callable[[Library], Measure]) -> Callable[[Library, bool], Prepared]:
    return lambda library, quick: Prepared(make(library))


CASES: dict[str, Case] = {
    "record": Case(
        f"recording alone, {OPERATIONS:,} adds",
        "us per operation",
        _RECORDING,
        _record,
        rounds=20,
        notes=(f"In parts of {_UNSEARCHED}: latebind cuts a longer loop and starts to run it. Runs are not timed.",),
    ),
    "chain_of_adds": Case(
        f"record and run on a hit, chain of {OPERATIONS:,} adds",
        "us per operation",
        (*_EAGER, *_RECORDING),
        _prepared(lambda library: _run(library, adds(OPERATIONS))),
        rounds=40,
        notes=("Until the value is there. Eager libraries have nothing to record: they run.",),
    ),
    "chain_of_mixed_operations": Case(
        f"record and run on a hit, {OPERATIONS:,} operations without a loop",
        "us per operation",
        (*_EAGER, *_RECORDING),
        _prepared(lambda library: _run(library, shuffled(OPERATIONS, 1))),
        rounds=25,
    ),
    **{
        f"unseen_{size}": Case(
            f"time to the first result of an unseen program of {size:,} operations",
            "ms",
            ("numpy", "jax-jit", *_RECORDING),
            _unseen(size),
            rounds={20: 15, 200: 9, 2_000: 3}[size],
            warmup=1,
            settle=False,
            notes=("Another random program every time; imports, and the kinds of operation, are there before.",),
        )
        for size in UNSEEN
    },
    **_sized_cases(),
}
