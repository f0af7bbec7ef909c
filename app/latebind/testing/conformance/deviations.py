"""Declared deviations: cases that are known to differ, by pattern."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern with `*` and `?` matches a case's name.

    Brackets, which names are full of, stand for themselves.
    """
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def matching(name: str, deviations: Mapping[str, str]) -> list[str]:
    """Return the declared patterns that match a case's name."""
    return [pattern for pattern in deviations if matches(name, pattern)]
