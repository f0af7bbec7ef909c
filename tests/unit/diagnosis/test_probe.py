"""A backend is tried in a process of its own: whatever it does there, the doctor goes on and says what it did."""

from __future__ import annotations

import os

import pytest

from latebind.diagnosis.probe import State, probe
from latebind.diagnosis.self_test import CHECKS

#: Long enough for a busy machine where nothing hangs; where something does, the test waits for `soon`.
PATIENT = {"loading_seconds": 50.0, "self_test_seconds": 50.0}


def tried(name: str, **options):
    return probe(f"broken_backends:{name}", **{**PATIENT, **options})


def test_a_backend_that_works():
    found = probe("numpy", **PATIENT)
    assert (found.state, found.problem) == (State.WORKS, None)
    assert found.devices == ["cpu:0"]
    assert [check.name for check in found.checks] == [f"{check.name} {check.dtype}" for check in CHECKS]
    assert all(check.problem is None and check.seconds > 0 for check in found.checks)


def test_the_self_test_can_be_left_out():
    found = probe("numpy", self_test=False, **PATIENT)
    assert (found.state, found.checks, found.devices) == (State.WORKS, [], ["cpu:0"])


def test_wrong_results_are_told_with_the_first_value_that_is_wrong():
    found = tried("Wrong")
    assert found.state is State.WRONG_RESULTS
    assert found.problem is not None
    assert found.problem.startswith("elementwise float64: 256 of 256 values are wrong, the first at [0, 0]: ")
    assert len(found.checks) == len(CHECKS)


def test_a_crash_is_told_with_the_check_that_ran_and_what_the_engine_said():
    found = tried("Crashing")
    assert found.state is State.CRASHED
    assert found.problem == (
        "its process was ended by SIGKILL during the check 'elementwise float64'; it said: the engine's last words"
    )


def test_a_process_that_leaves_while_it_loads():
    found = tried("Leaving")
    assert (found.state, found.problem) == (
        State.CRASHED,
        "its process left with code 7 during loading its engine",
    )


def test_a_check_that_never_ends():
    found = tried("Hanging", self_test_seconds=0.5)
    assert found.state is State.TIMED_OUT
    assert found.problem == "it did not come back within 0.5 s from the check 'elementwise float64'"


def test_an_engine_that_never_loads():
    found = tried("NeverLoaded", loading_seconds=0.5)
    assert found.problem == "it did not come back within 0.5 s from loading its engine"


def test_a_shutdown_that_never_ends():
    found = tried("HangingAtExit", self_test=False, self_test_seconds=0.5)
    assert found.problem == "it did not come back within 0.5 s from shutting down"


def test_a_backend_that_cannot_be_made():
    found = tried("Refusing")
    assert found.state is State.UNAVAILABLE
    assert found.problem is not None
    assert "OSError: libengine.so.3: cannot open shared object file" in found.problem


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_what_an_engine_prints_or_leaves_behind_does_not_matter():
    assert tried("Chatty").state is State.WORKS


def test_the_configured_backend_is_made_with_its_options(monkeypatch):
    monkeypatch.setenv("LATEBIND_BACKEND__DEVICES", "3")
    monkeypatch.setenv("LATEBIND_BACKEND", "numpy")
    assert probe("numpy", configured=True, self_test=False, **PATIENT).devices == ["cpu:0", "cpu:1", "cpu:2"]
    assert probe("numpy", self_test=False, **PATIENT).devices == ["cpu:0"]
