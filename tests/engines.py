"""Which engines a test needs: a missing one is a failure where all have to be there, and a skip elsewhere."""

from __future__ import annotations

import importlib.util
import os

import pytest

#: Set by CI services, and by .ci/run.
STRICT = os.environ.get("CI", "").lower() in ("1", "true")


def is_installed(module: str) -> bool:
    """Whether an engine can be imported; found without importing it."""
    return importlib.util.find_spec(module) is not None


def ignored_without(module: str) -> list[str]:
    """Return what a conftest's `collect_ignore_glob` has to be: everything beside it where an engine is missing.

    Raises
    ------
    pytest.UsageError
        Where every engine has to be there.
    """
    if is_installed(module):
        return []
    if STRICT:
        raise pytest.UsageError(f"{module} is not installed, but CI runs every backend: install the engines' extras")
    return ["test_*.py"]


def need(module: str) -> None:
    """Skip a test where an engine is missing, or fail where every engine has to be there."""
    if ignored_without(module):
        pytest.skip(f"{module} is not installed")
