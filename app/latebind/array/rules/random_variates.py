"""Rules of the distributions that are drawn by proposals: tables of formulas over `random::variate`.

All is computed in float64 and converted once. An element uses `period` blocks of four words; which of them a sampler
reads is its `start`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from latebind.array.rules.common import INT64, broadcast_shape, cast, expand, reduce, reshape, window
from latebind.array.rules.random_numbers import FLOAT64, in_double
from latebind.errors import ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.expression import Expr
from latebind.ir.node import Value
from latebind.ir.ops.variate_samplers import LARGEST
from latebind.ir.types import DType
from latebind.runtime.signature import Rule


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks that follow a state, shared out to elements: `period` to each `group` of them."""

    b: IrBuilder
    state: Value
    period: int
    group: int = 1

    def draw(self, sampler: str, *parameters: Expr, start: int = 0) -> Expr:
        """Return one number per element from a sampler of `random::variate`."""
        operands = (self.state, *(one.value for one in parameters))
        return Expr(
            self.b,
            self.b.op("random::variate", *operands, sampler=sampler, group=self.group, period=self.period, start=start),
        )

    def gamma(self, shape: Expr, start: int = 0) -> tuple[Expr, Expr]:
        """Return gamma numbers as a factor and the logarithm of another, which may be far below the least float."""
        return self.draw("gamma", shape, start=start), self.draw("gamma_boost", shape, start=start)


def _gamma(blocks: Blocks, shape: Expr, start: int = 0) -> Expr:
    factor, boost = blocks.gamma(shape, start)
    return factor * boost.apply("exponential")


def _beta(blocks: Blocks, a: Expr, b: Expr) -> Expr:
    (x, low), (y, high) = blocks.gamma(a), blocks.gamma(b, 1)
    largest = low.apply("maximum", high)
    x, y = x * (low - largest).apply("exponential"), y * (high - largest).apply("exponential")
    return x / (x + y)


def _chisquare(blocks: Blocks, df: Expr, start: int = 0) -> Expr:
    return 2 * _gamma(blocks, df / 2, start)


def _noncentral_chisquare(blocks: Blocks, df: Expr, nonc: Expr) -> Expr:
    """A chi-square number of `df + 2 N` degrees of freedom, where `N` is a Poisson number of mean `nonc / 2`."""
    return _chisquare(blocks, df + 2 * blocks.draw("poisson", nonc / 2), 1)


def _f(blocks: Blocks, dfnum: Expr, dfden: Expr) -> Expr:
    return (_chisquare(blocks, dfnum) / dfnum) / (_chisquare(blocks, dfden, 1) / dfden)


def _noncentral_f(blocks: Blocks, dfnum: Expr, dfden: Expr, nonc: Expr) -> Expr:
    return (_noncentral_chisquare(blocks, dfnum, nonc) / dfnum) / (_chisquare(blocks, dfden, 2) / dfden)


def _negative_binomial(blocks: Blocks, n: Expr, p: Expr) -> Expr:
    return blocks.draw("poisson", _gamma(blocks, n) * ((1 - p) / p), start=1)


def _vonmises(blocks: Blocks, mu: Expr, kappa: Expr) -> Expr:
    """The angle is reduced to [-pi, pi], as NumPy's."""
    turn = 2 * np.pi
    angle = mu + blocks.draw("vonmises", kappa)
    wrapped = angle - turn * ((angle + np.pi) / turn).apply("floor")
    return wrapped.apply("maximum", -np.pi).apply("minimum", np.pi)


def _plain(name: str) -> Callable[..., Expr]:
    return lambda blocks, *parameters: blocks.draw(name, *parameters)


@dataclass(frozen=True, slots=True)
class Variate:
    """How numbers of a distribution are made.

    Attributes
    ----------
    period : int
        Blocks of four words that an element uses.
    formula : callable
        From the blocks and one expression per parameter, all float64, to the numbers.
    integral : bool
        Whether the numbers are int64.
    """

    period: int
    formula: Callable[..., Expr]
    integral: bool = False


VARIATES: Final[dict[str, Variate]] = {
    "beta": Variate(2, _beta),
    "binomial": Variate(1, _plain("binomial"), integral=True),
    "chisquare": Variate(1, _chisquare),
    "f": Variate(2, _f),
    "gamma": Variate(1, lambda blocks, shape, scale: _gamma(blocks, shape) * scale),
    "hypergeometric": Variate(1, _plain("hypergeometric"), integral=True),
    "logseries": Variate(1, _plain("logseries"), integral=True),
    "negative_binomial": Variate(2, _negative_binomial, integral=True),
    "noncentral_chisquare": Variate(2, _noncentral_chisquare),
    "noncentral_f": Variate(3, _noncentral_f),
    "poisson": Variate(1, _plain("poisson"), integral=True),
    "standard_gamma": Variate(1, _gamma),
    "vonmises": Variate(1, _vonmises),
    "zipf": Variate(1, _plain("zipf"), integral=True),
}


def _whole(numbers: Expr) -> Expr:
    """Return whole numbers as int64; what exceeds it becomes about the largest."""
    return numbers.apply("minimum", LARGEST).to(INT64)


def _operands(
    b: IrBuilder, name: str, parameters: tuple[Value, ...], shape: tuple[int, ...], dtype: DType = FLOAT64
) -> list[Expr]:
    if broadcast_shape(f"random.{name}", [shape, *(one.shape for one in parameters)]) != shape:
        raise ShapeMismatchError(f"random.{name}: the parameters do not broadcast to size {shape}")
    return [Expr(b, expand(b, cast(b, one, dtype), shape)) for one in parameters]


