"""The lazy tensor: what the runtime knows of an array, and where its value is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, final

from latebind.ir.types import TensorType


class NotDirectError(Exception):
    """Raised by a direct function for what it leaves to the recording path."""


if TYPE_CHECKING:
    from latebind.backends.interface import BackendData, HostArray
    from latebind.runtime.signature import Rule, RuleAttributes
    from latebind.runtime.tape import Ground, Tape

    IndexParser: TypeAlias = Callable[[tuple[int, ...], Any], tuple[Rule, RuleAttributes, tuple[int, ...]]]


@final
class ViewLink:
    """What makes an array a view: the array whose memory it shares, and how to compute it from that array.

    Attributes
    ----------
    base : LazyTensor
        The array that owns the values; never a view itself.
    steps : tuple of ViewStep
        View operations that lead from the base to the view.
    version : int
        Version of the base from which the view's value was computed; an older one makes the view stale.
    """

    __slots__ = ("base", "steps", "version")

    def __init__(self, base: LazyTensor, steps: tuple[ViewStep, ...], version: int) -> None:
        self.base = base
        self.steps = steps
        self.version = version


class ViewStep:
    """One view operation.

    Attributes
    ----------
    rule : Rule
    attributes : tuple
    type : TensorType
        Type of the view.
    scalars : tuple of int
        Index operands that follow the array.
    operands : tuple of LazyTensor
        Index arrays instead of scalars.
    """

    __slots__ = ("attributes", "operands", "rule", "scalars", "type")

    def __init__(
        self,
        rule: Rule,
        attributes: RuleAttributes,
        type: TensorType,
        scalars: tuple[int, ...],
        operands: tuple[LazyTensor, ...] = (),
    ) -> None:
        self.rule = rule
        self.attributes = attributes
        self.type = type
        self.scalars = scalars
        self.operands = operands

    def host(self, array: HostArray) -> HostArray:
        """Return the view of a host array, for direct execution."""
        function = self.rule.direct
        if function is None or self.operands:
            raise NotDirectError
        view: HostArray = function(array, *self.scalars, **dict(self.attributes))
        return view


class IndexStep(ViewStep):
    """A basic index as the user wrote it; what a recording needs of it is worked out when one does.

    Attributes
    ----------
    key
        Integers, slices, `None` and `...`.
    _shape : tuple of int
        Of the indexed array.
    type : TensorType
        Of the view.
    _parse : callable
        From shape and key to rule, attributes and scalars.
    """

    __slots__ = ("_parse", "_shape", "key")

    #: Made for each index of direct execution, which fills the slots itself.
    operands = ()

    key: Any
    _shape: tuple[int, ...]
    _parse: IndexParser

    def __getattr__(self, name: str) -> Any:
        if name not in ("rule", "attributes", "scalars"):
            raise AttributeError(name)
        self.rule, self.attributes, self.scalars = self._parse(self._shape, self.key)
        return getattr(self, name)

    def host(self, array: HostArray) -> HostArray:
        view: HostArray = array[self.key]
        return view


class LazyTensor:
    """An array whose value is recorded, on its way, or there.

    The slots are the recording path's; nothing outside `latebind.runtime` and the operators touches them.

    Attributes
    ----------
    _type : TensorType
    _tape : Tape or Ground
        The open tape that holds the recording of this value, or the ground of its executor and device if the value is
        data already.
    _pos : int
        Position on the tape. Set only while `_tape` is a tape.
    _data : BackendData
        The value. Set only while `_tape` is a ground.
    _link : ViewLink or None
        Set on a view.
    _version : int
        How often the values were written since a view was taken. Set only once there is a view.
    """

    __slots__ = ("__weakref__", "_data", "_link", "_pos", "_tape", "_type", "_version")

    _type: TensorType
    _tape: Tape | Ground
    _pos: int
    _data: BackendData
    _link: ViewLink | None
    _version: int


def default_array_class() -> type[LazyTensor]:
    """Return latebind's own array class, which the array package registers here when it is imported."""
    registered = sys.modules.get("latebind.array.array")
    return registered.Array if registered is not None else LazyTensor
