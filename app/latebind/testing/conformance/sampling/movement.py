"""Samples of operations that move elements without computing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import DTYPES, Broadcast, Constant, Sample, sample, samples_of
from latebind.testing.conformance.sampling.values import ordinary, special_array, strided

LARGE = (200, 351)


@samples_of("stablehlo::bitcast_convert")
def bitcast_convert(kind: str, dtype: DType) -> Iterator[Sample]:
    """To each dtype of the same kind of bits: as wide, wider, narrower."""
    yield sample(f"to-{dtype.name}", ordinary(dtype, (2, 4)), dtype=dtype)
    for target in DTYPES:
        if "b" in (dtype.kind, target.kind) or (dtype.kind == "c") != (target.kind == "c") or target == dtype:
            continue
        ratio = max(1, target.itemsize // dtype.itemsize)
        tail = (ratio,) if ratio > 1 else ()
        values = ordinary(dtype, (2, 3, *tail))
        yield sample(f"to-{target.name}", values, dtype=target)
        yield sample(f"to-{target.name}-strided", strided(values), dtype=target)
        yield sample(f"to-{target.name}-scalar", ordinary(dtype, tail), dtype=target)
        yield sample(f"to-{target.name}-empty", ordinary(dtype, (0, *tail)), dtype=target)
        if target.itemsize == dtype.itemsize and "f" in dtype.kind + target.kind:
            special = special_array(dtype)
            yield sample(f"to-{target.name}-special", special[special == special], dtype=target)


@samples_of("stablehlo::broadcast_in_dim")
def broadcast_in_dim(kind: str, dtype: DType) -> Iterator[Sample]:
    """Scalars, new dimensions in each place, repeated ones, dimensions in another order."""
    cases: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = [
        ((), (), (2, 3)),
        ((3,), (1,), (2, 3)),
        ((2,), (0,), (2, 3)),
        ((1, 3), (0, 1), (4, 3)),
        ((2, 1), (0, 2), (2, 5, 3)),
        ((2, 3), (2, 0), (3, 4, 2)),
        ((1, 1), (1, 0), (2, 3)),
        ((2, 3), (0, 1), (2, 3)),
        ((), (), ()),
        ((0, 1), (0, 1), (0, 5)),
        ((1,), (0,), (0,)),
        ((1,), (0,), (70_000,)),
    ]
    for index, (source, dimensions, shape) in enumerate(cases):
        value = ordinary(dtype, source, index)
        yield sample(f"{index}", value, broadcast_dimensions=dimensions, shape=shape)
    yield sample("constant", Constant(ordinary(dtype, (3,))), broadcast_dimensions=(0,), shape=(3, 2))
    yield sample("twice", Broadcast(ordinary(dtype, (3, 1)), (3, 4)), broadcast_dimensions=(2, 0), shape=(4, 2, 3))


@samples_of("stablehlo::reshape")
def reshape(kind: str, dtype: DType) -> Iterator[Sample]:
    """More and fewer dimensions, unit dimensions, empty values."""
    cases: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((2, 6), (3, 4)),
        ((2, 6), (12,)),
        ((2, 6), (2, 1, 3, 2)),
        ((), (1, 1)),
        ((1, 1), ()),
        ((0, 3), (5, 0)),
        (LARGE, (351, 200)),
        ((4,), (4,)),
    ]
    for index, (source, shape) in enumerate(cases):
        yield sample(f"{index}", ordinary(dtype, source, index), shape=shape)
    yield sample("strided", strided(ordinary(dtype, (3, 4))), shape=(2, 6))
    yield sample("broadcast", Broadcast(ordinary(dtype, (3, 1)), (3, 4)), shape=(2, 6))


@samples_of("stablehlo::transpose")
def transpose(kind: str, dtype: DType) -> Iterator[Sample]:
    """Every permutation of three dimensions, and none."""
    for permutation in ((1, 0, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0), (2, 0, 1), (0, 1, 2)):
        label = "-".join(map(str, permutation))
        yield sample(label, ordinary(dtype, (2, 3, 4)), permutation=permutation)
    yield sample("scalar", ordinary(dtype, ()), permutation=())
    yield sample("vector", ordinary(dtype, (3,)), permutation=(0,))
    yield sample("empty", ordinary(dtype, (0, 3)), permutation=(1, 0))
    yield sample("strided", strided(ordinary(dtype, (3, 1, 4))), permutation=(2, 0, 1))
    yield sample("large", ordinary(dtype, LARGE), permutation=(1, 0))


@samples_of("stablehlo::reverse")
def reverse(kind: str, dtype: DType) -> Iterator[Sample]:
    """Along no, one and several dimensions."""
    for dimensions in ((0,), (1,), (2,), (0, 2), (2, 1, 0), ()):
        label = "dimensions-" + "-".join(map(str, dimensions))
        yield sample(label, ordinary(dtype, (2, 3, 4)), dimensions=dimensions)
    yield sample("scalar", ordinary(dtype, ()), dimensions=())
    yield sample("empty", ordinary(dtype, (0, 3)), dimensions=(0, 1))
    yield sample("strided", strided(ordinary(dtype, (5,))), dimensions=(0,))
    yield sample("large", ordinary(dtype, LARGE), dimensions=(1,))


@samples_of("stablehlo::slice")
def slice_(kind: str, dtype: DType) -> Iterator[Sample]:
    """Windows, strides that do and do not divide, empty and full ones."""
    cases: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = [
        ((0, 0), (5, 7), (1, 1)),
        ((1, 2), (4, 6), (1, 1)),
        ((0, 1), (5, 7), (2, 3)),
        ((4, 6), (5, 7), (1, 1)),
        ((2, 2), (2, 5), (1, 1)),
        ((0, 0), (5, 7), (10, 4)),
        ((5, 7), (5, 7), (1, 2)),
    ]
    for index, (starts, limits, strides) in enumerate(cases):
        value = ordinary(dtype, (5, 7))
        yield sample(f"{index}", value, start_indices=starts, limit_indices=limits, strides=strides)
    row = Broadcast(ordinary(dtype, (1, 7)), (5, 7))
    yield sample("broadcast", row, start_indices=(1, 2), limit_indices=(4, 6), strides=(2, 1))
    yield sample("scalar", ordinary(dtype, ()), start_indices=(), limit_indices=(), strides=())
    large = ordinary(dtype, (70_000,))
    yield sample("large", large, start_indices=(3,), limit_indices=(69_999,), strides=(7,))


@samples_of("stablehlo::concatenate")
def concatenate(kind: str, dtype: DType) -> Iterator[Sample]:
    """One, two, empty and a hundred operands, along each dimension."""
    parts = [ordinary(dtype, (2, count), count) for count in (3, 1, 0, 4)]
    yield sample("one", parts[0], dimension=1)
    yield sample("several", *parts, dimension=1)
    yield sample("rows", *(np.ascontiguousarray(part.T) for part in parts), dimension=0)
    yield sample("strided", strided(parts[0]), parts[0], dimension=0)
    yield sample("broadcast", Broadcast(parts[1], (2, 2)), parts[0], Constant(parts[3]), dimension=1)
    yield sample("all-empty", parts[2], parts[2], dimension=1)
    yield sample("many", *(ordinary(dtype, (1, 3), seed) for seed in range(100)), dimension=0)
    yield sample("large", ordinary(dtype, (40_000,)), ordinary(dtype, (30_001,)), dimension=0)


@samples_of("stablehlo::pad")
def pad(kind: str, dtype: DType) -> Iterator[Sample]:
    """Edges, cropping, interior padding, and all of them at once."""
    cases: list[tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = [
        ((1, 0), (0, 2), (0, 0)),
        ((-1, 0), (0, -2), (0, 0)),
        ((0, 0), (0, 0), (1, 2)),
        ((2, -1), (-1, 3), (2, 1)),
        ((-3, -5), (1, 1), (1, 2)),
        ((-3, 0), (0, 0), (0, 0)),
        ((-2, 4), (-1, -8), (0, 0)),
        ((0, 0), (0, 0), (0, 0)),
        ((-4, -5), (0, 1), (1, 1)),
    ]
    fill = ordinary(dtype, (), 9)
    for index, (low, high, interior) in enumerate(cases):
        attributes = {"edge_padding_low": low, "edge_padding_high": high, "interior_padding": interior}
        yield sample(f"{index}", ordinary(dtype, (3, 4)), fill, **attributes)
    single = {"edge_padding_low": (2,), "edge_padding_high": (1,), "interior_padding": (3,)}
    yield sample("empty", ordinary(dtype, (0,)), fill, **single)
    yield sample("one", Broadcast(ordinary(dtype, ()), (1,)), Constant(fill), **single)
    yield sample("special", special_array(dtype), special_array(dtype)[0], **single)
    yield sample("large", ordinary(dtype, (30_000,)), fill, **single)
    nothing: dict[str, tuple[int, ...]] = dict.fromkeys(single, ())
    yield sample("scalar", ordinary(dtype, ()), fill, **nothing)


@samples_of("lazy_tensors::replication_pad")
def replication_pad(kind: str, dtype: DType) -> Iterator[Sample]:
    """One and two dimensions padded, one side only, nothing."""
    for padding in ((1, 2), (0, 1, 3, 0), (2, 2, 1, 1, 0, 1), (), (0, 0)):
        label = "-".join(map(str, padding)) or "nothing"
        yield sample(label, ordinary(dtype, (2, 3, 4)), padding=padding)


@samples_of("lazy_tensors::replication_pad_backward")
def replication_pad_backward(kind: str, dtype: DType) -> Iterator[Sample]:
    """The gradients of the same."""
    for padding in ((1, 2), (0, 1, 3, 0), (2, 2, 1, 1, 0, 1), (), (0, 0)):
        shape = [2, 3, 4]
        for index in range(len(padding) // 2):
            shape[2 - index] += padding[2 * index] + padding[2 * index + 1]
        label = "-".join(map(str, padding)) or "nothing"
        gradient = ordinary(dtype, tuple(shape))
        yield sample(label, gradient, ordinary(dtype, (2, 3, 4)), padding=padding).combining(60)
