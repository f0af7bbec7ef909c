from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.unit.profiling.trace_format import checked

import latebind as lb
from latebind.injection.container import BoundContainer


@pytest.fixture
def make_container() -> Iterator[Callable[..., BoundContainer]]:
    """Build containers with given settings, and close them at the end."""
    made: list[BoundContainer] = []

    def make(backend: object = "numpy", **overrides: object) -> BoundContainer:
        made.append(lb.build_container(backend=backend, **overrides))
        return made[-1]

    yield make
    for container in made:
        container.close()


@pytest.fixture
def container(make_container: Callable[..., BoundContainer]) -> Iterator[BoundContainer]:
    """The current container: NumPy's backend, everything in the caller's thread."""
    container = make_container(execution={"asynchronous": "never"})
    with container:
        yield container


@pytest.fixture
def trace(tmp_path):
    """Path of a trace, and a function that reads it back and checks its format."""
    path = tmp_path / "out.json"
    return path, lambda: checked(path)
