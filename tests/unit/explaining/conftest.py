from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import latebind as lb
from latebind.injection.container import BoundContainer


@pytest.fixture
def make_container() -> Iterator[Callable[..., BoundContainer]]:
    """Build containers in which every graph is compiled when it is first seen, and close them at the end."""
    made: list[BoundContainer] = []

    def make(**overrides: object) -> BoundContainer:
        settings = {"backend": {"name": "numpy", "interpretations": 0}, **overrides}
        made.append(lb.build_container(**settings))
        return made[-1]

    yield make
    for container in made:
        container.close()


@pytest.fixture
def container(make_container: Callable[..., BoundContainer]) -> Iterator[BoundContainer]:
    """The current container."""
    with make_container() as current:
        yield current
