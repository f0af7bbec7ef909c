"""Handlers of the Open Inference Protocol v2 and its model repository extension; they get the service by wiring."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from latebind.injection.library import Provide, inject
from latebind.services.serving.bodies import read_body
from latebind.services.serving.errors import ForbiddenError, InvalidRequestError, ModelUnavailableError
from latebind.services.serving.exposition import exposition
from latebind.services.serving.guard import HttpCounts
from latebind.services.serving.requests import parse_request
from latebind.services.serving.responses import compress, encode_result
from latebind.services.serving.settings import ServeSettings
from latebind.services.serving.spans import infer_span
from latebind.services.serving.types import ModelService, ModelState, ModelStatus, TensorSpec

#: Bytes of a body from which on it is parsed on another thread, so that the event loop goes on.
LARGE: Final = 2**20
EXTENSIONS: Final = ("binary_tensor_data",)
_T = TypeVar("_T")


def json_response(value: Any, status: int = 200) -> Response:
    """Return a value as JSON."""
    return Response(orjson.dumps(value), status, media_type="application/json")


def _is_ready(service: ModelService, settings: ServeSettings) -> bool:
    wanted = {name for name, program in settings.programs.items() if program.autoload}
    return all(status.state is ModelState.READY for status in service.statuses() if status.name in wanted)


# The server


@inject
async def server_metadata(
    request: Request,
    service: ModelService = Provide["service"],
    settings: ServeSettings = Provide["settings"],
    version: str = Provide["version"],
) -> Response:
    """`GET /v2`."""
    extensions = [*EXTENSIONS, *(["model_repository"] if settings.repository else [])]
    backends = {status.name: status.backend for status in service.statuses()}
    document = {"name": "latebind", "version": version, "extensions": extensions, "latebind": {"backends": backends}}
    return json_response(document)


async def live(request: Request) -> Response:
    """`GET /v2/health/live`: the process answers."""
    return json_response({"live": True})


@inject
async def ready(
    request: Request, service: ModelService = Provide["service"], settings: ServeSettings = Provide["settings"]
) -> Response:
    """`GET /v2/health/ready`: every program that is loaded by itself is ready, and the server is not stopping."""
    is_ready = _is_ready(service, settings) and not getattr(request.app.state, "stopping", False)
    return json_response({"ready": is_ready}, 200 if is_ready else 503)


# Programs


@inject
async def model_metadata(request: Request, service: ModelService = Provide["service"]) -> Response:
    """`GET /v2/models/{name}[/versions/{version}]`."""
    status = _status(request, service)
    document = {
        "name": status.name,
        "versions": [status.version],
        "platform": f"latebind_{status.backend}",
        "inputs": [_declared(spec) for spec in status.inputs],
        "outputs": [_declared(spec) for spec in status.outputs],
    }
    return json_response(document)


@inject
async def model_ready(request: Request, service: ModelService = Provide["service"]) -> Response:
    """`GET /v2/models/{name}[/versions/{version}]/ready`."""
    status = _status(request, service)
    is_ready = status.state is ModelState.READY
    document = {"name": status.name, "ready": is_ready} | ({} if is_ready else {"reason": status.reason})
    return json_response(document, 200 if is_ready else 503)


@inject
async def infer(
    request: Request, service: ModelService = Provide["service"], settings: ServeSettings = Provide["settings"]
) -> Response:
    """`POST /v2/models/{name}[/versions/{version}]/infer`."""
    status = _status(request, service)
    limit = int(settings.max_body_mb * 2**20)
    body = await read_body(request, limit, settings.body_timeout)
    header_length = request.headers.get("inference-header-content-length")
    parsed = await _away(len(body), lambda: parse_request(body, header_length, status))
    parsed.request.request_id = request.state.request_id
    version = request.path_params.get("version")
    with infer_span(request, status) as span:
        result = await _unless_gone(request, service.infer(status.name, version, parsed.request))
        span("batch_rows", result.batch_rows)
    accepted = request.headers.get("accept-encoding", "")

    def respond() -> Response:
        content, headers = encode_result(result, parsed.outputs, status, parsed.client_id)
        content = compress(content, headers, accepted) if accepted else content
        return Response(content, headers=headers)

    return await _away(sum(output.nbytes for output in result.outputs.values()), respond)


async def _away(size: int, work: Callable[[], _T]) -> _T:
    """Do work on so many bytes: at once, or if they are many on another thread."""
    return work() if size < LARGE else await asyncio.to_thread(work)


async def _unless_gone(request: Request, work: Awaitable[_T]) -> _T:
    """Wait for a result, or cancel what makes it when the client is gone.

    Raises
    ------
    starlette.requests.ClientDisconnect
        If it is.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        watching.cancel()
        working.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _status(request: Request, service: ModelService) -> ModelStatus:
    return service.status(request.path_params["name"], request.path_params.get("version"))


