"""The programs of the soak test: well-behaved ones, whose answers are exact, and ones that make trouble when asked."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, Final

import numpy

#: First number of a row that makes `trouble` do something else than to double it.
RAISE, HANG, DEVOUR, DIE = 1001.0, 1002.0, 1003.0, 1004.0
#: Columns of every program's rows.
WIDTH: Final = 16
#: Extents of the layers of `dense`, and the largest number in its weights and inputs: no sum of products is rounded.
LAYERS: Final = (WIDTH, 64, WIDTH)
LARGEST: Final = 7
#: Seconds that `busy` takes.
_BUSY: Final = 0.05

CONFIGURATION: Final = """\
port: 0
page: true
repository: true
max_body_mb: 1
body_timeout: {timeout}
drain_timeout: 10
programs:
  dense:
    program: {file}:dense
    weights: dense.npz
    {tensors}
    settings: {{backend: {backend}}}
    batching: {{max_size: 16, max_delay_ms: 2}}
  trouble:
    program: {file}:trouble
    {tensors}
    settings: {{backend: numpy}}
    workers: 2
    memory_limit_mb: 128
    compute_timeout: {timeout}
    batching: {{max_size: 8, max_delay_ms: 2}}
  killed:
    program: {file}:double
    {tensors}
    settings: {{backend: numpy}}
    workers: 2
    batching: {{max_size: 8, max_delay_ms: 2}}
  busy:
    program: {file}:busy
    {tensors}
    settings: {{backend: numpy}}
    queue: 2
  shapes:
    program: {file}:dot
    inputs: [{{name: x, datatype: FP32, shape: [-1, -1]}}]
    outputs: [{{name: y, datatype: FP32, shape: [-1]}}]
    settings: {{backend: {backend}, cache: {{max_entries: 16}}}}
    batching: {{max_size: 2, max_delay_ms: 2}}
"""
#: Most columns of the rows of `shapes`, which keeps fewer compiled programs than that: old ones are dropped all along.
WIDEST: Final = 40


def write_soak_configuration(folder: Path, backend: str, timeout: float) -> Path:
    """Write `serve.yaml` and weights; return the file."""
    numpy.savez(folder / "dense.npz", **make_dense_weights())
    tensor = f"datatype: FP32, shape: [-1, {WIDTH}]"
    text = CONFIGURATION.format(
        file=Path(__file__),
        tensors=f"inputs: [{{name: x, {tensor}}}]\n    outputs: [{{name: y, {tensor}}}]",
        backend=backend,
        timeout=timeout,
    )
    file = folder / "soak.yaml"
    file.write_text(text)
    return file


def make_dense_weights() -> dict[str, numpy.ndarray]:
    """Return float32 weights that are small whole numbers, the same each time."""
    rng = numpy.random.default_rng(0)
    shapes = {"w0": LAYERS[:2], "w1": LAYERS[1:]}
    return {
        name: rng.integers(-LARGEST, LARGEST + 1, shape).astype(numpy.float32)  # exact in float32
        for name, shape in shapes.items()
    }


def dense(x: Any, weights: Any) -> Any:
    """Two layers of a perceptron."""
    import latebind.numpy as np

    return np.maximum(x @ weights["w0"], 0.0) @ weights["w1"]


def expected_dense(x: numpy.ndarray, weights: dict[str, numpy.ndarray]) -> numpy.ndarray:
    """Return what `dense` has to answer, bit by bit: whole numbers below 2**24, of which float32 rounds none."""
    return numpy.maximum(x @ weights["w0"], 0) @ weights["w1"]


def double(x: Any) -> Any:
    """Twice the rows."""
    return x * 2.0


def trouble(x: Any) -> Any:
    """Twice the rows, unless the first number of one asks for trouble."""
    asked = set(numpy.asarray(x)[:, 0].tolist())
    if RAISE in asked:
        raise ValueError("a row asks for it")
    if DIE in asked:
        os.kill(os.getpid(), signal.SIGKILL)
    if DEVOUR in asked:
        hoard = []
        while True:
            hoard.append(numpy.ones(1 << 20))
    while HANG in asked:
        time.sleep(0.05)
    return x * 2.0


def dot(x: Any) -> Any:
    """The squares of each row, added up."""
    import latebind.numpy as np

    return np.sum(x * x, axis=1)


def busy(x: Any) -> Any:
    """Twice the rows, after a while. Reading a value has it run at every request."""
    if float(x[0, 0]) >= 0:
        time.sleep(_BUSY)
    return x * 2.0
