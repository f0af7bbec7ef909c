from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from latebind import containers
from latebind.backends.numpy.backend import NumpyBackend
from latebind.injection.container import BoundContainer


class FakeBackend(NumpyBackend):
    """The NumPy backend, with a name of its own for each instance and a note of its shutdown."""

    def __init__(self, label: str = "fake", log: list[str] | None = None) -> None:
        super().__init__()
        self.label = label
        self.log = log if log is not None else []

    def prepare_to_exit(self) -> None:
        super().prepare_to_exit()
        self.log.append(self.label)


@pytest.fixture
def fake() -> type[FakeBackend]:
    return FakeBackend


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Iterator[Callable[..., BoundContainer]]:
    """Build containers that are closed at the end, away from the working folder's `.env`."""
    monkeypatch.chdir(tmp_path)
    built: list[BoundContainer] = []

    def build_one(*args, **kwargs) -> BoundContainer:
        built.append(containers.build_container(*args, **kwargs))
        return built[-1]

    yield build_one
    for container in reversed(built):
        container.close()


@pytest.fixture
def container(build: Callable[..., BoundContainer]) -> BoundContainer:
    return build(name="test")


@pytest.fixture
def fresh_default(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Iterator[None]:
    """No process default container before and after."""
    monkeypatch.chdir(tmp_path)
    _close_default()
    yield
    _close_default()


def _close_default() -> None:
    if containers._default is not None:
        containers._default.close()
