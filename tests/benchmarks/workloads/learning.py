"""Workloads of statistics and machine learning."""

from __future__ import annotations

from typing import Any

import numpy
from tests.benchmarks.workloads.workload import Data, Workload

_FUNCTIONAL = frozenset({"jax", "torch", "mlx", "dask"})


def kmeans(np: Any, points: Any, centers: Any, rounds: int) -> Any:
    """Lloyd's algorithm, which stops when nothing moves: a value is read in every round."""
    kinds = np.arange(centers.shape[0])
    for _ in range(rounds):
        distances = np.sum((points[:, None, :] - centers[None, :, :]) ** 2, axis=2)
        labels = np.argmin(distances, axis=1)
        members = (labels[:, None] == kinds).astype(points.dtype)
        moved = members.T @ points / np.maximum(np.sum(members, axis=0), 1.0)[:, None]
        change = np.max(np.abs(moved - centers))
        centers = moved
        if change < 1e-6:
            break
    return centers, labels


def _kmeans(n: int, clusters: int, rounds: int) -> Data:
    rng = numpy.random.default_rng(0)
    middle = rng.uniform(-10.0, 10.0, (clusters, 8))
    points = middle[rng.integers(0, clusters, n)] + rng.normal(0.0, 2.5, (n, 8))
    return {"points": points, "centers": points[:clusters].copy(), "rounds": rounds}


def pca(np: Any, x: Any, components: int) -> Any:
    """Principal components by the eigenvectors of the covariance matrix, with a fixed sign."""
    centred = x - np.mean(x, axis=0)
    covariance = centred.T @ centred / (x.shape[0] - 1)
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    sums = np.sum(vectors**3, axis=0)  # not zero, unlike the sums of the vectors themselves
    vectors = vectors * np.where(sums < 0.0, -1.0, 1.0)
    return centred @ vectors, values / np.sum(values)


def _pca(n: int, features: int) -> Data:
    rng = numpy.random.default_rng(0)
    scales = numpy.linspace(3.0, 0.5, features)  # far apart, so that the vectors are well determined
    return {"x": rng.gamma(2.0, 1.0, (n, features)) * scales, "components": min(5, features)}


def lenet(np: Any, images: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, w4: Any, b4: Any) -> Any:
    """LeNet-like forward pass: convolutions as sums over the window of slices, pooling by slices, dense layers."""

    def convolve(x: Any, weights: Any, bias: Any) -> Any:
        size = weights.shape[0]
        rows, columns = x.shape[1] - size + 1, x.shape[2] - size + 1
        out = np.zeros((x.shape[0], rows, columns, weights.shape[3]), dtype=x.dtype)
        for i in range(size):
            for j in range(size):
                out += x[:, i : i + rows, j : j + columns, :] @ weights[i, j]
        return np.maximum(out + bias, 0.0)

    def pool(x: Any) -> Any:
        left = np.maximum(x[:, ::2, ::2, :], x[:, 1::2, ::2, :])
        return np.maximum(left, np.maximum(x[:, ::2, 1::2, :], x[:, 1::2, 1::2, :]))

    x = pool(convolve(images, w1, b1))
    x = pool(convolve(x, w2, b2))
    x = np.reshape(x, (x.shape[0], -1))
    x = np.maximum(x @ w3 + b3, 0.0)
    logits = x @ w4 + b4
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


def _lenet(batch: int) -> Data:
    rng = numpy.random.default_rng(0)
    shapes = {
        "images": (batch, 28, 28, 1),
        "w1": (5, 5, 1, 6),
        "b1": (6,),
        "w2": (5, 5, 6, 16),
        "b2": (16,),
        "w3": (256, 84),
        "b3": (84,),
        "w4": (84, 10),
        "b4": (10,),
    }
    return {name: rng.normal(0.0, 0.2, shape).astype(numpy.float32) for name, shape in shapes.items()}


