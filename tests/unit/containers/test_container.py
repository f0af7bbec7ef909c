"""What a container builds, and from what."""

from __future__ import annotations

import pytest

from latebind.containers import Container
from latebind.errors import BackendUnavailableError, SettingsError
from latebind.settings import load_settings


def test_every_object_is_built_once(container):
    for name in ("settings", "backend", "ir_builder", "computation_cache", "metrics", "tracer", "executor"):
        provider = getattr(container, name)
        assert provider() is provider(), name


def test_the_executor_is_built_from_the_containers_objects(container):
    executor = container.executor()
    assert executor.backend is container.backend()
    assert executor.metrics is container.metrics()
    assert executor.tracer is container.tracer()
    assert executor.cache is container.computation_cache()
    assert executor.name == "test"


def test_the_executor_gets_the_values_of_the_settings(build):
    container = build(
        eager=True,
        deterministic=True,
        fallback="error",
        seed=3,
        default_dtype={"real": "float32"},
        recording={"limit": 7, "source_lines": False},
        cache={"max_entries": 5},
        execution={"asynchronous": "never", "queue_size": 2, "inline_below_us": 1.5},
        tracing={"show": ["ir"]},
    )
    options = container.executor().options
    assert (options.eager, options.deterministic, options.fallback, options.seed) == (True, True, "error", 3)
    assert (options.default_real, options.default_integral) == ("float32", "int64")
    assert (options.recording_limit, options.source_lines) == (7, False)
    assert (options.asynchronous, options.queue_size, options.inline_below_us) == ("never", 2, 1.5)
    assert container.computation_cache().max_entries == 5
    assert container.tracer().show == ("ir",)


def test_the_backend_gets_its_own_settings(build):
    backend = build(backend={"name": "numpy", "devices": 3}).backend()
    assert [str(device) for device in backend.backend_devices()] == ["cpu:0", "cpu:1", "cpu:2"]
    assert backend.settings.devices == 3


def test_auto_is_resolved_once(build):
    container = build(backend="auto")
    assert container.backend() is container.backend()
    assert container.backend().name in {"numpy", "xla", "torch", "tiered"}


def test_lowering_contexts_are_made_in_both_forms(container):
    backend = container.backend()
    device = backend.backend_device()
    empty = container.lowering_context("name", device)
    assert (empty.name, empty.device, empty.emitted_node_count) == ("name", device, 0)
    node = container.ir_builder().make_scalar(1.0, "float64")
    full = container.lowering_context("name", device, [node], {})
    assert full.emitted_node_count == 1
    assert container.lowering_context("name", device) is not empty


def test_two_containers_share_nothing(build):
    one, two = build(), build()
    for name in ("backend", "ir_builder", "computation_cache", "metrics", "tracer", "executor", "lifecycle"):
        assert getattr(one, name)() is not getattr(two, name)(), name
    assert one.name() != two.name()


def test_wrong_settings_are_found_when_the_container_is_built(build, tmp_path):
    config = tmp_path / "wrong.yaml"
    config.write_text("eagr: 1")
    with pytest.raises(SettingsError, match="unknown key 'eagr'"):
        build(config)


def test_a_backend_by_dotted_path_needs_no_change_here(build, tmp_path, monkeypatch):
    (tmp_path / "their_backend.py").write_text(
        "from latebind.backends.numpy.backend import NumpyBackend\n"
        "class Theirs(NumpyBackend):\n"
        "    def __init__(self, settings=None):\n"
        "        super().__init__()\n"
        "        self.options = settings\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    backend = build(backend={"name": "their_backend:Theirs", "level": 3}).backend()
    assert (type(backend).__name__, backend.options.level) == ("Theirs", 3)


def test_a_backend_that_cannot_be_loaded_is_named(build):
    with pytest.raises(BackendUnavailableError, match=r"'no_such_module:Backend' .dotted path. cannot be loaded"):
        build(backend="no_such_module:Backend")


def test_settings_can_be_handed_over(build, fake):
    settings = load_settings(None, {"seed": 5}, environ={}, dotenv=None)
    container = Container(name="own", settings=settings, backend=fake())
    assert container.executor().options.seed == 5
    assert container.executor().backend.label == "fake"
    container.close()


def test_a_container_can_be_extended(fake):
    from latebind.injection.library import providers

    class Application(Container):
        service = providers.Factory(dict, executor=Container.executor, metrics=Container.metrics)

    application = Application(name="application")
    try:
        service = application.service()
        assert service["executor"] is application.executor()
        with application.backend.override(fake()) as backend:
            assert application.service()["executor"].backend is backend
    finally:
        application.close()


def test_the_reference_backend_is_made_only_when_asked_for(container):
    first = container.reference_backend()
    assert first.name == "numpy"
    assert first is not container.backend()
    assert container.reference_backend() is first
