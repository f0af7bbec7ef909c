"""Random numbers: the counter-based generator Philox-4x64-10, and the two basic distributions made of its words.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The words,
their order and the step before the first block are those of `numpy.random.Philox`. StableHLO's `rng_bit_generator`
leaves the stream to the implementation, which is why these operations have a namespace of their own.

A state is `uint64[6]`: two words of the key, then the four words of the counter, the lowest first. Nothing keeps state:
an operation draws from the blocks that follow the state, and `random::advance` gives the state after them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.attributes import element_type, integer, ints
from latebind.ir.expression import Expr
from latebind.ir.node import Attributes, Value
from latebind.ir.ops.declare import check_dimension, check_shape, declare
from latebind.ir.ops.normal_quantile import normal_quantile
from latebind.ir.optable import Infer
from latebind.ir.types import DType, TensorType

if TYPE_CHECKING:
    from latebind.ir.builder import IrBuilder

UINT32: Final[DType] = np.dtype(np.uint32)
UINT64: Final[DType] = np.dtype(np.uint64)
INT64: Final[DType] = np.dtype(np.int64)
FLOAT32: Final[DType] = np.dtype(np.float32)
FLOAT64: Final[DType] = np.dtype(np.float64)

#: Type of a state.
STATE: Final = TensorType.of((6,), UINT64)
#: Bytes of one block.
BLOCK_BYTES: Final = 32
ROUNDS: Final = 10
MULTIPLIERS: Final = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
KEY_STEPS: Final = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_LOW: Final = 0xFFFFFFFF
_WORD: Final = 1 << 64

#: dtype of the words that make a float, and the bits of a word that a uniform number does not use.
WORD_OF: Final[dict[DType, tuple[DType, int]]] = {FLOAT32: (UINT32, 8), FLOAT64: (UINT64, 11)}


def blocks_of(shape: Sequence[int], dtype: DType) -> int:
    """Return how many blocks a draw of this shape uses: one word of the dtype's width per element, rounded up."""
    return -(-math.prod(shape) * dtype.itemsize // BLOCK_BYTES)


def product(x: Expr, y: Expr) -> tuple[Expr, Expr]:
    """Return the high and the low word of products of uint64."""
    x1, x0 = x.apply("shift_right_logical", 32), x & _LOW
    y1, y0 = y.apply("shift_right_logical", 32), y & _LOW
    middle = x1 * y0 + (x0 * y0).apply("shift_right_logical", 32)
    cross = x0 * y1 + (middle & _LOW)
    carried = middle.apply("shift_right_logical", 32) + cross.apply("shift_right_logical", 32)
    return x1 * y1 + carried, x * y


def _words_of(b: IrBuilder, state: Value) -> list[Expr]:
    """Return the words of a state, zero-dimensional."""
    found = []
    for index in range(STATE.shape[0]):
        one = b.op("stablehlo::slice", state, start_indices=(index,), limit_indices=(index + 1,), strides=(1,))
        found.append(Expr(b, b.op("stablehlo::reshape", one, shape=())))
    return found


def _carried(words: Sequence[Expr], addend: Expr) -> list[Expr]:
    """Return a number of several words, the lowest first, plus a word."""
    found = []
    for word in words:
        total = word + addend
        addend = (total < addend).to(UINT64)
        found.append(total)
    return found


def _expanded(word: Expr, shape: tuple[int, ...]) -> Expr:
    if word.shape == shape:
        return word
    return Expr(word.b, word.b.make_expand(word.value, shape).value())


def mixed(key: Sequence[Expr], counter: Sequence[Expr]) -> list[Expr]:
    """Return the four words of the blocks of some counters; the key has two words, of any shape that fits."""
    x0, x1, x2, x3 = counter
    for _ in range(ROUNDS):
        high0, low0 = product(x0, x0.splat(MULTIPLIERS[0]))
        high1, low1 = product(x2, x2.splat(MULTIPLIERS[1]))
        key0, key1 = (_expanded(word, x0.shape) for word in key)
        x0, x1, x2, x3 = high1 ^ x1 ^ key0, low1, high0 ^ x3 ^ key1, low0
        key = [word + step for word, step in zip(key, KEY_STEPS, strict=True)]
    return [x0, x1, x2, x3]


def blocks_at(b: IrBuilder, state: Value, index: Expr, high: Expr | None = None) -> list[Expr]:
    """Return the four words of blocks after a state, of the index's shape: the next block has index 0.

    `high`, if given, is added to the highest word of the counter.
    """
    *key, a0, a1, a2, a3 = _words_of(b, state)
    counter = _carried([_expanded(word, index.shape) for word in (a0, a1, a2, a3)], index + 1)
    if high is not None:
        counter[3] = counter[3] + high
    return mixed(key, counter)


def _blocks(b: IrBuilder, state: Value, count: int) -> list[Expr]:
    """Return the four words of the `count` blocks that follow a state, each of shape `(count,)`."""
    return blocks_at(b, state, Expr(b, b.op("stablehlo::iota", iota_dimension=0, shape=(count,), dtype=UINT64)))


def _interleaved(words: Sequence[Expr], lanes: int) -> Expr:
    """Return `(blocks, lanes)`: the words of each block one after the other, split into halves for eight lanes.

    By selection, not by concatenation: XLA then computes each block once per element at worst, and in vectors.
    """
    b, (count,) = words[0].b, words[0].shape
    shape = (count, lanes)
    lane = Expr(b, b.op("stablehlo::iota", iota_dimension=1, shape=shape, dtype=UINT64))
    place = lane if lanes == 4 else lane.apply("shift_right_logical", 1)
    barred = b.make_generic("stablehlo::optimization_barrier", [word.value for word in words], {})
    columns = [b.op("stablehlo::reshape", barred.value(index), shape=(count, 1)) for index in range(4)]
    w0, w1, w2, w3 = (_expanded(Expr(b, column), shape) for column in columns)
    chosen = (place < 2).where((place < 1).where(w0, w1), (place < 3).where(w2, w3))
    if lanes == 4:
        return chosen
    return chosen.apply("shift_right_logical", (lane & 1) * 32).to(UINT32)


def _decompose_bits(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    shape, dtype = ints(attributes, "shape"), element_type(attributes)
    size = math.prod(shape)
    if not size:
        return (b.make_expand(b.make_scalar(0, dtype).value(), shape).value(),)
    lanes = BLOCK_BYTES // dtype.itemsize
    blocks = blocks_of(shape, dtype)
    words = _interleaved(_blocks(b, operands[0], blocks), lanes).value
    flat = b.op("stablehlo::reshape", words, shape=(blocks * lanes,))
    if size != blocks * lanes:
        flat = b.op("stablehlo::slice", flat, start_indices=(0,), limit_indices=(size,), strides=(1,))
    return (b.op("stablehlo::reshape", flat, shape=shape),)


def _bits(b: IrBuilder, state: Value, attributes: Attributes, dtype: DType) -> Expr:
    return Expr(b, b.op("random::bits", state, shape=ints(attributes, "shape"), dtype=dtype))


def _decompose_uniform(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    dtype = element_type(attributes)
    word, unused = WORD_OF[dtype]
    bits = _bits(b, operands[0], attributes, word).apply("shift_right_logical", unused)
    # Signed, because engines convert these faster; the sign bit is never set.
    number = bits.to(np.dtype(f"i{word.itemsize}")).to(dtype)
    return ((number * 2.0 ** (unused - 8 * word.itemsize)).value,)


def _decompose_normal(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    dtype = element_type(attributes)
    word = WORD_OF[dtype][0]
    return (normal_quantile(_bits(b, operands[0], attributes, word).bits(f"i{word.itemsize}"), dtype).value,)


def scaled(word: Expr, count: Expr) -> Expr:
    """Return `floor(word * count / 2**64)` for counts up to 2**32: two products of 32 bits, which do not overflow."""
    high, low = word.apply("shift_right_logical", 32), word & _LOW
    return (high * count + (low * count).apply("shift_right_logical", 32)).apply("shift_right_logical", 32)


def _decompose_integers(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    state, *bounds = operands
    shape, dtype = ints(attributes, "shape"), element_type(attributes)
    low, count = (_expanded(Expr(b, one), shape) for one in bounds)
    total = low + scaled(_bits(b, state, attributes, UINT64), count)
    return ((total.differs(0) if dtype.kind == "b" else total.to(dtype)).value,)


def _decompose_advance(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    *key, a0, a1, a2, a3 = _words_of(b, operands[0])
    words, blocks = [a0, a1, a2, a3], integer(attributes, "blocks")
    for place in range(4):
        part = (blocks >> 64 * place) % _WORD
        if part:
            words[place:] = _carried(words[place:], a0.splat(part))
    parts = [b.op("stablehlo::reshape", one.value, shape=(1,)) for one in (*key, *words)]
    return (b.op("stablehlo::concatenate", *parts, dimension=0),)


def _infer_order(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    keys, dimension = types[0], integer(attributes, "dimension")
    check_dimension(dimension, keys.rank, "dimension")
    if keys.dtype != UINT64:
        raise DTypeMismatchError(f"keys must be uint64, got {keys.dtype.name}")
    return (keys.with_dtype(INT64),)


def _decompose_order(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    keys, dimension = operands[0], integer(attributes, "dimension")
    places = b.op("stablehlo::iota", iota_dimension=dimension, shape=keys.shape, dtype=INT64)
    how: Attributes = {"dimension": dimension, "comparison_direction": "LT", "is_stable": True}
    return (b.make_generic("stablehlo::sort", [keys, places], how).value(1),)


def _check_state(types: Sequence[TensorType]) -> None:
    if types[0] is not STATE:
        raise ShapeMismatchError("the state must be six words of uint64: two of the key, four of the counter")


def _draw(*dtypes: DType) -> Infer:
    def infer(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
        _check_state(types)
        shape, dtype = ints(attributes, "shape"), element_type(attributes)
        check_shape(shape)
        if dtype not in dtypes:
            raise DTypeMismatchError(f"dtype must be {' or '.join(one.name for one in dtypes)}, got {dtype.name}")
        return (TensorType.of(shape, dtype),)

    return infer


def _infer_integers(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    _check_state(types)
    for what, bound in (("low", types[1]), ("count", types[2])):
        if bound.shape or bound.dtype != UINT64:
            raise DTypeMismatchError(f"{what} must be a zero-dimensional uint64")
    shape, dtype = ints(attributes, "shape"), element_type(attributes)
    check_shape(shape)
    if dtype.kind not in "iub":
        raise DTypeMismatchError(f"dtype must be an integer or bool, got {dtype.name}")
    return (TensorType.of(shape, dtype),)


def _infer_advance(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    _check_state(types)
    if integer(attributes, "blocks") < 0:
        raise ShapeMismatchError("blocks must not be negative")
    return (STATE,)


declare(
    "random::bits",
    "state",
    "shape dtype",
    _draw(UINT32, UINT64),
    "Words of Philox-4x64-10 that follow a state, in C order; of 32 bits, the low halves first.",
    decompose=_decompose_bits,
)
declare(
    "random::uniform",
    "state",
    "shape dtype",
    _draw(FLOAT32, FLOAT64),
    "Numbers in [0, 1): the high 24 or 53 bits of a word of 32 or 64.",
    decompose=_decompose_uniform,
)
declare(
    "random::normal",
    "state",
    "shape dtype",
    _draw(FLOAT32, FLOAT64),
    "Standard normal numbers: the quantile of each word of 32 or 64 bits.",
    decompose=_decompose_normal,
)
declare(
    "random::integers",
    "state low count",
    "shape dtype",
    _infer_integers,
    "low + floor(word * count / 2**64), wrapped, for a count of at most 2**32.",
    decompose=_decompose_integers,
)
declare(
    "random::advance",
    "state",
    "blocks",
    _infer_advance,
    "The state after a number of blocks.",
    decompose=_decompose_advance,
)
declare(
    "random::order",
    "keys",
    "dimension",
    _infer_order,
    "Positions that sort words along a dimension, stably, as int64; meant for words of `random::bits`.",
    decompose=_decompose_order,
)
