"""What is wrong is said once, in one paragraph: the key's path, where it stands, and what would be right."""

from __future__ import annotations

import pytest

from latebind.errors import SettingsError
from latebind.settings import load_settings


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("eager: true\nrecordng: {limit: 2}", "unknown key 'recordng' (config.yaml:2); did you mean 'recording'?"),
        ("recording:\n  limits: 2", "unknown key 'recording.limits' (config.yaml:2); did you mean 'recording.limit'?"),
        ("max_entries: 3", "unknown key 'max_entries' (config.yaml:1); did you mean 'cache.max_entries'?"),
        ("cache: {zzz: 3}", "unknown key 'cache.zzz' (config.yaml:1); known here: max_entries, max_bytes"),
        (
            "backend:\n  name: tiled\n  tilesize: 3",
            "unknown key 'backend.tilesize' (config.yaml:3); did you mean 'backend.tile_size'?",
        ),
        (
            "backend: {name: tiled, tile_size: big}",
            "'backend.tile_size' is 'big' (config.yaml:1), but it should be a valid integer, unable to parse string as "
            "an integer",
        ),
        (
            "backend: nunpy",
            "'backend.name' (config.yaml:1): unknown backend 'nunpy'; did you mean 'numpy'? "
            "(known are auto, endless, numpy, pair, tiled, or a dotted path 'package.module:Class')",
        ),
        ("backend: {name: 3}", "'backend.name' (config.yaml:1): the backend's name is 3, but has to be text"),
        ("backend: [numpy]", "'backend' is ['numpy'] (config.yaml:1), but it should be a mapping of keys to values"),
        ("cache: 3", "'cache' is 3 (config.yaml:1), but it should be a mapping of keys to values"),
        ("cache:", "'cache' is None (config.yaml:1), but it should be a mapping of keys to values"),
        (
            "fallback: eror",
            "'fallback' is 'eror' (config.yaml:1), but it should be 'reference' or 'error'; did you mean 'error'?",
        ),
        (
            "default_dtype:\n  real: float16",
            "'default_dtype.real' is 'float16' (config.yaml:2), but it should be 'float64' or 'float32'; "
            "did you mean 'float64'?",
        ),
        (
            "recording: {limit: 0}",
            "'recording.limit' is 0 (config.yaml:1), but it should be greater than or equal to 1",
        ),
        ("seed: true", "'seed' is True (config.yaml:1), but it should be a number, not a truth value"),
        ("tracing: {show: 3}", "'tracing.show' is 3 (config.yaml:1), but it should be a list"),
        (
            "tracing:\n  show: [ir, dto]",
            "'tracing.show.1' is 'dto' (config.yaml:2), but it should be 'text', 'ir' or 'dot'; did you mean 'dot'?",
        ),
        ("eager: true\neager: false", "key 'eager' is given twice (config.yaml:1 and config.yaml:2)"),
        ("cache:\n  1: 2", "key 'cache.1' (config.yaml:2) has to be text: put it in quotes"),
    ],
)
def test_a_wrong_file(failure, yaml, message):
    assert failure(yaml) == f"wrong configuration: {message}"


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("eager: [1\nx: 2", "config.yaml:2:2 is malformed YAML: expected ',' or ']', but got ':'"),
        ("eager:  @", "config.yaml:1:9 is malformed YAML: found character '@' that cannot start any token"),
        ("cache: *unknown", "config.yaml:1:8 is malformed YAML: found undefined alias 'unknown'"),
        ("- eager", "config.yaml:1 holds a list, but settings are a mapping of keys to values"),
        ("\nnumpy", "config.yaml:2 holds a single value, but settings are a mapping of keys to values"),
        ("eager: !!python/object:os.system x", None),
    ],
)
def test_a_file_that_cannot_be_read(failure, yaml, message):
    found = failure(yaml)
    assert found == message or (message is None and found.startswith("config.yaml:1:8 is malformed YAML"))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"LATEBIND_EAGR": "1"},
            "unknown key 'eagr' (environment variable LATEBIND_EAGR); did you mean LATEBIND_EAGER?",
        ),
        (
            {"LATEBIND_RECORDNG__LIMIT": "1"},
            "unknown key 'recordng' (environment variable LATEBIND_RECORDNG__LIMIT); "
            "did you mean LATEBIND_RECORDING__LIMIT?",
        ),
        (
            {"LATEBIND_LIMIT": "1"},
            "unknown key 'limit' (environment variable LATEBIND_LIMIT); did you mean LATEBIND_RECORDING__LIMIT?",
        ),
        (
            {"LATEBIND_SEED": "x"},
            "'seed' is 'x' (environment variable LATEBIND_SEED), but it should be a valid integer, unable to parse "
            "string as an integer",
        ),
        (
            {"LATEBIND_CACHE": "5", "LATEBIND_CACHE__MAX_ENTRIES": "5"},
            "environment variable LATEBIND_CACHE__MAX_ENTRIES sets a key inside 'cache', which another variable "
            "sets to a value",
        ),
    ],
)
def test_a_wrong_variable(failure, variables, message):
    assert message in failure(env=variables)


