"""Containers to draw in: the reference backend's, current for every test, and XLA's where a test compares the two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.engines import STRICT, is_installed

from latebind import build_container
from latebind.injection.container import BoundContainer

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def container() -> Iterator[BoundContainer]:
    with build_container(backend="numpy", seed=11) as made:
        yield made
    made.close()


@pytest.fixture(scope="session")
def torch() -> Iterator[BoundContainer]:
    """A container of PyTorch, whose unsigned words are emulated; not the current one."""
    if not is_installed("torch") and not STRICT:
        pytest.skip("torch is not installed")
    made = build_container(backend="torch", seed=11)
    yield made
    made.close()


@pytest.fixture(scope="session")
def xla() -> Iterator[BoundContainer]:
    """A container of XLA; not the current one."""
    if not is_installed("jax") and not STRICT:
        pytest.skip("jax is not installed")
    made = build_container(backend={"name": "xla", "persistent_cache": False}, seed=11)
    yield made
    made.close()
