"""Operations that make or move elements."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.slow

DTYPES = ["bool", "int8", "uint8", "uint16", "int64", "uint64", "float16", "float32", "complex64"]
CUBE = np.arange(24).reshape(2, 3, 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("reshape", {"shape": (4, 6)}),
        ("reshape", {"shape": (24,)}),
        ("transpose", {"permutation": (2, 0, 1)}),
        ("transpose", {"permutation": (0, 1, 2)}),
        ("slice", {"start_indices": (0, 1, 0), "limit_indices": (2, 3, 4), "strides": (1, 1, 3)}),
        ("slice", {"start_indices": (1, 1, 2), "limit_indices": (1, 3, 4), "strides": (1, 1, 1)}),
        ("reverse", {"dimensions": (0, 2)}),
        ("reverse", {"dimensions": ()}),
        ("broadcast_in_dim", {"broadcast_dimensions": (3, 0, 1), "shape": (3, 4, 5, 2)}),
        ("broadcast_in_dim", {"broadcast_dimensions": (0, 2, 3), "shape": (2, 5, 3, 4)}),
        ("get_dimension_size", {"dimension": 2}),
        ("optimization_barrier", {}),
    ],
)
def test_movement(graph, dtype, name, attributes):
    graph.check_op(f"stablehlo::{name}", CUBE.astype(dtype), **attributes)


def test_movement_of_scalars_and_empty_arrays(graph):
    graph.check_op("stablehlo::reshape", np.float32(3), shape=(1, 1))
    graph.check_op("stablehlo::reshape", np.ones((1, 1), np.uint32), shape=())
    graph.check_op("stablehlo::transpose", np.float32(3), permutation=())
    graph.check_op("stablehlo::reshape", np.zeros((0, 3)), shape=(3, 0, 5))
    graph.check_op("stablehlo::transpose", np.zeros((0, 3)), permutation=(1, 0))
    graph.check_op("stablehlo::broadcast_in_dim", np.float32(3), broadcast_dimensions=(), shape=(0, 2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_concatenate(graph, dtype):
    parts = [CUBE.astype(dtype), CUBE[:, :1].astype(dtype), CUBE[:, :0].astype(dtype)]
    graph.check_op("stablehlo::concatenate", *parts, dimension=1)
    graph.check_op("stablehlo::concatenate", parts[0], dimension=1)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bool"])
@pytest.mark.parametrize(("shape", "dimension"), [((5,), 0), ((3, 4), 0), ((3, 4), 1), ((5000,), 0), ((2, 5000, 1), 1)])
def test_iota(graph, dtype, shape, dimension):
    graph.check(graph.op("stablehlo::iota", iota_dimension=dimension, shape=shape, dtype=np.dtype(dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("low", "high", "interior"),
    [
        ((1, 2), (3, 0), (0, 0)),
        ((0, 0), (0, 0), (1, 2)),
        ((-1, 2), (1, -2), (0, 1)),
        ((-2, 0), (0, -1), (2, 0)),
        ((0, 0), (0, 0), (0, 0)),
        ((-3, 0), (0, 0), (0, 0)),
        ((1, 1), (-2, -2), (0, 0)),
    ],
)
def test_pad(graph, dtype, low, high, interior):
    attributes = {"edge_padding_low": low, "edge_padding_high": high, "interior_padding": interior}
    x, value = np.arange(12).reshape(3, 4).astype(dtype), np.array(1, dtype)
    graph.check_op("stablehlo::pad", x, value, **attributes)
    padded = graph.op("stablehlo::pad", graph.parameter(x), graph.constant(value), **attributes)
    graph.check(padded)


def test_pad_of_nothing(graph):
    graph.check_op(
        "stablehlo::pad", np.zeros((0, 2)), np.float64(7), edge_padding_low=(2, 0), edge_padding_high=(1, 0),
        interior_padding=(3, 0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("array", "target"),
    [
        (np.array([1.5, -0.0, np.nan], np.float32), "uint32"),
        (np.array([1.5, -0.0, np.nan], np.float32), "int32"),
        (np.array([1, 2**31, 2**32 - 1], np.uint32), "float32"),
        (np.array([1, 2**31, 2**32 - 1], np.uint32), "int32"),
        (np.array([-1, 5], np.int64), "uint64"),
        (np.array([1, 2**63], np.uint64), "float64"),
        (np.array([1.5, 2], np.float16), "uint16"),
        (np.array([[1.5, 2], [3, 4]], np.float64), "uint16"),
        (np.array([1.5, 2], np.float64), "float32"),
        (np.arange(8, dtype=np.uint16).reshape(2, 4), "float64"),
        (np.arange(8, dtype=np.uint8).reshape(2, 1, 4), "uint32"),
        (np.array(1.5, np.float32), "int8"),
        (np.arange(2, dtype=np.float32), "float64"),
        (np.array([[1 + 2j, 3]]), "complex64"),
    ],
)
def test_bitcast(graph, array, target):
    result = graph.op("stablehlo::bitcast_convert", graph.parameter(array), dtype=np.dtype(target))
    before = graph.op("stablehlo::bitcast_convert", result, dtype=array.dtype)
    graph.check(result, before)


def test_bitcast_inside_a_computation(graph):
    x = graph.parameter(np.array([[1.5, -2], [3, 4]], np.float32))
    bits = graph.op("stablehlo::bitcast_convert", graph.op("stablehlo::add", x, x), dtype=np.dtype(np.uint32))
    shifted = graph.op("stablehlo::add", bits, graph.expand(graph.constant(np.uint32(1)), 2, 2))
    transposed = graph.op("stablehlo::transpose", shifted, permutation=(1, 0))
    graph.check(graph.op("stablehlo::bitcast_convert", transposed, dtype=np.dtype(np.float32)), shifted, bits)


@pytest.mark.parametrize("dtype", ["bool", "int32", "uint16", "uint64", "float16", "complex128"])
def test_constants(graph, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    constant, scalar = graph.constant(array), graph.constant(array[1, 1])
    graph.check(constant, scalar, graph.expand(scalar, 4), graph.op("stablehlo::reshape", constant, shape=(3, 2)))
