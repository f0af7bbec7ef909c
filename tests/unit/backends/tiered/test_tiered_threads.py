"""Threads that record while others compile, the end of the process, and fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from tests.engines import need
from tests.unit.backends.tiered.tiers import AlternatingTiers

import latebind as lb
from latebind.backends.tiered.background import STUCK_AFTER, CompileQueue

ROUNDS = 60
PATIENCE = 60.0


class Item:
    """Something to be worked on, which can be referred to weakly."""


def work(number: int, failures: list[BaseException]) -> None:
    """Run graphs that other threads run as well, in place and not, and compare with NumPy."""
    try:
        x, expected = lb.zeros(600), np.zeros(600)
        for step in range(ROUNDS):
            size = 1 + (step + number) % 7
            x[size:] += 2.0 * x[:-size] + number
            expected[size:] += 2.0 * expected[:-size] + number
            lb.sync(x)
            x %= 1024.0
            expected %= 1024.0
            if step % 5 == 0:
                assert np.array_equal(np.asarray(x), expected)
        assert np.array_equal(np.asarray(x), expected)
    except BaseException as error:
        failures.append(error)


def run_threads(container, count: int) -> list[BaseException]:
    failures: list[BaseException] = []

    def start(number: int) -> None:
        with container:
            work(number, failures)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return failures


@pytest.mark.parametrize("asynchronous", ["never", "auto", "always"])
def test_threads_that_record_and_threads_that_compile_do_not_disturb_each_other(use, tiered, timed, asynchronous):
    backend = tiered(timed(0.001), timed(0.01), synchronous=False, compile_after=0.5, workers=3)
    container = use(backend, asynchronous)
    assert run_threads(container, 6) == []
    assert backend.wait_for_compilations(PATIENCE)
    assert backend.ledger.counters()["TierCompiled"] > 0
    # By now everything is compiled: the same work once more, on both tiers.
    assert run_threads(container, 6) == []
    assert backend.ledger.counters()["TierOptimizingRuns"] > 0


@pytest.mark.parametrize("asynchronous", ["never", "auto", "always"])
def test_threads_whose_runs_alternate_between_the_tiers_get_numpys_results(use, asynchronous):
    backend = AlternatingTiers(seed=3)
    container = use(backend, asynchronous)
    assert run_threads(container, 6) == []
    counters = backend.ledger.counters()
    assert counters["TierOptimizingRuns"] > 0 and counters["TierTransfers"] > 0
    backend.prepare_to_exit()


def test_a_finaliser_may_run_a_graph_while_the_ledger_is_held(use, tiered):
    backend = tiered()
    use(backend)
    with backend.ledger._lock:  # as at an allocation inside a critical section
        assert float(lb.sum(lb.ones(3) + 1.0)) == 6.0


def test_items_are_worked_on_by_as_many_threads_as_there_may_be():
    together = threading.Barrier(3)  # the two that work, and this one
    queue: CompileQueue[Item] = CompileQueue(lambda item: (together.wait(PATIENCE), None)[1], 2, 10)
    items = [Item(), Item()]
    assert all(queue.submit(item) for item in items)
    together.wait(PATIENCE)
    assert queue.wait(PATIENCE) and queue.close(PATIENCE)


def test_a_closed_queue_takes_nothing_and_forgets_what_waits():
    begun, go, done = threading.Event(), threading.Event(), []

    def wait(item: Item) -> None:
        begun.set()
        assert go.wait(PATIENCE)
        done.append(item)

    queue: CompileQueue[Item] = CompileQueue(wait, 1, 10)
    first, second = Item(), Item()
    assert queue.submit(first) and begun.wait(PATIENCE) and queue.submit(second)
    assert not queue.close(0.0)
    assert not queue.submit(Item())
    go.set()
    assert queue.close(PATIENCE)
    assert done == [first]


def test_a_queue_holds_no_more_than_it_may():
    go = threading.Event()
    queue: CompileQueue[Item] = CompileQueue(lambda item: (go.wait(PATIENCE), None)[1], 1, 2)
    items = [Item() for _ in range(10)]
    taken = [queue.submit(item) for item in items]
    # The thread may or may not have taken the first one from the queue already.
    assert 2 <= taken.count(True) <= 3
    go.set()
    assert queue.close(PATIENCE)


def test_what_is_needed_most_goes_first():
    begun, go, done = threading.Event(), threading.Event(), []

    def note(item: Item) -> None:
        begun.set()
        assert go.wait(PATIENCE)
        done.append(item)

    items = [Item() for _ in range(4)]
    needs = dict(zip(items, [0.0, 0.0, 2.0, 1.0], strict=True))
    queue: CompileQueue[Item] = CompileQueue(note, 1, 10, needs.__getitem__)
    assert queue.submit(items[0]) and begun.wait(PATIENCE)
    assert all(queue.submit(item) for item in items[1:])
    needs[items[3]] = 3.0  # it went on being needed while it waited
    go.set()
    assert queue.wait(PATIENCE) and queue.close(PATIENCE)
    assert done == [items[0], items[3], items[2], items[1]]


def test_a_thread_that_is_stuck_is_replaced_until_it_is_done():
    begun, go, done, now = threading.Event(), threading.Event(), threading.Event(), [0.0]

    def hang_first(item: Item) -> None:
        if item is first:
            begun.set()
            assert go.wait(PATIENCE)
        else:
            done.set()

    first, early, late = Item(), Item(), Item()
    queue: CompileQueue[Item] = CompileQueue(hang_first, 1, 10, clock=lambda: now[0])
    assert queue.submit(first) and begun.wait(PATIENCE)
    assert queue.submit(early)  # waits: the thread has not been at work for long
    assert not done.is_set()
    now[0] = STUCK_AFTER + 1
    assert queue.submit(late)
    assert done.wait(PATIENCE)
    go.set()
    assert queue.wait(PATIENCE) and queue.close(PATIENCE)


PROGRAM = """
import sys, threading
import numpy as np
import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.settings import NumpySettings
from latebind.backends.tiered.backend import TieredBackend
from latebind.backends.tiered.settings import TieredSettings

