"""Factorisations give back their matrix, everything else agrees with NumPy's.

Tolerances are multiples of the machine epsilon, relative to the size of the result: LAPACK's own bounds grow with the
order of the matrix, here at most 5, and its condition, here below 100.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind import linalg
from latebind.errors import DTypeMismatchError, ExecutionError, ShapeMismatchError
from latebind.injection.container import BoundContainer

DTYPES = ("float32", "float64", "complex64", "complex128")
SHAPES = ((5, 3), (2, 1, 3, 3), (2, 3, 4))
SQUARE = ((4, 4), (2, 1, 3, 3))
EMPTY = ((0, 3), (3, 0), (0, 0), (2, 0, 3), (0, 2, 2))


def matrix(shape: tuple[int, ...], dtype: str = "float64", *, kind: str = "general") -> np.ndarray:
    """Well-conditioned matrices; square ones have a dominant diagonal."""
    rng = np.random.default_rng(sum(shape))
    x = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(size=shape)
    if kind != "general":
        x = x @ np.conj(np.swapaxes(x, -1, -2))
    if shape[-1] == shape[-2]:
        x = x + 4 * np.eye(shape[-1])
    return x.astype(dtype)


def close(found: Any, wanted: Any, *, factor: float = 500) -> None:
    """Compare dtype, shape and values, within `factor` times epsilon of the largest value."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    scale = np.max(np.abs(wanted), initial=0)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=factor * np.finfo(wanted.dtype).eps * max(scale, 1e-3))


def identities(batch: tuple[int, ...], order: int, dtype: Any) -> np.ndarray:
    return np.broadcast_to(np.eye(order, dtype=dtype), (*batch, order, order))


def adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [True, False])
def test_svd_gives_back_the_matrix(shape: tuple[int, ...], dtype: str, full: bool) -> None:
    x = matrix(shape, dtype)
    u, s, vh = map(np.asarray, linalg.svd(lb.asarray(x), full_matrices=full))
    wanted = np.linalg.svd(x, full_matrices=full)
    assert (u.shape, s.shape, vh.shape) == (wanted.U.shape, wanted.S.shape, wanted.Vh.shape)
    rank = s.shape[-1]
    close((u[..., :rank] * s[..., None, :]) @ vh[..., :rank, :], x)
    close(adjoint(u) @ u, identities(x.shape[:-2], u.shape[-1], dtype))
    close(vh @ adjoint(vh), identities(x.shape[:-2], vh.shape[-2], dtype))
    close(s, wanted.S)
    close(linalg.svdvals(lb.asarray(x)), wanted.S)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr_gives_back_the_matrix(shape: tuple[int, ...], dtype: str, mode: Any) -> None:
    x = matrix(shape, dtype)
    q, r = map(np.asarray, linalg.qr(lb.asarray(x), mode=mode))
    close(q @ r, x)
    close(adjoint(q) @ q, identities(x.shape[:-2], q.shape[-1], dtype))
    np.testing.assert_array_equal(r, np.triu(r))
    assert q.shape[-1] == (shape[-2] if mode == "complete" else min(shape[-2:]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE)
def test_eigh_gives_back_the_matrix_and_reads_the_lower_triangle(shape: tuple[int, ...], dtype: str) -> None:
    x = matrix(shape, dtype, kind="hermitian")
    values, vectors = map(np.asarray, linalg.eigh(lb.asarray(np.tril(x))))
    close((vectors * values[..., None, :]) @ adjoint(vectors), x)
    assert values.dtype.kind == "f" and np.all(np.diff(values) >= 0)
    close(linalg.eigvalsh(lb.asarray(np.tril(x))), np.linalg.eigvalsh(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE)
def test_eig_solves_the_eigenvalue_equation_in_complex_numbers(shape: tuple[int, ...], dtype: str) -> None:
    x = matrix(shape, dtype)
    values, vectors = map(np.asarray, linalg.eig(lb.asarray(x)))
    assert values.dtype == vectors.dtype == np.result_type(dtype, np.complex64)
    close(x @ vectors, vectors * values[..., None, :])
    close(np.sort(np.asarray(linalg.eigvals(lb.asarray(x)))), np.sort(values))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE)
@pytest.mark.parametrize("upper", [True, False])
def test_cholesky_reads_and_fills_one_triangle(shape: tuple[int, ...], dtype: str, upper: bool) -> None:
    x = matrix(shape, dtype, kind="hermitian")
    given = np.triu(x) if upper else np.tril(x)
    close(linalg.cholesky(lb.asarray(given), upper=upper), np.linalg.cholesky(x, upper=upper))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SQUARE)
def test_determinants_and_inverses(shape: tuple[int, ...], dtype: str) -> None:
    x = matrix(shape, dtype)[..., ::-1, :]  # rows have to be exchanged
    array = lb.asarray(x)
    close(linalg.det(array), np.linalg.det(x))
    for found, wanted in zip(linalg.slogdet(array), np.linalg.slogdet(x), strict=True):
        close(found, wanted)
    close(linalg.inv(array), np.linalg.inv(x))
    close(linalg.pinv(array), np.linalg.inv(x))


