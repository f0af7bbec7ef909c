"""Indexing and assignment: from a Python index expression to records."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import EllipsisType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from latebind.array.operands import apply, as_array, host_array, is_scalar, scalar_operand, to_ground
from latebind.array.rules.elementwise import ASSIGN_WHERE, COPY
from latebind.array.rules.indexing import (
    BASIC_INDEX,
    BASIC_PUT,
    OFFENDING_INDEX,
    PUT,
    TAKE,
    TAKE_ALONG,
    AxisIndex,
    Structure,
)
from latebind.errors import DTypeMismatchError, OutOfBoundsError, ShapeMismatchError
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import common_ground, record
from latebind.runtime.tape import PASSED, Check, Tape
from latebind.runtime.views import index_scalars, is_number, take_view, write

if TYPE_CHECKING:
    from latebind.array.array import Array

Index: TypeAlias = (
    "int | slice | EllipsisType | np.ndarray | Array | Sequence[object]"
    " | tuple[int | slice | EllipsisType | np.ndarray | Array | Sequence[object] | None, ...] | None"
)
#: Indices that are data, or known when they are recorded.
IndexArray: TypeAlias = "LazyTensor | np.ndarray"


@dataclass(slots=True)
class _Parsed:
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
class _Truth:
    """A zero-dimensional mask: a new axis, of extent 1 or 0."""

    holds: bool


def get(array: Array, key: Index) -> Array:
    """Return `array[key]`: a view for a basic index, a new array otherwise."""
    basic = _basic_form(key)
    if basic is not None:
        structure, starts = _parse_basic(array._type.shape, basic)
        return _taken(array, basic, structure, starts)  # type: ignore[return-value]
    _check_grounds(array, key)
    mask = _whole_mask(array, key)
    if mask is not None:
        key = _nonzero(mask)
    parsed = _parse(array.shape, key)
    value: LazyTensor = array
    if parsed.starts or any(entry != ("all",) for entry in parsed.structure) or not parsed.arrays:
        entries = key if isinstance(key, tuple) else (key,)
        value = _taken(array, entries, parsed.structure, parsed.starts)
    if parsed.arrays:
        if len(parsed.arrays) < len(value._type.shape) and not any(_shape(index) for _, index in parsed.arrays):
            return _row(value, parsed)
        value = take_arrays(value, parsed.arrays, parsed.place)
    return value  # type: ignore[return-value]


def _taken(array: LazyTensor, entries: Sequence[object], structure: Structure, starts: Sequence[int]) -> LazyTensor:
    """Return a view; of one element, given by integers alone, a value of its own, as NumPy's scalar is."""
    attributes = (("structure", structure),)
    number = not structure or structure[0][0] == structure[-1][0] == "int"  # most indices are settled by this
    if number and all(entry[0] == "int" for entry in structure) and Ellipsis not in entries:
        return record(BASIC_INDEX, [array], attributes, scalars=index_scalars(starts, 1))
    return take_view(BASIC_INDEX, array, attributes, starts)


def _row(array: LazyTensor, parsed: _Parsed) -> Array:
    """Return the view that numbers select which are data: integers, as far as NumPy is concerned."""
    indices = [index for _, index in parsed.arrays if isinstance(index, LazyTensor)]
    kept = [index if is_number(index) else apply(COPY, index) for index in indices]
    attributes = (("axes", tuple(axis for axis, _ in parsed.arrays)), ("place", parsed.place))
    out = take_view(TAKE, array, attributes, operands=kept)
    _check(array, parsed.arrays, kept, out)
    return out  # type: ignore[return-value]


