"""The catalogue: which backends there are, which of them can be used here, and how each is loaded.

Nothing here imports a backend until it is asked for by name. A backend comes from the table of built-in ones, from a
third party's entry point in the group `latebind.backends`, or from a dotted path `package.module:Class`.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from pydantic import BaseModel, create_model

from latebind.backends.settings import BackendSettings, OpenBackendSettings, part_settings
from latebind.errors import BackendUnavailableError, LatebindError, SettingsError

if TYPE_CHECKING:
    from latebind.backends.interface import Backend

ENTRY_POINT_GROUP: Final = "latebind.backends"
AUTO: Final = "auto"
_logger = logging.getLogger("latebind")
_DOTTED_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """One backend of the catalogue.

    Attributes
    ----------
    name : str
        Name in the configuration.
    summary : str
        One line for people.
    backend : str
        Where the class is, `package.module:Class`.
    settings : str or None
        Where its settings model is; `None` takes the class's attribute `settings_model`.
    requires : tuple of str
        Top-level modules of the engine.
    extra : str or None
        latebind's extra that installs them.
    priority : int or None
        `auto` takes the available backend with the highest one; `None` is never taken by `auto`.
    auto_requires : tuple of str
        Of a backend that is composed of others: top-level modules that have to be installed for `auto` to take it.
    source : str
        Where the entry comes from, for messages.
    """

    name: str
    summary: str
    backend: str
    settings: str | None = None
    requires: tuple[str, ...] = ()
    extra: str | None = None
    priority: int | None = None
    auto_requires: tuple[str, ...] = ()
    source: str = "built in"

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules of the engine that are not installed; found without importing them."""
        return tuple(module for module in self.requires if not _is_installed(module))

    def check_installed(self) -> None:
        """Raise if the engine is not installed.

        Raises
        ------
        BackendUnavailableError
            Names what is missing and the extra that installs it.
        """
        if missing := self.missing:
            remedy = f"pip install 'latebind[{self.extra}]'" if self.extra else f"pip install {' '.join(missing)}"
            verb = "is" if len(missing) == 1 else "are"
            raise BackendUnavailableError(
                f"backend {self.name!r} needs {', '.join(missing)}, which {verb} not installed: {remedy}"
            )

    def load_class(self) -> type[Backend]:
        """Import the backend's class, and with it the engine.

        Raises
        ------
        BackendUnavailableError
            If the engine is not installed, or if the class cannot be imported or is no backend; the message blames
            the backend by name and says where its entry comes from.
        """
        from latebind.backends.interface import Backend

        self.check_installed()
        found = self._import(self.backend)
        if not (isinstance(found, type) and issubclass(found, Backend)):
            raise BackendUnavailableError(
                f"backend {self.name!r} ({self.source}): {self.backend} is {found!r}, but has to be a subclass of "
                "latebind.backends.interface.Backend"
            )
        return found

    def build(
        self,
        settings: BackendSettings | None = None,
        catalogue: BackendCatalogue | None = None,
        enclosing: tuple[str, ...] = (),
    ) -> Backend:
        """Make the backend, by default with the defaults of its settings model; errors as in `load_class`.

        Fields of the settings that are settings of a backend are its parts: they are built first, and handed to the
        constructor under the field's name.

        Parameters
        ----------
        settings
        catalogue
            Where the parts are found; by default `default_catalogue()`.
        enclosing
            Names of the backends that this one is a part of.

        Raises
        ------
        BackendUnavailableError
            If its constructor raises; the message gives what it raised.
        SettingsError
            If the defaults of its settings model make it a part of itself without end.
        """
        if settings is None:
            settings = self.load_settings_model().model_validate({})
        catalogue = catalogue or default_catalogue()
        made = self.load_class()
        parts: dict[str, Backend] = {}
        try:
            for field, part in part_settings(settings).items():
                parts[field] = catalogue.build(part, (*enclosing, self.name))
            return made(settings, **parts)
        except Exception as error:
            for built in reversed(parts.values()):
                built.prepare_to_exit()
            if isinstance(error, LatebindError):
                raise
            raise BackendUnavailableError(
                f"backend {self.name!r} ({self.source}) cannot be started: {type(error).__name__}: {error}"
            ) from error

    def load_settings_model(self) -> type[BackendSettings]:
        """Return the settings model, its `name` narrowed to this backend's.

        Raises
        ------
        BackendUnavailableError
            If it cannot be imported or is no pydantic model.
        """
        if self.settings is None:
            model = getattr(self.load_class(), "settings_model", OpenBackendSettings)
        else:
            model = self._import(self.settings)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise BackendUnavailableError(
                f"backend {self.name!r} ({self.source}): its settings model is {model!r}, but has to be a subclass of "
                "latebind.backends.settings.BackendSettings"
            )
        return _narrowed(model, self.name)

    def _import(self, path: str) -> object:
        module_name, _, attribute = path.partition(":")
        try:
            found: object = importlib.import_module(module_name)
            for part in attribute.split("."):
                found = getattr(found, part)
        except Exception as error:
            if isinstance(error, BackendUnavailableError) and str(error).startswith(f"backend {self.name!r}"):
                raise  # the backend's own module says what is wrong, and what to do
            raise BackendUnavailableError(
                f"backend {self.name!r} ({self.source}) cannot be loaded from {path}: {type(error).__name__}: {error}"
            ) from error
        return found


