"""NumPy's ufuncs that are put together from functions of the standard, and the table of all that have a lazy form.

A composed function gets operands that have the dtypes of the ufunc's loop already.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.array import elementwise_functions as ew
from latebind.array.data_type_functions import astype
from latebind.array.linear_algebra_functions import matmul, vecdot
from latebind.array.operands import PYTHON_SCALARS, apply, as_array
from latebind.array.rules.elementwise import UFUNCS
from latebind.array.searching_functions import where
from latebind.errors import DTypeMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value
from latebind.ir.types import DType
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.signature import Rule

if TYPE_CHECKING:
    from latebind.array.array import Array

Function = Callable[..., Any]

_LN2: Final = math.log(2.0)


def _bit_count(b: IrBuilder, x: Value) -> Value:
    return b.make_cast(b.op("stablehlo::popcnt", x), np.dtype(np.uint8)).value()


_BIT_COUNT: Final = Rule("bitwise_count", _bit_count)


def _fmax(x: Array, y: Array) -> Array:
    return where(ew.isnan(x), y, where(ew.isnan(y), x, ew.maximum(x, y)))


def _fmin(x: Array, y: Array) -> Array:
    return where(ew.isnan(x), y, where(ew.isnan(y), x, ew.minimum(x, y)))


def _fmod(x: Array, y: Array) -> Array:
    """Remainder with the sign of x; of integers by zero 0."""
    rest = ew.remainder(ew.abs(x), ew.abs(y))
    if x.dtype.kind == "f":
        return ew.copysign(rest, x)
    return where(ew.less(x, 0), ew.negative(rest), rest) if x.dtype.kind == "i" else rest


def _heaviside(x: Array, y: Array) -> Array:
    step = where(ew.equal(x, 0), y, astype(ew.greater(x, 0), x.dtype))
    return where(ew.isnan(x), x, step)


def _logaddexp2(x: Array, y: Array) -> Array:
    return ew.divide(ew.logaddexp(ew.multiply(x, _LN2), ew.multiply(y, _LN2)), _LN2)


def _ldexp(x: Array, exponent: Array) -> Array:
    """Two factors, because a single power of two may overflow where the result does not."""
    first = ew.floor_divide(exponent, 2)
    powers = (ew.exp2(astype(part, x.dtype)) for part in (first, ew.subtract(exponent, first)))
    return ew.multiply(ew.multiply(x, next(powers)), next(powers))


def _modf(x: Array) -> tuple[Array, Array]:
    whole = ew.trunc(x)
    rest = where(ew.isinf(x), 0.0, ew.subtract(x, whole))
    return ew.copysign(rest, x), whole


def _spacing(x: Array) -> Array:
    x = ew.add(x, 0.0)  # of both zeros it is positive
    away = ew.copysign(math.inf, x)
    return ew.subtract(ew.nextafter(x, away), x)


def _scaled(factor: float) -> Function:
    return lambda x: ew.multiply(x, factor)


def _divmod(x: Array, y: Array) -> tuple[Array, Array]:
    return ew.floor_divide(x, y), ew.remainder(x, y)


def _bitwise_count(x: Array) -> Array:
    return apply(_BIT_COUNT, ew.abs(x))


#: Functions of operands that are converted to the ufunc's loop first.
COMPOSED: Final[dict[np.ufunc, Function]] = {
    np.bitwise_count: _bitwise_count,
    np.deg2rad: _scaled(math.pi / 180.0),
    np.degrees: _scaled(180.0 / math.pi),
    np.divmod: _divmod,
    np.fabs: ew.abs,
    np.float_power: ew.pow,
    np.fmax: _fmax,
    np.fmin: _fmin,
    np.fmod: _fmod,
    np.heaviside: _heaviside,
    np.ldexp: _ldexp,
    np.logaddexp2: _logaddexp2,
    np.modf: _modf,
    np.rint: ew.round,
    np.rad2deg: _scaled(180.0 / math.pi),
    np.radians: _scaled(math.pi / 180.0),
    np.spacing: _spacing,
}


def _matvec(matrix: Any, vector: Any) -> Array:
    columns = as_array(vector)
    return matmul(matrix, columns[..., None])[..., 0]


def _vecmat(vector: Any, matrix: Any) -> Array:
    rows = ew.conj(as_array(vector))
    return matmul(rows[..., None, :], matrix)[..., 0, :]


def composed(ufunc: np.ufunc) -> Function:
    """Return the function that converts its operands to the ufunc's loop and computes it."""
    function = COMPOSED[ufunc]

    def call(*operands: Any) -> Any:
        dtypes = loop_dtypes(ufunc, operands)
        return function(*to_loop(operands, dtypes))

    return call


def loop_dtypes(ufunc: np.ufunc, operands: tuple[Any, ...], dtype: Any = None, casting: str = "same_kind") -> Any:
    """Return the dtypes of a ufunc's loop for operands: those of the operands, then those of the results.

    Raises
    ------
    DTypeMismatchError
        If it has no such loop, or the operands may not be converted to it.
    """
    return _resolved(ufunc, tuple(map(_key, operands)), None if dtype is None else np.dtype(dtype), casting)


@lru_cache(maxsize=1024)
def _resolved(ufunc: np.ufunc, keys: tuple[Any, ...], dtype: DType | None, casting: str) -> tuple[DType, ...]:
    wanted: dict[str, Any] = {} if dtype is None else {"signature": (None,) * ufunc.nin + (dtype,) * ufunc.nout}
    resolve: Any = ufunc.resolve_dtypes
    try:
        return resolve((*keys, *(None,) * ufunc.nout), casting=casting, **wanted)  # type: ignore[no-any-return]
    except (TypeError, ValueError) as error:
        raise DTypeMismatchError(f"np.{ufunc.__name__}: {error}") from None


def _key(operand: Any) -> Any:
    if isinstance(operand, ScalarArgument):
        return type(operand.value) if type(operand.value) is not bool else np.dtype(bool)
    if isinstance(operand, LazyTensor):
        return operand._type.dtype
    if type(operand) in PYTHON_SCALARS:
        return type(operand) if type(operand) is not bool else np.dtype(bool)
    return np.asarray(operand).dtype


def to_loop(operands: tuple[Any, ...], dtypes: tuple[DType, ...]) -> list[Any]:
    """Return the operands as arrays of these dtypes, on the device of the first that is an array."""
    ground = next((one._tape.ground for one in operands if isinstance(one, LazyTensor)), None)
    arrays = [as_array(one.value if isinstance(one, ScalarArgument) else one, ground) for one in operands]
    return [astype(one, dtype, copy=False) for one, dtype in zip(arrays, dtypes, strict=False)]


#: The function that stands for each ufunc.
FUNCTIONS: Final[dict[np.ufunc, Function]] = {
    **{ufunc: getattr(ew, name) for name, ufunc in UFUNCS.items()},
    **{ufunc: composed(ufunc) for ufunc in COMPOSED},
    np.matmul: matmul,
    np.vecdot: vecdot,
}
for _name, _function in (("matvec", _matvec), ("vecmat", _vecmat)):
    if hasattr(np, _name):  # since NumPy 2.2
        FUNCTIONS[getattr(np, _name)] = _function
