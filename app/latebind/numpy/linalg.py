"""`latebind.numpy.linalg`: NumPy's names on `latebind.linalg`, which is imported at the first use of a function."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from latebind.array import elementwise_functions as elementwise
from latebind.array.array import Array
from latebind.array.creation_functions import eye
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.linear_algebra_functions import matmul
from latebind.array.manipulation_functions import expand_dims, moveaxis
from latebind.array.operands import ArrayLike
from latebind.array.rules.common import normalize_axis
from latebind.array.rules.shapes import permute
from latebind.array.searching_functions import where
from latebind.errors import MatrixShapeError, UnsupportedOpError
from latebind.numpy import products
from latebind.numpy.arguments import alike, array_of, floating, limits, refuse
from latebind.numpy.shaping import diagonal as diagonal_of

#: NumPy's own: latebind's errors derive from it, and functions that leave a step to NumPy raise it.
LinAlgError = np.linalg.LinAlgError

tensordot, outer = products.tensordot, products.outer


def library(name: str) -> Any:
    """Return a function of `latebind.linalg`.

    Raises
    ------
    UnsupportedOpError
        If this version does not have it.
    """
    try:
        module = importlib.import_module("latebind.linalg")
    except ModuleNotFoundError:
        raise UnsupportedOpError(
            f"latebind.numpy.linalg.{name} needs latebind.linalg, which this version lacks"
        ) from None
    try:
        return getattr(module, name)
    except AttributeError:
        raise UnsupportedOpError(f"latebind.linalg has no {name}: convert the array with np.asarray first") from None


def _delegated(name: str, count: int = 1) -> Any:
    """Return a function of `latebind.linalg` that takes array-likes."""

    def call(*args: Any, **kwargs: Any) -> Any:
        arrays = map(_inexact, alike(*args[:count]))
        return library(name)(*arrays, *args[count:], **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`latebind.linalg.{name}`; integers are converted to float64 first."
    return call


cholesky = _delegated("cholesky")
det = _delegated("det")
eig = _delegated("eig")
eigvals = _delegated("eigvals")
inv = _delegated("inv")
slogdet = _delegated("slogdet")
solve = _delegated("solve", 2)
svdvals = _delegated("svdvals")


def _triangle(a: ArrayLike, UPLO: str) -> Array:
    """Return Hermitian matrices of which the lower triangle counts.

    Raises
    ------
    ValueError
        If `UPLO` is neither "L" nor "U".
    """
    if UPLO.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    x = _inexact(array_of(a))
    return elementwise.conj(x.mT) if UPLO.upper() == "U" else x


def eigh(a: ArrayLike, UPLO: str = "L") -> Any:
    """Return eigenvalues and eigenvectors of Hermitian matrices, of which one triangle counts."""
    return library("eigh")(_triangle(a, UPLO))


def eigvalsh(a: ArrayLike, UPLO: str = "L") -> Array:
    """Return eigenvalues of Hermitian matrices, of which one triangle counts."""
    return library("eigvalsh")(_triangle(a, UPLO))  # type: ignore[no-any-return]


def svd(a: ArrayLike, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Return the singular value decomposition, or the singular values alone."""
    x = _inexact(array_of(a))
    return library("svd")(x, full_matrices=full_matrices) if compute_uv else library("svdvals")(x)


def qr(a: ArrayLike, mode: str = "reduced") -> Any:
    """Return the QR decomposition; with mode "r" the triangle alone.

    Raises
    ------
    DTypeMismatchError
        For mode "raw".
    """
    if mode == "raw":
        raise refuse("qr", "mode='raw'", "use mode='reduced'")
    found = library("qr")(_inexact(array_of(a)), mode="reduced" if mode == "r" else mode)
    return found[1] if mode == "r" else found


