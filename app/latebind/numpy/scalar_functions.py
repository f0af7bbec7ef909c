"""Python functions of numbers, applied to every element of computed arrays; and other things that walk elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from latebind.array.array import Array
from latebind.array.creation_functions import asarray
from latebind.array.operands import ArrayLike
from latebind.numpy.arguments import array_of
from latebind.runtime.lazy import LazyTensor

__all__ = ["mask_indices", "ndenumerate", "require", "vectorize"]


class vectorize(np.vectorize):
    """NumPy's `vectorize` of the computed elements; results are lazy arrays again. It reads its arguments."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = [np.asarray(one) if isinstance(one, LazyTensor) else one for one in args]
        named = {name: np.asarray(one) if isinstance(one, LazyTensor) else one for name, one in kwargs.items()}
        found = super().__call__(*given, **named)
        return tuple(map(_ours, found)) if isinstance(found, tuple) else _ours(found)


def _ours(found: Any) -> Any:
    return asarray(found) if isinstance(found, np.ndarray) else found


def ndenumerate(arr: ArrayLike) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Yield the position and the value of each element."""
    x = array_of(arr)
    return ((place, x[place]) for place in np.ndindex(*x.shape))


def mask_indices(n: int, mask_func: Any, k: int = 0) -> tuple[Array, ...]:
    """Return the positions that a function such as `triu` keeps of a matrix; reads them."""
    return array_of(mask_func(asarray(np.ones((n, n), int)), k) != 0).nonzero()


def require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Array:
    """Return an array of a dtype; arrays meet every requirement but Fortran order, which has no meaning here."""
    made = asarray(a, dtype=dtype)
    wanted = {str(one).upper()[0] for one in requirements or ()}
    return made.copy() if "O" in wanted and made._link is not None else made
