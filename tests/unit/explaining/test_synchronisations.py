"""When did it run: every wait has the user's line and a reason that the user recognises."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

import latebind as lb


def branch(x):
    if x.sum() > 1:
        return 1
    return 0


def into_numpy(x):
    total = np.zeros(3)
    total += x
    return total


def masked(x):
    return x[x > 0]


READS = {
    "float()": lambda x: float(x.sum()),
    "int()": lambda x: int(x.sum()),
    "bool()": lambda x: bool(x.sum() > 0),
    "if, while, and, or, not": branch,
    "repr() or print()": repr,
    "str() or print()": str,
    "formatting": lambda x: f"{x.sum():.2f}",
    "numpy.asarray()": np.asarray,
    ".item()": lambda x: x.sum().item(),
    ".tolist()": lambda x: x.tolist(),
    "iteration": lambda x: list(x.astype(lb.int64)),
    "DLPack": np.from_dlpack,
    "pickle": pickle.dumps,
    "in": lambda x: 2.0 in x,
    "an index or a count": lambda x: range(x.sum().astype(lb.int64)),
    "data-dependent shape: nonzero()": lb.nonzero,
    "data-dependent shape: unique_values()": lb.unique_values,
    "data-dependent shape: boolean mask": masked,
    "numpy.unique()": lambda x: np.unique(x, equal_nan=False),
    "numpy.add()": into_numpy,
    "sync()": lb.sync,
    "mark_step()": lambda x: lb.mark_step(),
    "wait_device_ops()": lambda x: lb.wait_device_ops(),
}


@pytest.mark.parametrize("reason", READS)
def test_a_read_has_a_reason_that_the_user_recognises(container, reason):
    x = lb.asarray(np.ones(3)) + 1.0
    with lb.explain() as why:
        READS[reason](x)
    (wait,) = why.synchronisations
    assert wait.reason == reason
    assert wait.line.startswith("tests/unit/explaining/test_synchronisations.py:")


def test_print_is_attributed_to_its_line(container, capsys, lines):
    def show(x):
        print(x)

    with lb.explain() as why:
        show(lb.asarray(np.ones(3)) + 1.0)
    (wait,) = why.synchronisations
    assert (wait.reason, wait.line, wait.text) == ("str() or print()", lines(show, "print("), "print(x)")


def test_waits_at_one_line_for_one_reason_are_one_with_a_count(container):
    x = lb.asarray(np.ones(3))
    with lb.explain() as why:
        for _ in range(5):
            x = x * 0.5
            float(x.sum())
            x.tolist()
    assert {wait.reason: wait.count for wait in why.synchronisations} == {"float()": 5, ".tolist()": 5}
    assert all(wait.seconds > 0 for wait in why.synchronisations)
    compiled = sum(made.seconds for made in why.compilations)
    assert sum(wait.compile_seconds for wait in why.synchronisations) == pytest.approx(compiled)


def test_a_recording_at_its_limit_is_cut(make_container):
    settings = {"recording": {"direct": False, "limit": 40}}
    rng = np.random.default_rng(0)
    with make_container({"name": "numpy", "interpretations": 0}, **settings):
        x = lb.asarray(np.ones(3))
        with lb.explain() as why:
            for number in rng.integers(0, 4, 100):
                x = (lb.sin, lb.cos, lb.tanh, lb.square)[number](x)
    assert {wait.reason for wait in why.synchronisations} == {"trace limit"}


def test_a_loop_without_reads_is_cut(container):
    x = lb.asarray(np.ones(3))
    with lb.explain() as why:
        for _ in range(3000):
            x = lb.sin(x) * 0.5 + 1.0
    assert {wait.reason for wait in why.synchronisations} == {"loop cut"}


def test_an_operand_that_another_thread_recorded_is_waited_for(container):
    made = []

    def record():
        with container:
            made.append(lb.asarray(np.ones(3)) * 2.0)

    thread = threading.Thread(target=record)
    thread.start()
    thread.join()
    with lb.explain() as why:
        result = made[0] + 1.0
    assert [wait.reason for wait in why.synchronisations] == ["operand pending elsewhere"]
    assert result.tolist() == [3.0, 3.0, 3.0]


def test_threads_are_watched_too(container):
    def work():
        with container:
            x = lb.asarray(np.ones(3))
            for _ in range(10):
                float((x * 2.0).sum())

    with lb.explain() as why:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [(wait.reason, wait.count) for wait in why.synchronisations] == [("float()", 40)]


def test_captured_functions_say_when_what_was_recorded_runs(container):
    @lb.compile
    def double(x):
        return x * 2.0

    x = lb.asarray(np.ones(3)) + 1.0
    y = lb.sin(lb.asarray(np.ones(3)))
    with lb.explain() as why:
        double(x)
        double(y + 1.0)
    reasons = {wait.reason for wait in why.synchronisations}
    assert reasons == {"first call of a compiled function", "argument of a compiled function"}


def test_a_program_that_raises_leaves_what_there_was(container):
    x = lb.asarray(np.ones(3))
    why = lb.explain()
    with pytest.raises(KeyError), why:
        float(x.sum())
        raise KeyError("end")
    assert [wait.reason for wait in why.synchronisations] == ["float()"]
    assert not container.executor().events.observers


def test_a_program_that_never_reads_waits_for_nothing(container):
    x = lb.asarray(np.ones(3))
    with lb.explain() as why:
        x = x + 1.0
    assert why.synchronisations == []
    assert "Synchronisations: 0" in str(why)


def test_a_hundred_thousand_operations_are_a_few_lines(container):
    x = lb.asarray(np.ones(3))
    with lb.explain() as why:
        for step in range(100_000 // 3):
            x = lb.sin(x) * 0.5 + 1.0
            if step % 1000 == 0:
                float(x.sum())
    assert len(why.synchronisations) <= 4
    assert len(why.compilations) < 20
    assert len(str(why)) < 20_000


def test_the_reads_of_direct_execution_are_listed(make_container):
    with make_container("numpy", eager=True):
        x = lb.asarray(np.ones(3))
        with lb.explain() as why:
            float((x * 2.0).sum())
    assert [wait.reason for wait in why.synchronisations] == ["float()"]
