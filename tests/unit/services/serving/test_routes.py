"""The routes in front of a service without processes: statuses, headers, the token, the repository, metrics, logs."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.services.serving.fake_service import FakeService, echo_status, serve_settings

from latebind.services.serving.app import create_app
from latebind.services.serving.container import serving_container
from latebind.services.serving.errors import OverloadedError, ProgramFailedError, ProgramTimeoutError
from latebind.services.serving.logs import JsonFormatter, TextFormatter
from latebind.services.serving.routes import ROUTES
from latebind.services.serving.types import ModelState

X = {"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3, 4]}
INFER = "/v2/models/echo/infer"
Use = Callable[[httpx.AsyncClient], Awaitable[None]]


def with_client(use: Use, service: FakeService | None = None, **settings: Any) -> FakeService:
    """Run a test against the application; the container's service is overridden."""
    made = service or FakeService()

    async def run() -> None:
        container = serving_container(serve_settings(**settings), Path())
        try:
            with container.service.override(made):
                transport = httpx.ASGITransport(create_app(container), raise_app_exceptions=False)
                async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
                    await use(client)
        finally:
            container.unwire()

    asyncio.run(run())
    return made


def test_a_request_gets_its_result_id_and_request_id() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.post(INFER, json={"id": "mine", "inputs": [X]}, headers={"X-Request-ID": "trace-7"})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "model_name": "echo",
            "model_version": "1",
            "id": "mine",
            "outputs": [{"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [1.0, 2.0, 3.0, 4.0]}],
        }
        assert answer.headers["x-request-id"] == "trace-7"
        other = await client.post(INFER, json={"inputs": [X]}, headers={"X-Request-ID": "no\tsane id"})
        assert len(other.headers["x-request-id"]) == 32

    service = with_client(use)
    assert service.requests[0].request_id == "trace-7"


@pytest.mark.parametrize("path", [INFER, "/v2/models/echo/versions/1/infer"])
@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_compressed_bodies(path: str, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        body = compress(json.dumps({"inputs": [X]}).encode())
        answer = await client.post(path, content=body, headers={"Content-Encoding": encoding})
        assert answer.json()["outputs"][0]["data"] == [1, 2, 3, 4]

    with_client(use)


def test_large_results_are_compressed_for_clients_that_accept_it() -> None:
    service = FakeService(echo_status(shape=(-1,)))

    async def use(client: httpx.AsyncClient) -> None:
        entry = {"name": "x", "datatype": "FP32", "shape": [20_000], "data": [0] * 20_000}
        for encoding in ("gzip", "deflate", "identity"):
            answer = await client.post(INFER, json={"inputs": [entry]}, headers={"Accept-Encoding": encoding})
            assert answer.headers.get("content-encoding", "identity") == encoding
            assert len(answer.json()["outputs"][0]["data"]) == 20_000

    with_client(use, service)


BODIES: list[tuple[bytes, dict[str, str], int]] = [
    (b"{", {}, 400),
    (b"{}", {"Content-Encoding": "gzip"}, 400),
    (gzip.compress(b"{}")[:-3], {"Content-Encoding": "gzip"}, 400),
    (gzip.compress(b"{}") * 2, {"Content-Encoding": "gzip"}, 400),
    (b"{}", {"Content-Encoding": "br"}, 400),
    (b"x" * 2000, {}, 413),
    (gzip.compress(b" " * 10_000_000), {"Content-Encoding": "gzip"}, 413),
    (b"{}", {"Inference-Header-Content-Length": "9"}, 400),
]


@pytest.mark.parametrize("case", range(len(BODIES)))
def test_bodies_that_are_refused(case: int) -> None:
    body, headers, status = BODIES[case]

    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.post(INFER, content=body, headers=headers)
        assert answer.status_code == status
        assert answer.json().keys() == {"error"} and answer.json()["error"]

    assert not with_client(use, max_body_mb=0.001).requests


def test_a_body_without_a_length_is_limited_too() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        async def parts() -> Any:
            for _ in range(100):
                yield b" " * 100

        answer = await client.post(INFER, content=parts())
        assert answer.status_code == 413

    with_client(use, max_body_mb=0.001)


@pytest.mark.parametrize(
    ("failure", "status", "header"),
    [
        (OverloadedError("the queue is full", retry_after=2.4), 429, "2"),
        (ProgramFailedError("ValueError: no"), 500, None),
        (ProgramTimeoutError("too long"), 504, None),
    ],
)
def test_failures_have_their_status(failure: Exception, status: int, header: str | None) -> None:
    service = FakeService()
    service.failure = failure

    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.post(INFER, json={"inputs": [X]})
        assert (answer.status_code, answer.json(), answer.headers.get("retry-after")) == (
            status,
            {"error": str(failure)},
            header,
        )

    with_client(use, service)


def test_what_nobody_expected_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    service = FakeService()
    service.failure = RuntimeError("secret of the house")

    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.post(INFER, json={"inputs": [X]}, headers={"X-Request-ID": "abc"})
        assert answer.status_code == 500
        assert "secret" not in answer.text and "abc" in answer.json()["error"]

    with_client(use, service)
    assert "secret of the house" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v2/", 404),
        ("GET", "/v2/models/none", 404),
        ("GET", "/v2/models/echo/versions/2", 404),
        ("GET", "/v2/models/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/v2/models/%00/ready", 404),
        ("POST", "/v2/models/../infer", 404),
        ("GET", INFER, 405),
        ("DELETE", "/v2", 405),
        ("POST", "/v2/repository/index", 403),
        ("POST", "/v2/repository/models/echo/load", 403),
        ("POST", "/v2/repository/models/echo/unload", 403),
    ],
)
def test_unknown_and_forbidden_routes(method: str, path: str, status: int) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.request(method, path)
        assert answer.status_code == status
        assert answer.json().keys() == {"error"}

    assert not with_client(use).done


