"""Distributions that are formulas of uniform and normal numbers; `variates.py` has those that are drawn by proposals.

Names and signatures are NumPy's. Each number takes a fixed number of words.

`size=None` gives the shape of the parameters, zero-dimensional for numbers. Parameters may be lazy arrays; a parameter
whose value is known when the draw is recorded is checked, another one is not. NumPy draws float64; `dtype` says float32
here as well, and the default is the container's default real dtype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.array.operands import ArrayLike
from latebind.array.random.arguments import (
    DTypeLike,
    Size,
    checked,
    float_dtype,
    parameter,
    result_shape,
    shape_of_operand,
)
from latebind.array.random.bit_generator import Philox
from latebind.array.rules.random_numbers import DISTRIBUTIONS, RULES
from latebind.errors import LatebindError
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array

#: Names of `numpy.random` that are older than its `Generator`, and what there is instead.
LEGACY: Final[dict[str, str]] = {
    "RandomState": "default_rng(seed)",
    "get_state": "rng.bit_generator.state",
    "rand": "rng.random(size)",
    "randint": "rng.integers(low, high, size)",
    "randn": "rng.standard_normal(size)",
    "random_integers": "rng.integers(low, high, size, endpoint=True)",
    "random_sample": "rng.random(size)",
    "ranf": "rng.random(size)",
    "sample": "rng.random(size)",
    "seed": "rng = default_rng(seed), or the setting `seed`",
    "set_state": "rng.bit_generator.state = state",
    "tomaxint": "rng.integers(2**63 - 1, size=size)",
}


class MissingDistributionError(LatebindError, AttributeError, NotImplementedError):
    """A function of `numpy.random` that is not there; the message says what is there instead."""


class Distributions:
    """The distributions of a generator; a subclass says where its bits come from."""

    @property
    def bit_generator(self) -> Philox:
        """The generator's key and counter."""
        raise NotImplementedError

    def _draw(
        self, name: str, size: Size, dtype: DTypeLike, parameters: dict[str, tuple[ArrayLike, str]] | None = None
    ) -> Array:
        """Draw from a distribution of the table; `parameters` are values and conditions by name, in order."""
        bits = self.bit_generator
        found = float_dtype(name, dtype, bits.ground)
        values = [parameter(name, what, *given) for what, given in (parameters or {}).items()]
        shape = result_shape(name, size, [shape_of_operand(value) for value in values])
        blocks = DISTRIBUTIONS[name].blocks(shape, found)
        return bits.draw(RULES[name], values, blocks, shape=shape, dtype=found)

    def __getattr__(self, name: str) -> Any:
        if name in LEGACY:
            raise MissingDistributionError(
                f"latebind.random has no {name!r}, which is of NumPy's legacy interface: use {LEGACY[name]}"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def uniform(
        self, low: ArrayLike = 0.0, high: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return numbers that are uniform in `[low, high)`; rounding may give `high` itself.

        Raises
        ------
        ValueError
            If `high` is below `low`.
        """
        if not _unknown(low) and not _unknown(high):
            width = np.subtract(high, low)  # type: ignore[arg-type]
            checked("uniform", "high - low", width, "finite")
            checked("uniform", "high - low", width, "nonnegative")
        return self._draw("uniform", size, dtype, {"low": (low, "any"), "high": (high, "any")})

    def normal(
        self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return normal numbers with this mean and standard deviation, the latter not negative."""
        return self._draw("normal", size, dtype, {"loc": (loc, "any"), "scale": (scale, "nonnegative")})

    def lognormal(
        self, mean: ArrayLike = 0.0, sigma: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return exponentials of normal numbers with this mean and standard deviation, the latter not negative."""
        return self._draw("lognormal", size, dtype, {"mean": (mean, "any"), "sigma": (sigma, "nonnegative")})

    def exponential(self, scale: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return exponential numbers with this mean, which must not be negative."""
        return self._draw("exponential", size, dtype, {"scale": (scale, "nonnegative")})

    def laplace(
        self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return Laplace (double exponential) numbers; the scale must not be negative."""
        return self._draw("laplace", size, dtype, {"loc": (loc, "any"), "scale": (scale, "nonnegative")})

    def logistic(
        self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return logistic numbers; the scale must not be negative."""
        return self._draw("logistic", size, dtype, {"loc": (loc, "any"), "scale": (scale, "nonnegative")})

    def gumbel(
        self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return Gumbel numbers; the scale must not be negative."""
        return self._draw("gumbel", size, dtype, {"loc": (loc, "any"), "scale": (scale, "nonnegative")})

    def rayleigh(self, scale: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return Rayleigh numbers with this mode, which must not be negative."""
        return self._draw("rayleigh", size, dtype, {"scale": (scale, "nonnegative")})

    def weibull(self, a: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return Weibull numbers of scale 1 with this shape, which must not be negative."""
        return self._draw("weibull", size, dtype, {"a": (a, "nonnegative")})

    def pareto(self, a: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return Pareto II (Lomax) numbers with this shape, which has to be positive."""
        return self._draw("pareto", size, dtype, {"a": (a, "positive")})

    def power(self, a: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return numbers in [0, 1] with density `a x**(a - 1)`; `a` has to be positive."""
        return self._draw("power", size, dtype, {"a": (a, "positive")})

    def triangular(
        self, left: ArrayLike, mode: ArrayLike, right: ArrayLike, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return numbers with a triangular density.

        Raises
        ------
        ValueError
            Unless `left <= mode <= right` and `left < right`.
        """
        for low, high, message in ((left, mode, "left > mode"), (mode, right, "mode > right")):
            if not _unknown(low) and not _unknown(high) and np.any(np.greater(low, high)):  # type: ignore[arg-type]
                raise ValueError(f"random.triangular: {message}")
        if not _unknown(left) and not _unknown(right) and np.any(np.equal(left, right)):  # type: ignore[arg-type]
            raise ValueError("random.triangular: left == right")
        given = {"left": (left, "any"), "mode": (mode, "any"), "right": (right, "any")}
        return self._draw("triangular", size, dtype, given)

    def wald(self, mean: ArrayLike, scale: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return Wald (inverse Gaussian) numbers; mean and scale have to be positive."""
        return self._draw("wald", size, dtype, {"mean": (mean, "positive"), "scale": (scale, "positive")})

    def standard_cauchy(self, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return Cauchy numbers."""
        return self._draw("standard_cauchy", size, dtype)

    def standard_t(self, df: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return numbers of Student's t distribution; the degrees of freedom have to be positive."""
        return self._draw("standard_t", size, dtype, {"df": (df, "positive")})

    def geometric(self, p: ArrayLike, size: Size = None) -> Array:
        """Return numbers of trials up to the first success, as int64; `p` is above 0 and at most 1."""
        return self._draw("geometric", size, np.float64, {"p": (p, "probability")})


def _unknown(value: object) -> bool:
    """Whether the value of a parameter is not known when the draw is recorded."""
    return isinstance(value, (LazyTensor, ScalarArgument))
