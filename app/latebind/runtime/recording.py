"""Recording one operation: the path that everything else stands on.

`record` is the general form. `binary_operator` makes the methods behind `+` and `==`, and the first half of `+=`; they
do the same for the common operands in one function body, and `make bench` prints what they cost (rows `record`).
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from latebind.errors import ContainerMismatchError, DeviceMismatchError
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.signature import OperandKey, Rule, RuleAttributes, Signature
from latebind.runtime.user_frames import IS_INTERNAL, user_frame

if TYPE_CHECKING:
    from latebind.runtime.tape import Ground, Record, Scalar, Tape

_new: Final = object.__new__


def common_ground(rule: Rule, arrays: Sequence[LazyTensor]) -> Ground:
    """Return the ground that all operands share.

    Raises
    ------
    ContainerMismatchError
        If they belong to two containers, or to one container before and after an override of its backend.
    DeviceMismatchError
        If they live on two devices.
    """
    ground = arrays[0]._tape.ground
    for array in arrays:
        if array._tape.ground is not ground:
            refuse_mixture(rule, array, ground)
    return ground


def refuse_mixture(rule: Rule, array: LazyTensor, ground: Ground) -> NoReturn:
    """Raise the error of an operand that does not belong to the others."""
    other = array._tape.ground
    if other.executor is not ground.executor:
        override = other.executor.name == ground.executor.name
        raise ContainerMismatchError(
            f"{rule.name}: one operand belongs to {ground!r} and another to {other!r}"
            f"{' (before and after an override of its backend)' if override else ''}; arrays stay with the "
            "container (and the backend) that recorded them: move one over with asarray(np.asarray(x))"
        )
    raise DeviceMismatchError(
        f"{rule.name}: one operand is on {ground.device} and another on {other.device}; move one with to_device"
    )


def record(
    rule: Rule,
    operands: Sequence[LazyTensor],
    attributes: RuleAttributes = (),
    *,
    scalars: Sequence[tuple[int, OperandKey, Scalar]] = (),
    ground: Ground | None = None,
) -> LazyTensor:
    """Record one array operation; nothing runs.

    Parameters
    ----------
    rule
        The operation.
    operands
        Array operands, in order.
    attributes
        What is fixed when the operation is recorded (axes, dtypes, static shapes).
    scalars
        Scalar operands: position among all operands, key (Python type or dtype), value.
    ground
        Where to record; by default where the operands are. Needed if there are none.

    Raises
    ------
    TypeInferenceError
        If the operands do not fit the operation.
    ContainerMismatchError, DeviceMismatchError
        If the operands do not belong together.
    ScalarRangeError
        If a Python integer does not fit the dtype that it has to take.
    """
    if ground is None:
        ground = operands[0]._tape.ground
    tape = ground.tape()
    if tape.direct is not None:
        for operand in operands:
            if operand._tape.ground is not ground:
                refuse_mixture(rule, operand, ground)
        done = tape.direct.run(rule, operands, attributes, scalars)
        if done is not None:
            return done
    keys: list[OperandKey] = []
    for operand in operands:
        if operand._tape.ground is not ground:
            refuse_mixture(rule, operand, ground)
        link = operand._link
        if link is not None and link.version != link.base._version:
            ground.executor.refresh(operand)
        keys.append(operand._type)
    tape = ground.tape()
    if len(tape.records) >= tape.limit:
        tape = ground.executor.make_room(tape)
    values: list[Scalar] = []
    if scalars:
        unchecked = tape.capturing
        for place, key, value in scalars:
            keys.insert(place, key)
            values.append(value)
            unchecked = unchecked or key is int or isinstance(value, ScalarArgument)
    signature = rule.signature(tuple(keys), attributes)
    if scalars and unchecked:
        values = _checked_scalars(tape, signature, scalars)
    frame = user_frame(2)
    while True:
        position = len(tape.records)
        entry: list[Any] = [signature]
        for operand in operands:
            if operand._tape is tape:
                entry.append(position - operand._pos)
            else:
                entry.append(tape.leaf(operand, ground.executor.leaf_data(operand)))
        out = append(tape, signature, tuple(entry), values, frame, position)
        if out is not None:
            return out
        tape = ground.tape()  # a finaliser recorded, or read, on this tape meanwhile


def _checked_scalars(
    tape: Tape, signature: Signature, scalars: Sequence[tuple[int, OperandKey, Scalar]]
) -> list[Scalar]:
    """Return the values of scalar operands; weak integers have to fit."""
    values: list[Scalar] = []
    for _, key, value in scalars:
        number: Any = value.value if isinstance(value, ScalarArgument) else value
        if key is int:
            signature.check_range(number)
        values.append(value if tape.capturing else number)
    return values


def append(
    tape: Tape, signature: Signature, entry: Record, scalars: Sequence[Scalar], frame: FrameType, position: int
) -> LazyTensor | None:
    """Put a record on the tape; return the array that stands for its result, or `None` if the position is taken."""
    out: LazyTensor = _new(tape.ground.executor.array_class)
    out._type = signature.type
    out._tape = tape
    out._pos = position
    out._link = None
    if len(tape.records) != position or tape.closed:
        return None
    try:
        tape.scalars.extend(scalars)
        tape.records.append(entry)
        tape.arrays.append(out)
        tape.codes.append(frame.f_code)
        tape.lastis.append(frame.f_lasti)
    except BaseException:
        tape.truncate(position)
        raise
    if tape.limit == 0:
        tape.ground.executor.after_record(out)
    return out


def _new_leaf(tape: Any, array: Any) -> int:
    """Enter a leaf on the tape; `KeyError` if it is not one of this tape's ground, or its computation failed."""
    data = array._data
    if array._tape is not tape.ground or data.error is not None:
        raise KeyError
    code: int = tape.leaf(array, data)
    return code


