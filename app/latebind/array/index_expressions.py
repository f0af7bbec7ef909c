"""Index expressions: from what stands between the brackets to a basic index and index arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import EllipsisType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from latebind.array.operands import host_array
from latebind.array.rules.indexing import BASIC_INDEX, AxisIndex, Structure
from latebind.errors import DTypeMismatchError, OutOfBoundsError, ShapeMismatchError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.signature import Rule, RuleAttributes

if TYPE_CHECKING:
    from latebind.array.array import Array

Index: TypeAlias = (
    "int | slice | EllipsisType | np.ndarray | Array | Sequence[object]"
    " | tuple[int | slice | EllipsisType | np.ndarray | Array | Sequence[object] | None, ...] | None"
)
#: Indices that are data, or known when they are recorded.
IndexArray: TypeAlias = "LazyTensor | np.ndarray"


@dataclass(slots=True)
class ParsedIndex:
    """An index expression, resolved against a shape.

    Attributes
    ----------
    structure, starts
        The basic part; axes that are indexed by arrays are kept whole in it.
    arrays
        Index arrays with the axis of the basic part's result that each one indexes.
    place
        Where the index axes go among the other axes of the result.
    """

    structure: Structure
    starts: list[int]
    arrays: list[tuple[int, IndexArray]]
    place: int


@dataclass(frozen=True, slots=True)
class Truth:
    """A zero-dimensional mask: a new axis, of extent 1 or 0."""

    holds: bool


def out_of_bounds(index: int, axis: int, extent: int) -> str:
    return f"index {index} is out of bounds for axis {axis} with size {extent}"


#: Parts of a slice that a memoised key may have; others (`1.0`, `True`) equal an integer but are not one.
_SLICE_PARTS = frozenset((int, type(None)))


#: Types of what a basic index consists of; lazy numbers are read by NumPy where it needs them.
BASIC = frozenset((int, slice, type(None), EllipsisType))


def is_basic(key: object) -> bool:
    return BASIC.issuperset(map(type, key)) if type(key) is tuple else type(key) in BASIC


def parsed_step(shape: tuple[int, ...], key: object) -> tuple[Rule, RuleAttributes, tuple[int, ...]]:
    """Return a basic index as the rule, attributes and scalars that record it."""
    parsed = parse_index(shape, key)
    return BASIC_INDEX, (("structure", parsed.structure),), tuple(parsed.starts)


def basic_form(key: object) -> tuple[object, ...] | None:
    """Return a hashable form of a key of Python integers, slices of them, `None` and `...`; `None` for any other."""
    form: list[object] = []
    for entry in key if type(key) is tuple else (key,):
        kind = type(entry)
        if kind is slice:
            part = (entry.start, entry.stop, entry.step)
            if not _SLICE_PARTS.issuperset(map(type, part)):
                return None
            form.append(part)
        elif kind is int or entry is None or entry is Ellipsis:
            form.append(entry)
        else:
            return None
    return tuple(form)


@lru_cache(maxsize=8192)
def parse_basic(shape: tuple[int, ...], form: tuple[object, ...]) -> tuple[Structure, tuple[int, ...]]:
    """Return structure and starts of a basic index; memoised, because loops index alike every round."""
    key = tuple(slice(*entry) if isinstance(entry, tuple) else entry for entry in form)
    parsed = parse_index(shape, key)
    return parsed.structure, tuple(parsed.starts)


def whole_mask(array: Array, key: object) -> LazyTensor | np.ndarray | None:
    """Return the key if it is one boolean array; checks its shape.

    As in NumPy, an axis without elements fits every axis: such a mask chooses nothing.
    """
    if isinstance(key, tuple) and len(key) == 1:
        key = key[0]
    if isinstance(key, list):
        key = np.asarray(key) if key else np.empty(0, np.int64)
    if isinstance(key, (bool, np.bool_)):
        key = np.asarray(key)
    if not (isinstance(key, (np.ndarray, LazyTensor)) and dtype_of_index(key) == np.bool_):
        return None
    shape = shape_of_index(key)
    masked = array.shape[: len(shape)]
    if shape != masked:
        if len(shape) == len(masked) and all(one in (0, other) for one, other in zip(shape, masked, strict=True)):
            return np.zeros(masked, np.bool_)
        raise OutOfBoundsError(
            f"a boolean index of shape {shape} does not fit an array of shape {array.shape}: "
            "it has to match the leading axes"
        )
    return key


def shape_of_index(value: LazyTensor | np.ndarray) -> tuple[int, ...]:
    return value._type.shape if isinstance(value, LazyTensor) else value.shape


def dtype_of_index(value: LazyTensor | np.ndarray) -> np.dtype[np.generic]:
    return value._type.dtype if isinstance(value, LazyTensor) else value.dtype


def positions_of_mask(mask: LazyTensor | np.ndarray) -> Any:
    """Return the positions where a mask holds, which needs its values."""
    host = mask._tape.ground.executor.value(mask) if isinstance(mask, LazyTensor) else mask
    return tuple(np.nonzero(host)) if host.ndim else (Truth(bool(host)),)


def _entries(shape: tuple[int, ...], key: object) -> list[object]:
    """Return the key as one entry per axis (plus new axes), masks as positions, the ellipsis expanded."""
    entries: list[object] = []
    for entry in key if isinstance(key, tuple) else (key,):
        if isinstance(entry, (list, range)):
            entry = np.asarray(entry) if len(entry) else np.empty(0, np.int64)
        if isinstance(entry, (bool, np.bool_)):
            entry = np.asarray(entry)
        if isinstance(entry, (np.ndarray, LazyTensor)) and dtype_of_index(entry) == np.bool_:
            entries.extend(positions_of_mask(entry))
        else:
            entries.append(entry)
    used = sum(not (entry is None or entry is Ellipsis or isinstance(entry, Truth)) for entry in entries)
    if sum(entry is Ellipsis for entry in entries) > 1:
        raise OutOfBoundsError("an index can have only one ellipsis (...)")
    missing = len(shape) - used
    if missing < 0:
        raise OutOfBoundsError(f"too many indices: the array has {len(shape)} dimensions, but {used} were indexed")
    rest: list[object] = [slice(None)] * missing
    at = next((i for i, entry in enumerate(entries) if entry is Ellipsis), None)
    if at is None:
        return [*entries, *rest]
    # An ellipsis that stands for no axis still separates index arrays.
    return [*entries[:at], *(rest or [Ellipsis]), *entries[at + 1 :]]


def parse_index(shape: tuple[int, ...], key: object) -> ParsedIndex:
    entries = _entries(shape, key)
    advanced = any(
        isinstance(e, Truth) or (isinstance(e, (np.ndarray, LazyTensor)) and len(shape_of_index(e)) > 0)
        for e in entries
    )
    structure: list[AxisIndex] = []
    starts: list[int] = []
    arrays: list[tuple[int, IndexArray]] = []
    at: list[int] = []  # positions of the index arrays among the entries
    axis = kept = 0
    for number, entry in enumerate(entries):
        if entry is Ellipsis:
            continue
        if entry is None:
            structure.append(("new",))
            kept += 1
            continue
        if isinstance(entry, Truth):
            structure.append(("new",))
            arrays.append((kept, np.zeros(int(entry.holds), np.int64)))
            at.append(number)
            kept += 1
            continue
        extent = shape[axis]
        if isinstance(entry, slice):
            kind, start = _slice(entry, extent)
            structure.append(kind)
            starts.extend(start)
            kept += 1
        elif advanced or _is_data(entry):
            structure.append(("all",))
            arrays.append((kept, index_array(entry)))
            at.append(number)
            kept += 1
        else:
            structure.append(("int",))
            starts.append(_integer(entry, axis, extent))
        axis += 1
    return ParsedIndex(tuple(structure), starts, arrays, _place(at, arrays))


def _place(at: list[int], arrays: list[tuple[int, IndexArray]]) -> int:
    """NumPy puts the index axes where the first index array was if all are adjacent, else to the front."""
    if not arrays or any(later - earlier != 1 for earlier, later in pairwise(at)):
        return 0
    return arrays[0][0]


def _slice(entry: slice, extent: int) -> tuple[AxisIndex, list[int]]:
    try:
        start, stop, step = entry.indices(extent)
    except ValueError:
        raise ShapeMismatchError("slice step cannot be zero") from None
    except TypeError:
        raise DTypeMismatchError(f"{entry} is not a slice of integers") from None
    length = len(range(start, stop, step))
    if length == extent and step == 1:
        return ("all",), []
    if not length:
        return ("window", 0, 1), [0]
    return ("window", length, step if length > 1 else 1), [start if step > 0 else start + (length - 1) * step]


def _is_data(entry: object) -> bool:
    """Whether an index is an array whose value should not be read now."""
    return isinstance(entry, LazyTensor)


def index_array(entry: object) -> IndexArray:
    """Return indices as an array of integers: int64 on the host, as they are on a device.

    Raises
    ------
    OutOfBoundsError
        If they are not integers.
    """
    found = entry if isinstance(entry, LazyTensor) else host_array(entry)
    if dtype_of_index(found).kind not in "iu":
        raise OutOfBoundsError(
            f"only integers, slices, ellipsis, None, and integer or boolean arrays index an array, "
            f"got an array of {dtype_of_index(found).name}"
        )
    return found.astype(np.int64) if isinstance(found, np.ndarray) else found


def _integer(entry: object, axis: int, extent: int) -> int:
    try:
        index = operator.index(entry)  # type: ignore[arg-type]
    except TypeError:
        raise OutOfBoundsError(
            f"only integers, slices, ellipsis, None, and integer or boolean arrays index an array, got {entry!r}"
        ) from None
    if not -extent <= index < extent:
        raise OutOfBoundsError(out_of_bounds(index, axis, extent))
    return index % extent
