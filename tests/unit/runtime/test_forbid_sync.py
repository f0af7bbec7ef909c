"""Reads are errors where they are forbidden, and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.errors import SyncForbiddenError

READS: dict[str, Callable[[Any], object]] = {
    "float": lambda x: float(x[0]),
    "branch": lambda x: bool(x[0] > 0),
    "printing": str,
    "asarray": np.asarray,
    "tolist": lambda x: x.tolist(),
    "iteration over values": lambda x: [float(one) for one in x],
    "nonzero": lb.nonzero,
    "mask": lambda x: x[x > 0],
    "dlpack": np.from_dlpack,
    "wait": lambda x: lb.wait_device_ops(),
}


@pytest.mark.parametrize("read", sorted(READS))
@pytest.mark.parametrize("computed", [False, True])
def test_a_read_is_an_error_that_names_the_line(read: str, computed: bool) -> None:
    x = lb.arange(3.0) + 1
    if computed:
        lb.sync(x)
    with lb.forbid_sync(), pytest.raises(SyncForbiddenError, match=r"test_forbid_sync.py:\d+: .*forbid_sync"):
        READS[read](x)
    np.testing.assert_array_equal(x, [1, 2, 3])


@pytest.mark.parametrize(
    ("read", "reason", "remedy"),
    [
        (lambda x: float(x[0]), "float()", "move the read out of the block"),
        (lambda x: 1 if x[0] > 0 else 0, "if, while, and, or, not", "where() instead of a branch"),
        (lambda x: x[x > 0], "data-dependent shape: boolean mask", "where() instead of a mask"),
        (lambda x: np.asarray(x), "numpy.asarray()", "move the read out of the block"),
        (lambda x: lb.wait_device_ops(), "wait_device_ops()", "mark_step() and sync() start work"),
    ],
    ids=["float", "branch", "mask", "asarray", "wait"],
)
def test_the_error_says_what_reads_and_what_to_do(read: Callable[[Any], object], reason: str, remedy: str) -> None:
    x = lb.arange(3.0) + 1
    with lb.forbid_sync(), pytest.raises(SyncForbiddenError) as caught:
        read(x)
    assert f"({reason})" in str(caught.value)
    assert remedy in str(caught.value)


def test_recording_and_starting_work_are_allowed() -> None:
    x = lb.zeros(3)
    with lb.forbid_sync():
        for _ in range(5):
            x[1:] += 1
            lb.mark_step()
        lb.sync(x)
    np.testing.assert_array_equal(x, [0, 5, 5])


def test_blocks_nest_and_end_with_an_exception() -> None:
    x = lb.ones(2)
    with pytest.raises(ZeroDivisionError), lb.forbid_sync():
        with lb.forbid_sync():
            pass
        with pytest.raises(SyncForbiddenError):
            float(x[0])
        raise ZeroDivisionError
    assert float(x[0]) == 1


def test_other_threads_may_read() -> None:
    x, found = lb.ones(2), []
    with lb.forbid_sync():
        thread = threading.Thread(target=lambda: found.append(float(x[0])))
        thread.start()
        thread.join()
    assert found == [1.0]


def test_a_mask_of_a_program_that_runs_directly() -> None:
    with lb.build_container(backend="numpy", eager=True):
        x = lb.arange(3.0)
        inside = x > 0
        with lb.forbid_sync(), pytest.raises(SyncForbiddenError):
            x[inside]
