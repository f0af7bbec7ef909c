"""Elementwise operations of StableHLO.

Narrower than the specification in one place: `atan2`, `cbrt` and `remainder` refuse complex operands, for which NumPy
has no result to follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.attributes import element_type, text
from latebind.ir.node import Attributes
from latebind.ir.ops.declare import (
    ANY,
    BOOL_OR_INT,
    FLOAT,
    FLOAT_OR_COMPLEX,
    INT,
    NUMERIC,
    REAL,
    SIGNED,
    check_kind,
    check_same_type,
    declare,
    same_type_rule,
)
from latebind.ir.types import DType, TensorType

Types = tuple[TensorType, ...]

BOOL: Final = np.dtype(np.bool_)
COMPARISON_DIRECTIONS: Final = ("EQ", "NE", "GE", "GT", "LE", "LT")

#: dtype of the parts of a complex dtype, and the other way round.
PART_OF: Final[dict[DType, DType]] = {
    np.dtype(np.complex64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.float64),
}
COMPLEX_OF: Final[dict[DType, DType]] = {part: whole for whole, part in PART_OF.items()}

#: `compare_type` that goes with a dtype kind; the first is the default.
_COMPARE_TYPES: Final = {
    "b": ("UNSIGNED",),
    "u": ("UNSIGNED",),
    "i": ("SIGNED",),
    "f": ("FLOAT", "TOTALORDER"),
    "c": ("FLOAT",),
}


def _part_type(types: Sequence[TensorType], attributes: Attributes) -> Types:
    """Real type of the same shape: the parts of a complex operand, the operand's own type otherwise."""
    operand = types[0]
    return (operand.with_dtype(PART_OF.get(operand.dtype, operand.dtype)),)


