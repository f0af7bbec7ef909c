"""Elementwise functions of the array API standard, and NumPy's `cbrt` and `exp2`.

Every function takes arrays, numbers and whatever NumPy takes for an array; shapes broadcast and dtypes promote as in
NumPy 2. What each one emits, and for which dtypes it is defined, is in `latebind.array.rules.elementwise`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from latebind.array.operands import ArrayLike, apply, beyond, is_scalar
from latebind.array.rules.elementwise import CLIP, COPY, RULES
from latebind.errors import ScalarRangeError
from latebind.ir.promotion import integer_range
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import record_unary
from latebind.runtime.signature import Rule

if TYPE_CHECKING:
    from latebind.array.array import Array


class UnaryFunction(Protocol):
    """A function of one array."""

    def __call__(self, x: ArrayLike, /) -> Array: ...


class BinaryFunction(Protocol):
    """A function of two arrays that broadcast."""

    def __call__(self, x1: ArrayLike, x2: ArrayLike, /) -> Array: ...


#: Dtypes that an operation takes, and the dtype of its result.
_ANY: Final = "Any dtype. The result has the same."
_NUMERIC: Final = "Any numeric dtype. The result has the same."
_REAL: Final = "Any real numeric dtype. The result has the same."
_BITS: Final = "Integers or booleans. The result has the same dtype."
_FLOATING: Final = (
    "Floating-point or complex numbers, whose dtype the result has; integers and booleans are converted to floating "
    "point first, as NumPy does."
)
_REAL_FLOATING: Final = (
    "Real floating-point numbers, whose dtype the result has; integers and booleans are converted to floating point "
    "first, as NumPy does."
)
_TEST: Final = "Any dtype. The result is boolean."
_ABS: Final = "Any dtype. The result has the same; for complex numbers the dtype of their parts."
_PROMOTED: Final = "Any dtypes that promote. The result has the dtype to which they promote."

_UNARY_DOC: Final = """{summary}

Parameters
----------
x : Array or array-like
    {dtypes}

Returns
-------
Array
    Shape of `x`.

Raises
------
DTypeMismatchError
    If the function is not defined for the dtype.

Notes
-----
Array API standard, elementwise functions, `{name}`.
"""

_BINARY_DOC: Final = """{summary}

Parameters
----------
x1, x2 : Array or array-like
    {dtypes} Python numbers take the other operand's dtype.

Returns
-------
Array
    Shape to which the operands broadcast.

Raises
------
ShapeMismatchError
    If the shapes do not broadcast.
DTypeMismatchError
    If the function is not defined for the dtypes.
ScalarRangeError
    If a Python integer does not fit the other operand's dtype.

Notes
-----
Array API standard, elementwise functions, `{name}`.
"""


def _unary(name: str, summary: str, dtypes: str) -> UnaryFunction:
    rule = RULES[name]

    def function(x: ArrayLike, /) -> Array:
        if isinstance(x, LazyTensor):
            out = record_unary(rule, x, 2)
            if out is not None:
                return out  # type: ignore[return-value]
        return apply(rule, x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _UNARY_DOC.format(name=name, summary=summary, dtypes=dtypes)
    return function


def _binary(name: str, summary: str, dtypes: str = _PROMOTED) -> BinaryFunction:
    rule = RULES[name]

    def function(x1: ArrayLike, x2: ArrayLike, /) -> Array:
        return apply(rule, x1, x2)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _BINARY_DOC.format(name=name, summary=summary, dtypes=dtypes)
    return function


def _comparison(name: str, summary: str) -> BinaryFunction:
    rule = RULES[name]

    def function(x1: ArrayLike, x2: ArrayLike, /) -> Array:
        return compare(rule, x1, x2)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _BINARY_DOC.format(name=name, summary=summary, dtypes=_TEST)
    return function


def compare(rule: Rule, x1: ArrayLike, x2: ArrayLike) -> Array:
    """Record a comparison. One with an integer outside the dtype's range has a value, as in NumPy: it is no error."""
    try:
        return apply(rule, x1, x2)
    except ScalarRangeError:
        return apply(rule, *(beyond(x) if is_scalar(x) else x for x in (x1, x2)))


