"""The shadow backend by configuration."""

from __future__ import annotations

import numpy as np

from latebind.containers import build_container


def test_a_program_runs_on_it_and_closing_the_container_closes_both_parts(tmp_path, monkeypatch):
    config = tmp_path / "shadow.yaml"
    config.write_text(
        "backend:\n  name: shadow\n  rtol: 1.0e-6\n  primary:\n    name: numpy\n    interpretations: 0\n"
        "  reference: {name: numpy, reuse_buffers: false}\n  on_mismatch: warn\n"
    )
    container = build_container(config, backend={"name": "shadow"})
    backend = container.backend()
    assert (backend.name, backend.primary.name, backend.reference.name) == ("shadow", "numpy", "numpy")
    assert (backend.interpretations, backend.tolerance.rtol, backend.on_mismatch) == (0, 1e-6, "warn")
    x = container.namespace().asarray([1.0, 2.0])
    assert np.array_equal(np.asarray(x + x), [2.0, 4.0])
    assert backend.counters["ShadowComparisons"] == 1
    closed = []
    for part in (backend.primary, backend.reference):
        monkeypatch.setattr(part, "prepare_to_exit", lambda part=part: closed.append(part))
    container.close()
    assert closed == [backend.reference, backend.primary]


def test_the_parts_are_named_by_the_environment(monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND", "shadow")
    monkeypatch.setenv("LATEBIND_BACKEND__PRIMARY", "numpy")
    monkeypatch.setenv("LATEBIND_BACKEND__PRIMARY__DEVICES", "2")
    container = build_container()
    try:
        assert [str(device) for device in container.backend().backend_devices()] == ["cpu:0", "cpu:1"]
    finally:
        container.close()
