"""Wiring: a module gets its objects from one container, and web frameworks stay unloaded."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from latebind.errors import WiringError

CONSUMER = """
from latebind.containers import Container
from latebind.injection.library import Provide, inject

@inject
def used(executor=Provide[Container.executor], metrics=Provide[Container.metrics]):
    return executor, metrics

class Service:
    @inject
    def __init__(self, settings=Provide[Container.settings]):
        self.settings = settings
"""


@pytest.fixture
def consumer(tmp_path, monkeypatch) -> ModuleType:
    """A package of the user's with a module that is given its objects."""
    package = tmp_path / "consumers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "consumer.py").write_text(CONSUMER)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("consumers", "consumers.consumer"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import consumers.consumer

    return consumers.consumer


def test_objects_are_injected_and_follow_an_override(container, consumer, fake):
    container.wire(modules=[consumer])
    executor, metrics = consumer.used()
    assert (executor, metrics) == (container.executor(), container.metrics())
    assert consumer.Service().settings is container.settings()
    with container.backend.override(fake()) as backend:
        assert consumer.used()[0].backend is backend
    assert consumer.used()[0] is executor


def test_a_second_container_is_refused_and_the_first_stays(build, consumer):
    one, two = build(name="one"), build(name="two")
    one.wire(modules=[consumer])
    with pytest.raises(WiringError, match=r"container 'two' cannot wire consumers\.consumer: container 'one'"):
        two.wire(modules=["consumers.consumer"])
    assert consumer.used()[0] is one.executor()


@pytest.mark.parametrize("package_first", [True, False])
def test_a_package_and_a_module_in_it_collide(build, consumer, package_first):
    import consumers

    one, two = build(), build()
    first, second = ({"packages": [consumers]}, {"modules": [consumer]})[:: 1 if package_first else -1]
    one.wire(**first)
    with pytest.raises(WiringError):
        two.wire(**second)


@pytest.mark.parametrize("end", ["unwire", "close"])
def test_unwiring_or_closing_frees_the_module(build, consumer, end):
    one, two = build(), build()
    one.wire(modules=[consumer])
    getattr(one, end)()
    two.wire(modules=[consumer])
    assert consumer.used()[0] is two.executor()


def test_a_container_may_wire_a_module_again(container, consumer):
    container.wire(modules=[consumer])
    container.wire(modules=[consumer])
    assert consumer.used()[0] is container.executor()


def run(program: str, tmp_path) -> str:
    """Run a program in a process that finds packages which note that they are imported."""
    for name in ("fastapi", "starlette", "werkzeug", "fast_depends"):
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").write_text(f"print('imported {name}')")
    (tmp_path / "fastapi" / "params.py").write_text(
        "class Depends:\n    def __init__(self, dependency): self.dependency = dependency\n"
    )
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_building_a_container_imports_no_web_framework(tmp_path):
    assert run("from latebind.containers import build_container; build_container().executor()", tmp_path) == ""


def test_a_web_framework_that_is_imported_later_is_recognised(tmp_path):
    program = (
        "from latebind.injection.library import Provide, inject\n"
        "from latebind.containers import Container\n"
        "from fastapi.params import Depends\n"
        "@inject\n"
        "def endpoint(metrics=Depends(Provide[Container.metrics])): return metrics\n"
        "container = Container()\n"
        "container.wire(modules=[__name__])\n"
        "assert endpoint() is container.metrics(), endpoint()\n"
    )
    assert run(program, tmp_path) == "imported fastapi\n"
