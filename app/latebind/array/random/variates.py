"""Distributions that are drawn by proposals: gamma and what is made of it, and the discrete ones.

Names and signatures are NumPy's; the numbers are those of `random::variate` (docs/random.md). All are computed in
float64; continuous distributions take `dtype=` and round to it at the end, discrete ones give int64. `size=None` gives
the shape of the parameters. Parameters may be lazy arrays; one whose value is known when the draw is recorded is
checked, another one is not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from latebind.array.operands import ArrayLike
from latebind.array.random.arguments import DTypeLike, Size, float_dtype, parameter, result_shape, shape_of_operand
from latebind.array.random.bit_generator import Philox
from latebind.array.rules.common import FLOAT64
from latebind.array.rules.random_variates import VARIATE_RULES, VARIATES
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array


class Variates:
    """Numbers, one per element, of the distributions that need more than a formula of one uniform number."""

    @property
    def bit_generator(self) -> Philox:
        """The generator's key and counter."""
        raise NotImplementedError

    def _variate(self, name: str, size: Size, dtype: DTypeLike, **parameters: tuple[ArrayLike, str]) -> Array:
        """Draw from a distribution of the table; `parameters` are values and conditions by name, in order."""
        bits = self.bit_generator
        found = FLOAT64 if VARIATES[name].integral else float_dtype(name, dtype, bits.ground)
        values = [parameter(name, what, *given) for what, given in parameters.items()]
        shape = result_shape(name, size, [shape_of_operand(value) for value in values])
        blocks = math.prod(shape) * VARIATES[name].period
        return bits.draw(VARIATE_RULES[name], values, blocks, shape=shape, dtype=found)

    def standard_gamma(
        self, shape: ArrayLike, size: Size = None, dtype: DTypeLike = None, out: Array | None = None
    ) -> Array:
        """Return gamma numbers of scale 1 with this shape, which must not be negative; 0 gives 0.

        Raises
        ------
        ValueError
            If a shape is negative.
        DTypeMismatchError
            If the dtype is neither float32 nor float64, or `out` has another one.
        ShapeMismatchError
            If the shape does not broadcast to `size`, or `out` has another one.
        """
        if out is None:
            return self._variate("standard_gamma", size, dtype, shape=(shape, "nonnegative"))
        if dtype is not None and np.dtype(dtype) != out.dtype:
            raise DTypeMismatchError(
                f"random.standard_gamma: out has dtype {out.dtype.name}, not {np.dtype(dtype).name}"
            )
        wanted = out.shape if size is None else size
        drawn = self._variate("standard_gamma", wanted, out.dtype, shape=(shape, "nonnegative"))
        if drawn.shape != out.shape:
            raise ShapeMismatchError(f"random.standard_gamma: out has shape {out.shape}, not {drawn.shape}")
        out[...] = drawn
        return out

    def gamma(self, shape: ArrayLike, scale: ArrayLike = 1.0, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return gamma numbers with this shape and scale, neither negative."""
        return self._variate("gamma", size, dtype, shape=(shape, "nonnegative"), scale=(scale, "nonnegative"))

    def beta(self, a: ArrayLike, b: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return beta numbers, in [0, 1]; both parameters have to be positive."""
        return self._variate("beta", size, dtype, a=(a, "positive"), b=(b, "positive"))

    def chisquare(self, df: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return chi-square numbers; the degrees of freedom have to be positive."""
        return self._variate("chisquare", size, dtype, df=(df, "positive"))

    def noncentral_chisquare(
        self, df: ArrayLike, nonc: ArrayLike, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return noncentral chi-square numbers; `df` has to be positive, `nonc` must not be negative."""
        return self._variate("noncentral_chisquare", size, dtype, df=(df, "positive"), nonc=(nonc, "nonnegative"))

    def f(self, dfnum: ArrayLike, dfden: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return numbers of the F distribution; the degrees of freedom have to be positive."""
        return self._variate("f", size, dtype, dfnum=(dfnum, "positive"), dfden=(dfden, "positive"))

    def noncentral_f(
        self, dfnum: ArrayLike, dfden: ArrayLike, nonc: ArrayLike, size: Size = None, *, dtype: DTypeLike = None
    ) -> Array:
        """Return noncentral F numbers; `nonc` must not be negative, the degrees of freedom have to be positive."""
        degrees: dict[str, Any] = {"dfnum": (dfnum, "positive"), "dfden": (dfden, "positive")}
        return self._variate("noncentral_f", size, dtype, **degrees, nonc=(nonc, "nonnegative"))

    def vonmises(self, mu: ArrayLike, kappa: ArrayLike, size: Size = None, *, dtype: DTypeLike = None) -> Array:
        """Return von Mises angles in [-pi, pi] around `mu`; `kappa` must not be negative, 0 is uniform."""
        return self._variate("vonmises", size, dtype, mu=(mu, "finite"), kappa=(kappa, "nonnegative"))

    def poisson(self, lam: ArrayLike = 1.0, size: Size = None) -> Array:
        """Return Poisson numbers of this mean, as int64.

        Raises
        ------
        ValueError
            If a mean is negative or above about 9.2e18, where int64 ends.
        """
        return self._variate("poisson", size, None, lam=(lam, "poisson"))

    def binomial(self, n: ArrayLike, p: ArrayLike, size: Size = None) -> Array:
        """Return numbers of successes in `n` trials of probability `p`, as int64; exact for `n` up to 2**53."""
        return self._variate("binomial", size, None, n=(n, "count"), p=(p, "share"))

    def negative_binomial(self, n: ArrayLike, p: ArrayLike, size: Size = None) -> Array:
        """Return numbers of failures before `n` successes of probability `p`, as int64.

        `n` has to be positive and need not be whole, `p` is above 0 and at most 1. Numbers above int64 become about
        the largest one.
        """
        return self._variate("negative_binomial", size, None, n=(n, "positive"), p=(p, "probability"))

    def hypergeometric(self, ngood: ArrayLike, nbad: ArrayLike, nsample: ArrayLike, size: Size = None) -> Array:
        """Return numbers of good ones in samples without replacement, as int64.

        Raises
        ------
        ValueError
            If a number is negative, not whole or not below 10**9, or a sample is larger than the population.
        """
        known = [one for one in (ngood, nbad, nsample) if not isinstance(one, (LazyTensor, ScalarArgument))]
        drawn = {"ngood": (ngood, "billion"), "nbad": (nbad, "billion"), "nsample": (nsample, "count")}
        for what, (value, condition) in drawn.items():
            parameter("hypergeometric", what, value, condition)
        if len(known) == 3 and np.any(np.add(known[0], known[1]) < known[2]):  # type: ignore[arg-type]
            raise ValueError("random.hypergeometric: nsample is larger than ngood + nbad")
        return self._variate("hypergeometric", size, None, **drawn)

    def logseries(self, p: ArrayLike, size: Size = None) -> Array:
        """Return numbers of the logarithmic series distribution, as int64; `p` is at least 0 and below 1."""
        return self._variate("logseries", size, None, p=(p, "proper share"))

    def zipf(self, a: ArrayLike, size: Size = None) -> Array:
        """Return Zipf (zeta) numbers, as int64; `a` has to be above 1. The distribution ends where int64 does."""
        return self._variate("zipf", size, None, a=(a, "above one"))