def _variate_rule(name: str) -> Rule:
    """Return the rule that draws from a distribution: operands are the state and the parameters."""
    entry = VARIATES[name]

    def draw(b: IrBuilder, state: Value, *parameters: Value, shape: tuple[int, ...], dtype: DType) -> Value:
        given = _operands(b, name, parameters, shape)
        drawn = entry.formula(Blocks(b, state, entry.period), *given)
        return (_whole(drawn) if entry.integral else drawn.to(dtype)).value

    found = Rule(f"random.{name}", draw)
    found.scalar_dtype = in_double
    return found


VARIATE_RULES: Final[dict[str, Rule]] = {name: _variate_rule(name) for name in VARIATES}


# Vectors of numbers


def _summed(b: IrBuilder, value: Expr, body: str, initial: float) -> Expr:
    """Reduce the last axis and repeat the result along it."""
    axis = len(value.shape) - 1
    reduced = reduce(b, value.value, f"stablehlo::{body}", initial, (axis,), keepdims=True)
    return Expr(b, expand(b, reduced, value.shape))


def _dirichlet(b: IrBuilder, state: Value, alpha: Value, *, shape: tuple[int, ...], dtype: DType) -> Value:
    """Gamma numbers over their sum; where all are tiny, what they have in common cancels first."""
    (given,) = _operands(b, "dirichlet", (alpha,), shape)
    factor, boost = Blocks(b, state, 1).gamma(given)
    # A component of weight 0 is 0, however small the others are.
    boost = given.equals(0).where(boost.splat(-np.inf), boost)
    largest = _summed(b, boost, "maximum", -np.inf).apply("maximum", -1.5e308)
    scaled = factor * (boost - largest).apply("exponential")
    total = _summed(b, scaled, "add", 0.0)
    return total.equals(0).where(scaled, scaled / total).to(dtype).value


#: Numbers of the components of a vector that add up to 1.
DIRICHLET: Final = Rule("random.dirichlet", _dirichlet)


def tree_width(count: int) -> int:
    """Return the number of leaves of the tree that shares a number out to so many categories: a power of two."""
    return 1 << max(count - 1, 0).bit_length()


def _levels(b: IrBuilder, weights: Value, leaves: int) -> list[Expr]:
    """Return sums of neighbours along the last axis, of 1 value first, then of 2 and so on to one per leaf."""
    missing = leaves - weights.shape[-1]
    if missing:
        padding = b.make_expand(b.make_scalar(0.0, FLOAT64).value(), (*weights.shape[:-1], missing)).value()
        weights = b.op("stablehlo::concatenate", weights, padding, dimension=len(weights.shape) - 1)
    found = [Expr(b, weights)]
    while found[0].shape[-1] > 1:
        left, right = _halves(b, found[0])
        found.insert(0, left + right)
    return found


def _halves(b: IrBuilder, value: Expr) -> tuple[Expr, Expr]:
    """Return the values at even and at odd places of the last axis."""
    *outer, extent = value.shape
    pairs = reshape(b, value.value, (*outer, extent // 2, 2))
    left, right = (
        Expr(b, reshape(b, window(b, pairs, len(outer) + 1, place, place + 1), (*outer, extent // 2)))
        for place in range(2)
    )
    return left, right


def _with_rest(b: IrBuilder, shares: Expr) -> Expr:
    """Return probabilities of which the last one is what the others leave, as NumPy has it."""
    axis = len(shares.shape) - 1
    others = window(b, shares.value, axis, 0, shares.shape[-1] - 1)
    total = Expr(b, reduce(b, others, "stablehlo::add", 0.0, (axis,), keepdims=True))
    rest = (1 - total).apply("maximum", 0.0)
    return Expr(b, b.op("stablehlo::concatenate", others, rest.value, dimension=axis))


def _shared_out(name: str, sampler: str) -> Rule:
    """Return the rule that shares numbers out to categories, halving these: at each node one number is drawn."""

    def draw(b: IrBuilder, state: Value, total: Value, weights: Value, *, shape: tuple[int, ...]) -> Value:
        *outer, count = shape
        leaves = tree_width(count)
        (given,) = _operands(b, name, (weights,), shape)
        if sampler == "binomial":
            given = _with_rest(b, given)
        (drawn,) = _operands(b, name, (reshape(b, total, (*total.shape, 1)),), (*outer, 1))
        for sums in _levels(b, given.value, leaves)[1:]:
            left, right = _halves(b, sums)
            group = left.shape[-1]
            blocks = Blocks(b, state, leaves, group)
            if sampler == "binomial":
                share = (left / (left + right)).apply("minimum", 1.0)
                part = blocks.draw(sampler, drawn, (left + right > 0).where(share, 0.0), start=group - 1)
            else:
                part = blocks.draw(sampler, left, right, drawn, start=group - 1)
            both = [reshape(b, one.value, (*outer, group, 1)) for one in (part, drawn - part)]
            joined = b.op("stablehlo::concatenate", *both, dimension=len(outer) + 1)
            drawn = Expr(b, reshape(b, joined, (*outer, 2 * group)))
        return window(b, _whole(drawn).value, len(outer), 0, count)

    found = Rule(f"random.{name}", draw)
    found.scalar_dtype = in_double
    return found


MULTINOMIAL: Final = _shared_out("multinomial", "binomial")
MULTIVARIATE_HYPERGEOMETRIC: Final = _shared_out("multivariate_hypergeometric", "hypergeometric")
