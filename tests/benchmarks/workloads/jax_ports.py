"""The kernels as somebody who knows JAX writes them: `jit` around it all, `fori_loop` for rounds, `.at` for writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.benchmarks.workloads import kernels


def as_it_is(kernel: Callable[..., Any]) -> Callable[[], Callable[..., Any]]:
    """A kernel without writes, rounds or reads, under `jit`."""

    def make() -> Callable[..., Any]:
        import jax
        import jax.numpy as jnp

        return jax.jit(partial(kernel, jnp))

    return make


def with_steps(step: Callable[..., Any], carried: int, *, result: Callable[..., Any] | None = None) -> Any:
    """Rounds of `step(jnp, carry, rest)` in a `fori_loop`; the last argument is their number.

    Parameters
    ----------
    carried
        How many leading arguments the rounds change.
    result
        From the carry to what the kernel returns; by default the first.
    """

    def make() -> Callable[..., Any]:
        import jax
        import jax.numpy as jnp

        @jax.jit
        def run(*data: Any) -> Any:
            *arrays, rounds = data
            carry, rest = tuple(arrays[:carried]), arrays[carried:]
            carry = jax.lax.fori_loop(0, rounds, lambda _, state: step(jnp, state, rest), carry)
            return carry[0] if result is None else result(*carry)

        return run

    return make


def _jacobi(jnp: Any, state: Any, rest: Any) -> Any:
    def average(x: Any) -> Any:
        return 0.2 * (x[1:-1, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] + x[2:, 1:-1] + x[:-2, 1:-1])

    (a,) = state
    b = a.at[1:-1, 1:-1].set(average(a))
    return (b.at[1:-1, 1:-1].set(average(b)),)


def _heat(jnp: Any, state: Any, rest: Any) -> Any:
    (a,) = state
    for _ in range(2):
        middle = a[1:-1, 1:-1, 1:-1]
        a = a.at[1:-1, 1:-1, 1:-1].set(
            0.125 * (a[2:, 1:-1, 1:-1] - 2.0 * middle + a[:-2, 1:-1, 1:-1])
            + 0.125 * (a[1:-1, 2:, 1:-1] - 2.0 * middle + a[1:-1, :-2, 1:-1])
            + 0.125 * (a[1:-1, 1:-1, 2:] - 2.0 * middle + a[1:-1, 1:-1, :-2])
            + middle
        )
    return (a,)


def _n_body(jnp: Any, state: Any, rest: Any) -> Any:
    position, velocity = state
    (mass,) = rest
    apart = position[None, :, :] - position[:, None, :]
    distance = jnp.sum(apart * apart, axis=2) + 0.01
    pull = apart / (distance * jnp.sqrt(distance))[:, :, None]
    velocity = velocity + 0.01 * jnp.sum(pull * mass[None, :, None], axis=1)
    return position + 0.01 * velocity, velocity


def _perceptron(jnp: Any, state: Any, rest: Any) -> Any:
    w1, b1, w2, b2 = state
    x, y = rest
    hidden = jnp.maximum(x @ w1 + b1, 0.0)
    scores = hidden @ w2 + b2
    scores = jnp.exp(scores - jnp.max(scores, axis=1, keepdims=True))
    error = (scores / jnp.sum(scores, axis=1, keepdims=True) - y) / x.shape[0]
    back = (error @ w2.T) * (hidden > 0)
    return (
        w1 - 0.5 * (x.T @ back),
        b1 - 0.5 * jnp.sum(back, axis=0),
        w2 - 0.5 * (hidden.T @ error),
        b2 - 0.5 * jnp.sum(error, axis=0),
    )


def _perceptron_port() -> Callable[..., Any]:
    run = with_steps(_perceptron, 4, result=lambda w1, b1, w2, b2: (w1, w2))()
    return lambda x, y, w1, b1, w2, b2, steps: run(w1, b1, w2, b2, x, y, steps)


def mandelbrot() -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    @jax.jit
    def run(real: Any, imaginary: Any, rounds: Any) -> Any:
        c = real + 1j * imaginary

        def step(_: Any, state: Any) -> Any:
            z, count = state
            inside = jnp.abs(z) < 2.0
            return jnp.where(inside, z * z + c, z), count + inside

        return jax.lax.fori_loop(0, rounds, step, (jnp.zeros_like(c), jnp.zeros(c.shape, jnp.int64)))[1]

    return run


def k_means() -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    @jax.jit
    def run(points: Any, centres: Any, rounds: Any) -> Any:
        def step(_: Any, centres: Any) -> Any:
            distance = jnp.sum((points[:, None, :] - centres[None, :, :]) ** 2, axis=2)
            member = jax.nn.one_hot(jnp.argmin(distance, axis=1), centres.shape[0], dtype=points.dtype)
            return (member.T @ points) / jnp.maximum(jnp.sum(member, axis=0), 1.0)[:, None]

        return jax.lax.fori_loop(0, rounds, step, centres)

    return run


def pca() -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    @jax.jit
    def run(x: Any, rounds: Any) -> Any:
        centred = x - jnp.mean(x, axis=0)
        covariance = centred.T @ centred / (x.shape[0] - 1)

        def step(_: Any, vector: Any) -> Any:
            vector = covariance @ vector
            return vector / jnp.sqrt(jnp.sum(vector * vector))

        vector = jax.lax.fori_loop(0, rounds, step, jnp.ones(x.shape[1]))
        return centred @ vector, vector

    return run


def conjugate_gradients() -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    @jax.jit
    def run(a: Any, b: Any, rounds: Any) -> Any:
        def step(state: Any) -> Any:
            x, residual, direction, square, count = state
            product = a @ direction
            step = square / (direction @ product)
            residual = residual - step * product
            following = residual @ residual
            return x + step * direction, residual, residual + (following / square) * direction, following, count + 1

        start = (jnp.zeros_like(b), b, b, b @ b, 0)
        return jax.lax.while_loop(lambda state: (state[4] < rounds) & (state[3] >= 1e-30), step, start)[0]

    return run


def floyd_warshall() -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    @jax.jit
    def run(path: Any) -> Any:
        def step(k: Any, path: Any) -> Any:
            return jnp.minimum(path, path[:, k, None] + path[None, k, :])

        return jax.lax.fori_loop(0, path.shape[0], step, path)

    return run


def adi() -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    a, b, d, f = -0.25, 1.5, -0.2, 1.4

    @jax.jit
    def run(u: Any, steps: Any) -> Any:
        n = u.shape[0]

        def sweep(j: Any, state: Any) -> Any:
            u, p, q = state
            below = a * p[1:-1, j - 1] + b
            row = (-d * u[j, :-2] + (1.0 + 2.0 * d) * u[j, 1:-1] - f * u[j, 2:] - a * q[1:-1, j - 1]) / below
            return u, p.at[1:-1, j].set(-a / below), q.at[1:-1, j].set(row)

        def step(_: Any, u: Any) -> Any:
            _, p, q = jax.lax.fori_loop(1, n - 1, sweep, (u, jnp.zeros((n, n)), jnp.zeros((n, n))))

            def back(i: Any, v: Any) -> Any:
                j = n - 2 - i
                return v.at[j, 1:-1].set(p[1:-1, j] * v[j + 1, 1:-1] + q[1:-1, j])

            v = jax.lax.fori_loop(0, n - 2, back, jnp.ones((n, n)))
            return u.at[1:-1, 1:-1].set(0.5 * (u[1:-1, 1:-1] + v[1:-1, 1:-1]))

        return jax.lax.fori_loop(0, steps, step, u)

    return run


def convolution() -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    @jax.jit
    def run(images: Any, weights: Any, bias: Any) -> Any:
        width = weights.shape[0]
        rows, columns = images.shape[1] - width + 1, images.shape[2] - width + 1
        output = bias
        for i in range(width):
            for j in range(width):
                output = output + images[:, i : i + rows, j : j + columns, :] @ weights[i, j]
        output = jnp.maximum(output, 0.0)
        pooled = jnp.maximum(output[:, 0:-1:2, :, :], output[:, 1::2, :, :])
        return jnp.maximum(pooled[:, :, 0:-1:2, :], pooled[:, :, 1::2, :])

    return run


def forward_substitution() -> Callable[..., Any]:
    import jax

    return jax.jit(lambda lower, b: jax.scipy.linalg.solve_triangular(lower, b, lower=True))


PORTS: dict[str, Callable[[], Callable[..., Any]]] = {
    **{
        name: as_it_is(getattr(kernels, name))
        for name in ("elementwise_chain", "polynomial", "reductions", "softmax", "layer_norm", "black_scholes")
    },
    "jacobi": with_steps(_jacobi, 1),
    "heat": with_steps(_heat, 1),
    "n_body": lambda: _reordered_n_body(),
    "perceptron": _perceptron_port,
    "mandelbrot": mandelbrot,
    "k_means": k_means,
    "pca": pca,
    "conjugate_gradients": conjugate_gradients,
    "floyd_warshall": floyd_warshall,
    "adi": adi,
    "convolution": convolution,
    "forward_substitution": forward_substitution,
}


def _reordered_n_body() -> Callable[..., Any]:
    return with_steps(_n_body, 2, result=lambda position, velocity: (position, velocity))()
