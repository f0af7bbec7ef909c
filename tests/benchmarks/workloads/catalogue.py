"""What a workload is: one kernel in NumPy style, its data, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

#: Makes the arrays and numbers of a workload from a generator and a size.
Prepare = Callable[[np.random.Generator, int], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Workload:
    """A kernel that is written once, `kernel(np, *data)`, and ports of it for those who cannot run it as it is.

    Attributes
    ----------
    name : str
    kernel : callable
        Takes a namespace with NumPy's names and the data; returns an array or a tuple of arrays.
    prepare : callable
        Data for a size, the same for everybody.
    size, toy : int
        Sizes for measurements and for the test that everybody gives the same values.
    fused : bool
        Whether its time is that of elementwise operations on arrays beyond the caches, which a compiler can fuse.
    repeats : bool
        Whether its rounds have the same shapes, so that recordings and compiled code can be used again.
    ports : mapping
        By contender, a function `port(*data)`: a hand-written version as an expert would write it.
    rtol : float
        Tolerance of results, relative to the largest: other engines add up in other orders.
    """

    name: str
    kernel: Callable[..., Any]
    prepare: Prepare
    size: int
    toy: int
    fused: bool = False
    repeats: bool = True
    ports: Mapping[str, Callable[[], Callable[..., Any]]] = field(default_factory=lambda: MappingProxyType({}))
    rtol: float = 1e-6

    def data(self, size: int | None = None) -> tuple[Any, ...]:
        """Return the data; arrays are contiguous float64 or int64."""
        return self.prepare(np.random.default_rng(7), self.size if size is None else size)
