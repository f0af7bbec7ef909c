"""The lowering functions, a module per family; importing this package registers them."""

from latebind.backends.torch.lowerings import (
    contractions,
    elementwise,
    indexing,
    movement,
    reductions,
    scatters,
    sorting,
    windows,
)

__all__ = ["contractions", "elementwise", "indexing", "movement", "reductions", "scatters", "sorting", "windows"]
