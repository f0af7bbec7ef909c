"""What is wrong with a configuration, in words: key path, source, and the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError

from latebind.errors import SettingsError
from latebind.settings.layers import DELIMITER, PREFIX, KeyPath, variable_name
from latebind.settings.yaml_file import join_path

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

#: Words for those of pydantic's errors that speak of Python types instead of YAML's.
_PLAINER: Final = {
    "model_type": "should be a mapping of keys to values",
    "model_attributes_type": "should be a mapping of keys to values",
    "tuple_type": "should be a list",
    "too_short": "should be a list that is not empty",
}
_VARIABLE = re.compile(rf"{PREFIX}\w+")


def settings_error(problems: Sequence[str]) -> SettingsError:
    """Return one error that lists every problem."""
    if len(problems) == 1:
        return SettingsError(f"wrong configuration: {problems[0]}")
    listed = "; ".join(f"({number}) {problem}" for number, problem in enumerate(problems, 1))
    return SettingsError(f"wrong configuration, {len(problems)} problems: {listed}")


def describe(error: ValidationError, model: type[BaseModel], sources: Mapping[KeyPath, str]) -> list[str]:
    """Return each of pydantic's errors as one clause."""
    return [_describe_one(details, model, sources) for details in worth_telling(error)]


def worth_telling(error: ValidationError) -> list[ErrorDetails]:
    """Return pydantic's errors without those that only follow from others.

    A list whose elements are wrong is too short for pydantic, which counts the right ones only.
    """
    found = error.errors()
    places = [details["loc"] for details in found]
    return [
        details
        for details in found
        if details["type"] != "too_short" or not any(_is_inside(place, details["loc"]) for place in places)
    ]


def plain_message(details: ErrorDetails) -> str:
    """Return what pydantic says of a value, in words that continue "but it"."""
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return _PLAINER.get(details["type"], message)


def _is_inside(place: tuple[str | int, ...], outer: tuple[str | int, ...]) -> bool:
    return len(place) > len(outer) and place[: len(outer)] == outer


def source_of(path: Sequence[str | int], sources: Mapping[KeyPath, str]) -> str:
    """Return where a key stands; for an element of a list, where the list stands."""
    for length in range(len(path), 0, -1):
        found = sources.get(tuple(map(str, path[:length])))
        if found:
            return found
    return "default"


def _describe_one(details: ErrorDetails, model: type[BaseModel], sources: Mapping[KeyPath, str]) -> str:
    path = details["loc"]
    source = source_of(path, sources)
    if details["type"] == "extra_forbidden":
        return f"unknown key {join_path(path)} ({source}){_suggest_key(path, model, source)}"
    if details["type"] == "missing":
        return f"key {join_path(path)} is missing ({source})"
    clause = f"{join_path(path)} is {details['input']!r} ({source}), but it {plain_message(details)}"
    return clause + _suggest_value(details)


def _suggest_value(details: ErrorDetails) -> str:
    if details["type"] != "literal_error":
        return ""
    allowed = details.get("ctx", {}).get("expected", "")
    near = get_close_matches(
        str(details["input"]), [part.strip("' ") for part in allowed.replace(" or ", ", ").split(",")], n=1
    )
    return f"; did you mean {near[0]!r}?" if near else ""


def _suggest_key(path: tuple[str | int, ...], model: type[BaseModel], source: str) -> str:
    variable = _VARIABLE.search(source)
    if variable and (meant := _with_delimiters(variable[0], model)):
        return f"; did you mean {meant}? Levels are separated by {DELIMITER!r}"
    parent = _model_at(model, path[:-1])
    siblings = list(parent.model_fields) if parent is not None else []
    near = get_close_matches(str(path[-1]), siblings, n=1)
    if near:
        target: KeyPath = (*map(str, path[:-1]), near[0])
    else:
        elsewhere = [full for full in _leaves(model) if full[-1] == path[-1]]
        if not elsewhere:
            return f"; known here: {', '.join(siblings)}" if siblings else ""
        target = elsewhere[0]
    if variable:
        rest = variable[0].removeprefix(PREFIX).split(DELIMITER)[len(path) :]
        return f"; did you mean {variable_name((*target, *rest))}?"
    return f"; did you mean {join_path(target)}?"


def _with_delimiters(variable: str, model: type[BaseModel]) -> str | None:
    """Return the variable that was meant by one whose levels are separated by a single underscore."""
    for path in _leaves(model):
        if len(path) > 1 and variable == PREFIX + "_".join(path).upper():
            return variable_name(path)
    return None


def _leaves(model: type[BaseModel], prefix: KeyPath = ()) -> Iterator[KeyPath]:
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _leaves(annotation, (*prefix, name))
        else:
            yield (*prefix, name)


def _model_at(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the model that a location of pydantic's is inside of."""
    current: object = model
    for part in loc:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            return None
        found = current.model_fields.get(str(part))
        current = found.annotation if found is not None else None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None
