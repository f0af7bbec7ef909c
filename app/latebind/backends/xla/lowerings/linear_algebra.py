"""Factorisations and equations: LAPACK on the host; elsewhere XLA's own, where it has one."""

from __future__ import annotations

from typing import Final

import numpy as np

from latebind.backends.xla.client import has_lapack
from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.lowerings.lapack import INT32, call, info_type, or_nan, spread
from latebind.backends.xla.mlir import array_attribute, dims
from latebind.ir.node import Node
from latebind.ir.ops.linear_algebra import real_dtype
from latebind.ir.types import TensorType

#: What is lowered on the host alone.
HOST_ONLY: Final = frozenset(f"linalg::{name}" for name in ("solve", "det", "slogdet", "qr", "eigh", "eig", "svd"))
_BOOL_WORDS: Final = {True: "true", False: "false"}


def _on_host(context: Context) -> bool:
    return context.device.type == "cpu" and has_lapack()


def _positions(context: Context, dimension: int, shape: tuple[int, ...]) -> Emitted:
    return context.ops("iota", (), (TensorType.of(shape, INT32),), f"iota_dimension = {dimension} : i64")[0]


def _where_offset(context: Context, direction: str, shape: tuple[int, ...]) -> Emitted:
    """Return where the column compares with the row in this direction."""
    rank = len(shape)
    return context.compare(direction, _positions(context, rank - 1, shape), _positions(context, rank - 2, shape))


def _triangle(context: Context, value: Emitted, *, lower: bool) -> Emitted:
    """Return a matrix with zeros in the other triangle."""
    kept = _where_offset(context, "LE" if lower else "GE", value.type.shape)
    return context.select(kept, value, context.splat(0, value.type))


def _window(context: Context, value: Emitted, rows: int, columns: int) -> Emitted:
    """Return the first rows and columns of matrices."""
    *batch, height, width = value.type.shape
    if (rows, columns) == (height, width):
        return value
    rank = value.type.rank
    return context.op(
        "slice",
        value,
        type=value.type.with_shape((*batch, rows, columns)),
        attributes=f"start_indices = {array_attribute([0] * rank)}, "
        f"limit_indices = {array_attribute([*batch, rows, columns])}, strides = {array_attribute([1] * rank)}",
    )


@Context.register("stablehlo::cholesky")
def cholesky(context: Context, node: Node, operands: Operands) -> Operands:
    """`potrf` on the host."""
    (a,), lower = operands, node.attributes["lower"] is True
    type, batch = a.type, a.type.rank - 2
    if _on_host(context):
        factor, info = call(
            context, "potrf", operands, (type, info_type(type, batch)), batch, uplo="L" if lower else "U"
        )
        factor = or_nan(context, factor, info)
        # A factor of NaN keeps its zeros, like XLA's own.
        return (_triangle(context, factor, lower=lower),)
    factor = context.op("cholesky", a, attributes=f"lower = {_BOOL_WORDS[lower]}")
    return (_triangle(context, factor, lower=lower),)


@Context.register("stablehlo::triangular_solve")
def triangular_solve(context: Context, node: Node, operands: Operands) -> Operands:
    """`trsm` on the host."""
    names = ("left_side", "lower", "unit_diagonal")
    left, lower, unit = (node.attributes[name] is True for name in names)
    a, b = operands
    return (_solve_triangular(context, a, b, left, lower, unit, str(node.attributes["transpose_a"])),)


def _solve_triangular(
    context: Context,
    a: Emitted,
    b: Emitted,
    left: bool,
    lower: bool,
    unit: bool,
    transposition: str = "NO_TRANSPOSE",
) -> Emitted:
    if _on_host(context):
        options = {
            "side": "L" if left else "R",
            "uplo": "L" if lower else "U",
            "trans_x": {"NO_TRANSPOSE": "N", "TRANSPOSE": "T", "ADJOINT": "C"}[transposition],
            "diag": "U" if unit else "N",
        }
        return call(context, "trsm", (a, b), (b.type,), b.type.rank - 2, overwrites=1, **options)[0]
    attributes = (
        f"left_side = {_BOOL_WORDS[left]}, lower = {_BOOL_WORDS[lower]}, unit_diagonal = {_BOOL_WORDS[unit]}, "
        f"transpose_a = #stablehlo<transpose {transposition}>"
    )
    return context.op("triangular_solve", a, b, type=b.type, attributes=attributes)


# Equations and determinants, from the LU factorisation


def _lu(context: Context, a: Emitted) -> tuple[Emitted, Emitted]:
    """Return L and U in one matrix, and with which row, counted from 0, each row was exchanged in turn."""
    batch = a.type.rank - 2
    pivots_type = TensorType.of(a.type.shape[:-1], INT32)
    types = (a.type, pivots_type, info_type(a.type, batch))
    factors, pivots, _ = call(context, "getrf", (a,), types, batch)
    return factors, context.op("subtract", pivots, context.splat(1, pivots_type))


