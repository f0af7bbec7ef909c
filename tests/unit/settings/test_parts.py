"""Composed backends: their parts are backends with options of their own, from every source."""

from __future__ import annotations

import pytest

from latebind.settings import load_settings, settings_with_provenance


def values(settings):
    return {each.key: (each.value, each.source) for each in settings_with_provenance(settings)}


def test_parts_have_defaults(load):
    backend = load("backend: pair").backend
    assert (backend.left.name, backend.right.name, backend.right.tile_size) == ("numpy", "tiled", 16)


def test_a_part_is_a_name_or_a_mapping(load, tmp_path):
    settings = load("backend:\n  name: pair\n  left: tiled\n  right:\n    name: numpy\n    devices: 2\n")
    assert (settings.backend.left.name, settings.backend.right.devices) == ("tiled", 2)
    found = values(settings)
    assert found["backend.left.name"] == ("tiled", f"{tmp_path}/config.yaml:3")
    assert found["backend.right.devices"] == (2, f"{tmp_path}/config.yaml:6")
    assert found["backend.left.tile_size"] == (16, "default")


@pytest.mark.parametrize(
    "variables",
    [
        {"LATEBIND_BACKEND__LEFT": "tiled", "LATEBIND_BACKEND__LEFT__TILE_SIZE": "4"},
        {"LATEBIND_BACKEND__LEFT__NAME": "tiled", "LATEBIND_BACKEND__LEFT__TILE_SIZE": "4"},
        {"LATEBIND_BACKEND__LEFT": "{name: tiled, tile_size: 4}"},
    ],
)
def test_a_part_is_named_by_a_variable_in_every_form(load, variables):
    settings = load("backend: pair", variables)
    assert (settings.backend.left.name, settings.backend.left.tile_size) == ("tiled", 4)
    assert values(settings)["backend.left.name"][1].startswith("environment variable LATEBIND_BACKEND__LEFT")


def test_a_higher_source_that_changes_a_part_drops_that_parts_options_below(load):
    yaml = "backend: {name: pair, strict: true, left: {name: tiled, tile_size: 4, threads: 2}, right: {tile_size: 8}}"
    backend = load(yaml, {"LATEBIND_BACKEND__LEFT": "numpy"}).backend
    assert (backend.left.name, backend.left.threads) == ("numpy", 2)
    assert (backend.strict, backend.right.tile_size) == (True, 8)


def test_a_higher_source_that_changes_the_backend_drops_its_parts(load):
    settings = load("backend: {name: pair, left: {name: tiled, tile_size: 4}}", {"LATEBIND_BACKEND": "numpy"})
    assert not hasattr(settings.backend, "left")


def test_parts_may_be_composed_themselves(load):
    backend = load("backend: {name: pair, left: {name: pair, right: {name: numpy, devices: 3}}}").backend
    assert (backend.left.left.name, backend.left.right.devices, backend.right.name) == ("numpy", 3, "tiled")


def test_threads_are_handed_to_parts_that_set_none(load, tmp_path):
    settings = load("backend:\n  name: pair\n  threads: 3\n  right: {name: pair, left: {name: tiled, threads: 1}}\n")
    backend = settings.backend
    assert (backend.left.threads, backend.right.threads) == (3, 3)
    assert (backend.right.left.threads, backend.right.right.threads) == (1, 3)
    assert values(settings)["backend.left.threads"] == (3, f"{tmp_path}/config.yaml:3")


def test_a_part_that_sets_threads_to_null_keeps_its_engines_default(load):
    assert load("backend: {name: pair, threads: 3, left: {name: tiled, threads: null}}").backend.left.threads is None


def test_settings_with_parts_are_taken_as_keyword_arguments(load):
    backend = load("backend: {name: pair, left: {name: tiled, tile_size: 4}}").backend
    assert load(backend=backend).backend.model_dump() == backend.model_dump()


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        (
            "backend:\n  name: pair\n  left:\n    name: tiled\n    tilesize: 3",
            "unknown key 'backend.left.tilesize' (config.yaml:5); did you mean 'backend.left.tile_size'?",
        ),
        (
            "backend:\n  name: pair\n  rihgt: numpy",
            "unknown key 'backend.rihgt' (config.yaml:3); did you mean 'backend.right'?",
        ),
        (
            "backend:\n  name: pair\n  left: tield",
            "'backend.left.name' (config.yaml:3): unknown backend 'tield'; did you mean 'tiled'? "
            "(known are auto, endless, numpy, pair, tiled, or a dotted path 'package.module:Class')",
        ),
        (
            "backend:\n  name: pair\n  left: {name: 3}",
            "'backend.left.name' (config.yaml:3): the backend's name is 3, but has to be text",
        ),
        (
            "backend:\n  name: pair\n  left: [numpy]",
            "'backend.left' is ['numpy'] (config.yaml:3), but it should be a mapping of keys to values",
        ),
        (
            "backend:\n  name: pair\n  right:\n    tile_size: big",
            "'backend.right.tile_size' is 'big' (config.yaml:4), but it should be a valid integer, unable to parse "
            "string as an integer",
        ),
        (
            "backend: {name: pair, threads: 0}",
            "'backend.threads' is 0 (config.yaml:1), but it should be greater than or equal to 1",
        ),
        (
            "backend: endless",
            "'backend.inner.inner.name' (default): backend 'endless' is by default a part of itself, without end: "
            "name another one here",
        ),
    ],
)
def test_a_wrong_part(failure, yaml, message):
    assert failure(yaml) == f"wrong configuration: {message}"


def test_a_wrong_key_of_a_part_in_a_variable(failure):
    assert (
        "unknown key 'backend.right.tilesize' (environment variable LATEBIND_BACKEND__RIGHT__TILESIZE); "
        "did you mean LATEBIND_BACKEND__RIGHT__TILE_SIZE?"
    ) in failure("backend: pair", {"LATEBIND_BACKEND__RIGHT__TILESIZE": "3"})


def test_a_backend_may_name_itself_as_often_as_is_written(load):
    assert load("backend: {name: endless, inner: numpy}").backend.inner.name == "numpy"


def test_loading_twice_gives_the_same_classes(catalogue):
    def load_pair():
        return load_settings(None, {"backend": "pair"}, environ={}, dotenv=None, catalogue=catalogue)

    assert type(load_pair().backend) is type(load_pair().backend)
