"""Counting: `bincount`, `digitize`, `histogram` and its kin. What fixes a shape or an edge is read, nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from latebind.array import elementwise_functions as elementwise
from latebind.array.array import Array
from latebind.array.creation_functions import asarray, zeros
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.manipulation_functions import concat, reshape
from latebind.array.operands import ArrayLike, apply
from latebind.array.searching_functions import searchsorted as search
from latebind.array.searching_functions import where
from latebind.array.ufunc_methods import SCATTER
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.numpy.arguments import array_of, count_of

__all__ = [
    "bincount",
    "digitize",
    "histogram",
    "histogram2d",
    "histogram_bin_edges",
    "histogramdd",
    "searchsorted",
]


def searchsorted(a: ArrayLike, v: ArrayLike, side: Any = "left", sorter: Any = None) -> Array:
    """Return where values would have to be inserted to keep an array sorted."""
    values = v if isinstance(v, (int, float)) else array_of(v)
    return search(array_of(a), values, side=side, sorter=sorter)


def digitize(x: ArrayLike, bins: ArrayLike, right: bool = False) -> Array:
    """Return the bin of each element: how many edges are below; of falling edges, above. Reads which way they run.

    Raises
    ------
    ValueError
        If the edges are not monotonic.
    """
    values, edges = array_of(x), array_of(bins)
    if edges.ndim != 1:
        raise ShapeMismatchError("digitize: bins must be one-dimensional")
    host = np.asarray(edges)
    # As NumPy, which compares neighbours: NaN is in order with everything, and the first step decides the direction.
    steps = np.flatnonzero(host != host[:1])
    falls = bool(steps.size) and not host[0] < host[steps[0]]
    if not falls and not np.any(host[:-1] > host[1:]):
        return search(edges, values, side="left" if right else "right")
    if falls and not np.any(host[:-1] < host[1:]):
        return elementwise.subtract(edges.size, search(edges[::-1], values, side="left" if right else "right"))
    raise ValueError("bins must be monotonically increasing or decreasing")


def bincount(x: ArrayLike, /, weights: Any = None, minlength: int = 0) -> Array:
    """Return how often each number from 0 on occurs; reads the smallest and the largest one.

    Raises
    ------
    DTypeMismatchError
        If the numbers are no integers.
    ValueError
        If one is negative.
    """
    numbers = array_of(x)
    if isinstance(x, (list, tuple)) and not numbers.size:
        numbers = astype(numbers, np.int64)
    if numbers.ndim != 1:
        raise ShapeMismatchError("bincount: object must be one-dimensional")
    if numbers.dtype.kind not in "iub" or numbers.dtype == np.uint64:
        raise DTypeMismatchError(f"bincount: integers are needed, got {numbers.dtype.name}: convert with astype(int)")
    length = count_of("bincount", "minlength", minlength)
    numbers = astype(numbers, np.int64, copy=False)
    if numbers.size:
        low, high = np.asarray(concat([numbers.min()[None], numbers.max()[None]])).tolist()
        if low < 0:
            raise ValueError("'list' argument must have no negative elements")
        length = max(length, high + 1)
    return _tally(numbers, length, None if weights is None else array_of(weights, numbers._ground))


def _tally(places: Array, length: int, weights: Array | None) -> Array:
    """Return the number of times that each place occurs, or the sum of its weights."""
    if weights is None:
        updates: Array = asarray(1, dtype=np.int64, device=places.device)
        start = zeros(length, dtype=np.int64, device=places.device)
    else:
        if weights.shape != places.shape:
            raise ShapeMismatchError("The weights and list don't have the same length.")
        dtype = np.dtype(np.complex128 if weights.dtype.kind == "c" else np.float64)
        updates = astype(weights, dtype, copy=False)
        start = zeros(length, dtype=dtype, device=places.device)
    if not places.size or not length:
        return start
    return apply(SCATTER, start, places, broadcast_to(updates, places.shape), body="stablehlo::add")


def _edges(a: Array, bins: Any, span: Any, weights: Any) -> tuple[np.ndarray, bool]:
    """Return the edges as a host array, and whether the bins are of one width."""
    if isinstance(bins, str):
        return np.histogram_bin_edges(np.asarray(a), bins, span, weights), True
    if np.ndim(bins) == 0:
        count = count_of("histogram", "bins", int(bins) if isinstance(bins, Array) else bins, 1)
        if span is None and a.size:
            flat = reshape(a, (-1,))
            sample = np.asarray(concat([flat.min()[None], flat.max()[None]]))
        else:
            sample = np.empty(0)
        return np.histogram_bin_edges(sample, count, span), True
    edges = np.asarray(bins)
    if edges.ndim != 1:
        raise ValueError("`bins` must be 1d, when an array")
    if np.any(edges[:-1] > edges[1:]):
        raise ValueError("`bins` must increase monotonically, when an array")
    return edges, False


def histogram_bin_edges(a: ArrayLike, bins: Any = 10, range: Any = None, weights: Any = None) -> Array:
    """Return the edges that `histogram` takes; reads the extremes unless `range` is given, all for a rule's name."""
    return asarray(_edges(_plain(a), bins, range, weights)[0])


