"""A training step of a multilayer perceptron, 64-128-10, batch of 64, float32, gradients written out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from tests.benchmarks import contenders as peers
from tests.benchmarks.contenders import Contenders
from tests.benchmarks.measurement import Measure, per_call, scaled
from tests.benchmarks.tables import Report

TITLE = "training step of a multilayer perceptron"
SIZES = (64, 128, 10)
BATCH = 64
_RATE, _DECAY = 0.1, 0.9999
_COMPILED = "latebind, compiled"

#: From parameters, images, labels and the learning rate to the new parameters and the loss.
Train = Callable[..., list[Any]]


def run(quick: bool) -> Report:
    """Measure the step."""
    report = Report("mlp_step", TITLE)
    with peers.container():
        report.compare(
            f"training step {'-'.join(map(str, SIZES))}, batch {BATCH}, us per step",
            _contenders(steps=3 if quick else 50),
            rounds=2 if quick else 25,
            warmup=2 if quick else 4,
            notes=["The learning rate decays at every step. Steps in a row, one wait at the end of the row."],
        )
    return report


def step(maximum: Callable[..., Any], largest: Callable[..., Any], exp: Any, log: Any, total: Any) -> Train:
    """Return the training step on an array library.

    Parameters
    ----------
    maximum
        From an array to its elementwise maximum with 0.
    largest
        From an array to the maxima of its rows, as a column.
    exp, log, total
        The library's functions; `total` is its sum.
    """

    def train(w1: Any, b1: Any, w2: Any, b2: Any, images: Any, labels: Any, rate: Any) -> list[Any]:
        hidden = maximum(images @ w1 + b1)
        logits = hidden @ w2 + b2
        shifted = logits - largest(logits)
        exponentials = exp(shifted)
        totals = total(exponentials, axis=1, keepdims=True)
        loss = (total(log(totals)) - total(shifted * labels)) / BATCH
        error = (exponentials / totals - labels) / BATCH
        hidden_error = (error @ w2.T) * (hidden > 0)
        return [
            w1 - rate * (images.T @ hidden_error),
            b1 - rate * total(hidden_error, axis=0),
            w2 - rate * (hidden.T @ error),
            b2 - rate * total(error, axis=0),
            loss,
        ]

    return train


@dataclass(slots=True)
class Training:
    """The state of one contender's training: parameters, the batch, and the learning rate."""

    train: Train
    parameters: list[Any]
    batch: list[Any]
    rate: float = _RATE
    loss: Any = None

    @classmethod
    def start(cls, train: Train, asarray: Callable[[np.ndarray], Any]) -> Training:
        """Return a training with the same initial values for every contender."""
        rng = np.random.default_rng(0)
        inputs, hidden, classes = SIZES
        parameters = [
            rng.normal(0, np.sqrt(2 / inputs), (inputs, hidden)),
            np.zeros(hidden),
            rng.normal(0, np.sqrt(2 / hidden), (hidden, classes)),
            np.zeros(classes),
        ]
        batch = [rng.uniform(0, 1, (BATCH, inputs)), np.eye(classes)[rng.integers(0, classes, BATCH)]]
        return cls(
            train,
            [asarray(value.astype(np.float32)) for value in parameters],
            [asarray(value.astype(np.float32)) for value in batch],
        )

    def advance(self, asrate: Callable[[float], Any] = float) -> None:
        """Take one step."""
        *self.parameters, self.loss = self.train(*self.parameters, *self.batch, asrate(self.rate))
        self.rate *= _DECAY

    def values(self) -> list[Any]:
        """Return everything that a step computes."""
        return [*self.parameters, self.loss]


def _contenders(steps: int) -> Contenders:
    found = Contenders()
    found.add(peers.LATEBIND, lambda: _latebind(steps))
    found.add(_COMPILED, lambda: _latebind_compiled(steps))
    found.add(peers.NUMPY, lambda: _us(Training.start(numpy_step(), np.asarray).advance, steps))
    found.add(peers.TORCH, lambda: _torch(steps))
    found.add(peers.LAZY_CORE, lambda: _lazy_core(steps))
    found.add(peers.JIT, lambda: _jit(steps))
    found.add(peers.MLX, lambda: _mlx(steps, compiled=False))
    found.add(peers.MLX_COMPILED, lambda: _mlx(steps, compiled=True))
    return found


def _us(function: Callable[[], object], steps: int, finish: Callable[[], object] | None = None) -> Measure:
    return scaled(per_call(function, calls=steps, finish=finish), 1e6)


def numpy_step() -> Train:
    """Return the step on NumPy."""
    return step(lambda x: np.maximum(x, 0), lambda x: x.max(axis=1, keepdims=True), np.exp, np.log, np.sum)


def latebind_step() -> Train:
    """Return the step on latebind."""
    import latebind as lb

    return step(lambda x: lb.maximum(x, 0), lambda x: lb.max(x, axis=1, keepdims=True), lb.exp, lb.log, lb.sum)


def _latebind(steps: int) -> Measure:
    import latebind as lb

    training = Training.start(latebind_step(), lb.asarray)

    def advance() -> None:
        training.advance()
        lb.mark_step()

    return _us(advance, steps, lb.wait_device_ops)


def _latebind_compiled(steps: int) -> Measure:
    import latebind as lb

    training = Training.start(lb.compile(latebind_step()), lb.asarray)
    return _us(training.advance, steps, lb.wait_device_ops)


def _torch_step(torch: Any) -> Train:
    return step(torch.relu, lambda x: torch.amax(x, 1, keepdim=True), torch.exp, torch.log, torch.sum)


def _torch(steps: int) -> Measure:
    torch = peers.load_torch()
    return _us(Training.start(_torch_step(torch), torch.from_numpy).advance, steps)


def _lazy_core(steps: int) -> Measure:
    core = peers.LazyCore()
    training = Training.start(_torch_step(core.torch), core.asarray)

    def advance() -> None:
        training.advance()
        core.mark_step()

    return _us(advance, steps, core.wait)


def _jit(steps: int) -> Measure:
    jax = peers.load_jax()
    xp: Any = jax.numpy
    train = step(lambda x: xp.maximum(x, 0), lambda x: x.max(axis=1, keepdims=True), xp.exp, xp.log, xp.sum)
    training = Training.start(jax.jit(train), xp.asarray)
    return _us(training.advance, steps, lambda: jax.block_until_ready(training.values()))


def _mlx(steps: int, *, compiled: bool) -> Measure:
    mx: Any = peers.load_mlx()
    train = step(lambda x: mx.maximum(x, 0), lambda x: mx.max(x, axis=1, keepdims=True), mx.exp, mx.log, mx.sum)
    training = Training.start(mx.compile(train) if compiled else train, mx.array)

    def advance() -> None:
        training.advance(mx.array)
        mx.eval(training.values())

    return _us(advance, steps)
