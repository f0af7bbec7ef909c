"""Numerical kernels as people write them for NumPy: each takes the namespace and runs unchanged on either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def heat(np: Any) -> Any:
    """Explicit time steps of the heat equation on a plate, in place through slices, until it hardly changes."""
    u = np.zeros((18, 18))
    u[0, :] = 1.0
    u[:, -1] = np.linspace(1.0, 0.0, 18)
    steps = 0
    while steps < 60:
        old = u.copy()
        u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
        steps += 1
        if steps % 10 == 0 and np.max(np.abs(u - old)) < 1e-3:
            break
    return u, steps


def lu(np: Any) -> Any:
    """LU factorisation without pivoting, with the rows as views, and both triangular solves element by element."""
    n = 7
    a = np.fromfunction(lambda i, j: 1.0 / (1 + i + j), (n, n)) + n * np.eye(n)
    b = np.arange(1.0, n + 1)
    factors = a.copy()
    for k in range(n - 1):
        pivot = factors[k]
        for i in range(k + 1, n):
            row = factors[i]
            row[k] /= pivot[k]
            row[k + 1 :] -= row[k] * pivot[k + 1 :]
    x = np.empty_like(b)
    for i in range(n):
        s = b[i]
        for j in range(i):
            s -= factors[i, j] * x[j]
        x[i] = s
    for i in range(n - 1, -1, -1):
        s = x[i]
        for j in range(i + 1, n):
            s -= factors[i, j] * x[j]
        x[i] = s / factors[i, i]
    return factors, x, np.allclose(a @ x, b), b


def life(np: Any) -> Any:
    """Conway's game of life on a torus, by rolls and by masks; a glider among blinkers."""
    board = np.zeros((12, 12), dtype=np.int8)
    board[1, 2] = board[2, 3] = board[3, 1] = board[3, 2] = board[3, 3] = 1
    board[7, 6:9] = 1
    history = []
    for _ in range(12):
        neighbours = np.zeros_like(board)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if dy or dx:
                    neighbours += np.roll(board, (dy, dx), axis=(0, 1))
        born = (board == 0) & (neighbours == 3)
        dies = (board == 1) & ((neighbours < 2) | (neighbours > 3))
        board[born] = 1
        board[dies] = 0
        history.append(int(board.sum()))
    return board, history, np.argwhere(board), neighbours[::2, ::2].ravel()


def k_means(np: Any) -> Any:
    """Lloyd's algorithm with an argmin over distances, means of masks, and a stop when nothing moves."""
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    points = np.concatenate([ring * 0.3, ring * 0.4 + [3.0, 1.0], ring * 0.2 + np.array([-1.0, 2.5])])
    centers = points[[0, 25, 45]].copy()
    for _ in range(10):
        distances = ((points[:, np.newaxis, :] - centers[None]) ** 2).sum(axis=2)
        labels = distances.argmin(axis=1)
        before = centers.copy()
        for k in range(len(centers)):
            members = points[labels == k]
            if len(members) > 0:
                centers[k] = members.mean(axis=0)
        if np.array_equal(before, centers):
            break
    return labels, centers, np.bincount(labels), np.sqrt(distances.min(axis=1)).max()


def conjugate_gradient(np: Any) -> Any:
    """Conjugate gradients on a tridiagonal system, with scalars that decide when to stop."""
    n = 16
    a = np.diag(np.full(n, 4.0)) + np.diag(np.full(n - 1, -1.0), 1) + np.diag(np.full(n - 1, -1.0), -1)
    b = np.sin(np.arange(n))
    x = np.zeros(n)
    r = b - a @ x
    p = r.copy()
    rr = np.dot(r, r)
    residuals = [rr]
    for _ in range(40):
        ap = a.dot(p)
        alpha = rr / (p @ ap)
        x += alpha * p
        r -= alpha * ap
        new = r @ r
        residuals.append(new)
        if np.sqrt(new) < 1e-10:
            break
        p *= new / rr
        p += r
        rr = new
    return x, len(residuals), np.linalg.norm(a @ x - b) < 1e-9, np.array(residuals[:4])


def mandelbrot(np: Any) -> Any:
    """Escape times with masks that shrink, writing through boolean indices."""
    y, x = np.mgrid[-1.2:1.2:24j, -2.0:0.6:32j]
    c = x + 1j * y
    z = np.zeros(c.shape, dtype=complex)
    escaped = np.zeros(c.shape, dtype=int)
    alive = np.ones(c.shape, dtype=bool)
    for step in range(1, 25):
        z[alive] = z[alive] ** 2 + c[alive]
        gone = alive & (np.abs(z) > 2.0)
        escaped[gone] = step
        alive &= ~gone
        if not alive.any():
            break
    return escaped, alive.sum(), np.histogram(escaped, bins=[0, 1, 2, 5, 10, 25])[0]


def convolution(np: Any) -> Any:
    """Blur and Sobel edges of an image by shifted slices into a preallocated result, then a threshold."""
    yy, xx = np.indices((20, 24))
    image = np.where((yy - 9) ** 2 + (xx - 11) ** 2 < 40, 1.0, 0.1 * np.sin(xx / 3.0))
    padded = np.pad(image, 1, mode="edge")

    def filtered(kernel: Any) -> Any:
        out = np.zeros_like(image)
        for i in range(3):
            for j in range(3):
                if kernel[i][j] != 0:
                    out += kernel[i][j] * padded[i : i + image.shape[0], j : j + image.shape[1]]
        return out

    blurred = filtered(np.outer([1, 2, 1], [1, 2, 1]) / 16.0)
    gx = filtered([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    gy = filtered([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    edges = np.hypot(gx, gy)
    edges[edges < np.percentile(edges, 80)] = 0
    np.clip(edges, 0, 4, out=edges)
    return blurred, edges, np.count_nonzero(edges), np.unravel_index(np.argmax(edges), edges.shape)


def n_body(np: Any) -> Any:
    """Leapfrog steps of gravitating bodies, with pairwise differences and energies read at the end."""
    n = 5
    t = np.arange(n) * 1.3
    position = np.stack([np.cos(t) * (1 + t), np.sin(t) * (1 + t), 0.1 * t], axis=1)
    velocity = np.zeros((n, 3))
    velocity[:, 0] = -0.3 * position[:, 1]
    velocity[:, 1] = 0.3 * position[:, 0]
    mass = np.array([3.0, 1.0, 0.5, 0.8, 0.2])
    mass /= mass.sum()

    def acceleration() -> Any:
        gap = position[None, :, :] - position[:, None, :]
        cube = (gap**2).sum(axis=-1) + 0.05
        np.power(cube, -1.5, out=cube)
        np.fill_diagonal(cube, 0.0)
        return np.einsum("ij,ijk,j->ik", cube, gap, mass)

    def energy() -> float:
        kinetic = 0.5 * np.sum(mass[:, None] * velocity**2)
        i, j = np.triu_indices(n, 1)
        distance = np.sqrt(((position[i] - position[j]) ** 2).sum(axis=1) + 0.05)
        return float(kinetic - np.sum(mass[i] * mass[j] / distance))

    start, step = energy(), 0.01
    force = acceleration()
    for _ in range(30):
        velocity += 0.5 * step * force
        position += step * velocity
        force = acceleration()
        velocity += 0.5 * step * force
    return position, velocity, abs(energy() - start) < 1e-3


KERNELS: dict[str, Callable[[Any], Any]] = {
    kernel.__name__: kernel for kernel in (heat, lu, life, k_means, conjugate_gradient, mandelbrot, convolution, n_body)
}
