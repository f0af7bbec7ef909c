"""Random vectors: each component's distribution, what components have in common, and what the arguments may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import latebind as lb
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.random import default_rng

COUNT = 20_000
SIGNIFICANCE = 1e-3


def _counts_fit(drawn: np.ndarray[Any, Any], expected: Any) -> bool:
    edges = np.unique(expected.ppf(np.linspace(0.02, 0.98, 17)))
    shares = np.diff([0, *expected.cdf(edges), 1])
    counted = np.bincount(np.searchsorted(edges, drawn), minlength=len(edges) + 1)
    full = shares * COUNT > 1e-9
    return counted[~full].sum() == 0 and stats.chisquare(counted[full], shares[full] * COUNT).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("alpha", [[0.3, 1.0, 4.0], [200.0, 1e4, 3.0, 50.0]])
def test_components_of_dirichlet_vectors_are_beta_numbers(alpha: list[float]) -> None:
    drawn = np.asarray(default_rng(50).dirichlet(alpha, COUNT))
    np.testing.assert_allclose(drawn.sum(1), 1, rtol=1e-15 * len(alpha))
    for place, one in enumerate(alpha):
        assert stats.kstest(drawn[:, place], stats.beta(one, sum(alpha) - one).cdf).pvalue > SIGNIFICANCE


def test_tiny_weights_of_dirichlet_give_corners_in_their_proportions() -> None:
    drawn = np.asarray(default_rng(51).dirichlet([1e-5, 3e-5, 0.0], COUNT))
    np.testing.assert_allclose(drawn.sum(1), 1, rtol=1e-15)
    assert (drawn[:, 2] == 0).all()
    assert abs(drawn[:, 0].mean() - 0.25) < 5 * 0.5 / np.sqrt(COUNT)
    assert (np.asarray(default_rng(51).dirichlet([0.0, 0.0])) == 0).all()


@pytest.mark.parametrize("pvals", [[1.0], [0.5, 0.5], [0.1, 0.2, 0.0, 0.3, 0.4], [0.05] * 20])
@pytest.mark.parametrize("n", [1, 12, 5000])
def test_components_of_multinomial_vectors_are_binomial_numbers(n: int, pvals: list[float]) -> None:
    drawn = np.asarray(default_rng(52).multinomial(n, pvals, COUNT))
    assert drawn.dtype == np.int64 and drawn.min() >= 0
    np.testing.assert_array_equal(drawn.sum(1), n)
    for place in (0, len(pvals) // 2, len(pvals) - 1):
        p = pvals[place]
        assert (drawn[:, place] == n * p).all() if p in (0, 1) else _counts_fit(drawn[:, place], stats.binom(n, p))


def test_components_of_multinomial_vectors_have_their_covariance() -> None:
    n, pvals = 30, np.array([0.1, 0.2, 0.3, 0.4])
    drawn = np.asarray(default_rng(53).multinomial(n, pvals, COUNT))
    expected = n * (np.diag(pvals) - np.outer(pvals, pvals))
    # A covariance of COUNT pairs has a standard error below the largest variance, 7.2, over sqrt(COUNT) = 0.05.
    np.testing.assert_allclose(np.cov(drawn.T), expected, rtol=0, atol=5 * 7.2 / np.sqrt(COUNT))


def test_the_last_probability_is_what_the_others_leave() -> None:
    drawn = np.asarray(default_rng(54).multinomial(1000, [0.25, 0.25, 0.0], 200))
    assert abs(drawn[:, 2].mean() - 500) < 10


@pytest.mark.parametrize("method", ["marginals", "count"])
@pytest.mark.parametrize(("colors", "nsample"), [([3, 5, 2], 4), ([1000, 40, 0, 3000, 700], 2500), ([7], 3)])
def test_components_of_multivariate_hypergeometric_vectors_are_hypergeometric(
    method: Any, colors: list[int], nsample: int
) -> None:
    drawn = np.asarray(default_rng(55).multivariate_hypergeometric(colors, nsample, COUNT, method=method))
    np.testing.assert_array_equal(drawn.sum(1), nsample)
    assert (drawn <= colors).all() and drawn.dtype == np.int64
    for place, count in enumerate(colors):
        if 0 < count < sum(colors):
            assert _counts_fit(drawn[:, place], stats.hypergeom(sum(colors), count, nsample))


@pytest.mark.parametrize("method", ["svd", "eigh", "cholesky"])
def test_normal_vectors_have_their_mean_and_covariance(method: Any) -> None:
    mean, cov = np.array([1.0, -2.0, 300.0]), np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])
    drawn = np.asarray(default_rng(56).multivariate_normal(mean, cov, COUNT, method=method))
    whitened = (drawn - mean) @ np.linalg.inv(np.linalg.cholesky(cov)).T
    for column in whitened.T:
        assert stats.kstest(column, "norm").pvalue > SIGNIFICANCE
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(3), rtol=0, atol=5 * np.sqrt(2 / COUNT))


def test_symmetric_square_roots_of_both_methods_are_the_same() -> None:
    """Rounding of two factorisations of a well-conditioned matrix."""
    cov = [[2.0, 0.6], [0.6, 1.0]]
    drawn = [np.asarray(default_rng(57).multivariate_normal([0, 1], cov, 50, method=one)) for one in ("svd", "eigh")]
    np.testing.assert_allclose(*drawn, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", ["svd", "eigh"])
def test_semidefinite_covariances_draw_from_a_plane(method: Any) -> None:
    drawn = np.asarray(default_rng(58).multivariate_normal([0, 0], [[1, 1], [1, 1]], 100, method=method))
    # The factor's components beyond the plane are the square root of the rounding of an eigenvalue.
    np.testing.assert_allclose(drawn[:, 0], drawn[:, 1], rtol=0, atol=1e-6)


def test_sizes_and_dtypes_of_vectors() -> None:
    rng = default_rng(1)
    assert rng.dirichlet([1.0, 2.0]).shape == (2,) and rng.dirichlet([1.0, 2.0], (3, 4)).shape == (3, 4, 2)
    assert rng.multinomial([[3], [4]], np.full((5, 3), 1 / 3)).shape == (2, 5, 3)
    assert rng.multivariate_hypergeometric([3, 4], 2).shape == (2,)
    assert rng.multivariate_normal([0, 0], np.eye(2), (2, 3), dtype=np.float32).dtype == np.float32
    assert rng.dirichlet([1.0, 2.0], dtype="float32").dtype == np.float32
    assert np.asarray(rng.multinomial(3, [0.5, 0.5], 0)).shape == (0, 2)


def test_rows_do_not_depend_on_how_many_are_drawn() -> None:
    for name, arguments in (("dirichlet", ([1.0, 2, 3],)), ("multinomial", (90, [0.2, 0.3, 0.5]))):
        many = np.asarray(getattr(default_rng(59), name)(*arguments, 40))
        np.testing.assert_array_equal(getattr(default_rng(59), name)(*arguments, 9), many[:9])


def test_parameters_of_vectors_may_be_lazy() -> None:
    cov = np.array([[2.0, 0.6], [0.6, 1.0]])
    for name, arguments in (
        ("dirichlet", (np.array([1.0, 2.0]),)),
        ("multinomial", (np.array(9), np.array([0.2, 0.8]))),
        ("multivariate_hypergeometric", (np.array([5, 9]), np.array(4))),
        ("multivariate_normal", (np.array([0.0, 1.0]), cov)),
    ):
        known = getattr(default_rng(60), name)(*arguments, 20)
        lazy = getattr(default_rng(60), name)(*map(lb.asarray, arguments), 20)
        np.testing.assert_array_equal(lazy, known)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("dirichlet", ([1.0, -1.0],), ValueError, "alpha must not be negative"),
        ("dirichlet", (2.0,), ShapeMismatchError, "alpha has to have 1 dimensions"),
        ("dirichlet", ([],), ShapeMismatchError, "not empty"),
        ("multinomial", (-1, [0.5, 0.5]), ValueError, "n has to be whole numbers"),
        ("multinomial", (3, [1.5, 0.5]), ValueError, "pvals has to be between 0 and 1"),
        ("multinomial", (3, [0.7, 0.7, 0.1]), ValueError, r"sum\(pvals"),
        ("multinomial", (3, 0.5), ShapeMismatchError, "pvals has to have a last axis"),
        ("multinomial", ([1, 2, 3], [0.5, 0.5], 2), ShapeMismatchError, "do not broadcast to size"),
        ("multivariate_hypergeometric", ([5, -1], 2), ValueError, "colors has to be whole numbers"),
        ("multivariate_hypergeometric", ([5, 1], 7), ValueError, "nsample is larger than the sum"),
        ("multivariate_hypergeometric", ([6 * 10**8, 6 * 10**8], 7), ValueError, "not below 10"),
        ("multivariate_hypergeometric", ([5, 1], [1, 2]), ShapeMismatchError, "nsample has to have 0 dimensions"),
        ("multivariate_hypergeometric", ([5, 1], 2, None, "best"), ValueError, "method is"),
        ("multivariate_normal", ([0, 0], np.eye(3)), ShapeMismatchError, r"cov has shape \(3, 3\)"),
        ("multivariate_normal", (0.0, np.eye(1)), ShapeMismatchError, "mean has to have 1 dimensions"),
        ("multivariate_normal", ([1j], np.eye(1)), DTypeMismatchError, "mean has to be real numbers"),
        ("multivariate_normal", ([0, 0], [[1, 2], [2, 1]], None, "raise"), ValueError, "positive-semidefinite"),
        ("multivariate_normal", ([0, 0], [[1, 2], [0, 5]], None, "raise"), ValueError, "not symmetric"),
        ("multivariate_normal", ([0], [[1]], None, "maybe"), ValueError, "check_valid is"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(name: str, arguments: Any, error: type[Exception], message: str) -> None:
    rng = default_rng(1)
    with pytest.raises(error, match=message):
        getattr(rng, name)(*arguments)
    np.testing.assert_array_equal(rng.random(4), default_rng(1).random(4))


def test_covariances_that_are_none_warn_unless_told_otherwise() -> None:
    wrong = [[1.0, 2.0], [2.0, 1.0]]
    with pytest.warns(RuntimeWarning, match="positive-semidefinite"):
        default_rng(1).multivariate_normal([0, 0], wrong, method="eigh")
    default_rng(1).multivariate_normal([0, 0], wrong, check_valid="ignore", method="eigh")
    with pytest.raises(ValueError, match="positive-semidefinite"):
        default_rng(1).multivariate_normal([0, 0], lb.asarray(wrong), check_valid="raise")
    with pytest.raises(ValueError, match="method is one of"):
        default_rng(1).multivariate_normal([0, 0], wrong, method="qr")  # type: ignore[arg-type]
