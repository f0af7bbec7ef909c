"""Samplers of `random::variate`: proposals from the words of one block, and when they are accepted.

A sampler is written once, as formulas over expressions: the op table's decomposition makes nodes of them, and the
reference backend's kernel runs them on host arrays. All are in float64. An element reads one block of four words per
round. A proposal is made of the first two words; the other two belong to what is drawn once per element.

Sources: G. Marsaglia, W. W. Tsang, ACM Transactions on Mathematical Software 26 (2000), for gamma; W. Hoermann, Journal
of Statistical Computation and Simulation 46 (1993), for the hat over binomial, Poisson and hypergeometric numbers;
D. J. Best, N. I. Fisher, Applied Statistics 28 (1979), for von Mises; L. Devroye, Non-Uniform Random Variate
Generation (1986), for zipf; A. W. Kemp, Applied Statistics 30 (1981), for logseries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from latebind.ir.expression import Expr
from latebind.ir.ops.log_factorials import log1p_remainder, log_factorial_ratio
from latebind.ir.ops.normal_quantile import normal_quantile

#: What is computed once per element from the parameters.
Constants: TypeAlias = Sequence[Expr]

#: The largest float64 below 2**63.
LARGEST: Final = 2.0**63 - 1024
#: Means from which discrete numbers are proposed and accepted; below, they are counted up from 0.
_INVERTED_BELOW: Final = 10.0
#: Values that are counted up: a Poisson number of mean 10 exceeds them with a probability below 2**-53.
_INVERSION_STEPS: Final = 50


class Words:
    """The four words of one block per element."""

    __slots__ = ("words",)

    def __init__(self, words: Sequence[Expr]) -> None:
        self.words = words

    def half_open(self, place: int) -> Expr:
        """Return numbers in [0, 1), multiples of 2**-53."""
        return self.words[place].apply("shift_right_logical", 11).to("int64").to("float64") * 2.0**-53

    def open(self, place: int) -> Expr:
        """Return numbers in (0, 1), the middles of intervals of 2**-52."""
        return (self.words[place].apply("shift_right_logical", 12).to("int64").to("float64") + 0.5) * 2.0**-52

    def normal(self, place: int) -> Expr:
        """Return standard normal numbers, as `random::normal` makes them of words."""
        return normal_quantile(self.words[place].bits("int64"), np.dtype(np.float64))


@dataclass(frozen=True, slots=True)
class Sampler:
    """How numbers are drawn.

    Attributes
    ----------
    parameters : int
        How many there are.
    rounds : int
        Proposals per element; none of them is accepted with a probability below 2**-32.
    prepare : callable
        From the parameters to what the other functions take.
    propose : callable
        From the words of a block and the constants to whether the proposal is accepted, and the proposal.
    otherwise : callable
        From the constants to the number that is taken if no proposal is.
    inverted : callable, optional
        From the words of the first block and the constants to the numbers of the elements for which the first of the
        constants is true; their proposals are not looked at.
    """

    parameters: int
    rounds: int
    prepare: Callable[..., Constants]
    propose: Callable[[Words, Constants], tuple[Expr, Expr]]
    otherwise: Callable[[Constants], Expr]
    inverted: Callable[[Words, Constants], Expr] | None = None


def _once(parameters: int, function: Callable[..., Expr]) -> Sampler:
    """Return the sampler of numbers that need no proposals; the function takes the words and the parameters."""

    def propose(words: Words, constants: Constants) -> tuple[Expr, Expr]:
        value = function(words, *constants)
        return value.equals(value), value

    return Sampler(parameters, 1, lambda *given: given, propose, lambda constants: constants[0])


# Gamma


def _gamma_constants(shape: Expr) -> Constants:
    d = (shape < 1).where(shape + 1, shape) - 1 / 3
    return d, (d * 9).apply("rsqrt")


def _gamma(words: Words, constants: Constants) -> tuple[Expr, Expr]:
    """`log(u) < x**2 / 2 + d - d * v + d * log(v)`, the right side as 3 d times what is left of log1p's series."""
    d, c = constants
    y = words.normal(0) * c
    v = y + 1
    positive = v > 0
    bound = d * 3 * log1p_remainder(positive.where(y, 0))
    return positive & (words.open(1).apply("log") < bound), d * v * v * v


def _gamma_boost(words: Words, shape: Expr) -> Expr:
    """The logarithm by which a number of shape + 1 becomes one of a shape below 1; finite."""
    logarithm = (words.open(2).apply("log") / shape).apply("maximum", -1e308)
    return (shape < 1).where(logarithm, 0)