abs = _unary("abs", "Absolute value; the modulus of complex numbers.", _ABS)
acos = _unary("acos", "Inverse cosine, in radians.", _FLOATING)
acosh = _unary("acosh", "Inverse hyperbolic cosine.", _FLOATING)
add = _binary("add", "Sum; logical or of booleans.")
asin = _unary("asin", "Inverse sine, in radians.", _FLOATING)
asinh = _unary("asinh", "Inverse hyperbolic sine.", _FLOATING)
atan = _unary("atan", "Inverse tangent, in radians.", _FLOATING)
atan2 = _binary("atan2", "Angle of the point (x2, x1), in radians, in [-pi, pi].", _REAL_FLOATING)
atanh = _unary("atanh", "Inverse hyperbolic tangent.", _FLOATING)
bitwise_and = _binary("bitwise_and", "Bitwise and; logical and of booleans.", _BITS)
bitwise_invert = _unary("bitwise_invert", "Bitwise not; logical not of booleans.", _BITS)
bitwise_left_shift = _binary("bitwise_left_shift", "Bits of x1 shifted to the left by x2; 0 from the width on.", _BITS)
bitwise_or = _binary("bitwise_or", "Bitwise or; logical or of booleans.", _BITS)
bitwise_right_shift = _binary(
    "bitwise_right_shift", "Bits of x1 shifted to the right by x2; signed integers keep their sign.", _BITS
)
bitwise_xor = _binary("bitwise_xor", "Bitwise exclusive or; of booleans, whether they differ.", _BITS)
cbrt = _unary("cbrt", "Cube root.", _REAL_FLOATING)
ceil = _unary("ceil", "Smallest integer that is not less.", _REAL)
conj = _unary("conj", "Complex conjugate; real numbers are their own.", _ANY)
copysign = _binary("copysign", "Magnitude of x1 with the sign of x2.", _REAL_FLOATING)
cos = _unary("cos", "Cosine of an angle in radians.", _FLOATING)
cosh = _unary("cosh", "Hyperbolic cosine.", _FLOATING)
divide = _binary("divide", "Quotient.", _FLOATING)
equal = _comparison("equal", "Whether equal; NaN equals nothing.")
exp = _unary("exp", "Exponential.", _FLOATING)
exp2 = _unary("exp2", "2 to the power of x.", _REAL_FLOATING)
expm1 = _unary("expm1", "Exponential minus one, accurate near zero.", _FLOATING)
floor = _unary("floor", "Largest integer that is not greater.", _REAL)
floor_divide = _binary("floor_divide", "Quotient rounded towards minus infinity; integer division by zero gives 0.")
greater = _comparison("greater", "Whether x1 > x2; complex numbers compare by real, then imaginary part.")
greater_equal = _comparison("greater_equal", "Whether x1 >= x2; complex numbers compare by real, then imaginary part.")
hypot = _binary("hypot", "Length of the vector (x1, x2), without overflow on the way.", _REAL_FLOATING)
imag = _unary("imag", "Imaginary part; 0 of real numbers.", _ABS)
isfinite = _unary("isfinite", "Whether neither infinite nor NaN.", _TEST)
isinf = _unary("isinf", "Whether infinite.", _TEST)
isnan = _unary("isnan", "Whether NaN.", _TEST)
less = _comparison("less", "Whether x1 < x2; complex numbers compare by real, then imaginary part.")
less_equal = _comparison("less_equal", "Whether x1 <= x2; complex numbers compare by real, then imaginary part.")
log = _unary("log", "Natural logarithm.", _FLOATING)
log10 = _unary("log10", "Logarithm to base 10.", _FLOATING)
log1p = _unary("log1p", "Natural logarithm of one plus x, accurate near zero.", _FLOATING)
log2 = _unary("log2", "Logarithm to base 2.", _FLOATING)
logaddexp = _binary("logaddexp", "log(exp(x1) + exp(x2)), without overflow on the way.", _REAL_FLOATING)
logical_and = _binary("logical_and", "Whether both are true; numbers are if they are not zero.", _TEST)
logical_not = _unary("logical_not", "Whether false; numbers are if they are zero.", _TEST)
logical_or = _binary("logical_or", "Whether one is true; numbers are if they are not zero.", _TEST)
logical_xor = _binary("logical_xor", "Whether just one is true; numbers are if they are not zero.", _TEST)
maximum = _binary("maximum", "Larger of two elements; NaN wins.")
minimum = _binary("minimum", "Smaller of two elements; NaN wins.")
multiply = _binary("multiply", "Product; logical and of booleans.")
negative = _unary("negative", "Negation.", _NUMERIC)
nextafter = _binary("nextafter", "Next representable number after x1 towards x2.", _REAL_FLOATING)
not_equal = _comparison("not_equal", "Whether not equal; NaN differs from everything.")
positive = _unary("positive", "The numbers as they are.", _NUMERIC)
pow = _binary("pow", "x1 to the power of x2.")
real = _unary("real", "Real part.", _ABS)
reciprocal = _unary("reciprocal", "1 / x; of integers, rounded towards zero.", _NUMERIC)
remainder = _binary("remainder", "Remainder with the sign of x2; integer x % 0 is 0.")
round = _unary("round", "Nearest integer, halves to the even one.", _NUMERIC)
sign = _unary("sign", "-1, 0 or 1; x / abs(x) of complex numbers; NaN stays NaN.", _NUMERIC)
signbit = _unary("signbit", "Whether the sign bit is set, also of -0.0 and NaN. The result is boolean.", _REAL_FLOATING)
sin = _unary("sin", "Sine of an angle in radians.", _FLOATING)
sinh = _unary("sinh", "Hyperbolic sine.", _FLOATING)
sqrt = _unary("sqrt", "Square root; NaN of negative numbers.", _FLOATING)
square = _unary("square", "Product with itself.", _NUMERIC)
subtract = _binary("subtract", "Difference.")
tan = _unary("tan", "Tangent of an angle in radians.", _FLOATING)
tanh = _unary("tanh", "Hyperbolic tangent.", _FLOATING)
trunc = _unary("trunc", "Nearest integer towards zero.", _REAL)


def clip(x: ArrayLike, /, min: ArrayLike | None = None, max: ArrayLike | None = None) -> Array:
    """Limit the elements to an interval: `minimum(maximum(x, min), max)`.

    Parameters
    ----------
    x : Array or array-like
        Any dtype.
    min, max : Array, array-like or None
        Bounds that broadcast with `x`; `None` for none. A Python integer beyond the range of an integer `x` is no
        bound.

    Returns
    -------
    Array
        Shape to which `x` and the bounds broadcast, dtype to which they promote.

    Raises
    ------
    ShapeMismatchError
        If the shapes do not broadcast.

    Notes
    -----
    Array API standard, elementwise functions, `clip`; of dtypes that differ, as NumPy.
    """
    if isinstance(x, LazyTensor) and x._type.dtype.kind in "iu":
        lowest, highest = integer_range(x._type.dtype)
        min = None if type(min) is int and min <= lowest else min
        max = None if type(max) is int and max >= highest else max
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds:
        return apply(COPY, x)
    return apply(CLIP, x, *bounds, low=min is not None, high=max is not None)