def test_a_variable_that_starts_like_a_list_and_is_none(failure):
    assert "environment variable LATEBIND_TRACING__SHOW is neither" in failure(env={"LATEBIND_TRACING__SHOW": "[ir"})


def test_a_wrong_line_of_dotenv_is_named_by_file_and_line(failure):
    message = failure(dotenv="A=1\nLATEBIND_EAGR=1\n")
    assert message == ("wrong configuration: unknown key 'eagr' (.env:2 (LATEBIND_EAGR)); did you mean LATEBIND_EAGER?")


def test_a_wrong_keyword_argument(failure):
    message = failure(recording={"limt": 3})
    assert message == (
        "wrong configuration: unknown key 'recording.limt' (keyword argument); did you mean 'recording.limit'?"
    )


def test_all_problems_of_all_sources_are_listed(failure):
    message = failure("backend: tilde\nfallback: maybe\ncache: {max_entries: many}", {"LATEBIND_EAGR": "1"}, seed="x")
    assert message.startswith("wrong configuration, 5 problems: (1) ")
    for part in ("'tilde'", "'fallback' is 'maybe'", "'cache.max_entries' is 'many'", "LATEBIND_EAGR", "'seed' is 'x'"):
        assert part in message


def test_a_missing_file_is_named_with_what_names_it(tmp_path):
    missing = tmp_path / "nope.yaml"
    with pytest.raises(SettingsError, match=r"there is no configuration file '.*nope\.yaml', which config= names"):
        load_settings(missing, environ={}, dotenv=None)
    with pytest.raises(SettingsError, match="which the environment variable LATEBIND_CONFIG names"):
        load_settings(environ={"LATEBIND_CONFIG": str(missing)}, dotenv=None)


def test_a_directory_and_a_binary_file_cannot_be_read(tmp_path):
    with pytest.raises(SettingsError, match=r"cannot read the configuration file .* Is a directory"):
        load_settings(tmp_path, environ={}, dotenv=None)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot read the configuration file"):
        load_settings(binary, environ={}, dotenv=None)


def test_the_error_is_a_value_error():
    assert issubclass(SettingsError, ValueError)


def test_a_variable_whose_levels_are_not_separated_is_told_by_its_right_name():
    with pytest.raises(SettingsError, match=r"did you mean LATEBIND_RECORDING__LIMIT\? Levels are separated by '__'"):
        load_settings(environ={"LATEBIND_RECORDING_LIMIT": "3"}, dotenv=None)


@pytest.mark.parametrize(("engine", "backend"), [("jax", "xla"), ("torchh", "torch")])
def test_the_name_of_an_engine_is_told_by_its_backend(engine, backend):
    with pytest.raises(SettingsError, match=f"unknown backend '{engine}'; did you mean '{backend}'"):
        load_settings(environ={"LATEBIND_BACKEND": engine}, dotenv=None)
