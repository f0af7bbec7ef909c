from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

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
    """The current container: every graph is compiled at its first sight, in the caller's thread."""
    container = make_container(
        {"name": "numpy", "interpretations": 0}, recording={"direct": False}, execution={"asynchronous": "never"}
    )
    with container:
        yield container


@pytest.fixture
def lines() -> Callable[[Callable[..., object], str], str]:
    """A function from a function and a part of one of its lines to what an explanation calls that line."""
    import inspect
    import os

    def find(function: Callable[..., object], part: str) -> str:
        source, first = inspect.getsourcelines(function)
        number = next(number for number, line in enumerate(source, first) if part in line)
        return f"{os.path.relpath(inspect.getsourcefile(function) or '')}:{number}"

    return find
