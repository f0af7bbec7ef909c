"""Rules that reduce over axes, and cumulative ones."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from latebind.array.rules.common import (
    BOOL,
    FLOAT64,
    INT64,
    Number,
    cast,
    like,
    normalize_axes,
    normalize_axis,
    reduce,
    reshape,
    scalar,
    window,
)
from latebind.errors import ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.ir.promotion import integer_range
from latebind.ir.types import DType
from latebind.runtime.signature import Rule

Axes = tuple[int, ...] | None
_ACCUMULATE: Final = {"float16": np.dtype(np.float32)}


def _sum(b: IrBuilder, x: Value, *, axis: Axes, dtype: DType, keepdims: bool) -> Value:
    axes = normalize_axes("sum", axis, len(x.shape))
    wide = _ACCUMULATE.get(dtype.name, dtype)
    return cast(b, reduce(b, cast(b, x, wide), "stablehlo::add", 0, axes, keepdims=keepdims), dtype)


def _prod(b: IrBuilder, x: Value, *, axis: Axes, dtype: DType, keepdims: bool) -> Value:
    axes = normalize_axes("prod", axis, len(x.shape))
    return reduce(b, cast(b, x, dtype), "stablehlo::multiply", 1, axes, keepdims=keepdims)


SUM: Final = Rule("sum", _sum)
PROD: Final = Rule("prod", _prod)


def lowest(dtype: DType) -> Number:
    """Return the smallest value of a dtype."""
    if dtype.kind in "fc":
        return -math.inf if dtype.kind == "f" else complex(-math.inf, -math.inf)
    return False if dtype == BOOL else integer_range(dtype)[0]


def highest(dtype: DType) -> Number:
    """Return the largest value of a dtype."""
    if dtype.kind in "fc":
        return math.inf if dtype.kind == "f" else complex(math.inf, math.inf)
    return True if dtype == BOOL else integer_range(dtype)[1]


def _extremum(name: str) -> Rule:
    body = "stablehlo::maximum" if name == "max" else "stablehlo::minimum"
    logical = "stablehlo::or" if name == "max" else "stablehlo::and"

    def function(b: IrBuilder, x: Value, *, axis: Axes, keepdims: bool) -> Value:
        axes = normalize_axes(name, axis, len(x.shape))
        _require_elements(name, x, axes)
        start = lowest(x.dtype) if name == "max" else highest(x.dtype)
        return reduce(b, x, logical if x.dtype == BOOL else body, start, axes, keepdims=keepdims)

    return Rule(name, function)


MAX: Final = _extremum("max")
MIN: Final = _extremum("min")


def _require_elements(name: str, x: Value, axes: tuple[int, ...]) -> None:
    if any(x.shape[axis] == 0 for axis in axes):
        raise ShapeMismatchError(
            f"{name} of no elements: the array has shape {x.shape}, and an axis that is reduced is empty"
        )


def _count(x: Value, axes: tuple[int, ...]) -> int:
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    return count


def _floating(dtype: DType) -> DType:
    return dtype if dtype.kind in "fc" else FLOAT64


def _mean_over(b: IrBuilder, x: Value, axes: tuple[int, ...], *, keepdims: bool) -> Value:
    total = reduce(b, x, "stablehlo::add", 0, axes, keepdims=keepdims)
    return b.op("stablehlo::divide", total, like(b, _count(x, axes), total))


def _mean(b: IrBuilder, x: Value, *, axis: Axes, dtype: DType | None, keepdims: bool) -> Value:
    axes = normalize_axes("mean", axis, len(x.shape))
    result = dtype or _floating(x.dtype)
    wide = _ACCUMULATE.get(result.name, _floating(result))
    return cast(b, _mean_over(b, cast(b, x, wide), axes, keepdims=keepdims), result)


MEAN: Final = Rule("mean", _mean)


def _variance(b: IrBuilder, x: Value, axis: Axes, correction: float, keepdims: bool) -> Value:
    axes = normalize_axes("var", axis, len(x.shape))
    x = cast(b, x, _ACCUMULATE.get(x.dtype.name, _floating(x.dtype)))
    mean = _mean_over(b, x, axes, keepdims=True)
    deviation = b.op("stablehlo::subtract", x, b.make_expand(mean, x.shape).value())
    if x.dtype.kind == "c":
        parts = [b.op(f"stablehlo::{part}", deviation) for part in ("real", "imag")]
        squares = b.op("stablehlo::add", *(b.op("stablehlo::multiply", part, part) for part in parts))
    else:
        squares = b.op("stablehlo::multiply", deviation, deviation)
    total = reduce(b, squares, "stablehlo::add", 0, axes, keepdims=keepdims)
    return b.op("stablehlo::divide", total, like(b, max(_count(x, axes) - correction, 0), total))


def _real_result(dtype: DType) -> DType:
    return np.empty(0, _floating(dtype)).real.dtype


def _var(b: IrBuilder, x: Value, *, axis: Axes, correction: float, keepdims: bool) -> Value:
    return cast(b, _variance(b, x, axis, correction, keepdims), _real_result(x.dtype))


def _std(b: IrBuilder, x: Value, *, axis: Axes, correction: float, keepdims: bool) -> Value:
    return cast(b, b.op("stablehlo::sqrt", _variance(b, x, axis, correction, keepdims)), _real_result(x.dtype))


VAR: Final = Rule("var", _var)
STD: Final = Rule("std", _std)


def _all(b: IrBuilder, x: Value, *, axis: Axes, keepdims: bool) -> Value:
    axes = normalize_axes("all", axis, len(x.shape))
    return reduce(b, cast(b, x, BOOL), "stablehlo::and", True, axes, keepdims=keepdims)


def _any(b: IrBuilder, x: Value, *, axis: Axes, keepdims: bool) -> Value:
    axes = normalize_axes("any", axis, len(x.shape))
    return reduce(b, cast(b, x, BOOL), "stablehlo::or", False, axes, keepdims=keepdims)


ALL: Final = Rule("all", _all)
ANY: Final = Rule("any", _any)


def _count_nonzero(b: IrBuilder, x: Value, *, axis: Axes, keepdims: bool) -> Value:
    axes = normalize_axes("count_nonzero", axis, len(x.shape))
    return reduce(b, cast(b, cast(b, x, BOOL), INT64), "stablehlo::add", 0, axes, keepdims=keepdims)


COUNT_NONZERO: Final = Rule("count_nonzero", _count_nonzero)


def _position(name: str) -> Rule:
    def function(b: IrBuilder, x: Value, *, axis: int | None, keepdims: bool) -> Value:
        shape = x.shape
        if axis is None:
            x = reshape(b, x, (int(np.prod(shape, dtype=np.int64)),))
        elif not shape:
            normalize_axis(name, axis, 1)
            x = reshape(b, x, (1,))
        number = 0 if axis is None else normalize_axis(name, axis, len(x.shape))
        _require_elements(name, x, (number,))
        if x.dtype == BOOL:
            x = cast(b, x, np.dtype(np.int8))
        found = b.op(f"numpy::{name}", x, dimension=number)
        if not keepdims:
            return found
        kept = (1,) * len(shape) if axis is None else tuple(1 if i == number else n for i, n in enumerate(shape))
        return reshape(b, found, kept)

    return Rule(name, function)


ARGMAX: Final = _position("argmax")
ARGMIN: Final = _position("argmin")


def _cumulative(name: str) -> Rule:
    def function(b: IrBuilder, x: Value, *, axis: int, dtype: DType, include_initial: bool) -> Value:
        x = cast(b, x, dtype)
        number = normalize_axis(name, axis, len(x.shape))
        out = b.op(f"numpy::{name}", x, dimension=number)
        if not include_initial:
            return out
        low = tuple(int(i == number) for i in range(len(x.shape)))
        zeros = (0,) * len(x.shape)
        initial = scalar(b, 0 if name == "cumulative_sum" else 1, dtype)
        return b.op(
            "stablehlo::pad", out, initial, edge_padding_low=low, edge_padding_high=zeros, interior_padding=zeros
        )

    return Rule(name, function)


CUMULATIVE_SUM: Final = _cumulative("cumulative_sum")
CUMULATIVE_PROD: Final = _cumulative("cumulative_prod")


def _diff(b: IrBuilder, x: Value, *, axis: int, times: int) -> Value:
    """Differences of neighbours, `times` over; of booleans, whether they differ."""
    axis = normalize_axis("diff", axis, len(x.shape))
    for _ in range(min(times, x.shape[axis])):
        later, earlier = window(b, x, axis, 1, x.shape[axis]), window(b, x, axis, 0, x.shape[axis] - 1)
        x = b.op("stablehlo::xor" if x.dtype == BOOL else "stablehlo::subtract", later, earlier)
    return x


DIFF: Final = Rule("diff", _diff)
