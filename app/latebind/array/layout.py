"""Which reshapes are views: NumPy is asked, with strides only and no memory."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import numpy as np

from latebind.array.rules.indexing import BASIC_INDEX, TAKE
from latebind.array.rules.shapes import RESHAPE, TRANSPOSE
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.signature import Rule, RuleAttributes

Steps = tuple[tuple[Rule, RuleAttributes], ...]


def reshape_is_view(array: LazyTensor, shape: tuple[int, ...]) -> bool:
    """Return whether NumPy's reshape of the same array would be a view. Arrays that own their values are contiguous."""
    link = array._link
    if link is None:
        return True
    steps = tuple((step.rule, step.attributes) for step in link.steps)
    return _is_view(link.base._type.shape, steps, shape)


@lru_cache(maxsize=4096)
def _is_view(base: tuple[int, ...], steps: Steps, shape: tuple[int, ...]) -> bool:
    strides = np.cumprod((1, *base[:0:-1]), dtype=np.int64)[::-1]
    layout = np.lib.stride_tricks.as_strided(np.empty(1, np.uint8), base, tuple(map(int, strides[: len(base)])))
    for rule, attributes in steps:
        layout = _follow(layout, rule, dict(attributes))
    try:
        layout.reshape(shape, copy=False)
    except ValueError:
        return False
    return True


def _follow(layout: np.ndarray, rule: Rule, attributes: dict[str, Hashable]) -> np.ndarray:
    values: dict[str, Any] = attributes
    if rule is TRANSPOSE:
        return layout.transpose(values["axes"])
    if rule is RESHAPE:
        return layout.reshape(values["shape"], copy=False)
    if rule is BASIC_INDEX:
        return layout[tuple(map(_key, values["structure"]))]
    if rule is TAKE:
        return layout[tuple(0 if axis in values["axes"] else slice(None) for axis in range(layout.ndim))]
    raise AssertionError(f"{rule!r} makes views but has no layout")


def _key(entry: tuple[Any, ...]) -> slice | int | None:
    """Return an index with the strides of a structure's entry; where it starts does not matter."""
    if entry[0] == "all":
        return slice(None)
    if entry[0] == "new":
        return None
    if entry[0] == "int":
        return 0
    _, length, step = entry
    if step > 0:
        return slice(0, length * step, step)
    return slice((length - 1) * -step, None, step)
