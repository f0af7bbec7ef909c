"""Lowering functions, a module per family of operations; importing this package registers them."""

from latebind.backends.numpy.lowerings import (
    contractions,
    elementwise,
    indexing,
    linear_algebra,
    movement,
    random_numbers,
    reductions,
    sorting,
    windows,
)

__all__ = [
    "contractions",
    "elementwise",
    "indexing",
    "linear_algebra",
    "movement",
    "random_numbers",
    "reductions",
    "sorting",
    "windows",
]
