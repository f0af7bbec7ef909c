"""The workloads as a JAX user writes them for `jax.jit`: loops on the device, updates as new arrays.

Where the NumPy-style kernel is a pure function of its arrays, the port is `jax.jit` of that kernel, which is what a
JAX user would write; the rest is written here. Importing this module imports JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from tests.benchmarks.workloads import WORKLOADS

#: Kernels without in-place updates, loops over steps, or reads.
_JITTED_AS_THEY_ARE = ("chain", "expression", "reductions", "softmax", "layer_norm", "black_scholes")


@partial(jax.jit, static_argnames=("width", "height", "rounds"))
def mandelbrot(width: int, height: int, rounds: int) -> Any:
    c = jnp.linspace(-2.0, 0.5, width) + jnp.linspace(-1.25, 1.25, height)[:, None] * 1j

    def body(step: Any, state: Any) -> Any:
        z, count = state
        inside = jnp.abs(z) < 2.0
        return jnp.where(inside, z * z + c, z), jnp.where(inside, step, count)

    _, count = lax.fori_loop(0, rounds, body, (jnp.zeros_like(c), jnp.zeros(c.shape, jnp.int64)))
    return jnp.where(count == rounds - 1, 0, count)


@partial(jax.jit, static_argnames="rounds")
def mandelbrot_dense(c: Any, rounds: int) -> Any:
    a, b = c

    def body(_: Any, state: Any) -> Any:
        x, y, count = state
        xx, yy = x * x, y * y
        inside = xx + yy < 4.0
        y = jnp.where(inside, 2.0 * x * y + b, y)
        x = jnp.where(inside, xx - yy + a, x)
        return x, y, count + jnp.where(inside, 1.0, 0.0)

    return lax.fori_loop(0, rounds, body, (jnp.zeros_like(a),) * 3)[2]


@jax.jit
def jacobi(a: Any, b: Any, steps: Any) -> Any:
    def half(old: Any, new: Any) -> Any:
        mean = 0.2 * (old[1:-1, 1:-1] + old[1:-1, :-2] + old[1:-1, 2:] + old[2:, 1:-1] + old[:-2, 1:-1])
        return new.at[1:-1, 1:-1].set(mean)

    def body(_: Any, state: Any) -> Any:
        a, b = state
        b = half(a, b)
        return half(b, a), b

    return lax.fori_loop(0, steps, body, (a, b))


@jax.jit
def heat_3d(a: Any, b: Any, steps: Any) -> Any:
    def half(old: Any, new: Any) -> Any:
        centre = old[1:-1, 1:-1, 1:-1]
        return new.at[1:-1, 1:-1, 1:-1].set(
            0.125 * (old[2:, 1:-1, 1:-1] - 2.0 * centre + old[:-2, 1:-1, 1:-1])
            + 0.125 * (old[1:-1, 2:, 1:-1] - 2.0 * centre + old[1:-1, :-2, 1:-1])
            + 0.125 * (old[1:-1, 1:-1, 2:] - 2.0 * centre + old[1:-1, 1:-1, :-2])
            + centre
        )

    def body(_: Any, state: Any) -> Any:
        a, b = state
        b = half(a, b)
        return half(b, a), b

    return lax.fori_loop(0, steps, body, (a, b))


@partial(jax.jit, static_argnames="steps")
def adi(u: Any, steps: int) -> Any:
    n = u.shape[0]
    first, second = n * n * 2.0 / steps, n * n * 1.0 / steps
    a, d = -first / 2.0, -second / 2.0
    b, e = 1.0 + first, 1.0 + second
    ones = jnp.ones(n - 2)

    def sweep(rows: Any, side: float, middle: float, across: float) -> Any:
        """Solve along the leading axis; return the lines from the second to the last but one."""

        def down(state: Any, row: Any) -> Any:
            p, q = state
            below = side * p + middle
            right = -across * row[:-2] + (1.0 + 2.0 * across) * row[1:-1] - across * row[2:]
            state = (-side / below, (right - side * q) / below)
            return state, state

        def up(line: Any, factors: Any) -> Any:
            line = factors[0] * line + factors[1]
            return line, line

        _, factors = lax.scan(down, (jnp.zeros(n - 2), ones), rows[1:-1])
        return lax.scan(up, ones, factors, reverse=True)[1]

    def body(_: Any, state: Any) -> Any:
        u, v = state
        v = v.at[0, 1:-1].set(1.0).at[-1, 1:-1].set(1.0)
        v = v.at[1:-1, 1:-1].set(sweep(u, a, b, d))
        u = u.at[1:-1, 0].set(1.0).at[1:-1, -1].set(1.0)
        u = u.at[1:-1, 1:-1].set(sweep(v.T, d, e, a).T)
        return u, v

    return lax.fori_loop(0, steps, body, (u, jnp.zeros((n, n))))[0]


@jax.jit
def shortest_paths(distances: Any) -> Any:
    def body(k: Any, path: Any) -> Any:
        return jnp.minimum(path, path[:, k, None] + path[k, :])

    return lax.fori_loop(0, distances.shape[0], body, distances)


@partial(jax.jit, static_argnames="steps")
def n_body(position: Any, velocity: Any, mass: Any, step: Any, steps: int) -> Any:
    def acceleration(position: Any) -> Any:
        gap = position[None, :, :] - position[:, None, :]
        squared = jnp.sum(gap * gap, axis=-1) + 0.01
        return jnp.sum(gap * (mass[None, :] * squared**-1.5)[:, :, None], axis=1)

    def body(state: Any, _: Any) -> Any:
        position, velocity, force = state
        velocity = velocity + 0.5 * step * force
        position = position + step * velocity
        force = acceleration(position)
        velocity = velocity + 0.5 * step * force
        return (position, velocity, force), 0.5 * jnp.sum(mass[:, None] * velocity * velocity)

    start = (position, velocity, acceleration(position))
    (position, velocity, _), energies = lax.scan(body, start, length=steps)
    return position, velocity, energies


@jax.jit
def kmeans(points: Any, centers: Any, rounds: Any) -> Any:
    kinds = jnp.arange(centers.shape[0])

    def body(state: Any) -> Any:
        count, centers, _, _ = state
        distances = jnp.sum((points[:, None, :] - centers[None, :, :]) ** 2, axis=2)
        labels = jnp.argmin(distances, axis=1)
        members = (labels[:, None] == kinds).astype(points.dtype)
        moved = members.T @ points / jnp.maximum(jnp.sum(members, axis=0), 1.0)[:, None]
        return count + 1, moved, labels, jnp.max(jnp.abs(moved - centers))

    start = (0, centers, jnp.zeros(points.shape[0], jnp.int64), jnp.inf)
    _, centers, labels, _ = lax.while_loop(lambda state: (state[0] < rounds) & (state[3] >= 1e-6), body, start)
    return centers, labels


@jax.jit
def conjugate_gradients(a: Any, b: Any, rounds: Any) -> Any:
    def body(state: Any) -> Any:
        count, x, r, p, squared = state
        product = a @ p
        alpha = squared / (p @ product)
        x, r = x + alpha * p, r - alpha * product
        new = r @ r
        return count + 1, x, r, r + (new / squared) * p, new

    start = (0, jnp.zeros_like(b), b, b, b @ b)
    return lax.while_loop(lambda state: (state[0] < rounds) & (jnp.sqrt(state[4]) >= 1e-9), body, start)[1]


@jax.jit
def forward_substitution(lower: Any, b: Any) -> Any:
    def body(i: Any, x: Any) -> Any:
        return x.at[i].set((b[i] - lower[i] @ x) / lower[i, i])  # what x does not have yet is zero

    return lax.fori_loop(0, b.shape[0], body, jnp.zeros_like(b))


@jax.jit
def cholesky(a: Any) -> Any:
    rows = jnp.arange(a.shape[0])

    def body(k: Any, a: Any) -> Any:
        root = jnp.sqrt(a[k, k])
        column = jnp.where(rows > k, a[:, k] / root, 0.0)
        a = a - jnp.outer(column, column)
        return a.at[:, k].set(jnp.where(rows == k, root, jnp.where(rows > k, column, a[:, k])))

    return jnp.tril(lax.fori_loop(0, a.shape[0], body, a))


@jax.jit
def lu(a: Any) -> Any:
    rows = jnp.arange(a.shape[0])

    def body(k: Any, a: Any) -> Any:
        column = jnp.where(rows > k, a[:, k] / a[k, k], 0.0)
        pivot = jnp.where(rows > k, a[k], 0.0)
        a = a - jnp.outer(column, pivot)
        return a.at[:, k].set(jnp.where(rows > k, column, a[:, k]))

    return lax.fori_loop(0, a.shape[0] - 1, body, a)


@jax.jit
def gram_schmidt(a: Any) -> Any:
    n = a.shape[1]
    columns = jnp.arange(n)

    def body(k: Any, state: Any) -> Any:
        a, q, r = state
        length = jnp.sqrt(a[:, k] @ a[:, k])
        unit = a[:, k] / length
        row = jnp.where(columns > k, unit @ a, 0.0)
        a = a - unit[:, None] * row
        return a, q.at[:, k].set(unit), r.at[k].set(jnp.where(columns == k, length, row))

    _, q, r = lax.fori_loop(0, n, body, (a, jnp.zeros_like(a), jnp.zeros((n, n))))
    return q, r


def _convolve(x: Any, weights: Any) -> Any:
    return lax.conv_general_dilated(x, weights, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


@jax.jit
def conv2d(images: Any, weights: Any) -> Any:
    return _convolve(images, weights)


@jax.jit
def lenet(images: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, w4: Any, b4: Any) -> Any:
    def pool(x: Any) -> Any:
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    x = pool(jax.nn.relu(_convolve(images, w1) + b1))
    x = pool(jax.nn.relu(_convolve(x, w2) + b2))
    x = jax.nn.relu(x.reshape(x.shape[0], -1) @ w3 + b3)
    return jax.nn.log_softmax(x @ w4 + b4, axis=1)


@partial(jax.jit, static_argnames="components")
def pca(x: Any, components: int) -> Any:
    return WORKLOADS["pca"].kernel(jnp, x, components)


@partial(jax.jit, static_argnames="steps")
def mlp(w1: Any, b1: Any, w2: Any, b2: Any, images: Any, labels: Any, rate: Any, steps: int) -> Any:
    step = WORKLOADS["mlp"].kernel

    def body(state: Any, _: Any) -> Any:
        w1, b1, w2, b2, rate = state
        *parameters, loss = step(jnp, w1, b1, w2, b2, images, labels, rate, 1)
        return (*parameters, rate * 0.999), loss

    # A rate of the arrays' type, as a Python number has in the kernel.
    start = (w1, b1, w2, b2, jnp.asarray(rate, w1.dtype))
    (w1, b1, w2, b2, _), losses = lax.scan(body, start, length=steps)
    return w1, b1, w2, b2, losses[-1]


_WRITTEN: tuple[Callable[..., Any], ...] = (
    mandelbrot,
    mandelbrot_dense,
    jacobi,
    heat_3d,
    adi,
    shortest_paths,
    n_body,
    kmeans,
    conjugate_gradients,
    forward_substitution,
    cholesky,
    lu,
    gram_schmidt,
    conv2d,
    lenet,
    pca,
    mlp,
)

#: By workload; called with the workload's data as keyword arguments.
PORTS: dict[str, Callable[..., Any]] = {
    **{name: jax.jit(partial(WORKLOADS[name].kernel, jnp)) for name in _JITTED_AS_THEY_ARE},
    **{port.__name__: port for port in _WRITTEN},
}
