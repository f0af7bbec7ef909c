"""Which container wires which module: one per module, since dependency-injector lets the last one win silently.

Where several containers are alive, and the same code has to serve them, hand objects over explicitly instead.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from weakref import ReferenceType, ref

from latebind.errors import WiringError

Module = ModuleType | str


@dataclass(frozen=True, slots=True)
class _Claim:
    owner: ReferenceType[object]
    container: str
    module: str
    whole_package: bool

    def covers(self, other: _Claim) -> bool:
        return self.module == other.module or (self.whole_package and other.module.startswith(f"{self.module}."))


_lock = threading.Lock()
_claims: list[_Claim] = []


def claim(owner: object, name: str, modules: Iterable[Module], packages: Iterable[Module]) -> None:
    """Take modules and packages for one container.

    Raises
    ------
    WiringError
        If another container has one of them; nothing is taken then.
    """
    wanted = [_Claim(ref(owner), name, _name(module), False) for module in modules]
    wanted += [_Claim(ref(owner), name, _name(package), True) for package in packages]
    with _lock:
        for new in wanted:
            for old in _claims:
                if old.owner() not in (None, owner) and (old.covers(new) or new.covers(old)):
                    raise WiringError(
                        f"container {name!r} cannot wire {new.module}: container {old.container!r} already wires "
                        f"{old.module}. A module gets its objects from one container; unwire that one first, or hand "
                        "the objects over as arguments"
                    )
        _claims.extend(wanted)


def release(owner: object) -> None:
    """Give back all that a container took."""
    with _lock:
        _claims[:] = [old for old in _claims if old.owner() not in (None, owner)]


def _name(module: Module) -> str:
    if not isinstance(module, (str, ModuleType)):
        raise TypeError(f"wiring takes modules and packages, or their names, got {module!r}")
    return module if isinstance(module, str) else module.__name__
