"""`latebind serve` as clients see it: the public Triton client, signals, the environment, clients that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http as triton
from tests.integration.serving.http_servers import DEADLINE, ROOT, Process, exchange, running, serving_fake
from tests.unit.services.serving.fake_service import FakeService

CONFIG = """
port: 0
page: false
repository: true
programs:
  double:
    program: worker_programs.py:double
    inputs: [{name: x, datatype: FP32, shape: [-1, 4]}]
    outputs: [{name: y, datatype: FP32, shape: [-1, 4]}]
    settings: {backend: numpy}
    batching: {max_size: 8}
"""
BODY = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}).encode()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serve")
    (folder / "worker_programs.py").write_text((Path(__file__).parent / "worker_programs.py").read_text())
    file = folder / "serve.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture(scope="module")
def server(config: Path) -> Iterator[Process]:
    with running(config) as found:
        yield found


@pytest.fixture
def client(server: Process) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(server.address) as found:
        yield found


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("compressed", [None, "gzip", "deflate"])
def test_the_public_client(
    client: triton.InferenceServerClient, binary_in: bool, binary_out: bool, compressed: str | None
) -> None:
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    given = triton.InferInput("x", [5, 4], "FP32")
    given.set_data_from_numpy(x, binary_data=binary_in)
    wanted = triton.InferRequestedOutput("y", binary_data=binary_out)
    result = client.infer(
        "double",
        [given],
        outputs=[wanted],
        request_id="r7",
        request_compression_algorithm=compressed,
        response_compression_algorithm=compressed,
    )
    np.testing.assert_allclose(result.as_numpy("y"), 2 * x, rtol=1e-6)  # numbers in JSON are rounded to float32
    assert result.get_response()["id"] == "r7"


def test_the_public_client_s_other_calls(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("double", "1")
    assert not client.is_model_ready("none")
    assert client.get_server_metadata()["name"] == "latebind"
    metadata = client.get_model_metadata("double")
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    assert metadata["platform"] == "latebind_numpy"
    client.unload_model("double")
    assert not client.is_model_ready("double")
    with pytest.raises(triton.InferenceServerException, match="double"):
        client.infer("double", [triton.InferInput("x", [1, 4], "FP32").set_data_from_numpy(np.ones((1, 4), "f4"))])
    client.load_model("double")
    assert client.is_model_ready("double")
    assert [entry["state"] for entry in client.get_model_repository_index()] == ["READY"]


def test_requests_from_many_clients_share_batches(server: Process) -> None:
    results: dict[int, bytes] = {}

    def ask(number: int) -> None:
        body = BODY.replace(b"[1, 2, 3, 4]", json.dumps([number] * 4).encode())
        results[number] = server.get("/v2/models/double/infer", body)[1]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert {number: json.loads(body)["outputs"][0]["data"] for number, body in results.items()} == {
        number: [2.0 * number] * 4 for number in range(24)
    }


def test_sigterm_lets_requests_end_and_leaves_with_0(config: Path) -> None:
    with running(config) as server:
        assert server.get("/v2/models/double/infer", BODY)[0] == 200
        code, log = server.stop()
    assert code == 0, log
    assert "Traceback" not in log


def test_the_environment_alone_configures(tmp_path: Path) -> None:
    programs = json.dumps({"double": json.loads(json.dumps(_yaml_program()))})
    file = tmp_path / "empty.yaml"
    file.write_text(f"page: false\nprograms: {programs}\n")
    environ = {"LATEBIND_SERVE__PORT": "0", "LATEBIND_SERVE__TOKEN": "s3cret", "LATEBIND_SERVE__LOG": "json"}
    with running(file, **environ) as server:
        assert server.get("/v2")[0] == 401
        assert server.get("/v2", Authorization="Bearer s3cret")[0] == 200
        code, log = server.stop()
    assert code == 0
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"request_id", "status", "seconds"} <= next(line for line in lines if line.get("path") == "/v2").keys()
    assert "s3cret" not in log


def _yaml_program() -> dict[str, object]:
    tensor = {"datatype": "FP32", "shape": [-1, 4]}
    return {
        "program": f"{Path(__file__).parent / 'worker_programs.py'}:double",
        "inputs": [{"name": "x", **tensor}],
        "outputs": [{"name": "y", **tensor}],
        "settings": {"backend": "numpy"},
    }


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "app")}
    return subprocess.run(
        [sys.executable, "-m", "latebind", "serve", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=environ,
    )


def test_a_port_that_is_taken_and_a_wrong_file_are_one_clear_line(config: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = command("--config", str(config), "--port", str(taken.getsockname()[1]))
    assert found.returncode == 1 and "--port" in found.stderr and "Traceback" not in found.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(CONFIG.replace("FP32", "FP31"))
    found = command("--config", str(wrong))
    assert found.returncode == 3 and "FP31" in found.stderr and "Traceback" not in found.stderr
    found = command("--config", str(config), "--check")
    assert found.returncode == 0 and "double" in found.stdout


# Clients that misbehave, against a service without processes


def post(body: bytes, length: int | None = None, path: str = "/v2/models/echo/infer") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    return head.encode() + body


def test_a_body_that_never_ends_is_a_408() -> None:
    with serving_fake(FakeService(), body_timeout=0.2) as address:
        answer = exchange(address, post(b"{", length=10))
    assert answer.startswith(b"HTTP/1.1 408") and b'"error"' in answer


def test_headers_that_never_end_close_the_connection() -> None:
    with serving_fake(FakeService(), body_timeout=0.2) as address:
        assert exchange(address, b"POST /v2 HTTP/1.1\r\nHost: a\r\nX-Slow: ") == b""


def trickle(address: tuple[str, int], begin: bytes) -> bytes:
    """Send one byte after the other, each long before the server's patience ends, until it answers or hangs up."""
    answer = b""
    with socket.create_connection(address, DEADLINE) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(begin)
        until = time.monotonic() + DEADLINE
        while not select.select([connection], [], [], 0.02)[0]:
            assert time.monotonic() < until, "each byte restarts the server's patience"
            connection.sendall(b"a")
        while part := connection.recv(4096):
            answer += part
    return answer


