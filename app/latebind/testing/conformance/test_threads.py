"""Several threads compile, transfer and execute at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

import numpy as np

from latebind.testing.conformance.tools import Bench, equal

THREADS: Final = 6


def together(work: Callable[[int], None]) -> None:
    """Run work in several threads that start at once; raise what any of them raises."""
    barrier = Barrier(THREADS)

    def start(number: int) -> None:
        barrier.wait(30)
        work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(start, number) for number in range(THREADS)]:
            future.result(90)


def test_threads_compile_and_run_graphs_of_their_own(bench: Bench) -> None:
    def work(number: int) -> None:
        array = bench.array(*range(number + 2))
        for count in (2, 3, 4):
            x = bench.parameter(array)
            assert equal(bench.run([x], [bench.add(*[x] * count)], array)[0], (array * count).astype(array.dtype))

    together(work)


def test_threads_run_one_computation(bench: Bench) -> None:
    like = np.zeros(5000, bench.dtype)
    computation = bench.doubling(like)

    def work(number: int) -> None:
        for repeat in range(20):
            array = np.full(5000, number * 20 + repeat, bench.dtype)
            (output,) = bench.execute(computation, bench.put(array))
            assert equal(bench.get(output), array + array)

    together(work)


def test_threads_compile_one_computation(bench: Bench) -> None:
    x = bench.parameter(bench.array(1, 2))
    lowered = bench.lower([x], [bench.add(x, x)])

    def work(number: int) -> None:
        (compiled,) = bench.backend.compile([lowered])
        (output,) = bench.execute(compiled, bench.put(bench.array(number, 2)))
        assert equal(bench.get(output), bench.array(2 * number, 4))

    together(work)


def test_threads_share_arguments(bench: Bench) -> None:
    array = np.arange(5000).astype(bench.dtype)
    computation, shared = bench.doubling(array), bench.put(array)

    def work(number: int) -> None:
        for _ in range(20):
            assert equal(bench.get(bench.execute(computation, shared)[0]), array + array)
            assert equal(bench.get(shared), array)

    together(work)


def test_threads_use_what_others_made(bench: Bench) -> None:
    array = np.arange(100).astype(bench.dtype)
    computation = bench.doubling(array)
    data = [bench.put(array) for _ in range(THREADS)]
    outputs = [bench.execute(computation, one)[0] for one in data]

    def work(number: int) -> None:
        other = outputs[(number + 1) % THREADS]
        assert equal(bench.get(other), array + array)

    together(work)


def test_threads_donate_their_own_data(bench: Bench) -> None:
    step = bench.doubling(np.ones(1000, bench.dtype), donated=True)

    def work(number: int) -> None:
        data = bench.put(np.full(1000, number, bench.dtype))
        for _ in range(6):
            (data,) = bench.execute(step, data)
        assert equal(bench.get(data), np.full(1000, 64 * number, bench.dtype))

    together(work)
