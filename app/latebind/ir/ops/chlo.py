"""Operations of the CHLO dialect: functions that StableHLO leaves to decomposition."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from latebind.ir.expression import Expr
from latebind.ir.node import Attributes
from latebind.ir.ops import complex_functions, float_bits, real_functions, special_functions
from latebind.ir.ops.declare import FLOAT, FLOAT_OR_COMPLEX, NUMERIC, check_kind, declare, same_type_rule
from latebind.ir.ops.elementwise import BOOL
from latebind.ir.ops.formula import formula, widened
from latebind.ir.types import TensorType


def _infer_test(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    check_kind(types[0], FLOAT)
    return (types[0].with_dtype(BOOL),)


def _conjugate(z: Expr) -> Expr:
    x, y = complex_functions.parts(z)
    return complex_functions.join(x, -y)


#: Float and complex: name to (formula of reals, formula of complex numbers, summary).
_FUNCTIONS: Final[dict[str, tuple[Callable[..., Expr], Callable[..., Expr], str]]] = {
    "acos": (real_functions.acos, complex_functions.acos, "Inverse cosine."),
    "acosh": (real_functions.acosh, complex_functions.acosh, "Inverse hyperbolic cosine."),
    "asin": (real_functions.asin, complex_functions.asin, "Inverse sine."),
    "asinh": (real_functions.asinh, complex_functions.asinh, "Inverse hyperbolic sine."),
    "atan": (real_functions.atan, complex_functions.atan, "Inverse tangent."),
    "atanh": (real_functions.atanh, complex_functions.atanh, "Inverse hyperbolic tangent."),
    "cosh": (real_functions.cosh, complex_functions.cosh, "Hyperbolic cosine."),
    "sinh": (real_functions.sinh, complex_functions.sinh, "Hyperbolic sine."),
}

#: Float only.
_SPECIAL: Final[dict[str, tuple[Callable[..., Expr], str]]] = {
    "digamma": (special_functions.digamma, "Derivative of the logarithm of the gamma function."),
    "erf": (special_functions.erf, "Error function."),
    "erf_inv": (special_functions.erf_inv, "Inverse error function."),
    "erfc": (special_functions.erfc, "Complementary error function."),
    "lgamma": (special_functions.lgamma, "Logarithm of the absolute value of the gamma function."),
}

_TESTS: Final[dict[str, tuple[Callable[..., Expr], str]]] = {
    "is_inf": (Expr.is_inf, "Whether infinite."),
    "is_neg_inf": (lambda x: x.equals(-math.inf), "Whether minus infinity."),
    "is_pos_inf": (lambda x: x.equals(math.inf), "Whether plus infinity."),
}

for _name, (_real, _complex, _summary) in _FUNCTIONS.items():
    _decompose = formula(widened(_real), _complex)
    declare(f"chlo::{_name}", "operand", "", same_type_rule(FLOAT_OR_COMPLEX), _summary, decompose=_decompose)
for _name, (_real, _summary) in _SPECIAL.items():
    _decompose = formula(widened(_real))
    declare(f"chlo::{_name}", "operand", "", same_type_rule(FLOAT), _summary, decompose=_decompose)
for _name, (_real, _summary) in _TESTS.items():
    declare(f"chlo::{_name}", "operand", "", _infer_test, _summary, decompose=formula(_real))

declare(
    "chlo::conj",
    "operand",
    "",
    same_type_rule(FLOAT_OR_COMPLEX),
    "Complex conjugate; floats are their own.",
    decompose=formula(lambda x: x, _conjugate),
)
declare(
    "chlo::next_after",
    "x y",
    "",
    same_type_rule(FLOAT),
    "Next representable value after x towards y.",
    decompose=formula(float_bits.next_after),
)
declare(
    "chlo::square",
    "operand",
    "",
    same_type_rule(NUMERIC),
    "Product with itself.",
    decompose=formula(lambda x: x * x),
)
declare(
    "chlo::tan",
    "operand",
    "",
    same_type_rule(FLOAT_OR_COMPLEX),
    "Tangent.",
    decompose=formula(lambda x: x.apply("tan")),
)
