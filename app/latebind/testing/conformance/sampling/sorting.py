"""Samples of `sort`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import Array, Broadcast, Sample, sample, samples_of
from latebind.testing.conformance.sampling.values import exact, ordinary, special_array, strided


def _positions(shape: tuple[int, ...]) -> Array:
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@samples_of("stablehlo::sort")
def sort(kind: str, dtype: DType) -> Iterator[Sample]:
    """Both directions, each dimension, several operands, ties that show stability, NaN and zeros of both signs."""
    for direction in ("LT", "GT"):
        for dimension in (0, 1, -1):
            label = f"{direction}-dimension-{dimension}"
            yield sample(label, ordinary(dtype, (4, 5)), dimension=dimension, comparison_direction=direction)
        ties = exact(dtype, (40, 2))
        attributes = {"dimension": 0, "comparison_direction": direction, "is_stable": True}
        yield sample(f"{direction}-stable", ties, _positions(ties.shape), **attributes)
        others = (ordinary(dtype, (40, 2), 2), ordinary(np.dtype(bool), (40, 2)), ordinary(np.dtype("f4"), (40, 2)))
        yield sample(f"{direction}-several", ties, *others, **attributes)
        special = special_array(dtype)
        if dtype.kind == "c":
            special = special[~np.isnan(special)]
        rolled = np.roll(np.concatenate([special, special]), 5)
        yield sample(f"{direction}-special", rolled, _positions(rolled.shape), **attributes)
        yield sample(f"{direction}-empty", ordinary(dtype, (0, 2)), **attributes)
        yield sample(f"{direction}-unit", ordinary(dtype, (1, 3)), **attributes)
        yield sample(f"{direction}-strided", strided(ordinary(dtype, (4, 5))), **attributes)
        yield sample(f"{direction}-broadcast", Broadcast(ties[:, :1], (40, 3)), _positions((40, 3)), **attributes)
        yield sample(f"{direction}-large", ordinary(dtype, (70_000,)), _positions((70_000,)), **attributes)
        if dtype.kind == "f":
            zeros = np.array([0.0, -0.0, 1.0, -0.0, 0.0, -1.0], dtype)
            yield sample(f"{direction}-zeros", zeros, _positions((6,)), **attributes)
            mixed = np.array([np.nan, 1, -np.nan, np.inf, np.nan, -np.inf, 0], dtype)
            yield sample(f"{direction}-nan", mixed, _positions((7,)), **attributes)
