"""The process-wide cell: one visible backend, undone in order, safe against concurrent use."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from latebind.backends import registrar
from latebind.backends.interface import LoweringContext
from latebind.backends.registrar import (
    BackendRegistrar,
    get_backend,
    get_ir_builder,
    has_backend,
    observe,
    visible_backend,
)
from latebind.errors import BackendNotRegisteredError


class Stub:
    """As much of a backend as the cell asks for."""

    def __init__(self, name: str = "stub") -> None:
        self.name = name

    def ir_builder(self) -> Any:
        return f"builder of {self.name}"

    def create_lowering_context(self, *arguments: object) -> Any:
        return (self.name, *arguments)


@pytest.fixture(autouse=True)
def empty_cell(monkeypatch):
    monkeypatch.setattr(registrar, "_stack", [])
    monkeypatch.setattr(registrar, "_visible", None)
    monkeypatch.setattr(registrar, "_observers", ())


def test_an_empty_cell_says_so():
    assert not has_backend()
    assert visible_backend() is None
    for ask in (get_backend, get_ir_builder, lambda: LoweringContext.create("name", "device")):
        with pytest.raises(BackendNotRegisteredError, match=r"^Lazy tensor backend not registered\.$"):
            ask()


def test_construction_registers():
    backend = Stub()
    BackendRegistrar(backend)
    assert has_backend()
    assert get_backend() is backend


def test_the_registrar_need_not_be_kept():
    BackendRegistrar(Stub())
    gc.collect()
    assert has_backend()


def test_the_newest_registration_is_visible_and_undone_in_order():
    one, two = Stub("one"), Stub("two")
    first, second = BackendRegistrar(one), BackendRegistrar(two)
    assert get_backend() is two
    second.unregister()
    assert get_backend() is one
    first.unregister()
    assert not has_backend()


def test_a_registration_undone_out_of_order_removes_itself_only():
    one, two = Stub("one"), Stub("two")
    first, second = BackendRegistrar(one), BackendRegistrar(two)
    first.unregister()
    assert get_backend() is two
    assert not first.is_registered and second.is_registered
    second.unregister()
    assert not has_backend()


def test_unregistering_twice_is_harmless():
    backend = Stub()
    first, second = BackendRegistrar(backend), BackendRegistrar(backend)
    second.unregister()
    second.unregister()
    assert get_backend() is backend
    first.unregister()
    assert not has_backend()


def test_as_a_context_manager_it_is_undone_also_after_an_error():
    with BackendRegistrar(Stub("outer")), pytest.raises(ZeroDivisionError), BackendRegistrar(Stub("inner")):
        assert get_backend().name == "inner"
        raise ZeroDivisionError
    assert not has_backend()


def test_a_registration_beneath_is_hidden_by_all_others():
    with BackendRegistrar(Stub("over")) as over, BackendRegistrar(Stub("beneath"), beneath=True):
        assert get_backend().name == "over"
        over.unregister()
        assert get_backend().name == "beneath"


def test_the_ir_builder_follows_the_backend():
    with BackendRegistrar(Stub("one")):
        assert get_ir_builder() == "builder of one"
        with BackendRegistrar(Stub("two")):
            assert get_ir_builder() == "builder of two"
        assert get_ir_builder() == "builder of one"


def test_lowering_contexts_come_from_the_backend_in_both_forms():
    with BackendRegistrar(Stub("one")):
        assert LoweringContext.create("name", "device") == ("one", "name", "device", (), None)
        assert LoweringContext.create("name", "device", ["node"], {}) == ("one", "name", "device", ["node"], {})


@pytest.mark.parametrize("wrong", [Stub, None, "numpy"])
def test_only_an_instance_of_a_backend_is_registered(wrong):
    with pytest.raises(TypeError, match="an instance of"):
        BackendRegistrar(wrong)
    assert not has_backend()


def test_observers_are_told_of_every_change_until_they_stop():
    seen: list[object] = []
    stop = observe(lambda: seen.append(visible_backend()))
    backend = Stub()
    with BackendRegistrar(backend):
        pass
    stop()
    BackendRegistrar(Stub())
    assert seen == [backend, None]


def test_an_observer_may_register_a_backend_itself():
    other = Stub("other")

    def register_once() -> None:
        stop()
        BackendRegistrar(other)

    stop = observe(register_once)
    BackendRegistrar(Stub())
    assert get_backend() is other


def test_concurrent_registration_and_use():
    """While others register and unregister, a reader always gets a whole backend and its own IR builder."""
    ground = Stub("ground")
    failures: list[BaseException] = []
    start, done = threading.Barrier(6), threading.Event()

    def register(number: int) -> None:
        start.wait()
        for round_number in range(2000):
            backend = Stub(f"{number}.{round_number}")
            inner = BackendRegistrar(Stub("inner"))
            with BackendRegistrar(backend) as registration:
                inner.unregister()
                assert registration.is_registered
            assert not registration.is_registered

    def use() -> None:
        start.wait()
        while not done.is_set():
            assert has_backend()
            assert isinstance(get_backend().name, str)
            assert get_ir_builder().startswith("builder of ")
            assert LoweringContext.create("name", "device")[1] == "name"

    def guarded(function, *arguments) -> None:
        try:
            function(*arguments)
        except BaseException as error:
            failures.append(error)

    BackendRegistrar(ground)
    writers = [threading.Thread(target=guarded, args=(register, number)) for number in range(3)]
    readers = [threading.Thread(target=guarded, args=(use,)) for _ in range(3)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    assert get_backend() is ground
    assert len(registrar._stack) == 1
