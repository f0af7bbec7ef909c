"""NumPy's ufuncs as objects with its methods: `add(x, y)`, `add.reduce(x)`, `add.outer(x, y)`, `add.at(x, i, y)`.

Numbers alone give NumPy's scalars, computed at once; with anything else among the operands, the result is lazy.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from latebind.array.array import Array
from latebind.array.operands import PYTHON_SCALARS
from latebind.array.protocols import array_ufunc
from latebind.array.rules.elementwise import RULES, UFUNCS
from latebind.array.ufunc_functions import COMPOSED, FUNCTIONS
from latebind.numpy.arguments import array_of, ground_of
from latebind.runtime.recording import record_unary
from latebind.runtime.signature import Rule

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "conj",
    "conjugate",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "divide",
    "divmod",
    "equal",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "invert",
    "isfinite",
    "isinf",
    "isnan",
    "ldexp",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "maximum",
    "minimum",
    "mod",
    "modf",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "power",
    "rad2deg",
    "radians",
    "reciprocal",
    "remainder",
    "right_shift",
    "rint",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "spacing",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "vecdot",
]


_UNARY: Final[dict[np.ufunc, Rule]] = {
    ufunc: RULES[name] for name, ufunc in UFUNCS.items() if ufunc.nin == 1 and ufunc not in COMPOSED
}


#: Operands that need no conversion.
_PLAIN: Final = frozenset((Array, *PYTHON_SCALARS))


class Ufunc:
    """A ufunc of NumPy that makes lazy arrays.

    Attributes
    ----------
    nin, nout, nargs : int
        Numbers of operands, of results, and of both.
    identity : number or None
        What a reduction of nothing gives.
    """

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc: Final = ufunc
        self.__name__, self.__doc__ = ufunc.__name__, ufunc.__doc__
        self.nin, self.nout, self.nargs = ufunc.nin, ufunc.nout, ufunc.nargs
        self.identity, self.signature = ufunc.identity, ufunc.signature
        self.types, self.ntypes = ufunc.types, ufunc.ntypes
        #: What computes it without options; and of one operand the rule, where that is all.
        self._function = FUNCTIONS.get(ufunc)
        self._rule = _UNARY.get(ufunc)

    def __call__(self, *operands: Any, **options: Any) -> Any:
        if not options and len(operands) == self.nin and self._function is not None:
            first = operands[0]
            if type(first) is Array and self._rule is not None:
                out = record_unary(self._rule, first, 2)
                if out is not None:
                    return out
            kinds = set(map(type, operands))
            if Array in kinds and kinds <= _PLAIN:
                return self._function(*operands)
        if all(type(one) in PYTHON_SCALARS or isinstance(one, np.generic) for one in operands) and not (
            options.keys() & {"out", "where"}
        ):
            return self._ufunc(*operands, **options)
        inputs, positional = operands[: self.nin], operands[self.nin :]
        if positional:
            options["out"] = positional
        return self._apply("__call__", inputs, options)

    def _apply(self, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        out = options.get("out")
        if out is not None and not isinstance(out, tuple):
            options["out"] = (out,)
        if not any(isinstance(one, Array) for one in inputs):
            first = array_of(inputs[0], ground_of(*inputs, *(options.get("out") or ()), options.get("where")))
            inputs = (first, *inputs[1:])
        inputs = tuple(
            array_of(one) if isinstance(one, (list, tuple)) and i < 2 else one for i, one in enumerate(inputs)
        )
        result = array_ufunc(self._ufunc, method, inputs, options)
        if result is NotImplemented:
            kinds = ", ".join(type(one).__name__ for one in inputs)
            raise TypeError(f"{self.__name__}: operands of types {kinds} are not supported")
        return result

    def reduce(self, array: Any, /, *options: Any, **named: Any) -> Array:
        """Combine all elements along axes, by default the first: `axis, dtype, out, keepdims, initial, where`."""
        return self._apply("reduce", (array, *options), named)  # type: ignore[no-any-return]

    def accumulate(self, array: Any, /, *options: Any, **named: Any) -> Array:
        """Return the results of combining all elements up to each position: `(array, axis, dtype, out)`."""
        return self._apply("accumulate", (array, *options), named)  # type: ignore[no-any-return]

    def outer(self, x1: Any, x2: Any, /, **named: Any) -> Array:
        """Apply the ufunc to all pairs of elements."""
        return self._apply("outer", (x1, x2), named)  # type: ignore[no-any-return]

    def reduceat(self, array: Any, indices: Any, /, *options: Any, **named: Any) -> Array:
        """Reduce the sections that start at indices: `(array, indices, axis, dtype, out)`."""
        return self._apply("reduceat", (array, indices, *options), named)  # type: ignore[no-any-return]

    def at(self, array: Any, indices: Any, /, *values: Any) -> None:
        """Combine values into elements in place, also where an element is named more than once."""
        array_ufunc(self._ufunc, "at", (array, indices, *values), {})

    def resolve_dtypes(self, *arguments: Any, **named: Any) -> Any:
        """NumPy's own."""
        return self._ufunc.resolve_dtypes(*arguments, **named)

    def __repr__(self) -> str:
        return f"<ufunc {self.__name__!r} of latebind.numpy>"


