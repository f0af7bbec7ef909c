"""Samples of operations that make values, hand them on, or say how large they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import Array, Constant, Sample, sample, samples_of
from latebind.testing.conformance.sampling.values import denormal, ordinary, special_array, strided


def _read_only(value: Array) -> Array:
    value = np.array(value)
    value.flags.writeable = False
    return value


@samples_of("stablehlo::constant", "lazy_tensors::tensor_data")
def constant(kind: str, dtype: DType) -> Iterator[Sample]:
    """Scalars and arrays of every dtype, each special value as a scalar."""
    yield sample("values", value=_read_only(ordinary(dtype, (3, 4))))
    yield sample("empty", value=_read_only(ordinary(dtype, (0, 2))))
    yield sample("special", value=_read_only(special_array(dtype)))
    for index, value in enumerate(special_array(dtype)[:24]):
        yield sample(f"scalar-{index}", value=_read_only(np.array(value, dtype)))
    if dtype.kind in "fc":
        yield sample("denormals", value=_read_only(denormal(dtype)))
    yield sample("large", value=_read_only(ordinary(dtype, (3000,))))
    yield sample("equal-elements", value=_read_only(np.ones((5, 1, 7), dtype)))


@samples_of("stablehlo::iota")
def iota(kind: str, dtype: DType) -> Iterator[Sample]:
    """Along each dimension, empty, of one element, longer than small dtypes count."""
    yield sample("vector", iota_dimension=0, shape=(5,), dtype=dtype)
    for dimension in range(3):
        yield sample(f"dimension-{dimension}", iota_dimension=dimension, shape=(2, 3, 4), dtype=dtype)
    yield sample("empty", iota_dimension=0, shape=(0, 3), dtype=dtype)
    yield sample("empty-other", iota_dimension=1, shape=(0, 3), dtype=dtype)
    yield sample("one", iota_dimension=1, shape=(3, 1), dtype=dtype)
    yield sample("to-127", iota_dimension=0, shape=(128,), dtype=dtype)
    if dtype.itemsize > 2 or dtype.kind != "f":
        count = 200 if dtype.itemsize == 1 else 70_000 if dtype.itemsize > 2 else 30_000
        yield sample("long", iota_dimension=0, shape=(min(count, 128) if dtype.name == "int8" else count,), dtype=dtype)


@samples_of("stablehlo::get_dimension_size")
def get_dimension_size(kind: str, dtype: DType) -> Iterator[Sample]:
    """Each dimension, an empty one among them."""
    for dimension in range(3):
        yield sample(f"dimension-{dimension}", ordinary(dtype, (2, 0, 4)), dimension=dimension)


@samples_of("lazy_tensors::ltc_get_dimensions_size")
def get_dimensions_size(kind: str, dtype: DType) -> Iterator[Sample]:
    """Products of some extents, of none, and of an empty one."""
    for dimensions in ((0, 1), (), (2,), (0, 3, 2)):
        label = "dimensions-" + "-".join(map(str, dimensions))
        yield sample(label, ordinary(dtype, (2, 3, 4, 0)), dimensions=dimensions)


@samples_of("stablehlo::optimization_barrier", "lazy_tensors::tensor_list")
def bundle(kind: str, dtype: DType) -> Iterator[Sample]:
    """Several values pass together, one of them twice; also none."""
    special = special_array(dtype)
    values = ordinary(dtype, (2, 3))
    yield sample("one", values)
    yield sample("several", values, strided(values), special, ordinary(dtype, ()), ordinary(dtype, (0,)))
    yield sample("constant", Constant(values), values)


@samples_of("lazy_tensors::device_data")
def device_data(kind: str, dtype: DType) -> Iterator[Sample]:
    """Arguments come back as they are, whatever their shape, layout and values."""
    yield sample("values", ordinary(dtype, (2, 3)))
    yield sample("scalar", ordinary(dtype, ()))
    yield sample("empty", ordinary(dtype, (0, 2)))
    yield sample("unit-dims", strided(ordinary(dtype, (3, 1, 4))))
    yield sample("special", special_array(dtype))
    yield sample("large", ordinary(dtype, (70_000,)))
    if dtype.kind in "fc":
        yield sample("denormals", denormal(dtype))