def test_the_repository_extension() -> None:
    service = FakeService(echo_status(), echo_status())

    async def use(client: httpx.AsyncClient) -> None:
        entry = {"name": "echo", "version": "1", "state": "READY", "reason": ""}
        assert (await client.post("/v2/repository/index")).json() == [entry]
        assert (await client.post("/v2/repository/index", json={"ready": True})).json() == [entry]
        assert (await client.post("/v2/repository/models/echo/unload", json={})).status_code == 200
        assert (await client.post("/v2/repository/models/echo/load")).status_code == 200
        assert (await client.post("/v2/repository/models/none/load")).status_code == 404
        assert (await client.post("/v2/repository/index", content=b"[")).status_code == 400
        assert "model_repository" in (await client.get("/v2")).json()["extensions"]

    assert with_client(use, service, repository=True).done == ["unload echo", "load echo"]


@pytest.mark.parametrize("state", list(ModelState))
def test_readiness(state: ModelState) -> None:
    service = FakeService()
    ready = service.known["echo"]
    service.known["echo"] = type(ready)(
        "echo", "1", state, "numpy", ready.inputs, ready.outputs, reason="" if state is ModelState.READY else "why not"
    )
    status = 200 if state is ModelState.READY else 503

    async def use(client: httpx.AsyncClient) -> None:
        assert (await client.get("/v2/health/live")).status_code == 200
        assert (await client.get("/v2/health/ready")).status_code == status
        answer = await client.get("/v2/models/echo/ready")
        assert answer.status_code == status
        assert ("why not" in answer.text) is (status == 503)

    with_client(use, service)


@pytest.mark.parametrize("method, path", [(method, path) for method, path, _ in ROUTES])
def test_every_route_but_health_asks_for_the_token(method: str, path: str) -> None:
    path = path.format(name="echo", version="1")
    free = path.startswith("/v2/health")

    async def use(client: httpx.AsyncClient) -> None:
        for given in (None, "Bearer wrong", "Basic secret", "Bearer secre", "Bearer secrets"):
            headers = {} if given is None else {"Authorization": given}
            answer = await client.request(method, path, headers=headers)
            assert (answer.status_code == 401) is not free
            assert free or answer.headers["www-authenticate"] == "Bearer"
        answer = await client.request(method, path, headers={"Authorization": "Bearer secret"})
        assert answer.status_code != 401

    with_client(use, token="secret", repository=True)


def test_metrics_are_prometheus_s() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        await client.post(INFER, json={"inputs": [X]})
        await client.post(INFER, content=b"{")
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        found = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }
        model = ("model", "echo")
        assert found["latebind_requests_total", model] == 3
        assert found["latebind_latency_seconds_bucket", ("le", "0.1"), model] == 3
        assert found["latebind_latency_seconds_sum", model] == 0.05
        assert found["latebind_fallbacks_total", model, ("operation", "linalg::svd")] == 2
        assert found["latebind_workers", model, ("state", "ready")] == 1
        route = ("method", "POST"), ("route", "/v2/models/{name}/infer")
        assert found["latebind_http_responses_total", *route, ("status", "200")] == 1
        assert found["latebind_http_responses_total", *route, ("status", "400")] == 1

    with_client(use)


def test_binary_in_and_out() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        x = np.array([[1, np.nan], [np.inf, -0.0]], np.float32)
        entry = {**X, "parameters": {"binary_data_size": x.nbytes}}
        del entry["data"]
        head = json.dumps({"inputs": [entry], "parameters": {"binary_data_output": True}}).encode()
        headers = {"Inference-Header-Content-Length": str(len(head))}
        answer = await client.post(INFER, content=head + x.tobytes(), headers=headers)
        length = int(answer.headers["inference-header-content-length"])
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.content[length:] == x.tobytes()

    with_client(use)


def test_the_log_has_the_request_s_fields(caplog: pytest.LogCaptureFixture) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        await client.get("/v2/models/echo", headers={"X-Request-ID": "r-1"})

    with caplog.at_level(logging.INFO, "latebind.serving.http"):
        with_client(use)
    (record,) = [one for one in caplog.records if one.name == "latebind.serving.http"]
    document = json.loads(JsonFormatter().format(record))
    assert document["request_id"] == "r-1" and document["status"] == 200 and document["path"] == "/v2/models/echo"
    assert TextFormatter().format(record).endswith("[r-1]")


def test_spans_are_made_where_opentelemetry_is_set_up() -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    async def use(client: httpx.AsyncClient) -> None:
        await client.post(INFER, json={"inputs": [X]}, headers={"traceparent": parent})

    with_client(use)
    spans = {one.name: one for one in exporter.get_finished_spans()}
    span = spans["infer"]
    assert span.attributes is not None and span.attributes["latebind.model"] == "echo"
    assert span.attributes["latebind.batch_rows"] == 2
    assert span.context is not None and format(span.context.trace_id, "032x") == parent.split("-")[1]
