"""Lowering functions, a module per family of operations; importing this registers all of them."""

from latebind.backends.xla.lowerings import (  # noqa: F401
    complexes,
    contractions,
    conversions,
    elementwise,
    indexing,
    integers,
    movement,
    reductions,
    sorting,
)
