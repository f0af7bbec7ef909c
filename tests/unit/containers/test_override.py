"""Overriding the backend: every derived object follows at once, and the old ones come back."""

from __future__ import annotations

import threading

import pytest
from dependency_injector import providers
from dependency_injector.errors import Error

DERIVED = ("executor", "ir_builder", "computation_cache", "lowering_contexts", "namespace")


def objects(container):
    return {name: getattr(container, name)() for name in DERIVED}


def test_every_derived_object_follows_and_comes_back(container, fake):
    before = objects(container)
    backend = fake()
    with container.backend.override(backend) as given:
        assert given is backend is container.backend()
        inside = objects(container)
        assert all(inside[name] is not before[name] for name in DERIVED if name != "lowering_contexts")
        assert inside["executor"].backend is backend
        assert container.lowering_context("name", backend.backend_device()).name == "name"
    after = objects(container)
    assert all(after[name] is before[name] for name in DERIVED if name != "lowering_contexts")


def test_an_override_before_first_use_leaves_nothing_behind(container, fake):
    with container.backend.override(fake()) as backend:
        assert container.executor().backend is backend
    assert container.executor().backend is not backend


def test_the_old_executor_returns_with_its_cache_and_so_does_the_fakes(container, fake):
    backend = fake()
    executor = container.executor()
    with container.backend.override(backend):
        inside = container.executor()
    assert container.executor() is executor
    assert container.executor().cache is container.computation_cache()
    with container.backend.override(backend):
        assert container.executor() is inside


def test_metrics_and_tracer_are_the_containers_whatever_the_backend(container, fake):
    metrics = container.metrics()
    with container.backend.override(fake()):
        assert container.executor().metrics is metrics


def test_nested_overrides_left_out_of_order_remove_themselves_only(container, fake):
    first = container.backend.override(fake("first"))
    second = container.backend.override(fake("second"))
    third = container.backend.override(fake("third"))
    first.end()
    assert container.executor().backend.label == "third"
    third.end()
    assert container.executor().backend.label == "second"
    second.end()
    second.end()
    assert container.backend().name == "numpy"
    assert container.backend.overridden == ()


def test_the_same_instance_overriding_twice_counts_twice(container, fake):
    backend = fake()
    outer, inner = container.backend.override(backend), container.backend.override(backend)
    outer.end()
    assert container.backend() is backend
    inner.end()
    assert container.backend() is not backend


@pytest.mark.parametrize("kind", [providers.Factory, providers.Singleton])
def test_a_provider_is_called_once_per_override(container, fake, kind):
    made = []

    def make():
        made.append(fake())
        return made[-1]

    with container.backend.override(kind(make)):
        assert container.backend() is container.backend()
        assert container.executor().backend is made[0]
    assert len(made) == 1


def test_the_librarys_own_ways_of_ending_an_override_work(container, fake):
    container.backend.override(fake("one"))
    container.backend.override(fake("two"))
    assert container.backend.last_overriding is container.backend.overridden[-1]
    container.backend.reset_last_overriding()
    assert container.backend().label == "one"
    container.backend.override(fake("three"))
    container.backend.reset_override()
    assert container.backend().name == "numpy" and not hasattr(container.backend(), "label")
    with pytest.raises(Error, match="is not overridden"):
        container.backend.reset_last_overriding()
    with container.override_providers(backend=fake("four")):
        assert container.executor().backend.label == "four"
    assert not hasattr(container.executor().backend, "label")


@pytest.mark.parametrize("wrong", ["numpy", None, dict])
def test_only_backends_override(container, wrong):
    with pytest.raises(TypeError, match="an instance of Backend, or a provider of one"):
        container.backend.override(wrong)
    assert container.backend.overridden == ()


def test_an_override_in_one_container_is_unseen_in_another(build, fake):
    one, two = build(), build()
    with one.backend.override(fake()):
        assert not hasattr(two.backend(), "label")


def test_a_slot_that_is_held_follows(container, fake):
    slot = container.slot()
    executor = slot.get()
    with container.backend.override(fake()) as backend:
        assert slot.get().backend is backend
    assert slot.get() is executor


def test_an_override_is_seen_on_all_threads(container, fake):
    seen = []
    with container.backend.override(fake()):
        thread = threading.Thread(target=lambda: seen.append(container.slot().get().backend.label))
        thread.start()
        thread.join()
    assert seen == ["fake"]


def test_concurrent_overrides_and_use(container, fake):
    """Whoever asks meanwhile gets an executor and a builder of one backend, and at the end the first ones are back."""
    first, slot = container.executor(), container.slot()
    fakes = [fake(str(number)) for number in range(3)]
    failures: list[BaseException] = []
    start, done = threading.Barrier(5), threading.Event()

    def override(backend) -> None:
        start.wait()
        for _ in range(300):
            with container.backend.override(backend):
                assert container.backend() in fakes

    def use() -> None:
        start.wait()
        while not done.is_set():
            for executor in (container.executor(), slot.get()):
                assert executor.backend in (*fakes, first.backend)
                assert container.executor.of(executor.backend) is executor
                assert container.ir_builder.of(executor.backend) is executor.backend.ir_builder()

    def guarded(function, *arguments) -> None:
        try:
            function(*arguments)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=guarded, args=(override, backend)) for backend in fakes]
    readers = [threading.Thread(target=guarded, args=(use,)) for _ in range(2)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    assert container.executor() is slot.get() is first
