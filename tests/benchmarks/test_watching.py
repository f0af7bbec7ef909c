"""The benchmark of what watching costs runs, and has every way and every case. No time is asserted."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.benchmarks.watching import APP, EARLIER, ROOT, WAYS

CASES = ("warm step of 1 operation", "warm step of 100 operations", "call of a compiled function", "float of its sum")


def test_the_cost_of_watching_is_measured_and_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.watching", "--quick", "--against", str(APP)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(APP)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for case in CASES:
        assert case in done.stdout
    for way in (*WAYS, EARLIER):
        assert done.stdout.count(f"│ {way} ") == len(CASES)
