"""The digits example from training to a client: saved weights, the served program, and what the client prints."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.engines import need
from tests.integration.serving.fake_protocol_server import fake_server

import latebind as lb
from latebind.cli.program import example_names
from latebind.examples import NO_PROGRAMS, digits, digits_client
from latebind.examples.context import RunContext
from latebind.examples.digits_serving import predict
from latebind.services.serving.loading import load_serve_settings
from latebind.services.serving.pool import ProgramPool
from latebind.services.serving.program import load_weights, specs_of
from latebind.services.serving.settings import ServeSettings
from latebind.services.serving.types import InferRequest, ModelState

CONFIG = Path(__file__).parents[3] / "config" / "serve.yaml"
#: Seconds that loading may take on a busy machine.
DEADLINE = 50.0


@pytest.fixture(scope="module")
def data():
    pytest.importorskip("sklearn")
    return digits.load(np.random.default_rng(0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    """Results of a short training, and the file that it was saved to."""
    file = tmp_path_factory.mktemp("digits") / "models" / "digits.npz"
    results = digits.main(RunContext(arguments=("--epochs", "2", "--hidden", "32", "--save", str(file))))
    return results, file


# Saving


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_saved_weights_are_read_as_they_were(tmp_path, suffix):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    file = tmp_path / f"weights{suffix}"
    weights = {"w1": np.arange(6, dtype=np.float32).reshape(2, 3), "b1": np.float32([0.5])}
    digits.save(file, {"w1": np.zeros(1, np.float32)})
    digits.save(file, weights)
    found = load_weights(file)
    assert set(found) == set(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_training_saves_what_it_returns(trained):
    results, file = trained
    saved = load_weights(file)
    assert set(saved) == {"w1", "b1", "w2", "b2"}
    for name, array in saved.items():
        np.testing.assert_array_equal(array, np.asarray(results[name]), strict=True)
        assert array.dtype == np.float32


@pytest.mark.parametrize(
    ("name", "reason"),
    [("weights.pickle", "a .npz or .safetensors file, not"), ("file/digits.npz", "cannot make the folder of")],
)
def test_what_cannot_be_saved_is_refused_before_training(tmp_path, monkeypatch, capsys, name, reason):
    (tmp_path / "file").touch()
    monkeypatch.setattr(digits, "train", lambda *_: pytest.fail("it was trained"))
    with pytest.raises(SystemExit) as stop:
        digits.main(RunContext(arguments=("--save", str(tmp_path / name))))
    assert stop.value.code == 2
    assert reason in capsys.readouterr().err


# The program


def test_what_is_no_program_of_its_own_cannot_be_run():
    assert {"digits_serving", "digits_client"} <= NO_PROGRAMS
    for name in example_names():
        assert callable(import_module(f"latebind.examples.{name}").main)


def test_the_program_answers_as_the_model_that_was_trained(trained, data):
    results, file = trained
    weights = {name: lb.asarray(array) for name, array in load_weights(file).items()}
    probabilities, digit = (np.asarray(each) for each in predict(lb.asarray(data.test_images), weights))
    assert (probabilities.dtype, digit.dtype) == (np.float32, np.int64)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), digit)
    assert np.mean(digit == data.test_labels.argmax(axis=1)) == pytest.approx(results["accuracy"])


def test_the_configuration_that_we_ship_is_right_and_says_every_key():
    settings = load_serve_settings(CONFIG, {}, dotenv=None)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    (program,) = settings.programs.values()
    assert [spec.datatype for spec in specs_of(program.outputs)] == ["FP32", "INT64"]
    assert (CONFIG.parent / str(program.weights)).resolve() == CONFIG.parents[1] / "models" / "digits.npz"
    written = yaml.safe_load(CONFIG.read_text())
    assert set(written) == set(ServeSettings.model_fields)
    assert set(written["programs"]["digits"]) == set(type(program).model_fields)
    assert set(written["programs"]["digits"]["batching"]) == set(type(program.batching).model_fields)


@pytest.mark.parametrize("backend", ["numpy", "tiered"])
def test_served_answers_are_those_of_the_model(trained, data, backend):
    if backend == "tiered":
        need("jax")
    results, file = trained
    shipped = yaml.safe_load(CONFIG.read_text())
    program = shipped["programs"]["digits"]
    program["weights"] = file.name
    program["settings"]["backend"] = backend
    program["batching"]["buckets"] = [8]  # and 64, instead of seven

    async def scenario():
        async with ProgramPool(ServeSettings.model_validate(shipped), file.parent) as pool:
            await asyncio.wait_for(pool.loaded(), DEADLINE)
            status = pool.status("digits")
            assert (status.state, status.reason, status.backend) == (ModelState.READY, "", backend)
            images = [InferRequest({"images": image[None]}) for image in data.test_images]
            answers = []
            for start in range(0, len(images), 100):  # a queue has 256 places
                asked = (pool.infer("digits", None, image) for image in images[start : start + 100])
                answers += await asyncio.gather(*asked)
            assert pool.report()["digits"]["batches"] < len(images)
            return answers

    answers = asyncio.run(scenario())
    digit = np.concatenate([answer.outputs["digit"] for answer in answers])
    probabilities = np.concatenate([answer.outputs["probabilities"] for answer in answers])
    weights = {name: lb.asarray(array) for name, array in load_weights(file).items()}
    wanted = np.asarray(predict(lb.asarray(data.test_images), weights)[0])
    np.testing.assert_allclose(probabilities, wanted, rtol=1e-4, atol=1e-6)
    second, first = np.sort(wanted, axis=1)[:, -2:].T
    clear = first - second > 1e-3  # engines may round to either side of a tie
    assert clear.mean() > 0.98
    np.testing.assert_array_equal(digit[clear], wanted.argmax(axis=1)[clear])
    right = np.mean(digit == data.test_labels.argmax(axis=1))
    assert abs(right - results["accuracy"]) <= 1e-6 + np.mean(~clear)


# The client


def right_answers(data):
    known = {
        image.tobytes(): int(label.argmax()) for image, label in zip(data.test_images, data.test_labels, strict=True)
    }
    return lambda image: known[image.astype("<f4").tobytes()]


def run_client(capsys, *arguments):
    code = digits_client.main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("binary", [True, False])
def test_the_client_sends_every_held_out_image_once(data, capsys, binary):
    with fake_server(right_answers(data)) as server:
        server.binary = binary
        code, out, _ = run_client(capsys, "--url", server.url, "--clients", "4")
        sent = [path for method, path, _ in server.seen if method == "POST"]
        connections = server.connections
    assert code == 0
    assert sent == ["/v2/models/digits/infer"] * len(data.test_images)
    assert connections <= 5  # one per client, and one that asked whether the program is ready
    assert f"accuracy  100.00% of {len(data.test_images)} requests" in out
    times = [float(value) for value in re.findall(r"(?:p50|p90|p99|max) ([0-9.]+) ms", out)]
    assert len(times) == 4 and times == sorted(times) and times[0] > 0
    assert re.search(r"rate      [0-9]+ requests/s, 4 clients", out)
    assert "retries" not in out


def test_the_accuracy_is_the_share_of_right_answers(data, capsys):
    with fake_server(lambda image: 7) as server:
        _, out, _ = run_client(capsys, "--url", server.url, "--clients", "2")
    assert f"accuracy  {np.mean(data.test_labels.argmax(axis=1) == 7):.2%} of" in out


def test_the_number_of_requests_and_the_token_are_options(data, capsys):
    with fake_server(right_answers(data)) as server:
        code, out, _ = run_client(capsys, "--url", f"{server.url}/", "--requests", "3", "--token", "secret")
        seen = server.seen
    assert code == 0 and "of 3 requests" in out
    assert {token for _, _, token in seen} == {"Bearer secret"}
    assert [method for method, _, _ in seen] == ["GET", "POST", "POST", "POST"]


def test_requests_that_find_the_queue_full_are_sent_again(data, capsys):
    with fake_server(right_answers(data)) as server:
        server.full = 2
        code, out, _ = run_client(capsys, "--url", server.url, "--requests", "5", "--clients", "1")
    assert code == 0
    assert "accuracy  100.00% of 5 requests" in out
    assert "retries   2, because the queue was full" in out


def test_a_server_that_refuses_is_quoted(data, capsys):
    with fake_server(right_answers(data)) as server:
        server.refusal = 503, "program 'digits': its workers are starting"
        code, out, err = run_client(capsys, "--url", server.url)
    assert (code, out) == (1, "")
    assert "answers 503 Service Unavailable: program 'digits': its workers are starting" in err


def test_a_missing_server_is_said_with_the_remedy(capsys):
    with socket.socket() as bound:  # a port that nobody listens on
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        code, out, err = run_client(capsys, "--url", url)
    assert (code, out) == (1, "")
    assert err.startswith(f"digits_client: no answer from a server at {url} (")
    assert "latebind serve --config config/serve.yaml" in err


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://127.0.0.1:none"])
def test_an_address_that_is_none_is_refused(capsys, url):
    code, _, err = run_client(capsys, "--url", url)
    assert code == 1
    assert "is no address of a server" in err


def test_a_request_that_fails_is_an_error_of_the_client(data):
    def fails(image):
        raise ConnectionError("the handler ends without an answer")

    with fake_server(fails) as server:
        server.handle_error = lambda *_: None
        with pytest.raises(digits_client.ClientError, match="no answer from a server"):
            digits_client.send_all(data.test_images, 1, server.url)
        assert len(server.seen) == 1


def test_no_client_goes_on_after_one_has_failed(data, monkeypatch):
    others_wait, asked = threading.Event(), []

    def predict_or_fail(client, image):
        asked.append(image)
        if not np.array_equal(image, data.test_images[0]):
            assert others_wait.wait(DEADLINE)
            return 0
        raise digits_client.ClientError("the first image fails")

    monkeypatch.setattr(digits_client.DigitsClient, "predict", predict_or_fail)
    monkeypatch.setattr(digits_client.DigitsClient, "close", lambda client: others_wait.set())
    with pytest.raises(digits_client.ClientError, match="the first image fails"):
        digits_client.send_all(data.test_images, 3, "http://127.0.0.1:1")
    assert len(asked) <= 3