@pytest.mark.parametrize("order", [1, 2, 5, 40])
def test_solve_exchanges_rows_in_the_order_of_the_factorisation(order: int) -> None:
    x = np.random.default_rng(order).permutation(np.eye(order) * np.arange(1, order + 1))
    y = np.arange(2.0 * order).reshape(order, 2)
    close(linalg.solve(lb.asarray(x), lb.asarray(y)), np.linalg.solve(x, y))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shapes",
    [((4, 4), (4,)), ((2, 3, 3), (3,)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 1, 3, 2)), ((2, 1, 3, 3), (4, 3, 1))],
)
def test_solve_broadcasts_matrices_and_takes_vectors_as_columns(shapes: Any, dtype: str) -> None:
    x, y = matrix(shapes[0], dtype), matrix((1, *shapes[1]), dtype)[0]
    close(linalg.solve(lb.asarray(x), lb.asarray(y)), np.linalg.solve(x, y))


def test_the_operands_of_solve_promote() -> None:
    x, y = matrix((3, 3), "float32"), matrix((3, 2), "complex128")
    close(linalg.solve(lb.asarray(x), lb.asarray(y)), np.linalg.solve(x.astype("complex128"), y))


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 3, 7])
def test_matrix_power(n: int) -> None:
    x = matrix((2, 3, 3)) / 4
    close(linalg.matrix_power(lb.asarray(x), n), np.linalg.matrix_power(x, n))


def test_matrix_power_of_integers_is_exact() -> None:
    x = np.array([[1, 1], [1, 0]])
    np.testing.assert_array_equal(linalg.matrix_power(lb.asarray(x), 50), np.linalg.matrix_power(x, 50))


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("rtol", [None, 0, 0.3, np.array([0.9, 1e-9]), np.array(0.3, "float32")])
def test_rank_and_pseudoinverse_drop_small_singular_values(dtype: str, rtol: Any) -> None:
    x = matrix((2, 4, 3), dtype)
    x[0, :, 2] = 0
    tolerance = x.shape[-2] * np.finfo(dtype).eps if rtol is None else rtol
    array = lb.asarray(x)
    np.testing.assert_array_equal(linalg.matrix_rank(array, rtol=rtol), np.linalg.matrix_rank(x, rtol=tolerance))
    if not np.any(np.asarray(rtol == 0)):  # singular values that are rounded to 1e-9 or to 0 would have to agree
        close(linalg.pinv(array, rtol=rtol), np.linalg.pinv(x, rtol=tolerance))


ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("order", ORDERS)
def test_matrix_norms(order: Any, dtype: str) -> None:
    x = matrix((2, 4, 3), dtype)
    for kept in (True, False):
        found = linalg.matrix_norm(lb.asarray(x), ord=order, keepdims=kept)
        close(found, np.linalg.matrix_norm(x, ord=order, keepdims=kept))


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "complex128"])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 0.5, -1, -2, math.inf, -math.inf])
def test_vector_norms(order: float, dtype: str) -> None:
    x = (3 * np.abs(matrix((2, 4, 3))) + 1).astype(dtype)
    wide = x.astype("float32") if dtype == "float16" else x
    for axis in (None, 1, (0, -1), ()):
        wanted = np.linalg.vector_norm(wide, axis=axis, ord=order, keepdims=True)
        wanted = wanted.astype(dtype) if dtype == "float16" else wanted
        close(linalg.vector_norm(lb.asarray(x), axis=axis, ord=order, keepdims=True), wanted, factor=50)
        squeezed = wanted.squeeze(tuple(range(3)) if axis is None else axis)
        close(linalg.vector_norm(lb.asarray(x), axis=axis, ord=order), squeezed, factor=50)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 3), (2, 3, 4), (0, 3), (2, 0)])
@pytest.mark.parametrize("offset", [0, 2, 7, -1, -4])
def test_diagonals_and_traces(shape: tuple[int, ...], offset: int) -> None:
    x = np.arange(math.prod(shape), dtype=np.int16).reshape(shape)
    np.testing.assert_array_equal(linalg.diagonal(lb.asarray(x), offset=offset), np.linalg.diagonal(x, offset=offset))
    found = linalg.trace(lb.asarray(x), offset=offset)
    np.testing.assert_array_equal(found, np.linalg.trace(x, offset=offset))
    assert found.dtype == np.int64
    assert linalg.trace(lb.asarray(x), offset=offset, dtype=lb.float32).dtype == np.float32


def test_cross_and_outer_products() -> None:
    x, y = np.arange(6).reshape(2, 3), np.array([[1.5, -2, 0.5]])
    np.testing.assert_array_equal(linalg.cross(lb.asarray(x), lb.asarray(y)), np.linalg.cross(x, y))
    np.testing.assert_array_equal(
        linalg.cross(lb.asarray(x.T), lb.asarray(x.T + 1), axis=0), np.linalg.cross(x.T, x.T + 1, axis=0)
    )
    np.testing.assert_array_equal(linalg.outer(lb.asarray(x[0]), lb.asarray(y[0])), np.linalg.outer(x[0], y[0]))


