"""Linear algebra functions of the array API standard's main namespace."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

from latebind.array.operands import ArrayLike, apply, as_array, as_arrays
from latebind.array.rules.common import normalize_axis
from latebind.array.rules.linear import MATMUL, TENSORDOT, VECDOT
from latebind.array.rules.shapes import matrix_transpose as transposed
from latebind.array.rules.shapes import permute
from latebind.errors import ShapeMismatchError

if TYPE_CHECKING:
    from latebind.array.array import Array


def matmul(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Matrix product.

    Parameters
    ----------
    x1, x2
        Shapes `(..., M, K)` and `(..., K, N)`, whose leading axes broadcast; a vector of K elements is a row on the
        left and a column on the right. Any dtype; they promote.

    Returns
    -------
    Array
        Shape `(..., M, N)`, without M or N where an operand is a vector.

    Raises
    ------
    ShapeMismatchError
        If K differs, leading axes do not broadcast, or an operand has no dimension.

    Notes
    -----
    Array API standard, linear algebra functions, `matmul`.
    """
    return apply(MATMUL, x1, x2)


def matrix_transpose(x: ArrayLike, /) -> Array:
    """Exchange the last two axes; a view.

    Raises
    ------
    ShapeMismatchError
        If there are fewer than two dimensions.

    Notes
    -----
    Array API standard, linear algebra functions, `matrix_transpose`.
    """
    return transposed(as_array(x))


def tensordot(x1: ArrayLike, x2: ArrayLike, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Array:
    """Sum of products over several axes.

    Parameters
    ----------
    x1, x2
        Any dtypes; they promote.
    axes
        A number N sums over the last N axes of `x1` and the first N of `x2`; two sequences name the axes of each, in
        pairs.

    Returns
    -------
    Array
        The other axes of `x1`, then those of `x2`.

    Raises
    ------
    ShapeMismatchError
        If an axis is out of range, or the paired axes differ in number or length.

    Notes
    -----
    Array API standard, linear algebra functions, `tensordot`.
    """
    first, second = as_arrays(x1, x2)
    if isinstance(axes, (tuple, list)):
        one, two = (tuple([side] if isinstance(side, int) else side) for side in axes)
    else:
        count = operator.index(axes)
        if not 0 <= count <= min(first.ndim, second.ndim):
            raise ShapeMismatchError(
                f"tensordot: axes={count} does not fit operands of {first.ndim} and {second.ndim} dimensions"
            )
        one, two = tuple(range(first.ndim - count, first.ndim)), tuple(range(count))
    if len(one) != len(two):
        raise ShapeMismatchError(f"tensordot: {len(one)} axes of the first operand are paired with {len(two)}")
    pairs = (
        tuple(normalize_axis("tensordot", axis, first.ndim) for axis in one),
        tuple(normalize_axis("tensordot", axis, second.ndim) for axis in two),
    )
    if any(len(set(side)) != len(side) for side in pairs):
        raise ShapeMismatchError(f"tensordot: axes {axes} name an axis twice")
    return apply(TENSORDOT, first, second, axes=pairs)


def vecdot(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """Dot product of vectors along an axis; the first operand is conjugated.

    Parameters
    ----------
    x1, x2
        Any dtypes; they promote. All axes but `axis` broadcast.
    axis
        Counted from the back, negative.

    Returns
    -------
    Array
        The broadcast shape without the axis.

    Raises
    ------
    ShapeMismatchError
        If the axis is out of range, the vectors differ in length, or the other axes do not broadcast.

    Notes
    -----
    Array API standard, linear algebra functions, `vecdot`.
    """
    first, second = as_arrays(x1, x2)
    if not first.ndim or not second.ndim:
        raise ShapeMismatchError("vecdot: both operands need at least one dimension")
    if axis >= 0 and first.ndim != second.ndim:
        raise ShapeMismatchError("vecdot: give the axis counted from the back (negative) where dimensions differ")
    return apply(VECDOT, _last(first, axis), _last(second, axis))


def _last(x: Array, axis: int) -> Array:
    number = normalize_axis("vecdot", axis, x.ndim)
    if number == x.ndim - 1:
        return x
    return permute(x, [*(i for i in range(x.ndim) if i != number), number])