def _plain(a: ArrayLike) -> Array:
    x = array_of(a)
    return astype(x, np.uint8) if x.dtype.kind == "b" else x


def _bin_of(x: Array, edges: np.ndarray) -> Array:
    """Return the bin of each element, the number of bins where there is none; the last bin is closed."""
    count = len(edges) - 1
    place = elementwise.subtract(search(asarray(edges, device=x.device), x, side="right"), 1)
    place = where(elementwise.equal(x, edges[-1]), count - 1, place)
    inside = elementwise.logical_and(elementwise.greater_equal(x, edges[0]), elementwise.less_equal(x, edges[-1]))
    return where(inside, place, count)


def histogram(
    a: ArrayLike, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Array, Array]:
    """Return how many elements are in each bin, and the edges.

    Parameters
    ----------
    a : Array or array-like
        Flattened.
    bins : int, str or sequence of edges
        A number of bins of one width needs the smallest and the largest element, which are read, unless `range` is
        given. A name of a rule ("auto", ...) reads all. Edges that are lazy are read.
    range : (float, float), optional
    density : bool
        Whether counts are divided by their sum and the widths.
    weights : Array or array-like, optional
        What an element counts; shape of `a`.

    Returns
    -------
    (Array, Array)
        Counts (int64, or the weights' sums), and edges.

    Raises
    ------
    ValueError
        If edges fall, the range is not finite, or `bins` is not positive.
    """
    x = _plain(a)
    w = None if weights is None else array_of(weights, x._ground)
    if w is not None and w.shape != x.shape:
        raise ShapeMismatchError("histogram: weights should have the same shape as a.")
    edges, _ = _edges(x, bins, range, weights)
    count = len(edges) - 1
    places = reshape(_bin_of(x, edges), (-1,))
    found = _tally(places, count + 1, None if w is None else reshape(w, (-1,)))[:count]
    if w is not None:
        found = astype(found, w.dtype if w.dtype.kind != "b" else np.int64, copy=False)
    limits = asarray(edges, device=x.device)
    if density:
        found = elementwise.divide(elementwise.divide(found, np.diff(edges).astype(float)), found.sum())
    return found, limits


def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Array, tuple[Array, ...]]:
    """Return how many points are in each cell of a grid, and the edges along each axis; reads what `histogram` does.

    Parameters
    ----------
    sample : Array or sequence
        Points as rows, or a sequence with the coordinates along each axis.
    bins, range, density, weights
        As for `histogram`; `bins` and `range` may be sequences with one entry per axis.
    """
    if isinstance(sample, (list, tuple)):
        axes = [_plain(one) for one in sample]
    else:
        points = array_of(sample)
        points = points[:, None] if points.ndim == 1 else points
        axes = [points[:, i] for i in np.arange(points.shape[1]).tolist()]
    rank = len(axes)
    each = list(bins) if isinstance(bins, (list, tuple)) and len(bins) == rank else [bins] * rank
    spans = [None] * rank if range is None else list(range)
    edges = [_edges(x, one, span, None)[0] for x, one, span in zip(axes, each, spans, strict=True)]
    shape = tuple(len(one) - 1 for one in edges)
    total = int(np.prod(shape, dtype=int))
    place: Any = 0
    outside: Any = False
    for x, limits in zip(axes, edges, strict=True):
        own, count = _bin_of(x, limits), len(limits) - 1
        outside = elementwise.logical_or(elementwise.equal(own, count), outside)
        place = elementwise.add(own, elementwise.multiply(count, place)) if not isinstance(place, int) else own
    place = where(outside, total, place)
    found = reshape(_tally(place, total + 1, None if weights is None else array_of(weights))[:total], shape)
    found = astype(found, np.float64, copy=False)
    if density:
        for axis, limits in enumerate(edges):
            widths = np.diff(limits).reshape(tuple(-1 if i == axis else 1 for i in np.arange(rank)))
            found = elementwise.divide(found, widths)
        sums = _tally(place, total + 1, None if weights is None else array_of(weights))[:total].sum()
        found = elementwise.divide(found, sums)
    return found, tuple(asarray(one) for one in edges)


def histogram2d(
    x: ArrayLike, y: ArrayLike, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Array, Array, Array]:
    """Return how many points are in each cell of a plane's grid, and the edges; reads what `histogram` does."""
    each = bins
    if not isinstance(bins, (int, str)) and len(bins) not in (1, 2):
        each = [np.asarray(bins)] * 2
    found, edges = histogramdd([x, y], each, range, density, weights)
    return found, edges[0], edges[1]
