"""Factorisations, equations and Fourier transforms by PyTorch, under all three compilers.

LAPACK's errors are a small multiple of epsilon times the norm and the condition of the matrices, here below 10 and 10;
two libraries are compared, so that 256 epsilon is the bound throughout.
"""

from __future__ import annotations

import numpy as np
import pytest

import latebind as lb
from latebind import build_container, linalg
from latebind.errors import ExecutionError

DTYPES = ["float32", "float64", "complex64", "complex128"]
COMPILERS = ["eager", "torchscript", "inductor"]
BOUND = 256


@pytest.fixture(params=[*COMPILERS[:2], pytest.param("inductor", marks=pytest.mark.slow)])
def graph(request, make_graph, torch_backends):
    return make_graph(torch_backends[request.param])


def matrix(dtype, *shape):
    """Return numbers of magnitude 1; square matrices have a dominant diagonal, and rows that have to be exchanged."""
    rng = np.random.default_rng(sum(shape))
    x = rng.uniform(-1, 1, shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.uniform(-1, 1, shape)
    return ((x + 4 * np.eye(shape[-1]))[..., ::-1, :] if shape[-1] == shape[-2] else x).astype(dtype)


def hermitian(dtype, *shape):
    x = matrix(dtype, *shape)[..., ::-1, :]
    return (x + np.conj(np.swapaxes(x, -1, -2))) / 2


def results(graph, kind, *arrays, **attributes):
    node = graph.builder.make_generic(kind, [graph.parameter(array) for array in arrays], attributes)
    return [node.value(index) for index in range(len(node.types))]


def near(found, wanted):
    wanted = np.broadcast_to(wanted, found.shape)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=BOUND * float(np.finfo(found.dtype).eps))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_unique_agrees_with_the_reference(graph, dtype):
    square, right, definite = matrix(dtype, 2, 3, 3), matrix(dtype, 2, 3, 2), hermitian(dtype, 2, 3, 3)
    values = [
        *results(graph, "linalg::solve", square, right),
        *results(graph, "linalg::inv", square),
        *results(graph, "linalg::det", square),
        *results(graph, "linalg::slogdet", square),
        *results(graph, "linalg::eigh", definite, vectors=False),
        *results(graph, "linalg::svd", right, mode="none"),
    ]
    for lower in (True, False):
        values += results(graph, "stablehlo::cholesky", definite, lower=lower)
    graph.check(*values, rtol=BOUND, atol=BOUND)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_orthogonal_factors_have_the_signs_of_the_reference(graph, mode, dtype):
    values = []
    for shape in ((4, 3), (3, 4), (2, 3, 3)):
        values += results(graph, "linalg::qr", matrix(dtype, *shape), mode=mode)
    graph.check(*values, rtol=BOUND, atol=BOUND)


