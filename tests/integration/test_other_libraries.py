"""Libraries that speak the array API, or NumPy's protocols, take latebind arrays and give latebind arrays back."""

from __future__ import annotations

import copy
import io
import os
import pickle
from collections.abc import Callable, Iterator

os.environ["SCIPY_ARRAY_API"] = "1"  # read when SciPy is imported

import numpy as np
import pytest
from tests.engines import need

import latebind as lb
from latebind.injection.container import BoundContainer

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
LABELS = (X[:, 0] + 0.1 * RNG.normal(size=60) > 0).astype(np.int64)
TARGETS = X @ RNG.normal(size=5)


@pytest.fixture(scope="module", params=["numpy", "xla", "torch"])
def container(request: pytest.FixtureRequest) -> Iterator[BoundContainer]:
    if request.param != "numpy":
        need({"xla": "jax"}.get(request.param, request.param))
    made = lb.build_container(backend=request.param)
    yield made
    made.close()


@pytest.fixture
def current(container: BoundContainer) -> Iterator[BoundContainer]:
    with container:
        yield container


def sklearn_cases() -> dict[str, Callable[..., object]]:
    """Estimators, transformers and metrics that dispatch on the array API, on features, labels and targets."""
    from sklearn import metrics, preprocessing
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import Ridge
    from sklearn.mixture import GaussianMixture
    from sklearn.model_selection import train_test_split
    from sklearn.naive_bayes import GaussianNB

    mixture = {"random_state": 0, "init_params": "random", "covariance_type": "diag"}
    return {
        "MaxAbsScaler": lambda x, y, t: preprocessing.MaxAbsScaler().fit(x).transform(x),
        "MinMaxScaler": lambda x, y, t: preprocessing.MinMaxScaler().fit_transform(x),
        "StandardScaler": lambda x, y, t: preprocessing.StandardScaler().fit_transform(x),
        "Normalizer": lambda x, y, t: preprocessing.Normalizer().fit_transform(x),
        "Binarizer": lambda x, y, t: preprocessing.Binarizer(threshold=0.1).fit_transform(x),
        "KernelCenterer": lambda x, y, t: preprocessing.KernelCenterer().fit_transform(x @ x.T),
        "PolynomialFeatures": lambda x, y, t: preprocessing.PolynomialFeatures(2).fit_transform(x),
        "LabelEncoder": lambda x, y, t: preprocessing.LabelEncoder().fit_transform(y),
        "PCA": lambda x, y, t: abs(PCA(2, svd_solver="full").fit(x).transform(x)),  # signs are open
        "Ridge": lambda x, y, t: Ridge(solver="svd").fit(x, t).predict(x),
        "LinearDiscriminantAnalysis": lambda x, y, t: LinearDiscriminantAnalysis(solver="svd").fit(x, y).predict(x),
        "GaussianMixture": lambda x, y, t: GaussianMixture(2, **mixture).fit(x).predict(x),
        "GaussianNB": lambda x, y, t: GaussianNB().fit(x, y).predict_proba(x),
        "accuracy_score": lambda x, y, t: metrics.accuracy_score(y, 1 - y),
        "f1_score": lambda x, y, t: metrics.f1_score(y, 1 - y),
        "confusion_matrix": lambda x, y, t: metrics.confusion_matrix(y, 1 - y),
        "log_loss": lambda x, y, t: metrics.log_loss(y, abs(x[:, 0]) / (abs(x[:, 0]) + 1)),
        "r2_score": lambda x, y, t: metrics.r2_score(t, t * 1.1),
        "mean_squared_error": lambda x, y, t: metrics.mean_squared_error(t, t * 1.1),
        "cosine_similarity": lambda x, y, t: metrics.pairwise.cosine_similarity(x),
        "euclidean_distances": lambda x, y, t: metrics.pairwise.euclidean_distances(x),
        "rbf_kernel": lambda x, y, t: metrics.pairwise.rbf_kernel(x),
        "train_test_split": lambda x, y, t: train_test_split(x, random_state=0)[0],
    }


@pytest.mark.parametrize("name", list(sklearn_cases()))
def test_scikit_learn(current: BoundContainer, name: str) -> None:
    from sklearn import config_context

    case = sklearn_cases()[name]
    with config_context(array_api_dispatch=True):
        expected = case(X, LABELS, TARGETS)
        found = case(lb.asarray(X), lb.asarray(LABELS), lb.asarray(TARGETS))
    assert isinstance(found, lb.Array) or np.ndim(expected) == 0
    # Solvers and reductions in another order; 1e-8 near zero.
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-6, atol=1e-8)


def scipy_cases() -> dict[str, Callable[..., object]]:
    from scipy import cluster, fft, integrate, special, stats

    return {
        "special.logsumexp": special.logsumexp,
        "special.softmax": lambda x: special.softmax(x, axis=1),
        "special.entr": lambda x: special.entr(abs(x)),
        "stats.zscore": stats.zscore,
        "stats.skew": stats.skew,
        "stats.ttest_ind": lambda x: stats.ttest_ind(x, x + 1).statistic,
        "cluster.vq.whiten": cluster.vq.whiten,
        "integrate.trapezoid": integrate.trapezoid,
        "fft.fft": fft.fft,
    }


