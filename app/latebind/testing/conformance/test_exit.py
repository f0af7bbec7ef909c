"""The end of a backend, and of the interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import latebind
from latebind.testing.conformance.backends import BackendUnderTest
from latebind.testing.conformance.tools import Bench, equal

#: Seconds that a small program may take, an engine's import included.
PATIENCE = 100


def test_exit_twice_is_harmless(under_test: BackendUnderTest) -> None:
    backend = under_test.build()
    backend.prepare_to_exit()
    backend.prepare_to_exit()


def test_exit_leaves_other_instances_alive(under_test: BackendUnderTest, bench: Bench) -> None:
    other = Bench(under_test.build())
    computation, mine = other.doubling(other.array(1, 2)), bench.doubling(bench.array(1, 2))
    assert equal(other.get(other.execute(computation, other.put(other.array(1, 2)))[0]), other.array(2, 4))
    data = bench.put(bench.array(3, 4))
    other.backend.prepare_to_exit()
    assert equal(bench.get(bench.execute(mine, data)[0]), bench.array(6, 8))
    third = Bench(under_test.build())
    assert equal(third.get(third.put(third.array(5))), third.array(5))


PENDING = """
import latebind as lb
container = {container}
with container:
    x = lb.ones((200, 200), dtype=lb.float32)
    for _ in range(30):
        x = lb.matmul(x, x) / 200
    lb.mark_step()
    y = x + 1
"""
THREAD = """
import threading
import latebind as lb
container = {container}
def work():
    with container:
        x = lb.ones((100, 100), dtype=lb.float32)
        lb.sync(lb.matmul(x, x))
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
ERROR = """
import latebind as lb
container = {container}
with container:
    x = lb.ones((3,), dtype=lb.float32)
    lb.sync(x + 1)
    raise SystemExit(7)
"""


@pytest.mark.parametrize(
    ("program", "code"), [(PENDING, 0), (THREAD, 0), (ERROR, 7)], ids=["pending-work", "after-a-thread", "with-a-code"]
)
def test_interpreter_exits(under_test: BackendUnderTest, program: str, code: int, tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(program.format(container=under_test.source()))
    roots = [str(Path(latebind.__file__).parents[1]), *sys.path]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, roots))
    done = subprocess.run(
        [sys.executable, str(path)], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
