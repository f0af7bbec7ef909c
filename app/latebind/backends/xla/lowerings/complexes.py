"""The order of complex numbers, which StableHLO does not have: real part, then imaginary part, as in NumPy."""

from __future__ import annotations

from latebind.backends.xla.lowering import Emitted
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.ir.ops.elementwise import PART_OF


def parts(context: Context, operand: Emitted) -> tuple[Emitted, Emitted]:
    """Return the real and the imaginary part."""
    type = operand.type.with_dtype(PART_OF[operand.type.dtype])
    return context.op("real", operand, type=type), context.op("imag", operand, type=type)


def is_nan(context: Context, operand: Emitted) -> Emitted:
    """Return where a float or complex value is NaN."""
    return context.compare("NE", operand, operand)


def either(context: Context, first: Emitted, *others: Emitted) -> Emitted:
    """Return where any of the truth values holds."""
    for other in others:
        first = context.op("or", first, other)
    return first


def both(context: Context, first: Emitted, *others: Emitted) -> Emitted:
    """Return where all of the truth values hold."""
    for other in others:
        first = context.op("and", first, other)
    return first


def ordered(context: Context, direction: str, lhs: Emitted, rhs: Emitted) -> Emitted:
    """Return `lhs < rhs` (`LT`, `LE`, `GT`, `GE`) as NumPy's ufuncs order complex numbers."""
    (left, left_imaginary), (right, right_imaginary) = parts(context, lhs), parts(context, rhs)
    known = both(
        context,
        context.compare("EQ", left_imaginary, left_imaginary),
        context.compare("EQ", right_imaginary, right_imaginary),
    )
    strictly = both(context, context.compare(direction[0] + "T", left, right), known)
    tie = both(
        context,
        context.compare("EQ", left, right),
        context.compare(direction, left_imaginary, right_imaginary),
    )
    return either(context, strictly, tie)


def larger(context: Context, lhs: Emitted, rhs: Emitted, direction: str) -> Emitted:
    """Return the larger (`GE`) or smaller (`LE`) of two complex numbers; the first NaN wins."""
    wins = either(context, ordered(context, direction, lhs, rhs), is_nan(context, lhs))
    return context.select(wins, lhs, rhs)


def precedes(context: Context, lhs: Emitted, rhs: Emitted) -> Emitted:
    """Return whether `lhs` comes before `rhs` in NumPy's order for sorting: NaN last, by real part, then imaginary."""
    (a, a_imaginary), (b, b_imaginary) = parts(context, lhs), parts(context, rhs)
    a_nan, b_nan = is_nan(context, a_imaginary), is_nan(context, b_imaginary)
    a_known = context.op("not", a_nan)
    less = both(context, context.compare("LT", a, b), either(context, a_known, b_nan))
    greater = both(context, context.compare("GT", a, b), b_nan, a_known)
    tied = either(context, context.compare("EQ", a, b), both(context, is_nan(context, a), is_nan(context, b)))
    by_imaginary = either(context, context.compare("LT", a_imaginary, b_imaginary), both(context, b_nan, a_known))
    nan_last = both(context, is_nan(context, b), context.op("not", is_nan(context, a)))
    return either(context, less, greater, both(context, tied, by_imaginary), nan_last)
