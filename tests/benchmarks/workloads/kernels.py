"""The kernels, in plain NumPy: loops, slices, in-place updates, scalar reads. None knows who runs it."""

from __future__ import annotations

from typing import Any

# Elementwise and reductions


def elementwise_chain(np: Any, x: Any, y: Any) -> Any:
    return np.sin(x) * np.exp(-y) + np.sqrt(np.abs(x * y)) - 0.5 * (x - y) ** 2 + np.where(x > y, x, 2.0 * y)


def polynomial(np: Any, x: Any) -> Any:
    y = 0.25 * x
    for coefficient in (0.5, -1.5, 2.5, -3.5, 4.5):
        y = y * x + coefficient
    return y


def reductions(np: Any, x: Any) -> Any:
    centred = x - np.mean(x, axis=0)
    return np.sum(centred * centred, axis=0) / x.shape[0], np.max(np.abs(centred), axis=1), np.std(x)


def softmax(np: Any, x: Any) -> Any:
    shifted = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return shifted / np.sum(shifted, axis=-1, keepdims=True)


def layer_norm(np: Any, x: Any, gain: Any, bias: Any) -> Any:
    mean = np.mean(x, axis=-1, keepdims=True)
    deviation = x - mean
    variance = np.mean(deviation * deviation, axis=-1, keepdims=True)
    return deviation / np.sqrt(variance + 1e-5) * gain + bias


def black_scholes(np: Any, price: Any, strike: Any, time: Any) -> Any:
    rate, volatility = 0.02, 0.3

    def normal(z: Any) -> Any:  # Abramowitz and Stegun 26.2.17
        t = 1.0 / (1.0 + 0.2316419 * np.abs(z))
        tail = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
        lower = 1.0 - np.exp(-0.5 * z * z) * 0.3989422804014327 * tail
        return np.where(z < 0, 1.0 - lower, lower)

    root = volatility * np.sqrt(time)
    d1 = (np.log(price / strike) + (rate + 0.5 * volatility * volatility) * time) / root
    d2 = d1 - root
    discounted = strike * np.exp(-rate * time)
    call = price * normal(d1) - discounted * normal(d2)
    return call, call - price + discounted


def mandelbrot(np: Any, real: Any, imaginary: Any, rounds: int) -> Any:
    c = real + 1j * imaginary
    z = np.zeros(c.shape, dtype=np.complex128)
    count = np.zeros(c.shape, dtype=np.int64)
    for _ in range(rounds):
        inside = np.abs(z) < 2.0
        z = np.where(inside, z * z + c, z)
        count += inside
    return count


# Stencils and simulations


def jacobi(np: Any, a: Any, steps: int) -> Any:
    a, b = a.copy(), a.copy()
    for _ in range(steps):
        b[1:-1, 1:-1] = 0.2 * (a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1])
        a[1:-1, 1:-1] = 0.2 * (b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1])
    return a


def heat(np: Any, a: Any, steps: int) -> Any:
    a, b = a.copy(), a.copy()
    for _ in range(steps):
        for source, target in ((a, b), (b, a)):
            middle = source[1:-1, 1:-1, 1:-1]
            target[1:-1, 1:-1, 1:-1] = (
                0.125 * (source[2:, 1:-1, 1:-1] - 2.0 * middle + source[:-2, 1:-1, 1:-1])
                + 0.125 * (source[1:-1, 2:, 1:-1] - 2.0 * middle + source[1:-1, :-2, 1:-1])
                + 0.125 * (source[1:-1, 1:-1, 2:] - 2.0 * middle + source[1:-1, 1:-1, :-2])
                + middle
            )
    return a


def n_body(np: Any, position: Any, velocity: Any, mass: Any, steps: int) -> Any:
    position, velocity = position.copy(), velocity.copy()
    for _ in range(steps):
        apart = position[None, :, :] - position[:, None, :]
        distance = np.sum(apart * apart, axis=2) + 0.01
        pull = apart / (distance * np.sqrt(distance))[:, :, None]
        velocity += 0.01 * np.sum(pull * mass[None, :, None], axis=1)
        position += 0.01 * velocity
    return position, velocity


def adi(np: Any, u: Any, steps: int) -> Any:
    """Alternating directions: sweeps along columns and rows whose coefficients follow from the row before."""
    u = u.copy()
    n = u.shape[0]
    a, b, d, f = -0.25, 1.5, -0.2, 1.4
    for _ in range(steps):
        v, p, q = np.ones((n, n)), np.zeros((n, n)), np.zeros((n, n))
        for j in range(1, n - 1):
            p[1:-1, j] = -a / (a * p[1:-1, j - 1] + b)
            q[1:-1, j] = (-d * u[j, :-2] + (1.0 + 2.0 * d) * u[j, 1:-1] - f * u[j, 2:] - a * q[1:-1, j - 1]) / (
                a * p[1:-1, j - 1] + b
            )
        for j in range(n - 2, 0, -1):
            v[j, 1:-1] = p[1:-1, j] * v[j + 1, 1:-1] + q[1:-1, j]
        u[1:-1, 1:-1] = 0.5 * (u[1:-1, 1:-1] + v[1:-1, 1:-1])
    return u


