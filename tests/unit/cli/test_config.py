"""`latebind config`, `latebind backends`, `latebind version`."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from latebind.backends import registry
from latebind.backends.registry import BUILT_IN, BackendSpec, default_catalogue


def test_show_prints_every_value_with_its_source(latebind, tmp_path, monkeypatch):
    (tmp_path / "settings.yaml").write_text("seed: 3")
    monkeypatch.setenv("LATEBIND_EAGER", "yes")
    outcome = latebind("config", "show", "--config", "settings.yaml")
    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert any("seed" in line and " 3 " in line and "settings.yaml:1" in line for line in lines)
    assert any("eager" in line and "environment variable LATEBIND_EAGER" in line for line in lines)
    assert any("recording.limit" in line and "10000" in line and "default" in line for line in lines)


def test_show_as_json(latebind):
    shown = latebind("config", "show", "--json").json
    assert shown["backend.name"] == {"value": "numpy", "source": "environment variable LATEBIND_BACKEND"}
    assert shown["tracing.show"] == {"value": [], "source": "default"}


@pytest.mark.usefixtures("other_backends")
def test_show_says_what_auto_takes(latebind, monkeypatch):
    monkeypatch.delenv("LATEBIND_BACKEND")
    shown = latebind("config", "show", "--json").json
    assert shown["backend.name"] == {"value": "numpy", "source": "auto (default)"}


def test_show_prints_the_parts_of_a_composed_backend(latebind, monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND", "shadow")
    monkeypatch.setenv("LATEBIND_BACKEND__PRIMARY", "numpy")
    shown = latebind("config", "show", "--json").json
    assert shown["backend.primary.name"]["source"] == "environment variable LATEBIND_BACKEND__PRIMARY"
    assert shown["backend.reference.reuse_buffers"] == {"value": True, "source": "default"}


def test_schema_is_json(latebind):
    schema = latebind("config", "schema").json
    assert set(schema["properties"]) >= {"backend", "eager", "recording", "cache", "execution", "tracing"}


def test_check_looks_at_the_file_alone(latebind, tmp_path, monkeypatch):
    (tmp_path / "right.yaml").write_text("backend: numpy")
    monkeypatch.setenv("LATEBIND_NONSENSE", "1")
    assert latebind("config", "check", "right.yaml").out == "right.yaml is right; backend numpy\n"
    assert latebind("config", "check", "right.yaml", "--json").json["ok"] is True


@pytest.mark.parametrize(
    ("text", "message"),
    [("eagr: 1", "unknown key 'eagr' (wrong.yaml:1)"), ("a: [", "wrong.yaml:1:5 is malformed YAML")],
)
def test_check_finds_what_is_wrong(latebind, tmp_path, text, message):
    (tmp_path / "wrong.yaml").write_text(text)
    outcome = latebind("config", "check", "wrong.yaml")
    assert outcome.code == 3
    assert message in outcome.err
    assert outcome.out == ""


@pytest.fixture
def other_backends(monkeypatch, tmp_path):
    """One whose engine is missing, and one of a third party's that is broken."""
    xla = BackendSpec("xla", "compiles with XLA", "latebind.backends.xla:X", requires=("no_such_jax",), extra="xla")
    broken = EntryPoint("broken", "no_such_module:Backend", registry.ENTRY_POINT_GROUP)
    numpy = next(spec for spec in BUILT_IN if spec.name == "numpy")
    monkeypatch.setattr(registry, "BUILT_IN", (numpy, xla))
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    default_catalogue.cache_clear()
    yield
    monkeypatch.undo()
    default_catalogue.cache_clear()


@pytest.mark.usefixtures("other_backends")
def test_backends_lists_what_is_known_what_is_missing_and_what_is_broken(latebind):
    numpy, xla, broken = latebind("backends", "--json").json
    assert (numpy["name"], numpy["installed"], numpy["devices"]) == ("numpy", True, ["cpu:0"])
    assert (xla["installed"], xla["devices"]) == (False, [])
    assert [each["auto"] for each in (numpy, xla, broken)] == [True, False, False]
    assert xla["remedy"].endswith("pip install 'latebind[xla]'")
    assert broken["installed"] is False
    assert "cannot be loaded from no_such_module:Backend: ModuleNotFoundError" in broken["remedy"]
    out = latebind("backends").out
    assert "yes, auto" in out
    assert "cpu:0" in out and "latebind[xla]" in out and "no_such_module" in out


def test_version(latebind):
    assert latebind("version").out.startswith("latebind ")
    assert "version" in latebind("version", "--json").json


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_can_be_printed(latebind, shell, monkeypatch):
    monkeypatch.setattr("typer._completion_shared.shellingham.detect_shell", lambda: (shell, shell), raising=False)
    monkeypatch.setattr("shellingham.detect_shell", lambda: (shell, shell))
    outcome = latebind("--show-completion")
    assert outcome.code == 0
    assert "_LATEBIND_COMPLETE" in outcome.out


def test_help_names_the_exit_codes(latebind):
    assert "3 wrong configuration" in " ".join(latebind("--help").out.split())
