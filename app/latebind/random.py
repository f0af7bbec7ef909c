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

bytes = _RANDOM.bytes
choice = _RANDOM.choice
default_generator = _RANDOM.default_generator
exponential = _RANDOM.exponential
geometric = _RANDOM.geometric
gumbel = _RANDOM.gumbel
integers = _RANDOM.integers
laplace = _RANDOM.laplace
logistic = _RANDOM.logistic
lognormal = _RANDOM.lognormal
normal = _RANDOM.normal
pareto = _RANDOM.pareto
permutation = _RANDOM.permutation
permuted = _RANDOM.permuted
power = _RANDOM.power
random = _RANDOM.random
rayleigh = _RANDOM.rayleigh
shuffle = _RANDOM.shuffle
spawn = _RANDOM.spawn
standard_cauchy = _RANDOM.standard_cauchy
standard_exponential = _RANDOM.standard_exponential
standard_normal = _RANDOM.standard_normal
standard_t = _RANDOM.standard_t
triangular = _RANDOM.triangular
uniform = _RANDOM.uniform
wald = _RANDOM.wald
weibull = _RANDOM.weibull


def __getattr__(name: str) -> Any:
    from latebind.array.random.distributions import MISSING

    if name in MISSING or name == "multivariate_normal":
        return getattr(_RANDOM, name)
    raise AttributeError(f"module 'latebind.random' has no attribute {name!r}")


__all__ = [
    "Generator",
    "MissingDistributionError",
    "Philox",
    "bytes",
    "choice",
    "default_generator",
    "default_rng",
    "exponential",
    "geometric",
    "gumbel",
    "integers",
    "laplace",
    "logistic",
    "lognormal",
    "normal",
    "pareto",
    "permutation",
    "permuted",
    "power",
    "random",
    "rayleigh",
    "shuffle",
    "spawn",
    "standard_cauchy",
    "standard_exponential",
    "standard_normal",
    "standard_t",
    "triangular",
    "uniform",
    "wald",
    "weibull",
]
