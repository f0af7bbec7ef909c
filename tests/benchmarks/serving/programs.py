"""The models that are served: the same array code, with `latebind`, `jax.numpy` or NumPy for `np`."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy

#: Widths of the layers; the large one is bound by reading its 285 MB of weights, so that a batch costs little more.
MODELS = {"digits": (64, 256, 10), "large": (512, 8192, 8192, 10)}


def make_weights(widths: tuple[int, ...]) -> dict[str, numpy.ndarray]:
    """Return float32 weights, the same each time."""
    rng = numpy.random.default_rng(0)
    return {
        f"w{i}": (rng.normal(size=(n, m)) / numpy.sqrt(n)).astype(numpy.float32)
        for i, (n, m) in enumerate(pairwise(widths))
    }


def forward(np: Any, x: Any, weights: Any) -> Any:
    """Return the scores of a perceptron."""
    for i in range(len(weights) - 1):
        x = np.maximum(x @ weights[f"w{i}"], 0.0)
    return x @ weights[f"w{len(weights) - 1}"]


def predict(x: Any, weights: Any) -> Any:
    """What `latebind serve` runs."""
    import latebind.numpy as np

    return forward(np, x, weights)


def write_configuration(folder: Path) -> Path:
    """Write weights and `serve.yaml`; return the file."""
    lines = ["port: 0", "page: false", "log: text", "programs:"]
    for name, widths in MODELS.items():
        numpy.savez(folder / f"{name}.npz", **make_weights(widths))
        lines += [
            f"  {name}:",
            f"    program: {Path(__file__)}:predict",
            f"    weights: {name}.npz",
            f"    inputs: [{{name: x, datatype: FP32, shape: [-1, {widths[0]}]}}]",
            f"    outputs: [{{name: scores, datatype: FP32, shape: [-1, {widths[-1]}]}}]",
            "    settings: {backend: {name: xla, persistent_cache: false}}",
            "    batching: {max_size: 64, max_delay_ms: 2}",
            "    queue: 4096",
        ]
    file = folder / "serve.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file
