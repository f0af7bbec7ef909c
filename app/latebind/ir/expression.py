"""Formulas over values: decompositions are written as arithmetic, each operator making one node.

`Expr(b, value) * 2 + 1` makes `stablehlo::multiply` and `stablehlo::add`; a Python number becomes a constant of the
other operand's dtype, repeated to its shape. Comparisons give boolean expressions; equality is spelled `equals`,
because `==` stays Python's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from latebind.ir.node import AttributeValue, Value
from latebind.ir.types import DType

if TYPE_CHECKING:
    from latebind.ir.builder import IrBuilder

Term: TypeAlias = "Expr | int | float | complex"


class Expr:
    """A value that formulas can be written with.

    Parameters
    ----------
    b
        Makes the nodes.
    value
        What the expression stands for.
    """

    __slots__ = ("b", "value")

    def __init__(self, b: IrBuilder, value: Value) -> None:
        self.b = b
        self.value = value

    @property
    def dtype(self) -> DType:
        """Element type."""
        return self.value.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Extents."""
        return self.value.shape

    def splat(self, number: int | float | complex, dtype: DType | None = None) -> Expr:
        """Return a number repeated to this expression's shape."""
        scalar = self.b.make_scalar(number, self.dtype if dtype is None else dtype).value()
        return Expr(self.b, self.b.make_expand(scalar, self.shape).value() if self.shape else scalar)

    def apply(self, name: str, *others: Term, **attributes: AttributeValue) -> Expr:
        """Apply a StableHLO operation to this and other operands: `x.apply("atan2", y)`."""
        operands = [other.value if isinstance(other, Expr) else self.splat(other).value for other in others]
        return Expr(self.b, self.b.op(f"stablehlo::{name}", self.value, *operands, **attributes))

    def to(self, dtype: npt.DTypeLike) -> Expr:
        """Convert to a dtype."""
        return self if self.dtype == dtype else self.apply("convert", dtype=np.dtype(dtype))

    def bits(self, dtype: npt.DTypeLike) -> Expr:
        """Take the same bits as another dtype."""
        return self.apply("bitcast_convert", dtype=np.dtype(dtype))

    def where(self, on_true: Expr, on_false: Term) -> Expr:
        """Choose elementwise; this expression is the condition."""
        other = on_false if isinstance(on_false, Expr) else on_true.splat(on_false)
        return Expr(self.b, self.b.op("stablehlo::select", self.value, on_true.value, other.value))

    # Arithmetic

    def __neg__(self) -> Expr:
        return self.apply("negate")

    def __abs__(self) -> Expr:
        return self.apply("abs")

    def __add__(self, other: Term) -> Expr:
        return self.apply("add", other)

    def __radd__(self, other: int | float | complex) -> Expr:
        return self.splat(other) + self

    def __sub__(self, other: Term) -> Expr:
        return self.apply("subtract", other)

    def __rsub__(self, other: int | float | complex) -> Expr:
        return self.splat(other) - self

    def __mul__(self, other: Term) -> Expr:
        return self.apply("multiply", other)

    def __rmul__(self, other: int | float | complex) -> Expr:
        return self.splat(other) * self

    def __truediv__(self, other: Term) -> Expr:
        return self.apply("divide", other)

    def __rtruediv__(self, other: int | float | complex) -> Expr:
        return self.splat(other) / self

    # Comparison and logic

    def _compare(self, direction: str, other: Term) -> Expr:
        return self.apply("compare", other, comparison_direction=direction)

    def equals(self, other: Term) -> Expr:
        return self._compare("EQ", other)

    def differs(self, other: Term) -> Expr:
        return self._compare("NE", other)

    def __lt__(self, other: Term) -> Expr:
        return self._compare("LT", other)

    def __le__(self, other: Term) -> Expr:
        return self._compare("LE", other)

    def __gt__(self, other: Term) -> Expr:
        return self._compare("GT", other)

    def __ge__(self, other: Term) -> Expr:
        return self._compare("GE", other)

    def __and__(self, other: Term) -> Expr:
        return self.apply("and", other)

    def __or__(self, other: Term) -> Expr:
        return self.apply("or", other)

    def __xor__(self, other: Term) -> Expr:
        return self.apply("xor", other)

    def __invert__(self) -> Expr:
        return self.apply("not")

    def is_nan(self) -> Expr:
        """Whether NaN."""
        return self.differs(self)

    def is_inf(self) -> Expr:
        """Whether infinite, of either sign."""
        return abs(self).equals(float("inf"))


def horner(x: Expr, coefficients: Sequence[float]) -> Expr:
    """Evaluate a polynomial whose highest coefficient comes first."""
    total = x.splat(coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total
