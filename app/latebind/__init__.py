"""latebind: array code that is recorded, and run by the backend that the configuration names.

The module is an array API namespace: `latebind.sin(x)` records an operation on a lazy array. Functions follow their
operands; creation functions use the current container (`with container:`), else the process default, which is built
from the configuration at its first use. Importing this module loads no engine and reads no configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import latebind.array.operators  # noqa: F401  (binds the operators)
from latebind import fft, linalg
from latebind.array.array import Array
from latebind.array.capture import CompiledFunction, compile
from latebind.array.creation_functions import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    linspace,
    meshgrid,
    ones,
    ones_like,
    tril,
    triu,
    zeros,
    zeros_like,
)
from latebind.array.data_type_functions import (
    astype,
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    can_cast,
    finfo,
    iinfo,
    isdtype,
    result_type,
)
from latebind.array.dtypes import (
    bool_ as bool,
)
from latebind.array.dtypes import (
    complex64,
    complex128,
    e,
    float16,
    float32,
    float64,
    inf,
    int8,
    int16,
    int32,
    int64,
    nan,
    newaxis,
    pi,
    uint8,
    uint16,
    uint32,
    uint64,
)
from latebind.array.elementwise_functions import (
    abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    cbrt,
    ceil,
    clip,
    conj,
    copysign,
    cos,
    cosh,
    divide,
    equal,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    hypot,
    imag,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    nextafter,
    not_equal,
    positive,
    pow,
    real,
    reciprocal,
    remainder,
    round,
    sign,
    signbit,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
)
from latebind.array.function_table import set_function_table as _set_function_table
from latebind.array.indexing_functions import (
    take,
    take_along_axis,
)
from latebind.array.info import NamespaceInfo as _NamespaceInfo
from latebind.array.linear_algebra_functions import (
    matmul,
    matrix_transpose,
    tensordot,
    vecdot,
)
from latebind.array.manipulation_functions import (
    concat,
    expand_dims,
    flip,
    moveaxis,
    permute_dims,
    repeat,
    reshape,
    roll,
    squeeze,
    stack,
    swapaxes,
    tile,
    unstack,
)
from latebind.array.namespace import API_VERSION as __array_api_version__
from latebind.array.searching_functions import (
    argmax,
    argmin,
    count_nonzero,
    nonzero,
    searchsorted,
    where,
)
from latebind.array.set_functions import (
    isin,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
)
from latebind.array.sorting_functions import (
    argsort,
    sort,
)
from latebind.array.statistical_functions import (
    cumulative_prod,
    cumulative_sum,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from latebind.array.steps import mark_step, metrics, sync, wait_device_ops
from latebind.array.utility_functions import (
    all,
    any,
    diff,
)
from latebind.errors import LatebindError
from latebind.missing_names import missing_name as _missing_name
from latebind.runtime.current import current_executor as _current_executor
from latebind.runtime.current import set_default_factory as _set_default_factory
from latebind.runtime.metrics import Metrics
from latebind.runtime.syncs import forbid_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from latebind.containers import Container, build_container, default_container
    from latebind.explaining.explanation import explain
    from latebind.inspection.graph import graph
    from latebind.inspection.notebook import visualize
    from latebind.profiling.profile import profile
    from latebind.runtime.executor import LazyGraphExecutor

#: Loaded from `latebind.containers` when first asked for: the container's libraries are heavier than all the rest.
_FROM_CONTAINERS = frozenset(("Container", "build_container", "default_container"))
#: Tools that few programs use, loaded when first asked for.
_FROM_TOOLS = {
    "explain": "latebind.explaining.explanation",
    "graph": "latebind.inspection.graph",
    "profile": "latebind.profiling.profile",
    "visualize": "latebind.inspection.notebook",
}


def _default_executor() -> LazyGraphExecutor:
    from latebind.containers import default_executor

    return default_executor()


_set_default_factory(_default_executor)


def _numpy_functions() -> Mapping[Callable[..., Any], Callable[..., Any]]:
    from latebind.numpy.function_table import FUNCTIONS

    return FUNCTIONS


_set_function_table(_numpy_functions)


def __array_namespace_info__() -> _NamespaceInfo:
    """Return what this namespace can do (array API standard, inspection)."""
    return _NamespaceInfo(_current_executor)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "random":
        return import_module("latebind.random")
    if name in _FROM_CONTAINERS:
        from latebind import containers

        return getattr(containers, name)
    if name in _FROM_TOOLS:
        return getattr(import_module(_FROM_TOOLS[name]), name)
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as _version

        try:
            return _version("latebind")
        except PackageNotFoundError:
            return "unknown"
    raise _missing_name("latebind", name)


def __dir__() -> list[str]:
    return sorted({*__all__, "random", "__version__", "__doc__", "__name__"})


__all__ = [
    "Array",
    "CompiledFunction",
    "Container",
    "LatebindError",
    "Metrics",
    "__array_api_version__",
    "__array_namespace_info__",
    "abs",
    "acos",
    "acosh",
    "add",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "asarray",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bool",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "build_container",
    "can_cast",
    "cbrt",
    "ceil",
    "clip",
    "compile",
    "complex64",
    "complex128",
    "concat",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "default_container",
    "diff",
    "divide",
    "e",
    "empty",
    "empty_like",
    "equal",
    "exp",
    "exp2",
    "expand_dims",
    "explain",
    "expm1",
    "eye",
    "fft",
    "finfo",
    "flip",
    "float16",
    "float32",
    "float64",
    "floor",
    "floor_divide",
    "forbid_sync",
    "from_dlpack",
    "full",
    "full_like",
    "graph",
    "greater",
    "greater_equal",
    "hypot",
    "iinfo",
    "imag",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "linalg",
    "linspace",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "mark_step",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "meshgrid",
    "metrics",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "nan",
    "negative",
    "newaxis",
    "nextafter",
    "nonzero",
    "not_equal",
    "ones",
    "ones_like",
    "permute_dims",
    "pi",
    "positive",
    "pow",
    "prod",
    "profile",
    "real",
    "reciprocal",
    "remainder",
    "repeat",
    "reshape",
    "result_type",
    "roll",
    "round",
    "searchsorted",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sort",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "swapaxes",
    "sync",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "tril",
    "triu",
    "trunc",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "var",
    "vecdot",
    "visualize",
    "wait_device_ops",
    "where",
    "zeros",
    "zeros_like",
]
