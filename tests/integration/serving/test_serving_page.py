"""docs/serving.md: its programs run as they stand there, and its tables say what the code has."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from dotenv import dotenv_values

from latebind.services.serving import errors
from latebind.services.serving.loading import load_serve_settings
from latebind.services.serving.pool import ProgramPool
from latebind.services.serving.settings import BatchingSettings, Group, ProgramSettings, ServeSettings
from latebind.services.serving.types import DATATYPES, InferRequest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "serving.md").read_text()
#: Seconds that loading may take on a busy machine.
DEADLINE = 50.0


def blocks(language: str) -> dict[str, str]:
    """Return the page's blocks in a language by the names of the files that their first lines say."""
    return dict(re.findall(rf"```{language}\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def folder(tmp_path):
    """A folder with every file of the page."""
    for language in ("python", "yaml", "ini"):
        for name, text in blocks(language).items():
            (tmp_path / name).write_text(text)
    return tmp_path


def answer(settings: ServeSettings, base: Path, name: str, x: np.ndarray) -> np.ndarray:
    async def scenario() -> np.ndarray:
        async with ProgramPool(settings, base) as pool:
            await asyncio.wait_for(pool.loaded(), DEADLINE)
            result = await pool.infer(name, None, InferRequest({"x": x}))
            (output,) = result.outputs.values()
            return output

    return asyncio.run(scenario())


def test_every_block_has_the_name_of_a_file():
    found = re.findall(r"```(\w+)\n", PAGE)
    assert sorted(found) == sorted(["python"] * 3 + ["yaml"] * 2 + ["ini"])
    assert sum(len(blocks(language)) for language in set(found)) == len(found)


def test_the_first_program_answers_as_the_page_says(folder):
    settings = load_serve_settings(folder / "serve.yaml", {}, dotenv=None)
    (said,) = re.findall(r'"length","datatype":"FP32","shape":\[1\],"data":(\[.*?\])', PAGE)
    assert json.loads(said) == [5.0]
    np.testing.assert_array_equal(answer(settings, folder, "length", np.float32([[3, 4]])), np.float32([5]))


def test_the_program_with_weights_runs(folder):
    subprocess.run([sys.executable, "make_weights.py"], cwd=folder, timeout=60, check=True)
    settings = load_serve_settings(folder / "linear.yaml", {}, dotenv=None)
    np.testing.assert_array_equal(answer(settings, folder, "scale", np.float32([[3, 4]])), np.float32([[6, 40]]))


def test_the_environment_alone_is_a_configuration(folder):
    variables = {name: value or "" for name, value in dotenv_values(folder / "serve.env").items()}
    settings = load_serve_settings(None, variables, dotenv=None)
    program = settings.programs["length"]
    assert (settings.host, settings.log) == ("0.0.0.0", "json")
    assert settings.token is not None and settings.token.get_secret_value() == variables["LATEBIND_SERVE__TOKEN"]
    assert (program.workers, program.batching.max_size, program.inputs[0].shape) == (2, 32, (-1, 2))
    assert answer(settings, folder, "length", np.float32([[3, 4]])).tolist() == [5]


# Tables


def table(first_row: str) -> dict[str, str]:
    """Return the second cells of a table's rows by their first ones, which are code."""
    text = PAGE[PAGE.index(f"\n| `{first_row}` |") :].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|", text, re.MULTILINE)
    return {name: default.strip() for name, default in rows}


@pytest.mark.parametrize(
    ("group", "first"), [(ServeSettings, "host"), (ProgramSettings, "program"), (BatchingSettings, "max_size")]
)
def test_the_tables_have_every_key_and_its_default(group: type[Group], first):
    rows = table(first)
    assert list(rows) == [*group.model_fields]
    for name, field in group.model_fields.items():
        if field.is_required():
            assert rows[name] == "", name
            continue
        default = field.get_default(call_default_factory=True)
        plain = {} if isinstance(default, BatchingSettings) else default
        assert yaml.safe_load(rows[name].strip("`")) == plain, name


def test_the_table_of_statuses_has_those_that_errors_have():
    statuses = {int(status) for status in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)}
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    assert statuses == {int(each.status) for each in kinds if issubclass(each, errors.ServingError)}


def test_the_table_of_datatypes_has_all():
    rows = re.findall(r"^\| (`BOOL`.*|`INT8`.*)$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(DATATYPES)


# What is sent


@pytest.mark.parametrize("file", ["README.md", "docs/serving.md"])
def test_the_bodies_that_curl_sends_are_json_of_the_shape_that_they_say(file):
    bodies = re.findall(r"/infer\s(?:\\\n)?\s*-d '(.*?)'", (ROOT / file).read_text(), re.DOTALL)
    assert bodies
    for body in bodies:
        (tensor,) = json.loads(body)["inputs"]
        assert len(tensor["data"]) == np.prod(tensor["shape"])


def test_the_binary_body_is_what_its_header_says():
    (header,) = re.findall(r"header='(.*?)'", PAGE, re.DOTALL)
    (sent,) = re.findall(r"; printf '((?:\\\d{3})+)'", PAGE)
    data = bytes(int(digits, 8) for digits in sent.split("\\")[1:])
    (tensor,) = json.loads(header)["inputs"]
    assert tensor["parameters"] == {"binary_data_size": len(data)}
    assert np.frombuffer(data, "<f4").reshape(tensor["shape"]).tolist() == [[3.0, 4.0]]
