"""`serve.yaml` and the variables over it: what comes out, and errors that name file, line, key and remedy."""

from __future__ import annotations

import pytest

from latebind.errors import SettingsError
from latebind.services.serving.loading import load_serve_settings
from latebind.settings import load_settings

PROGRAM = """\
programs:
  digits:
    program: digits.py:predict
    inputs: [{name: x, datatype: FP32, shape: [-1, 64]}]
    outputs: [{name: y, datatype: FP32, shape: [-1, 10]}]
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Read settings from text and variables, in a folder without others."""
    monkeypatch.chdir(tmp_path)

    def read(text=None, **environ):
        if text is not None:
            (tmp_path / "serve.yaml").write_text(text)
        variables = {f"LATEBIND_SERVE__{name}": value for name, value in environ.items()}
        return load_serve_settings("serve.yaml" if text is not None else None, variables)

    return read


def test_the_environment_is_stronger_than_dotenv_than_the_file(load, tmp_path):
    (tmp_path / ".env").write_text("LATEBIND_SERVE__PORT=3\nLATEBIND_SERVE__LOG=json\nLATEBIND_SEED=4\n")
    settings = load("host: 0.0.0.0\nport: 1\n" + PROGRAM, PORT="5", PROGRAMS__DIGITS__BATCHING__MAX_SIZE="16")
    assert (settings.host, settings.port, settings.log) == ("0.0.0.0", 5, "json")
    assert settings.programs["digits"].batching.max_size == 16
    assert settings.programs["digits"].inputs[0].shape == (-1, 64)


def test_the_environment_alone_is_enough(load):
    tensor = "[{name: x, datatype: FP32, shape: [-1]}]"
    settings = load(PROGRAMS=f"{{one: {{program: 'm:f', inputs: {tensor}, outputs: {tensor}}}}}", TOKEN="secret")
    assert settings.programs["one"].program == "m:f"
    assert settings.token is not None and settings.token.get_secret_value() == "secret"
    assert "secret" not in repr(settings)


def test_containers_do_not_take_the_servers_variables_for_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("LATEBIND_SERVE__LOG=json\n")
    assert load_settings(None, {}, environ={"LATEBIND_SERVE__PORT": "1", "LATEBIND_BACKEND": "numpy"}).eager is False


@pytest.mark.parametrize(
    ("text", "environ", "message"),
    [
        ("prot: 3\n" + PROGRAM, {}, r"unknown key 'prot' \(serve.yaml:1\); did you mean 'port'\?"),
        (PROGRAM + "    wrokers: 2\n", {}, r"'programs.digits.wrokers' \(serve.yaml:6\); did you mean 'workers'\?"),
        (PROGRAM + "    batching: {zzz: 2}\n", {}, r"known here: max_size, max_delay_ms, buckets"),
        (
            PROGRAM.replace("[{name: x", "[]  # {name: x", 1),
            {},
            r"inputs' is \[\] .* should be a list that is not empty",
        ),
        (PROGRAM.replace("shape", "form"), {}, r"unknown key 'programs.digits.inputs.0.form' \(serve.yaml:4\)"),
        (PROGRAM.replace("FP32", "BYTES"), {}, r"datatype' is 'BYTES' \(serve.yaml:4\), but it should be 'BOOL'"),
        (PROGRAM, {"PORT": "x"}, r"'port' is 'x' \(environment variable LATEBIND_SERVE__PORT\), but it should be"),
        ("host: a\n", {}, r"key 'programs' is missing"),
        (
            "programs: {one: {program: 'm:f', inputs: []}}",
            {},
            r"key 'programs.one.outputs' is missing \(serve.yaml:1\)",
        ),
        (PROGRAM.replace("py:predict", "py"), {}, r"should be 'module:function'"),
        (PROGRAM.replace("[{name: y", "[{name: y, datatype: FP32, shape: []}, {name: y"), {}, r"has 'y' twice"),
        (PROGRAM + "    batching: {max_size: 4, buckets: [0]}\n", {}, r"buckets' \(serve.yaml:6\): a bucket has"),
        (
            PROGRAM + "    settings: {egaer: true}\n",
            {},
            r"unknown key 'egaer' \(serve.yaml:6: programs.digits.settings",
        ),
        (PROGRAM + "    settings: {backend: numyp}\n", {}, r"'backend.name' \(serve.yaml:6.*did you mean 'numpy'"),
        (PROGRAM + "  digits: {}\n", {}, r"key 'programs.digits' is given twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_remedy(load, text, environ, message):
    with pytest.raises(SettingsError, match=message):
        load(text, **environ)


def test_all_problems_are_listed_at_once(load):
    with pytest.raises(SettingsError, match=r"2 problems: \(1\) .*'programs.digits.wrokers'.* \(2\) .*'prot'"):
        load("prot: 3\n" + PROGRAM + "    wrokers: 2\n")


def test_a_missing_file_is_named_with_what_named_it(tmp_path):
    with pytest.raises(SettingsError, match="which --config names"):
        load_serve_settings(tmp_path / "missing.yaml", {}, dotenv=None)


def test_a_list_whose_only_element_is_wrong_is_not_called_empty(tmp_path):
    (tmp_path / "serve.yaml").write_text(PROGRAM.replace("FP32", "FP33", 1))
    with pytest.raises(SettingsError, match="FP33") as raised:
        load_serve_settings(tmp_path / "serve.yaml", environ={})
    assert "empty" not in str(raised.value)