def _declared(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


# The repository


def _check_repository(settings: ServeSettings) -> None:
    if not settings.repository:
        raise ForbiddenError("the model repository extension is off: set 'repository: true' in the server's settings")


@inject
async def repository_index(
    request: Request, service: ModelService = Provide["service"], settings: ServeSettings = Provide["settings"]
) -> Response:
    """`POST /v2/repository/index`."""
    _check_repository(settings)
    body = await read_body(request, 2**16, settings.body_timeout)
    only_ready = bool(_small_document(body).get("ready", False))
    entries = [
        {"name": status.name, "version": status.version, "state": str(status.state), "reason": status.reason}
        for status in service.statuses()
        if status.state is ModelState.READY or not only_ready
    ]
    return json_response(entries)


@inject
async def repository_load(
    request: Request, service: ModelService = Provide["service"], settings: ServeSettings = Provide["settings"]
) -> Response:
    """`POST /v2/repository/models/{name}/load`: load, or load again."""
    _check_repository(settings)
    _small_document(await read_body(request, 2**16, settings.body_timeout))
    name = request.path_params["name"]
    await service.load(name)
    status = service.status(name)
    if status.state is not ModelState.READY:
        raise ModelUnavailableError(f"{name!r} could not be loaded: {status.reason}")
    return json_response({})


@inject
async def repository_unload(
    request: Request, service: ModelService = Provide["service"], settings: ServeSettings = Provide["settings"]
) -> Response:
    """`POST /v2/repository/models/{name}/unload`."""
    _check_repository(settings)
    _small_document(await read_body(request, 2**16, settings.body_timeout))
    await service.unload(request.path_params["name"])
    return json_response({})


def _small_document(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidRequestError("the body has to be a JSON object")
    return found


# Operations


@inject
async def metrics(
    request: Request,
    service: ModelService = Provide["service"],
    counts: HttpCounts = Provide["http_counts"],
    version: str = Provide["version"],
) -> Response:
    """`GET /metrics`: Prometheus's text."""
    if hasattr(service, "refresh"):
        await service.refresh()
    content, kind = exposition(service, counts, version)
    return Response(content, media_type=kind)


@inject
async def openapi(request: Request, document: dict[str, Any] = Provide["openapi"]) -> Response:
    """`GET /openapi.json`."""
    return json_response(document)


_MODEL: Final = "/v2/models/{name}"
_VERSION: Final = _MODEL + "/versions/{version}"
ROUTES: Final = (
    ("GET", "/v2", server_metadata),
    ("GET", "/v2/health/live", live),
    ("GET", "/v2/health/ready", ready),
    ("GET", _MODEL, model_metadata),
    ("GET", _VERSION, model_metadata),
    ("GET", _MODEL + "/ready", model_ready),
    ("GET", _VERSION + "/ready", model_ready),
    ("POST", _MODEL + "/infer", infer),
    ("POST", _VERSION + "/infer", infer),
    ("POST", "/v2/repository/index", repository_index),
    ("POST", "/v2/repository/models/{name}/load", repository_load),
    ("POST", "/v2/repository/models/{name}/unload", repository_unload),
    ("GET", "/metrics", metrics),
    ("GET", "/openapi.json", openapi),
)
