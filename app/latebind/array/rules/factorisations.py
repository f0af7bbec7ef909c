"""Rules of `linalg` that need a factorisation: each is one operation of the op table, or a formula over one.

An operation with several results is recorded as one array, its results end to end along the last axis, and taken apart
by records of their own. Simplification cancels the two in a compiled graph; and a graph that is interpreted factorises
once, not once per result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from latebind.array.rules.common import INT64, broadcast_shape, cast, expand, full, like, reduce, reshape, scalar
from latebind.array.rules.creation import positions
from latebind.array.rules.linear import MATMUL
from latebind.errors import DTypeMismatchError, MatrixShapeError, ShapeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import AttributeValue, Value
from latebind.ir.opkind import OpKind
from latebind.ir.ops.linear_algebra import real_dtype
from latebind.ir.optable import lookup
from latebind.ir.promotion import promote_dtypes
from latebind.ir.types import DType, TensorType
from latebind.runtime.signature import OperandKey, Rule

_FLOAT64: Final = np.dtype(np.float64)


def working_dtype(name: str, *dtypes: DType) -> DType:
    """Return the dtype in which matrices of these are factorised: their own, or float64 for integers.

    Raises
    ------
    DTypeMismatchError
        For float16, for which there are no routines.
    """
    dtype = promote_dtypes(*(one if one.kind in "fc" else _FLOAT64 for one in dtypes))
    if dtype.name == "float16":
        raise DTypeMismatchError(f"{name} takes float32, float64 or complex matrices, got float16: convert with astype")
    return dtype


def matrices(name: str, b: IrBuilder, x: Value, *, square: bool = False) -> Value:
    """Return the operand in the dtype of the routines, checked to be matrices.

    Raises
    ------
    MatrixShapeError
        With fewer than two dimensions, or matrices that have to be square and are not.
    """
    if len(x.shape) < 2:
        raise MatrixShapeError(f"{name} takes matrices, with two dimensions at least, got shape {x.shape}")
    if square and x.shape[-1] != x.shape[-2]:
        raise MatrixShapeError(f"{name} takes square matrices, got shape {x.shape}")
    return cast(b, x, working_dtype(name, x.dtype))


def identity(b: IrBuilder, type: TensorType) -> Value:
    """Return matrices with ones on the diagonal."""
    rank = len(type.shape)
    rows, columns = (positions(b, axis, type.shape) for axis in (rank - 2, rank - 1))
    return cast(b, b.op("stablehlo::compare", rows, columns, comparison_direction="EQ"), type.dtype)


def factors(b: IrBuilder, kind: str, x: Value, **attributes: AttributeValue) -> Sequence[Value]:
    """Return the results of one operation; those of matrices without elements follow from the shapes."""
    if x.type.size:
        node = b.make_generic(kind, [x], attributes)
        return [node.value(index) for index in range(len(node.types))]
    types = result_types(kind, x.type, **attributes)
    return [identity(b, type) if type.rank == x.type.rank else full(b, 0, type.shape, type.dtype) for type in types]


def result_types(kind: str, type: TensorType, **attributes: AttributeValue) -> Sequence[TensorType]:
    """Return the types of an operation's results."""
    definition = lookup(OpKind.get(kind))
    assert definition is not None
    return definition.infer([type], attributes)


def pack(b: IrBuilder, values: Sequence[Value], batch: int) -> Value:
    """Put values end to end along one axis behind their first `batch` axes; real ones become complex beside others."""
    dtype = promote_dtypes(*(value.dtype for value in values))
    parts = []
    for value in values:
        flat = reshape(b, value, (*value.shape[:batch], math.prod(value.shape[batch:])))
        parts.append(flat if flat.dtype == dtype else b.op("stablehlo::complex", flat, like(b, 0, flat)))
    return b.op("stablehlo::concatenate", *parts, dimension=batch)


