"""Declarations of all operations, a module per family; importing this package fills the op table."""

from latebind.ir.ops import (
    chlo,
    contraction,
    elementwise,
    fourier,
    indexing,
    linear_algebra,
    movement,
    numpy_semantics,
    random_numbers,
    reductions,
    variates,
)

__all__ = [
    "chlo",
    "contraction",
    "elementwise",
    "fourier",
    "indexing",
    "linear_algebra",
    "movement",
    "numpy_semantics",
    "random_numbers",
    "reductions",
    "variates",
]
