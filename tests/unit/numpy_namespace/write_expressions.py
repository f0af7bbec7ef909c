"""Statements that write, and expressions that are refused."""

from __future__ import annotations

#: The expression after the last semicolon is compared.
WRITES: list[str] = [
    "x.sort(); x", "x.sort(axis=0); x", "v.partition(2); v[2]", "x.fill(3); x", "x.put([0, 5], [8.0, 9.0]); x",
    "x.flat = 1.5; x", "x.flat = [1, 2, 3]; x", "x.flat[3:6] = 0; x", "x.T.flat[1] = 7; x",
    "np.fill_diagonal(m, 5); m", "np.fill_diagonal(x, [1, 2]); x", "np.fill_diagonal(x.T, 0); x",
    "np.put(x, [1, 2], 5); x", "np.put(v, [-1, 7], [1, 2], mode='wrap'); v", "np.place(x, b, [1, 2]); x",
    "np.putmask(x, b, [1, 2, 3]); x", "np.putmask(x, b, y); x", "np.copyto(x, y); x", "np.copyto(x, 1, where=b); x",
    "np.copyto(i, j); i", "np.put_along_axis(x, np.argmax(x, axis=1)[:, None], 0, axis=1); x",
    "np.put_along_axis(v, np.array([1, 2]), [5, 6], axis=0); v", "np.add.at(v, [0, 0, 1], 1); v",
    "np.add.at(x, ([0, 0], [1, 1]), [1.0, 2.0]); x", "np.subtract.at(v, [1, 1], 2); v",
    "np.maximum.at(v, [0, 0], [5, 3]); v", "np.multiply.at(x, (slice(None), [0, 0]), 2); x",
    "np.negative.at(v, [0, 1]); v", "np.add.at(k, k > 2, 10); k", "np.minimum.at(i, [0, 0], -20); i",
    "np.nan_to_num(n, copy=False); n", "np.add(x, y, out=x); x", "np.sin(x, out=x, where=b); x",
    "np.cumsum(v, out=v); v", "np.clip(x, 0, 1, out=x); x", "x[b] += 1; x", "x[[0, 0, 1]] += 1; x",
    "x[:, 0] *= 2; x", "x[1:] -= x[:-1]; x", "x += 1; x", "x //= 2; x", "i <<= 1; i",
    "x[::2, 1::2] = y[::2, 1::2]; x", "x.T[0] = 5; x", "x.reshape(-1)[3] = 9; x", "x.ravel()[::2] = 0; x",
    "x[0], x[1] = x[1].copy(), x[0].copy(); x", "v[0], v[1] = v[1], v[0]; v", "r = x[1]; r += 1; x",
    "q = v[2]; v[2] = 0; q", "q = v[2]; q += 1; v", "q = x.sum(); p = q; q += 1; p",
    "q = k.sum(); q = q + 0; q += 0.5; q", "q = np.zeros(()); p = q; q += 1; p", "q = v[0, ...]; q += 1; v",
    "x[0][1] = 5; x", "x[..., 0][1] = 5; x", "c.real[0] = 1; c", "c.imag = 0; c",
]  # fmt: skip

#: What NumPy refuses, and so does `latebind.numpy`, with an exception of the same built-in kind.
REFUSED: list[str] = [
    "np.sum(x, axis=2)", "np.concatenate([])", "np.concatenate([x, v])", "np.stack([x, v])", "np.reshape(x, (5, 2))",
    "np.split(v, 4)", "np.max(e)", "np.max(x, where=b)", "np.argmax(e)", "np.percentile(x, 101)",
    "np.quantile(x, -0.1)", "np.quantile(x, 0.5, method='best')", "np.pad(x, -1)", "np.pad(x, 1, mode='nothing')",
    "np.pad(x, 1, mode='edge', constant_values=1)", "np.pad(e, 1, mode='edge')", "np.linspace(0, 1, -1)",
    "np.bincount([-1])", "np.bincount(v)", "np.digitize(v, [1, 0, 2])", "np.histogram(v, bins=0)",
    "np.histogram(v, bins=[2, 1])", "np.histogram([np.nan])", "np.diag(t)", "np.einsum('ij,jk->ik', x, v)",
    "np.einsum('ij,jk->im', x, m)", "np.einsum('ij,jk->ii', x, m)", "np.einsum('ij->ij', x, x)",
    "np.einsum('ijk->i', x)", "np.dot(x, y)", "np.cross(v, v)", "np.take(v, 9)", "np.delete(v, 9)",
    "np.insert(v, 9, 1)", "np.interp(v, [], [])", "np.interp(v, s, w, period=0)", "np.gradient([1.0])",
    "np.convolve([], [1])", "np.convolve(v, w, 'some')", "np.swapaxes(x, 0, 2)", "np.expand_dims(x, 5)",
    "np.squeeze(x, 0)", "np.rot90(x, axes=(0, 0))", "np.diff(v, n=-1)", "np.nanargmax([[np.nan], [np.nan]], axis=1)",
    "np.choose([2], [[1], [2]])", "np.select([x], [y])", "np.select([], [])", "np.where(b, x)",
    "np.unravel_index(99, (3, 4))", "np.ravel_multi_index(([9], [0]), (3, 4))", "np.add(x, v)",
    "np.add(i, 1.5, out=i)", "np.add(x, 1, dtype=int)", "np.full((2,), [1, 2, 3])", "np.broadcast_to(x, (3, 5))",
    "np.average(x, weights=[1, 2])", "np.average(x, axis=0, weights=[1, 2])", "np.asarray_chkfinite(n)",
    "np.arange()", "np.array([[1, 2], [3]])", "np.var(x, ddof=1, correction=1)", "np.copyto(i, x)",
    "np.fill_diagonal(v, 1)", "np.vander(x)", "np.lexsort([])", "np.partition(v, 9)", "np.trapezoid(v, [1, 2, 3])",
    "np.linalg.norm(v, 'fro')", "np.linalg.norm(x, 5)", "np.linalg.matrix_power(x, 2)",
    "np.tensordot(x, y, axes=([0], [1]))", "np.moveaxis(x, 0, 5)", "np.geomspace(0, 1)",
    "np.hsplit(np.float64(1), 1)", "np.zeros((-1,))", "np.meshgrid(v, w, indexing='xx')", "np.clip(x, y[:2], 1)",
    "np.add.reduce(x, axis=3)", "np.add.reduceat(v, [9])", "np.isclose(x, v)", "np.block([[x], [v]])",
]  # fmt: skip
