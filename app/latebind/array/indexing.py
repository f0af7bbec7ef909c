"""Indexing and assignment: from a Python index expression to records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from latebind.array.index_expressions import (
    BASIC,
    Index,
    IndexArray,
    ParsedIndex,
    basic_form,
    is_basic,
    out_of_bounds,
    parse_basic,
    parse_index,
    parsed_step,
    positions_of_mask,
    shape_of_index,
    whole_mask,
)
from latebind.array.operands import apply, as_array, is_scalar, scalar_operand, to_ground
from latebind.array.rules.elementwise import ASSIGN_WHERE, COPY
from latebind.array.rules.indexing import (
    BASIC_INDEX,
    BASIC_PUT,
    OFFENDING_INDEX,
    PUT,
    TAKE,
    TAKE_ALONG,
    Structure,
)
from latebind.errors import OutOfBoundsError
from latebind.ir.types import TensorType
from latebind.runtime.lazy import LazyTensor, ViewStep
from latebind.runtime.recording import common_ground, record, record_index, record_update
from latebind.runtime.signature import INDEX, Rule, Signature
from latebind.runtime.tape import PASSED, Check, Tape
from latebind.runtime.views import index_scalars, is_number, take_view, view_of, write

if TYPE_CHECKING:
    from latebind.array.array import Array
    from latebind.runtime.direct import Direct


def get(array: Array, key: Index) -> Array:
    """Return `array[key]`: a view for a basic index, a new array otherwise."""
    tape = array._tape
    if tape.ident == 0:
        direct = tape.ground.tape().direct
        if direct is not None:
            kind = type(key)
            if kind is int or (BASIC.issuperset(map(type, key)) if kind is tuple else kind in BASIC):  # type: ignore[arg-type]
                found = direct.index(array, key, parsed_step)
            else:
                found = direct.masked(array, key) if _is_mask(key) else None
            if found is not None:
                return found  # type: ignore[return-value]
    basic = basic_form(key)
    if basic is not None:
        known = _known_views.get((array._type, basic))
        if known is None:
            return _new_view(array, basic)
        signature, step = known
        out = record_index(signature, step.scalars, array, 2)
        if out is None:
            return _taken(array, basic, step.attributes[0][1], step.scalars)  # type: ignore[return-value, arg-type]
        return view_of(array, step, out)  # type: ignore[return-value]
    _check_grounds(array, key)
    mask = whole_mask(array, key)
    if mask is not None:
        if isinstance(mask, LazyTensor) and (aside := _values_at_hand(array, mask)) is not None:
            found = aside.masked(array, mask)
            if found is not None:
                return found  # type: ignore[return-value]
        key = positions_of_mask(mask)
    parsed = parse_index(array.shape, key)
    value: LazyTensor = array
    if parsed.starts or any(entry != ("all",) for entry in parsed.structure) or not parsed.arrays:
        entries = key if isinstance(key, tuple) else (key,)
        value = _taken(array, entries, parsed.structure, parsed.starts)
    if parsed.arrays:
        if len(parsed.arrays) < len(value._type.shape) and not any(shape_of_index(index) for _, index in parsed.arrays):
            return _row(value, parsed)
        value = take_arrays(value, parsed.arrays, parsed.place)
    return value  # type: ignore[return-value]


#: Signature and step of the views that were taken before, by the array's type and the index.
_known_views: dict[tuple[TensorType, tuple[object, ...]], tuple[Signature, ViewStep]] = {}
#: Signature and starts of the assignments that were recorded before, by both types and the index.
_known_puts: dict[tuple[TensorType, TensorType, tuple[object, ...]], tuple[Signature, tuple[int, ...]]] = {}
_KEPT_VIEWS = 8192


def _new_view(array: Array, basic: tuple[object, ...]) -> Array:
    """Take a view, and remember how, so that the next one of an array of this type is recorded at once."""
    structure, starts = parse_basic(array._type.shape, basic)
    out = _taken(array, basic, structure, starts)
    if out._link is not None and out._tape.ident != 0:
        attributes = (("structure", structure),)
        if len(_known_views) >= _KEPT_VIEWS:
            _known_views.clear()
        signature = BASIC_INDEX.signature((array._type, *(INDEX for _ in starts)), attributes)
        _known_views[array._type, basic] = signature, ViewStep(BASIC_INDEX, attributes, out._type, starts)
    return out  # type: ignore[return-value]


def _taken(array: LazyTensor, entries: Sequence[object], structure: Structure, starts: Sequence[int]) -> LazyTensor:
    """Return a view; of one element, given by integers alone, a value of its own, as NumPy's scalar is."""
    attributes = (("structure", structure),)
    number = not structure or structure[0][0] == structure[-1][0] == "int"  # most indices are settled by this
    if number and all(entry[0] == "int" for entry in structure) and Ellipsis not in entries:
        return record(BASIC_INDEX, [array], attributes, scalars=index_scalars(starts, 1))
    return take_view(BASIC_INDEX, array, attributes, starts)


def _values_at_hand(array: LazyTensor, mask: LazyTensor, *others: Any) -> Direct | None:
    """Return what runs an operation at once, where a mask's values, which are needed now, are host arrays.

    The recording is closed for them, so that the array's are there as well; to record the operation, with an index
    array for each axis, would take longer than to run it.
    """
    ground = array._tape.ground
    aside = ground.executor.phases.aside(ground)
    if aside is None or not mask._type.shape:
        return None
    executor = ground.executor
    executor.value(mask)
    owners = [one if one._link is None else one._link.base for one in (array, *others) if isinstance(one, LazyTensor)]
    for owner in owners:
        if owner._tape is not ground:
            executor.materialize(owner)
    return aside if all(owner._tape is ground for owner in owners) else None