def put(array: Array, key: Index, value: Any) -> None:
    """Assign `array[key] = value`: recorded as a functional update, and the array is re-bound."""
    basic = _basic_form(key)
    if basic is not None:
        structure, starts = _parse_basic(array._type.shape, basic)
        write(array, _with_value(BASIC_PUT, array, [], value, (("structure", structure),), starts))
        return
    _check_grounds(array, key)
    mask = _whole_mask(array, key)
    if mask is not None:
        if isinstance(mask, np.ndarray):
            mask = as_array(mask, array._ground)
        if value._type.size == 1 if isinstance(value, LazyTensor) else is_scalar(value) or np.ndim(value) == 0:
            write(array, _with_value(ASSIGN_WHERE, array, [mask], value))
            return
        key = _nonzero(mask)
    parsed = _parse(array.shape, key)
    if not parsed.arrays:
        attributes = (("structure", parsed.structure),)
        write(array, _with_value(BASIC_PUT, array, [], value, attributes, parsed.starts))
        return
    target: LazyTensor = array
    if parsed.starts or any(entry != ("all",) for entry in parsed.structure):
        target = take_view(BASIC_INDEX, array, (("structure", parsed.structure),), parsed.starts)
    write(target, _put(target, parsed, value))


def _with_value(
    rule: Any,
    array: LazyTensor,
    before: list[LazyTensor],
    value: Any,
    attributes: Any = (),
    starts: Sequence[int] = (),
    after: Sequence[LazyTensor] = (),
) -> LazyTensor:
    """Record an assignment rule: `(array, *before, value, *after, *starts)`."""
    operands: list[LazyTensor] = [array, *before]
    position = len(operands)
    scalars = []
    if is_scalar(value):
        scalars = [scalar_operand(position, value)]
    else:
        operands.append(as_array(value, array._tape.ground))
    operands.extend(after)
    scalars.extend(index_scalars(starts, position + 1 + len(after)))
    return record(rule, operands, attributes, scalars=scalars)


def take_arrays(value: LazyTensor, arrays: Sequence[tuple[int, IndexArray]], place: int) -> Array:
    """Return what arrays index: pairs of an axis and its indices, which broadcast against each other.

    Parameters
    ----------
    place
        Where the index axes go among the other axes of the result.
    """
    indices = _on_device(value, arrays)
    out = apply(TAKE, value, *indices, axes=tuple(axis for axis, _ in arrays), place=place)
    _check(value, arrays, indices, out)
    return out


def take_along(value: LazyTensor, index: IndexArray, axis: int) -> Array:
    """Return elements of one axis by indices that differ along the other axes."""
    arrays = [(axis, index)]
    indices = _on_device(value, arrays)
    out = apply(TAKE_ALONG, value, *indices, axis=axis)
    _check(value, arrays, indices, out)
    return out


def _put(target: LazyTensor, parsed: _Parsed, value: Any) -> LazyTensor:
    indices = _on_device(target, parsed.arrays)
    attributes = (("axes", tuple(axis for axis, _ in parsed.arrays)), ("place", parsed.place))
    out = _with_value(PUT, target, [], value, attributes, after=indices)
    _check(target, parsed.arrays, indices, out)
    return out


def _on_device(value: LazyTensor, arrays: Sequence[tuple[int, IndexArray]]) -> list[LazyTensor]:
    """Return index arrays on the device; those that are on the host are checked here and now."""
    indices: list[LazyTensor] = []
    for axis, index in arrays:
        if isinstance(index, np.ndarray):
            extent = value._type.shape[axis]
            bad = index[(index < -extent) | (index >= extent)]
            if bad.size:
                raise OutOfBoundsError(_out_of_bounds(int(bad.flat[0]), axis, extent))
            index = to_ground(index, value._tape.ground)
        indices.append(index)
    return indices


def _check(
    value: LazyTensor, arrays: Sequence[tuple[int, IndexArray]], indices: Sequence[LazyTensor], out: LazyTensor
) -> None:
    """Add a check to the recording for each index array whose values are not known yet."""
    tape, position = out._tape, getattr(out, "_pos", 0)
    for (axis, given), index in zip(arrays, indices, strict=True):
        if isinstance(given, np.ndarray):
            continue
        extent = value._type.shape[axis]
        flag = apply(OFFENDING_INDEX, index, extent=extent)
        if isinstance(tape, Tape) and flag._tape is tape:
            tape.checks.append(Check(flag, position, lambda bad, a=axis, e=extent: _out_of_bounds(bad, a, e)))  # type: ignore[misc]
        elif (bad := int(flag)) != PASSED:  # eager mode, or the recording was flushed between the two
            raise OutOfBoundsError(_out_of_bounds(bad, axis, extent))