def _unpack(b: IrBuilder, x: Value, *, start: int, shape: tuple[int, ...], real: bool) -> Value:
    """Take one of the values out that `pack` put together."""
    batch = len(x.shape) - 1
    size = math.prod(shape[batch:])
    starts, limits = (0,) * batch + (start,), (*x.shape[:batch], start + size)
    x = b.op("stablehlo::slice", x, start_indices=starts, limit_indices=limits, strides=(1,) * (batch + 1))
    return reshape(b, b.op("stablehlo::real", x) if real else x, shape)


UNPACK: Final = Rule("result", _unpack)


def _packed(name: str, kind: str, *, square: bool) -> Rule:
    def function(b: IrBuilder, x: Value, **attributes: AttributeValue) -> Value:
        x = matrices(name, b, x, square=square)
        return pack(b, factors(b, kind, x, **attributes), len(x.shape) - 2)

    return Rule(name, function)


def _single(name: str, kind: str, **attributes: AttributeValue) -> Rule:
    square = kind != "linalg::svd"

    def function(b: IrBuilder, x: Value) -> Value:
        return factors(b, kind, matrices(name, b, x, square=square), **attributes)[0]

    return Rule(name, function)


QR: Final = _packed("qr", "linalg::qr", square=False)
SVD: Final = _packed("svd", "linalg::svd", square=False)
EIGH: Final = _packed("eigh", "linalg::eigh", square=True)
EIG: Final = _packed("eig", "linalg::eig", square=True)
SVDVALS: Final = _single("svdvals", "linalg::svd", mode="none")
EIGVALSH: Final = _single("eigvalsh", "linalg::eigh", vectors=False)
EIGVALS: Final = _single("eigvals", "linalg::eig", vectors=False)
INV: Final = _single("inv", "linalg::inv")


def _cholesky(b: IrBuilder, x: Value, *, upper: bool) -> Value:
    return factors(b, "stablehlo::cholesky", matrices("cholesky", b, x, square=True), lower=not upper)[0]


CHOLESKY: Final = Rule("cholesky", _cholesky)


def _det(b: IrBuilder, x: Value) -> Value:
    x = matrices("det", b, x, square=True)
    return b.op("linalg::det", x) if x.type.size else full(b, 1, x.shape[:-2], x.dtype)


DET: Final = Rule("det", _det)


def _slogdet(b: IrBuilder, x: Value) -> Value:
    x = matrices("slogdet", b, x, square=True)
    if x.type.size:
        return pack(b, factors(b, "linalg::slogdet", x), len(x.shape) - 2)
    batch = x.shape[:-2]
    return pack(b, [full(b, 1, batch, x.dtype), full(b, 0, batch, real_dtype(x.dtype))], len(batch))


SLOGDET: Final = Rule("slogdet", _slogdet)


def _solve(b: IrBuilder, x1: Value, x2: Value) -> Value:
    """A vector is a column, whatever the batch of the matrices."""
    dtype = working_dtype("solve", x1.dtype, x2.dtype)
    matrices("solve", b, x1, square=True)
    order, vector = x1.shape[-1], len(x2.shape) == 1
    if not x2.shape or x2.shape[-1 if vector else -2] != order:
        raise ShapeMismatchError(
            f"solve: the right side has shape {x2.shape}, which has no {order} rows for matrices of shape {x1.shape}"
        )
    x1, x2 = cast(b, x1, dtype), cast(b, x2, dtype)
    if vector:
        x2 = reshape(b, x2, (order, 1))
    batch = broadcast_shape("solve", (x1.shape[:-2], x2.shape[:-2]))
    x1, x2 = expand(b, x1, (*batch, order, order)), expand(b, x2, (*batch, *x2.shape[-2:]))
    found = b.op("linalg::solve", x1, x2) if x2.type.size else x2
    return reshape(b, found, (*batch, order)) if vector else found


SOLVE: Final = Rule("solve", _solve)


