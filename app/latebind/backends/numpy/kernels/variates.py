"""`random::variate` on host arrays: the samplers' formulas, with proposals for the elements that need another one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from latebind.backends.numpy.kernels.random_numbers import philox_advance, philox_bits
from latebind.ir.expression import Expr, Term
from latebind.ir.node import AttributeValue
from latebind.ir.ops.random_numbers import UINT64, mixed
from latebind.ir.ops.variate_samplers import SAMPLERS, Sampler
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
    flat = [one.reshape(size) for one in parameters]
    # Formulas compute both sides of each choice: what is not chosen may overflow or divide by zero.
    with np.errstate(all="ignore"):
        for first in range(0, size, _CHUNK):
            stop = min(first + _CHUNK, size)
            element = np.arange(first, stop)
            index = element // group * period + (element % group + start)
            _fill(state, sampler, [one[first:stop] for one in flat], index, result[first:stop])
    return result.reshape(shape)


def _fill(state: Array, sampler: Sampler, parameters: Sequence[Array], index: Array, result: Array) -> None:
    """Write the numbers of some elements, which read the blocks with these indices."""
    constants: list[Array] = [array_of(one) for one in sampler.prepare(*map(_Computed, parameters))]
    words = _blocks(state, index, 0)
    waiting = np.arange(index.size)
    if sampler.inverted is not None:
        small = constants[0]
        waiting, chosen = np.flatnonzero(~small), np.flatnonzero(small)
        if chosen.size:
            result[chosen] = array_of(sampler.inverted(_taken(words, chosen), _taken(constants, chosen)))
    for turn in range(sampler.rounds):
        if not waiting.size:
            return
        given = _taken(words, waiting) if not turn else _taken(_blocks(state, index[waiting], turn))
        accepted, proposal = map(array_of, sampler.propose(given, _taken(constants, waiting)))
        if sampler.rounds == 1:
            accepted = np.ones(waiting.size, np.bool_)
        result[waiting[accepted]] = proposal[accepted]
        waiting = waiting[~accepted]
    if waiting.size:
        result[waiting] = array_of(sampler.otherwise(_taken(constants, waiting)))


def _taken(arrays: Sequence[Array], places: Array | None = None) -> list[Expr]:
    if places is None or places.size == len(arrays[0]):
        return [_Computed(one) for one in arrays]
    return [_Computed(one[places]) for one in arrays]


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