@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors_give_the_matrix_back(graph, dtype):
    general, definite, wide = matrix(dtype, 2, 3, 3), hermitian(dtype, 2, 3, 3), matrix(dtype, 2, 3, 4)
    found = graph.run(
        *results(graph, "linalg::eigh", definite, vectors=True),
        *results(graph, "linalg::eig", general, vectors=True),
        *results(graph, "linalg::svd", wide, mode="reduced"),
        *results(graph, "linalg::svd", wide, mode="complete"),
    )
    values, vectors = found[:2]
    near((vectors * values[..., None, :]) @ np.conj(vectors.mT), definite)
    assert np.all(np.diff(values) >= 0)
    values, vectors = found[2:4]
    near(general @ vectors, vectors * values[..., None, :])
    for u, s, vh in (found[4:7], found[7:]):
        near((u * s[..., None, :]) @ vh[..., :3, :], wide)
        assert np.all(np.diff(s) <= 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_eigenvalues_alone_are_those_with_vectors(graph, dtype):
    general = matrix(dtype, 2, 4, 4)
    alone, values, _ = graph.run(
        *results(graph, "linalg::eig", general, vectors=False), *results(graph, "linalg::eig", general, vectors=True)
    )
    near(np.sort_complex(alone), np.sort_complex(values))


@pytest.mark.parametrize("dtype", DTYPES)
def test_only_the_triangle_that_is_named_is_read(graph, dtype):
    definite = hermitian(dtype, 2, 3, 3)
    right = matrix(dtype, 2, 3, 2)
    above = np.triu(np.full((3, 3), np.nan), 1)
    below = above.T.astype(dtype)
    lower, upper = definite + above.astype(dtype), definite + below
    values = [
        *results(graph, "stablehlo::cholesky", lower, lower=True),
        *results(graph, "stablehlo::cholesky", upper, lower=False),
        *results(graph, "linalg::eigh", np.where(np.isnan(lower), 7, lower), vectors=False),
    ]
    for transpose in ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT"):
        options = {"left_side": True, "unit_diagonal": False, "transpose_a": transpose}
        values += results(graph, "stablehlo::triangular_solve", lower, right, lower=True, **options)
        values += results(graph, "stablehlo::triangular_solve", upper, right, lower=False, **options)
    graph.check(*values, rtol=BOUND, atol=BOUND)


@pytest.mark.parametrize("dtype", DTYPES)
def test_fourier_transforms_agree_with_the_reference(graph, dtype):
    values = []
    for lengths in ((8,), (5,), (4, 5), (2, 3, 4)):
        x = matrix(dtype, 2, *lengths) if lengths[-1:] != (2,) else None
        if np.dtype(dtype).kind == "f":
            values += results(graph, "stablehlo::fft", x, fft_type="RFFT", fft_length=lengths)
            continue
        for kind in ("FFT", "IFFT"):
            values += results(graph, "stablehlo::fft", x, fft_type=kind, fft_length=lengths)
        half = np.fft.rfftn(x.real, axes=tuple(range(1, 1 + len(lengths)))).astype(dtype)
        values += results(graph, "stablehlo::fft", half, fft_type="IRFFT", fft_length=lengths)
    graph.check(*values, rtol=BOUND, atol=BOUND)


@pytest.mark.parametrize("kind", ["linalg::solve", "linalg::inv", "stablehlo::cholesky"])
def test_one_singular_matrix_of_a_batch_is_an_error(graph, kind):
    x = np.stack([np.eye(3), np.ones((3, 3))])
    operands = (x, x) if kind == "linalg::solve" else (x,)
    attributes = {"lower": True} if kind == "stablehlo::cholesky" else {}
    with pytest.raises(ExecutionError, match=r"singular|could not be completed"):
        graph.execute(*results(graph, kind, *operands, **attributes))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("linalg::eig", {"vectors": False}),
        ("linalg::eig", {"vectors": True}),
        ("linalg::eigh", {"vectors": False}),
        ("linalg::eigh", {"vectors": True}),
        ("linalg::svd", {"mode": "none"}),
        ("linalg::svd", {"mode": "reduced"}),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_what_has_no_eigenvalues_is_an_error_as_on_the_reference(graph, kind, attributes, value, dtype):
    x = np.stack([np.eye(3), np.diag([1, value, 1])]).astype(dtype)
    with pytest.raises(ExecutionError, match=r"failed to converge|infs or NaNs"):
        graph.execute(*results(graph, kind, x, **attributes))


@pytest.mark.parametrize("lower", [True, False])
def test_a_factor_of_nan_spoils_no_other_matrix_and_keeps_its_zeros(graph, lower):
    x = np.stack([np.diag([4.0, 9.0]), np.full((2, 2), np.nan)])
    (found,) = graph.run(*results(graph, "stablehlo::cholesky", x, lower=lower))
    np.testing.assert_array_equal(found[0], np.diag([2.0, 3.0]))
    kept = np.tril(np.ones((2, 2))) if lower else np.triu(np.ones((2, 2)))
    np.testing.assert_array_equal(np.isnan(found[1]), kept.astype(bool))
    assert found[1, 0, 1] == 0 or found[1, 1, 0] == 0


def test_nan_in_equations_gives_nan(graph):
    x = np.full((2, 2), np.nan)
    values = [*results(graph, "linalg::solve", x, np.eye(2)), *results(graph, "linalg::inv", x)]
    values += [*results(graph, "linalg::det", x), *results(graph, "linalg::slogdet", x)]
    assert all(np.isnan(found).all() for found in graph.run(*values))


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 0)])
def test_no_elements(graph, shape):
    x = np.zeros(shape)
    values = [
        *results(graph, "linalg::solve", x, x),
        *results(graph, "linalg::slogdet", x),
        *results(graph, "linalg::qr", x, mode="reduced"),
        *results(graph, "linalg::eigh", x, vectors=True),
        *results(graph, "linalg::eig", x, vectors=False),
        *results(graph, "linalg::svd", x, mode="reduced"),
        *results(graph, "stablehlo::cholesky", x, lower=True),
    ]
    assert [output.size for output in graph.run(*values) if output.ndim > 1] == [0] * (len(values) - 2)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_results_are_taken_up_by_what_follows(graph, dtype):
    """Column-major results, and the memory of one that dies, in a graph with other operations."""
    x = matrix(dtype, 12, 12)
    (inverse,) = results(graph, "linalg::inv", x)
    q, r = results(graph, "linalg::qr", x, mode="reduced")
    total = graph.op("stablehlo::add", graph.op("stablehlo::multiply", inverse, q), r)
    graph.check(total, graph.op("stablehlo::transpose", r, permutation=(1, 0)), rtol=BOUND, atol=BOUND)


@pytest.mark.parametrize("compiler", [*COMPILERS[:2], pytest.param("inductor", marks=pytest.mark.slow)])
def test_nothing_falls_back(compiler):
    x = matrix("float64", 3, 3)
    settings = {"name": "torch", "compiler": compiler, "interpretations": 0, "device": "cpu"}
    with build_container(backend=settings) as container:
        a = lb.asarray(x)
        identity, determinant = linalg.solve(a, a), linalg.det(a)
        lb.sync(
            *linalg.svd(a), *linalg.eigh(a), *linalg.eig(a), *linalg.qr(a), *linalg.slogdet(a), linalg.eigvals(a),
            linalg.cholesky(a @ a.T), linalg.inv(a), linalg.pinv(a), lb.fft.fftn(a), lb.fft.rfftn(a),
            identity, determinant,
        )  # fmt: skip
        lb.wait_device_ops()
        near(np.asarray(identity), np.eye(3))
        near(np.asarray(determinant), np.linalg.det(x))
        counters = container.executor().metrics.counters()
    assert not [name for name in counters if name.startswith("Fallback")]
