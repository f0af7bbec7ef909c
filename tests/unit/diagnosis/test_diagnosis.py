"""The examination as a whole, with probes that say what the test wants; nothing is started here."""

from __future__ import annotations

import pytest

from latebind.backends.registry import BUILT_IN, BackendCatalogue, BackendSpec
from latebind.diagnosis import versions
from latebind.diagnosis.diagnosis import examine
from latebind.diagnosis.finding import Severity
from latebind.diagnosis.probe import Probe, State
from latebind.diagnosis.versions import version_findings
from latebind.errors import BackendUnavailableError, SettingsError

NUMPY = next(spec for spec in BUILT_IN if spec.name == "numpy")
MISSING = BackendSpec("xla", "compiles", "nowhere:Backend", requires=("no_such_jax",), extra="xla", priority=20)


def examined(states=None, *, specs=(NUMPY, MISSING), **options):
    """Examine a machine whose backends end in these states."""
    asked = []

    def prober(name, **asked_for):
        asked.append((name, asked_for))
        state = (states or {}).get(name, State.WORKS)
        return Probe(state, problem=None if state is State.WORKS else "it broke", devices=["cpu:0"])

    found = examine(catalogue=BackendCatalogue(specs), prober=prober, **options)
    return found, asked


def test_all_is_well(tmp_path, monkeypatch):
    found, asked = examined()
    assert found.ok
    assert found.configured is not None and found.configured.name == "numpy"
    assert asked == [("numpy", {"configured": True, "config": None, "self_test": True})]
    assert found.versions["python"] and found.versions["numpy"]
    assert found.blas["blas"]["name"]
    assert next(value for value in found.configuration if value.key == "backend.name").value == "numpy"


def test_an_engine_that_is_missing_and_not_asked_for_is_a_note_with_its_extra():
    found, _ = examined()
    report = next(report for report in found.backends if report.name == "xla")
    assert (report.probe.state, dict(report.engine)) == (State.NOT_INSTALLED, {"no_such_jax": None})
    (finding,) = [each for each in found.findings if each.subject == "backend xla"]
    assert (finding.severity, finding.remedy) == (Severity.NOTE, "pip install 'latebind[xla]'")
    assert "no_such_jax not installed" in finding.problem


def test_an_engine_that_is_missing_and_asked_for_is_an_error(monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND", "torch")
    torch = BackendSpec("torch", "", "nowhere:Backend", NUMPY.settings, requires=("no_such_torch",), extra="torch")
    found, _ = examined(specs=(NUMPY, torch))
    assert not found.ok
    assert found.findings[0].severity is Severity.ERROR
    assert found.findings[0].remedy == "pip install 'latebind[torch]'"


@pytest.mark.parametrize("state", [State.WRONG_RESULTS, State.CRASHED, State.TIMED_OUT, State.FAILED])
def test_what_is_wrong_is_an_error_where_it_is_asked_for_and_a_warning_elsewhere(state):
    other = BackendSpec("other", "", "nowhere:Backend", source="entry point of other")
    found, _ = examined({"numpy": state, "other": state}, specs=(NUMPY, other))
    first, second = (each for each in found.findings if each.subject.startswith("backend"))
    assert (first.severity, first.subject) == (Severity.ERROR, "backend numpy")
    assert (second.severity, second.subject) == (Severity.WARNING, "backend other")
    assert first.problem == f"{state}: it broke"
    assert first.remedy and second.remedy


def test_wrong_configuration_is_a_finding_and_the_backends_are_tried_all_the_same(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("eagr: 1\nrecording: {limit: many}")
    found, asked = examined(config=path, config_from="--config")
    assert isinstance(found.configuration_error, SettingsError)
    assert not found.ok and found.configured is None and found.configuration == ()
    assert found.findings[0].subject == "configuration"
    assert "wrong.yaml:1" in found.findings[0].problem and "wrong.yaml:2" in found.findings[0].problem
    assert asked == [("numpy", {"configured": False, "config": None, "self_test": True})]


def test_a_settings_model_that_cannot_be_imported_is_a_finding(monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND", "no_such_module:Backend")
    found, _ = examined()
    assert isinstance(found.configuration_error, BackendUnavailableError)
    assert "LATEBIND_BACKEND=numpy" in found.findings[0].remedy


def test_a_backend_named_by_its_dotted_path_is_tried_as_well(monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND", "broken_backends:Wrong")
    found, asked = examined()
    assert [name for name, _ in asked] == ["numpy", "broken_backends:Wrong"]
    assert found.configured is not None and found.configured.source == "dotted path"


def test_the_worst_comes_first():
    found, _ = examined({"numpy": State.CRASHED})
    assert [each.severity for each in found.findings] == sorted(
        (each.severity for each in found.findings), key=list(Severity).index
    )


def test_a_package_of_another_version_than_latebind_asks_for(monkeypatch):
    pytest.importorskip("packaging")
    asked = ["numpy<3,>=2.1", 'jax<0.11,>=0.10; extra == "xla"', "rich>=13"]
    present = {"numpy": "1.26.0", "jax": "0.4.1", "rich": "14.0"}
    monkeypatch.setattr(versions, "requires", lambda name: asked)
    monkeypatch.setattr(versions, "installed_version", present.get)
    (numpy,) = version_findings()
    assert (numpy.subject, numpy.problem) == (
        "package numpy",
        "version 1.26.0 is installed, but latebind asks for <3,>=2.1",
    )
    assert numpy.remedy == "pip install 'numpy<3,>=2.1'"
    assert [each.subject for each in version_findings(frozenset({"xla"}))] == ["package numpy", "package jax"]
