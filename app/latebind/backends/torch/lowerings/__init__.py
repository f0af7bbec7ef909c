"""The lowering functions, a module per family; importing this package registers them."""

from latebind.backends.torch.lowerings import (
    contractions,
    elementwise,
    fourier,
    indexing,
    linear_algebra,
    movement,
    reductions,
    scatters,
    sorting,
    windows,
)

__all__ = [
    "contractions",
    "elementwise",
    "fourier",
    "indexing",
    "linear_algebra",
    "movement",
    "reductions",
    "scatters",
    "sorting",
    "windows",
]
