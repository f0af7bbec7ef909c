"""`with container:` and the process default."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from latebind.backends.registrar import BackendRegistrar, get_backend, get_ir_builder, has_backend
from latebind.containers import default_container, process_default
from latebind.errors import BackendNotRegisteredError, ShutdownError
from latebind.runtime.current import current_executor

pytestmark = pytest.mark.usefixtures("fresh_default")


def test_the_block_makes_a_container_current(build):
    outer, inner = build(), build()
    with outer:
        assert current_executor() is outer.executor()
        with inner, outer:
            assert current_executor() is outer.executor()
        assert current_executor() is outer.executor()
    assert current_executor() is default_container().executor()
    assert not outer.closed


def test_an_override_is_seen_inside_the_block(container, fake):
    with container:
        executor = current_executor()
        with container.backend.override(fake()) as backend:
            assert current_executor().backend is backend
        assert current_executor() is executor


def test_each_task_has_its_own_current_container(build):
    one, two = build(), build()

    async def inside(container):
        with container:
            await asyncio.sleep(0)
            return current_executor() is container.executor()

    async def both():
        return await asyncio.gather(inside(one), inside(two))

    assert asyncio.run(both()) == [True, True]


def test_a_closed_container_cannot_be_entered(container):
    container.close()
    with pytest.raises(ShutdownError, match="container 'test' is closed"), container:
        pass


def test_the_default_is_built_once_by_many_threads():
    found = []
    start = threading.Barrier(8)

    def ask():
        start.wait()
        found.append((default_container(), current_executor()))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, (container for container, _ in found)))) == 1
    assert len(set(map(id, (executor for _, executor in found)))) == 1


def test_the_default_registers_its_backend_when_it_is_built():
    assert not has_backend()
    executor = current_executor()
    assert get_backend() is executor.backend
    default_container().close()
    with pytest.raises(BackendNotRegisteredError):
        get_backend()


def test_a_registration_overrides_the_default(fake):
    before = current_executor()
    with BackendRegistrar(fake()) as registrar:
        assert current_executor().backend is registrar.backend is default_container().backend()
        assert default_container().ir_builder() is get_ir_builder()
    assert current_executor() is before


def test_a_registration_before_the_default_is_built_comes_first(fake):
    with BackendRegistrar(fake()) as registrar:
        assert current_executor().backend is registrar.backend
    assert not has_backend()
    assert current_executor().backend is get_backend()


def test_an_override_of_the_default_is_a_registration(fake):
    before = current_executor()
    override = default_container().backend.override(fake("override"))
    assert get_backend().label == "override"
    with BackendRegistrar(fake("registration")):
        override.end()
        assert get_backend().label == current_executor().backend.label == "registration"
    assert current_executor() is before


def test_a_registration_leaves_other_containers_alone(container, fake):
    with BackendRegistrar(fake()), container:
        assert current_executor().backend is container.backend()
        assert not hasattr(container.backend(), "label")


def test_a_closed_default_is_replaced_at_the_next_use():
    first = default_container()
    first.close()
    second = default_container()
    assert second is not first
    assert current_executor() is second.executor()


def test_a_container_can_be_the_default_meanwhile_for_threads_and_the_cell(build, fake):
    before = current_executor()
    container = build()
    with process_default(container):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(current_executor()))
        thread.start()
        thread.join()
        assert seen == [container.executor()] and get_backend() is container.backend()
        with container.backend.override(fake()):
            assert get_backend().label == current_executor().backend.label == "fake"
        assert get_backend() is container.backend() is current_executor().backend
    assert current_executor() is before and get_backend() is before.backend
    assert container.backend() is container.executor().backend


def test_several_containers_take_turns_as_the_default(build, fake):
    one, two = build(), build()
    with two.backend.override(fake("early")), process_default(one):
        with process_default(two):
            assert get_backend().label == current_executor().backend.label == "early"
        assert get_backend() is current_executor().backend is one.backend()
    assert not has_backend()


def test_the_default_is_closed_when_the_interpreter_exits():
    program = (
        "from latebind.containers import default_container\n"
        "from latebind.backends.numpy.backend import NumpyBackend\n"
        "NumpyBackend.prepare_to_exit = lambda self: print('closed')\n"
        "default_container().executor()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "closed\n"