# Discrete numbers: a hat over a bell


def _hat(words: Words, variance: Expr, centre: Expr, p: Expr | float) -> tuple[Expr, Expr]:
    """Return proposals, and the logarithm of what the ratio to the mode's probability has to reach."""
    deviation = variance.apply("sqrt")
    b = deviation * 2.53 + 1.15
    a = b * 0.0248 + (p * 0.01 - 0.0873)
    alpha = (5.1 / b + 2.83) * deviation
    u = words.open(0) - 0.5
    rest = 0.5 - abs(u)
    k = ((a * 2 / rest + b) * u + (centre + 0.5)).apply("floor")
    return k, (words.open(1) * alpha / (a / (rest * rest) + b)).apply("log")


def _counted(u: Expr, first: Expr, ratio: Callable[[int], Expr]) -> Expr:
    """Invert a distribution of whole numbers: its probability of 0, and the ratios of the next ones to those before."""
    probability = total = first
    count = u.splat(0)
    for step in range(_INVERSION_STEPS):
        count = count + (u >= total).to(count.dtype)
        probability = probability * ratio(step)
        total = total + probability
    return count


def _poisson_constants(mean: Expr) -> Constants:
    return (mean < _INVERTED_BELOW, mean, mean.apply("floor"))


def _poisson(words: Words, constants: Constants) -> tuple[Expr, Expr]:
    _, mean, mode = constants
    k, bound = _hat(words, mean, mean, 0.0)
    inside = k >= 0
    k = k.apply("maximum", 0)
    slope = ((mean - mode - 1) / (mode + 1)).apply("log_plus_one")
    return inside & (bound <= (k - mode) * slope - log_factorial_ratio(k, mode)), k


def _poisson_inverted(words: Words, constants: Constants) -> Expr:
    mean = constants[1]
    return _counted(words.half_open(2), (-mean).apply("exponential"), lambda step: mean / (step + 1))


def _binomial_constants(n: Expr, p: Expr) -> Constants:
    """The rarer of both outcomes is counted."""
    rare = p.apply("minimum", 1 - p)
    mode = ((n + 1) * rare).apply("floor")
    return ((n * rare < _INVERTED_BELOW) | (n <= _INVERSION_STEPS), n, rare, mode, p > 0.5)


def _binomial(words: Words, constants: Constants) -> tuple[Expr, Expr]:
    _, n, p, mode, mirrored = constants
    k, bound = _hat(words, n * p * (1 - p), n * p, p)
    inside = (k >= 0) & (k <= n)
    k = k.apply("maximum", 0).apply("minimum", n)
    slope = ((p * (n + 2) - (mode + 1)) / ((1 - p) * (mode + 1))).apply("log_plus_one")
    ratio = (k - mode) * slope - log_factorial_ratio(k, mode) - log_factorial_ratio(n - k, n - mode)
    return inside & (bound <= ratio), mirrored.where(n - k, k)


def _binomial_inverted(words: Words, constants: Constants) -> Expr:
    _, n, p, _, mirrored = constants
    odds = p / (1 - p)
    first = (n * (-p).apply("log_plus_one")).apply("exponential")
    k = _counted(words.half_open(2), first, lambda step: (n - step).apply("maximum", 0) * odds / (step + 1))
    k = k.apply("minimum", n)
    return mirrored.where(n - k, k)


def _hypergeometric_constants(good: Expr, bad: Expr, sample: Expr) -> Constants:
    """The rarer colour in the smaller of sample and rest is counted: `low` of it, `high` drawn, or the reverse."""
    total = good + bad
    rare = good.apply("minimum", bad)
    drawn = sample.apply("minimum", total - sample)
    low, high = rare.apply("minimum", drawn), rare.apply("maximum", drawn)
    rest = total - low - high
    mode = ((low + 1) * (high + 1) / (total + 2)).apply("floor")
    small = (low * high < total * _INVERTED_BELOW) | (low <= _INVERSION_STEPS)
    return (small, low, high, rest, mode, good, bad, sample)


def _hypergeometric_value(k: Expr, constants: Constants) -> Expr:
    """Return how many good ones are in the sample, from how many rare ones are in the smaller part."""
    good, bad, sample = constants[5:]
    swapped = sample * 2 > good + bad
    k = swapped.where(good.apply("minimum", bad) - k, k)
    return (good > bad).where(sample - k, k)


