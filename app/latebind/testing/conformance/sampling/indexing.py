"""Samples of dynamic slices, gather and scatter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from latebind.ir.types import DType
from latebind.testing.conformance.sampling.reductions import bodies
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
from latebind.testing.conformance.sampling.values import exact, ordinary, strided

INDEX_DTYPES: Final = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def _extremes(name: str) -> list[int]:
    info = np.iinfo(name)
    return [int(info.min), int(info.max), 2]


def _starts(*values: int, dtype: str = "int64") -> list[Array]:
    return [np.array(value, dtype) for value in values]


@samples_of("stablehlo::dynamic_slice")
def dynamic_slice(kind: str, dtype: DType) -> Iterator[Sample]:
    """Starts inside and outside, which are clamped; starts of each integer dtype."""
    value = ordinary(dtype, (5, 6))
    for index, starts in enumerate(((1, 2), (0, 0), (-3, 9), (4, 5), (2, -1))):
        yield sample(f"{index}", value, *_starts(*starts), slice_sizes=(2, 3))
    yield sample("whole", value, *_starts(2, 3), slice_sizes=(5, 6))
    yield sample("empty", value, *_starts(7, 3), slice_sizes=(0, 3))
    yield sample("constant", value, *map(Constant, _starts(9, 1)), slice_sizes=(2, 3))
    yield sample("scalar", value[0, 0], slice_sizes=())
    yield sample("strided", strided(value), *_starts(1, 2), slice_sizes=(2, 3))
    yield sample("broadcast", Broadcast(value[:1], (5, 6)), *_starts(1, 2), slice_sizes=(2, 3))
    for name in INDEX_DTYPES:
        for index, start in enumerate(_extremes(name)):
            yield sample(f"{name}-{index}", value, *_starts(start, 1, dtype=name), slice_sizes=(2, 3))
    yield sample("large", ordinary(dtype, (80_000,)), *_starts(9_000), slice_sizes=(70_000,))


@samples_of("stablehlo::dynamic_update_slice")
def dynamic_update_slice(kind: str, dtype: DType) -> Iterator[Sample]:
    """The same, with an update."""
    value, update = ordinary(dtype, (5, 6)), ordinary(dtype, (2, 3), 7)
    for index, starts in enumerate(((1, 2), (0, 0), (-3, 9), (4, 5), (2, -1))):
        yield sample(f"{index}", value, update, *_starts(*starts))
    yield sample("whole", value, ordinary(dtype, (5, 6), 8), *_starts(2, 3))
    yield sample("empty", value, update[:0], *_starts(7, 3))
    yield sample("constant", value, update, *map(Constant, _starts(9, 1)))
    yield sample("scalar", value[0, 0], update[0, 0])
    yield sample("broadcast", Broadcast(value[0, 0], (5, 6)), Broadcast(update[:1], (2, 3)), *_starts(1, 2))
    yield sample("transposed", Transposed(value), Transposed(update), *_starts(1, 2))
    for name in INDEX_DTYPES:
        for index, start in enumerate(_extremes(name)):
            yield sample(f"{name}-{index}", value, update, *_starts(start, 1, dtype=name))
    yield sample("large", ordinary(dtype, (80_000,)), ordinary(dtype, (70_000,), 1), *_starts(9_000))


def _gather(label: str, value: Array | Operand, indices: Array | Operand, **attributes: Any) -> Sample:
    names = ("offset_dims", "collapsed_slice_dims", "start_index_map")
    full = {name: (0,) if name == "start_index_map" else () for name in names}
    return sample(label, value, indices, **{**full, "index_vector_dim": 1, **attributes})


@samples_of("stablehlo::gather")
def gather(kind: str, dtype: DType) -> Iterator[Sample]:
    """Rows, columns, elements, windows, batches; index vectors in each place; indices outside are clamped."""
    value = ordinary(dtype, (4, 5))
    cube = ordinary(dtype, (3, 4, 5))
    rows = np.array([2, 0, 3, 3])
    row = {"offset_dims": (1,), "collapsed_slice_dims": (0,), "slice_sizes": (1, 5)}
    yield _gather("rows", value, rows, **row)
    yield _gather("rows-outside", value, np.array([-1, 9, 4, -9]), **row)
    yield _gather("rows-constant", value, Constant(np.array([3, 9, -1])), **row)
    yield _gather("rows-of-broadcast", Broadcast(value[:1], (4, 5)), rows, **row)
    yield _gather("rows-of-transposed", Transposed(np.ascontiguousarray(value.T)), strided(rows), **row)
    yield _gather("no-rows", value, rows[:0], **row)
    column = {"offset_dims": (0,), "collapsed_slice_dims": (1,), "slice_sizes": (4, 1), "start_index_map": (1,)}
    yield _gather("columns", value, rows, **column)
    yield _gather("columns-of-matrix", value, rows.reshape(2, 2), **{**column, "index_vector_dim": 2})
    pairs = np.array([[1, 4], [3, 0], [9, -2]])
    element = {"collapsed_slice_dims": (0, 1), "slice_sizes": (1, 1), "start_index_map": (0, 1)}
    yield _gather("elements", value, pairs, **element)
    yield _gather("elements-constant", value, Constant(pairs), **element)
    yield _gather("elements-swapped", value, pairs[:, ::-1].copy(), **{**element, "start_index_map": (1, 0)})
    yield _gather("vectors-first", value, pairs.T.copy(), **{**element, "index_vector_dim": 0})
    window = {"offset_dims": (1, 2), "slice_sizes": (2, 3), "start_index_map": (0, 1)}
    yield _gather("windows", value, pairs, **window)
    yield _gather("windows-around", value, pairs, **{**window, "offset_dims": (0, 2)})
    yield _gather("windows-of-one-start", value, pairs[0], **{**window, "offset_dims": (0, 1), "index_vector_dim": 0})
    whole = {"offset_dims": (1, 2), "slice_sizes": (4, 5), "start_index_map": ()}
    yield _gather("no-index", value, np.zeros((3, 0), np.int64), **whole)
    batch = {
        "offset_dims": (1,),
        "collapsed_slice_dims": (1,),
        "operand_batching_dims": (0,),
        "start_indices_batching_dims": (0,),
        "start_index_map": (1,),
        "slice_sizes": (1, 1, 5),
    }
    yield _gather("batches", cube, np.array([[2], [0], [9]]), **batch)
    along = {**batch, "offset_dims": (), "collapsed_slice_dims": (2,), "operand_batching_dims": (0, 1)}
    along |= {"start_indices_batching_dims": (0, 1), "start_index_map": (2,), "slice_sizes": (1, 1, 1)}
    positions = np.arange(24).reshape(3, 4, 2) % 6
    yield _gather("two-batches", cube, positions, **{**along, "index_vector_dim": 3})
    turned = {**along, "start_indices_batching_dims": (1, 0), "index_vector_dim": 3}
    yield _gather("two-batches-swapped", cube, positions.transpose(1, 0, 2).copy(), **turned)
    for name in INDEX_DTYPES:
        yield _gather(f"{name}-rows", value, np.array(_extremes(name), name), **row)
        yield _gather(f"{name}-windows", value, np.array([_extremes(name)[:2]], name), **window)
    large = ordinary(dtype, (70_000,))
    picked = np.arange(70_000) * 13 % 70_001
    yield _gather("large", large, picked, collapsed_slice_dims=(0,), slice_sizes=(1,))


def _scatter(
    label: str, value: Array | Operand, indices: Array | Operand, updates: Array | Operand, body: object, **more: Any
) -> Sample:
    attributes: dict[str, Any] = {
        "update_window_dims": (),
        "inserted_window_dims": (),
        "scatter_dims_to_operand_dims": (0,),
        "index_vector_dim": 1,
        "update_computation": body,
        **more,
    }
    return sample(label, value, indices, updates, **attributes)


def _scatter_forms(dtype: DType, body: object) -> Iterator[Sample]:
    """Scatter with one body (`None` assigns): no index comes twice."""
    value, cube = exact(dtype, (4, 5), 1), exact(dtype, (3, 4, 5), 1)
    row = {"update_window_dims": (1,), "inserted_window_dims": (0,)}
    rows = exact(dtype, (3, 5), 2)
    yield _scatter("rows", value, np.array([2, 0, 3]), rows, body, **row)
    yield _scatter("rows-outside", value, np.array([-1, 1, 4]), rows, body, **row)
    yield _scatter("rows-constant", value, Constant(np.array([2, 0, 9])), rows, body, **row)
    yield _scatter("rows-broadcast", value, np.array([2, 0, 3]), Broadcast(rows[:1], (3, 5)), body, **row)
    yield _scatter("into-broadcast", Broadcast(value[0, 0], (4, 5)), np.array([2, 0, 3]), rows, body, **row)
    yield _scatter("into-transposed", Transposed(value.T.copy()), np.array([2, 0, 3]), rows, body, **row)
    yield _scatter("nothing", value, np.zeros(0, np.int64), rows[:0], body, **row)
    column = {"update_window_dims": (0,), "inserted_window_dims": (1,), "scatter_dims_to_operand_dims": (1,)}
    yield _scatter("columns", value, np.array([4, 1]), exact(dtype, (4, 2), 3), body, **column)
    pairs = np.array([[1, 4], [3, 0], [9, -2], [0, 0]])
    element = {"inserted_window_dims": (0, 1), "scatter_dims_to_operand_dims": (0, 1)}
    yield _scatter("elements", value, pairs, exact(dtype, (4,), 4), body, **element)
    swapped = {**element, "scatter_dims_to_operand_dims": (1, 0)}
    yield _scatter("elements-swapped", value, pairs[:, ::-1].copy(), exact(dtype, (4,), 4), body, **swapped)
    first = {**element, "index_vector_dim": 0}
    yield _scatter("vectors-first", value, pairs.T.copy(), exact(dtype, (4,), 4), body, **first)
    window = {"update_window_dims": (1, 2), "scatter_dims_to_operand_dims": (0, 1)}
    apart = np.array([[0, 0], [2, 2]])
    yield _scatter("windows", value, apart, exact(dtype, (2, 2, 3), 5), body, **window)
    around = {**window, "update_window_dims": (0, 2)}
    yield _scatter("windows-around", value, apart, exact(dtype, (2, 2, 3), 5), body, **around)
    yield _scatter("windows-outside", value, np.array([[0, 0], [7, 9]]), exact(dtype, (2, 2, 3), 5), body, **window)
    partly = np.array([[3, 4], [-1, 1]])
    yield _scatter("windows-partly-outside", value, partly, exact(dtype, (2, 2, 3), 5), body, **window)
    whole = {"update_window_dims": (1, 2), "scatter_dims_to_operand_dims": ()}
    yield _scatter("no-index", value, np.zeros((1, 0), np.int64), exact(dtype, (1, 4, 5), 6), body, **whole)
    batch = {
        "update_window_dims": (1,),
        "inserted_window_dims": (1,),
        "input_batching_dims": (0,),
        "scatter_indices_batching_dims": (0,),
        "scatter_dims_to_operand_dims": (1,),
    }
    yield _scatter("batches", cube, np.array([[2], [0], [9]]), exact(dtype, (3, 5), 7), body, **batch)


@samples_of("stablehlo::scatter")
def scatter(kind: str, dtype: DType) -> Iterator[Sample]:
    """Assignment and each body; indices that repeat: the last one is assigned, all are combined."""
    for body in (None, *bodies(dtype)):
        name = "assign" if body is None else body.name
        for form in _scatter_forms(dtype, body):
            yield replace(form, label=f"{name}-{form.label}").combining(4)
        row = {"update_window_dims": (1,), "inserted_window_dims": (0,)}
        value, rows = exact(dtype, (4, 5), 1), exact(dtype, (5, 5), 2)
        repeated = np.array([1, 3, 1, 1, 3])
        yield _scatter(f"{name}-repeated", value, repeated, rows, body, **row).combining(5)
        zero_dim = {"scatter_dims_to_operand_dims": (), "index_vector_dim": 0}
        yield _scatter(f"{name}-scalar", value[0, 0], np.zeros(0, np.int64), value[1, 1], body, **zero_dim)
    row = {"update_window_dims": (1,), "inserted_window_dims": (0,)}
    value, rows = ordinary(dtype, (4, 5), 1), ordinary(dtype, (3, 5), 2)
    for index_dtype in INDEX_DTYPES:
        indices = np.array(_extremes(index_dtype), index_dtype)
        yield _scatter(f"assign-{index_dtype}", value, indices, rows, None, **row)
    large, updates = ordinary(dtype, (70_000,)), ordinary(dtype, (50_000,), 1)
    places = np.arange(50_000) * 7 % 70_001
    yield _scatter("assign-large", large, places, updates, None, inserted_window_dims=(0,))
