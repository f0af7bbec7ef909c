"""The lazy tensor: what the runtime knows of an array, and where its value is."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from latebind.ir.types import TensorType

if TYPE_CHECKING:
    from latebind.backends.interface import BackendData
    from latebind.runtime.signature import Signature
    from latebind.runtime.tape import Ground, Tape


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


@final
class ViewStep:
    """One view operation: its signature, and the scalars and index arrays that it was recorded with."""

    __slots__ = ("operands", "scalars", "signature")

    def __init__(self, signature: Signature, scalars: tuple[int, ...], operands: tuple[LazyTensor, ...] = ()) -> None:
        self.signature = signature
        self.scalars = scalars
        self.operands = operands


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