@pytest.mark.parametrize("name", list(scipy_cases()))
def test_scipy(current: BoundContainer, name: str) -> None:
    case = scipy_cases()[name]
    found = case(lb.asarray(X))
    assert isinstance(found, lb.Array)
    np.testing.assert_allclose(np.asarray(found), case(X), rtol=1e-9, atol=1e-12)  # other orders of sums


def test_xarray_stays_lazy(current: BoundContainer) -> None:
    import xarray

    recordings = current.metrics().counter("Recordings")
    data = xarray.DataArray(lb.asarray(X), dims=("row", "column"))
    result = ((data * 2 + 1).mean("row") - data.isel(row=3)).data
    assert isinstance(result, lb.Array)
    assert current.metrics().counter("Recordings") == recordings
    np.testing.assert_allclose(np.asarray(result), (X * 2 + 1).mean(axis=0) - X[3], rtol=1e-12)


def test_einops_through_its_array_api(current: BoundContainer) -> None:
    from einops.array_api import rearrange, reduce

    found = rearrange(lb.asarray(X), "(a b) c -> b (a c)", a=4)
    np.testing.assert_array_equal(np.asarray(found), X.reshape(4, 15, 5).transpose(1, 0, 2).reshape(15, 20))
    np.testing.assert_allclose(np.asarray(reduce(lb.asarray(X), "a b -> b", "max")), X.max(axis=0))


def test_array_api_compat_and_extra(current: BoundContainer) -> None:
    import array_api_compat
    import array_api_extra

    x = lb.asarray(X)
    assert array_api_compat.is_array_api_obj(x)
    assert array_api_compat.array_namespace(x).__name__ == "latebind"
    assert array_api_compat.size(x) == 300
    np.testing.assert_allclose(np.asarray(array_api_extra.cov(x)), np.cov(X), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(np.asarray(array_api_extra.at(lb.asarray(X))[0].set(7.0)[0]), np.full(5, 7.0))
    np.testing.assert_allclose(np.asarray(array_api_extra.sinc(x)), np.sinc(X), rtol=1e-9, atol=1e-12)


def test_the_lazy_array_probe_of_array_api_compat_reads_an_element_and_says_no() -> None:
    """It calls `bool()` on an element of a class that it does not know, which closes the recording."""
    import array_api_compat

    with lb.build_container(backend="numpy") as made:
        x = lb.asarray(X) + 1
        before = made.metrics().counter("Recordings")
        assert array_api_compat.is_lazy_array(x) is False
        assert made.metrics().counter("Recordings") == before + 1


def test_matplotlib_draws_lazy_arrays_as_it_draws_numpy_s(current: BoundContainer) -> None:
    """Every kind of plot is drawn twice; the pictures are equal to the last pixel."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def picture(of: Callable[[np.ndarray], object]) -> np.ndarray:
        figure, axes = pyplot.subplots(3, 3, figsize=(9, 9), dpi=60)
        x, grid = of(np.sort(X[:, 0])), of(X[:12, :4])
        above = x > 0 if isinstance(x, np.ndarray) else lb.greater(x, 0)
        axes[0, 0].plot(x, x * x)
        axes[0, 1].imshow(grid)
        axes[0, 2].hist(x, bins=8)
        axes[1, 0].scatter(x, -x, c=x, s=abs(x) * 30)
        axes[1, 1].errorbar(x, x + 1, yerr=abs(x))
        axes[1, 2].fill_between(x, x - 1, x * 2, where=above)
        axes[2, 0].bar(x[:5], x[5:10])
        axes[2, 1].contour(grid)
        axes[2, 2].boxplot(grid)
        figure.canvas.draw()
        drawn = np.asarray(figure.canvas.buffer_rgba()).copy()
        pyplot.close(figure)
        return drawn

    lazy = picture(lb.asarray)
    assert len(np.unique(lazy)) > 50
    np.testing.assert_array_equal(lazy, picture(np.asarray))


def test_pandas_and_numpy_take_results(current: BoundContainer) -> None:
    import pandas

    x = lb.asarray(X) * 2
    assert pandas.DataFrame(x).shape == (60, 5)
    np.testing.assert_array_equal(pandas.Series(x[0]).to_numpy(), X[0] * 2)
    buffer = io.BytesIO()
    np.save(buffer, x)
    buffer.seek(0)
    np.testing.assert_array_equal(np.load(buffer), X * 2)


def test_arrays_are_pickled_and_copied_with_their_values(current: BoundContainer) -> None:
    x = lb.asarray(X) + 1
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(x))), X + 1)
    copied = copy.deepcopy(x)
    x[0] = 0.0
    np.testing.assert_array_equal(np.asarray(copied), X + 1)
