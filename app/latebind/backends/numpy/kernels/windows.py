"""Padding, and reductions of sliding windows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Array = npt.NDArray[Any]
Slices = tuple[slice, ...]

#: Windows of at most this many elements are reduced by one ufunc call per element over the whole array.
SMALL_WINDOW: Final = 64


def padding_slices(
    source: tuple[int, ...], shape: tuple[int, ...], lows: tuple[int, ...], interiors: tuple[int, ...]
) -> tuple[Slices, Slices]:
    """Return which elements of an operand survive padding, and where they go (StableHLO `pad`).

    Element `i` of a dimension goes to `low + i * (interior + 1)`, if that is inside.
    """
    taken, placed = [], []
    for extent, target, low, interior in zip(source, shape, lows, interiors, strict=True):
        step = interior + 1
        first = max(0, -(low // step))
        last = min(extent, (target - 1 - low) // step + 1)
        count = max(0, last - first)
        start = low + first * step if count else 0
        taken.append(slice(first, first + count))
        placed.append(slice(start, start + (count - 1) * step + 1 if count else 0, step))
    return tuple(taken), tuple(placed)


def padded(x: Array, value: Array, shape: tuple[int, ...], taken: Slices, placed: Slices) -> Array:
    """Return an array of a padding value with part of `x` placed in it."""
    result: Array = np.empty(shape, x.dtype)
    result[...] = value
    result[placed] = x[taken]
    return result


def bitcast(x: Array, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """Return the bits of `x` as another dtype with another item size."""
    flat = np.ascontiguousarray(x).reshape(-1)
    return flat.view(dtype).reshape(shape)


@dataclass(frozen=True, slots=True)
class WindowReduction:
    """StableHLO `reduce_window`, with all positions worked out.

    Attributes
    ----------
    body : numpy.ufunc
    shape : tuple of int
        Shape of the result.
    padded_shape : tuple of int or None
        Shape of the dilated and padded operand; `None` if it is the operand.
    taken, placed : tuple of slice
        Where the operand's elements go in it.
    window, strides, dilations : tuple of int
    """

    body: np.ufunc
    shape: tuple[int, ...]
    padded_shape: tuple[int, ...] | None
    taken: Slices
    placed: Slices
    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]

    def __call__(self, x: Array, initial: Array) -> Array:
        """Reduce the windows of `x`."""
        if self.padded_shape is not None:
            x = padded(x, initial, self.padded_shape, self.taken, self.placed)
        result: Array = np.empty(self.shape, x.dtype)
        result[...] = initial
        if not result.size or not math.prod(self.window):
            return result
        reduce: Callable[[Array, Array], None] = self._by_offset
        if math.prod(self.window) > SMALL_WINDOW:
            reduce = self._by_window
        reduce(x, result)
        return result

    def _by_offset(self, x: Array, result: Array) -> None:
        """Combine, for each position in the window, the elements that all windows have there."""
        for offset in product(*map(range, self.window)):
            view = x[tuple(map(_positions, offset, self.dilations, self.strides, self.shape))]
            self.body(result, view, out=result)

    def _by_window(self, x: Array, result: Array) -> None:
        """Reduce a view that has the windows as additional dimensions."""
        spans = tuple((size - 1) * dilation + 1 for size, dilation in zip(self.window, self.dilations, strict=True))
        windows = sliding_window_view(x, spans)
        starts = tuple(slice(0, (n - 1) * s + 1, s) for n, s in zip(self.shape, self.strides, strict=True))
        windows = windows[starts + tuple(slice(None, None, dilation) for dilation in self.dilations)]
        axes = tuple(range(x.ndim, 2 * x.ndim))
        self.body(result, self.body.reduce(windows, axis=axes, dtype=x.dtype), out=result)


def _positions(offset: int, dilation: int, stride: int, count: int) -> slice:
    start = offset * dilation
    return slice(start, start + (count - 1) * stride + 1, stride)
