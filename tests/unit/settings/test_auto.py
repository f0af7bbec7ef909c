"""`auto`: which backend it takes, what it costs to find out, and who says so."""

from __future__ import annotations

import importlib
import logging
from dataclasses import replace

import pytest

from latebind.backends.registry import BackendCatalogue
from latebind.settings import load_settings, settings_with_provenance


@pytest.fixture
def by_priority(catalogue):
    """A catalogue where `pair` has the highest priority, then `tiled`, whose engine is there; then `numpy`."""
    changes = {"pair": {"priority": 9}, "tiled": {"priority": 5, "requires": ("json",)}}
    return BackendCatalogue(replace(spec, **changes.get(name, {})) for name, spec in catalogue.specs.items())


def load_auto(catalogue, **backend):
    overrides = {"backend": {"name": "auto", **backend}} if backend else {}
    return load_settings(None, overrides, environ={}, dotenv=None, catalogue=catalogue)


def source(settings, key):
    return next(each.source for each in settings_with_provenance(settings) if each.key == key)


def test_auto_is_the_default(load):
    settings = load()
    assert (settings.backend.name, source(settings, "backend.name")) == ("numpy", "auto (default)")


def test_the_settings_are_those_of_the_backend_that_is_taken(by_priority):
    settings = load_auto(by_priority)
    assert (settings.backend.name, settings.backend.strict) == ("pair", False)


def test_where_auto_was_said_is_said(load):
    assert source(load("backend: auto"), "backend.name").endswith("config.yaml:1)")
    assert source(load("backend: auto"), "backend.name").startswith("auto (")


def test_a_part_that_is_auto_is_not_the_backend_it_is_a_part_of(by_priority):
    settings = load_auto(by_priority)
    assert (settings.backend.left.name, source(settings, "backend.left.name")) == ("tiled", "auto (default)")


def test_threads_reach_the_backend_that_is_taken(load):
    assert load("backend: {name: auto, threads: 2}").backend.threads == 2


def test_auto_takes_no_option_of_a_single_backend(failure):
    assert failure("backend:\n  name: auto\n  devices: 2") == (
        "wrong configuration: unknown key 'backend.devices' (config.yaml:3): 'auto' takes no options but threads; "
        "name the backend that it is for, 'numpy' is what 'auto' takes here"
    )


def test_no_engine_and_no_backend_is_imported(load, monkeypatch):
    imported = []
    real = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda name, package=None: imported.append(name) or real(name))
    load("backend: auto")
    assert set(imported) <= {"latebind.backends.numpy.settings"}


def test_what_was_taken_is_logged_once(by_priority, caplog):
    with caplog.at_level(logging.INFO, "latebind"):
        load_auto(by_priority)
        load_auto(by_priority)
    assert [record.getMessage() for record in caplog.records if "'pair'" in record.getMessage()] == [
        "backend 'auto' is 'pair': two backends"
    ]
