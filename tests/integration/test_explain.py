"""`latebind explain` in a process of its own: signals, and the real engines."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from tests.engines import need
from tests.integration.test_cli import latebind

DEADLINE = 30.0
FOR_EVER = """
import latebind as lb

x = lb.ones((3,))
for step in range(10**12):
    x = x * 0.5 + 0.5
    float(x[0])
    if step == 100:
        print("running", flush=True)
"""
SIZES = """
import numpy as np

import latebind as lb

for size in (64, 96):
    x = lb.asarray(np.ones((size, size)))
    for _ in range(20):
        x = lb.tanh(x @ x) + 1.0
        lb.mark_step()
print(float(x.sum()))
"""


def test_ctrl_c_prints_what_there_is(tmp_path):
    (tmp_path / "program.py").write_text(FOR_EVER)
    process = subprocess.Popen(
        [sys.executable, "-m", "latebind", "explain", "program.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, err
    assert "ended by KeyboardInterrupt" in out
    assert "program.py:7  float()" in out
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "tiered", "xla", "torch"])
def test_every_backend_explains_a_second_shape(tmp_path, backend):
    need({"xla": "jax", "tiered": "jax"}.get(backend, backend))
    (tmp_path / "program.py").write_text(SIZES)
    options = ("--backend", backend, "--json")
    done = latebind("explain", "program.py", *options, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    changes = [made["change"] for made in document["compilations"] if made["change"] is not None]
    assert ("float64[96, 96]", "float64[64, 64]") in [(change["now"], change["before"]) for change in changes]
    engines = {made["engines"] for made in document["compilations"]}
    assert engines == {"tiered (numpy at once, xla in the background)" if backend == "tiered" else backend}
    steps = [wait for wait in document["synchronisations"] if wait["reason"] == "mark_step()"]
    assert [(wait["line"], wait["count"]) for wait in steps] == [("program.py:10", 40)]