# Hot path: the recording of `a + b`. Measured by `make bench`, rows "record"; explained in docs/architecture.md.
# Everything that is not two arrays of this thread's tape, a leaf that the tape knows, or a Python scalar goes to
# `slow`, which is `record` behind NumPy's operand conversions.


def scalar_operator(rule: Rule, slow: Callable[[Any, Any], Any], *, depth: int = 1) -> Callable[[Any, Any], Any]:
    """Return the method behind a reflected operator, `2.0 * a`: the other operand, the first, is a Python number.

    Parameters
    ----------
    rule, slow, depth
        As for `binary_operator`; `slow` takes the array first.
    """
    signatures = rule.signatures
    getframe = sys._getframe

    def operator(self: Any, other: Any) -> Any:
        tape = self._tape
        kind = type(other)
        if kind is not float and kind is not int:
            return slow(self, other)
        if tape.ident != get_ident():
            direct = tape.ground.tape().direct if tape.ident == 0 else None
            done = None if direct is None else direct.reflected(rule, self, other)
            return slow(self, other) if done is None else done
        link = self._link
        if link is not None and link.version != link.base._version:
            return slow(self, other)
        signature = signatures.get((kind, self._type))
        if signature is None or (kind is int and not signature.low <= other <= signature.high):
            return slow(self, other)
        frame = getframe(depth)
        records = tape.records
        position = len(records)
        if position >= tape.limit:
            return slow(self, other)
        entry = (signature, position - self._pos)
        out = append(tape, signature, entry, (other,), frame, position)
        return slow(self, other) if out is None else out

    operator.__name__ = operator.__qualname__ = rule.name
    return operator


def record_unary(rule: Rule, array: Any, depth: int) -> LazyTensor | None:
    """Record an operation of one operand on the thread's own tape, or run it directly; `None` where `record` has to.

    Parameters
    ----------
    depth
        How many calls the user's line is away.
    """
    tape = array._tape
    if tape.ident != get_ident():
        direct = tape.ground.tape().direct if tape.ident == 0 else None
        return None if direct is None else direct.unary(rule, array)
    link = array._link
    if link is not None and link.version != link.base._version:
        return None
    signature = rule.signatures.get((array._type,))
    if signature is None:
        return None
    frame = sys._getframe(depth)
    position = len(tape.records)
    if position >= tape.limit or IS_INTERNAL.get(frame.f_code.co_filename) is not False:
        return None
    return append(tape, signature, (signature, position - array._pos), (), frame, position)


def record_index(signature: Signature, starts: tuple[int, ...], array: Any, depth: int) -> LazyTensor | None:
    """Record a basic index on the thread's own tape; `None` where `record` has to.

    Parameters
    ----------
    depth
        How many calls the user's line is away.
    """
    frame = sys._getframe(depth)
    if IS_INTERNAL.get(frame.f_code.co_filename) is not False:
        return None
    return _record_one(signature, starts, array, frame)


def record_known(signature: Signature, array: LazyTensor) -> LazyTensor | None:
    """Record an operation of one array on the thread's own tape; `None` where `record` has to."""
    return _record_one(signature, (), array, user_frame(2))