def conv2d(np: Any, images: Any, weights: Any) -> Any:
    """A convolution as npbench writes it: a Python loop over the positions of the output."""
    size = weights.shape[0]
    rows, columns = images.shape[1] - size + 1, images.shape[2] - size + 1
    out = np.empty((images.shape[0], rows, columns, weights.shape[3]), dtype=images.dtype)
    for i in range(rows):
        for j in range(columns):
            window = images[:, i : i + size, j : j + size, :, np.newaxis]
            out[:, i, j, :] = np.sum(window * weights[np.newaxis], axis=(1, 2, 3))
    return out


def _conv2d(batch: int, side: int) -> Data:
    rng = numpy.random.default_rng(0)
    images, weights = rng.normal(size=(batch, side, side, 3)), rng.normal(size=(3, 3, 3, 8))
    return {"images": images.astype(numpy.float32), "weights": weights.astype(numpy.float32)}


def mlp(np: Any, w1: Any, b1: Any, w2: Any, b2: Any, images: Any, labels: Any, rate: float, steps: int) -> Any:
    """Training steps of a perceptron with one hidden layer, gradients written out by hand."""
    batch = images.shape[0]
    for _ in range(steps):
        hidden = np.maximum(images @ w1 + b1, 0.0)
        logits = hidden @ w2 + b2
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        totals = np.sum(exponentials, axis=1, keepdims=True)
        loss = (np.sum(np.log(totals)) - np.sum(shifted * labels)) / batch
        error = (exponentials / totals - labels) / batch
        hidden_error = np.where(hidden > 0.0, error @ w2.T, 0.0)
        w1 = w1 - rate * (images.T @ hidden_error)
        b1 = b1 - rate * np.sum(hidden_error, axis=0)
        w2 = w2 - rate * (hidden.T @ error)
        b2 = b2 - rate * np.sum(error, axis=0)
        rate = rate * 0.999
    return w1, b1, w2, b2, loss


def mlp_data(inputs: int, hidden: int, classes: int, batch: int, steps: int) -> Data:
    """Return parameters, a batch and a learning rate, float32."""
    rng = numpy.random.default_rng(0)
    arrays = {
        "w1": rng.normal(0.0, numpy.sqrt(2.0 / inputs), (inputs, hidden)),
        "b1": numpy.zeros(hidden),
        "w2": rng.normal(0.0, numpy.sqrt(2.0 / hidden), (hidden, classes)),
        "b2": numpy.zeros(classes),
        "images": rng.uniform(0.0, 1.0, (batch, inputs)),
        "labels": numpy.eye(classes)[rng.integers(0, classes, batch)],
    }
    return {name: value.astype(numpy.float32) for name, value in arrays.items()} | {"rate": 0.1, "steps": steps}


WORKLOADS = (
    Workload(
        kmeans,
        _kmeans,
        {"n": 8_000, "clusters": 8, "rounds": 8},
        {"n": 60, "clusters": 3, "rounds": 8},
        peers=frozenset({"jax", "torch", "mlx"}),
    ),
    Workload(pca, _pca, {"n": 20_000, "features": 100}, {"n": 60, "features": 6}, peers=frozenset({"jax"}), rtol=1e-6),
    Workload(lenet, _lenet, {"batch": 64}, {"batch": 2}, peers=frozenset({"torch"}), rtol=1e-4, atol=1e-5),
    Workload(
        conv2d,
        _conv2d,
        {"batch": 8, "side": 34},
        {"batch": 2, "side": 7},
        peers=frozenset({"torch"}),
        rtol=1e-4,
        atol=1e-5,
    ),
    Workload(
        mlp,
        mlp_data,
        {"inputs": 784, "hidden": 256, "classes": 10, "batch": 128, "steps": 10},
        {"inputs": 12, "hidden": 8, "classes": 3, "batch": 6, "steps": 4},
        peers=frozenset({"jax", "torch", "mlx"}),
        rtol=1e-3,  # float32, and errors grow over the steps
        atol=1e-4,
    ),
)
