"""Factorisations, equations and what follows from them; the last two dimensions are matrices, the others a batch.

All of them are optional: LAPACK, or an engine's own library, is behind each, and no formula of core operations replaces
it. They take single and double precision, real and complex.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from latebind.errors import DTypeMismatchError, MatrixShapeError, ShapeMismatchError
from latebind.ir.attributes import boolean, text
from latebind.ir.node import Attributes, Value
from latebind.ir.ops.declare import FLOAT_OR_COMPLEX, check_kind, declare
from latebind.ir.types import DType, TensorType

if TYPE_CHECKING:
    from latebind.ir.builder import IrBuilder

Types = tuple[TensorType, ...]
HALF: Final = np.dtype(np.float16)
#: How much of a factorisation is computed: the vectors of all dimensions, those that count, or none.
MODES: Final = ("complete", "reduced", "none")
TRANSPOSITIONS: Final = ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT")


def real_dtype(dtype: DType) -> DType:
    """Return the dtype of the parts of a complex dtype; a real one as it is."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def complex_dtype(dtype: DType) -> DType:
    """Return the complex dtype whose parts have a real dtype; a complex one as it is."""
    return dtype if dtype.kind == "c" else np.dtype(f"c{2 * max(dtype.itemsize, 4)}")


def check_precision(type: TensorType) -> None:
    """Refuse what no linear algebra library takes: integers, and half precision."""
    check_kind(type, FLOAT_OR_COMPLEX)
    if type.dtype == HALF:
        raise DTypeMismatchError("operands must be of single or double precision, got float16")


def _matrices(type: TensorType) -> tuple[tuple[int, ...], int, int]:
    """Return batch, rows and columns."""
    check_precision(type)
    if type.rank < 2:
        raise MatrixShapeError("operands must be matrices, with two dimensions at least")
    return type.shape[:-2], type.shape[-2], type.shape[-1]


def _square(type: TensorType) -> tuple[tuple[int, ...], int]:
    batch, rows, columns = _matrices(type)
    if rows != columns:
        raise MatrixShapeError("the last two dimensions must be equal")
    return batch, rows


def _infer_square(types: Sequence[TensorType], attributes: Attributes) -> Types:
    _square(types[0])
    if "lower" in attributes:
        boolean(attributes, "lower")
    return (types[0],)


def _infer_solve(types: Sequence[TensorType], attributes: Attributes) -> Types:
    """Both operands are matrices with one batch; the first is square, and fits the second from its side."""
    a, b = types
    if a.dtype != b.dtype:
        raise DTypeMismatchError("operands must have the same dtype")
    batch, order = _square(a)
    other, rows, columns = _matrices(b)
    side = "left_side" not in attributes or boolean(attributes, "left_side")
    if batch != other:
        raise ShapeMismatchError("operands must have the same leading dimensions")
    if order != (rows if side else columns):
        raise ShapeMismatchError(f"b must have as many {'rows' if side else 'columns'} as a")
    return (b,)


def _infer_triangular_solve(types: Sequence[TensorType], attributes: Attributes) -> Types:
    boolean(attributes, "lower")
    boolean(attributes, "unit_diagonal")
    text(attributes, "transpose_a", TRANSPOSITIONS)
    return _infer_solve(types, attributes)


def _infer_det(types: Sequence[TensorType], attributes: Attributes) -> Types:
    batch, _ = _square(types[0])
    return (types[0].with_shape(batch),)


def _infer_slogdet(types: Sequence[TensorType], attributes: Attributes) -> Types:
    batch, _ = _square(types[0])
    return types[0].with_shape(batch), TensorType.of(batch, real_dtype(types[0].dtype))


def _infer_qr(types: Sequence[TensorType], attributes: Attributes) -> Types:
    batch, rows, columns = _matrices(types[0])
    kept = rows if text(attributes, "mode", MODES[:2]) == "complete" else min(rows, columns)
    return types[0].with_shape((*batch, rows, kept)), types[0].with_shape((*batch, kept, columns))


def _infer_eigh(types: Sequence[TensorType], attributes: Attributes) -> Types:
    batch, order = _square(types[0])
    values = TensorType.of((*batch, order), real_dtype(types[0].dtype))
    return (values, types[0]) if boolean(attributes, "vectors") else (values,)


def _infer_eig(types: Sequence[TensorType], attributes: Attributes) -> Types:
    batch, order = _square(types[0])
    vectors = types[0].with_dtype(complex_dtype(types[0].dtype))
    values = vectors.with_shape((*batch, order))
    return (values, vectors) if boolean(attributes, "vectors") else (values,)


def _infer_svd(types: Sequence[TensorType], attributes: Attributes) -> Types:
    batch, rows, columns = _matrices(types[0])
    rank = min(rows, columns)
    values = TensorType.of((*batch, rank), real_dtype(types[0].dtype))
    mode = text(attributes, "mode", MODES)
    if mode == "none":
        return (values,)
    left, right = (rows, columns) if mode == "complete" else (rank, rank)
    return types[0].with_shape((*batch, rows, left)), values, types[0].with_shape((*batch, right, columns))


def _inverse(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    """The solution for the identity."""
    (a,) = operands
    rank, square = len(a.shape), a.shape[-2:]
    rows, columns = (
        b.op("stablehlo::iota", iota_dimension=axis, shape=square, dtype=np.dtype(np.int32)) for axis in (0, 1)
    )
    identity = b.make_cast(b.op("stablehlo::compare", rows, columns, comparison_direction="EQ"), a.dtype).value()
    identity = b.op("stablehlo::broadcast_in_dim", identity, broadcast_dimensions=(rank - 2, rank - 1), shape=a.shape)
    return (b.op("linalg::solve", a, identity),)


def _determinant(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
    """`sign * exp(log)`."""
    sign, log = (b.make_generic("linalg::slogdet", operands).value(index) for index in (0, 1))
    size = b.make_cast(b.op("stablehlo::exponential", log), sign.dtype).value()
    return (b.op("stablehlo::multiply", sign, size),)


declare(
    "stablehlo::cholesky",
    "a",
    "lower",
    _infer_square,
    "L with a = L L^H, or with lower=false U with a = U^H U; only that triangle of a is read, the other one gets 0.",
    optional=True,
)
declare(
    "stablehlo::triangular_solve",
    "a b",
    "left_side lower unit_diagonal transpose_a",
    _infer_triangular_solve,
    "X with op(a) X = b, or X op(a) = b, of which only one triangle of a is read.",
    optional=True,
)
declare("linalg::solve", "a b", "", _infer_solve, "X with a X = b.", optional=True)
declare("linalg::inv", "a", "", _infer_square, "Inverse of a square matrix.", decompose=_inverse)
declare("linalg::slogdet", "a", "", _infer_slogdet, "Sign and logarithm of the size of the determinant.", optional=True)
declare("linalg::det", "a", "", _infer_det, "Determinant.", decompose=_determinant)
declare("linalg::qr", "a", "mode", _infer_qr, "Q with orthonormal columns and upper R with a = Q R.", optional=True)
declare(
    "linalg::eigh",
    "a",
    "vectors",
    _infer_eigh,
    "Eigenvalues, ascending, and eigenvectors of a Hermitian matrix, of which the lower triangle is read.",
    optional=True,
)
declare("linalg::eig", "a", "vectors", _infer_eig, "Complex eigenvalues and right eigenvectors.", optional=True)
declare(
    "linalg::svd",
    "a",
    "mode",
    _infer_svd,
    "U, singular values in descending order, V^H with a = U S V^H; the values alone for mode none.",
    optional=True,
)