def _hypergeometric(words: Words, constants: Constants) -> tuple[Expr, Expr]:
    _, low, high, rest, mode, *_ = constants
    total = low + high + rest
    share = high / total
    mean = low * share
    variance = mean * (1 - share) * ((total - low) / (total - 1).apply("maximum", 1))
    k, bound = _hat(words, variance, mean, 0.0)
    inside = (k >= 0) & (k <= low)
    k = k.apply("maximum", 0).apply("minimum", low)
    odds = ((low - mode + 1) / (mode + 1)) * ((high - mode + 1) / (rest + mode + 1))
    ratio = (k - mode) * odds.apply("log")
    for at, middle in ((k, mode), (low - k, low - mode), (high - k, high - mode), (rest + k, rest + mode)):
        ratio = ratio - log_factorial_ratio(at, middle)
    return inside & (bound <= ratio), _hypergeometric_value(k, constants)


def _hypergeometric_inverted(words: Words, constants: Constants) -> Expr:
    _, low, high, rest, *_ = constants
    total = low + high + rest
    first = low * (-(low + high) / (total + 1)).apply("log_plus_one")
    first = first + log_factorial_ratio(total - low, total) + log_factorial_ratio(total - high, rest)

    def ratio(step: int) -> Expr:
        left = (low - step).apply("maximum", 0) * (high - step).apply("maximum", 0)
        return left / ((rest + (step + 1)) * (step + 1))

    k = _counted(words.half_open(2), first.apply("exponential"), ratio).apply("minimum", low)
    return _hypergeometric_value(k, constants)


# Others


def _vonmises_constants(kappa: Expr) -> Constants:
    """Best and Fisher's wrapped Cauchy hat in half angles, which loses nothing where kappa is tiny or huge."""
    twice = kappa * 2
    quotient = 2 / (1 / ((twice * twice + 1).apply("sqrt") + twice) + 1)
    return twice, quotient * twice, quotient.apply("log") - 1 + 1 / quotient


def _vonmises(words: Words, constants: Constants) -> tuple[Expr, Expr]:
    twice, spread, bound = constants
    tangent = ((words.open(0) - 0.5) * math.pi).apply("tan") * (spread + 1).apply("rsqrt")
    square = tangent * tangent
    y = square / (square + 1)
    ratio = (spread * y).apply("log_plus_one") - twice * y - bound
    return words.open(1).apply("log") <= ratio, tangent.apply("atan2", 1.0) * 2


def _zipf_constants(a: Expr) -> Constants:
    power = a - 1
    lowest = (power * -math.log(LARGEST)).apply("exponential")
    return power, lowest, (power * -math.log(2)).apply("exponential_minus_one")


def _zipf(words: Words, constants: Constants) -> tuple[Expr, Expr]:
    power, lowest, scale = constants
    u = lowest + (1 - lowest) * words.open(0)
    x = (u.apply("log") / -power).apply("exponential").apply("floor").apply("maximum", 1).apply("minimum", LARGEST)
    share = (-power * (1 / x).apply("log_plus_one")).apply("exponential_minus_one")
    return words.open(1) * x * share >= scale, x


def _logseries(words: Words, p: Expr) -> Expr:
    v, u = words.open(0), words.open(1)
    q = -((-p).apply("log_plus_one") * u).apply("exponential_minus_one")
    far = (v.apply("log") / q.apply("log") + 1).apply("floor").apply("maximum", 1).apply("minimum", LARGEST)
    return (v >= q).where(u.splat(1), (v <= q * q).where(far, 2.0))


#: Rounds: what a proposal is refused with at most, to this power, is below 2**-32; docs/random.md has the figures.
SAMPLERS: Final[dict[str, Sampler]] = {
    "gamma": Sampler(1, 8, _gamma_constants, _gamma, lambda constants: constants[0]),
    "gamma_boost": _once(1, _gamma_boost),
    "poisson": Sampler(1, 18, _poisson_constants, _poisson, lambda constants: constants[2], _poisson_inverted),
    "binomial": Sampler(
        2,
        18,
        _binomial_constants,
        _binomial,
        lambda constants: constants[4].where(constants[1] - constants[3], constants[3]),
        _binomial_inverted,
    ),
    "hypergeometric": Sampler(
        3,
        18,
        _hypergeometric_constants,
        _hypergeometric,
        lambda constants: _hypergeometric_value(constants[4], constants),
        _hypergeometric_inverted,
    ),
    "vonmises": Sampler(1, 22, _vonmises_constants, _vonmises, lambda constants: constants[0] * 0),
    "zipf": Sampler(1, 19, _zipf_constants, _zipf, lambda constants: constants[0] * 0 + 1),
    "logseries": _once(1, _logseries),
}

__all__ = ["LARGEST", "SAMPLERS", "Constants", "Sampler", "Words"]
