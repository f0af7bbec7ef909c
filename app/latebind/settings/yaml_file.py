"""YAML with positions: a mapping, the line of each key, and an error that says where."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from latebind.errors import SettingsError


def join_path(path: Iterable[str | int]) -> str:
    """Return a key path as text, `'recording.limit'`."""
    return repr(".".join(map(str, path)))


def read_yaml(path: Path, named_by: str) -> tuple[dict[str, object], dict[tuple[str, ...], int], list[str]]:
    """Read a YAML file that holds a mapping.

    Parameters
    ----------
    path
    named_by
        What named the file, for the message when it is missing: `"--config"`.

    Returns
    -------
    tuple
        The mapping; the line of each key, by its path; and what is wrong with single keys (given twice, not text).

    Raises
    ------
    SettingsError
        If the file cannot be read, is malformed, or holds something else than a mapping.
    """
    text = _read(path, named_by)
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}, {}, []
        if not isinstance(node, yaml.MappingNode):
            kind = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
            raise SettingsError(
                f"{path}:{node.start_mark.line + 1} holds {kind}, but settings are a mapping of keys to values"
            )
        reader = _Reader(loader, path)
        return reader.mapping(node, ()), reader.lines, reader.problems
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise SettingsError(f"{where} is malformed YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is malformed YAML: {' '.join(str(error).split())}") from error
    finally:
        loader.dispose()


def _read(path: Path, named_by: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"there is no configuration file {str(path)!r}, which {named_by} names") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(
            f"cannot read the configuration file {str(path)!r}, which {named_by} names: {reason}"
        ) from error


class _Reader:
    """Turns nodes into values and keeps the line of each key."""

    def __init__(self, loader: yaml.SafeLoader, file: Path) -> None:
        self.loader = loader
        self.file = file
        self.lines: dict[tuple[str, ...], int] = {}
        self.problems: list[str] = []

    def mapping(self, node: yaml.MappingNode, path: tuple[str, ...]) -> dict[str, object]:
        self.loader.flatten_mapping(node)
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self.loader.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                self.problems.append(
                    f"key {join_path((*path, key))} ({self.file}:{line}) has to be text: put it in quotes"
                )
                continue
            inner = (*path, key)
            if key in result:
                self.problems.append(
                    f"key {join_path(inner)} is given twice ({self.file}:{self.lines[inner]} and {self.file}:{line})"
                )
                continue
            self.lines[inner] = line
            if isinstance(value_node, yaml.MappingNode):
                result[key] = self.mapping(value_node, inner)
            else:
                result[key] = self.loader.construct_object(value_node, deep=True)
        return result