def test_one_byte_after_the_other_does_not_keep_a_request_alive() -> None:
    with serving_fake(FakeService(), body_timeout=0.3) as address:
        assert trickle(address, post(b"", length=10**6)).startswith(b"HTTP/1.1 408")
        assert trickle(address, b"POST /v2 HTTP/1.1\r\nHost: a\r\nX-Slow: ") == b""
        assert b"200 OK" in exchange(address, b"GET /v2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")


def test_endless_headers_close_the_connection() -> None:
    with serving_fake(FakeService()) as address:
        lines = b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(200))
        assert b"200 OK" not in exchange(address, b"GET /v2 HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")


@pytest.mark.parametrize(
    "request_", [b"nonsense\r\n\r\n", b"GET /v2 HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"]
)
def test_what_is_no_http_is_refused(request_: bytes) -> None:
    with serving_fake(FakeService()) as address:
        answer = exchange(address, request_)
        assert b"Traceback" not in answer and not answer.startswith(b"HTTP/1.1 200")
        assert b"200 OK" in exchange(address, b"GET /v2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")


def test_a_client_that_goes_away_cancels_its_request() -> None:
    service = FakeService()
    service.waits = True
    body = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}).encode()
    with serving_fake(service) as address:
        with socket.create_connection(address, DEADLINE) as connection:
            connection.sendall(post(body))
            wait_for(service.begun)
        wait_for(service.cancelled)


def wait_for(event: asyncio.Event) -> None:
    end = time.monotonic() + DEADLINE
    while not event.is_set():
        assert time.monotonic() < end
        time.sleep(0.005)
