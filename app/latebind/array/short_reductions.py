"""Reductions that were recorded before, of an array of the same type: recorded again at the cost of an operator.

A reduction is one record for floating-point numbers; its signature is remembered by the array's type and the options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from latebind.ir.types import TensorType
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import record_known
from latebind.runtime.signature import Rule, RuleAttributes, Signature

if TYPE_CHECKING:
    from latebind.array.array import Array

_Key = tuple[Rule, TensorType, Any, bool]
#: Signature and attributes.
_known: Final[dict[_Key, tuple[Signature, RuleAttributes]]] = {}
_KEPT: Final = 4096


def known_reduction(rule: Rule, array: object, axis: Any, keepdims: bool) -> Array | None:
    """Record a reduction that was seen before, or run it directly; `None` if it was not, or `record` has to.

    Parameters
    ----------
    rule
        The reduction.
    array
        What the user gave.
    axis, keepdims
        As the user gave them; no other option was given.
    """
    if not isinstance(array, LazyTensor):
        return None
    try:
        known = _known.get((rule, array._type, (axis,) if type(axis) is int else axis, keepdims))
    except TypeError:  # a list of axes
        return None
    if known is None:
        return None
    signature, attributes = known
    if array._tape.ident == 0:
        direct = array._tape.ground.tape().direct
        if direct is not None:
            return direct.run(rule, (array,), attributes, ())  # type: ignore[return-value]
    return record_known(signature, array)  # type: ignore[return-value]


def remember_reduction(rule: Rule, array: LazyTensor, axis: Any, keepdims: bool, attributes: RuleAttributes) -> None:
    """Remember a reduction that was recorded without an error."""
    dtype = array._type.dtype
    if dtype.kind not in "fc" or dtype.itemsize < 4:
        return  # several records, or a dtype that depends on the settings
    axes = (axis,) if type(axis) is int else axis
    if axes is None or (type(axes) is tuple and all(type(one) is int for one in axes)):
        if len(_known) >= _KEPT:
            _known.clear()
        _known[rule, array._type, axes, keepdims] = rule.signature((array._type,), attributes), attributes


def remember_axis(rule: Rule, array: LazyTensor, axis: Any, axes: tuple[int, ...], keepdims: bool) -> None:
    """Remember by the axis that the user gave a reduction that was recorded over these axes."""
    known = _known.get((rule, array._type, axes, keepdims))
    if known is not None and (type(axis) is int or axis is None):
        _known[rule, array._type, None if axis is None else (axis,), keepdims] = known
