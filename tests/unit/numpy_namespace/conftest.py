"""Both backends that the namespace is tested on, each with a container of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from latebind.containers import build_container

BACKENDS: dict[str, Any] = {"numpy": {"name": "numpy"}, "xla": {"name": "xla", "persistent_cache": False}}


@pytest.fixture(scope="session")
def containers() -> Iterator[dict[str, Any]]:
    built: dict[str, Any] = {}
    yield built
    for container in built.values():
        container.close()


def container_of(built: dict[str, Any], name: str) -> Any:
    if name == "xla":
        pytest.importorskip("jax")
    if name not in built:
        built[name] = build_container(backend=BACKENDS[name], name=name)
    return built[name]


@pytest.fixture
def container(containers: dict[str, Any]) -> Iterator[Any]:
    """A container on the reference backend, the current one."""
    with container_of(containers, "numpy") as current:
        yield current


@pytest.fixture
def recording_container() -> Iterator[Any]:
    """A container on the reference backend that records whatever the tests before made of it."""
    with build_container(backend="numpy", recording={"direct": False}, name="recording") as current:
        yield current
    current.close()


@pytest.fixture(params=sorted(BACKENDS))
def any_container(request: pytest.FixtureRequest, containers: dict[str, Any]) -> Iterator[Any]:
    """A container on each backend, the current one."""
    with container_of(containers, request.param) as current:
        yield current
