"""Dynamic slices, gather and scatter."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.slow

DTYPES = ["bool", "int8", "uint8", "int32", "uint16", "uint64", "float16", "float32", "complex64"]
BODIES = {"add": "biufc", "multiply": "biufc", "maximum": "biufc", "minimum": "biufc", "and": "biu", "or": "biu"}
INDEX_DTYPES = ["int8", "int32", "int64", "uint8", "uint32", "uint64"]


def data(dtype, shape, seed=0):
    x = np.random.default_rng(seed).integers(0 if np.dtype(dtype).kind == "u" else -3, 4, shape)
    return (x + 1j * x[..., ::-1]).astype(dtype) if np.dtype(dtype).kind == "c" else x.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index_dtype", ["int64", "int8", "uint64"])
@pytest.mark.parametrize("starts", [(0, 0), (1, 2), (9, 100), (-5, 1), (2**40, -(2**40))])
def test_dynamic_slices_clamp(graph, dtype, index_dtype, starts):
    starts = np.array(starts).astype(index_dtype)
    x, part = data(dtype, (4, 6)), data(dtype, (2, 3), 1)
    graph.check_op("stablehlo::dynamic_slice", x, *starts, slice_sizes=(2, 3))
    graph.check_op("stablehlo::dynamic_slice", x, *starts, slice_sizes=(4, 3))
    graph.check_op("stablehlo::dynamic_update_slice", x, part, *starts)
    fixed = [graph.constant(start) for start in starts]
    value, update = graph.parameters[-4], graph.parameters[-3]
    graph.check(
        graph.op("stablehlo::dynamic_slice", value, *fixed, slice_sizes=(2, 3)),
        graph.op("stablehlo::dynamic_update_slice", value, update, *fixed),
        graph.op("stablehlo::dynamic_update_slice", value, update, fixed[0], graph.parameters[-1]),
    )


def test_windows_that_are_everything_or_nothing(graph):
    x, zero = data("float32", (3, 4)), np.int64(1)
    for shape in [(3, 4), (0, 4), (0, 0)]:
        graph.check_op("stablehlo::dynamic_slice", x, zero, zero, slice_sizes=shape)
        graph.check_op("stablehlo::dynamic_update_slice", x, data("float32", shape), zero, zero)
    graph.check_op("stablehlo::dynamic_slice", np.float32(2), slice_sizes=())
    graph.check_op("stablehlo::dynamic_update_slice", np.float32(2), np.float32(3))


GATHERS = [
    # shape, indices, attributes
    ((5, 4), [[0], [3], [9], [-1]], dict(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,),
                                         index_vector_dim=1, slice_sizes=(1, 4))),
    ((5, 4), [0, 3, 9], dict(offset_dims=(0,), collapsed_slice_dims=(1,), start_index_map=(1,), index_vector_dim=1,
                             slice_sizes=(5, 1))),
    ((5, 4), [[0, 1], [7, 3], [-2, 2]], dict(offset_dims=(), collapsed_slice_dims=(0, 1), start_index_map=(0, 1),
                                             index_vector_dim=1, slice_sizes=(1, 1))),
    ((5, 4), [[[0, 3], [1, 2]]], dict(offset_dims=(), collapsed_slice_dims=(0, 1), start_index_map=(1, 0),
                                      index_vector_dim=1, slice_sizes=(1, 1))),
    ((5, 4), [[0, 1], [7, 3]], dict(offset_dims=(1, 2), collapsed_slice_dims=(), start_index_map=(0, 1),
                                    index_vector_dim=1, slice_sizes=(2, 3))),
    ((5, 4, 3), [[1, 2], [0, 9]], dict(offset_dims=(0, 2), collapsed_slice_dims=(1,), start_index_map=(2, 1),
                                       index_vector_dim=1, slice_sizes=(5, 1, 2))),
    ((2, 5, 4), [[[0], [1], [4]], [[2], [2], [0]]],
     dict(offset_dims=(2,), collapsed_slice_dims=(1,), operand_batching_dims=(0,), start_indices_batching_dims=(0,),
          start_index_map=(1,), index_vector_dim=2, slice_sizes=(1, 1, 4))),
    ((4,), 2, dict(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,), index_vector_dim=0,
                   slice_sizes=(1,))),
    ((4, 3), np.zeros((0, 1), int).tolist(), dict(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,),
                                                 index_vector_dim=1, slice_sizes=(1, 3))),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", range(len(GATHERS)))
def test_gather(graph, dtype, case):
    shape, indices, attributes = GATHERS[case]
    indices = np.array(indices, np.int64)
    if indices.size == 0:
        indices = indices.reshape(0, 1)
    graph.check_op("stablehlo::gather", data(dtype, shape), indices, **attributes)
    graph.check(graph.op("stablehlo::gather", graph.parameters[0], graph.constant(indices), **attributes))


@pytest.mark.parametrize("index_dtype", INDEX_DTYPES)
def test_indices_of_every_dtype(graph, index_dtype):
    indices = np.array([0, 4, 100, 3, 255 if index_dtype == "uint8" else 7]).astype(index_dtype)
    indices[-1] = np.iinfo(index_dtype).max
    pick = dict(index_vector_dim=1, indices_are_sorted=False)
    graph.check_op(
        "stablehlo::gather", data("float32", (5,)), indices, offset_dims=(), collapsed_slice_dims=(0,),
        start_index_map=(0,), slice_sizes=(1,), **pick,
    )  # fmt: skip
    graph.check_op(
        "stablehlo::scatter", data("float32", (5,)), indices, np.arange(5, dtype=np.float32), update_window_dims=(),
        inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), update_computation=None, **pick,
    )  # fmt: skip


SCATTERS = [
    # shape, indices, shape of the updates, attributes
    ((6,), [[0], [2], [2], [5], [2]], (5,), dict(update_window_dims=(), inserted_window_dims=(0,),
                                                 scatter_dims_to_operand_dims=(0,), index_vector_dim=1)),
    ((6,), [[7], [2], [-1], [2], [9]], (5,), dict(update_window_dims=(), inserted_window_dims=(0,),
                                                  scatter_dims_to_operand_dims=(0,), index_vector_dim=1)),
    ((6,), [[7], [-2], [6]], (3,), dict(update_window_dims=(), inserted_window_dims=(0,),
                                        scatter_dims_to_operand_dims=(0,), index_vector_dim=1)),
    ((5, 4), [[0], [3], [0], [8]], (4, 4), dict(update_window_dims=(1,), inserted_window_dims=(0,),
                                                scatter_dims_to_operand_dims=(0,), index_vector_dim=1)),
    ((5, 4), [[3], [3]], (5, 2), dict(update_window_dims=(0,), inserted_window_dims=(1,),
                                      scatter_dims_to_operand_dims=(1,), index_vector_dim=1)),
    ((5, 4), [[0, 1], [4, 3], [0, 1], [5, 0]], (4,),
     dict(update_window_dims=(), inserted_window_dims=(0, 1), scatter_dims_to_operand_dims=(0, 1), index_vector_dim=1)),
    ((5, 4), [[0, 1], [3, 2], [-1, 3]], (3, 2, 2),
     dict(update_window_dims=(1, 2), inserted_window_dims=(), scatter_dims_to_operand_dims=(0, 1), index_vector_dim=1)),
    ((5, 4, 3), [[1, 2], [2, 0]], (2, 5, 1), dict(update_window_dims=(1, 2), inserted_window_dims=(1,),
                                                 scatter_dims_to_operand_dims=(2, 1), index_vector_dim=1)),
    ((2, 5, 4), [[[0], [1], [1]], [[2], [9], [0]]], (2, 3, 4),
     dict(update_window_dims=(2,), inserted_window_dims=(1,), input_batching_dims=(0,),
          scatter_indices_batching_dims=(0,), scatter_dims_to_operand_dims=(1,), index_vector_dim=2)),
    ((4,), 2, (), dict(update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,),
                       index_vector_dim=0)),
    ((), np.zeros((0,), int), (), dict(update_window_dims=(), inserted_window_dims=(),
                                       scatter_dims_to_operand_dims=(), index_vector_dim=0)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", range(len(SCATTERS)))
def test_scatter(graph, body, dtype, case):
    shape, indices, updates, attributes = SCATTERS[case]
    x, updates = data(dtype, shape or (1,), 1).reshape(shape), data(dtype, updates or (1,), 2).reshape(updates)
    indices = np.array(indices, np.int64)
    bodies = [None, *(body(name) for name, kinds in BODIES.items() if np.dtype(dtype).kind in kinds)]
    for update_computation in bodies:
        options = {**attributes, "update_computation": update_computation}
        graph.check_op("stablehlo::scatter", x, indices, updates, **options)
        operands = graph.parameters[-3], graph.constant(indices), graph.parameters[-1]
        graph.check(graph.op("stablehlo::scatter", *operands, **options))


def test_the_last_of_many_assignments_to_one_place_stays(graph):
    rng = np.random.default_rng(0)
    x, indices = np.zeros(100, np.float32), rng.integers(-3, 103, 100_000)
    graph.check_op(
        "stablehlo::scatter", x, indices, rng.random(100_000, np.float32), update_window_dims=(),
        inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), index_vector_dim=1, update_computation=None,
    )  # fmt: skip
    rows = rng.random((30_000, 5), np.float32)
    graph.check_op(
        "stablehlo::scatter", np.zeros((100, 5), np.float32), indices[:30_000], rows, update_window_dims=(1,),
        inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,), index_vector_dim=1, update_computation=None,
    )  # fmt: skip
