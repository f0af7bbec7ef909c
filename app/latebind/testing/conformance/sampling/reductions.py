"""Samples of reductions: whole dimensions, windows, running ones, positions of extremes."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Final

import numpy as np

from latebind.ir.opkind import OpKind
from latebind.ir.ops.reductions import BODIES
from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import (
    Array,
    Broadcast,
    Constant,
    Operand,
    Sample,
    Transposed,
    sample,
    samples_of,
)
from latebind.testing.conformance.sampling.values import exact, ordinary, special_array, strided

_IDENTITIES: Final[dict[str, Any]] = {"add": 0, "multiply": 1, "or": 0}


#: Integers for which the bodies beside `add` are left out: engines treat them as those of other widths.
_LIKE_OTHERS: Final = ("int16", "uint8", "uint16", "uint32")


def bodies(dtype: DType) -> list[OpKind]:
    """Return the bodies that reductions of a dtype are checked with."""
    allowed = [body for body, kinds in BODIES.items() if dtype.kind in kinds]
    return allowed[:1] if dtype.name in _LIKE_OTHERS else allowed


def identity(body: OpKind, dtype: DType) -> Array:
    """Return what leaves every value as it is when combined with it."""
    if body.name in _IDENTITIES:
        return np.array(_IDENTITIES[body.name], dtype)
    if dtype.kind == "b":
        return np.array(body.name != "maximum", dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype.name)
        full = -1 if info.min else info.max
        return np.array({"and": full, "maximum": info.min, "minimum": info.max}[body.name], dtype)
    sign = -1 if body.name == "maximum" else 1
    infinity = complex(sign * np.inf, sign * np.inf) if dtype.kind == "c" else sign * np.inf
    return np.array(infinity, dtype)


def _factors(dtype: DType, body: OpKind, shape: tuple[int, ...], seed: int = 0) -> Array:
    """Return values whose products neither overflow nor vanish."""
    values = ordinary(dtype, shape, seed)
    if body.name != "multiply" or dtype.kind not in "fc":
        return values
    unit = np.where(np.abs(values) > 0, values / np.maximum(np.abs(values), 1e-3), 1)
    return np.asarray(unit * (1 + 0.01 * exact(np.dtype(np.float64), shape, seed))).astype(dtype)


def _reduce(
    label: str, value: Array | Operand, init: Array | Operand, body: OpKind, dimensions: tuple[int, ...]
) -> Sample:
    made = sample(f"{body.name}-{label}", value, init, dimensions=dimensions, body=body)
    shape = made.operands[0].value.shape
    return made.combining(1 + prod(shape[dimension] for dimension in dimensions))


@samples_of("stablehlo::reduce")
def reduce(kind: str, dtype: DType) -> Iterator[Sample]:
    """Each body over each choice of dimensions, empty and unit ones, special values, initial values."""
    for body in bodies(dtype):
        none = Constant(identity(body, dtype))
        value = _factors(dtype, body, (3, 4, 5))
        for dimensions in ((0,), (1,), (2,), (0, 2), (2, 0, 1), ()):
            label = "dimensions-" + "-".join(map(str, dimensions))
            yield _reduce(label, value, none, body, dimensions)
        yield _reduce("initial-value", value, _factors(dtype, body, (), 3), body, (1,))
        yield _reduce("empty", value[:0], _factors(dtype, body, (), 4), body, (0,))
        yield _reduce("empty-result", value[:0], none, body, (1,))
        yield _reduce("unit", value[:, :1], none, body, (1,))
        yield _reduce("scalar", value[0, 0, 0], none, body, ())
        yield _reduce("strided", strided(value[0]), none, body, (0,))
        yield _reduce("transposed", Transposed(value[0]), none, body, (0,))
        yield _reduce("broadcast", Broadcast(value[0, :1], (4, 5)), none, body, (0,))
        if dtype.kind == "c":
            continue
        special = special_array(dtype)
        if body.name not in ("add", "multiply") or dtype.kind != "f":
            yield _reduce("special", special, none, body, (0,))
            yield _reduce("pairs", np.stack([special, np.roll(special, 5)]), none, body, (0,))
        # float16 overflows, and many factors vanish
        if dtype.kind in "biu" or (body.name != "multiply" and dtype.itemsize > 2):
            yield _reduce("large", ordinary(dtype, (70_000,)), none, body, (0,))
            yield _reduce("large-rows", ordinary(dtype, (270, 260)), none, body, (0,))


#: name: (shape, window, strides, base dilations, window dilations, padding)
_WINDOWS: Final[dict[str, tuple[tuple[Any, ...], ...]]] = {
    "plain": ((5, 6), (2, 3), (1, 1), (1, 1), (1, 1), ((0, 0), (0, 0))),
    "strided": ((5, 6), (2, 2), (2, 3), (1, 1), (1, 1), ((0, 0), (0, 0))),
    "padded": ((3, 4), (2, 3), (1, 1), (1, 1), (1, 1), ((1, 0), (1, 2))),
    "cropped": ((5, 6), (2, 2), (1, 1), (1, 1), (1, 1), ((-1, 0), (0, -2))),
    "base-dilated": ((3, 3), (2, 2), (1, 1), (2, 3), (1, 1), ((0, 0), (0, 0))),
    "window-dilated": ((6, 7), (2, 3), (1, 1), (1, 1), (3, 2), ((0, 0), (0, 0))),
    "everything": ((4, 5), (2, 3), (2, 1), (2, 1), (2, 2), ((1, 2), (0, 3))),
    "whole": ((4, 5), (4, 5), (1, 1), (1, 1), (1, 1), ((0, 0), (0, 0))),
    "running": ((9,), (9,), (1,), (1,), (1,), ((8, 0),)),
    "too-large": ((2, 2), (3, 1), (1, 1), (1, 1), (1, 1), ((0, 0), (0, 0))),
    "empty": ((0, 3), (1, 2), (1, 1), (1, 1), (1, 1), ((0, 0), (0, 0))),
    "only-padding": ((0, 3), (2, 2), (1, 1), (1, 1), (1, 1), ((2, 1), (0, 0))),
    "scalar": ((), (), (), (), (), ()),
    "unit": ((3, 1), (1, 1), (1, 1), (1, 1), (1, 1), ((0, 0), (0, 0))),
    "many-offsets": ((90,), (70,), (3,), (1,), (1,), ((2, 1),)),
}


@samples_of("stablehlo::reduce_window")
def reduce_window(kind: str, dtype: DType) -> Iterator[Sample]:
    """Each body with each form of window."""
    for body in bodies(dtype):
        for label, (shape, window, strides, base, dilations, padding) in _WINDOWS.items():
            init = identity(body, dtype) if label not in ("plain", "strided") else _factors(dtype, body, (), 2)
            if label == "many-offsets" and (dtype.itemsize <= 2 or dtype.kind == "c"):
                continue
            yield sample(
                f"{body.name}-{label}",
                _factors(dtype, body, shape),
                Constant(init) if label == "padded" else init,
                window_dimensions=window,
                window_strides=strides,
                base_dilations=base,
                window_dilations=dilations,
                padding=padding,
                body=body,
            ).combining(1 + prod(window))


@samples_of("numpy::argmax", "numpy::argmin")
def arg_extremum(kind: str, dtype: DType) -> Iterator[Sample]:
    """Ties, NaN, infinities, each dimension."""
    for dimension in range(3):
        yield sample(f"dimension-{dimension}", ordinary(dtype, (3, 4, 5)), dimension=dimension)
        yield sample(f"ties-{dimension}", exact(dtype, (3, 4, 5)), dimension=dimension)
    yield sample("equal", np.ones((4, 3), dtype), dimension=0)
    yield sample("unit", ordinary(dtype, (3, 1)), dimension=1)
    yield sample("empty-result", ordinary(dtype, (0, 3)), dimension=1)
    yield sample("strided", strided(ordinary(dtype, (4, 5))), dimension=0)
    special = special_array(dtype)
    for shift in range(0, special.size, 7):
        rolled = np.roll(special, shift)
        finite = rolled[rolled == rolled]
        yield sample(f"special-{shift}", finite if finite.size else rolled, dimension=0)
        if dtype.kind == "f":
            yield sample(f"nan-{shift}", rolled, dimension=0)
    if dtype.kind == "f":
        yield sample("all-nan", np.full((2, 3), np.nan, dtype), dimension=1)
        yield sample("zeros", np.array([-0.0, 0.0, -0.0], dtype), dimension=0)
        extreme = -np.inf if kind.endswith("max") else np.inf
        yield sample("infinite", np.full((2, 3), extreme, dtype), dimension=1)
    yield sample("large", ordinary(dtype, (70_000,)), dimension=0)


@samples_of("numpy::cumulative_sum", "numpy::cumulative_prod")
def cumulative(kind: str, dtype: DType) -> Iterator[Sample]:
    """Along each dimension, of empty and unit ones."""
    body = OpKind.get("stablehlo::add" if kind.endswith("sum") else "stablehlo::multiply")
    for dimension in range(3):
        yield sample(f"dimension-{dimension}", _factors(dtype, body, (3, 4, 5)), dimension=dimension).combining(5)
    yield sample("exact", exact(dtype, (4, 3)), dimension=0).combining(4)
    yield sample("empty", ordinary(dtype, (0, 3)), dimension=0)
    yield sample("empty-other", ordinary(dtype, (0, 3)), dimension=1)
    yield sample("unit", ordinary(dtype, (3, 1)), dimension=1)
    yield sample("strided", strided(_factors(dtype, body, (4, 5))), dimension=1).combining(5)
    if dtype.kind == "f":
        edge = np.array([1, np.inf, 2, np.nan, 1, -np.inf], dtype)
        yield sample("special", edge, dimension=0)
    if dtype.kind in "iu" or (kind.endswith("sum") and dtype.itemsize > 2):
        yield sample("long", ordinary(dtype, (2000,)), dimension=0).combining(2000)