def pinv(a: ArrayLike, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """Return pseudo-inverses; `rcond` is another name for `rtol`, 1e-15 by default, as in NumPy."""
    cut = 1e-15 if rcond is None and rtol is None else (rtol if rcond is None else rcond)
    return library("pinv")(_inexact(array_of(a)), rtol=cut)  # type: ignore[no-any-return]


def matrix_rank(A: ArrayLike, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """Return the number of singular values that are above a bound: `tol`, or `rtol` times the largest one."""
    x = _inexact(array_of(A))
    if x.ndim < 2:
        return (x != 0).any()
    if tol is None:
        return library("matrix_rank")(x, rtol=rtol)  # type: ignore[no-any-return]
    return (library("svdvals")(x) > tol).sum(axis=-1)  # type: ignore[no-any-return]


def cond(x: ArrayLike, p: Any = None) -> Array:
    """Return condition numbers of matrices in a norm; of the singular values by default."""
    matrices = _inexact(array_of(x))
    if p in (None, 2, -2):
        values = library("svdvals")(matrices)
        largest, smallest = values.max(axis=-1), values.min(axis=-1)
        found = smallest / largest if p == -2 else largest / smallest
        # Zeros divided by zeros; what comes of a NaN in the matrix stays.
        undefined = elementwise.isnan(found) & ~elementwise.isnan(matrices).any(axis=(-2, -1))
        return where(undefined, math.inf, found)
    # The inverse of a singular matrix would be an error on some backends; its condition is infinite.
    singular = elementwise.equal(library("slogdet")(matrices)[0], 0)
    identity = eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    inverse = library("inv")(where(singular[..., None, None], identity, matrices))
    infinite = singular & ~elementwise.isnan(matrices).any(axis=(-2, -1))
    return where(infinite, math.inf, norm(matrices, p, (-2, -1)) * norm(inverse, p, (-2, -1)))


def tensorsolve(a: ArrayLike, b: ArrayLike, axes: Any = None) -> Array:
    """Return the array whose `tensordot` with `a` over all its axes is `b`."""
    x, right = (_inexact(one) for one in alike(a, b))
    if axes is not None:
        moved = [normalize_axis("tensorsolve", one, x.ndim) for one in axes]
        x = permute(x, [*(i for i in range(x.ndim) if i not in moved), *moved])
    shape = x.shape[right.ndim :]
    if math.prod(shape) ** 2 != x.size:
        raise MatrixShapeError("tensorsolve: the array has to be square when its axes are taken in two groups")
    return library("solve")(x.reshape((-1, math.prod(shape))), right.reshape((-1,))).reshape(shape)  # type: ignore[no-any-return]


def tensorinv(a: ArrayLike, ind: int = 2) -> Array:
    """Return the inverse under `tensordot` over `ind` axes."""
    x = _inexact(array_of(a))
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    first, last = x.shape[:ind], x.shape[ind:]
    if math.prod(first) != math.prod(last):
        raise MatrixShapeError("tensorinv: the array has to be square when its axes are taken in two groups")
    return library("inv")(x.reshape((math.prod(last), -1))).reshape((*last, *first))  # type: ignore[no-any-return]


def _inexact(x: Array) -> Array:
    return astype(x, floating(x.dtype), copy=False)


def norm(x: ArrayLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    """Return norms of vectors or matrices.

    Parameters
    ----------
    x : Array or array-like
    ord : number, "fro" or "nuc", optional
        By default the square root of the sum of squares.
    axis : int or pair of int, optional
        The vectors' axis, or the matrices' axes; by default the whole array.
    keepdims : bool

    Raises
    ------
    ValueError
        If the order does not exist for vectors or matrices.
    """
    array = _inexact(array_of(x))
    if axis is None:
        if ord is None or (array.ndim == 2 and ord in ("fro", "f")) or (array.ndim == 1 and ord == 2):
            total = (elementwise.abs(array) ** 2).sum(keepdims=keepdims)
            return elementwise.sqrt(total)
        axis = tuple(range(array.ndim))
    axes = tuple(
        normalize_axis("norm", one, array.ndim) for one in (axis if isinstance(axis, (tuple, list)) else (axis,))
    )
    if len(axes) == 1:
        return _vector_norm(array, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(array, ord, axes, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


def _vector_norm(x: Array, ord: Any, axis: int, keepdims: bool) -> Array:
    size = elementwise.abs(x)
    if ord is None or ord == 2:
        return elementwise.sqrt((size * size).sum(axis=axis, keepdims=keepdims))
    if ord == math.inf:
        return size.max(axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return size.min(axis=axis, keepdims=keepdims)
    if ord == 0:
        return astype((x != 0).sum(axis=axis, keepdims=keepdims), size.dtype)
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    powers: Array = (size**ord).sum(axis=axis, keepdims=keepdims)
    exponent: float = 1.0 / ord
    return powers**exponent


def _matrix_norm(x: Array, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    matrices = moveaxis(x, axes, (-2, -1))
    size = elementwise.abs(matrices)
    if ord in (None, "fro", "f"):
        result = elementwise.sqrt((size * size).sum(axis=(-2, -1)))
    elif ord in (1, -1, math.inf, -math.inf):
        sums = size.sum(axis=-2 if abs(ord) == 1 else -1)
        result = sums.max(axis=-1) if ord > 0 else sums.min(axis=-1)
    elif ord in (2, -2, "nuc"):
        values = library("svdvals")(matrices)
        result = values.sum(axis=-1) if ord == "nuc" else (values.max(axis=-1) if ord == 2 else values.min(axis=-1))
    else:
        raise ValueError("Invalid norm order for matrices.")
    return expand_dims(result, tuple(sorted(axes))) if keepdims else result


def vector_norm(x: ArrayLike, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    """Return norms of vectors; of the flattened array if there is no axis."""
    array = _inexact(array_of(x))
    if axis is None:
        result = _vector_norm(array.reshape((-1,)), ord, 0, False)
        return result.reshape((1,) * array.ndim) if keepdims else result
    return norm(array, ord, axis, keepdims)


def matrix_norm(x: ArrayLike, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """Return norms of matrices, which are the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


def matrix_power(a: ArrayLike, n: int) -> Array:
    """Return a power of square matrices, by repeated squaring; of a negative exponent, of the inverse."""
    x = array_of(a)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise MatrixShapeError("matrix_power: Last 2 dimensions of the array must be square")
    if n < 0:
        x, n = library("inv")(_inexact(x)), -n
    result = broadcast_to(eye(x.shape[-1], dtype=x.dtype, device=x.device), x.shape) if n == 0 else None
    while n:
        if n & 1:
            result = x if result is None else matmul(result, x)
        n >>= 1
        x = matmul(x, x) if n else x
    return result  # type: ignore[return-value]


def multi_dot(arrays: Any, *, out: Any = None) -> Array:
    """Return the product of several matrices, in the order that takes the fewest operations."""
    parts = alike(*arrays)
    last = len(parts)
    subscripts = [[i, i + 1] for i in range(last)]
    subscripts[0] = subscripts[0] if parts[0].ndim == 2 else [1]
    subscripts[-1] = subscripts[-1] if parts[-1].ndim == 2 else [last - 1]
    output = [i for i, part in ((0, parts[0]), (last, parts[-1])) if part.ndim == 2]
    pairs = [item for pair in zip(parts, subscripts, strict=True) for item in pair]
    return products.einsum(*pairs, output, out=out)


def lstsq(a: ArrayLike, b: ArrayLike, rcond: float | None = None) -> tuple[Array, Array, Array, Array]:
    """Return the least-squares solution, the squared residuals, the rank and the singular values.

    The residuals are always there. NumPy's are empty where the rank is not full or there are no more rows than columns.
    """
    matrix, right = (_inexact(one) for one in alike(a, b))
    dtype = np.result_type(matrix.dtype, right.dtype)
    matrix, right = astype(matrix, dtype, copy=False), astype(right, dtype, copy=False)
    columns = right[:, None] if right.ndim == 1 else right
    u, s, vh = library("svd")(matrix, full_matrices=False)
    limit = (float(limits(dtype).eps) * max(matrix.shape) if rcond is None or rcond < 0 else rcond) * s[0]
    kept = s > limit
    inverse = where(kept, 1.0 / where(kept, s, 1.0), 0.0)
    coefficients = matmul(elementwise.conj(u.T), columns) * inverse[:, None]
    solution = matmul(elementwise.conj(vh.T), coefficients)
    residuals = (elementwise.abs(matmul(matrix, solution) - columns) ** 2).sum(axis=0)
    return (solution[:, 0] if right.ndim == 1 else solution), residuals, kept.sum(), s


def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """Return the diagonals of matrices, which are the last two axes."""
    return diagonal_of(x, offset, -2, -1)


def trace(x: ArrayLike, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """Return the sums of the diagonals of matrices, which are the last two axes."""
    return diagonal(x, offset=offset).sum(axis=-1, dtype=dtype)


def matrix_transpose(x: ArrayLike, /) -> Array:
    """Return a view with the last two axes exchanged."""
    return array_of(x).mT


def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """Return the cross products of vectors of three elements along an axis.

    Raises
    ------
    ValueError
        If the vectors have another length.
    """
    first, second = alike(x1, x2)
    if first.shape[axis] != 3 or second.shape[axis] != 3:
        raise ValueError("Both input arrays must be (arrays of) 3-dimensional vectors")
    return products.cross(first, second, axis=axis)


def vecdot(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """Return the dot products of vectors along an axis, the first operand conjugated."""
    from latebind.array.linear_algebra_functions import vecdot as along

    return along(*alike(x1, x2), axis=axis)
