"""`random::variate` on host arrays: the samplers' formulas, with proposals for the elements that need another one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from latebind.backends.numpy.kernels.random_numbers import fill_quantiles, philox_advance, philox_bits
from latebind.ir.expression import Expr, Term
from latebind.ir.node import AttributeValue
from latebind.ir.ops.random_numbers import UINT64, mixed
from latebind.ir.ops.variate_samplers import SAMPLERS, Sampler, Words
from latebind.ir.ops.variates import ROUND_SHIFT
from latebind.ir.types import DType

Array = npt.NDArray[Any]

#: Elements that are worked on at a time: their arrays fit the cache next to the processor.
_CHUNK: Final = 8192
#: How many times more blocks than are needed NumPy's generator makes faster than they are made one by one.
_DENSE: Final = 8
_WORD: Final = (1 << 64) - 1

_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": np.abs,
    "add": np.add,
    "and": np.bitwise_and,
    "atan2": np.arctan2,
    "divide": np.divide,
    "exponential": np.exp,
    "exponential_minus_one": np.expm1,
    "floor": np.floor,
    "log": np.log,
    "log_plus_one": np.log1p,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "multiply": np.multiply,
    "negate": np.negative,
    "or": np.bitwise_or,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "shift_right_arithmetic": np.right_shift,
    "shift_right_logical": np.right_shift,
    "sqrt": np.sqrt,
    "subtract": np.subtract,
    "tan": np.tan,
    "xor": np.bitwise_xor,
}
_COMPARISONS: Final[dict[str, Callable[..., Any]]] = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}


class _Computed(Expr):
    """An expression whose value is an array, which its operations compute."""

    __slots__ = ()
    value: Any

    def __init__(self, value: Array) -> None:
        self.value = value

    def _operand(self, other: Term) -> Any:
        return other.value if isinstance(other, Expr) else self.dtype.type(other)

    def splat(self, number: int | float | complex, dtype: DType | None = None) -> Expr:
        return _Computed(np.full(self.shape, number, self.dtype if dtype is None else dtype))

    def apply(self, name: str, *others: Term, **attributes: AttributeValue) -> Expr:
        operands = [self._operand(other) for other in others]
        if name == "compare":
            function = _COMPARISONS[str(attributes["comparison_direction"])]
        elif name == "convert":
            return _Computed(self.value.astype(attributes["dtype"]))
        else:
            function = _FUNCTIONS[name]
        return _Computed(function(self.value, *operands))

    def bits(self, dtype: npt.DTypeLike) -> Expr:
        return _Computed(self.value.view(dtype))

    def where(self, on_true: Expr, on_false: Term) -> Expr:
        yes = array_of(on_true)
        no = array_of(on_false) if isinstance(on_false, Expr) else yes.dtype.type(on_false)
        return _Computed(np.where(self.value, yes, no))

    def __invert__(self) -> Expr:
        return _Computed(~self.value)


class _HostWords(Words):
    """Words in arrays, of which the kernel for normal numbers computes the tails apart."""

    __slots__ = ()

    def normal(self, place: int) -> Expr:
        words = array_of(self.words[place]).view(np.int64).copy()
        result = np.empty(words.shape, np.float64)
        fill_quantiles(words, result, np.empty((3, words.size), np.float64))
        return _Computed(result)


def array_of(computed: Expr) -> Array:
    """Return the array that a formula over arrays computed."""
    value: Any = computed.value
    found: Array = value
    return found


def philox_variates(
    state: Array, parameters: tuple[Array, ...], name: str, group: int, period: int, start: int
) -> Array:
    """Return numbers of a sampler; parameters are float64 arrays of the result's shape."""
    sampler = SAMPLERS[name]
    shape = parameters[0].shape
    size = math.prod(shape)
    result = np.empty(size, np.float64)
    if not size:
        return result.reshape(shape)
    flat = [one.reshape(size) if any(one.strides) else one.reshape(-1)[:1] for one in parameters]
    waiting = np.arange(size)
    # Formulas compute both sides of each choice: what is not chosen may overflow or divide by zero.
    with np.errstate(all="ignore"):
        # Round by round over all elements, so that the few that are left make few calls.
        for turn in range(sampler.rounds):
            left = []
            for first in range(0, waiting.size, _CHUNK):
                element = waiting[first : first + _CHUNK]
                index = element // group * period + (element % group + start) if period > 1 else element
                draw = _Round(sampler, state, turn, element, index)
                left.append(draw.fill(draw.constants(flat), result))
            waiting = left[0] if len(left) == 1 else np.concatenate(left)
            if not waiting.size:
                break
        else:
            constants = sampler.prepare(*_taken(flat, waiting))
            result[waiting] = array_of(sampler.otherwise(constants))
    return result.reshape(shape)


