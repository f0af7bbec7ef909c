"""Small arrays of every dtype, zero-dimensional and empty ones included, full of special values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from latebind.array import dtypes


def examples(share: float) -> settings:
    """As many examples as the profile says, times a share: less for tests that run once per function."""
    return settings(max_examples=max(5, round(settings().max_examples * share)))


ALL = dtypes.ALL
NUMERIC = [dtype for dtype in ALL if dtype.kind != "b"]
REAL = [dtype for dtype in ALL if dtype.kind in "iuf"]
FLOATS = [dtype for dtype in ALL if dtype.kind == "f"]
INTEGERS = [dtype for dtype in ALL if dtype.kind in "iu"]
INEXACT = [dtype for dtype in ALL if dtype.kind in "fc"]

shapes = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
nonempty_shapes = npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def _special(dtype: np.dtype[Any]) -> list[Any]:
    if dtype.kind == "b":
        return [False, True]
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return sorted(
            {0, 1, 2, 3, 7, limits.max, limits.max - 1, limits.min, limits.min + 1, -1 if dtype.kind == "i" else 1}
        )
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        values = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1.5, math.inf, -math.inf, math.nan]
        return [*values, float(limits.max), float(limits.tiny), float(limits.eps), float(limits.smallest_subnormal)]
    values = [0.0, -0.0, 1.0, -1.5, math.inf, -math.inf, math.nan]
    return [complex(x, y) for x in values for y in values]


SPECIAL = {dtype: _special(dtype) for dtype in ALL}
#: Values whose sums and products stay small, so that rounding is all that can differ.
TAME = {
    dtype: [False, True] if dtype.kind == "b" else [0, 1, 2, 3] if dtype.kind == "u" else [-2, -1, 0, 1, 2, 3]
    for dtype in ALL
} | {dtype: [-1.75, -1.0, -0.25, 0.0, 0.125, 0.5, 1.0, 1.5, 2.0] for dtype in FLOATS}
TAME |= {dtype: [0j, 1 + 0j, 1j, -0.5 + 2j, 1.5 - 0.25j] for dtype in ALL if dtype.kind == "c"}


def elements(dtype: np.dtype[Any], *, tame: bool = False) -> st.SearchStrategy[Any]:
    """Values of a dtype."""
    return st.sampled_from((TAME if tame else SPECIAL)[dtype])


@st.composite
def arrays(
    draw: st.DrawFn,
    dtypes: Sequence[np.dtype[Any]] = ALL,
    shape: st.SearchStrategy[tuple[int, ...]] | tuple[int, ...] = shapes,
    *,
    tame: bool = False,
) -> np.ndarray:
    """A NumPy array of one of the dtypes."""
    dtype = draw(st.sampled_from(dtypes))
    extents = shape if isinstance(shape, tuple) else draw(shape)
    size = math.prod(extents)
    values = draw(st.lists(elements(dtype, tame=tame), min_size=size, max_size=size))
    return np.array(values, dtype).reshape(extents)


@st.composite
def broadcastable(
    draw: st.DrawFn, count: int, dtypes: Sequence[np.dtype[Any]] = ALL, *, tame: bool = False
) -> list[np.ndarray]:
    """NumPy arrays that broadcast against each other."""
    found = draw(npst.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=3))
    return [draw(arrays(dtypes, shape, tame=tame)) for shape in found.input_shapes]


def axes(rank: int) -> st.SearchStrategy[int]:
    """One axis, counted from either end."""
    return st.integers(-rank, rank - 1)


@st.composite
def axis_sets(draw: st.DrawFn, rank: int) -> Any:
    """`None`, one axis, or a tuple of axes."""
    if not rank:
        return draw(st.sampled_from([None, ()]))
    several = st.lists(st.integers(0, rank - 1), unique=True, max_size=rank).map(
        lambda found: tuple(one - rank if one % 2 else one for one in found)
    )
    return draw(st.one_of(st.none(), axes(rank), several))
