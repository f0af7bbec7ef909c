"""The memory timeline: what was alive at the peak, and who made it."""

from __future__ import annotations

import gc
import re

import latebind as lb
from latebind.profiling.memory import Memory, curve

MB = 1_000_000
N = MB // 8  # elements of a megabyte


def held(seen) -> dict[str, tuple[int, int]]:
    """Count and bytes of what was alive at the peak, by the source of its line."""
    lines = {line.line: line.text for line in seen.lines}
    return {lines[each.line]: (each.count, each.nbytes) for each in seen.memory.arrays}


def test_the_arrays_alive_at_the_peak_are_listed_with_their_lines(container):
    with lb.profile() as seen:
        a = lb.ones((N,))
        b = lb.zeros((2 * N,))
        lb.sync(a, b)
        del a
        lb.sync(lb.ones((3,)))
    assert b.size == 2 * N
    assert seen.memory.peak_bytes == 3 * MB
    assert held(seen) == {"b = lb.zeros((2 * N,))": (1, 2 * MB), "a = lb.ones((N,))": (1, MB)}
    assert "at most 3,000,000 bytes" in seen.report()


def test_what_dies_is_not_counted_any_more(container):
    with lb.profile() as seen:
        for _ in range(5):
            x = lb.ones((N,))
            lb.sync(x)
            del x
    assert seen.memory.peak_bytes == MB
    assert seen.memory.timeline[-1][2] == 0


def test_arrays_of_one_line_and_type_are_one_row(container):
    with lb.profile() as seen:
        kept = [lb.full((N,), value) for value in (0.0, 1.0, 2.0, 3.0)]
        lb.mark_step()
    assert len(kept) == 4
    (row,) = seen.memory.arrays
    assert (row.count, row.nbytes, row.how, row.device) == (4, 4 * MB, "result", "cpu:0")
    assert row.type == f"tensor<{N}xf64>"


def test_values_from_the_host_count_from_their_transfer_on(container):
    import numpy as np

    host = np.ones(N)
    with lb.profile() as seen:
        x = lb.asarray(host)
    assert x.size == N
    (row,) = seen.memory.arrays
    assert (row.how, row.nbytes) == ("host", MB)


def test_what_is_older_than_the_profile_counts_once_it_is_used(container):
    old = lb.ones((N,))
    lb.sync(old)
    with lb.profile() as seen:
        new = old + 1
        lb.sync(new)
    assert {(row.how, row.nbytes) for row in seen.memory.arrays} == {("before", MB), ("result", MB)}


def test_a_value_that_is_overwritten_counts_once(container):
    x = lb.ones((N,))
    for _ in range(10):
        x += 1
        lb.mark_step()
    with lb.profile() as seen:
        for _ in range(5):
            x += 1
            lb.mark_step()
    assert seen.counters["DonatedBuffers"] == 5
    assert seen.memory.peak_bytes == MB


def test_a_profile_keeps_no_array_alive(container):
    with lb.profile() as seen:
        x = lb.ones((N,))
        lb.sync(x)
        lb.sync(x + 1)
        del x
        gc.collect()
        last = lb.ones((3,))
        lb.sync(last)
    assert seen.memory.timeline[-1][2] == 24


def test_watching_does_not_keep_buffers_from_being_overwritten(container):
    with lb.profile() as seen:
        x = lb.ones((N,))
        for _ in range(12):
            x += 1
            lb.mark_step()
    assert seen.counters["DonatedBuffers"] >= 5


def test_beyond_the_limit_arrays_are_counted(container):
    with lb.profile(limit=4) as seen:
        kept = [lb.full((10,), value) for value in range(8)]
        lb.mark_step()
    assert len(kept) == 8
    assert seen.memory.missed == 4
    assert "4 arrays beyond the profile's limit are missing" in seen.report()


def test_temporaries_that_the_engine_tells_of_count_while_it_runs(make_container):
    from latebind.backends.numpy.backend import NumpyBackend

    class Telling(NumpyBackend):
        def computation_analysis(self, computation):
            return {"temp_bytes": 5 * MB}

    telling = Telling()
    telling.interpretations = 0
    with make_container("numpy") as container, container.backend.override(telling), lb.profile() as seen:
        x = lb.ones((N,))
        lb.sync(x)
    assert seen.memory.peak_bytes == 6 * MB
    assert {(row.how, row.nbytes) for row in seen.memory.arrays} == {("engine", 5 * MB), ("result", MB)}
    assert seen.memory.timeline[-1][2] == MB


def test_the_curve_is_the_most_that_was_held_in_each_part_of_the_time():
    timeline = ((0.0, "a", 10), (0.1, "b", 5), (0.15, "a", 0), (0.5, "b", 20), (0.51, "b", 1))
    assert curve(Memory(20, 0.5, (), timeline), 1.0, 4) == [15, 5, 20, 1]
    assert curve(Memory(0, 0.0, (), ()), 1.0, 2) == [0, 0]
    assert curve(Memory(7, 0.0, (), ((0.0, "a", 7),)), 0.0, 2) == [7, 7]


def test_the_table_draws_the_curve(container):
    with lb.profile() as seen:
        large = lb.ones((1000,))
        lb.sync(large)
    assert re.search(r"over time: [ .:=+*#@-]{59}@\|", seen.report())