@dataclass(frozen=True, slots=True)
class _Round:
    """One round of some elements, whose positions ascend, and which read the blocks with these indices."""

    sampler: Sampler
    state: Array
    turn: int
    element: Array
    index: Array

    def constants(self, parameters: Sequence[Array]) -> list[Array]:
        """Return what the formulas take: one value each, where all parameters have one."""
        if all(one.size == 1 for one in parameters):
            return [array_of(one) for one in self.sampler.prepare(*map(_Computed, parameters))]
        given = [one if one.size > 1 else np.broadcast_to(one, self.element.max() + 1) for one in parameters]
        return [array_of(one) for one in self.sampler.prepare(*_taken(given, self.element))]

    def fill(self, constants: list[Array], result: Array) -> Array:
        """Write the numbers of the elements that get one in this round; return the other elements."""
        sampler, element = self.sampler, self.element
        words = _blocks(self.state, self.index, self.turn)
        if sampler.inverted is not None and not self.turn:
            small = np.broadcast_to(constants[0], element.shape)
            chosen, places = np.flatnonzero(small), np.flatnonzero(~small)
            if chosen.size:
                found = sampler.inverted(_HostWords(_taken(words, chosen)), _taken(constants, chosen))
                result[element[chosen]] = array_of(found)
            if not places.size:
                return places
            words = [array_of(one) for one in _taken(words, places)]
            constants = [array_of(one) for one in _taken(constants, places)]
            element = element[places]
        accepted, proposal = map(array_of, sampler.propose(_HostWords(_taken(words)), _taken(constants)))
        if sampler.rounds == 1:
            result[element] = proposal
            return element[:0]
        result[element[accepted]] = proposal[accepted]
        rest: Array = element[~accepted]
        return rest


def _taken(arrays: Sequence[Array], places: Array | None = None) -> list[Expr]:
    """Return expressions of the elements at some places, which ascend; what has one value keeps it."""
    if places is None:
        return [_Computed(one) for one in arrays]
    return [_Computed(one if one.size in (1, places.size) else one[places]) for one in arrays]


def _blocks(state: Array, index: Array, turn: int) -> list[Array]:
    """Return the four words of blocks of a round; the indices ascend."""
    first, last = int(index[0]), int(index[-1])
    if turn:
        state = philox_advance(state, turn << ROUND_SHIFT)
    if last - first < _DENSE * index.size:
        dense = philox_bits(philox_advance(state, first), (last + 1 - first, 4), np.dtype(np.uint64))
        rows = dense if len(dense) == index.size else dense[index - first]
        return list(np.ascontiguousarray(rows.T))
    steps: Array = np.add(index, 1).astype(UINT64)
    words = []
    for word in state[2:]:
        total = np.add(word, steps)
        steps = (total < steps).astype(UINT64)
        words.append(_Computed(total))
    key = [_Computed(np.broadcast_to(word, index.shape)) for word in state[:2]]
    return [array_of(one) for one in mixed(key, words)]
