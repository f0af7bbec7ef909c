"""The tiered backend by configuration."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.containers import build_container
from latebind.settings import load_settings


def test_a_program_runs_on_it_and_closing_the_container_closes_both_parts(tmp_path, monkeypatch):
    config = tmp_path / "tiered.yaml"
    config.write_text(
        "backend:\n  name: tiered\n  baseline: {name: numpy, interpretations: 0}\n  optimizing: numpy\n"
        "  compile_after: 0\n  margin: null\n  synchronous: true\n"
    )
    container = build_container(config, backend={"name": "tiered"})
    backend = container.backend()
    assert (backend.name, backend.baseline.name, backend.optimizing.name) == ("tiered", "numpy", "numpy")
    assert (backend.interpretations, backend.blocking) == (0, True)
    x = container.namespace().asarray([1.0, 2.0])
    assert np.array_equal(np.asarray(x + x), [2.0, 4.0])
    assert backend.ledger.counters()["TierOptimizingRuns"] == 1
    closed = []
    for part in (backend.baseline, backend.optimizing):
        monkeypatch.setattr(part, "prepare_to_exit", lambda part=part: closed.append(part))
    container.close()
    assert closed == [backend.optimizing, backend.baseline]


def test_the_example_has_every_key_with_its_default():
    settings = load_settings("config/tiered.yaml", environ={}, dotenv=None).backend
    shown = settings.model_dump(exclude={"baseline", "optimizing"})
    plain = load_settings(None, {"backend": {"name": "tiered"}}, environ={}, dotenv=None).backend
    assert shown == plain.model_dump(exclude={"baseline", "optimizing"})
    assert set(settings.model_fields_set) == set(type(settings).model_fields)


@pytest.mark.parametrize("deterministic", [False, True])
def test_deterministic_programs_run_on_the_baseline(deterministic):
    parts = {"baseline": {"name": "numpy", "interpretations": 0}, "optimizing": "numpy"}
    container = build_container(
        backend={"name": "tiered", "compile_after": 0, "margin": None, "synchronous": True, **parts},
        deterministic=deterministic,
    )
    try:
        x = container.namespace().asarray([1.0, 2.0])
        assert np.array_equal(np.asarray(x + x), [2.0, 4.0])
        counters = container.backend().ledger.counters()
        assert (counters["TierOptimizingRuns"], counters["TierBaselineRuns"]) == (not deterministic, deterministic)
    finally:
        container.close()


def test_parts_are_named_by_the_environment(monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND", "tiered")
    monkeypatch.setenv("LATEBIND_BACKEND__OPTIMIZING", "numpy")
    monkeypatch.setenv("LATEBIND_BACKEND__OPTIMIZING__DEVICES", "2")
    container = build_container()
    try:
        assert [str(device) for device in container.backend().backend_devices()] == ["cpu:0", "cpu:1"]
        x = container.namespace().asarray([1.0, 2.0], device="cpu:1")
        assert np.array_equal(np.asarray(x * 3.0), [3.0, 6.0])
    finally:
        container.close()
