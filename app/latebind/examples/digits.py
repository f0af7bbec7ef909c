"""Train a multilayer perceptron on handwritten digits, gradients written out by hand.

The data are the 1,797 real images of 8 by 8 pixels that scikit-learn ships (UCI ML hand-written digits). The network
has one hidden layer; training is stochastic gradient descent with momentum and a learning rate that decays at every
step. The array code is NumPy style and does not know which backend runs it.

`--save FILE` keeps the weights for `latebind serve`; `digits_serving.predict` is the function that uses them there.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import latebind as lb
from latebind import Array
from latebind.errors import BackendUnavailableError
from latebind.examples.context import Results, RunContext

BATCH = 64
HIDDEN = 256
CLASSES = 10
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
PARAMETERS = ("w1", "b1", "w2", "b2")


@dataclass(slots=True)
class Digits:
    """Images (float32, `(n, 64)`, 0 to 1) and one-hot labels (float32, `(n, 10)`), split for training and test."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load(rng: np.random.Generator) -> Digits:
    """Load the data set and hold one fifth of it out."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise BackendUnavailableError(
            "the program 'digits' needs scikit-learn for its data set: pip install 'latebind[digits]'"
        ) from None
    data = load_digits()
    images = (data.data / 16.0).astype(np.float32)
    labels = np.eye(CLASSES, dtype=np.float32)[data.target]
    order = rng.permutation(len(images))
    held_out = len(images) // 5
    test, train = order[:held_out], order[held_out:]
    return Digits(images[train], labels[train], images[test], labels[test])


def initial_parameters(rng: np.random.Generator, hidden: int) -> list[Array]:
    """Return weights and biases of both layers (He initialisation, float32)."""
    first = rng.normal(0.0, np.sqrt(2 / 64), (64, hidden))
    second = rng.normal(0.0, np.sqrt(2 / hidden), (hidden, CLASSES))
    shapes = [first, np.zeros(hidden), second, np.zeros(CLASSES)]
    return [lb.asarray(value.astype(np.float32)) for value in shapes]


def gradients(parameters: list[Array], images: Array, labels: Array) -> tuple[Array, list[Array]]:
    """Return the mean cross-entropy of a batch and its gradient with respect to each parameter."""
    w1, b1, w2, b2 = parameters
    hidden = lb.maximum(images @ w1 + b1, 0)
    logits = hidden @ w2 + b2
    shifted = logits - lb.max(logits, axis=1, keepdims=True)
    exponentials = lb.exp(shifted)
    total = lb.sum(exponentials, axis=1, keepdims=True)
    loss = lb.mean(lb.log(total[:, 0]) - lb.sum(shifted * labels, axis=1))

    error = (exponentials / total - labels) / labels.shape[0]
    hidden_error = (error @ w2.T) * (hidden > 0)
    return loss, [
        images.T @ hidden_error + WEIGHT_DECAY * w1,
        lb.sum(hidden_error, axis=0),
        hidden.T @ error + WEIGHT_DECAY * w2,
        lb.sum(error, axis=0),
    ]


def accuracy(parameters: list[Array], images: Array, labels: Array) -> float:
    """Return the share of images whose class is predicted, 0 to 1."""
    w1, b1, w2, b2 = parameters
    scores = lb.maximum(images @ w1 + b1, 0) @ w2 + b2
    return float(lb.mean(lb.argmax(scores, axis=1) == lb.argmax(labels, axis=1), dtype=lb.float32))


def train(context: RunContext, epochs: int, rate: float, hidden: int, seed: int) -> Results:
    """Train and return the held-out accuracy, the last epoch's mean loss, and the parameters."""
    rng = np.random.default_rng(seed)
    data = load(rng)
    all_images, all_labels = lb.asarray(data.train_images), lb.asarray(data.train_labels)
    test_images, test_labels = lb.asarray(data.test_images), lb.asarray(data.test_labels)
    parameters = initial_parameters(rng, hidden)
    velocities = [lb.zeros_like(parameter) for parameter in parameters]
    lb.mark_step()

    batches = len(data.train_images) // BATCH
    decay = 0.05 ** (1 / (epochs * batches))
    mean_loss = 0.0
    for epoch in context.progress(range(epochs), "training"):
        order = rng.permutation(len(data.train_images))
        images, labels = all_images[order], all_labels[order]
        total = lb.zeros((), dtype=lb.float32)
        lb.mark_step()
        for start in range(0, batches * BATCH, BATCH):
            batch = slice(start, start + BATCH)
            loss, slopes = gradients(parameters, images[batch], labels[batch])
            for parameter, velocity, slope in zip(parameters, velocities, slopes, strict=True):
                velocity *= MOMENTUM
                velocity -= rate * slope
                parameter += velocity
            total += loss
            rate *= decay
            lb.mark_step()
        mean_loss = float(total) / batches
        context.report(f"epoch {epoch + 1}: loss {mean_loss:.4f}")
    held_out = accuracy(parameters, test_images, test_labels)
    context.report(f"held-out accuracy {held_out:.2%} on {len(data.test_images)} images")
    return {"accuracy": held_out, "loss": mean_loss, **dict(zip(PARAMETERS, parameters, strict=True))}


# Saving


def weights_file(text: str) -> Path:
    """Return where to save, as an option's type: known before training whether it can be written.

    Raises
    ------
    argparse.ArgumentTypeError
        If the name says no known format, what writes it is not installed, or its folder cannot be made.
    """
    path = Path(text)
    if path.suffix not in (".npz", ".safetensors"):
        raise argparse.ArgumentTypeError(f"weights are a .npz or .safetensors file, not {text!r}")
    if path.suffix == ".safetensors" and find_spec("safetensors") is None:
        raise argparse.ArgumentTypeError(
            "a .safetensors file needs safetensors: pip install 'latebind[serve]', or save as .npz"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot make the folder of {text!r}: {error.strerror}") from None
    return path


def save(path: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Write arrays to a `.npz` or `.safetensors` file; an old one is replaced only by a whole new one."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        if path.suffix == ".npz":
            with unfinished.open("wb") as stream:
                np.savez(stream, **weights)  # type: ignore[arg-type]  # NumPy's types take the names for its options
        else:
            from safetensors.numpy import save_file

            save_file(dict(weights), unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def main(context: RunContext) -> Results:
    """Read the options, train, and save the weights if asked to."""
    parser = argparse.ArgumentParser(prog="latebind run digits", description="Train a perceptron on digits.")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training set (default 30)")
    parser.add_argument("--rate", type=float, default=0.3, help="first learning rate (default 0.3)")
    parser.add_argument("--hidden", type=int, default=HIDDEN, help=f"hidden units (default {HIDDEN})")
    parser.add_argument("--seed", type=int, default=0, help="seed of the split and the initial weights (default 0)")
    parser.add_argument(
        "--save", type=weights_file, metavar="FILE", help="save the weights to FILE, a .npz or .safetensors file"
    )
    options = parser.parse_args(list(context.arguments))
    results = train(context, options.epochs, options.rate, options.hidden, options.seed)
    if options.save is not None:
        save(options.save, {name: np.asarray(results[name]) for name in PARAMETERS})
        context.report(f"weights saved to {options.save}")
    return results