def _matrix_power(b: IrBuilder, x: Value, *, n: int) -> Value:
    """Products of the powers of 2 that the exponent consists of; of the inverse for a negative one."""
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise MatrixShapeError(f"matrix_power takes square matrices, got shape {x.shape}")
    if n < 0:
        x, n = factors(b, "linalg::inv", matrices("matrix_power", b, x, square=True))[0], -n
    if n == 0:
        return identity(b, x.type)
    result: Value | None = None
    while True:
        if n % 2:
            result = x if result is None else MATMUL.function(b, result, x)
        n //= 2
        if not n:
            assert result is not None
            return result
        x = MATMUL.function(b, x, x)


MATRIX_POWER: Final = Rule("matrix_power", _matrix_power)


def _tolerance_dtype(key: OperandKey, array_dtypes: Sequence[DType]) -> DType:
    """Return the dtype that a number takes as tolerance: that of the singular values."""
    if isinstance(key, np.dtype):
        return key
    return real_dtype(working_dtype("rtol", *array_dtypes))


def _counts(b: IrBuilder, name: str, x: Value, values: Value, tolerances: Sequence[Value]) -> Value:
    """Whether singular values count: more than the relative tolerance times the largest one."""
    if tolerances:
        (relative,) = tolerances
        if relative.dtype.kind not in "f":
            raise DTypeMismatchError(f"{name}: rtol has to be real floating-point, got {relative.dtype.name}")
        relative = cast(b, relative, values.dtype)
    else:
        relative = scalar(b, max(x.shape[-2:]) * float(np.finfo(values.dtype.name).eps), values.dtype)
    batch = broadcast_shape(name, (relative.shape, values.shape[:-1]))
    largest = reduce(b, values, "stablehlo::maximum", 0, (len(values.shape) - 1,))
    limit = b.op("stablehlo::multiply", expand(b, relative, batch), expand(b, largest, batch))
    shape = (*batch, values.shape[-1])
    limit = expand(b, reshape(b, limit, (*batch, 1)), shape)
    return b.op("stablehlo::compare", expand(b, values, shape), limit, comparison_direction="GT")


def _matrix_rank(b: IrBuilder, x: Value, *tolerances: Value) -> Value:
    x = matrices("matrix_rank", b, x)
    (values,) = factors(b, "linalg::svd", x, mode="none")
    counted = cast(b, _counts(b, "matrix_rank", x, values, tolerances), INT64)
    return reduce(b, counted, "stablehlo::add", 0, (len(counted.shape) - 1,))


MATRIX_RANK: Final = Rule("matrix_rank", _matrix_rank)
MATRIX_RANK.scalar_dtype = _tolerance_dtype


def _pinv(b: IrBuilder, x: Value, *tolerances: Value) -> Value:
    """`V S+ U^H`, where S+ has the reciprocals of the singular values that do not vanish."""
    x = matrices("pinv", b, x)
    u, values, vh = factors(b, "linalg::svd", x, mode="reduced")
    counts = _counts(b, "pinv", x, values, tolerances)
    shape = counts.shape
    values = expand(b, values, shape)
    reciprocals = b.op("stablehlo::divide", like(b, 1, values), values)
    reciprocals = cast(b, b.op("stablehlo::select", counts, reciprocals, like(b, 0, values)), x.dtype)
    v, uh = (_adjoint(b, expand(b, factor, (*shape[:-1], *factor.shape[-2:]))) for factor in (vh, u))
    scaled = b.op("stablehlo::multiply", v, expand(b, reshape(b, reciprocals, (*shape[:-1], 1, shape[-1])), v.shape))
    return MATMUL.function(b, scaled, uh)


PINV: Final = Rule("pinv", _pinv)
PINV.scalar_dtype = _tolerance_dtype


def _adjoint(b: IrBuilder, x: Value) -> Value:
    rank = len(x.shape)
    x = b.op("stablehlo::transpose", x, permutation=(*range(rank - 2), rank - 1, rank - 2))
    return b.op("chlo::conj", x) if x.dtype.kind == "c" else x
