"""Views and writes: arrays that share a base, functional updates, and re-binding.

A write is recorded as a functional update, and the array is re-bound to the new value. A view remembers its base and
the view operations that lead to it. A write through the view is carried back to the base by the operations' inverse
rules; a write through the base, or through another view, makes the view stale, and the next use of a stale view
replays its operations on the base's new value.
"""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Sequence
from typing import TYPE_CHECKING

from latebind.runtime.lazy import LazyTensor, ViewLink, ViewStep
from latebind.runtime.recording import record
from latebind.runtime.signature import INDEX, OperandKey, Rule, RuleAttributes
from latebind.runtime.tape import Tape

if TYPE_CHECKING:
    from latebind.runtime.tape import Scalar


def index_scalars(values: Sequence[int], first: int) -> list[tuple[int, OperandKey, Scalar]]:
    """Return indices as scalar operands that follow `first` array operands."""
    return [(first + offset, INDEX, value) for offset, value in enumerate(values)]


def take_view(
    rule: Rule,
    array: LazyTensor,
    attributes: RuleAttributes = (),
    scalars: Sequence[int] = (),
    operands: Sequence[LazyTensor] = (),
) -> LazyTensor:
    """Record a view operation; the result shares its values with the array.

    Parameters
    ----------
    rule
        A rule with an inverse.
    attributes
        As for `record`.
    scalars
        Index operands that follow the array.
    operands
        Index arrays that follow the array, instead of scalars; nobody may write to them later.
    """
    if array._tape.ident == 0 and not operands:
        direct = array._tape.ground.tape().direct
        if direct is not None and (seen := direct.view(rule, array, attributes, scalars)) is not None:
            return seen
    out = record(rule, [array, *operands], attributes, scalars=index_scalars(scalars, 1))
    return view_of(array, ViewStep(rule, attributes, out._type, tuple(scalars), tuple(operands)), out)


def view_of(array: LazyTensor, step: ViewStep, out: LazyTensor) -> LazyTensor:
    """Make a recorded result the view that a step takes of an array."""
    link = array._link
    base = array if link is None else link.base
    try:
        version = base._version
    except AttributeError:
        version = base._version = 0
    out._link = ViewLink(base, (step,) if link is None else (*link.steps, step), version)
    tape = out._tape
    if isinstance(tape, Tape):
        tape.views.append(out._pos)
    return out


def is_number(array: LazyTensor) -> bool:
    """Whether NumPy would have a scalar here: a result without dimensions, neither a view nor made as an array.

    In-place operators leave a scalar as it is and give a new one, so that `t = x[0]; t += 1` changes neither `x` nor
    other names of `t`.
    """
    return not array._type.shape and array._link is None and not hasattr(array, "_version")


def as_memory(array: LazyTensor) -> LazyTensor:
    """Mark an array without dimensions as memory that in-place operators write to; the array itself is returned."""
    if is_number(array):
        array._version = 0
    return array


def _replay(base: LazyTensor, steps: Sequence[ViewStep]) -> list[LazyTensor]:
    """Record the values that the steps lead through, from the base's own."""
    values = [base]
    for step in steps:
        operands = [values[-1], *step.operands]
        values.append(record(step.rule, operands, step.attributes, scalars=index_scalars(step.scalars, 1)))
    return values


def refresh(view: LazyTensor) -> None:
    """Bring a stale view up to date."""
    link = view._link
    if link is None or link.version == link.base._version:
        return
    version = link.base._version  # another thread may write to the base meanwhile: then the view is stale again
    rebind(view, _replay(link.base, link.steps)[-1])
    link.version = version


def rebind(array: LazyTensor, value: LazyTensor) -> None:
    """Let the array take the place of `value`, a fresh result that nothing else holds."""
    if value._link is not None:
        refresh(value)
    target = value._tape
    if isinstance(target, Tape) and target.capturing:
        target.before_write(array)
    before = array._tape
    position = array._pos if isinstance(before, Tape) else None
    # Interrupted between any two of these (Ctrl-C), the array has its old value or the new one: the executor takes an
    # array to be where its own position says, in whatever slots of the tape it is.
    if isinstance(target, Tape):
        target.arrays[value._pos] = array
        array._pos, array._tape = value._pos, target
        if position is None:
            del array._data
    else:
        array._data = value._data
        array._tape = target
    if isinstance(before, Tape) and position is not None and before.ident == get_ident():
        before.forget(array, position)


def write(array: LazyTensor, value: LazyTensor) -> None:
    """Make `value`, a fresh result of the array's type, the values of the array and of all that shares them."""
    link = array._link
    if link is None:
        _write_base(array, value)
        return
    base, steps = link.base, link.steps
    sources = _replay(base, steps[:-1])
    carried = value
    for step, source in zip(reversed(steps), reversed(sources), strict=True):
        inverse = step.rule.inverse
        if inverse is None:
            raise AssertionError(f"{step.rule!r} makes views but has no inverse")
        operands = [source, carried, *step.operands]
        carried = record(inverse, operands, step.attributes, scalars=index_scalars(step.scalars, 2))
    _write_base(base, carried)
    rebind(array, value)
    link.version = base._version


def _write_base(base: LazyTensor, value: LazyTensor) -> None:
    # Views are stale before the write, in case it is interrupted, and after it, for those that another thread
    # refreshes meanwhile.
    viewed = hasattr(base, "_version")
    if viewed:
        base._version += 1
    rebind(base, value)
    if viewed:
        base._version += 1
