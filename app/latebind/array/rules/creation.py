"""Rules that make arrays from scalars. Scalars are operands, so that a value that changes makes no other program."""

from __future__ import annotations

from typing import Final

from latebind.array.rules.common import INT64, cast, expand, full, like, scalar
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.ir.types import DType
from latebind.runtime.signature import Rule


def _full(b: IrBuilder, value: Value, *, shape: tuple[int, ...], dtype: DType) -> Value:
    return expand(b, cast(b, value, dtype), shape)


FULL: Final = Rule("full", _full)


def positions(b: IrBuilder, axis: int, shape: tuple[int, ...], dtype: DType = INT64) -> Value:
    """Return the position of each element along an axis."""
    return b.op("stablehlo::iota", iota_dimension=axis, shape=shape, dtype=dtype)


def _arange(b: IrBuilder, first: Value, second: Value, *, length: int, dtype: DType) -> Value:
    """`first + position * (second - first)`, as NumPy's `fill` goes on from the first two values."""
    shape = (length,)
    step = expand(b, b.op("stablehlo::subtract", second, first), shape)
    values = b.op("stablehlo::multiply", positions(b, 0, shape, first.dtype), step)
    values = b.op("stablehlo::add", expand(b, first, shape), values)
    if first.dtype.kind not in "iu":
        # The difference is rounded: added to the first value, it may miss the second one.
        place = positions(b, 0, shape)
        is_second = b.op("stablehlo::compare", place, like(b, 1, place), comparison_direction="EQ")
        values = b.op("stablehlo::select", is_second, expand(b, second, shape), values)
    return cast(b, values, dtype)


ARANGE: Final = Rule("arange", _arange)


def _linspace(b: IrBuilder, start: Value, stop: Value, *, number: int, endpoint: bool, dtype: DType) -> Value:
    """NumPy's formula: steps added to the start, in float64, except that the last value is `stop` itself."""
    shape, work = (number,), start.dtype
    index = positions(b, 0, shape, work)
    parts = number - 1 if endpoint else number
    delta = b.op("stablehlo::subtract", stop, start)
    if parts > 0:
        step = b.op("stablehlo::divide", delta, scalar(b, parts, work))
        whole = b.op("stablehlo::multiply", index, expand(b, step, shape))
        # A step that underflows would lose the difference.
        fraction = b.op("stablehlo::divide", index, full(b, parts, shape, work))
        small = b.op("stablehlo::multiply", fraction, expand(b, delta, shape))
        vanishes = b.op("stablehlo::compare", step, scalar(b, 0, work), comparison_direction="EQ")
        offset = b.op("stablehlo::select", expand(b, vanishes, shape), small, whole)
    else:
        offset = b.op("stablehlo::multiply", index, expand(b, delta, shape))
    values = b.op("stablehlo::add", offset, expand(b, start, shape))
    if endpoint and number > 1:
        place = positions(b, 0, shape)
        last = b.op("stablehlo::compare", place, like(b, number - 1, place), comparison_direction="EQ")
        values = b.op("stablehlo::select", last, expand(b, stop, shape), values)
    if dtype.kind in "iu":
        values = b.op("stablehlo::floor", values)
    return cast(b, values, dtype)


LINSPACE: Final = Rule("linspace", _linspace)


def _diagonal_offset(b: IrBuilder, shape: tuple[int, ...], k: Value, direction: str) -> Value:
    """Return where `column - row` compares with `k` in this direction, over the last two axes."""
    rank = len(shape)
    columns, rows = positions(b, rank - 1, shape), positions(b, rank - 2, shape)
    offset = b.op("stablehlo::subtract", columns, rows)
    return b.op("stablehlo::compare", offset, expand(b, k, shape), comparison_direction=direction)


def _eye(b: IrBuilder, k: Value, *, shape: tuple[int, int], dtype: DType) -> Value:
    return cast(b, _diagonal_offset(b, shape, k, "EQ"), dtype)


EYE: Final = Rule("eye", _eye)


def _triangle(b: IrBuilder, x: Value, k: Value, *, upper: bool) -> Value:
    kept = _diagonal_offset(b, x.shape, k, "GE" if upper else "LE")
    return b.op("stablehlo::select", kept, x, like(b, 0, x))


TRIANGLE: Final = Rule("triangle", _triangle)
