"""Products: `dot`, `inner`, `outer`, `tensordot`, `kron`, `cross`, `einsum`."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.array import elementwise_functions as elementwise
from latebind.array import linear_algebra_functions as linear
from latebind.array.array import Array
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.manipulation_functions import expand_dims, moveaxis, reshape, stack
from latebind.array.operands import ArrayLike
from latebind.array.output import deliver
from latebind.array.rules.common import normalize_axis
from latebind.array.rules.shapes import permute
from latebind.errors import ShapeMismatchError
from latebind.numpy.arguments import alike
from latebind.numpy.shaping import diagonal

__all__ = [
    "cross",
    "dot",
    "einsum",
    "einsum_path",
    "inner",
    "kron",
    "outer",
    "tensordot",
    "vdot",
]


def dot(a: ArrayLike, b: ArrayLike, out: Any = None) -> Array:
    """Return the sum of products over the last axis of `a` and the second to last (or only) one of `b`."""
    first, second = alike(a, b)
    return first.dot(second, out=out)


def vdot(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Return the sum of products of the flattened arrays, the first one conjugated."""
    first, second = (reshape(one, (-1,)) for one in alike(a, b))
    return linear.vecdot(first, second)


def inner(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Return the sum of products over the last axes."""
    first, second = alike(a, b)
    if not first.ndim or not second.ndim:
        return elementwise.multiply(first, second)
    return linear.tensordot(first, second, axes=((first.ndim - 1,), (second.ndim - 1,)))


def outer(a: ArrayLike, b: ArrayLike, out: Any = None) -> Array:
    """Return the products of all pairs of elements of the flattened arrays."""
    first, second = (reshape(one, (-1,)) for one in alike(a, b))
    return deliver("outer", elementwise.multiply(first[:, None], second[None, :]), out)


def tensordot(a: ArrayLike, b: ArrayLike, axes: Any = 2) -> Array:
    """Return the sum of products over several axes."""
    first, second = alike(a, b)
    if (not isinstance(axes, int) and np.ndim(axes) > 0) or isinstance(axes, (tuple, list)):
        sides = [(int(side),) if np.ndim(side) == 0 else tuple(int(one) for one in side) for side in axes]
        return linear.tensordot(first, second, axes=(sides[0], sides[1]))
    return linear.tensordot(first, second, axes=int(axes))


def kron(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the Kronecker product."""
    first, second = alike(a, b)
    rank = max(first.ndim, second.ndim)
    first, second = (reshape(one, (1,) * (rank - one.ndim) + one.shape) for one in (first, second))
    shape = tuple(m * n for m, n in zip(first.shape, second.shape, strict=True))
    left = expand_dims(first, tuple(range(1, 2 * rank, 2))) if rank else first
    right = expand_dims(second, tuple(range(0, 2 * rank, 2))) if rank else second
    return reshape(elementwise.multiply(left, right), shape)


def cross(
    a: ArrayLike, b: ArrayLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Array:
    """Return the cross product of vectors of three (or, for one that is two-dimensional, two) elements.

    Raises
    ------
    ValueError
        If the vectors have another length.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    first, second = alike(a, b)
    x, y = (moveaxis(one, normalize_axis("cross", at, one.ndim), -1) for one, at in ((first, axisa), (second, axisb)))
    if x.shape[-1] not in (2, 3) or y.shape[-1] not in (2, 3):
        raise ValueError("incompatible dimensions for cross product\n(dimension must be 2 or 3)")
    u, v = ([one[..., i] for i in range(one.shape[-1])] for one in (x, y))
    if len(u) == len(v) == 2:
        return u[0] * v[1] - u[1] * v[0]
    p, q = ([*one, None] if len(one) == 2 else one for one in (u, v))
    parts = [_minor(p[i], q[j], p[j], q[i]) for i, j in ((1, 2), (2, 0), (0, 1))]
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    made = stack([broadcast_to(part, shape) for part in parts], axis=-1)
    return moveaxis(made, -1, axisc)


def _minor(a: Any, b: Any, c: Any, d: Any) -> Array:
    """Return `a * b - c * d`; a missing factor is zero."""
    first: Any = None if a is None or b is None else a * b
    second: Any = None if c is None or d is None else c * d
    if first is None:
        return elementwise.negative(second)
    return first if second is None else first - second  # type: ignore[no-any-return]


# Einstein summation


def einsum(
    *operands: Any,
    out: Any = None,
    optimize: Any = "greedy",
    dtype: Any = None,
    order: str = "K",
    casting: Any = "same_kind",
) -> Array:
    """Return the sums of products that a subscript string names, or lists of numbers beside the operands.

    Operands are contracted in pairs, each as a matrix product, in the order that `numpy.einsum_path` finds for the
    shapes. Rounding may differ from NumPy's, which sums in another order.

    Raises
    ------
    ValueError
        If the subscripts are wrong or do not fit the operands.
    """
    subscripts, given = _subscripts(operands)
    arrays = alike(*given)
    if dtype is None:
        dtype = np.result_type(*(one.dtype for one in arrays))
    arrays = [astype(one, dtype, copy=False) for one in arrays]
    inputs, output = _labels(subscripts, arrays)
    sizes = _sizes(inputs, arrays)
    terms = [_single(one, labels, sizes) for one, labels in zip(arrays, inputs, strict=True)]
    for pair in _path(terms, output, optimize if len(terms) > 2 else False):
        chosen = [terms.pop(i) for i in sorted(pair, reverse=True)]
        chosen.reverse()
        needed = set(output).union(*(labels for _, labels in terms))
        merged = chosen[0]
        for other in chosen[1:]:
            merged = _contract(merged, other, needed if other is chosen[-1] else needed.union(*(c[1] for c in chosen)))
        terms.append(merged)
    (result, labels) = terms[0]
    extra = tuple(i for i, label in enumerate(labels) if label not in output)
    if extra:
        result = _sum(result, extra)
        labels = tuple(label for label in labels if label in output)
    return deliver("einsum", permute(result, [labels.index(label) for label in output]), out)


def _sum(x: Array, axes: tuple[int, ...]) -> Array:
    return x.any(axis=axes) if x.dtype.kind == "b" else x.sum(axis=axes, dtype=x.dtype)


def _subscripts(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Return subscripts as a string; from lists of numbers if they are given so."""
    if not operands:
        raise ValueError("must specify the einstein sum subscripts string and at least one operand")
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), list(operands[1:])
    pairs = [operands[i : i + 2] for i in range(0, len(operands), 2)]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    def text(numbers: Any) -> str:
        return "".join("..." if one is Ellipsis else letters[one] for one in numbers)

    output = "->" + text(pairs.pop()[0]) if len(pairs[-1]) == 1 else ""
    return ",".join(text(numbers) for _, numbers in pairs) + output, [array for array, _ in pairs]


def _labels(subscripts: str, arrays: list[Array]) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
    """Return the label of each axis of the operands and of the result; an ellipsis stands for numbers."""
    left, arrow, right = subscripts.partition("->")
    parts = left.split(",")
    if len(parts) != len(arrays):
        raise ValueError(
            f"einsum: {left!r} has subscripts of {len(parts)} operands, separated by commas, but got {len(arrays)}"
        )
    inputs, broad = [], 0
    for part, array in zip(parts, arrays, strict=True):
        named = part.replace("...", "")
        if not all(one.isalpha() for one in named) or part.count(".") not in (0, 3):
            raise ValueError(f"einsum: invalid subscript in {part!r}: letters name axes, and '...' the others")
        spare = array.ndim - len(named)
        if spare < 0 or (spare and "..." not in part):
            raise ValueError(
                f"einsum: an operand of shape {array.shape} does not fit the subscripts {part!r}, which name "
                f"{len(named)} axes"
            )
        before, _, after = part.partition("...")
        inputs.append((*before, *range(-spare, 0), *after) if "..." in part else tuple(part))
        broad = max(broad, spare)
    every = "".join(left.replace(",", "").replace(".", ""))
    if not arrow:
        right = ("..." if broad else "") + "".join(sorted(one for one in set(every) if every.count(one) == 1))
    before, dots, after = right.partition("...")
    output = (*before, *(range(-broad, 0) if dots else ()), *after)
    if len(set(output)) != len(output) or any(isinstance(one, str) and one not in every for one in output):
        wrong = [one for one in output if isinstance(one, str) and one not in every]
        what = f"name {wrong[0]!r}, which no operand has" if wrong else "name an axis twice"
        raise ValueError(f"einsum: the output subscripts {right!r} {what}")
    if broad and not dots:
        raise ValueError("einsum: output has fewer dimensions than the ellipsis stands for")
    return inputs, output


def _sizes(inputs: list[tuple[Any, ...]], arrays: list[Array]) -> dict[Any, int]:
    sizes: dict[Any, int] = {}
    for labels, array in zip(inputs, arrays, strict=True):
        for label, extent in zip(labels, array.shape, strict=True):
            known = sizes.setdefault(label, extent)
            if known == 1:
                sizes[label] = extent
            elif extent not in (1, known):
                raise ShapeMismatchError(
                    f"einsum: dimension {label!r} has extent {known} in one operand and {extent} in another"
                )
    return sizes


def _single(x: Array, labels: tuple[Any, ...], sizes: dict[Any, int]) -> tuple[Array, tuple[Any, ...]]:
    """Return an operand whose labels differ from each other, by taking diagonals."""
    x = broadcast_to(x, tuple(sizes[label] for label in labels))
    found = list(labels)
    while len(set(found)) != len(found):
        label = next(one for one in found if found.count(one) > 1)
        first = found.index(label)
        second = found.index(label, first + 1)
        x = diagonal(x, 0, first, second)
        del found[second], found[first]
        found.append(label)
    return x, tuple(found)


def _path(terms: list[Any], output: tuple[Any, ...], optimize: Any) -> list[tuple[int, ...]]:
    """Return which operands to contract, one pair after the other."""
    if len(terms) < 2:
        return []
    if optimize is False or len(terms) == 2:
        return [(0, 1), *((0, last) for last in range(len(terms) - 2, 0, -1))]
    known = dict.fromkeys(label for _, labels in terms for label in labels)
    letters = {label: chr(97 + i) if i < 26 else chr(65 + i - 26) for i, label in enumerate(known)}
    text = ",".join("".join(letters[one] for one in labels) for _, labels in terms)
    shapes = [np.broadcast_to(np.empty(()), x.shape) for x, _ in terms]
    found = np.einsum_path(f"{text}->{''.join(letters[one] for one in output)}", *shapes, optimize=optimize)
    return [tuple(step) for step in found[0][1:]]


def _contract(one: Any, other: Any, needed: set[Any]) -> tuple[Array, tuple[Any, ...]]:
    """Return the product of two terms as a batch of matrix products, summed over what nobody needs any more."""
    x, y = (_summed(term, needed.union(partner[1])) for term, partner in ((one, other), (other, one)))
    shared = [label for label in x[1] if label in y[1]]
    batch = [label for label in shared if label in needed]
    inner_ = [label for label in shared if label not in needed]
    rows = [label for label in x[1] if label not in shared]
    columns = [label for label in y[1] if label not in shared]
    extent = {**dict(zip(x[1], x[0].shape, strict=True)), **dict(zip(y[1], y[0].shape, strict=True))}

    def count(labels: list[Any]) -> int:
        return int(np.prod([extent[label] for label in labels], dtype=int))

    def matrices(term: Any, first: list[Any], second: list[Any]) -> Array:
        ordered = permute(term[0], [term[1].index(label) for label in (*batch, *first, *second)])
        return reshape(ordered, (*(extent[label] for label in batch), count(first), count(second)))

    left, right = matrices(x, rows, inner_), matrices(y, inner_, columns)
    product = linear.matmul(left, right) if inner_ else elementwise.multiply(left, right)
    labels = (*batch, *rows, *columns)
    return reshape(product, tuple(extent[label] for label in labels)), labels


def _summed(term: Any, needed: set[Any]) -> tuple[Array, tuple[Any, ...]]:
    x, labels = term
    alone = tuple(i for i, label in enumerate(labels) if label not in needed)
    if not alone:
        return x, labels
    return _sum(x, alone), tuple(label for label in labels if label in needed)


def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    """Return NumPy's contraction order for the shapes of the operands."""
    subscripts, given = _subscripts(operands)
    shapes: list[Any] = [np.broadcast_to(np.empty((), one.dtype), one.shape) for one in alike(*given)]
    return np.einsum_path(subscripts, *shapes, optimize=optimize)
