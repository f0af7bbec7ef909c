"""The figures of the report: histograms, what workers that are gone have counted, and the memory of processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from latebind.services.serving.histogram import BOUNDS, Histogram, ProgramFigures
from latebind.services.serving.limits import memory_is_limitable, resident_bytes
from latebind.services.serving.seat import public
from latebind.services.serving.shelf import GraphShelf


def test_a_time_is_counted_in_the_first_bucket_that_it_does_not_exceed():
    histogram = Histogram()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1], 1e9):
        histogram.observe(seconds)
    report = histogram.report()
    assert report["counts"][:2] == [2, 1] and report["counts"][-2:] == [1, 1]
    assert len(report["counts"]) == len(report["bounds"]) + 1
    assert report["count"] == 5 and report["sum"] > 1e9


def test_counters_never_fall_when_workers_are_replaced():
    figures = ProgramFigures()
    first = {"counters": {"Captures": 3}, "fallbacks": {"qr": 1}, "compilations": 4, "device_bytes": 10}
    before = figures.report([first])
    figures.retire(first)
    after = figures.report([{"counters": {"Captures": 1}, "compilations": 2, "device_bytes": None}])
    assert before["counters"] == {"Captures": 3} and after["counters"] == {"Captures": 4}
    assert before["compilations"] == 4 and after["compilations"] == 6
    assert after["fallbacks"] == {"qr": 1}
    assert before["device_bytes"] == 10 and after["device_bytes"] is None


def test_the_memory_of_a_process_that_is_gone_is_nothing():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert resident_bytes(process.pid) == 0
    assert resident_bytes() > 1 << 20
    assert resident_bytes(os.getpid()) > 1 << 20


@pytest.mark.skipif(not memory_is_limitable(), reason="only Linux enforces the limit")
def test_the_limit_counts_from_what_the_process_has():
    program = (
        "from latebind.services.serving.limits import limit_memory\n"
        "large = bytearray(200 << 20)\n"
        "limit_memory(100)\n"
        "more = bytearray(50 << 20)\n"
        "try: bytearray(200 << 20)\n"
        "except MemoryError: print('refused')\n"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=_environment())
    assert outcome.stdout == "refused\n", outcome.stderr


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("/srv/models/digits.py:12: a value is needed", "digits.py:12: a value is needed"),
        ("no such file: '/etc/secret/key.pem'", "no such file: 'key.pem'"),
        (r"C:\models\digits.py:12: wrong", "digits.py:12: wrong"),
        ("no such file: '/home/my models/key.pem'", "no such file: 'key.pem'"),
        ("3 / 4 is no integer, nor is a/b", "3 / 4 is no integer, nor is a/b"),
        ("shape [1, 4] of output 'y'", "shape [1, 4] of output 'y'"),
    ],
)
def test_clients_see_names_of_files_only(message, shown):
    assert public(message) == shown


def test_the_shelf_keeps_graphs_with_their_parts_and_asks_for_the_backends_text_late():
    shelf = GraphShelf()
    shelf.label = "8 rows"
    text = "compiling"
    shelf.add("computation_1", "ir", lambda: "the ir")
    shelf.add("computation_1", "dot", lambda: "the drawing")
    shelf.add("computation_1_0", "text", lambda: text)
    shelf.add("computation_1_1", "text", lambda: "more")
    text = "compiled"
    assert shelf.texts() == [
        {"name": "computation_1 (8 rows)", "ir": "the ir", "dot": "the drawing", "backend_text": "compiled\nmore"}
    ]
    shelf.add("computation_2", "text", lambda: 1 / 0)
    assert shelf.texts()[1]["backend_text"] == "cannot be shown: ZeroDivisionError: division by zero"
    for number in range(2, 200):
        shelf.add(f"computation_{number}", "ir", lambda: "")
    assert len(shelf.texts()) == 128
