"""What direct execution made gets what other data has when somebody asks for it, and the same for everybody."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

import latebind as lb


@pytest.fixture(autouse=True)
def many_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def ask(data, attribute, threads=6):
    """Return what threads that start at once see."""
    seen, start = [], threading.Barrier(threads)

    def look():
        start.wait(30)
        seen.append(getattr(data, attribute))

    running = [threading.Thread(target=look) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(30)
    assert len(seen) == threads
    return seen


@pytest.mark.parametrize("backend", ["numpy", {"name": "tiered", "baseline": "numpy", "optimizing": "numpy"}])
@pytest.mark.parametrize("attribute", ["handle", "type"])
def test_threads_that_ask_at_once_see_one_object(backend, attribute):
    with lb.build_container(backend=backend) as container:
        kind, device = container.backend().direct_data(), container.backend().backend_device()
        for round_ in range(50):
            data = kind.__new__(kind)
            data.value, data.device = np.float64(round_), device
            seen = ask(data, attribute)
            assert all(one is seen[0] for one in seen)
            assert data.type.dtype == np.float64 and data.has_value
