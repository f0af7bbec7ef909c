"""Distributions that are drawn by proposals, against SciPy's at fixed seeds, from tiny to huge parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special, stats

import latebind as lb
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.random import Generator, default_rng

COUNT = 20_000
#: A right generator fails with this probability per seed; the seeds are fixed, so that no run differs from another.
SIGNIFICANCE = 1e-3

CONTINUOUS: list[tuple[str, tuple[float, ...], Any]] = [
    *[("standard_gamma", (shape,), stats.gamma(shape)) for shape in (0.02, 0.5, 0.999, 1.0, 1.7, 40.0, 1e6, 1e14)],
    ("gamma", (2.5, 3.0), stats.gamma(2.5, scale=3)),
    *[("chisquare", (df,), stats.chi2(df)) for df in (0.3, 1.0, 2.0, 77.0)],
    *[("beta", pair, stats.beta(*pair)) for pair in ((0.5, 0.5), (0.05, 3.0), (2.0, 5.0), (800.0, 1e5), (0.3, 0.2))],
    *[("f", pair, stats.f(*pair)) for pair in ((1.0, 1.0), (3.0, 12.0), (500.0, 0.5))],
    *[("noncentral_chisquare", pair, stats.ncx2(*pair)) for pair in ((0.5, 1.0), (3.0, 20.0), (1.5, 900.0))],
    ("noncentral_chisquare", (4.0, 0.0), stats.chi2(4)),
    ("noncentral_f", (3.0, 8.0, 2.5), stats.ncf(3, 8, 2.5)),
    *[("vonmises", (0.0, kappa), stats.vonmises(kappa)) for kappa in (1e-7, 0.3, 1.0, 4.0, 60.0)],
]
DISCRETE: list[tuple[str, tuple[float, ...], Any]] = [
    *[("poisson", (lam,), stats.poisson(lam)) for lam in (0.01, 1.0, 9.99, 10.0, 17.3, 400.0, 1e6)],
    *[("binomial", (50, p), stats.binom(50, p)) for p in (1e-3, 0.3, 0.5, 0.97)],
    *[("binomial", (51, p), stats.binom(51, p)) for p in (0.2, 0.5, 0.8)],
    *[("binomial", (n, p), stats.binom(n, p)) for n, p in ((1000, 0.005), (1000, 0.01), (10**6, 0.37), (10**9, 0.999))],
    *[("negative_binomial", pair, stats.nbinom(*pair)) for pair in ((1.0, 0.5), (0.3, 0.05), (40.0, 0.9), (7.5, 0.01))],
    ("hypergeometric", (5, 7, 6), stats.hypergeom(12, 5, 6)),
    ("hypergeometric", (52, 52, 52), stats.hypergeom(104, 52, 52)),
    ("hypergeometric", (300, 900, 1100), stats.hypergeom(1200, 300, 1100)),
    ("hypergeometric", (900, 300, 200), stats.hypergeom(1200, 900, 200)),
    ("hypergeometric", (10**5, 20, 5 * 10**4), stats.hypergeom(10**5 + 20, 10**5, 5 * 10**4)),
    ("hypergeometric", (10**6, 2 * 10**6, 10**6), stats.hypergeom(3 * 10**6, 10**6, 10**6)),
    *[("logseries", (p,), stats.logser(p)) for p in (0.01, 0.5, 0.999)],
]


def _draw(rng: Generator, name: str, arguments: tuple[Any, ...], **options: Any) -> np.ndarray[Any, Any]:
    return np.asarray(getattr(rng, name)(*arguments, **options))


def _names(cases: list[tuple[str, tuple[float, ...], Any]]) -> list[str]:
    return [f"{name}{arguments}" for name, arguments, _ in cases]


@pytest.mark.parametrize(("name", "arguments", "expected"), CONTINUOUS, ids=_names(CONTINUOUS))
def test_continuous_numbers_follow_their_distribution(name: str, arguments: tuple[float, ...], expected: Any) -> None:
    """Kolmogorov-Smirnov."""
    drawn = _draw(default_rng(30), name, arguments, size=COUNT)
    assert drawn.dtype == np.float64
    assert stats.kstest(drawn, expected.cdf).pvalue > SIGNIFICANCE


@pytest.mark.parametrize(("name", "arguments", "expected"), DISCRETE, ids=_names(DISCRETE))
def test_discrete_numbers_follow_their_distribution(name: str, arguments: tuple[float, ...], expected: Any) -> None:
    """Chi-square over the values of small distributions, and over deciles and tails of large ones."""
    drawn = _draw(default_rng(31), name, arguments, size=COUNT)
    assert drawn.dtype == np.int64
    low, high = expected.support()
    assert drawn.min() >= low and drawn.max() <= high
    edges = np.unique(expected.ppf([0.001, 0.01, *np.linspace(0.05, 0.95, 19), 0.99, 0.999]))
    shares = np.diff([0, *expected.cdf(edges), 1])
    counted = np.bincount(np.searchsorted(edges, drawn), minlength=len(edges) + 1)
    full = shares * COUNT >= 5
    if not full.all():
        counted = np.append(counted[full], counted[~full].sum())
        shares = np.append(shares[full], shares[~full].sum())
    if len(shares) > 1 and shares[-1] * COUNT > 1e-6:
        assert stats.chisquare(counted, shares / shares.sum() * COUNT).pvalue > SIGNIFICANCE
    else:
        assert counted[-1] == 0


@pytest.mark.parametrize("a", [1.05, 1.3, 2.0, 6.0])
def test_zipf_numbers_follow_their_distribution(a: float) -> None:
    """Chi-square; the shares of ranges are differences of Hurwitz zeta functions, up to where int64 ends."""
    drawn = _draw(default_rng(31), "zipf", (a,), size=COUNT)
    edges = np.array([1, 2, 3, 4, 6, 9, 20, 100, 10**4, 10**8])
    beyond = special.zeta(a, np.array([1, *(edges + 1), 2.0**63]))
    shares = -np.diff(beyond) / (beyond[0] - beyond[-1])
    counted = np.bincount(np.searchsorted(edges, drawn), minlength=len(edges) + 1)
    full = shares * COUNT >= 5
    pairs = [np.append(one[full], one[~full].sum()) for one in (counted, shares * COUNT)]
    kept = [one[pairs[1] > 0] for one in pairs]
    assert stats.chisquare(*kept).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("lam", [1e10, 1e15, 1e18])
def test_huge_poisson_numbers_are_normal_with_their_mean_and_variance(lam: float) -> None:
    """The skewness, 1 / sqrt(lam), is far below what 20,000 numbers show."""
    drawn = _draw(default_rng(32), "poisson", (lam,), size=COUNT)
    assert stats.kstest((drawn - lam) / np.sqrt(lam), "norm").pvalue > SIGNIFICANCE


def test_huge_concentrations_of_von_mises_are_normal() -> None:
    drawn = _draw(default_rng(33), "vonmises", (0.0, 1e12), size=COUNT)
    assert stats.kstest(drawn * 1e6, "norm").pvalue > SIGNIFICANCE


def test_von_mises_angles_turn_around_their_mean_and_stay_in_one_turn() -> None:
    drawn = _draw(default_rng(34), "vonmises", (3.0, 2.0), size=COUNT)
    assert (np.abs(drawn) <= np.pi).all()
    assert abs(np.angle(np.exp(1j * drawn).mean()) - 3.0) < 0.05
    resultant = special.ive(1, 2.0) / special.ive(0, 2.0)
    assert abs(np.abs(np.exp(1j * drawn).mean()) - resultant) < 5 / np.sqrt(COUNT)


def test_tiny_gamma_shapes_reach_far_below_the_least_float_without_harm() -> None:
    drawn = _draw(default_rng(35), "standard_gamma", (1e-4,), size=COUNT)
    assert np.isfinite(drawn).all() and (drawn >= 0).all()
    assert abs((drawn > 0).mean() - stats.gamma(1e-4).sf(5e-324)) < 5 * 0.5 / np.sqrt(COUNT)
    symmetric = _draw(default_rng(35), "beta", (0.01, 0.01), size=COUNT)
    half = symmetric[symmetric < 0.5]
    assert stats.kstest(half, lambda x: stats.beta(0.01, 0.01).cdf(x) * 2).pvalue > SIGNIFICANCE
    beta = _draw(default_rng(35), "beta", (1e-4, 3e-4), size=COUNT)
    assert abs(beta.mean() - 0.25) < 5 * 0.5 / np.sqrt(COUNT)


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("standard_gamma", (0.0,), 0),
        ("gamma", (2.0, 0.0), 0),
        ("poisson", (0.0,), 0),
        ("binomial", (0, 0.4), 0),
        ("binomial", (10**9, 0.0), 0),
        ("binomial", (2**40, 1.0), 2**40),
        ("negative_binomial", (3.0, 1.0), 0),
        ("hypergeometric", (0, 0, 0), 0),
        ("hypergeometric", (400, 0, 300), 300),
        ("hypergeometric", (400, 600, 1000), 400),
        ("hypergeometric", (0, 600, 200), 0),
        ("logseries", (0.0,), 1),
        ("zipf", (1e4,), 1),
    ],
)
def test_parameters_that_leave_one_value_give_it(name: str, arguments: tuple[float, ...], value: int) -> None:
    assert (_draw(default_rng(36), name, arguments, size=500) == value).all()


def test_zipf_numbers_end_where_int64_does() -> None:
    drawn = _draw(default_rng(37), "zipf", (1 + 1e-9,), size=2000)
    assert (drawn >= 1).all() and drawn.max() > 2**50


@pytest.mark.parametrize("name", ["standard_gamma", "chisquare"])
def test_float32_numbers_are_those_of_float64_rounded(name: str) -> None:
    wide = _draw(default_rng(38), name, (1.5,), size=100)
    narrow = _draw(default_rng(38), name, (1.5,), size=100, dtype=np.float32)
    assert narrow.dtype == np.float32
    np.testing.assert_array_equal(narrow, wide.astype(np.float32))


@pytest.mark.parametrize(
    ("name", "arguments"), [("gamma", (0.7, 2.0)), ("beta", (1.0, 0.4)), ("poisson", (25.0,)), ("zipf", (1.5,))]
)
def test_neither_shape_nor_size_changes_an_element(name: str, arguments: tuple[float, ...]) -> None:
    flat = _draw(default_rng(39), name, arguments, size=60)
    np.testing.assert_array_equal(_draw(default_rng(39), name, arguments, size=(3, 4, 5)), flat.reshape(3, 4, 5))
    np.testing.assert_array_equal(_draw(default_rng(39), name, arguments, size=7), flat[:7])
    assert _draw(default_rng(39), name, arguments) == flat[0]


def test_draws_that_follow_each_other_share_no_block() -> None:
    """Two draws of different sizes, and the words that follow: a draw moves the counter by its blocks."""
    rng = default_rng(40)
    first, second = _draw(rng, "gamma", (2.0,), size=7), _draw(rng, "beta", (2.0, 2.0), size=5)
    assert rng.bit_generator.state["state"]["counter"][0] == 7 + 2 * 5
    joined = default_rng(40)
    np.testing.assert_array_equal(_draw(joined, "gamma", (2.0,), size=7), first)
    joined.bit_generator.advance(0)
    np.testing.assert_array_equal(_draw(joined, "beta", (2.0, 2.0), size=5), second)


def test_parameters_broadcast_and_may_be_lazy() -> None:
    lam = np.array([[0.5], [30.0], [1e6]])
    drawn = _draw(default_rng(41), "poisson", (lam,), size=(400, 3, 2))
    assert drawn.shape == (400, 3, 2)
    np.testing.assert_allclose(drawn.mean((0, 2)), lam[:, 0], rtol=0.2)
    np.testing.assert_array_equal(_draw(default_rng(41), "poisson", (lb.asarray(lam),), size=(400, 3, 2)), drawn)
    assert default_rng(1).beta(lb.ones((2, 1)), [1.0, 2.0, 3.0]).shape == (2, 3)
    counts = lb.asarray([10, 100])
    assert (np.asarray(default_rng(1).binomial(counts, 0.5)) <= [10, 100]).all()


def test_captured_functions_draw_new_numbers_at_every_call() -> None:
    """And the numbers are those that the function draws when it is not captured; a parameter may be its argument."""
    rng, plain = default_rng(42), default_rng(42)
    captured = lb.compile(lambda lam: rng.poisson(lam, 50) + rng.multinomial(9, [0.5, 0.5], 50)[:, 0])
    for lam in (3.0, 30.0, 30.0):
        expected = np.asarray(plain.poisson(lam, 50)) + np.asarray(plain.multinomial(9, [0.5, 0.5], 50))[:, 0]
        np.testing.assert_array_equal(captured(lam), expected)


def test_standard_gamma_is_written_to_out() -> None:
    out = lb.zeros((2, 3), dtype=lb.float32)
    assert default_rng(1).standard_gamma(2.0, out=out) is out
    np.testing.assert_array_equal(out, default_rng(1).standard_gamma(2.0, (2, 3), np.float32))
    with pytest.raises(DTypeMismatchError, match="out has dtype float32"):
        default_rng(1).standard_gamma(2.0, out=out, dtype=np.float64)
    with pytest.raises(ShapeMismatchError, match="out has shape"):
        default_rng(1).standard_gamma(2.0, 3, out=out)


@pytest.mark.parametrize("size", [0, (3, 0)])
@pytest.mark.parametrize("name", ["standard_gamma", "poisson", "chisquare"])
def test_empty_draws(name: str, size: Any) -> None:
    rng = default_rng(1)
    assert _draw(rng, name, (2.0,), size=size).size == 0
    np.testing.assert_array_equal(rng.random(4), default_rng(1).random(4))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("gamma", (-1.0,), "shape must not be negative"),
        ("gamma", (1.0, -1.0), "scale must not be negative"),
        ("beta", (0.0, 1.0), "a has to be positive"),
        ("beta", (1.0, np.nan), "b has to be positive"),
        ("chisquare", (0.0,), "df has to be positive"),
        ("f", (1.0, -2.0), "dfden has to be positive"),
        ("noncentral_chisquare", (1.0, -1.0), "nonc must not be negative"),
        ("noncentral_f", (-1.0, 1.0, 1.0), "dfnum has to be positive"),
        ("vonmises", (0.0, -1.0), "kappa must not be negative"),
        ("poisson", (-0.5,), "lam has to be between 0 and"),
        ("poisson", (1e19,), "lam has to be between 0 and"),
        ("poisson", ([1.0, np.nan],), "lam has to be between 0 and"),
        ("binomial", (-1, 0.5), "n has to be whole numbers"),
        ("binomial", (2.5, 0.5), "n has to be whole numbers"),
        ("binomial", (5, 1.5), "p has to be between 0 and 1"),
        ("negative_binomial", (0, 0.5), "n has to be positive"),
        ("negative_binomial", (2, 0.0), "p has to be above 0"),
        ("hypergeometric", (10**9, 1, 1), "ngood has to be whole numbers from 0 to 999999999"),
        ("hypergeometric", (3, 4, 8), "nsample is larger than ngood"),
        ("logseries", (1.0,), "p has to be at least 0 and below 1"),
        ("zipf", (1.0,), "a has to be above 1"),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(name: str, arguments: tuple[Any, ...], message: str) -> None:
    rng = default_rng(1)
    with pytest.raises(ValueError, match=message):
        getattr(rng, name)(*arguments)
    np.testing.assert_array_equal(rng.random(4), default_rng(1).random(4))


@pytest.mark.parametrize("name", sorted(one for one in dir(np.random.Generator) if not one.startswith("_")))
def test_all_of_numpys_generator_is_there(name: str) -> None:
    assert hasattr(default_rng(1), name) and (hasattr(lb.random, name) or name == "bit_generator")


def test_the_legacy_interface_says_what_there_is_instead() -> None:
    for source in (default_rng(1), lb.random):
        with pytest.raises(NotImplementedError, match=r"no 'randn'.*rng\.standard_normal\(size\)"):
            _ = source.randn
        assert not hasattr(source, "randint")
        with pytest.raises(AttributeError):
            _ = source.no_such_distribution
