"""The run of the standard's suite, on a suite of a few lines that stands in for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conformance import array_api
from tests.conformance.array_api import Counts, SuiteError, find_suite, main, reason_of

ALWAYS = "test_binary[floor_divide(x1_i is +infinity and isfinite(x2_i) and x2_i > 0) -> +infinity]"
CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--max-examples", type=int)
    parser.addoption("--disable-deadline", action="store_true")
    parser.addoption("--derandomize", action="store_true")
"""
SUITE = """
import os

import numpy as np
import pytest

from importlib import import_module

xp = import_module(os.environ["ARRAY_API_TESTS_MODULE"])


def test_add():
    assert float(xp.sum(xp.ones(3) + 1)) == 6


def test_settings_of_the_environment_do_not_count(request):
    assert "LATEBIND_LOG_LEVEL" not in os.environ
    assert request.config.getoption("--max-examples") == 7


@pytest.mark.skip(reason="not there")
def test_skipped():
    pass
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a suite with these tests besides two that pass and one that is skipped."""

    def write(more: str = "") -> Path:
        (tmp_path / "array_api_tests").mkdir()
        (tmp_path / "array-api" / "src" / "stubs").mkdir(parents=True)
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        (tmp_path / "array_api_tests" / "test_all.py").write_text(SUITE + more)
        return tmp_path

    return write


@pytest.fixture(autouse=True)
def needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite that stands in needs pytest alone."""
    monkeypatch.setattr(array_api, "NEEDS", {})


def run(suite: Path) -> int:
    return main(["--suite", str(suite), "--backends", "numpy", "--examples", "7"])


def test_counts_are_printed_per_backend(write: Write, capfd: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("LATEBIND_LOG_LEVEL", "debug")
    assert run(write()) == 0
    row = next(line for line in capfd.readouterr().out.splitlines() if "numpy" in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["numpy", "2 of 2", "0", "0", "1"]


def test_a_failure_that_is_known_is_counted_with_its_cause(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(write("\n\ndef test_dunder_dlpack():\n    raise BufferError\n")) == 0
    printed = capfd.readouterr().out
    assert "2 of 3" in printed
    assert "known: read-only memory is not exported" in printed and "(1 on numpy)" in printed


def test_another_failure_is_named_and_is_the_exit_code(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(write("\n\ndef test_wrong():\n    assert xp.ones(1)[0] == 2\n")) == 1
    assert "FAILED on numpy: test_wrong" in capfd.readouterr().out


def test_a_suite_that_does_not_start_is_an_error(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    suite = write()
    (suite / "conftest.py").write_text("")
    assert run(suite) == 2
    assert "did not run on numpy" in capfd.readouterr().err


def test_a_suite_that_is_not_there_is_an_error_that_says_how_to_fetch_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "nowhere") == 2
    said = capfd.readouterr().err
    assert f"git clone --recurse-submodules https://github.com/data-apis/array-api-tests {tmp_path}/nowhere" in said
    assert "make conformance ARRAY_API_TESTS=" in said


def test_it_is_looked_for_beside_the_project_and_in_the_cache(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, cache = tmp_path / "work" / "project", tmp_path / "cache"
    monkeypatch.setattr(array_api, "ROOT", project)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    suite = write()
    for place in (cache / "array-api-tests", project.parent / "array-api-tests"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(suite)
        assert find_suite(None) == place


def test_without_its_submodule_the_error_says_how_to_get_it(write: Write) -> None:
    suite = write()
    (suite / "array-api" / "src" / "stubs").rmdir()
    with pytest.raises(SuiteError, match="submodule update --init"):
        find_suite(str(suite))


def test_without_its_requirements_the_error_names_them(write: Write, capfd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_api, "NEEDS", {"no_such_module": "no-such-distribution"})
    assert run(write()) == 2
    assert "needs no-such-distribution" in capfd.readouterr().err


def test_what_always_fails_and_passes_has_to_come_off_the_list() -> None:
    assert Counts((ALWAYS, "test_add", "test_dunder_dlpack"), (), 0).cured == [ALWAYS]
    assert Counts(("test_add",), (ALWAYS,), 0).unknown == []


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (ALWAYS, True),
        ("test_iop[__ifloordiv__(isfinite(x1_i) and x1_i < 0 and x2_i is +infinity) -> -0]", True),
        ("test_binary[__floordiv__(isfinite(x1_i) and x1_i < 0 and x2_i is -infinity) -> +0]", False),
        ("test_binary[floor_divide(x1_i is +infinity and x2_i is -infinity) -> NaN]", False),
        ("test_binary[divide(x1_i is +infinity and isfinite(x2_i) and x2_i > 0) -> +infinity]", False),
    ],
)
def test_the_list_names_the_cases_that_the_standard_leaves_open(name: str, known: bool) -> None:
    assert (reason_of(name) is not None) is known