def _out_of_bounds(index: int, axis: int, extent: int) -> str:
    return f"index {index} is out of bounds for axis {axis} with size {extent}"


def _check_grounds(array: Array, key: object) -> None:
    """Refuse index arrays of another container or device, also masks, whose values are read here."""
    for entry in key if isinstance(key, tuple) else (key,):
        if isinstance(entry, LazyTensor):
            common_ground(TAKE, [array, entry])


# Parsing

#: Parts of a slice that a memoised key may have; others (`1.0`, `True`) equal an integer but are not one.
_SLICE_PARTS = frozenset((int, type(None)))


def _basic_form(key: object) -> tuple[object, ...] | None:
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
def _parse_basic(shape: tuple[int, ...], form: tuple[object, ...]) -> tuple[Structure, tuple[int, ...]]:
    """Return structure and starts of a basic index; memoised, because loops index alike every round."""
    key = tuple(slice(*entry) if isinstance(entry, tuple) else entry for entry in form)
    parsed = _parse(shape, key)
    return parsed.structure, tuple(parsed.starts)


def _whole_mask(array: Array, key: object) -> LazyTensor | np.ndarray | None:
    """Return the key if it is one boolean array; checks its shape.

    As in NumPy, an axis without elements fits every axis: such a mask chooses nothing.
    """
    if isinstance(key, tuple) and len(key) == 1:
        key = key[0]
    if isinstance(key, list):
        key = np.asarray(key) if key else np.empty(0, np.int64)
    if isinstance(key, (bool, np.bool_)):
        key = np.asarray(key)
    if not (isinstance(key, (np.ndarray, LazyTensor)) and _dtype(key) == np.bool_):
        return None
    shape = _shape(key)
    masked = array.shape[: len(shape)]
    if shape != masked:
        if len(shape) == len(masked) and all(one in (0, other) for one, other in zip(shape, masked, strict=True)):
            return np.zeros(masked, np.bool_)
        raise OutOfBoundsError(
            f"a boolean index of shape {shape} does not fit an array of shape {array.shape}: "
            "it has to match the leading axes"
        )
    return key


def _shape(value: LazyTensor | np.ndarray) -> tuple[int, ...]:
    return value._type.shape if isinstance(value, LazyTensor) else value.shape


def _dtype(value: LazyTensor | np.ndarray) -> np.dtype[np.generic]:
    return value._type.dtype if isinstance(value, LazyTensor) else value.dtype


def _nonzero(mask: LazyTensor | np.ndarray) -> Any:
    """Return the positions where a mask holds, which needs its values."""
    host = mask._tape.ground.executor.value(mask) if isinstance(mask, LazyTensor) else mask
    return tuple(np.nonzero(host)) if host.ndim else (_Truth(bool(host)),)


def _entries(shape: tuple[int, ...], key: object) -> list[object]:
    """Return the key as one entry per axis (plus new axes), masks as positions, the ellipsis expanded."""
    entries: list[object] = []
    for entry in key if isinstance(key, tuple) else (key,):
        if isinstance(entry, (list, range)):
            entry = np.asarray(entry) if len(entry) else np.empty(0, np.int64)
        if isinstance(entry, (bool, np.bool_)):
            entry = np.asarray(entry)
        if isinstance(entry, (np.ndarray, LazyTensor)) and _dtype(entry) == np.bool_:
            entries.extend(_nonzero(entry))
        else:
            entries.append(entry)
    used = sum(not (entry is None or entry is Ellipsis or isinstance(entry, _Truth)) for entry in entries)
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


def _parse(shape: tuple[int, ...], key: object) -> _Parsed:
    entries = _entries(shape, key)
    advanced = any(
        isinstance(e, _Truth) or (isinstance(e, (np.ndarray, LazyTensor)) and len(_shape(e)) > 0) for e in entries
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
        if isinstance(entry, _Truth):
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
    return _Parsed(tuple(structure), starts, arrays, _place(at, arrays))


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
    if _dtype(found).kind not in "iu":
        raise OutOfBoundsError(
            f"only integers, slices, ellipsis, None, and integer or boolean arrays index an array, "
            f"got an array of {_dtype(found).name}"
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
        raise OutOfBoundsError(_out_of_bounds(index, axis, extent))
    return index % extent