def _is_mask(key: object) -> TypeGuard[LazyTensor]:
    """Whether a key is one lazy array of booleans; without axes it would be a new axis."""
    return isinstance(key, LazyTensor) and key._type.dtype.kind == "b" and bool(key._type.shape)


def _row(array: LazyTensor, parsed: ParsedIndex) -> Array:
    """Return the view that numbers select which are data: integers, as far as NumPy is concerned."""
    indices = [index for _, index in parsed.arrays if isinstance(index, LazyTensor)]
    kept = [index if is_number(index) else apply(COPY, index) for index in indices]
    attributes = (("axes", tuple(axis for axis, _ in parsed.arrays)), ("place", parsed.place))
    out = take_view(TAKE, array, attributes, operands=kept)
    _check(array, parsed.arrays, kept, out)
    return out  # type: ignore[return-value]


def put(array: Array, key: Index, value: Any) -> None:
    """Assign `array[key] = value`: recorded as a functional update, and the array is re-bound."""
    if array._tape.ident == 0:
        direct = array._tape.ground.tape().direct
        if direct is not None and _assigned(direct, array, key, value):
            return
    basic = basic_form(key)
    if basic is not None:
        _put_basic(array, basic, value)
        return
    _check_grounds(array, key)
    mask = whole_mask(array, key)
    if mask is not None:
        if isinstance(mask, np.ndarray):
            mask = as_array(mask, array._ground)
        if value._type.size == 1 if isinstance(value, LazyTensor) else is_scalar(value) or np.ndim(value) == 0:
            if array._tape.ident == 0 and _put_directly(ASSIGN_WHERE, array, mask, [value]):
                return
            write(array, _with_value(ASSIGN_WHERE, array, [mask], value))
            return
        aside = _values_at_hand(array, mask, value) if isinstance(mask, LazyTensor) else None
        if aside is not None and aside.assign_masked(array, mask, value):
            return
        key = positions_of_mask(mask)
    parsed = parse_index(array.shape, key)
    if not parsed.arrays:
        attributes = (("structure", parsed.structure),)
        write(array, _with_value(BASIC_PUT, array, [], value, attributes, parsed.starts))
        return
    target: LazyTensor = array
    if parsed.starts or any(entry != ("all",) for entry in parsed.structure):
        target = take_view(BASIC_INDEX, array, (("structure", parsed.structure),), parsed.starts)
    _put(target, parsed, value)


def _put_basic(array: Array, basic: tuple[object, ...], value: Any) -> None:
    """Assign to a part given by integers and slices; one that was seen before is recorded at once."""
    lazy = isinstance(value, LazyTensor)
    known = _known_puts.get((array._type, value._type, basic)) if lazy else None
    if known is not None:
        out = record_update(*known, array, value, 3)
        if out is not None:
            write(array, out)
            return
    structure, starts = parse_basic(array._type.shape, basic)
    attributes = (("structure", structure),)
    out = _with_value(BASIC_PUT, array, [], value, attributes, starts)
    if lazy and known is None:
        if len(_known_puts) >= _KEPT_VIEWS:
            _known_puts.clear()
        signature = BASIC_PUT.signature((array._type, value._type, *(INDEX for _ in starts)), attributes)
        _known_puts[array._type, value._type, basic] = signature, starts
    write(array, out)


def _assigned(direct: Direct, array: Array, key: Index, value: Any) -> bool:
    """Assign to memory at once; false if the assignment has to be recorded."""
    if is_basic(key):
        return direct.assign(array, key, value)
    return _is_mask(key) and direct.assign_masked(array, key, value)


def _put_directly(rule: Rule, array: LazyTensor, first: Any, others: Sequence[Any], attributes: Any = ()) -> bool:
    """Write to memory at once if the thread runs operations directly; false if the assignment has to be recorded."""
    direct = array._tape.ground.tape().direct
    if direct is None:
        return False
    return direct.update(rule, array, (first, *others), attributes)


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


def _put(target: LazyTensor, parsed: ParsedIndex, value: Any) -> None:
    indices = _on_device(target, parsed.arrays)
    attributes = (("axes", tuple(axis for axis, _ in parsed.arrays)), ("place", parsed.place))
    if target._tape.ident == 0 and _put_directly(PUT, target, value, indices, attributes):
        return
    out = _with_value(PUT, target, [], value, attributes, after=indices)
    _check(target, parsed.arrays, indices, out)
    write(target, out)


def _on_device(value: LazyTensor, arrays: Sequence[tuple[int, IndexArray]]) -> list[LazyTensor]:
    """Return index arrays on the device; those that are on the host are checked here and now."""
    indices: list[LazyTensor] = []
    for axis, index in arrays:
        if isinstance(index, np.ndarray):
            extent = value._type.shape[axis]
            bad = index[(index < -extent) | (index >= extent)]
            if bad.size:
                raise OutOfBoundsError(out_of_bounds(int(bad.flat[0]), axis, extent))
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
            tape.checks.append(Check(flag, position, lambda bad, a=axis, e=extent: out_of_bounds(bad, a, e)))  # type: ignore[misc]
        elif (bad := int(flag)) != PASSED:  # eager mode, or the recording was flushed between the two
            raise OutOfBoundsError(out_of_bounds(bad, axis, extent))


def _check_grounds(array: Array, key: object) -> None:
    """Refuse index arrays of another container or device, also masks, whose values are read here."""
    for entry in key if isinstance(key, tuple) else (key,):
        if isinstance(entry, LazyTensor):
            common_ground(TAKE, [array, entry])