class BackendCatalogue:
    """Backends by name.

    Parameters
    ----------
    specs
        The known backends. Where two have one name the first is taken, so put latebind's own first.
    """

    def __init__(self, specs: Iterable[BackendSpec]) -> None:
        known: dict[str, BackendSpec] = {}
        for spec in specs:
            known.setdefault(spec.name, spec)
        self.specs: Mapping[str, BackendSpec] = MappingProxyType(known)
        self._announced: set[str] = set()

    def find(self, name: str) -> BackendSpec:
        """Return the backend of this name or dotted path.

        Raises
        ------
        SettingsError
            If it is neither; the message gives the nearest name and all known ones.
        """
        spec = self.specs.get(name)
        if spec is not None:
            return spec
        if _DOTTED_PATH.fullmatch(name):
            return BackendSpec(name, "named by its dotted path", name, source="dotted path")
        raise SettingsError(f"unknown backend {name!r}{self.suggestion(name)}")

    def suggestion(self, name: str) -> str:
        """Return what to write instead of an unknown name, as the tail of a message."""
        names = [*self.specs, AUTO]
        # Who writes the engine's name, or that of its extra, means the backend.
        engines = {engine: spec.name for spec in self.specs.values() for engine in (*spec.requires, spec.extra)}
        near = [engines[name]] if name in engines else get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{hint} (known are {', '.join(sorted(names))}, or a dotted path 'package.module:Class')"

    def build(self, settings: BackendSettings, enclosing: tuple[str, ...] = ()) -> Backend:
        """Make the backend that settings name, by itself or as a part of the enclosing ones."""
        spec = self.choose(enclosing) if settings.name == AUTO else self.find(settings.name)
        if settings.name != AUTO and type(settings) is not BackendSettings:
            return spec.build(settings, self, enclosing)
        # A name alone, from the defaults of a settings model that `load_settings` has not seen.
        if spec.name in enclosing:
            raise endless(spec.name)
        common = settings.model_dump(include={"threads"}, exclude_unset=True)
        return spec.build(spec.load_settings_model().model_validate(common), self, enclosing)

    def choose(self, without: Collection[str] = ()) -> BackendSpec:
        """Return what `auto` stands for: the installed backend of the highest priority. No engine is imported.

        The first time it is logged.

        Parameters
        ----------
        without
            Names that are not taken: the backends that the chosen one is to be a part of.

        Raises
        ------
        BackendUnavailableError
            If no backend is installed that `auto` may take.
        """
        candidates = [
            spec
            for spec in self.specs.values()
            if spec.priority is not None
            and spec.name not in without
            and not spec.missing
            and not (without and spec.auto_requires)  # a part is one engine
            and all(map(_is_installed, spec.auto_requires))
        ]
        if not candidates:
            raise BackendUnavailableError(f"backend 'auto': none of {', '.join(sorted(self.specs))} is installed")
        chosen = max(candidates, key=lambda spec: spec.priority or 0)
        if chosen.name not in self._announced:
            self._announced.add(chosen.name)
            _logger.info("backend 'auto' is %r: %s", chosen.name, chosen.summary)
        return chosen


def endless(name: str) -> SettingsError:
    """Return the error for a composed backend whose defaults name itself."""
    return SettingsError(f"backend {name!r} is by default a part of itself, without end: name another one here")


#: latebind's own backends. `auto` prefers a compiler to the reference, and one that nobody waits for to one that
#: compiles each graph at once.
BUILT_IN: Final = (
    BackendSpec(
        name="xla",
        summary="XLA, through JAX: CPU, CUDA and TPU",
        backend="latebind.backends.xla.backend:XlaBackend",
        settings="latebind.backends.xla.settings:XlaSettings",
        requires=("jax", "jaxlib"),
        extra="xla",
        priority=20,
    ),
    BackendSpec(
        name="torch",
        summary="PyTorch: TorchScript, Inductor or eager; CPU and CUDA",
        backend="latebind.backends.torch.backend:TorchBackend",
        settings="latebind.backends.torch.settings:TorchSettings",
        requires=("torch",),
        extra="torch",
        priority=10,
    ),
    BackendSpec(
        name="numpy",
        summary="one generated Python function over NumPy per graph; the reference for all others",
        backend="latebind.backends.numpy.backend:NumpyBackend",
        settings="latebind.backends.numpy.settings:NumpySettings",
        requires=("numpy",),
        priority=0,
    ),
    BackendSpec(
        name="shadow",
        summary="two backends side by side; every result is compared, and differences are narrowed down",
        backend="latebind.backends.shadow.backend:ShadowBackend",
        settings="latebind.backends.shadow.settings:ShadowSettings",
    ),
    BackendSpec(
        name="tiered",
        summary="a graph runs on one backend at once; another one compiles it in the background if that pays",
        backend="latebind.backends.tiered.backend:TieredBackend",
        settings="latebind.backends.tiered.settings:TieredSettings",
        priority=30,
        auto_requires=("jax", "jaxlib"),
    ),
)


@cache
def default_catalogue() -> BackendCatalogue:
    """Return latebind's own backends and those that installed packages bring; entry points are read, not loaded."""
    return BackendCatalogue([*BUILT_IN, *map(_from_entry_point, entry_points(group=ENTRY_POINT_GROUP))])


def _from_entry_point(entry: EntryPoint) -> BackendSpec:
    package = entry.dist.name if entry.dist is not None else "an unnamed package"
    return BackendSpec(entry.name, f"from the package {package}", entry.value, source=f"entry point of {package}")


@cache
def _narrowed(model: type[BaseModel], name: str) -> type[BackendSettings]:
    bases = (model,) if issubclass(model, BackendSettings) else (model, BackendSettings)
    field: Any = (Literal[name], name)
    return cast(
        "type[BackendSettings]", create_model(model.__name__, __base__=bases, __module__=model.__module__, name=field)
    )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
