from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import latebind as lb
from latebind.runtime.events import Event, Transferred
from latebind.settings import load_settings

Make = Callable[..., Any]


@pytest.fixture
def make_container() -> Iterator[Make]:
    """Make containers with settings of their own, and close them at the end."""
    made: list[Any] = []

    def make(backend: str = "numpy", **settings: object) -> Any:
        overrides = {"backend": {"name": backend}, **settings}
        container = lb.Container(name=f"{backend} {len(made)}", settings=load_settings(overrides=overrides))
        made.append(container)
        return container

    yield make
    for container in made:
        container.close()


@pytest.fixture(autouse=True)
def container(make_container: Make) -> Iterator[Any]:
    """Every test has a recording of its own."""
    made = make_container()
    with made:
        yield made


@pytest.fixture
def runs(container: Any) -> list[object]:
    """Everything that the container's executor did, but for taking values from host memory."""
    seen: list[object] = []

    def observe(event: Event) -> None:
        if not (isinstance(event, Transferred) and event.to_device):
            seen.append(event)

    container.executor().events.watch(observe)
    return seen
