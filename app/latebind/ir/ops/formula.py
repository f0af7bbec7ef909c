"""From formulas over expressions to decompositions of the op table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from latebind.ir.expression import Expr
from latebind.ir.node import Attributes, Value
from latebind.ir.optable import Decompose

if TYPE_CHECKING:
    from latebind.ir.builder import IrBuilder


def formula(function: Callable[..., Expr], of_complex: Callable[..., Expr] | None = None) -> Decompose:
    """Return the decomposition that a formula describes.

    Parameters
    ----------
    function
        One expression per operand to the result.
    of_complex
        Formula to use for complex operands.
    """

    def decompose(b: IrBuilder, operands: Sequence[Value], attributes: Attributes) -> Sequence[Value]:
        chosen = of_complex if of_complex is not None and operands[0].dtype.kind == "c" else function
        return (chosen(*(Expr(b, operand) for operand in operands)).value,)

    return decompose


def widened(function: Callable[..., Expr]) -> Callable[..., Expr]:
    """Return a formula that computes float16 in float32 and rounds the result once."""

    def compute(*operands: Expr) -> Expr:
        if operands[0].dtype != np.float16:
            return function(*operands)
        return function(*(operand.to(np.float32) for operand in operands)).to(np.float16)

    return compute
