"""The extensions `linalg` and `fft` run on the reference, compiled and interpreted, and on XLA."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.engines import STRICT, is_installed

from latebind import build_container
from latebind.injection.container import BoundContainer

ENGINES: dict[str, dict[str, Any]] = {
    "numpy": {"backend": {"name": "numpy", "interpretations": 0}},
    "interpreted": {"backend": {"name": "numpy", "interpretations": 1_000_000}, "recording": {"direct": False}},
    "xla": {"backend": {"name": "xla", "persistent_cache": False}},
}


@pytest.fixture(scope="session", params=ENGINES)
def _container(request: pytest.FixtureRequest) -> Iterator[BoundContainer]:
    if request.param == "xla" and not is_installed("jax") and not STRICT:
        pytest.skip("jax is not installed")
    container = build_container(**ENGINES[request.param])
    yield container
    container.close()


@pytest.fixture(autouse=True)
def container(_container: BoundContainer) -> Iterator[BoundContainer]:
    """Each engine is the current container in turn."""
    with _container:
        yield _container
