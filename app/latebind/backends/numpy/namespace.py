"""The names that generated functions may use: NumPy's functions, dtypes and this backend's kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from latebind.backends.numpy.kernels import (
    complexes,
    elementwise,
    indexing,
    integers,
    linear_algebra,
    random_numbers,
    sorting,
    variates,
    windows,
)
from latebind.ir.types import ELEMENT_NAMES

_UFUNCS: Final = (
    "absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or bitwise_xor cbrt ceil"
    " conjugate copysign cos cosh divide equal exp exp2 expm1 float_power floor floor_divide fmod greater"
    " greater_equal hypot invert isfinite isinf isnan left_shift less less_equal log log10 log1p log2 logaddexp"
    " logical_not matmul maximum minimum multiply negative nextafter not_equal positive power reciprocal remainder"
    " right_shift rint sign signbit sin sinh sqrt square subtract tan tanh trunc"
)
_FUNCTIONS: Final = "arange array asarray broadcast_to concatenate empty full putmask sort take where"
_KERNEL_MODULES: Final = (
    *(complexes, elementwise, indexing, integers, linear_algebra, random_numbers, sorting, variates, windows),
)
#: Ufuncs that reductions and accumulations use: `add_reduce` is `numpy.add.reduce`.
_BODIES: Final = "add multiply maximum minimum bitwise_and bitwise_or"


def _names() -> dict[str, Any]:
    names: dict[str, Any] = {name: getattr(np, name) for name in (_UFUNCS + " " + _FUNCTIONS).split()}
    names.update((name, np.dtype(name)) for name in ELEMENT_NAMES)
    for body in _BODIES.split():
        names[f"{body}_reduce"] = getattr(np, body).reduce
        names[f"{body}_accumulate"] = getattr(np, body).accumulate
    names["real_part"], names["imaginary_part"] = np.real, np.imag
    names["int"], names["slice"] = int, slice
    for module in _KERNEL_MODULES:
        kernels: dict[str, Callable[..., Any]] = {
            name: value
            for name, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
        }
        names.update(kernels)
    return names


#: Stands in for the builtins of generated functions, so that each has a small dictionary of globals.
NAMES: Final[dict[str, Any]] = _names()
