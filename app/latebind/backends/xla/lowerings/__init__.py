"""Lowering functions, a module per family of operations; importing this registers all of them."""

from latebind.backends.xla.lowerings import (  # noqa: F401
    complexes,
    contractions,
    conversions,
    elementwise,
    fourier,
    indexing,
    integers,
    linear_algebra,
    movement,
    reductions,
    sorting,
)