@pytest.mark.parametrize("name", ["svdvals", "pinv", "matrix_rank", "matrix_norm"])
@pytest.mark.parametrize("shape", EMPTY)
def test_matrices_without_elements(name: str, shape: tuple[int, ...]) -> None:
    x = np.ones(shape, np.float32)
    if name == "pinv":
        wanted: Any = np.zeros((*shape[:-2], shape[-1], shape[-2]))
    elif name == "matrix_rank":
        wanted = np.zeros(shape[:-2])
    else:
        wanted = getattr(np.linalg, name)(x)
    np.testing.assert_array_equal(getattr(linalg, name)(lb.asarray(x)), wanted)


@pytest.mark.parametrize("name", ["det", "slogdet", "inv", "cholesky", "eigh", "eigvalsh"])
@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 2, 2)])
def test_square_matrices_without_elements(name: str, shape: tuple[int, ...]) -> None:
    x = np.ones(shape, np.complex64)
    found, wanted = getattr(linalg, name)(lb.asarray(x)), getattr(np.linalg, name)(x)
    pairs = zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]
    for one, other in pairs:
        assert np.asarray(one).dtype == np.asarray(other).dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3), (0, 2, 2)])
def test_full_factors_of_nothing_are_identities(shape: tuple[int, ...]) -> None:
    x = np.ones(shape)
    for function in (linalg.svd, lambda a: linalg.qr(a, mode="complete")):
        for factor in function(lb.asarray(x)):
            assert factor.shape[:-2] == shape[:-2] or factor.ndim == len(shape) - 1
    u, _, vh = map(np.asarray, linalg.svd(lb.asarray(x)))
    np.testing.assert_array_equal(u, identities(shape[:-2], shape[-2], float))
    np.testing.assert_array_equal(vh, identities(shape[:-2], shape[-1], float))


def test_integers_are_factorised_in_float64_and_half_precision_is_refused() -> None:
    x = np.array([[2, 1], [1, 3]], np.int16)
    close(linalg.inv(lb.asarray(x)), np.linalg.inv(x))
    with pytest.raises(DTypeMismatchError, match="inv takes float32, float64 or complex matrices, got float16"):
        linalg.inv(lb.asarray(x, dtype=lb.float16))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: linalg.det(x), "det takes square matrices"),
        (lambda x: linalg.svd(x[0]), "svd takes matrices"),
        (lambda x: linalg.solve(x[:2, :2], x[0]), "has no 2 rows"),
        (lambda x: linalg.solve(lb.ones((2, 3, 3)), lb.ones((4, 3, 1))), "do not broadcast"),
        (lambda x: linalg.qr(x, mode="raw"), "mode has to be"),
        (lambda x: linalg.outer(x, x), "outer takes vectors"),
        (lambda x: linalg.cross(x, x, axis=0), "3 elements along axis 0"),
        (lambda x: linalg.matrix_norm(x, ord=3), "ord has to be"),
        (lambda x: linalg.matrix_norm(x[0]), "takes matrices"),
        (lambda x: linalg.vector_norm(x, axis=2), "out of range"),
        (lambda x: linalg.vector_norm(x[:0], ord=-math.inf), "smallest of no elements"),
        (lambda x: linalg.matrix_power(x, 2), "takes square matrices"),
        (lambda x: linalg.diagonal(x[0]), "takes matrices"),
    ],
)
def test_what_does_not_fit_is_refused_when_recorded(call: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ShapeMismatchError, match=message):
        call(lb.ones((2, 3)))


def test_where_there_is_no_result_numpy_names_operation_and_line_and_xla_gives_nan(container: BoundContainer) -> None:
    inverse = linalg.inv(lb.zeros((2, 2))) + 1
    factor = linalg.cholesky(-lb.ones((1, 1)))
    unharmed = lb.ones(2) + 1
    if container.executor().backend.name == "xla":
        assert not np.any(np.isfinite(np.asarray(inverse)))
        assert np.all(np.isnan(np.asarray(factor)))
    else:
        for array, reason in ((inverse, r"inv.*Singular matrix"), (factor, r"cholesky.*not positive definite")):
            with pytest.raises(ExecutionError, match=rf"test_linalg\.py:\d+: {reason}"):
                np.asarray(array)
    np.testing.assert_array_equal(unharmed, [2, 2])
    sign, logarithm = linalg.slogdet(lb.zeros((2, 2)))
    assert float(sign) == 0 and float(logarithm) == -math.inf


def test_functions_of_a_container_make_arrays_there(container: BoundContainer) -> None:
    namespace = container.namespace()
    assert namespace.linalg.det([[2.0, 0.0], [0.0, 3.0]]).item() == pytest.approx(6)
    assert set(lb.linalg.__all__) <= set(dir(namespace.linalg))
    assert namespace.fft.fftfreq(4).__array_namespace__() in (namespace, lb)