begun = threading.Event()

class Hanging(NumpyBackend):
    def compile(self, computations):
        begun.set()
        threading.Event().wait()

backend = TieredBackend(
    TieredSettings(compile_after=0, exit_wait_s=0.01), baseline=NumpyBackend(NumpySettings(interpretations=0)),
    optimizing=Hanging(),
)
container = lb.build_container()
container.backend.override(backend)
with container:
    print(float(lb.sum(lb.ones(3) * 2.0)), flush=True)
assert begun.wait(60)
"""
XLA_PROGRAM = """
import sys
import numpy as np
import latebind as lb

container = lb.build_container(backend={
    "name": "tiered", "compile_after": 0, "exit_wait_s": 0, "baseline": {"name": "numpy", "interpretations": 0},
    "optimizing": {"name": "xla", "persistent_cache": False},
})
with container:
    x = lb.asarray(np.linspace(0.0, 1.0, 64))
    for number in range(1500):
        x = lb.sin(x) * 0.5 + x[::-1] * 0.25
    print(bool(np.isfinite(np.asarray(x)).all()), flush=True)
"""


def python(program: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["app", os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(("end", "code"), [("container.close()", 0), ("", 0), ("sys.exit(3)", 3), ("1 / 0", 1)])
def test_the_process_ends_while_a_compiler_hangs(end, code):
    done = python(PROGRAM + end)
    assert (done.returncode, done.stdout) == (code, "6.0\n"), done.stderr
    assert "a compilation did not end within 0.01 s" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("end", "code"), [("container.close()", 0), ("", 0), ("sys.exit(3)", 3)])
def test_the_process_ends_while_xla_compiles(end, code):
    need("jax")
    done = python(XLA_PROGRAM + end)
    assert (done.returncode, done.stdout) == (code, "True\n"), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning", "ignore:os.fork:RuntimeWarning")
def test_a_forked_child_waits_for_no_compilation_of_its_parents(tiered, held, use):
    backend = tiered(held, synchronous=False, compile_after=0.0, exit_wait_s=PATIENCE)
    use(backend)
    assert float(lb.sum(lb.ones(3) + 1.0)) == 6.0
    assert held.begun.wait(PATIENCE)
    child = os.fork()
    if not child:
        os._exit(0 if backend.wait_for_compilations(PATIENCE) else 1)  # the parent's is held until this is over
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
