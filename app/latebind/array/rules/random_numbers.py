"""Rules of random numbers: one record per draw, made of the operations `random::*` and a formula.

A distribution is a table entry: which basic numbers an element takes, and a formula of these and of the parameters.
None has a loop whose length depends on the numbers: each element takes a fixed number of words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from latebind.array.rules.common import INT64, broadcast_shape, cast, expand, reshape, window
from latebind.errors import ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.expression import Expr
from latebind.ir.node import Value
from latebind.ir.ops.random_numbers import STATE, UINT64, WORD_OF, blocks_of, product, scaled
from latebind.ir.types import DType
from latebind.runtime.signature import OperandKey, Rule

FLOAT64: Final[DType] = np.dtype(np.float64)


def _advance(b: IrBuilder, state: Value, *, blocks: int) -> Value:
    return b.op("random::advance", state, blocks=blocks)


#: The state after a number of blocks.
ADVANCE: Final = Rule("random.advance", _advance)


def _state(b: IrBuilder, *, words: tuple[int, ...]) -> Value:
    return b.make_constant(np.array(words, np.uint64)).value()


#: A state that is part of the program, for generators that a captured function makes.
CONSTANT_STATE: Final = Rule("random.default_rng", _state)


def _bits(b: IrBuilder, state: Value, *, shape: tuple[int, ...], dtype: DType) -> Value:
    return b.op("random::bits", state, shape=shape, dtype=dtype)


#: Words of 32 or 64 bits.
BITS: Final = Rule("random.bits", _bits)


def _order(b: IrBuilder, keys: Value, *, axis: int) -> Value:
    return b.op("random::order", keys, dimension=axis)


#: Positions that sort words along an axis.
ORDER: Final = Rule("random.permutation", _order)


# Distributions


def _exponential(u: Expr) -> Expr:
    """Standard exponential numbers from uniform ones, of which `1 - u` is exact."""
    return -(1 - u).apply("log")


def _open(u: Expr) -> Expr:
    """Numbers in (0, 1): the middles of half as many intervals, exactly."""
    steps = 2.0 ** (8 * u.dtype.itemsize - WORD_OF[u.dtype][1] - 1)
    return (u * steps).apply("floor") * (1 / steps) + 0.5 / steps


def _laplace(u: Expr, loc: Expr, scale: Expr) -> Expr:
    u = _open(u)
    low = (u * 2).apply("log")
    high = -((1 - u) * 2).apply("log")
    return loc + scale * (u < 0.5).where(low, high)


def _logistic(u: Expr, loc: Expr, scale: Expr) -> Expr:
    u = _open(u)
    return loc + scale * (u.apply("log") - (1 - u).apply("log"))


def _triangular(u: Expr, left: Expr, mode: Expr, right: Expr) -> Expr:
    base = right - left
    below = u * base <= mode - left
    rising = left + (u * base * (mode - left)).apply("sqrt")
    falling = right - ((1 - u) * base * (right - mode)).apply("sqrt")
    return below.where(rising, falling)


def _weibull(u: Expr, a: Expr) -> Expr:
    return a.equals(0).where(u.splat(0), _exponential(u).apply("power", 1 / a))


def _wald(n: Expr, u: Expr, mean: Expr, scale: Expr) -> Expr:
    """J. R. Michael, W. R. Schucany, R. W. Haas, The American Statistician 30 (1976)."""
    y = mean * n * n
    root = (4 * scale * y + y * y).apply("sqrt")
    # The smaller root without cancellation: mean * 2 scale / (2 scale + y + root).
    x = mean * 2 * scale / (2 * scale + y + root)
    return (u * (mean + x) <= mean).where(x, mean * mean / x)


def _standard_t(u: Expr, v: Expr, df: Expr) -> Expr:
    """R. W. Bailey, Mathematics of Computation 62 (1994), without rejection."""
    growth = (2 * _exponential(_open(u)) / df).apply("exponential_minus_one")
    return (df * growth).apply("sqrt") * (v * (2 * math.pi)).apply("cosine")


def _geometric(u: Expr, p: Expr) -> Expr:
    count = (_exponential(_open(u)) / -(-p).apply("log_plus_one")).apply("ceil")
    largest = 2.0**63 - 1024
    return count.apply("maximum", 1).apply("minimum", largest).to(INT64)


def _power(u: Expr, a: Expr) -> Expr:
    return u.apply("power", 1 / a)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How numbers of a distribution are made.

    Attributes
    ----------
    draws : str
        Basic numbers that an element takes: `u` uniform in [0, 1), `n` standard normal.
    formula : callable
        From one expression per draw and per parameter, all of the result's shape, to the numbers.
    """

    draws: str
    formula: Callable[..., Expr]

    def blocks(self, shape: tuple[int, ...], dtype: DType) -> int:
        """Return how many blocks of the generator a draw uses."""
        return len(self.draws) * blocks_of(shape, dtype)


