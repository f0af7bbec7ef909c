"""`latebind.random`: random numbers as lazy arrays, after `numpy.random`; docs/random.md has the streams.

`default_rng(seed)` gives a `Generator`. The functions of this module are the methods of a default generator, which each
container and thread has, and which the setting `seed` seeds.
"""

from __future__ import annotations

from typing import Any

from latebind.array.random.bit_generator import Philox
from latebind.array.random.default import RANDOM as _RANDOM
from latebind.array.random.distributions import MissingDistributionError
from latebind.array.random.generator import Generator, default_rng
from latebind.missing_names import missing_name

beta = _RANDOM.beta
binomial = _RANDOM.binomial
bytes = _RANDOM.bytes
chisquare = _RANDOM.chisquare
choice = _RANDOM.choice
default_generator = _RANDOM.default_generator
dirichlet = _RANDOM.dirichlet
exponential = _RANDOM.exponential
f = _RANDOM.f
gamma = _RANDOM.gamma
geometric = _RANDOM.geometric
gumbel = _RANDOM.gumbel
hypergeometric = _RANDOM.hypergeometric
integers = _RANDOM.integers
laplace = _RANDOM.laplace
logistic = _RANDOM.logistic
lognormal = _RANDOM.lognormal
logseries = _RANDOM.logseries
multinomial = _RANDOM.multinomial
multivariate_hypergeometric = _RANDOM.multivariate_hypergeometric
multivariate_normal = _RANDOM.multivariate_normal
negative_binomial = _RANDOM.negative_binomial
noncentral_chisquare = _RANDOM.noncentral_chisquare
noncentral_f = _RANDOM.noncentral_f
normal = _RANDOM.normal
pareto = _RANDOM.pareto
permutation = _RANDOM.permutation
permuted = _RANDOM.permuted
poisson = _RANDOM.poisson
power = _RANDOM.power
random = _RANDOM.random
rayleigh = _RANDOM.rayleigh
shuffle = _RANDOM.shuffle
spawn = _RANDOM.spawn
standard_cauchy = _RANDOM.standard_cauchy
standard_exponential = _RANDOM.standard_exponential
standard_gamma = _RANDOM.standard_gamma
standard_normal = _RANDOM.standard_normal
standard_t = _RANDOM.standard_t
triangular = _RANDOM.triangular
uniform = _RANDOM.uniform
vonmises = _RANDOM.vonmises
wald = _RANDOM.wald
weibull = _RANDOM.weibull
zipf = _RANDOM.zipf


def __getattr__(name: str) -> Any:
    from latebind.array.random.distributions import LEGACY

    if name in LEGACY:
        return getattr(_RANDOM, name)
    raise missing_name("latebind.random", name)


__all__ = [
    "Generator",
    "MissingDistributionError",
    "Philox",
    "beta",
    "binomial",
    "bytes",
    "chisquare",
    "choice",
    "default_generator",
    "default_rng",
    "dirichlet",
    "exponential",
    "f",
    "gamma",
    "geometric",
    "gumbel",
    "hypergeometric",
    "integers",
    "laplace",
    "logistic",
    "lognormal",
    "logseries",
    "multinomial",
    "multivariate_hypergeometric",
    "multivariate_normal",
    "negative_binomial",
    "noncentral_chisquare",
    "noncentral_f",
    "normal",
    "pareto",
    "permutation",
    "permuted",
    "poisson",
    "power",
    "random",
    "rayleigh",
    "shuffle",
    "spawn",
    "standard_cauchy",
    "standard_exponential",
    "standard_gamma",
    "standard_normal",
    "standard_t",
    "triangular",
    "uniform",
    "vonmises",
    "wald",
    "weibull",
    "zipf",
]
