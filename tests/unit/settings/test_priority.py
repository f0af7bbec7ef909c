"""Which source wins, and what each value says about where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from latebind.backends.registry import BUILT_IN, BackendCatalogue
from latebind.settings import Settings, load_settings, settings_with_provenance


def values(settings: Settings) -> dict[str, tuple[object, str]]:
    return {each.key: (each.value, each.source) for each in settings_with_provenance(settings)}


def test_defaults_apply_where_nothing_is_said(load):
    settings = load()
    assert (settings.eager, settings.fallback, settings.seed) == (False, "reference", None)
    assert settings.recording.limit == 10_000
    assert set(source for key, (_, source) in values(settings).items() if key != "backend.name") == {"default"}


def test_each_source_wins_over_the_ones_below(load):
    yaml = "seed: 1\ncache: {max_entries: 1}\nrecording: {limit: 1}\nexecution: {queue_size: 1}\n"
    dotenv = "LATEBIND_CACHE__MAX_ENTRIES=2\nLATEBIND_RECORDING__LIMIT=2\nLATEBIND_EXECUTION__QUEUE_SIZE=2\n"
    env = {"LATEBIND_RECORDING__LIMIT": "3", "LATEBIND_EXECUTION__QUEUE_SIZE": "3"}
    settings = load(yaml, env, dotenv, execution={"queue_size": 4})
    assert settings.seed == 1
    assert settings.cache.max_entries == 2
    assert settings.recording.limit == 3
    assert settings.execution.queue_size == 4


def test_a_group_takes_each_key_from_its_own_source(load):
    settings = load("execution: {queue_size: 5}", {"LATEBIND_EXECUTION__ASYNCHRONOUS": "never"})
    assert (settings.execution.queue_size, settings.execution.asynchronous) == (5, "never")


def test_every_value_says_where_it_comes_from(load, tmp_path):
    settings = load(
        "# first\nbackend: tiled\n\ncache:\n  max_entries: 9\n",
        {"LATEBIND_EAGER": "1"},
        "OTHER=1\nexport LATEBIND_SEED=7\n",
        fallback="error",
    )
    found = values(settings)
    assert found["backend.name"] == ("tiled", f"{tmp_path}/config.yaml:2")
    assert found["backend.tile_size"] == (16, "default")
    assert found["cache.max_entries"] == (9, f"{tmp_path}/config.yaml:5")
    assert found["eager"] == (True, "environment variable LATEBIND_EAGER")
    assert found["seed"] == (7, f"{tmp_path}/.env:2 (LATEBIND_SEED)")
    assert found["fallback"] == ("error", "keyword argument")
    assert found["deterministic"] == (False, "default")


@pytest.mark.parametrize(
    "variables",
    [{"LATEBIND_BACKEND": "tiled"}, {"LATEBIND_BACKEND__NAME": "tiled"}, {"LATEBIND_BACKEND": "{name: tiled}"}],
)
def test_a_backend_is_named_by_a_variable_in_every_form(load, variables):
    assert load(env=variables).backend.name == "tiled"


def test_lists_and_mappings_in_variables_are_yaml(load):
    settings = load(
        env={"LATEBIND_BACKEND": "tiled", "LATEBIND_BACKEND__ORDER": "[a, b]", "LATEBIND_CACHE": '{"max_entries": 3}'}
    )
    assert settings.backend.order == ["a", "b"]
    assert settings.cache.max_entries == 3


def test_a_list_of_names_may_be_written_with_commas(load):
    assert load(env={"LATEBIND_TRACING__SHOW": "ir, dot"}).tracing.show == ("ir", "dot")


def test_null_and_empty_variables(load):
    settings = load("seed: 3\ncache: {max_entries: 4}", {"LATEBIND_SEED": "null", "LATEBIND_CACHE__MAX_ENTRIES": ""})
    assert settings.seed is None
    assert settings.cache.max_entries == 4


def test_lines_of_dotenv_that_are_not_ours_are_ignored(load):
    assert load(dotenv="DATABASE=x\nlatebind_eager=1\n# LATEBIND_EAGER=1\n").eager is False


def test_a_higher_source_that_changes_the_backend_drops_the_options_below(load):
    settings = load("backend: {name: tiled, tile_size: 64}", {"LATEBIND_BACKEND__NAME": "numpy"})
    assert settings.backend.name == "numpy"
    assert not hasattr(settings.backend, "tile_size")


def test_threads_survive_a_change_of_the_backend_because_every_backend_has_them(load):
    settings = load("backend: {name: tiled, tile_size: 64, threads: 3}", {"LATEBIND_BACKEND": "numpy"})
    assert (settings.backend.name, settings.backend.threads) == ("numpy", 3)
    assert values(settings)["backend.threads"][1].endswith("config.yaml:1")


def test_a_higher_source_that_names_the_same_backend_keeps_the_options_below(load):
    settings = load("backend: {name: tiled, tile_size: 64}", {"LATEBIND_BACKEND": "tiled"})
    assert settings.backend.tile_size == 64


def test_options_above_the_name_belong_to_the_backend_named_below(load):
    settings = load("backend: tiled", {"LATEBIND_BACKEND__TILE_SIZE": "8"})
    assert settings.backend.tile_size == 8


def test_options_without_a_name_follow_the_name_below_them(load):
    yaml, dotenv = "backend: tiled", "LATEBIND_BACKEND__TILE_SIZE=8"
    assert load(yaml, None, dotenv).backend.tile_size == 8
    assert load(yaml, {"LATEBIND_BACKEND": "numpy"}, dotenv).backend.name == "numpy"


def test_the_file_is_named_by_the_argument_then_the_environment_then_dotenv(tmp_path):
    for name in ("argument", "environment", "dotenv"):
        (tmp_path / f"{name}.yaml").write_text(f"seed: {len(name)}")
    (tmp_path / ".env").write_text(f"LATEBIND_CONFIG={tmp_path}/dotenv.yaml")
    environ = {"LATEBIND_CONFIG": str(tmp_path / "environment.yaml")}
    assert load_settings(tmp_path / "argument.yaml", environ=environ, dotenv=tmp_path / ".env").seed == 8
    assert load_settings(environ=environ, dotenv=tmp_path / ".env").seed == 11
    assert load_settings(environ={}, dotenv=tmp_path / ".env").seed == 6


def test_settings_models_are_taken_as_keyword_arguments(load):
    backend = load(backend={"name": "tiled", "tile_size": 4}).backend
    assert load("backend: {name: tiled, order: [x]}", backend=backend).backend.tile_size == 4


def test_an_empty_file_says_nothing(load):
    assert load("# nothing\n").model_dump() == load().model_dump()


def test_yaml_anchors_and_merges_work(load):
    settings = load("cache: &c {max_entries: 3}\nexecution: {<<: {queue_size: 2}, asynchronous: never}\n")
    assert (settings.execution.queue_size, settings.execution.asynchronous) == (2, "never")


def test_settings_do_not_change(load):
    with pytest.raises(ValueError, match="frozen"):
        load().eager = True


#: All but the server's, which has other keys: tests/integration/serving/test_digits.py reads that one.
SHIPPED = sorted(file for file in Path("config").glob("*.yaml") if file.name != "serve.yaml")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda path: path.name)
def test_the_files_that_we_ship_are_right(file):
    load_settings(file, environ={}, dotenv=None)


def test_the_default_file_has_every_key_and_its_default():
    with_xla = BackendCatalogue([spec for spec in BUILT_IN if spec.name != "torch"])
    shipped = load_settings("config/default.yaml", environ={}, dotenv=None, catalogue=with_xla)
    defaults = load_settings(environ={}, dotenv=None, catalogue=with_xla)  # `auto`, which takes the tiers
    assert shipped.model_dump() == defaults.model_dump()
    said = {each.key for each in settings_with_provenance(shipped) if each.source != "default"}
    assert said >= {each.key for each in settings_with_provenance(shipped) if not each.key.startswith("backend.")}
