"""`random::variate`: numbers of distributions that are drawn by proposals, in a fixed number of rounds.

Element `e` reads block `e // group * period + start + e % group` after the state; its round `r` reads the block whose
counter is `r * 2**192` further. So a draw uses up the blocks of one round, each element has its own words whatever the
shape, and the reference backend makes the words of a later round only for the elements that are still without a number.
No two rounds meet before 2**192 blocks are used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.attributes import integer, text
from latebind.ir.expression import Expr
from latebind.ir.node import Attributes, Value
from latebind.ir.opkind import OpKind
from latebind.ir.ops.declare import declare
from latebind.ir.ops.random_numbers import STATE, UINT64, blocks_at
from latebind.ir.ops.variate_samplers import SAMPLERS, Sampler, Words
from latebind.ir.types import DType, TensorType

if TYPE_CHECKING:
    from latebind.ir.builder import IrBuilder

FLOAT64: Final[DType] = np.dtype(np.float64)
#: How far the counter's fourth word stands from its first, as a shift.
ROUND_SHIFT: Final = 192


def sampler_of(attributes: Attributes) -> Sampler:
    """Return the sampler that an attribute names."""
    return SAMPLERS[text(attributes, "sampler", tuple(SAMPLERS))]


def _infer(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    if types[0] is not STATE:
        raise ShapeMismatchError("the state must be six words of uint64: two of the key, four of the counter")
    wanted = sampler_of(attributes).parameters
    parameters = types[1:]
    if len(parameters) != wanted:
        raise ShapeMismatchError(f"the sampler takes {wanted} parameters, got {len(parameters)}")
    for one in parameters:
        if one.dtype != FLOAT64:
            raise DTypeMismatchError(f"parameters must be float64, got {one.dtype.name}")
        if one.shape != parameters[0].shape:
            raise ShapeMismatchError("parameters must have the same shape")
    group, period, start = (integer(attributes, name) for name in ("group", "period", "start"))
    if group < 1 or start < 0 or start + group > period:
        raise ShapeMismatchError(f"blocks {start} to {start + group} of a period of {period} do not exist")
    return (parameters[0],)


def _stacked(one: Expr, rounds: int) -> Expr:
    return Expr(one.b, one.b.make_expand(one.value, (rounds, *one.shape)).value())


def _reduced(one: Expr, body: str, initial: int | float) -> Expr:
    start = one.b.make_scalar(initial, one.dtype).value()
    return Expr(one.b, one.b.op("stablehlo::reduce", one.value, start, dimensions=(0,), body=OpKind.get(body)))


def _iota(b: IrBuilder, shape: tuple[int, ...], dimension: int) -> Expr:
    return Expr(b, b.op("stablehlo::iota", iota_dimension=dimension, shape=shape, dtype=UINT64))


def _accepted(sampler: Sampler, b: IrBuilder, state: Value, index: Expr, constants: Sequence[Expr]) -> Expr:
    """Return the first accepted proposal of each element: all rounds are computed, side by side."""
    rounds = sampler.rounds
    shape = (rounds, *index.shape)
    turn = _iota(b, shape, 0)
    words = Words(blocks_at(b, state, _stacked(index, rounds), turn))
    accepted, proposal = sampler.propose(words, [_stacked(one, rounds) for one in constants])
    # The barrier keeps engines from computing the proposals once for each of the two reductions.
    values = [accepted.value, proposal.value]
    kept = b.make_generic("stablehlo::optimization_barrier", values, {})
    accepted, proposal = Expr(b, kept.value(0)), Expr(b, kept.value(1))
    first = _reduced(accepted.where(turn, rounds), "stablehlo::minimum", rounds)
    chosen = turn.equals(_stacked(first, rounds)).where(proposal, 0.0)
    return (first < rounds).where(_reduced(chosen, "stablehlo::add", 0.0), sampler.otherwise(constants))


def _decompose(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    sampler = sampler_of(attributes)
    state, *given = operands
    shape = given[0].shape
    size = math.prod(shape)
    if not size:
        return (given[0],)
    group, period, start = (integer(attributes, name) for name in ("group", "period", "start"))
    parameters = [Expr(b, b.op("stablehlo::reshape", one, shape=(size,))) for one in given]
    grid = (size // group, group)
    index = _iota(b, grid, 0) * period + _iota(b, grid, 1) + start
    index = Expr(b, b.op("stablehlo::reshape", index.value, shape=(size,)))
    constants = sampler.prepare(*parameters)
    if sampler.rounds == 1:
        _, found = sampler.propose(Words(blocks_at(b, state, index)), constants)
    else:
        found = _accepted(sampler, b, state, index, constants)
    if sampler.inverted is not None:
        found = constants[0].where(sampler.inverted(Words(blocks_at(b, state, index)), constants), found)
    return (b.op("stablehlo::reshape", found.value, shape=shape),)


declare(
    "random::variate",
    "state *parameters",
    "sampler group period start",
    _infer,
    "Numbers of a distribution that is drawn by proposals; parameters are float64, one per element.",
    decompose=_decompose,
)
