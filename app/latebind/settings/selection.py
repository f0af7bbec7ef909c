"""Which backend the layers select, and which parts it is composed of; from that, the model of their options."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Final

from pydantic import Field, create_model

from latebind.backends.registry import AUTO, BackendCatalogue, endless
from latebind.backends.settings import BackendSettings, part_defaults, part_settings
from latebind.errors import SettingsError
from latebind.settings.layers import KeyPath, Layer, Tree
from latebind.settings.model import AutoBackendSettings, Settings
from latebind.settings.yaml_file import join_path

DEFAULT_BACKEND: Final = AUTO
#: Options that `auto` takes: those that every backend has.
_COMMON: Final = frozenset(AutoBackendSettings.model_fields)


class BackendSelection:
    """Finds the backend's name, and that of each of its parts.

    Parameters
    ----------
    layers
        Sources, highest first. Options that they give to another backend than the selected one are dropped.
    catalogue
        Known backends.

    Attributes
    ----------
    names : Layer
        A lowest layer: the name of the backend and of each part.
    problems : list of str
        What cannot be selected.
    """

    def __init__(self, layers: Sequence[Layer], catalogue: BackendCatalogue) -> None:
        self.layers = layers
        self.catalogue = catalogue
        self.names = Layer()
        self.problems: list[str] = []

    def model(
        self,
        path: KeyPath,
        default: str = DEFAULT_BACKEND,
        enclosing: tuple[str, ...] = (),
        by_default: tuple[str, ...] = (),
    ) -> type[BackendSettings]:
        """Return the settings model of the backend at a key path, parts included.

        Parameters
        ----------
        path
            `("backend",)`, or that of a part.
        default
            Name where no layer gives one.
        enclosing
            Names of the backends that this one is a part of; `auto` takes none of them.
        by_default
            Those of them, the innermost ones, that no layer says anything of.
        """
        said = any(layer.backend_options(path) for layer in self.layers)
        selected = self._select(path, default)
        automatic = selected == AUTO
        try:
            name = self._resolve(path, selected, enclosing)
            if not said and name in by_default:
                raise endless(name)
            model = self.catalogue.find(name).load_settings_model()
        except SettingsError as error:
            self.problems.append(f"{join_path((*path, 'name'))} ({self._source(path)}): {error}")
            for layer in self.layers:
                layer.drop_backend_options(path)
            model, name = AutoBackendSettings, AUTO
        self.names.insert((*path, "name"), name, "auto (default)" if automatic else "default")
        return self._with_parts(path, model, (*enclosing, name), () if said else (*by_default, name))

    def _with_parts(
        self, path: KeyPath, model: type[BackendSettings], enclosing: tuple[str, ...], by_default: tuple[str, ...]
    ) -> type[BackendSettings]:
        parts = tuple(
            (field, self.model((*path, field), default, enclosing, by_default))
            for field, default in part_defaults(model).items()
        )
        return _specialised(model, parts) if parts else model

    def _select(self, path: KeyPath, default: str) -> object:
        """Return the name; drop the options that layers below it give to another backend.

        Options of a layer without a name belong to the backend that the layers below it name.
        """
        names = [layer.backend_options(path).get("name") for layer in self.layers]
        position, selected = next(
            ((position, name) for position, name in enumerate(names) if name is not None), (len(names), default)
        )
        meant: object = default
        for below in range(len(names) - 1, position, -1):
            meant = meant if names[below] is None else names[below]
            if meant != selected:
                self.layers[below].drop_backend_options(path)
        return selected

    def _resolve(self, path: KeyPath, name: object, enclosing: tuple[str, ...]) -> str:
        """Return the name, or what `auto` stands for here; beside `auto`, refuse options that not all backends have."""
        if not isinstance(name, str):
            raise SettingsError(f"the backend's name is {name!r}, but has to be text")
        if name != AUTO:
            return name
        taken = self.catalogue.choose(enclosing).name
        for layer in self.layers:
            options: Tree = layer.backend_options(path)
            for key in options.keys() - _COMMON:
                self.problems.append(
                    f"unknown key {join_path((*path, key))} ({layer.sources.get((*path, key), '')}): 'auto' takes no "
                    f"options but threads; name the backend that it is for, {taken!r} is what 'auto' takes here"
                )
                del options[key]
            if "name" in options:
                options["name"] = taken
                layer.sources[*path, "name"] = f"auto ({layer.sources.get((*path, 'name'), '')})"
        return taken

    def _source(self, path: KeyPath) -> str:
        named = (layer.sources.get((*path, "name")) for layer in self.layers)
        return next((source for source in named if source), "default")


def hand_down_threads(settings: BackendSettings, path: KeyPath, sources: dict[KeyPath, str]) -> BackendSettings:
    """Return the settings with `threads` of a composed backend given to those of its parts that say nothing of it.

    Where the value of a part comes from is added to the sources.
    """
    parts = part_settings(settings)
    for field, part in parts.items():
        key = (*path, field)
        if settings.threads is not None and "threads" not in part.model_fields_set:
            part = part.model_copy(update={"threads": settings.threads})
            sources[*key, "threads"] = sources.get((*path, "threads"), "default")
        parts[field] = hand_down_threads(part, key, sources)
    return settings.model_copy(update=parts) if parts else settings


@cache
def settings_class(models: tuple[type[BackendSettings], ...]) -> type[Settings]:
    """Return `Settings` with the union of these models, discriminated by `name`, as the type of `backend`."""
    union: Any = reduce(or_, models)
    annotation: Any = Annotated[union, Field(discriminator="name")] if len(models) > 1 else union
    description = Settings.model_fields["backend"].description
    return create_model(
        "Settings",
        __base__=Settings,
        __module__=__name__,
        __doc__=Settings.__doc__,
        backend=(annotation, Field(default_factory=models[0], description=description)),
    )


@cache
def _specialised(
    model: type[BackendSettings], parts: tuple[tuple[str, type[BackendSettings]], ...]
) -> type[BackendSettings]:
    """Return a composed backend's model with the models of its selected parts as the types of their fields."""
    fields: dict[str, Any] = {
        name: (part, Field(description=model.model_fields[name].description)) for name, part in parts
    }
    return create_model(model.__name__, __base__=model, __module__=model.__module__, **fields)