def floyd_warshall(np: Any, path: Any) -> Any:
    path = path.copy()
    for k in range(path.shape[0]):
        path = np.minimum(path, path[:, k : k + 1] + path[k : k + 1, :])
    return path


# Linear algebra, statistics, learning


def k_means(np: Any, points: Any, centres: Any, rounds: int) -> Any:
    centres = centres.copy()
    for _ in range(rounds):
        distance = np.sum((points[:, None, :] - centres[None, :, :]) ** 2, axis=2)
        nearest = np.argmin(distance, axis=1)
        member = (nearest[:, None] == np.arange(centres.shape[0])[None, :]).astype(points.dtype)
        count = np.sum(member, axis=0)
        centres = (member.T @ points) / np.maximum(count, 1.0)[:, None]
    return centres


def pca(np: Any, x: Any, rounds: int) -> Any:
    centred = x - np.mean(x, axis=0)
    covariance = centred.T @ centred / (x.shape[0] - 1)
    vector = np.ones(x.shape[1])
    for _ in range(rounds):
        vector = covariance @ vector
        vector = vector / np.sqrt(np.sum(vector * vector))
    return centred @ vector, vector


def conjugate_gradients(np: Any, a: Any, b: Any, rounds: int) -> Any:
    x = np.zeros(b.shape)
    residual = b - a @ x
    direction = residual.copy()
    square = residual @ residual
    for _ in range(rounds):
        product = a @ direction
        step = square / (direction @ product)
        x += step * direction
        residual -= step * product
        following = residual @ residual
        if following < 1e-30:
            break
        direction = residual + (following / square) * direction
        square = following
    return x


def convolution(np: Any, images: Any, weights: Any, bias: Any) -> Any:
    """A layer of a small convolutional network: sliding windows as slices, rectified, pooled."""
    width = weights.shape[0]
    rows, columns = images.shape[1] - width + 1, images.shape[2] - width + 1
    output = np.zeros((images.shape[0], rows, columns, weights.shape[3]))
    for i in range(width):
        for j in range(width):
            output += images[:, i : i + rows, j : j + columns, :] @ weights[i, j]
    output = np.maximum(output + bias, 0.0)
    pooled = np.maximum(output[:, 0:-1:2, :, :], output[:, 1::2, :, :])
    return np.maximum(pooled[:, :, 0:-1:2, :], pooled[:, :, 1::2, :])


def perceptron(np: Any, x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any, steps: int) -> Any:
    """Training steps of a network of two layers by gradient descent."""
    w1, b1, w2, b2 = w1.copy(), b1.copy(), w2.copy(), b2.copy()
    for _ in range(steps):
        hidden = np.maximum(x @ w1 + b1, 0.0)
        scores = hidden @ w2 + b2
        scores = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        error = (scores / np.sum(scores, axis=1, keepdims=True) - y) / x.shape[0]
        back = (error @ w2.T) * (hidden > 0)
        w2 -= 0.5 * (hidden.T @ error)
        b2 -= 0.5 * np.sum(error, axis=0)
        w1 -= 0.5 * (x.T @ back)
        b1 -= 0.5 * np.sum(back, axis=0)
    return w1, w2


# Shapes that change every round


def forward_substitution(np: Any, lower: Any, b: Any) -> Any:
    x = np.zeros(b.shape)
    for i in range(b.shape[0]):
        x[i] = (b[i] - lower[i, :i] @ x[:i]) / lower[i, i]
    return x


def cholesky(np: Any, a: Any) -> Any:
    a = a.copy()
    for j in range(a.shape[0]):
        a[j, j] = np.sqrt(a[j, j] - a[j, :j] @ a[j, :j])
        a[j + 1 :, j] = (a[j + 1 :, j] - a[j + 1 :, :j] @ a[j, :j]) / a[j, j]
        a[j, j + 1 :] = 0.0
    return a


def lu(np: Any, a: Any) -> Any:
    a = a.copy()
    for k in range(a.shape[0] - 1):
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a


def gram_schmidt(np: Any, a: Any) -> Any:
    a = a.copy()
    q = np.zeros(a.shape)
    for k in range(a.shape[1]):
        q[:, k] = a[:, k] / np.sqrt(np.sum(a[:, k] * a[:, k]))
        a[:, k + 1 :] -= np.outer(q[:, k], q[:, k] @ a[:, k + 1 :])
    return q


def script(np: Any, a: Any) -> Any:
    """Lines that run once, as in a notebook: each prints a number."""
    seen = []
    square = a @ a.T
    seen.append(float(np.sum(square)))
    near = np.exp(-square / np.max(square))
    seen.append(float(np.mean(near)))
    centred = near - np.mean(near, axis=0)
    seen.append(float(np.std(centred)))
    clipped = np.maximum(centred, 0.1)
    seen.append(float(np.max(clipped)))
    joined = np.concatenate([centred, clipped], axis=1)
    seen.append(float(np.min(joined)))
    halves = joined[:, ::2] + joined[:, 1::2]
    seen.append(float(halves[1, 2]))
    table = np.cumsum(halves, axis=0)
    seen.append(float(table[-1, -1]))
    return np.array(seen)
