"""Shutdown: in reverse order of building, once, and nothing runs afterwards."""

from __future__ import annotations

import asyncio

import pytest
from dependency_injector import providers

from latebind.containers import Container
from latebind.errors import ShutdownError


@pytest.fixture
def logged(fake, monkeypatch):
    """A container whose own backend, like its executors, notes its shutdown."""
    from latebind.runtime.executor import LazyGraphExecutor

    log: list[str] = []
    close = LazyGraphExecutor.close

    def close_and_note(executor):
        log.append(f"executor of {executor.backend.label}")
        close(executor)

    container = Container(name="test", backend=providers.Factory(fake, "own", log))
    monkeypatch.setattr(container.executor, "_shutdown", close_and_note)
    return container, log


def test_executors_are_closed_before_backends_the_newest_first(logged, fake):
    container, log = logged
    container.executor()
    with container.backend.override(providers.Factory(fake, "other", log)):
        container.executor()
    container.close()
    assert log == ["executor of other", "other", "executor of own", "own"]


def test_closing_twice_does_it_once(logged):
    container, log = logged
    container.executor()
    container.close()
    container.close()
    assert log == ["executor of own", "own"]
    assert container.closed


def test_an_instance_that_was_handed_over_stays_its_owners(build, fake):
    backend = fake()
    container = build()
    with container.backend.override(backend):
        executor = container.executor()
    container.close()
    assert executor.closed
    assert backend.log == []


@pytest.mark.parametrize(
    "name", ["backend", "executor", "namespace", "ir_builder", "computation_cache", "lowering_context"]
)
@pytest.mark.parametrize("used_before", [True, False])
def test_later_use_is_an_error(container, name, used_before):
    if used_before:
        container.executor()
    container.close()
    with pytest.raises(ShutdownError, match="container 'test' is closed"):
        getattr(container, name)()


def test_a_held_slot_raises_too(container):
    slot = container.slot()
    slot.get()
    container.close()
    with pytest.raises(ShutdownError):
        slot.get()


def test_settings_and_metrics_can_still_be_read(container):
    metrics = container.executor().metrics
    container.close()
    assert container.metrics() is metrics
    assert container.settings().backend.name == "numpy"


def test_an_unused_container_closes(build):
    build().close()


def test_all_is_shut_down_when_one_shutdown_fails(fake):
    log: list[str] = []

    class Failing(fake):
        def prepare_to_exit(self):
            super().prepare_to_exit()
            raise OSError(f"{self.label} failed")

    container = Container(name="test", backend=providers.Factory(Failing, "first", log))
    container.executor()
    container.backend.override(providers.Factory(Failing, "second", log))
    with pytest.raises(OSError, match="second failed"):
        container.close()
    assert log == ["second", "first"]
    container.close()


def test_aclose_closes_from_a_coroutine(container):
    executor = container.executor()
    asyncio.run(container.aclose())
    assert executor.closed and container.closed


def test_what_is_built_while_the_container_closes_is_shut_down_at_once(container, fake):
    log: list[str] = []
    container.close()
    container.lifecycle().add(lambda: log.append("late"))
    assert log == ["late"]
