"""Samples of `dot_general`."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import (
    Array,
    Broadcast,
    Operand,
    Sample,
    Transposed,
    sample,
    samples_of,
)
from latebind.testing.conformance.sampling.values import exact, ordinary, strided

Dims = tuple[int, ...]


def _dot(
    label: str, lhs: Operand | Array, rhs: Operand | Array, batch: tuple[Dims, Dims], summed: tuple[Dims, Dims]
) -> Sample:
    made = sample(
        label,
        lhs,
        rhs,
        lhs_batching_dimensions=batch[0],
        rhs_batching_dimensions=batch[1],
        lhs_contracting_dimensions=summed[0],
        rhs_contracting_dimensions=summed[1],
    )
    shape = made.operands[0].value.shape
    return made.combining(prod(shape[dimension] for dimension in summed[0]))


@samples_of("stablehlo::dot_general")
def dot_general(kind: str, dtype: DType) -> Iterator[Sample]:
    """Vectors, matrices, batches in any dimension, several and no contracting dimensions, empty ones."""
    none: tuple[Dims, Dims] = ((), ())
    cases: list[tuple[str, Dims, Dims, tuple[Dims, Dims], tuple[Dims, Dims]]] = [
        ("vectors", (5,), (5,), none, ((0,), (0,))),
        ("matrices", (3, 4), (4, 5), none, ((1,), (0,))),
        ("matrices-transposed", (4, 3), (5, 4), none, ((0,), (1,))),
        ("matrix-vector", (3, 4), (4,), none, ((1,), (0,))),
        ("vector-matrix", (4,), (4, 3), none, ((0,), (0,))),
        ("batch", (2, 3, 4), (2, 4, 5), ((0,), (0,)), ((2,), (1,))),
        ("batch-inside", (3, 2, 4), (4, 5, 2), ((1,), (2,)), ((2,), (0,))),
        ("two-batches", (2, 3, 4, 5), (3, 2, 5), ((0, 1), (1, 0)), ((3,), (2,))),
        ("two-contracted", (2, 3, 4), (4, 2, 5), none, ((0, 2), (1, 0))),
        ("outer", (2, 3), (4,), none, none),
        ("batched-outer", (2, 3), (2, 4), ((0,), (0,)), none),
        ("elementwise", (2, 3), (2, 3), ((0, 1), (0, 1)), none),
        ("scalars", (), (), none, none),
        ("scalar", (), (3, 2), none, none),
        ("empty-sum", (3, 0), (0, 2), none, ((1,), (0,))),
        ("empty-rows", (0, 3), (3, 2), none, ((1,), (0,))),
        ("unit", (1, 1), (1, 1), none, ((1,), (0,))),
        ("tensor", (2, 3, 4), (4, 5, 6), none, ((2,), (0,))),
    ]
    for label, left, right, batch, summed in cases:
        yield _dot(label, exact(dtype, left, 1), exact(dtype, right, 2), batch, summed)
    plain = ((1,), (0,))
    yield _dot("values", ordinary(dtype, (7, 33)), ordinary(dtype, (33, 5)), none, plain)
    yield _dot("strided", strided(ordinary(dtype, (3, 4))), strided(ordinary(dtype, (4, 5))), none, plain)
    row = Broadcast(ordinary(dtype, (1, 4)), (3, 4))
    yield _dot("broadcast", row, Transposed(ordinary(dtype, (5, 4))), none, plain)
    yield _dot("large", ordinary(dtype, (70, 90)), ordinary(dtype, (90, 80)), none, plain)
    if dtype.kind == "f":
        edge = np.array([[np.nan, 1], [np.inf, 1], [0, -np.inf], [1, 2]], dtype)
        yield _dot("special", edge, np.array([[1, 0], [2, 1]], dtype), none, plain)
    if dtype.kind in "iu":
        top = np.full((2, 3), np.iinfo(dtype.name).max, dtype)
        yield _dot("overflow", top, np.ascontiguousarray(top.T), none, plain)
