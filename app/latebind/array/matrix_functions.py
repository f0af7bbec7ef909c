"""Norms, diagonals and products of vectors: the part of the `linalg` extension that needs no factorisation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from latebind.array.creation_functions import DTypeLike
from latebind.array.data_type_functions import astype, broadcast_arrays, result_type
from latebind.array.elementwise_functions import multiply
from latebind.array.manipulation_functions import reshape
from latebind.array.operands import ArrayLike, apply, as_array, as_arrays
from latebind.array.rules.common import axes_attribute, integer, normalize_axis, require_numeric
from latebind.array.rules.norms import CROSS, DIAGONAL, MATRIX_NORM, VECTOR_NORM
from latebind.array.statistical_functions import sum
from latebind.errors import DTypeMismatchError, ShapeMismatchError

if TYPE_CHECKING:
    from latebind.array.array import Array

MatrixOrder: TypeAlias = int | float | Literal["fro", "nuc"] | None


def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """Return the cross product of vectors of three elements.

    Parameters
    ----------
    x1, x2 : Array or array-like
        Numeric; they promote, and all axes but `axis` broadcast.
    axis : int
        Of three elements in both; counted from the back (negative) where the operands differ in dimensions.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range or has not three elements, or the other axes do not broadcast.
    """
    first, second = as_arrays(x1, x2)
    require_numeric("cross", first.dtype, second.dtype)
    number = integer("cross", "axis", axis)
    if number >= 0 and first.ndim != second.ndim:
        raise ShapeMismatchError("cross: give the axis counted from the back (negative) where dimensions differ")
    for one in (first, second):
        extent = one.shape[normalize_axis("cross", number, one.ndim)]
        if extent != 3:
            raise ShapeMismatchError(
                f"cross: vectors have to have 3 elements along axis {number}, got shape {one.shape}"
            )
    dtype = result_type(first, second)
    first, second = broadcast_arrays(astype(first, dtype, copy=False), astype(second, dtype, copy=False))
    return apply(CROSS, first, second, axis=normalize_axis("cross", number, first.ndim))


def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """Return the diagonals of matrices; a copy.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, N)`, any dtype.
    offset : int
        How far above the main diagonal, below it if negative.

    Returns
    -------
    Array
        The leading axes, then the elements of the diagonal: none if it lies outside the matrix.

    Raises
    ------
    ShapeMismatchError
        With fewer than two dimensions.
    """
    return apply(DIAGONAL, as_array(x), offset=integer("diagonal", "offset", offset))


def matrix_norm(x: ArrayLike, /, *, keepdims: bool = False, ord: MatrixOrder = "fro") -> Array:
    """Return the norms of matrices.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, N)`; integers count as float64.
    keepdims : bool
        Whether the two axes stay, with an extent of 1.
    ord : 1, -1, 2, -2, inf, -inf, "fro" or "nuc"
        Largest or smallest (for a negative number) sum of sizes over columns (1) or rows (inf), largest or smallest
        singular value (2), root of the sum of squares ("fro", also `None`), sum of the singular values ("nuc").

    Returns
    -------
    Array
        Real, of the precision of `x`.

    Raises
    ------
    ShapeMismatchError
        For another order, fewer than two dimensions, or the smallest of nothing.
    """
    order = "fro" if ord is None else ord
    if order not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise ShapeMismatchError(f"matrix_norm: ord has to be 1, -1, 2, -2, inf, -inf, 'fro' or 'nuc', got {ord!r}")
    return apply(MATRIX_NORM, as_array(x), keepdims=bool(keepdims), ord=order)


def outer(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Return the products of all elements of one vector with all of another: shape `(N, M)`.

    Raises
    ------
    ShapeMismatchError
        If an operand has not one dimension.
    """
    first, second = as_arrays(x1, x2)
    if first.ndim != 1 or second.ndim != 1:
        raise ShapeMismatchError(f"outer takes vectors, got shapes {first.shape} and {second.shape}")
    return multiply(reshape(first, (-1, 1)), second)


def trace(x: ArrayLike, /, *, offset: int = 0, dtype: DTypeLike = None) -> Array:
    """Return the sums of the diagonals of matrices.

    Parameters
    ----------
    x : Array or array-like
        Shape `(..., M, N)`, numeric.
    offset : int
        As for `diagonal`.
    dtype : dtype, optional
        As for `sum`.

    Raises
    ------
    ShapeMismatchError
        With fewer than two dimensions.
    """
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(
    x: ArrayLike, /, *, axis: int | Sequence[int] | None = None, keepdims: bool = False, ord: int | float = 2
) -> Array:
    """Return the norms of vectors.

    Parameters
    ----------
    x : Array or array-like
        Integers count as float64; float16 is added up in float32.
    axis : int or tuple of int, optional
        What forms a vector; by default everything.
    keepdims : bool
        Whether these axes stay, with an extent of 1.
    ord : int or float
        `sum(abs(x)**ord)**(1/ord)`; the largest size for `inf`, the smallest for `-inf`, the number of elements that
        are not zero for 0.

    Returns
    -------
    Array
        Real, of the precision of `x`.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range, or the smallest of nothing is asked for.
    DTypeMismatchError
        If the order is not a real number.
    """
    if not isinstance(ord, (int, float)) or math.isnan(ord):
        raise DTypeMismatchError(f"vector_norm: ord has to be a real number, got {ord!r}")
    return apply(VECTOR_NORM, as_array(x), axis=axes_attribute("vector_norm", axis), keepdims=bool(keepdims), ord=ord)