DISTRIBUTIONS: Final[dict[str, Distribution]] = {
    "exponential": Distribution("u", lambda u, scale: _exponential(u) * scale),
    "geometric": Distribution("u", _geometric),
    "gumbel": Distribution("u", lambda u, loc, scale: loc - scale * _exponential(_open(u)).apply("log")),
    "laplace": Distribution("u", _laplace),
    "logistic": Distribution("u", _logistic),
    "lognormal": Distribution("n", lambda n, mean, sigma: (mean + sigma * n).apply("exponential")),
    "normal": Distribution("n", lambda n, loc, scale: loc + scale * n),
    "pareto": Distribution("u", lambda u, a: (_exponential(u) / a).apply("exponential_minus_one")),
    "power": Distribution("u", _power),
    "random": Distribution("u", lambda u: u),
    "rayleigh": Distribution("u", lambda u, scale: scale * (2 * _exponential(u)).apply("sqrt")),
    "standard_cauchy": Distribution("u", lambda u: ((_open(u) - 0.5) * math.pi).apply("tan")),
    "standard_exponential": Distribution("u", _exponential),
    "standard_normal": Distribution("n", lambda n: n),
    "standard_t": Distribution("uu", _standard_t),
    "triangular": Distribution("u", _triangular),
    "uniform": Distribution("u", lambda u, low, high: low + (high - low) * u),
    "wald": Distribution("nu", _wald),
    "weibull": Distribution("u", _weibull),
}
_OPERATIONS: Final = {"u": "random::uniform", "n": "random::normal"}


def in_double(key: OperandKey, array_dtypes: Sequence[DType]) -> DType:
    """Numbers that are parameters are float64, whatever the dtype of the state; the rule converts them."""
    return FLOAT64


def distribution_rule(name: str) -> Rule:
    """Return the rule that draws from a distribution: operands are the state and the parameters."""
    entry = DISTRIBUTIONS[name]

    def draw(b: IrBuilder, state: Value, *parameters: Value, shape: tuple[int, ...], dtype: DType) -> Value:
        if broadcast_shape(f"random.{name}", [shape, *(one.shape for one in parameters)]) != shape:
            raise ShapeMismatchError(f"random.{name}: the parameters do not broadcast to size {shape}")
        basic = []
        for place, kind in enumerate(entry.draws):
            after = b.op("random::advance", state, blocks=place * blocks_of(shape, dtype)) if place else state
            basic.append(Expr(b, b.op(_OPERATIONS[kind], after, shape=shape, dtype=dtype)))
        expanded = (Expr(b, expand(b, cast(b, one, dtype), shape)) for one in parameters)
        return entry.formula(*basic, *expanded).value

    found = Rule(f"random.{name}", draw)
    found.scalar_dtype = in_double
    return found


RULES: Final[dict[str, Rule]] = {name: distribution_rule(name) for name in DISTRIBUTIONS}


# Integers


def integer_blocks(shape: tuple[int, ...], words: int) -> int:
    """Return how many blocks a draw of integers uses."""
    return blocks_of((*shape, words), UINT64)


def _integers(
    b: IrBuilder, state: Value, low: Value, span: Value, *, shape: tuple[int, ...], dtype: DType, words: int
) -> Value:
    """`low + floor(word * span / 2**(64 * words))`; a span of 0 stands for 2**64.

    D. Lemire, ACM Transactions on Modeling and Computer Simulation 29 (2019), without the rejection: an integer is
    off its probability by less than `span / 2**(64 * words)` of it.
    """
    if words == 1 and not low.shape and not span.shape:
        return b.op("random::integers", state, cast(b, low, UINT64), cast(b, span, UINT64), shape=shape, dtype=dtype)
    bits = b.op("random::bits", state, shape=(*shape, words), dtype=UINT64)
    parts = [Expr(b, reshape(b, window(b, bits, len(shape), place, place + 1), shape)) for place in range(words)]
    low_, span_ = (Expr(b, expand(b, cast(b, one, UINT64), shape)) for one in (low, span))
    if words == 1:
        offset = scaled(parts[0], span_)
    else:
        carry, _ = product(parts[0], span_)
        high, rest = product(parts[1], span_)
        offset = high + (rest + carry < rest).to(UINT64)
        offset = span_.equals(0).where(parts[1], offset)
    return cast(b, (low_ + offset).value, dtype)


#: Integers from `low`, as many as `span`; both uint64, modulo 2**64.
INTEGERS: Final = Rule("random.integers", _integers)

__all__ = [
    "ADVANCE",
    "BITS",
    "CONSTANT_STATE",
    "DISTRIBUTIONS",
    "INTEGERS",
    "ORDER",
    "RULES",
    "STATE",
    "Distribution",
    "distribution_rule",
    "integer_blocks",
]
