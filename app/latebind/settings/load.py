"""Reading settings from all their sources, highest priority first, and saying where each value came from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from latebind.backends.registry import AUTO, BackendCatalogue, default_catalogue
from latebind.backends.settings import BackendSettings
from latebind.errors import BackendUnavailableError, SettingsError
from latebind.settings.layers import (
    CONFIG_VARIABLE,
    KeyPath,
    Layer,
    Tree,
    dotenv_layer,
    dotenv_variables,
    environment_layer,
    keyword_layer,
    yaml_layer,
)
from latebind.settings.model import AutoBackendSettings, Settings
from latebind.settings.problems import describe, settings_error, source_of
from latebind.settings.yaml_file import join_path

DEFAULT_BACKEND = "numpy"


class SettingValue(NamedTuple):
    """One value in force: its key path (`"recording.limit"`), the value, and where it comes from."""

    key: str
    value: object
    source: str


def load_settings(
    config: str | os.PathLike[str] | None = None,
    overrides: Mapping[str, object] | None = None,
    *,
    config_from: str = "config=",
    overrides_from: str = "keyword argument",
    environ: Mapping[str, str] | None = None,
    dotenv: str | os.PathLike[str] | None = ".env",
    catalogue: BackendCatalogue | None = None,
) -> Settings:
    """Read the settings from all sources.

    Parameters
    ----------
    config
        YAML file; by default the one that the variable `LATEBIND_CONFIG` names, if any.
    overrides
        Values of the highest priority, nested as in YAML.
    config_from, overrides_from
        What the file's name and the overrides come from, for messages.
    environ
        Environment; by default the process's.
    dotenv
        File of variables below the environment; missing is fine, `None` reads none.
    catalogue
        Known backends; by default latebind's and those of installed packages.

    Raises
    ------
    SettingsError
        If anything is unknown, malformed or of a wrong type; the message lists every problem with its key path, its
        source and the remedy.
    BackendUnavailableError
        If the settings model of a third party's backend cannot be imported.
    """
    catalogue = catalogue or default_catalogue()
    environ = os.environ if environ is None else environ
    variables = dotenv_variables(Path(dotenv)) if dotenv is not None else {}
    layers = [
        keyword_layer(overrides or {}, overrides_from),
        environment_layer(environ),
        dotenv_layer(variables),
    ]
    named = (Path(config), config_from) if config is not None else _config_file(environ, variables)
    if named is not None:
        layers.append(yaml_layer(*named))
    return _validate(layers, catalogue)


def settings_with_provenance(settings: Settings) -> Iterator[SettingValue]:
    """Return every value in force with its key path and where it comes from."""
    yield from _values(settings, (), settings._sources)


def settings_schema(catalogue: BackendCatalogue | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a configuration file, with the options of every known backend that can be loaded."""
    catalogue = catalogue or default_catalogue()
    models: list[type[BackendSettings]] = []
    left_out: list[str] = []
    for spec in catalogue.specs.values():
        try:
            models.append(spec.load_settings_model())
        except BackendUnavailableError as error:
            left_out.append(str(error))
    schema = _settings_class((AutoBackendSettings, *models)).model_json_schema()
    properties = schema["properties"]
    by_name = {"type": "string", "description": "Name of a backend, or a dotted path 'package.module:Class'."}
    by_path = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "pattern": ":"}}}
    options = {
        key: properties["backend"].pop(key) for key in ("oneOf", "discriminator") if key in properties["backend"]
    }
    properties["backend"]["anyOf"] = [by_name | {"examples": [AUTO, *catalogue.specs]}, options, by_path]
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    if left_out:
        schema["$comment"] = "left out: " + "; ".join(left_out)
    return schema


class _LayerSource(PydanticBaseSettingsSource):
    """Hands one layer to pydantic-settings, which merges them."""

    def __init__(self, settings_class: type[Settings], tree: Tree) -> None:
        super().__init__(settings_class)
        self.tree = tree

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        return self.tree.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self.tree


def _config_file(environ: Mapping[str, str], variables: Mapping[str, tuple[str, str]]) -> tuple[Path, str] | None:
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE]), f"the environment variable {CONFIG_VARIABLE}"
    text, source = variables.get(CONFIG_VARIABLE, ("", ""))
    return (Path(text), source) if text else None


def _validate(layers: Sequence[Layer], catalogue: BackendCatalogue) -> Settings:
    problems = [problem for layer in layers for problem in layer.problems]
    sources: dict[KeyPath, str] = {}
    name = _select_backend(layers)
    for layer in reversed(layers):
        sources |= layer.sources
    models: tuple[type[BackendSettings], ...] = (AutoBackendSettings,)
    try:
        models = _backend_models(name, catalogue)
    except SettingsError as error:
        problems.append(f"{join_path(('backend', 'name'))} ({source_of(('backend', 'name'), sources)}): {error}")
        for layer in layers:
            layer.drop_backend_options()
        layers = [*layers, Layer({"backend": {"name": AUTO}})]
    else:
        layers = [*layers, Layer({"backend": {"name": name}})]
    settings_class = _settings_class(models)
    try:
        settings = settings_class(
            _build_sources=(tuple(_LayerSource(settings_class, layer.tree) for layer in layers), {})
        )
    except ValidationError as error:
        raise settings_error([*problems, *describe(error, settings_class, sources)]) from None
    if problems:
        raise settings_error(problems)
    settings._sources.update(sources)
    return settings


def _select_backend(layers: Sequence[Layer]) -> object:
    """Return the backend's name; drop the options that layers below it give to another backend.

    Options of a layer without a name belong to the backend that the layers below it name.
    """
    names = [layer.backend_name for layer in layers]
    position, selected = next(
        ((position, name) for position, name in enumerate(names) if name is not None), (len(layers), DEFAULT_BACKEND)
    )
    meant: object = DEFAULT_BACKEND
    for below in range(len(layers) - 1, position, -1):
        meant = meant if names[below] is None else names[below]
        if meant != selected:
            layers[below].drop_backend_options()
    return selected


def _backend_models(name: object, catalogue: BackendCatalogue) -> tuple[type[BackendSettings], ...]:
    """Return the members of the union that can be built without importing an engine that is not asked for."""
    if not isinstance(name, str):
        raise SettingsError(f"the backend's name is {name!r}, but has to be text")
    models = [spec.load_settings_model() for spec in catalogue.specs.values() if spec.settings is not None]
    if name != AUTO:
        model = catalogue.find(name).load_settings_model()
        models += [] if model in models else [model]
    return (AutoBackendSettings, *models)


@cache
def _settings_class(models: tuple[type[BackendSettings], ...]) -> type[Settings]:
    """Return `Settings` with the union of these models, discriminated by `name`, as the type of `backend`."""
    union: Any = reduce(or_, models)
    annotation: Any = Annotated[union, Field(discriminator="name")] if len(models) > 1 else union
    description = Settings.model_fields["backend"].description
    default = next((model for model in models if model.model_fields["name"].default == DEFAULT_BACKEND), models[0])
    return create_model(
        "Settings",
        __base__=Settings,
        __module__=__name__,
        __doc__=Settings.__doc__,
        backend=(annotation, Field(default_factory=default, description=description)),
    )


def _values(model: BaseModel, path: KeyPath, sources: Mapping[KeyPath, str]) -> Iterator[SettingValue]:
    for name, value in {**dict(model), **(model.model_extra or {})}.items():
        inner = (*path, name)
        if isinstance(value, BaseModel):
            yield from _values(value, inner, sources)
        else:
            yield SettingValue(".".join(inner), value, sources.get(inner, "default"))
