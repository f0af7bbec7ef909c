"""Recording one operation: the path that everything else stands on.

`record` is the general form. `binary_operator` and `inplace_operator` make the methods behind `+` and `+=`, which do
the same for the common operands in one function body; `make bench` prints what they cost (rows `record`).
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.errors import ContainerMismatchError, DeviceMismatchError
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.signature import OperandKey, Rule, RuleAttributes, Signature

if TYPE_CHECKING:
    from latebind.runtime.tape import Ground, Record, Scalar, Tape

_new: Final = object.__new__
_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
#: Frames of these folders are latebind's own; the first frame outside them is the user's line.
INTERNAL_PREFIXES: Final = (
    *(_PACKAGE + folder + os.sep for folder in ("array", "runtime", "ir", "backends")),
    _PACKAGE + "__init__",
)


def user_frame(depth: int) -> FrameType:
    """Return the innermost frame that is not latebind's own."""
    frame: FrameType = sys._getframe(depth)
    while frame.f_code.co_filename.startswith(INTERNAL_PREFIXES):
        outer = frame.f_back
        if outer is None:
            break
        frame = outer
    return frame


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
        other = array._tape.ground
        if other is ground:
            continue
        if other.executor is not ground.executor:
            raise ContainerMismatchError(
                f"{rule.name}: one operand belongs to {ground!r} and another to {other!r}; arrays stay with the "
                "container (and the backend) that recorded them: move one over with asarray(np.asarray(x))"
            )
        raise DeviceMismatchError(
            f"{rule.name}: one operand is on {ground.device} and another on {other.device}; move one with to_device"
        )
    return ground


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
        ground = common_ground(rule, operands)
    elif operands:
        common_ground(rule, [*operands, *operands])
    executor = ground.executor
    tape = ground.tape()
    if len(tape.records) >= tape.limit:
        tape = executor.make_room(tape)
    for operand in operands:
        link = operand._link
        if link is not None and link.version != link.base._version:
            executor.refresh(operand)
    keys: list[OperandKey] = [operand._type for operand in operands]
    for position, key, _ in scalars:
        keys.insert(position, key)
    signature = rule.signature(tuple(keys), attributes)
    values = [value for _, _, value in scalars]
    for number, (_, key, value) in enumerate(scalars):
        if isinstance(value, ScalarArgument):
            value = value.value
            if not tape.capturing:  # kept beyond the call that it was an argument of
                values[number] = value
        if key is int:
            signature.check_range(value)  # type: ignore[arg-type]
    position = len(tape.records)
    entry = (
        signature,
        *(
            position - operand._pos
            if operand._tape is tape
            else tape.leaf(operand, executor.leaf_data(operand))
            for operand in operands
        ),
    )
    frame = user_frame(2)
    return append(tape, signature, entry, values, frame, position)


def append(
    tape: Tape, signature: Signature, entry: Record, scalars: Sequence[Scalar], frame: FrameType, position: int
) -> LazyTensor:
    """Put a record on the tape; return the array that stands for its result."""
    out: LazyTensor = _new(tape.ground.executor.array_class)
    out._type = signature.type
    out._tape = tape
    out._pos = position
    out._link = None
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
        tape.ground.executor.after_record(tape)
    return out


# Hot path: the recording of `a + b`. Measured by `make bench`, rows "record"; explained in docs/architecture.md.
# Everything that is not two arrays of this thread's tape, a leaf that the tape knows, or a Python scalar goes to
# `slow`, which is `record` behind NumPy's operand conversions.


def binary_operator(rule: Rule, slow: Callable[[Any, Any], Any], array_class: type) -> Callable[[Any, Any], Any]:
    """Return the method behind a binary operator of `array_class`.

    Parameters
    ----------
    rule
        The operation; takes two operands and no attributes.
    slow
        Called with both operands where the short path does not apply.
    array_class
        Exact type of the operands that the short path takes.
    """
    signatures = rule.signatures
    getframe = sys._getframe

    def operator(self: Any, other: Any) -> Any:
        tape = self._tape
        link = self._link
        if tape.ident != get_ident() or (link is not None and link.version != link.base._version):
            return slow(self, other)
        records = tape.records
        position = len(records)
        if position >= tape.limit:
            return slow(self, other)
        kind = type(other)
        try:
            if kind is array_class:
                link = other._link
                if link is not None and link.version != link.base._version:
                    return slow(self, other)
                signature = signatures[self._type, other._type]
                if other._tape is tape:
                    entry = (signature, position - self._pos, position - other._pos)
                else:
                    entry = (signature, position - self._pos, tape.leaf_of[other._data])
            else:
                signature = signatures[self._type, kind]
                if kind is int and not signature.low <= other <= signature.high:
                    return slow(self, other)
                entry = (signature, position - self._pos)
        except (KeyError, AttributeError):
            return slow(self, other)
        out = _new(array_class)
        out._type = signature.type
        out._tape = tape
        out._pos = position
        out._link = None
        try:
            if kind is not array_class:
                tape.scalars.append(other)
            records.append(entry)
            tape.arrays.append(out)
            frame = getframe(1)
            tape.codes.append(frame.f_code)
            tape.lastis.append(frame.f_lasti)
        except BaseException:
            tape.truncate(position)
            raise
        return out

    operator.__name__ = operator.__qualname__ = rule.name
    return operator
