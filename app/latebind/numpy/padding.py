"""`pad`: every mode of NumPy's that is not a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from latebind.array import elementwise_functions as elementwise
from latebind.array.array import Array
from latebind.array.data_type_functions import astype, broadcast_to
from latebind.array.manipulation_functions import concat
from latebind.array.operands import ArrayLike
from latebind.errors import ShapeMismatchError
from latebind.numpy import quantiles
from latebind.numpy.arguments import array_of, refuse
from latebind.numpy.creation import linspace
from latebind.numpy.shaping import take_axis

__all__ = [
    "pad",
]


#: Modes whose padding repeats elements by their positions, and the options that go with each.
_BY_POSITION: Final = {"edge": (), "reflect": ("reflect_type",), "symmetric": ("reflect_type",), "wrap": ()}
_STATISTICS: Final[dict[str, Callable[..., Array]]] = {
    "maximum": lambda x, axis: x.max(axis=axis, keepdims=True),
    "minimum": lambda x, axis: x.min(axis=axis, keepdims=True),
    "mean": lambda x, axis: x.mean(axis=axis, keepdims=True),
    "median": lambda x, axis: quantiles.median(x, axis=axis, keepdims=True),
}
_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    **_BY_POSITION,
    **dict.fromkeys(_STATISTICS, ("stat_length",)),
    "constant": ("constant_values",),
    "linear_ramp": ("end_values",),
    "empty": (),
}


def pad(array: ArrayLike, pad_width: Any, mode: Any = "constant", **options: Any) -> Array:
    """Return an array with elements added at both ends of each axis.

    Parameters
    ----------
    array : Array or array-like
    pad_width : int, (before, after), sequence of these per axis, or dict of axis to one of these
    mode : str
        As NumPy's: "constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric",
        "wrap", "empty".
    options
        `constant_values`, `end_values`, `stat_length` or `reflect_type="even"`, as the mode takes them.

    Raises
    ------
    ValueError
        If the mode is unknown, or does not take an option.
    DTypeMismatchError
        For a function as mode, and `reflect_type="odd"`.
    """
    if callable(mode):
        raise refuse("pad", "a function as mode", "pad with mode='empty' and write the edges")
    if mode not in _OPTIONS:
        raise ValueError(f"mode '{mode}' is not supported")
    if unknown := options.keys() - set(_OPTIONS[mode]):
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {unknown}")
    if options.get("reflect_type", "even") != "even":
        raise refuse("pad", "reflect_type='odd'", "compute 2 * edge - np.pad(x, ..., mode) at the edges")
    x = array_of(array)
    for axis, (before, after) in enumerate(_widths(pad_width, x.ndim)):
        if before or after:
            x = _pad_axis(x, axis, before, after, mode, options)
    return x


def _widths(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        pairs: list[Any] = [pad_width.get(axis, pad_width.get(axis - rank, 0)) for axis in range(rank)]
        widths = np.array([np.broadcast_to(pair, 2) for pair in pairs]).reshape(rank, 2)
    else:
        widths = _pairs("pad_width", pad_width, rank)
    if widths.dtype.kind not in "iu":
        raise TypeError("`pad_width` must be of integral type.")
    if widths.size and widths.min() < 0:
        raise ValueError("index can't contain negative values")
    return [(int(before), int(after)) for before, after in widths]


def _pairs(name: str, given: Any, rank: int) -> np.ndarray:
    try:
        return np.broadcast_to(np.asarray(given), (rank, 2))
    except ValueError:
        raise ShapeMismatchError(f"pad: {name} {given!r} does not give a pair for each of {rank} axes") from None


def _pad_axis(x: Array, axis: int, before: int, after: int, mode: str, options: dict[str, Any]) -> Array:
    length = x.shape[axis]
    if mode in _BY_POSITION:
        if not length:
            raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
        return take_axis(x, np.pad(np.arange(length), (before, after), mode=mode), axis)  # type: ignore[call-overload]
    parts = [x]
    for count, at_start in ((before, True), (after, False)):
        if count:
            part = astype(_edge(x, axis, count, at_start, mode, options), x.dtype, copy=False)
            parts.insert(0 if at_start else len(parts), part)
    return concat(parts, axis=axis)


def _edge(x: Array, axis: int, count: int, at_start: bool, mode: str, options: dict[str, Any]) -> Array:
    """Return what is added at one end of an axis."""
    side = 0 if at_start else 1
    region = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if mode in ("constant", "empty"):
        values = options.get("constant_values", 0)
        value = values if np.ndim(values) == 0 else _pairs("constant_values", values, x.ndim)[axis, side]
        return broadcast_to(astype(array_of(value, x._ground), x.dtype), region)
    if not x.shape[axis]:
        raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
    leading = (slice(None),) * axis
    if mode == "linear_ramp":
        end = _pairs("end_values", options.get("end_values", 0), x.ndim)[axis, side]
        edge = x[(*leading, 0 if at_start else -1)]
        ramp = linspace(
            astype(array_of(end, x._ground), x.dtype), edge, count, endpoint=False, dtype=x.dtype, axis=axis
        )
        return ramp if at_start else ramp[(*leading, slice(None, None, -1))]  # type: ignore[no-any-return]
    wanted = options.get("stat_length")
    length = x.shape[axis]
    taken = length if wanted is None else min(int(_pairs("stat_length", wanted, x.ndim)[axis, side]), length)
    if taken <= 0:
        raise ValueError("stat_length of 0 yields no value for padding")
    window = x[(*leading, slice(0, taken) if at_start else slice(length - taken, length))]
    found = _STATISTICS[mode](window, axis)
    if x.dtype.kind in "iu" and found.dtype.kind == "f":
        found = elementwise.round(found)
    return broadcast_to(found, region)
