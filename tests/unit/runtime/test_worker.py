"""Asynchronous execution: order, bounds, the barrier, and nobody waits for ever."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from latebind.runtime.launch import Worker


@pytest.fixture
def queued(make_executor, double):
    return make_executor(double, asynchronous="always", queue_size=3)


def run_python(source, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_computations_run_on_the_worker_while_python_goes_on(queued, double, array):
    double.gate.clear()
    y = array([1.0]) + 1
    queued.mark_step()
    assert double.entered.wait(10)
    assert not double.computations  # we are here, and it has not run
    double.gate.set()
    assert np.asarray(y).tolist() == [2.0]


def test_computations_run_in_the_order_of_submission(queued, double, array):
    x = array([1.0])
    for i in range(10):
        x = x + float(i) if i % 2 else x * 2.0
        queued.mark_step()
    expected = 1.0
    for i in range(10):
        expected = expected + i if i % 2 else expected * 2.0
    assert float(x[0]) == expected


def test_the_queue_is_bounded(queued, double, array):
    x = array([1.0])
    submitted = []
    blocked = threading.Event()
    double.gate.clear()

    def submit():
        for i in range(20):
            _ = x + float(i)
            queued.mark_step()
            submitted.append(i)
            if i >= queued.options.queue_size:
                blocked.set()

    thread = threading.Thread(target=submit, daemon=True)
    thread.start()
    assert blocked.wait(10)
    thread.join(0.2)
    assert thread.is_alive() and len(submitted) <= queued.options.queue_size + 2
    double.gate.set()
    thread.join(10)
    assert not thread.is_alive() and len(submitted) == 20


def test_the_barrier_waits_for_all_that_was_started(queued, double, array):
    arrays = [array([float(i)]) + 1 for i in range(3)]
    for one in arrays:
        queued.sync([one])
    queued.wait_device_ops()
    assert not any(one._data.is_pending for one in arrays)
    assert queued.worker.pending == 0


def test_pending_data_is_a_leaf_of_the_next_recording(queued, double, array):
    double.gate.clear()
    x = array([1.0])
    y = x + 1
    queued.mark_step()
    z = y * 3
    queued.mark_step()
    w = z - y
    assert y._data.is_pending and z._data.is_pending
    double.gate.set()
    assert float(w[0]) == 4.0


@pytest.mark.parametrize("inline_below_us", [0.0, 1e9, None])
def test_values_are_right_whatever_runs_inline(make_executor, array, inline_below_us):
    executor = make_executor(asynchronous="auto", inline_below_us=inline_below_us)
    x, expected = array(np.ones(1000)), np.ones(1000)
    for i in range(60):
        if i % 3:
            x = x * 0.5 + 1.0
            expected = expected * 0.5 + 1.0
        else:
            x -= float(i)
            expected -= float(i)
        if i % 5 == 0:
            executor.mark_step()
        if i % 17 == 0:
            np.testing.assert_array_equal(np.asarray(x), expected)
    np.testing.assert_array_equal(np.asarray(x), expected)


def test_inline_and_queued_jobs_interleave(make_executor, double, array):
    executor = make_executor(double, asynchronous="always")
    x, expected = array(np.ones(5000)), np.ones(5000)
    rng = np.random.default_rng(3)
    for i in range(80):
        object.__setattr__(executor.options, "asynchronous", "always" if rng.integers(2) else "never")
        x += float(i)
        expected += float(i)
        executor.mark_step()
        y, z = x * 2, expected * 2
        if rng.integers(3) == 0:
            np.testing.assert_array_equal(np.asarray(y), z)
    np.testing.assert_array_equal(np.asarray(x), expected)


def test_closing_runs_what_is_queued(make_executor, double, array):
    executor = make_executor(double, asynchronous="always")
    double.gate.clear()
    y = array([1.0]) + 1
    executor.mark_step()
    closer = threading.Thread(target=executor.close, daemon=True)
    closer.start()
    double.gate.set()
    closer.join(10)
    assert not closer.is_alive()
    assert np.asarray(y).tolist() == [2.0]


def test_a_job_submitted_after_the_worker_closed_still_runs():
    worker = Worker("test", 1)
    ran = []
    worker.submit(lambda: ran.append(1))
    worker.close()
    worker.submit(lambda: ran.append(2))
    worker.drain()
    assert ran == [1, 2]
    worker.close()


def test_closing_a_worker_that_never_ran_is_fine():
    worker = Worker("test", 1)
    worker.drain()
    worker.close()
    worker.close()


def test_a_job_may_wait_for_the_barrier_from_the_worker_itself():
    worker = Worker("test", 4)
    done = threading.Event()

    def job():
        worker.drain()
        done.set()

    worker.submit(job)
    assert done.wait(10)
    worker.close()


PROLOGUE = """
import atexit, sys, threading
import numpy as np
import latebind.array.operators
from latebind.array.operands import as_array
from latebind.backends.numpy.backend import NumpyBackend
from latebind.runtime import current
from latebind.runtime.executor import LazyGraphExecutor
from latebind.runtime.options import ExecutorOptions
def make(**options):
    executor = LazyGraphExecutor(Backend(), options=ExecutorOptions(**{"interpretations": 0, **options}))
    current.set_current(lambda: executor)
    return executor
class Backend(NumpyBackend):
    pass
"""


def test_interpreter_exit_drains_the_queue(app_environment):
    done = run_python(
        PROLOGUE
        + """
class Backend(NumpyBackend):
    def execute_computation(self, *arguments):
        threading.Event().wait(0.05)
        print("ran", flush=True)
        return super().execute_computation(*arguments)
executor = make(asynchronous="always")
x = as_array(np.ones(3))
for _ in range(4):
    x = x + 1
    executor.mark_step()
print("leaving", flush=True)
""",
        env=app_environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines().count("ran") == 4
    assert not done.stderr


def test_values_can_be_read_in_exit_handlers(app_environment):
    done = run_python(
        PROLOGUE.replace(
            "\nimport latebind",
            "\nkept = []"
            "\natexit.register(lambda: print(np.asarray(kept[0]), np.asarray(kept[0] + 1)))\nimport latebind",
            1,
        )
        + """
executor = make(asynchronous="always")
x = as_array(np.ones(3)) + 1
executor.mark_step()
kept.append(x)
""",
        env=app_environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[2. 2. 2.] [3. 3. 3.]"


def test_exit_with_a_recording_that_nobody_read_is_quiet(app_environment):
    done = run_python(PROLOGUE + "make()\nx = as_array(np.ones(3)) + 1\n", env=app_environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_daemon_thread_that_records_at_exit_does_not_hang(app_environment):
    done = run_python(
        PROLOGUE
        + """
executor = make(asynchronous="always", queue_size=1)
x = as_array(np.ones(3))
started = threading.Event()
def loop():
    y = x
    while True:
        y = y * 1.0
        executor.mark_step()
        started.set()
threading.Thread(target=loop, daemon=True).start()
started.wait()
""",
        env=app_environment,
    )
    assert done.returncode == 0, done.stderr
