"""What observers of an executor are told, and that they cannot disturb it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

import latebind as lb
from latebind.runtime.events import Event, GraphCompiled, RecordingRun, Synced, Transferred, VariantCompiled
from latebind.runtime.executor import LazyGraphExecutor
from latebind.settings import load_settings


@pytest.fixture
def container() -> Iterator[object]:
    container = lb.Container(name="watched", settings=load_settings(overrides={"backend": {"name": "numpy"}}))
    with container:
        yield container
    container.close()


@pytest.fixture
def executor(container: object) -> LazyGraphExecutor:
    return container.executor()  # type: ignore[attr-defined,no-any-return]


def step(x: lb.Array, rate: float = 0.1) -> lb.Array:
    y = x * rate + x
    lb.mark_step()
    return y


def seen_in(executor: LazyGraphExecutor, calls: int, x: lb.Array) -> list[Event]:
    seen: list[Event] = []
    with executor.events.watched_by(seen.append):
        for _ in range(calls):
            step(x)
    return seen


def test_each_recording_that_runs_is_told_with_how_it_ran(executor: LazyGraphExecutor) -> None:
    x = lb.ones((4, 4))
    lb.sync(x)
    runs = [event for event in seen_in(executor, 12, x) if isinstance(event, RecordingRun)]
    assert len(runs) == 12
    assert [event.how for event in runs] == ["interpreted"] * 6 + ["computation"] * 6
    assert [event.number for event in runs] == sorted({event.number for event in runs})
    for event in runs:
        assert event.opened <= event.closed <= event.start <= event.end
        assert (event.variant is None) == (event.how == "interpreted")
        assert event.tape.ident == threading.get_ident()


def test_a_compilation_is_told_once_with_its_reason(executor: LazyGraphExecutor) -> None:
    x = lb.ones((4, 4))
    seen = seen_in(executor, 12, x)
    (compiled,) = (event for event in seen if isinstance(event, VariantCompiled))
    assert compiled.reason == "new"
    assert not compiled.earlier
    (graph,) = (event for event in seen if isinstance(event, GraphCompiled) and not event.kernel)
    assert graph.operations == 2
    assert compiled.start <= graph.start <= graph.lowered <= graph.end <= compiled.end
    assert "test_events.py" in graph.line(0)


def test_a_scalar_that_varies_is_the_reason(executor: LazyGraphExecutor) -> None:
    x = lb.ones((4, 4))
    seen_in(executor, 12, x)
    seen: list[Event] = []
    with executor.events.watched_by(seen.append):
        step(x, 0.2)
    (compiled,) = (event for event in seen if isinstance(event, VariantCompiled))
    assert compiled.reason == "scalars"
    assert len(compiled.earlier) == 1


def test_reads_and_steps_are_told(executor: LazyGraphExecutor) -> None:
    seen: list[Event] = []
    with executor.events.watched_by(seen.append):
        x = lb.asarray([1.0, 2.0])
        float((x + 1).sum())
        lb.mark_step()
        lb.sync(x + 2)
        lb.wait_device_ops()
    assert [event.cause for event in seen if isinstance(event, Synced)] == [
        "value",
        "mark_step",
        "sync",
        "wait_device_ops",
    ]
    assert [event.to_device for event in seen if isinstance(event, Transferred)] == [True, False]


def test_a_recording_on_the_worker_is_told_from_there() -> None:
    settings = load_settings(
        overrides={"backend": {"name": "numpy", "interpretations": 0}, "execution": {"asynchronous": "always"}}
    )
    container = lb.Container(name="queued", settings=settings)
    with container:
        told: list[tuple[RecordingRun, int]] = []

        def observe(event: Event) -> None:
            if isinstance(event, RecordingRun):
                told.append((event, threading.get_ident()))

        with container.executor().events.watched_by(observe):
            step(lb.ones((4, 4)))
            lb.wait_device_ops()
        ((event, thread),) = told
        assert event.how == "queued"
        assert event.tape.ident == threading.get_ident() != thread
    container.close()


def test_every_short_call_is_told_while_somebody_watches_and_counted_once(executor: LazyGraphExecutor) -> None:
    double = lb.compile(lambda x: x * 2)
    x = lb.ones((3,))
    for _ in range(10):
        double(x)
    seen: list[Event] = []
    with executor.events.watched_by(seen.append):
        for _ in range(7):
            double(x)
    for _ in range(10):
        double(x)
    assert sum(isinstance(event, RecordingRun) for event in seen) == 7
    assert executor.metrics.counter("CapturedCalls") == 27


def test_what_an_observer_raises_is_logged_and_does_not_reach_the_program(
    executor: LazyGraphExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("broken observer")

    with executor.events.watched_by(fail):
        assert float(lb.ones((2,)).sum()) == 2.0
    assert "broken observer" in caplog.text


def test_observers_leave_in_any_order(executor: LazyGraphExecutor) -> None:
    first: list[Event] = []
    second: list[Event] = []
    executor.events.watch(first.append)
    executor.events.watch(second.append)
    executor.events.unwatch(first.append)
    executor.events.unwatch(first.append)
    step(lb.ones((2,)))
    executor.events.unwatch(second.append)
    step(lb.ones((2,)))
    assert not first
    assert sum(isinstance(event, RecordingRun) for event in second) == 1
    assert executor.events.observers == ()
