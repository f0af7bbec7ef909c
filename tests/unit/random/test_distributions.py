"""Distributions against SciPy's, at fixed seeds; what their parameters may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import latebind as lb
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.random import Generator, default_rng

COUNT = 20_000
#: Name, arguments, SciPy's distribution.
CASES: list[tuple[str, tuple[float, ...], Any]] = [
    ("random", (), stats.uniform()),
    ("uniform", (-2.0, 5.0), stats.uniform(-2, 7)),
    ("standard_normal", (), stats.norm()),
    ("normal", (3.0, 0.5), stats.norm(3, 0.5)),
    ("lognormal", (0.5, 0.7), stats.lognorm(0.7, scale=np.exp(0.5))),
    ("standard_exponential", (), stats.expon()),
    ("exponential", (2.5,), stats.expon(scale=2.5)),
    ("laplace", (1.0, 2.0), stats.laplace(1, 2)),
    ("logistic", (1.0, 2.0), stats.logistic(1, 2)),
    ("gumbel", (1.0, 2.0), stats.gumbel_r(1, 2)),
    ("rayleigh", (1.5,), stats.rayleigh(scale=1.5)),
    ("weibull", (1.7,), stats.weibull_min(1.7)),
    ("pareto", (3.0,), stats.lomax(3)),
    ("power", (2.5,), stats.powerlaw(2.5)),
    ("triangular", (-1.0, 0.5, 2.0), stats.triang(0.5, -1, 3)),
    ("wald", (1.5, 0.8), stats.invgauss(1.5 / 0.8, scale=0.8)),
    ("standard_cauchy", (), stats.cauchy()),
    ("standard_t", (3.5,), stats.t(3.5)),
]


def _draw(rng: Generator, name: str, arguments: tuple[Any, ...], **options: Any) -> np.ndarray[Any, Any]:
    return np.asarray(getattr(rng, name)(*arguments, **options))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "arguments", "expected"), CASES, ids=[case[0] for case in CASES])
def test_numbers_follow_their_distribution(name: str, arguments: tuple[float, ...], expected: Any, dtype: Any) -> None:
    """Kolmogorov-Smirnov: a right generator fails with a probability of 1e-3 per seed, and the seed is fixed."""
    drawn = _draw(default_rng(20), name, arguments, size=COUNT, dtype=dtype)
    assert drawn.dtype == dtype
    assert stats.kstest(drawn.astype(np.float64), expected.cdf).pvalue > 1e-3


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES, ids=[case[0] for case in CASES])
def test_means_are_right_within_five_standard_errors(name: str, arguments: tuple[float, ...], expected: Any) -> None:
    if not np.isfinite(expected.var()):
        assert name == "standard_cauchy"
        return
    drawn = _draw(default_rng(21), name, arguments, size=COUNT)
    assert abs(drawn.mean() - expected.mean()) < 5 * expected.std() / np.sqrt(COUNT)


@pytest.mark.parametrize("p", [0.002, 0.3])
def test_geometric_numbers_follow_their_distribution(p: float) -> None:
    assert (_draw(default_rng(22), "geometric", (1.0,), size=50) == 1).all()
    drawn = _draw(default_rng(22), "geometric", (p,), size=COUNT)
    assert drawn.dtype == np.int64 and drawn.min() >= 1
    edges = np.unique(stats.geom(p).ppf(np.linspace(0.05, 0.95, 10)))
    counted = np.bincount(np.searchsorted(edges, drawn), minlength=len(edges) + 1)
    expected = np.diff([0, *stats.geom(p).cdf(edges), 1]) * COUNT
    assert stats.chisquare(counted, expected).pvalue > 1e-3


def test_successive_draws_are_uncorrelated() -> None:
    """The correlation of independent samples is within 5 / sqrt(n), but for a probability of 6e-7."""
    rng = default_rng(23)
    first, second = (np.asarray(rng.standard_normal(COUNT)) for _ in range(2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(COUNT)
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 5 / np.sqrt(COUNT)


def test_parameters_broadcast_with_each_other_and_with_the_size() -> None:
    rng = default_rng(1)
    means = lb.asarray([[0.0], [1000.0]])
    assert rng.normal(means, [1.0, 2.0, 3.0]).shape == (2, 3)
    drawn = np.asarray(rng.normal(means, 1, size=(50, 2, 4)))
    assert drawn.shape == (50, 2, 4)
    assert (drawn[:, 0] < 500).all() and (drawn[:, 1] > 500).all()


def test_without_a_size_there_is_one_zero_dimensional_number() -> None:
    rng = default_rng(1)
    assert rng.random().shape == () == rng.normal(1, 2).shape == rng.integers(5).shape == rng.choice(5).shape


@pytest.mark.parametrize("size", [0, (3, 0, 2)])
def test_empty_draws(size: Any) -> None:
    rng = default_rng(1)
    shape = (size,) if isinstance(size, int) else size
    for drawn in (rng.random(size), rng.normal(size=size), rng.integers(9, size=size), rng.choice(4, size)):
        assert np.asarray(drawn).shape == shape
    np.testing.assert_array_equal(rng.random(4), default_rng(1).random(4))


def test_the_default_dtype_of_the_container_is_taken() -> None:
    with lb.build_container(backend="numpy", default_dtype={"real": "float32", "integral": "int32"}):
        rng = default_rng(1)
        assert rng.normal(size=3).dtype == np.float32 and rng.integers(3, size=3).dtype == np.int32


def test_out_is_written_and_returned() -> None:
    out = lb.zeros((2, 3), dtype=lb.float32)
    view = out[0]
    assert default_rng(1).random(out=out) is out
    np.testing.assert_array_equal(out, default_rng(1).random((2, 3), np.float32))
    np.testing.assert_array_equal(view, np.asarray(out)[0])


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("normal", (0, -1), "scale must not be negative"),
        ("normal", (0, [1.0, -1.0]), "scale must not be negative"),
        ("uniform", (2, 1), "high - low must not be negative"),
        ("uniform", (0, np.inf), "high - low has to be finite"),
        ("exponential", (-1.0,), "scale must not be negative"),
        ("pareto", (0,), "a has to be positive"),
        ("standard_t", (np.nan,), "df has to be positive"),
        ("wald", (1, 0), "scale has to be positive"),
        ("geometric", (0.0,), "p has to be above 0"),
        ("geometric", (1.5,), "p has to be above 0"),
        ("triangular", (2, 1, 3), "left > mode"),
        ("triangular", (0, 3, 2), "mode > right"),
        ("triangular", (1, 1, 1), "left == right"),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, arguments: tuple[Any, ...], message: str) -> None:
    rng = default_rng(1)
    with pytest.raises(ValueError, match=message):
        getattr(rng, name)(*arguments, size=None)
    np.testing.assert_array_equal(rng.random(4), default_rng(1).random(4))


def test_sizes_and_dtypes_that_do_not_fit_are_refused() -> None:
    rng = default_rng(1)
    with pytest.raises(ShapeMismatchError, match="do not broadcast to size"):
        rng.normal([1.0, 2.0], size=3)
    with pytest.raises(ShapeMismatchError, match="do not broadcast to size"):
        rng.normal(lb.zeros((2, 3)), size=3)
    with pytest.raises(ShapeMismatchError, match="negative extent"):
        rng.random(-1)
    with pytest.raises(DTypeMismatchError, match="float32 or float64, not int64"):
        rng.random(3, dtype=np.int64)
    with pytest.raises(DTypeMismatchError, match="has to be real numbers"):
        rng.normal(lb.asarray(1j))
    with pytest.raises(DTypeMismatchError, match="out has dtype"):
        rng.random(out=lb.zeros(3), dtype=np.float32)
    with pytest.raises(ValueError, match="method 'zig'"):
        rng.standard_exponential(3, method="zig")
