"""A program on its way: the module's text, then the executable with what wraps its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, weakref_slot=True, eq=False)
class Program:
    """What a `Computation` of the XLA backend holds.

    Attributes
    ----------
    text : str
        The StableHLO module.
    executable : object or None
        PJRT's loaded executable, once compiled.
    handlers : list
        What wraps each result as a `jax.Array`.
    from_disk : bool
        Whether the executable was loaded from the disk cache instead of compiled.
    """

    text: str
    executable: Any = None
    handlers: list[Any] = field(default_factory=list)
    from_disk: bool = False