def _reshape(context: Context, value: Emitted, shape: tuple[int, ...]) -> Emitted:
    if value.type.shape == shape:
        return value
    return context.op("reshape", value, type=value.type.with_shape(shape))


def _permutation(context: Context, pivots: Emitted) -> Emitted:
    """Return the order of rows that a list of exchanges leads to; shape (batch, M), both."""
    type = pivots.type
    count, order = type.shape
    scalar, column = type.with_shape(()), type.with_shape((count, 1))
    step = context.constant(np.array(0, INT32), scalar)
    carried = (step, pivots, _positions(context, 1, type.shape))
    types = tuple(one.type for one in carried)

    def goes_on(values: Operands) -> Operands:
        return (context.compare("LT", values[0], context.constant(np.array(order, INT32), scalar)),)

    def exchange(values: Operands) -> Operands:
        index, swaps, rows = values
        zero = context.constant(np.array(0, INT32), scalar)
        sizes = f"slice_sizes = {array_attribute((count, 1))}"
        target, here = (
            context.op("dynamic_slice", x, zero, index, type=column, attributes=sizes) for x in (swaps, rows)
        )
        target, here = (spread(context, x, type.shape, (0, 1)) for x in (target, here))
        place = _positions(context, 1, type.shape)
        at_target = context.compare("EQ", place, target)
        at_index = context.compare("EQ", place, spread(context, index, type.shape, ()))
        there = _sum_where(context, at_target, rows)
        moved = context.select(at_target, here, context.select(at_index, there, rows))
        return context.op("add", index, context.constant(np.array(1, INT32), scalar)), swaps, moved

    regions = f"{context.region(types, goes_on)}, {context.region(types, exchange)}"
    return context.ops("while", carried, types, region=regions)[2]


def _sum_where(context: Context, chosen: Emitted, rows: Emitted) -> Emitted:
    """Return the row number that is chosen, repeated along its axis."""
    type = rows.type
    picked = context.select(chosen, rows, context.splat(0, type))
    total = _reduce(context, picked, "add", 0, (1,))
    return spread(context, total, type.shape, (0,))


def _reduce(context: Context, value: Emitted, body: str, start: float, dimensions: tuple[int, ...]) -> Emitted:
    type = value.type
    shape = tuple(extent for axis, extent in enumerate(type.shape) if axis not in dimensions)
    scalar = type.with_shape(())
    first = context.constant(np.array(start, type.dtype), scalar)
    region = context.region((scalar, scalar), lambda pair: (context.op(body, *pair),))
    attributes = f"dimensions = {array_attribute(dimensions)}"
    return context.ops("reduce", (value, first), (type.with_shape(shape),), attributes, region)[0]


@Context.register("linalg::solve")
def solve(context: Context, node: Node, operands: Operands) -> Operands:
    """`getrf`, the rows of b in its order, and two triangular solutions."""
    a, b = operands
    factors, pivots = _lu(context, a)
    order, columns = b.type.shape[-2:]
    count = b.type.size // (order * columns)
    rows = _permutation(context, _reshape(context, pivots, (count, order)))
    flat = _reshape(context, b, (count, order, columns))
    numbers = (
        f"offset_dims = {dims((2,))}, collapsed_slice_dims = {dims((1,))}, operand_batching_dims = {dims((0,))}, "
        f"start_indices_batching_dims = {dims((0,))}, start_index_map = {dims((1,))}, index_vector_dim = 2"
    )
    ordered = context.op(
        "gather",
        flat,
        _reshape(context, rows, (count, order, 1)),
        type=flat.type,
        attributes=f"dimension_numbers = #stablehlo.gather<{numbers}>, "
        f"slice_sizes = {array_attribute((1, 1, columns))}, indices_are_sorted = false",
    )
    ordered = _reshape(context, ordered, b.type.shape)
    ordered = _solve_triangular(context, factors, ordered, True, True, True)
    return (_solve_triangular(context, factors, ordered, True, False, False),)


def _parity(context: Context, pivots: Emitted, type: TensorType) -> Emitted:
    """Return 1 or -1: whether the number of rows that were exchanged is even."""
    stays = context.compare("EQ", pivots, _positions(context, pivots.type.rank - 1, pivots.type.shape))
    wide = type.with_shape(pivots.type.shape)
    signs = context.select(stays, context.splat(1, wide), context.splat(-1, wide))
    return _reduce(context, signs, "multiply", 1, (pivots.type.rank - 1,))


def _over_diagonal(context: Context, value: Emitted, body: str, neutral: int) -> Emitted:
    rank = value.type.rank
    diagonal = _where_offset(context, "EQ", value.type.shape)
    kept = context.select(diagonal, value, context.splat(neutral, value.type))
    return _reduce(context, kept, body, neutral, (rank - 2, rank - 1))


