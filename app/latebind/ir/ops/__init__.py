"""Declarations of all operations, a module per family; importing this package fills the op table."""

from latebind.ir.ops import (
    chlo,
    contraction,
    elementwise,
    indexing,
    movement,
    numpy_semantics,
    reductions,
)

__all__ = ["chlo", "contraction", "elementwise", "indexing", "movement", "numpy_semantics", "reductions"]