abs: Final = Ufunc(np.abs)
absolute: Final = Ufunc(np.absolute)
acos: Final = Ufunc(np.acos)
acosh: Final = Ufunc(np.acosh)
add: Final = Ufunc(np.add)
arccos: Final = Ufunc(np.arccos)
arccosh: Final = Ufunc(np.arccosh)
arcsin: Final = Ufunc(np.arcsin)
arcsinh: Final = Ufunc(np.arcsinh)
arctan: Final = Ufunc(np.arctan)
arctan2: Final = Ufunc(np.arctan2)
arctanh: Final = Ufunc(np.arctanh)
asin: Final = Ufunc(np.asin)
asinh: Final = Ufunc(np.asinh)
atan: Final = Ufunc(np.atan)
atan2: Final = Ufunc(np.atan2)
atanh: Final = Ufunc(np.atanh)
bitwise_and: Final = Ufunc(np.bitwise_and)
bitwise_count: Final = Ufunc(np.bitwise_count)
bitwise_invert: Final = Ufunc(np.bitwise_invert)
bitwise_left_shift: Final = Ufunc(np.bitwise_left_shift)
bitwise_not: Final = Ufunc(np.bitwise_not)
bitwise_or: Final = Ufunc(np.bitwise_or)
bitwise_right_shift: Final = Ufunc(np.bitwise_right_shift)
bitwise_xor: Final = Ufunc(np.bitwise_xor)
cbrt: Final = Ufunc(np.cbrt)
ceil: Final = Ufunc(np.ceil)
conj: Final = Ufunc(np.conj)
conjugate: Final = Ufunc(np.conjugate)
copysign: Final = Ufunc(np.copysign)
cos: Final = Ufunc(np.cos)
cosh: Final = Ufunc(np.cosh)
deg2rad: Final = Ufunc(np.deg2rad)
degrees: Final = Ufunc(np.degrees)
divide: Final = Ufunc(np.divide)
divmod: Final = Ufunc(np.divmod)
equal: Final = Ufunc(np.equal)
exp: Final = Ufunc(np.exp)
exp2: Final = Ufunc(np.exp2)
expm1: Final = Ufunc(np.expm1)
fabs: Final = Ufunc(np.fabs)
float_power: Final = Ufunc(np.float_power)
floor: Final = Ufunc(np.floor)
floor_divide: Final = Ufunc(np.floor_divide)
fmax: Final = Ufunc(np.fmax)
fmin: Final = Ufunc(np.fmin)
fmod: Final = Ufunc(np.fmod)
greater: Final = Ufunc(np.greater)
greater_equal: Final = Ufunc(np.greater_equal)
heaviside: Final = Ufunc(np.heaviside)
hypot: Final = Ufunc(np.hypot)
invert: Final = Ufunc(np.invert)
isfinite: Final = Ufunc(np.isfinite)
isinf: Final = Ufunc(np.isinf)
isnan: Final = Ufunc(np.isnan)
ldexp: Final = Ufunc(np.ldexp)
left_shift: Final = Ufunc(np.left_shift)
less: Final = Ufunc(np.less)
less_equal: Final = Ufunc(np.less_equal)
log: Final = Ufunc(np.log)
log10: Final = Ufunc(np.log10)
log1p: Final = Ufunc(np.log1p)
log2: Final = Ufunc(np.log2)
logaddexp: Final = Ufunc(np.logaddexp)
logaddexp2: Final = Ufunc(np.logaddexp2)
logical_and: Final = Ufunc(np.logical_and)
logical_not: Final = Ufunc(np.logical_not)
logical_or: Final = Ufunc(np.logical_or)
logical_xor: Final = Ufunc(np.logical_xor)
matmul: Final = Ufunc(np.matmul)
maximum: Final = Ufunc(np.maximum)
minimum: Final = Ufunc(np.minimum)
mod: Final = Ufunc(np.mod)
modf: Final = Ufunc(np.modf)
multiply: Final = Ufunc(np.multiply)
negative: Final = Ufunc(np.negative)
nextafter: Final = Ufunc(np.nextafter)
not_equal: Final = Ufunc(np.not_equal)
positive: Final = Ufunc(np.positive)
pow: Final = Ufunc(np.pow)
power: Final = Ufunc(np.power)
rad2deg: Final = Ufunc(np.rad2deg)
radians: Final = Ufunc(np.radians)
reciprocal: Final = Ufunc(np.reciprocal)
remainder: Final = Ufunc(np.remainder)
right_shift: Final = Ufunc(np.right_shift)
rint: Final = Ufunc(np.rint)
sign: Final = Ufunc(np.sign)
signbit: Final = Ufunc(np.signbit)
sin: Final = Ufunc(np.sin)
sinh: Final = Ufunc(np.sinh)
spacing: Final = Ufunc(np.spacing)
sqrt: Final = Ufunc(np.sqrt)
square: Final = Ufunc(np.square)
subtract: Final = Ufunc(np.subtract)
tan: Final = Ufunc(np.tan)
tanh: Final = Ufunc(np.tanh)
true_divide: Final = Ufunc(np.true_divide)
trunc: Final = Ufunc(np.trunc)
vecdot: Final = Ufunc(np.vecdot)

if hasattr(np, "matvec"):  # since NumPy 2.2
    matvec: Final = Ufunc(np.matvec)
    vecmat: Final = Ufunc(np.vecmat)
    __all__ += ["matvec", "vecmat"]