@Context.register("linalg::det")
def det(context: Context, node: Node, operands: Operands) -> Operands:
    """Product of the diagonal of U, and the parity of the exchanges."""
    factors, pivots = _lu(context, operands[0])
    product = _over_diagonal(context, factors, "multiply", 1)
    return (context.op("multiply", product, _parity(context, pivots, product.type)),)


@Context.register("linalg::slogdet")
def slogdet(context: Context, node: Node, operands: Operands) -> Operands:
    """Product of the signs and sum of the logarithms of the diagonal of U."""
    factors, pivots = _lu(context, operands[0])
    signs = _over_diagonal(context, context.op("sign", factors), "multiply", 1)
    real = factors.type.with_dtype(real_dtype(factors.type.dtype))
    logarithms = context.op("log", context.op("abs", factors, type=real))
    return (
        context.op("multiply", signs, _parity(context, pivots, signs.type)),
        _over_diagonal(context, logarithms, "add", 0),
    )


# Orthogonal factors


@Context.register("linalg::qr")
def qr(context: Context, node: Node, operands: Operands) -> Operands:
    """`geqrf`, and `orgqr` (`ungqr`) on the columns that Q has."""
    (a,) = operands
    q_type, r_type = node.types
    *batch, rows, columns = a.type.shape
    reflections = a.type.with_shape((*batch, min(rows, columns)))
    factors, scales = call(context, "geqrf", operands, (a.type, reflections), len(batch))
    r = _triangle(context, _window(context, factors, *r_type.shape[-2:]), lower=False)
    width = q_type.shape[-1]
    basis = _window(context, factors, rows, min(width, columns))
    if width > columns:
        rank = a.type.rank
        none = array_attribute([0] * rank)
        more = array_attribute([0] * (rank - 1) + [width - columns])
        zero = context.splat(0, a.type.with_shape(()))
        padding = f"edge_padding_low = {none}, edge_padding_high = {more}, interior_padding = {none}"
        basis = context.op("pad", basis, zero, type=q_type, attributes=padding)
    routine = "ungqr" if a.type.dtype.kind == "c" else "orgqr"
    (q,) = call(context, routine, (basis, scales), (q_type,), len(batch))
    return q, r


# Eigenvalues and singular values


@Context.register("linalg::eigh")
def eigh(context: Context, node: Node, operands: Operands) -> Operands:
    """`syevd` (`heevd`) on the lower triangle."""
    (a,) = operands
    batch = a.type.rank - 2
    routine = "heevd" if a.type.dtype.kind == "c" else "syevd"
    mode = "V" if node.attributes["vectors"] else "N"
    types = (a.type, node.types[0], info_type(a.type, batch))
    vectors, values, info = call(context, routine, operands, types, batch, mode=mode, uplo="L")
    return tuple(or_nan(context, each, info) for each in (values, vectors)[: len(node.types)])


@Context.register("linalg::eig")
def eig(context: Context, node: Node, operands: Operands) -> Operands:
    """`geev`, whose eigenvalues come as two real arrays for real matrices."""
    (a,) = operands
    batch = a.type.rank - 2
    values_type = node.types[0]
    vectors_type = values_type.with_shape(a.type.shape)
    info = info_type(a.type, batch)
    parts = (values_type.with_dtype(a.type.dtype),) * (1 if a.type.dtype.kind == "c" else 2)
    options = {"compute_left": "N", "compute_right": "V" if node.attributes["vectors"] else "N"}
    types = (*parts, vectors_type, vectors_type, info)
    results = call(context, "geev", operands, types, batch, overwrites=-1, **options)
    values = results[0] if len(parts) == 1 else context.op("complex", *results[:2], type=values_type)
    return tuple(or_nan(context, each, results[-1]) for each in (values, results[-2])[: len(node.types)])


@Context.register("linalg::svd")
def svd(context: Context, node: Node, operands: Operands) -> Operands:
    """`gesdd`."""
    (a,), mode = operands, node.attributes["mode"]
    *batch, rows, columns = a.type.shape
    rank = min(rows, columns)
    left, right = (rows, columns) if mode == "complete" else (rank, rank)
    values = node.types[0 if mode == "none" else 1]
    u, vh = (a.type.with_shape((*batch, *shape)) for shape in ((rows, left), (right, columns)))
    types = (a.type, values, u, vh, info_type(a.type, len(batch)))
    letter = {"complete": "A", "reduced": "S", "none": "N"}[str(mode)]
    _, s, u_found, vh_found, info = call(context, "gesdd", operands, types, len(batch), mode=letter)
    wanted = (s,) if mode == "none" else (u_found, s, vh_found)
    return tuple(or_nan(context, each, info) for each in wanted)
