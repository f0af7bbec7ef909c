"""What backends and the runtime hand to each other: devices, device data, computations."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, Protocol, final

import numpy as np
import numpy.typing as npt

from latebind.errors import DeviceMismatchError
from latebind.ir.types import TensorType

HostArray = npt.NDArray[np.generic]
Scalar = bool | int | float | complex


@final
@dataclass(frozen=True, slots=True)
class BackendDevice:
    """Device type and ordinal, written `"cpu:0"`."""

    type: str
    ordinal: int = 0

    @classmethod
    def parse(cls, text: str) -> BackendDevice:
        """Read `"cpu"` or `"cpu:1"`.

        Raises
        ------
        DeviceMismatchError
            If the text is not of that form.
        """
        kind, separator, ordinal = text.partition(":")
        if not kind or (separator and not ordinal.isdecimal()):
            raise DeviceMismatchError(f"{text!r} is not a device: write a type and an ordinal, such as 'cpu:0'")
        return cls(kind, int(ordinal) if separator else 0)

    def __str__(self) -> str:
        return f"{self.type}:{self.ordinal}"


class Readiness(Protocol):
    """What readers of a value wait for: a `threading.Event`, or what stands for one."""

    def is_set(self) -> bool:
        """Whether there is nothing to wait for."""

    def set(self) -> None:
        """End all waiting."""

    def wait(self) -> object:
        """Block until there is nothing to wait for."""


class BackendData:
    """A handle on data that lives on a device; a placeholder until an execution fills it.

    Attributes
    ----------
    type : TensorType
    device : BackendDevice
    handle : object or None
        The engine's buffer; `None` while this is a placeholder.
    owned : bool
        Whether latebind allocated the buffer, so that it may be donated. Memory that the user shares with us
        (`copy=False`, DLPack, read-only host arrays) is not owned.
    error : BaseException or None
        Set when the computation that should have filled the placeholder failed.
    """

    __slots__ = ("__weakref__", "_ready", "device", "error", "handle", "owned", "type")

    def __init__(self, type: TensorType, device: BackendDevice, handle: Any = None, *, owned: bool = True) -> None:
        self.type = type
        self.device = device
        self.handle = handle
        self.owned = owned
        self.error: BaseException | None = None
        self._ready: Readiness | None = None

    @property
    def has_value(self) -> bool:
        """Whether the buffer is there: neither a placeholder nor failed."""
        return self.handle is not None

    def mark_pending(self) -> None:
        """Make this a placeholder that readers wait for."""
        self._ready = threading.Event()

    @property
    def is_pending(self) -> bool:
        """Whether an execution is still to fill this placeholder."""
        ready = self._ready
        return ready is not None and not ready.is_set()

    def assign(self, data: BackendData) -> None:
        """Fill the placeholder with what an execution returned."""
        self.handle = data.handle
        self.owned = data.owned
        ready = self._ready
        if ready is not None:
            ready.set()

    def fail(self, error: BaseException) -> None:
        """Poison the placeholder: every reader gets the error."""
        self.error = error
        ready = self._ready
        if ready is not None:
            ready.set()

    def wait(self) -> None:
        """Block until the placeholder is filled; raise its error if the execution failed."""
        ready = self._ready
        if ready is not None:
            ready.wait()
            self._ready = None  # the next reader need not ask
        if self.error is not None:
            self.raise_error()

    def raise_error(self) -> NoReturn:
        """Raise a copy of the error: a traceback on the error itself would keep every reader's frames alive."""
        error = self.error
        assert error is not None
        raised = copy.copy(error)
        raised.__cause__ = error.__cause__
        raise raised


#: Held while what one value lacks is made: two threads that each made it could write to different memory.
MAKING: Final = threading.Lock()


class DirectData(BackendData):
    """What direct execution made: a host array, or a NumPy scalar for a value without dimensions.

    Most are operands once or twice and then dropped, so one is made without a constructor, and what other data has
    comes into being when somebody asks for it.

    Attributes
    ----------
    value : ndarray, numpy.generic or None
        `None` once somebody has asked for the handle, which then is the only one to refer to the memory.
    """

    __slots__ = ("value",)

    error = None
    owned = True
    _ready = None

    value: Any

    def __getattr__(self, name: str) -> Any:
        if name == "handle":
            with MAKING:
                value = self.value
                if value is not None:  # nobody else was faster
                    self.handle = np.asarray(value)
                    self.value = None
            return self.handle
        if name == "type":
            value = self.value
            seen = self.handle if value is None else value
            self.type = TensorType.of(seen.shape, seen.dtype)
            return self.type
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


#: Runs one compiled computation: from its arguments to its results (`Backend.launcher`).
Launcher = Callable[[Sequence[BackendData]], list[BackendData]]


@dataclass(slots=True)
class Computation:
    """A lowered program.

    Attributes
    ----------
    name : str
    device : BackendDevice
    parameter_names : tuple of str
    parameter_types : tuple of TensorType
    result_types : tuple of TensorType
    aliases : tuple of (int, int)
        Pairs of an output and the parameter whose buffer it may take (donation).
    donated : frozenset of int or None
        Parameters that running it overwrites; `None` stands for all that were offered (`LoweringContext.donate`).
    text : str
        The backend's own form of the program, for people.
    program : object
        The backend's own form of the program, before or after compilation.
    """

    name: str
    device: BackendDevice
    parameter_names: tuple[str, ...]
    parameter_types: tuple[TensorType, ...]
    result_types: tuple[TensorType, ...]
    aliases: tuple[tuple[int, int], ...] = ()
    text: str = ""
    program: Any = field(default=None, repr=False)
    donated: frozenset[int] | None = None
