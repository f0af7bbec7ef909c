"""Reading settings from all their sources, highest priority first, and saying where each value came from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from latebind.backends.registry import BackendCatalogue, default_catalogue
from latebind.settings.layers import (
    CONFIG_VARIABLE,
    KeyPath,
    Layer,
    Tree,
    dotenv_layer,
    dotenv_variables,
    environment_layer,
    keyword_layer,
    without_server,
    yaml_layer,
)
from latebind.settings.model import Settings
from latebind.settings.problems import describe, settings_error
from latebind.settings.selection import BackendSelection, hand_down_threads, settings_class


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
        environment_layer(without_server(environ)),
        dotenv_layer(without_server(variables)),
    ]
    named = (Path(config), config_from) if config is not None else _config_file(environ, variables)
    if named is not None:
        layers.append(yaml_layer(*named))
    return _validate(layers, catalogue)


def settings_with_provenance(settings: Settings) -> Iterator[SettingValue]:
    """Return every value in force with its key path and where it comes from."""
    yield from _values(settings, (), settings._sources)


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
    selection = BackendSelection(layers, catalogue)
    checked = settings_class((selection.model(("backend",)),))
    problems += selection.problems
    layers = [*layers, selection.names]
    sources: dict[KeyPath, str] = {}
    for layer in reversed(layers):
        sources |= layer.sources
    try:
        settings = checked(_build_sources=(tuple(_LayerSource(checked, layer.tree) for layer in layers), {}))
    except ValidationError as error:
        raise settings_error([*problems, *describe(error, checked, sources)]) from None
    if problems:
        raise settings_error(problems)
    backend = hand_down_threads(settings.backend, ("backend",), sources)
    settings = settings.model_copy(update={"backend": backend})
    settings._sources.update(sources)
    return settings


def _values(model: BaseModel, path: KeyPath, sources: Mapping[KeyPath, str]) -> Iterator[SettingValue]:
    for name, value in {**dict(model), **(model.model_extra or {})}.items():
        inner = (*path, name)
        if isinstance(value, BaseModel):
            yield from _values(value, inner, sources)
        else:
            yield SettingValue(".".join(inner), value, sources.get(inner, "default"))
