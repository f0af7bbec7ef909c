"""Reading `serve.yaml` and the variables `LATEBIND_SERVE__...` over it, with errors that say where a key stands."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from pydantic import BaseModel, ValidationError

from latebind.errors import BackendUnavailableError, SettingsError
from latebind.services.serving.buckets import buckets_of
from latebind.services.serving.settings import ProgramSettings, ServeSettings
from latebind.settings import load_settings
from latebind.settings.layers import (
    SERVE_PREFIX,
    KeyPath,
    Layer,
    Tree,
    Value,
    dotenv_layer,
    dotenv_variables,
    environment_layer,
    yaml_layer,
)
from latebind.settings.problems import plain_message, settings_error, source_of, worth_telling
from latebind.settings.yaml_file import join_path

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def load_serve_settings(
    file: str | os.PathLike[str] | None,
    environ: Mapping[str, str] | None = None,
    *,
    dotenv: str | os.PathLike[str] | None = ".env",
    named_by: str = "--config",
) -> ServeSettings:
    """Read the server's settings: variables of the environment over those of `.env` over a YAML file.

    A variable's name is the key's path in capitals: `LATEBIND_SERVE__PORT=9000`,
    `LATEBIND_SERVE__PROGRAMS__DIGITS__WORKERS=2`. Lists and mappings are written as in YAML, so that the environment
    alone may be the configuration: `LATEBIND_SERVE__PROGRAMS={digits: {program: ...}}`.

    Parameters
    ----------
    file
        `None` reads the environment alone.
    environ
        By default the process's.
    dotenv
        File of variables below the environment; missing is fine, `None` reads none.
    named_by
        What the file's name comes from, for messages.

    Raises
    ------
    SettingsError
        If anything is unknown, malformed or of a wrong type; the message lists every problem with its key path, its
        source and the remedy.
    """
    environ = os.environ if environ is None else environ
    variables = dotenv_variables(Path(dotenv)) if dotenv is not None else {}
    layers = [_below_serve(environment_layer(_of_server(environ))), _below_serve(dotenv_layer(_of_server(variables)))]
    if file is not None:
        layers.append(yaml_layer(Path(file), named_by))
    tree: Tree = {}
    sources: dict[KeyPath, str] = {}
    for layer in reversed(layers):
        tree = _merged(tree, layer.tree)
        sources |= layer.sources
    problems = [problem for layer in layers for problem in layer.problems]
    try:
        settings = ServeSettings.model_validate(tree)
    except ValidationError as error:
        problems += [_describe(details, sources) for details in worth_telling(error)]
        if file is None and not tree:
            problems = [f"no programs are named: give a YAML file with {named_by}, or set {SERVE_PREFIX}PROGRAMS"]
        raise settings_error(problems) from None
    for name, program in settings.programs.items():
        problems += _program_problems(name, program, environ, sources)
    if problems:
        raise settings_error(problems)
    return settings


def _of_server(variables: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in variables.items() if name.startswith(SERVE_PREFIX)}


def _below_serve(found: Layer) -> Layer:
    """Return what variables say of the server; in their layer its keys stand below `serve`."""
    tree = cast(Tree, found.tree.get("serve", {}))
    return Layer(tree, {path[1:]: source for path, source in found.sources.items() if path[1:]}, found.problems)


def _merged(below: Mapping[str, object], above: Mapping[str, object]) -> Tree:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


# What no single key shows


def _program_problems(
    name: str, program: ProgramSettings, environ: Mapping[str, str], sources: Mapping[KeyPath, str]
) -> list[str]:
    """Return what is wrong with a program's keys together, and with the settings of its container."""
    path = ("programs", name)
    problems = []
    if ":" not in program.program:
        problems.append(
            f"{join_path((*path, 'program'))} is {program.program!r} ({source_of((*path, 'program'), sources)}), but "
            "it should be 'module:function' or 'path/to/file.py:function'"
        )
    for kind, tensors in (("inputs", program.inputs), ("outputs", program.outputs)):
        names = [each.name for each in tensors]
        for double in sorted({each for each in names if names.count(each) > 1}):
            where = source_of((*path, kind), sources)
            problems.append(f"{join_path((*path, kind))} ({where}) has {double!r} twice")
    try:
        buckets_of(program.batching)
    except ValueError as error:
        where = source_of((*path, "batching", "buckets"), sources)
        problems.append(f"{join_path((*path, 'batching', 'buckets'))} ({where}): {error}")
    try:
        load_settings(
            None,
            program.settings,
            overrides_from=f"{source_of((*path, 'settings'), sources)}: {'.'.join(path)}.settings",
            environ=environ,
        )
    except BackendUnavailableError:
        pass  # the program's workers say so; the others can be served
    except SettingsError as error:
        problems.append(str(error).removeprefix("wrong configuration: "))
    return problems


# One of pydantic's errors in words


def _describe(details: ErrorDetails, sources: Mapping[KeyPath, str]) -> str:
    path = details["loc"]
    where = source_of(path, sources)
    if details["type"] == "extra_forbidden":
        return f"unknown key {join_path(path)} ({where}){_nearest_key(path)}"
    if details["type"] == "missing":
        parent = source_of(path[:-1], sources)
        return f"key {join_path(path)} is missing" + (f" ({parent})" if parent != "default" else "")
    clause = f"{join_path(path)} is {details['input']!r} ({where}), but it {plain_message(details)}"
    if details["type"] == "literal_error":
        allowed = str(details.get("ctx", {}).get("expected", "")).replace(" or ", ", ")
        near = get_close_matches(str(details["input"]), [part.strip("' ") for part in allowed.split(",")], n=1)
        clause += f"; did you mean {near[0]!r}?" if near else ""
    return clause


def _nearest_key(path: Sequence[str | int]) -> str:
    model = _model_at(path[:-1])
    if model is None:
        return ""
    near = get_close_matches(str(path[-1]), list(model.model_fields), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(model.model_fields)}"


def _model_at(path: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the group of keys at a path; names of programs and places in lists are steps of it."""
    current: object = ServeSettings
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            found = current.model_fields.get(str(part))
            current = found.annotation if found is not None else None
        else:  # a mapping or a tuple: the model of its elements
            current = next((each for each in get_args(current) if _is_model(each)), None)
    return cast("type[BaseModel] | None", current if _is_model(current) else None)


def _is_model(candidate: object) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)
