"""Every wait is attributed to the user's line, and to what it says that needs a value."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import latebind as lb


def reasons(function):
    """Return what a function of two arrays waited for."""
    x = lb.asarray(np.arange(4.0))
    with lb.explain() as seen:
        function(x * 2.0)
    return [one.reason for one in seen.synchronisations]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: float(x[1]), "float()"),
        (lambda x: int(x[1]), "int()"),
        (lambda x: complex(x[1]), "complex()"),
        (lambda x: bool(x[1]), "bool(), as in `if x:` and `while x:`"),
        (lambda x: 1 if x[1] > 0 else 2, "bool(), as in `if x:` and `while x:`"),
        (lambda x: repr(x), "printing"),
        (lambda x: str(x), "printing"),
        (lambda x: f"{x[1]:.2f}", "printing"),
        (lambda x: x[1].item(), ".item()"),
        (lambda x: x.tolist(), ".tolist()"),
        (lambda x: np.asarray(x), "numpy.asarray(), or a NumPy function that needs values"),
        (lambda x: np.from_dlpack(x), "DLPack"),
        (lambda x: lb.nonzero(x), "nonzero(), which needs values"),
        (lambda x: x[x > 1.0], "an index whose result's shape depends on values, such as a mask"),
        (lambda x: lb.mark_step(), "mark_step()"),
        (lambda x: lb.sync(x), "sync()"),
        (lambda x: lb.wait_device_ops(), "wait_device_ops()"),
    ],
)
def test_the_reason_is_what_the_user_wrote(container, function, expected):
    found = reasons(function)
    assert expected in found, found
    assert len(found) == 1, found


def test_counts_and_cost_are_by_line(container):
    with lb.explain() as seen:
        for i in range(5):
            x = lb.asarray(np.ones(3)) * float(i)
            float(x[0])
            float(x[1])
    assert [one.count for one in seen.synchronisations] == [5, 5]
    assert len({one.line for one in seen.synchronisations}) == 2
    assert all(one.seconds > 0 and one.reason == "float()" for one in seen.synchronisations)
    assert [line.split()[:1] for line in str(seen).splitlines()[-2:]] == [["5"], ["5"]]


def test_loops_and_limits_are_named(make_container):
    with make_container(recording={"limit": 600, "direct": False}), lb.explain() as seen:
        x = lb.asarray(np.ones(3))
        for _ in range(2_000):
            x = x * 0.5 + 1.0
        np.asarray(x)
        for size in range(1, 700):
            x = lb.concat([x, lb.asarray(np.ones(size))])[:3]
    found = [one.reason for one in seen.synchronisations]
    assert "a loop was found and cut: it runs while Python records on" in found
    assert "the recording reached its limit (recording.limit)" in found


def test_an_operand_of_another_thread_is_named(container):
    made, x = [], lb.asarray(np.ones(3))
    with lb.explain() as seen:
        thread = threading.Thread(target=lambda: made.append(x * 2.0))
        thread.start()
        thread.join()
        np.asarray(made[0] + 1.0)
    assert "an operand is recorded in another thread, or for another device" in [
        one.reason for one in seen.synchronisations
    ]


def test_nothing_that_waits_is_said_so(container):
    with lb.explain() as seen:
        lb.asarray(np.ones(3)) * 2.0
    assert seen.synchronisations == []
    assert str(seen).endswith("synchronisations\n  nothing")


def test_a_block_that_raises_keeps_what_there_is(container):
    seen = lb.explain()
    with pytest.raises(ZeroDivisionError), seen:
        float(lb.asarray(2.0) * 2.0)
        1 / 0  # noqa: B018
    assert [one.reason for one in seen.synchronisations] == ["float()"]
    float(lb.asarray(3.0) * 2.0)
    assert seen.synchronisations[0].count == 1