def _record_one(signature: Signature, starts: tuple[int, ...], array: Any, frame: FrameType) -> LazyTensor | None:
    tape = array._tape
    link = array._link
    if link is not None and link.version != link.base._version:
        return None
    if tape.ident != get_ident():
        try:
            tape = tape.local.tape
            code = tape.leaf_of.get(array._data)
        except AttributeError:
            return None
        if code is None:
            return None
        position = len(tape.records)
    else:
        position = len(tape.records)
        code = position - array._pos
    if position >= tape.limit:
        return None
    return append(tape, signature, (signature, code), starts, frame, position)


def record_update(
    signature: Signature, starts: tuple[int, ...], array: Any, value: Any, depth: int
) -> LazyTensor | None:
    """Record the assignment of an array to a part of another; `None` where `record` has to.

    Parameters
    ----------
    depth
        How many calls the user's line is away.
    """
    tape = value._tape
    if tape.ident != get_ident():
        return None
    frame = sys._getframe(depth)
    if IS_INTERNAL.get(frame.f_code.co_filename) is not False:
        return None
    for one in (array, value):
        link = one._link
        if link is not None and link.version != link.base._version:
            return None
    position = len(tape.records)
    if position >= tape.limit:
        return None
    if array._tape is tape:
        code = position - array._pos
    elif array._tape is tape.ground:
        code = tape.leaf_of.get(array._data)
        if code is None:
            return None
    else:
        return None
    return append(tape, signature, (signature, code, position - value._pos), starts, frame, position)


def binary_operator(
    rule: Rule, slow: Callable[[Any, Any], Any], array_class: type, *, depth: int = 1
) -> Callable[[Any, Any], Any]:
    """Return the method behind a binary operator of `array_class`.

    Parameters
    ----------
    rule
        The operation; takes two operands and no attributes.
    slow
        Called with both operands where the short path does not apply.
    array_class
        Exact type of the operands that the short path takes.
    depth
        How many calls the user's line is away.
    """
    signatures = rule.signatures
    getframe = sys._getframe

    def operator(self: Any, other: Any) -> Any:
        tape = self._tape
        if tape.ident != get_ident():
            # A leaf, or a value of another thread, whose tape has no open tape of ours.
            try:
                tape = tape.local.tape
            except AttributeError:
                return slow(self, other)
            if tape.direct is not None:
                done = tape.direct.binary(rule, self, other)
                return slow(self, other) if done is None else done
        link = self._link
        if link is not None and link.version != link.base._version:
            return slow(self, other)
        records = tape.records
        kind = type(other)
        entry: Record
        # Allocations may run finalisers that record, or read, on this very tape: they come before the position is
        # taken where possible, and the position is checked after the last one.
        frame = getframe(depth)
        out: Any = _new(array_class)
        try:
            if kind is array_class:
                link = other._link
                if link is not None and link.version != link.base._version:
                    return slow(self, other)
                signature = signatures[self._type, other._type]
                position = len(records)
                if self._tape is tape:
                    first = position - self._pos
                else:
                    first = tape.leaf_of.get(self._data)
                    if first is None:
                        first = _new_leaf(tape, self)
                if other._tape is tape:
                    entry = (signature, first, position - other._pos)
                else:
                    second = tape.leaf_of.get(other._data)
                    if second is None:
                        second = _new_leaf(tape, other)
                    entry = (signature, first, second)
            else:
                signature = signatures[self._type, kind]
                if kind is int and not signature.low <= other <= signature.high:
                    return slow(self, other)
                position = len(records)
                if self._tape is tape:
                    entry = (signature, position - self._pos)
                else:
                    first = tape.leaf_of.get(self._data)
                    if first is None:
                        first = _new_leaf(tape, self)
                    entry = (signature, first)
        except (KeyError, AttributeError):
            return slow(self, other)
        if position >= tape.limit or len(records) != position:
            return slow(self, other)
        out._type = signature.type
        out._tape = tape
        out._pos = position
        out._link = None
        try:
            if kind is not array_class:
                tape.scalars.append(other)
            records.append(entry)
            tape.arrays.append(out)
            tape.codes.append(frame.f_code)
            tape.lastis.append(frame.f_lasti)
        except BaseException:
            tape.truncate(position)
            raise
        return out

    operator.__name__ = operator.__qualname__ = rule.name
    return operator
