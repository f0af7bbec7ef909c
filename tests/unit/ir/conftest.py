"""A reference evaluator of core operations, small and slow, so that the IR is tested without any backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from latebind.ir.builder import IrBuilder
from latebind.ir.decompositions import decompose
from latebind.ir.node import Node, Value, post_order
from latebind.ir.types import TensorType
from latebind.ir.verifier import verify

Array = np.ndarray[Any, Any]


def _divide(x: Array, y: Array) -> Array:
    if x.dtype.kind not in "iu":
        return np.divide(x, y)
    quotient = np.floor_divide(x, y)
    inexact = (y != 0) & (quotient * y != x) & ((x < 0) != (y < 0))
    return np.where(inexact, quotient + 1, quotient).astype(x.dtype)


def _broadcast(x: Array, broadcast_dimensions: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    full = [1] * len(shape)
    for extent, dimension in zip(x.shape, broadcast_dimensions, strict=True):
        full[dimension] = extent
    return np.broadcast_to(x.reshape(full), shape)


def _iota(iota_dimension: int, shape: tuple[int, ...], dtype: Any) -> Array:
    return _broadcast(np.arange(shape[iota_dimension], dtype=dtype), (iota_dimension,), shape)


def _slice(x: Array, start_indices: Any, limit_indices: Any, strides: Any) -> Array:
    window: Array = x[tuple(map(slice, start_indices, limit_indices, strides))]
    return window


def _reduce(x: Array, init: Array, dimensions: tuple[int, ...], body: Any) -> Array:
    reduced: Array = BODIES[body.name].reduce(x, axis=dimensions, initial=init[()], dtype=x.dtype)
    return reduced


def _running_window(x: Array, init: Array, *, padding: Any, body: Any, **_: Any) -> Array:
    (axis,) = (d for d, (low, _high) in enumerate(padding) if low)
    return BODIES[body.name].accumulate(x, axis=axis, dtype=x.dtype)


def _pad(x: Array, value: Array, edge_padding_low: Any, edge_padding_high: Any, interior_padding: Any) -> Array:
    assert not any(interior_padding)
    return np.pad(x, list(zip(edge_padding_low, edge_padding_high, strict=True)), constant_values=value[()])


def _complex(x: Array, y: Array) -> Array:
    out = np.empty(x.shape, np.result_type(x.dtype, np.complex64))
    out.real, out.imag = x, y
    return out


COMPARISONS = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
BODIES: dict[str, np.ufunc] = {
    "add": np.add,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "and": np.logical_and,
    "or": np.logical_or,
}
CORE: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "add": np.add,
    "and": np.bitwise_and,
    "atan2": np.arctan2,
    "bitcast_convert": lambda x, dtype: np.ascontiguousarray(x).view(dtype).reshape(x.shape),
    "broadcast_in_dim": _broadcast,
    "ceil": np.ceil,
    "compare": lambda x, y, comparison_direction: COMPARISONS[comparison_direction](x, y),
    "complex": _complex,
    "concatenate": lambda *xs, dimension: np.concatenate(xs, axis=dimension),
    "constant": lambda value: value,
    "convert": lambda x, dtype: x.astype(dtype),
    "cosine": np.cos,
    "divide": _divide,
    "exponential": np.exp,
    "exponential_minus_one": np.expm1,
    "floor": np.floor,
    "get_dimension_size": lambda x, dimension: np.int32(x.shape[dimension]),
    "imag": np.imag,
    "iota": _iota,
    "is_finite": np.isfinite,
    "log": np.log,
    "log_plus_one": np.log1p,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "multiply": np.multiply,
    "negate": np.negative,
    "not": np.invert,
    "or": np.bitwise_or,
    "pad": _pad,
    "power": np.power,
    "real": np.real,
    "reduce": _reduce,
    "reduce_window": _running_window,
    "remainder": np.fmod,
    "reshape": lambda x, shape: np.reshape(x, shape),
    "round_nearest_even": np.rint,
    "select": np.where,
    "shift_right_arithmetic": np.right_shift,
    "sine": np.sin,
    "slice": _slice,
    "sqrt": np.sqrt,
    "subtract": np.subtract,
    "tan": np.tan,
    "transpose": lambda x, permutation: np.transpose(x, permutation),
    "xor": np.bitwise_xor,
}


def run_core(results: Sequence[Value], feed: dict[Node, Array]) -> list[Array]:
    """Evaluate a graph of core operations."""
    known: dict[Node, Array] = dict(feed)
    with np.errstate(all="ignore"):
        for node in post_order(results):
            if node not in known:
                inputs = [known[operand.node] for operand in node.operands]
                output = np.asarray(CORE[node.kind.name](*inputs, **node.attributes))
                assert output.shape == node.types[0].shape and output.dtype == node.types[0].dtype, node
                known[node] = output
    return [known[value.node] for value in results]


@pytest.fixture
def b() -> IrBuilder:
    return IrBuilder()


@pytest.fixture
def parameter(b: IrBuilder) -> Callable[..., Value]:
    """Make an abstract parameter of a shape and dtype."""

    def make(shape: tuple[int, ...] = (2, 3), dtype: str = "float32") -> Value:
        return b.make_parameter(TensorType.of(shape, np.dtype(dtype))).value()

    return make


@pytest.fixture
def compute(b: IrBuilder) -> Callable[..., Array]:
    """Apply one operation to arrays by decomposing it into core operations."""

    def run(kind: str, *arrays: Array, **attributes: Any) -> Array:
        leaves = [b.make_parameter(TensorType.of(a.shape, a.dtype)) for a in arrays]
        result = b.op(kind, *(leaf.value() for leaf in leaves), **attributes)
        core = decompose([result], lambda node: False, b)
        verify(core)
        return run_core(core, dict(zip(leaves, arrays, strict=True)))[0]

    return run


@pytest.fixture
def run_graph() -> Callable[[Sequence[Value], dict[Node, Array]], list[Array]]:
    return run_core
