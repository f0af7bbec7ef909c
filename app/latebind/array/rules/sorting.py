"""Rules of sorting and of searching in what is sorted."""

from __future__ import annotations

from typing import Final

from latebind.array.rules.common import INT64, full, like, promote, reshape
from latebind.array.rules.creation import positions
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.runtime.signature import Rule


def _sort(b: IrBuilder, x: Value, *, axis: int, descending: bool, stable: bool) -> Value:
    direction = "GT" if descending else "LT"
    return b.op("stablehlo::sort", x, dimension=axis, comparison_direction=direction, is_stable=stable)


SORT: Final = Rule("sort", _sort)


def _argsort(b: IrBuilder, x: Value, *, axis: int, descending: bool, stable: bool) -> Value:
    attributes = {
        "dimension": axis,
        "comparison_direction": "GT" if descending else "LT",
        "is_stable": stable,
    }
    return b.make_generic("stablehlo::sort", [x, positions(b, axis, x.shape)], attributes).value(1)


ARGSORT: Final = Rule("argsort", _argsort)


def _searchsorted(b: IrBuilder, x1: Value, x2: Value, *, right: bool) -> Value:
    """Binary search for all values at once: as many steps as the length has bits, each a gather and a comparison."""
    if len(x1.shape) != 1:
        raise ShapeMismatchError(f"searchsorted: the sorted array has to have one dimension, got shape {x1.shape}")
    x1, x2 = promote(b, x1, x2)
    if x1.dtype.kind == "c":
        raise DTypeMismatchError("searchsorted takes real numbers, got complex ones")
    (length,) = x1.shape
    low, high = full(b, 0, x2.shape, INT64), full(b, length, x2.shape, INT64)
    for _ in range(length.bit_length()):
        middle = b.op("stablehlo::divide", b.op("stablehlo::add", low, high), full(b, 2, x2.shape, INT64))
        goes_right = _precedes(b, _elements(b, x1, middle), x2, or_equal=right)
        goes_right = b.op(
            "stablehlo::and", goes_right, b.op("stablehlo::compare", low, high, comparison_direction="LT")
        )
        after = b.op("stablehlo::add", middle, like(b, 1, middle))
        low, high = (
            b.op("stablehlo::select", goes_right, after, low),
            b.op("stablehlo::select", goes_right, high, middle),
        )
    return low


def _elements(b: IrBuilder, x: Value, indices: Value) -> Value:
    """Return elements of a one-dimensional array; indices past the end are clamped."""
    return b.op(
        "stablehlo::gather",
        x,
        reshape(b, indices, (*indices.shape, 1)),
        offset_dims=(),
        collapsed_slice_dims=(0,),
        start_index_map=(0,),
        index_vector_dim=len(indices.shape),
        slice_sizes=(1,),
    )


def _precedes(b: IrBuilder, x: Value, y: Value, *, or_equal: bool) -> Value:
    """Return whether x comes before y in sorting order, in which NaN is last."""
    found = b.op("stablehlo::compare", x, y, comparison_direction="LE" if or_equal else "LT")
    if x.dtype.kind != "f":
        return found
    x_nan, y_nan = (b.op("stablehlo::compare", value, value, comparison_direction="NE") for value in (x, y))
    last = y_nan if or_equal else b.op("stablehlo::and", y_nan, b.op("stablehlo::not", x_nan))
    return b.op("stablehlo::or", found, last)


SEARCHSORTED: Final = Rule("searchsorted", _searchsorted)
