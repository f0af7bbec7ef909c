"""Layers of settings: what one source says, and where it says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import yaml
from dotenv.parser import parse_stream
from pydantic import BaseModel

from latebind.errors import SettingsError
from latebind.settings.yaml_file import join_path, read_yaml

KeyPath: TypeAlias = tuple[str, ...]
Tree: TypeAlias = dict[str, object]
Value = TypeVar("Value")

PREFIX: Final = "LATEBIND_"
DELIMITER: Final = "__"
CONFIG_VARIABLE: Final = "LATEBIND_CONFIG"
#: Start of the variables that are keys of `serve.yaml`, and no settings.
SERVE_PREFIX: Final = "LATEBIND_SERVE__"


@dataclass(slots=True)
class Layer:
    """What one source says.

    Attributes
    ----------
    tree : dict
        Values by key, nested.
    sources : dict
        Where each key stands, inner keys included: `"config/numpy.yaml:4"`, `"environment variable LATEBIND_SEED"`.
    problems : list of str
        What is wrong with the source itself.
    """

    tree: Tree = field(default_factory=dict)
    sources: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def backend_options(self, path: KeyPath) -> Tree:
        """Return what the layer says of the backend at a key path, `("backend", "primary")`; empty if nothing.

        A bare name is rewritten as `{name: name}`, so that all layers have one form.
        """
        outer: object = self.tree
        for key in path[:-1]:
            outer = outer.get(key) if isinstance(outer, dict) else None
        inner = outer.get(path[-1]) if isinstance(outer, dict) else None
        if isinstance(outer, dict) and isinstance(inner, str):
            inner = outer[path[-1]] = {"name": inner}
            self.sources[*path, "name"] = self.sources.get(path, "")
        return inner if isinstance(inner, dict) else {}

    def drop_backend_options(self, path: KeyPath) -> None:
        """Forget the backend at a key path and its options, because a higher layer names another one.

        `threads` stays: every backend has it.
        """
        options = self.backend_options(path)
        for key in options.keys() - {"threads"}:
            del options[key]
        kept = {path[:depth] for depth in range(1, len(path) + 1)} | {(*path, "threads")} if options else set()
        self.sources = {key: source for key, source in self.sources.items() if key in kept or key[: len(path)] != path}

    def insert(self, path: KeyPath, value: object, source: str) -> bool:
        """Set one key, and say whether it could be set: not if a key on the way to it has a value.

        Text on the way to an option of a backend is the backend's name.
        """
        tree = self.tree
        for depth, key in enumerate(path[:-1], 1):
            inner = tree.setdefault(key, {})
            if isinstance(inner, str) and path[0] == "backend":
                inner = tree[key] = {"name": inner}
                self.sources[*path[:depth], "name"] = self.sources[path[:depth]]
            if not isinstance(inner, dict):
                return False
            tree = inner
        tree[path[-1]] = value
        for depth in range(1, len(path) + 1):
            self.sources[path[:depth]] = source
        if isinstance(value, dict):
            self.sources.update({(*path, *inner): source for inner in _paths(value)})
        return True


def keyword_layer(overrides: Mapping[str, object], source: str) -> Layer:
    """Return keyword arguments as a layer; settings models in them are taken apart into what was set."""
    tree = {key: _plain(value) for key, value in overrides.items()}
    return Layer(tree, {path: source for path in _paths(tree)})


def yaml_layer(path: Path, named_by: str) -> Layer:
    """Read a YAML file.

    Raises
    ------
    SettingsError
        If the file cannot be read, is malformed, or holds no mapping.
    """
    tree, lines, problems = read_yaml(path, named_by)
    return Layer(tree, {key: f"{path}:{line}" for key, line in lines.items()}, problems)


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """Read the variables `LATEBIND_*`; an empty one counts as not set."""
    return _variables_layer(
        (name, value, f"environment variable {name}") for name, value in environ.items() if name.startswith(PREFIX)
    )


def without_server(variables: Mapping[str, Value]) -> dict[str, Value]:
    """Return variables without those of `latebind serve`, `LATEBIND_SERVE__...`, which are no settings."""
    return {name: value for name, value in variables.items() if not name.startswith(SERVE_PREFIX)}


def dotenv_variables(path: Path) -> dict[str, tuple[str, str]]:
    """Return value and source of each `LATEBIND_*` line of a `.env` file; other lines are not ours.

    Raises
    ------
    SettingsError
        If the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from error
    return {
        binding.key: (binding.value or "", f"{path}:{binding.original.line} ({binding.key})")
        for binding in bindings
        if binding.key is not None and binding.key.startswith(PREFIX)
    }


def dotenv_layer(variables: Mapping[str, tuple[str, str]]) -> Layer:
    """Return the variables of a `.env` file as a layer."""
    return _variables_layer((name, value, source) for name, (value, source) in variables.items())


def variable_name(path: Iterable[str]) -> str:
    """Return the environment variable of a key path."""
    return PREFIX + DELIMITER.join(path).upper()


def _variables_layer(variables: Iterable[tuple[str, str, str]]) -> Layer:
    layer = Layer()
    for name, text, source in sorted(variables):
        if name == CONFIG_VARIABLE or text == "":
            continue
        path = tuple(name.removeprefix(PREFIX).lower().split(DELIMITER))
        try:
            value = _parse_variable(text)
        except yaml.YAMLError as error:
            layer.problems.append(f"{source} is neither text nor a list or mapping: {' '.join(str(error).split())}")
            continue
        if not layer.insert(path, value, source):
            layer.problems.append(
                f"{source} sets a key inside {join_path(path[:-1])}, which another variable sets to a value"
            )
    return layer


def _parse_variable(text: str) -> object:
    if text[:1] in "[{":
        return yaml.safe_load(text)
    return None if text in ("null", "~") else text


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        said = value.model_fields_set | ({"name"} if hasattr(value, "name") else set())
        return {key: _plain(getattr(value, key)) for key in said}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return value


def _paths(tree: Mapping[str, object]) -> Iterator[KeyPath]:
    for key, value in tree.items():
        yield (key,)
        if isinstance(value, dict):
            yield from ((key, *inner) for inner in _paths(value))
