"""Numbers that are drawn by proposals are the same on every backend, and the kernel's those of the decomposition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from latebind.backends.numpy.kernels import variates as kernels
from latebind.errors import TypeInferenceError
from latebind.injection.container import BoundContainer
from latebind.ir.builder import IrBuilder
from latebind.ir.ops.variate_samplers import SAMPLERS
from latebind.ir.types import TensorType
from latebind.random import Generator, default_rng

Array = np.ndarray[Any, Any]

#: Across both ways of drawing: parameters below and above where proposals begin.
_LOGSPACE = np.logspace(-2, 6, 200)
_WHOLE = np.floor(np.logspace(0, 5, 200))
DRAWS: dict[str, Callable[[Generator], Any]] = {
    "gamma": lambda r: r.gamma(_LOGSPACE, 3.0),
    "beta": lambda r: r.beta(_LOGSPACE, 2.0),
    "noncentral_f": lambda r: r.noncentral_f(3.0, _LOGSPACE, 5.0),
    "vonmises": lambda r: r.vonmises(1.0, _LOGSPACE),
    "poisson": lambda r: r.poisson(_LOGSPACE),
    "binomial": lambda r: r.binomial(_WHOLE, 0.3),
    "negative_binomial": lambda r: r.negative_binomial(_LOGSPACE, 0.3),
    "hypergeometric": lambda r: r.hypergeometric(_WHOLE, 2 * _WHOLE, _WHOLE),
    "logseries": lambda r: r.logseries(np.linspace(0, 0.999, 200)),
    "zipf": lambda r: r.zipf(1 + _LOGSPACE),
    "dirichlet": lambda r: r.dirichlet([0.01, 2.0, 30.0], 50),
    "multinomial": lambda r: r.multinomial(90, [0.1, 0.2, 0.3, 0.4], 50),
    "multivariate_hypergeometric": lambda r: r.multivariate_hypergeometric([20, 300, 4], 60, 50),
    "multivariate_normal": lambda r: r.multivariate_normal([0.0, 1.0], [[2.0, 0.6], [0.6, 1.0]], 50),
}
#: Relative; a number is made by about a hundred operations, and logarithms are multiplied by up to 100 in an exponent.
_TOLERANCE = 1e-12


@pytest.mark.parametrize("backend", ["xla", "torch"])
@pytest.mark.parametrize("name", DRAWS)
def test_backends_draw_the_same_numbers(
    container: BoundContainer, request: pytest.FixtureRequest, name: str, backend: str
) -> None:
    """Whole numbers are equal, but zipf's, which are powers rounded down and may be huge.

    An engine's rounding decides about one in 1e12 proposals otherwise; the seed is fixed.
    """
    found = []
    for one in (container, request.getfixturevalue(backend)):
        with one:
            rng = default_rng(61)
            found.append((np.asarray(DRAWS[name](rng)), rng.bit_generator.state["state"]["counter"]))
    (expected, counter), (drawn, other_counter) = found
    assert drawn.dtype == expected.dtype
    np.testing.assert_array_equal(counter, other_counter)
    if expected.dtype.kind == "i" and name != "zipf":
        np.testing.assert_array_equal(drawn, expected)
    else:
        np.testing.assert_allclose(drawn, expected, rtol=_TOLERANCE, atol=_TOLERANCE if "normal" in name else 0)


@pytest.mark.parametrize("layout", [(1, 1, 0), (2, 40, 3), (4, 4, 0)])
def test_sparse_blocks_are_those_of_the_generator(layout: tuple[int, int, int]) -> None:
    group, period, start = layout
    element = np.arange(40)
    index = element // group * period + element % group + start
    state = np.array([5, 6, 2**64 - 7, 2**64 - 1, 3, 2**64 - 1], np.uint64)
    for turn in (0, 1, 5):
        dense = kernels._blocks(state, np.arange(index[-1] + 1), turn)
        for words, expected in zip(kernels._blocks(state, index[::9], turn), dense, strict=True):
            np.testing.assert_array_equal(words, expected[index[::9]])


@pytest.mark.parametrize("name", [one for one in SAMPLERS if SAMPLERS[one].rounds > 1])
def test_elements_without_an_accepted_proposal_get_a_number_of_their_distribution(name: str) -> None:
    """What is left after the last round is in the support: here every proposal is refused."""
    parameters = {"binomial": [400.0, 0.4], "hypergeometric": [300.0, 200.0, 100.0], "zipf": [2.0]}.get(name, [20.0])
    sampler = SAMPLERS[name]
    constants = sampler.prepare(*(kernels._Computed(np.full(3, one)) for one in parameters))
    drawn = sampler.otherwise(constants).value
    expected = {"gamma": 20 - 1 / 3, "poisson": 20, "binomial": 160, "hypergeometric": 60, "vonmises": 0, "zipf": 1}
    np.testing.assert_allclose(drawn, expected[name], rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_proposal_is_refused_with_a_probability_whose_power_is_below_two_to_minus_32(name: str) -> None:
    """Over parameters where refusals are most frequent; five standard errors are added."""
    count = 100_000
    worst: dict[str, list[tuple[float, ...]]] = {
        "gamma": [(1.0,), (0.0,), (1.5,)],
        "poisson": [(10.0,), (10.5,), (1e4,)],
        "binomial": [(51.0, 0.5), (51.0, 0.2), (1e5, 1e-4)],
        "hypergeometric": [(52.0, 52.0, 52.0), (60.0, 1e4, 2000.0)],
        "vonmises": [(1e8,), (5.0,), (1.0,)],
        "zipf": [(1.0001,), (1.5,)],
    }
    sampler = SAMPLERS[name]
    drawn = np.random.default_rng(1).integers(0, 2**64 - 1, (4, count), np.uint64)
    words = kernels._HostWords([kernels._Computed(one) for one in drawn])
    for parameters in worst.get(name, []):
        with np.errstate(all="ignore"):
            constants = sampler.prepare(*(kernels._Computed(np.full(count, one)) for one in parameters))
            accepted, _ = sampler.propose(words, constants)
        refused = 1 - float(accepted.value.mean())  # type: ignore[attr-defined]
        assert (refused + 5 * np.sqrt(refused / count)) ** sampler.rounds < 2.0**-32
    assert (name in worst) == (sampler.rounds > 1)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        *[("poisson", (mean,)) for mean in (10.0, 10.5, 10.999, 11.0, 17.3, 60.0, 1e4)],
        *[
            ("binomial", pair)
            for pair in ((51.0, 0.5), (51.0, 0.2), (52.0, 0.48), (101.0, 0.1), (1e4, 1e-3), (1e4, 0.5))
        ],
        *[("hypergeometric", (n, n, n)) for n in (51.0, 52.0, 53.0, 60.0, 77.0, 1000.0)],
        *[("hypergeometric", sizes) for sizes in ((51.0, 70.0, 60.0), (54.0, 333.0, 77.0), (3000.0, 51.0, 700.0))],
    ],
)
def test_the_hat_covers_the_bell(name: str, parameters: tuple[float, ...]) -> None:
    """With a second word that is the largest, no proposal is accepted: its probability never exceeds the hat."""
    ends = np.logspace(0, 63.9, 30_000, base=2.0).astype(np.uint64)
    first = np.concatenate([np.linspace(0, 2**64 - 2**12, 100_000).astype(np.uint64), ends, ~ends])
    words = kernels._HostWords([kernels._Computed(one) for one in (first, np.full_like(first, 2**64 - 1))])
    with np.errstate(all="ignore"):
        constants = SAMPLERS[name].prepare(*(kernels._Computed(np.array([one])) for one in parameters))
        assert not kernels.array_of(constants[0]).any()
        accepted, _ = SAMPLERS[name].propose(words, constants)
    assert not kernels.array_of(accepted).any()


@pytest.mark.parametrize(
    ("types", "attributes", "message"),
    [
        ([((5,), "uint64"), ((2,), "float64")], {}, "six words of uint64"),
        ([((6,), "uint64"), ((2,), "float32")], {}, "parameters must be float64"),
        ([((6,), "uint64")], {}, "takes 1 parameters, got 0"),
        ([((6,), "uint64"), ((2,), "float64")], {"sampler": "none"}, "must be one of gamma"),
        ([((6,), "uint64"), ((2,), "float64")], {"group": 2}, "blocks 0 to 2 of a period of 1"),
        ([((6,), "uint64"), *[((n,), "float64") for n in (2, 3)]], {"sampler": "binomial"}, "the same shape"),
    ],
)
def test_the_operation_states_what_it_takes(types: Any, attributes: dict[str, Any], message: str) -> None:
    b = IrBuilder()
    values = [b.make_parameter(TensorType.of(shape, np.dtype(dtype))).value() for shape, dtype in types]
    with pytest.raises(TypeInferenceError, match=message):
        b.op("random::variate", *values, **{"sampler": "gamma", "group": 1, "period": 1, "start": 0, **attributes})
