"""dependency-injector, loaded without the web frameworks that it looks for.

`dependency_injector.wiring` imports FastAPI, Starlette, Werkzeug and FastDepends where it finds them, so as to
read their parameter markers: most of a second for a program that has them installed and does not use them here. They
are hidden while the module loads, and their markers are recognised later, once the program itself has imported them.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

_FRAMEWORKS: Final = ("fastapi", "starlette", "werkzeug", "fast_depends")
_WIRING: Final = "dependency_injector.wiring"


class _Hide(MetaPathFinder):
    """Refuses to import the frameworks on one thread; other threads import them as always."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if threading.get_ident() == self.thread and fullname.partition(".")[0] in _FRAMEWORKS:
            raise ModuleNotFoundError(f"{fullname} is not needed while dependency_injector loads", name=fullname)
        return None


def _loaded_class(module: str, name: str) -> type | None:
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) else None


def _framework_marker(parameter: object) -> object:
    for module, name in (
        ("fastapi.params", "Depends"),
        ("fast_depends.dependencies.model", "Dependant"),
        ("fast_depends.dependencies", "Depends"),
    ):
        marker = _loaded_class(module, name)
        if marker is not None and isinstance(parameter, marker):
            return getattr(parameter, "dependency", None)
    return None


def _is_framework_object(value: object) -> bool:
    request, proxy = _loaded_class("starlette.requests", "Request"), _loaded_class("werkzeug.local", "LocalProxy")
    is_request = request is not None and isinstance(value, type) and issubclass(value, request)
    return is_request or (proxy is not None and type(value) is proxy)


def _load() -> None:
    if _WIRING in sys.modules:
        return
    hide = _Hide()
    sys.meta_path.insert(0, hide)
    try:
        import dependency_injector.wiring as wiring
    finally:
        sys.meta_path.remove(hide)
    wiring.MARKER_EXTRACTORS.append(_framework_marker)
    wiring.INSPECT_EXCLUSION_FILTERS.append(_is_framework_object)


_load()

from dependency_injector import containers, providers  # noqa: E402
from dependency_injector.wiring import Provide, inject  # noqa: E402

__all__ = ["Provide", "containers", "inject", "providers"]
