"""`latebind doctor`: what it prints, and its exit codes. What a backend does to its probe is tested with the probe."""

from __future__ import annotations

import pytest

from latebind.backends import registry
from latebind.backends.registry import BUILT_IN, BackendSpec, default_catalogue
from latebind.diagnosis import engines


@pytest.fixture(autouse=True)
def few_backends(monkeypatch):
    """`numpy`, and one whose engine is missing: each of the others would load its engine."""
    numpy = next(spec for spec in BUILT_IN if spec.name == "numpy")
    torch = next(spec for spec in BUILT_IN if spec.name == "torch")
    missing = BackendSpec("torch", "", torch.backend, torch.settings, requires=("no_such_torch",), extra="torch")
    monkeypatch.setattr(registry, "BUILT_IN", (numpy, missing))
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    monkeypatch.setattr(engines, "_NVIDIA", ())
    default_catalogue.cache_clear()
    yield
    monkeypatch.undo()
    default_catalogue.cache_clear()


def test_a_machine_that_is_all_right(latebind):
    outcome = latebind("doctor")
    assert outcome.code == 0
    for text in ("numpy (configured, auto)", "9 of 9 right", "BLAS", "environment variable LATEBIND_BACKEND"):
        assert text in outcome.out
    assert "note backend torch: not installed: no_such_torch not installed" in outcome.out
    assert "→ pip install 'latebind[torch]'" in outcome.out
    assert outcome.out.endswith("Everything that the configuration asks for works: backend numpy.\n")


def test_json_has_every_section(latebind):
    found = latebind("doctor", "--json", "--no-self-test").json
    assert list(found) == [
        "ok",
        "problems",
        "versions",
        "machine",
        "blas",
        "caches",
        "configuration",
        "backends",
        "exit_code",
    ]
    assert (found["ok"], found["exit_code"]) == (True, 0)
    assert found["configuration"]["values"]["backend.name"] == {
        "value": "numpy",
        "source": "environment variable LATEBIND_BACKEND",
    }
    numpy, torch = found["backends"]
    assert (numpy["state"], numpy["configured"], numpy["devices"], numpy["checks"]) == ("works", True, ["cpu:0"], [])
    assert (torch["state"], torch["installed"], torch["extra"]) == ("not installed", False, "torch")
    assert {"severity", "subject", "problem", "remedy"} == set(found["problems"][0])


def test_a_backend_that_is_asked_for_and_not_installed(latebind, monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND", "torch")
    outcome = latebind("doctor", "--no-self-test")
    assert outcome.code == 4
    assert "error backend torch: not installed" in outcome.out


def test_wrong_configuration_is_reported_like_everything_else(latebind, tmp_path):
    (tmp_path / "wrong.yaml").write_text("backend: [")
    outcome = latebind("doctor", "--config", "wrong.yaml", "--no-self-test")
    assert outcome.code == 3
    assert outcome.err == ""
    assert "error configuration: wrong.yaml:1:11 is malformed YAML" in outcome.out
    assert "BLAS" in outcome.out
    found = latebind("doctor", "--config", "wrong.yaml", "--no-self-test", "--json").json
    assert (found["exit_code"], found["ok"], found["configuration"]["values"]) == (3, False, {})
    assert "malformed YAML" in found["configuration"]["error"]


def test_a_file_that_is_not_there(latebind):
    outcome = latebind("doctor", "--config", "no.yaml", "--no-self-test")
    assert outcome.code == 3
    assert "there is no configuration file 'no.yaml', which --config names" in outcome.out