def _infer_abs(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_kind(types[0], SIGNED)
    return _part_type(types, attributes)


def _infer_part(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_kind(types[0], FLOAT_OR_COMPLEX)
    return _part_type(types, attributes)


def _infer_complex(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_same_type(types)
    if types[0].dtype not in COMPLEX_OF:
        raise DTypeMismatchError("operands must be float32 or float64")
    return (types[0].with_dtype(COMPLEX_OF[types[0].dtype]),)


def _infer_is_finite(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_kind(types[0], FLOAT)
    return (types[0].with_dtype(BOOL),)


def _infer_compare(types: Sequence[TensorType], attributes: Attributes) -> Types:
    check_same_type(types)
    text(attributes, "comparison_direction", COMPARISON_DIRECTIONS)
    if attributes.get("compare_type") is not None:
        text(attributes, "compare_type", _COMPARE_TYPES[types[0].dtype.kind])
    return (types[0].with_dtype(BOOL),)


def _infer_convert(types: Sequence[TensorType], attributes: Attributes) -> Types:
    return (types[0].with_dtype(element_type(attributes)),)


def _infer_select(types: Sequence[TensorType], attributes: Attributes) -> Types:
    pred, on_true, on_false = types
    check_same_type((on_true, on_false), "on_true and on_false")
    if pred.dtype is not BOOL:
        raise DTypeMismatchError(f"pred must be boolean, got {pred.dtype}")
    if pred.shape and pred.shape != on_true.shape:
        raise ShapeMismatchError("pred must be zero-dimensional or have the shape of on_true")
    return (on_true,)


def _infer_clamp(types: Sequence[TensorType], attributes: Attributes) -> Types:
    _, operand, _ = types
    for name, bound in (("min", types[0]), ("max", types[2])):
        if bound.shape and bound.shape != operand.shape:
            raise ShapeMismatchError(f"{name} must be zero-dimensional or have the shape of operand")
        if bound.dtype != operand.dtype:
            raise DTypeMismatchError(f"{name} must have the operand's dtype {operand.dtype}")
    return (operand,)


#: name: (dtype kinds, summary)
_UNARY: Final = {
    "cbrt": (FLOAT, "Cube root."),
    "ceil": (FLOAT, "Smallest integer that is not less."),
    "cosine": (FLOAT_OR_COMPLEX, "Cosine."),
    "count_leading_zeros": (INT, "Number of leading zero bits."),
    "exponential": (FLOAT_OR_COMPLEX, "Exponential."),
    "exponential_minus_one": (FLOAT_OR_COMPLEX, "Exponential minus one, accurate near zero."),
    "floor": (FLOAT, "Largest integer that is not greater."),
    "log": (FLOAT_OR_COMPLEX, "Natural logarithm."),
    "log_plus_one": (FLOAT_OR_COMPLEX, "Natural logarithm of one plus the operand, accurate near zero."),
    "logistic": (FLOAT_OR_COMPLEX, "Logistic function 1 / (1 + exp(-x))."),
    "negate": (NUMERIC, "Negation; integers wrap."),
    "not": (BOOL_OR_INT, "Logical not of booleans, bitwise not of integers."),
    "popcnt": (INT, "Number of bits that are set."),
    "round_nearest_afz": (FLOAT, "Nearest integer, ties away from zero."),
    "round_nearest_even": (FLOAT, "Nearest integer, ties to even."),
    "rsqrt": (FLOAT_OR_COMPLEX, "Reciprocal of the square root."),
    "sign": (SIGNED, "-1, 0 or 1; x / |x| of complex operands; keeps NaN and -0.0."),
    "sine": (FLOAT_OR_COMPLEX, "Sine."),
    "sqrt": (FLOAT_OR_COMPLEX, "Square root."),
    "tan": (FLOAT_OR_COMPLEX, "Tangent."),
    "tanh": (FLOAT_OR_COMPLEX, "Hyperbolic tangent."),
}

_BINARY: Final = {
    "add": (ANY, "Sum; logical or of booleans; integers wrap."),
    "and": (BOOL_OR_INT, "Logical and of booleans, bitwise and of integers."),
    "atan2": (FLOAT, "Angle of the point (rhs, lhs)."),
    "divide": (NUMERIC, "Quotient; integers truncate, x / 0 is 0, and INT_MIN / -1 is INT_MIN."),
    "maximum": (ANY, "Larger value; NaN wins; complex compare by (real, imaginary)."),
    "minimum": (ANY, "Smaller value; NaN wins; complex compare by (real, imaginary)."),
    "multiply": (ANY, "Product; logical and of booleans; integers wrap."),
    "or": (BOOL_OR_INT, "Logical or of booleans, bitwise or of integers."),
    "power": (NUMERIC, "lhs to the power rhs."),
    "remainder": (REAL, "Remainder with the sign of lhs; integer x % 0 is 0."),
    "shift_left": (INT, "lhs << rhs; 0 where rhs is outside the width."),
    "shift_right_arithmetic": (INT, "lhs >> rhs with the sign bit repeated."),
    "shift_right_logical": (INT, "lhs >> rhs with zeros moved in; 0 where rhs is outside the width."),
    "subtract": (NUMERIC, "Difference; integers wrap."),
    "xor": (BOOL_OR_INT, "Exclusive or, bitwise of integers."),
}

for _name, (_kinds, _summary) in _UNARY.items():
    declare(f"stablehlo::{_name}", "operand", "", same_type_rule(_kinds), _summary)
for _name, (_kinds, _summary) in _BINARY.items():
    declare(f"stablehlo::{_name}", "lhs rhs", "", same_type_rule(_kinds), _summary)

declare("stablehlo::abs", "operand", "", _infer_abs, "Absolute value; modulus of complex operands.")
declare("stablehlo::real", "operand", "", _infer_part, "Real part.")
declare("stablehlo::imag", "operand", "", _infer_part, "Imaginary part; 0 of floats.")
declare("stablehlo::complex", "lhs rhs", "", _infer_complex, "Complex number of a real and an imaginary part.")
declare("stablehlo::is_finite", "x", "", _infer_is_finite, "Whether neither infinite nor NaN.")
declare("stablehlo::compare", "lhs rhs", "comparison_direction compare_type?", _infer_compare, "Comparison.")
declare("stablehlo::convert", "operand", "dtype", _infer_convert, "Conversion to a dtype, with NumPy's results.")
declare("stablehlo::select", "pred on_true on_false", "", _infer_select, "on_true where pred holds, else on_false.")
declare("stablehlo::clamp", "min operand max", "", _infer_clamp, "minimum(maximum(operand, min), max).")
