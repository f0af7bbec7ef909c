"""The page at `/`: programs, live figures, and compiled graphs. Nothing is asked of any other host."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi import APIRouter
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from latebind.services.serving.settings import ServeSettings
    from latebind.services.serving.types import ModelService, ModelStatus

#: The page's own files and nothing else; no inline scripts or styles.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_FILES: Final = {"/": "index.html", "/page/app.js": "app.js", "/page/style.css": "style.css"}
_KINDS: Final = {"html": "text/html", "js": "text/javascript", "css": "text/css"}


def page_routes(service: ModelService, settings: ServeSettings) -> APIRouter:
    """Return the page's routes: its files, which hold no data, and the data that it asks for.

    Parameters
    ----------
    service
    settings
        The server's; its token is asked of the data's routes by the guard.
    """
    router = APIRouter()
    for path, name in _FILES.items():
        router.add_route(path, _file(name), methods=["GET"])

    async def data(request: Request) -> Response:
        """`GET /page/data`: states and figures."""
        return _json({"programs": [_described(one) for one in service.statuses()], "report": service.report()})

    async def graphs(request: Request) -> Response:
        """`GET /page/graphs/{name}`: the compiled graphs of a program."""
        return _json(list(await service.graphs(request.path_params["name"])))

    router.add_route("/page/data", data, methods=["GET"])
    router.add_route("/page/graphs/{name}", graphs, methods=["GET"])
    return router


def _file(name: str) -> Any:
    content = (files(__package__) / name).read_bytes()
    kind = _KINDS[name.rpartition(".")[2]] + "; charset=utf-8"

    async def handler(request: Request) -> Response:
        return Response(content, headers={**_HEADERS, "content-type": kind})

    return handler


def _json(value: Any) -> Response:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return Response(orjson.dumps(value), headers=headers)


def _described(status: ModelStatus) -> dict[str, Any]:
    def declared(specs: Any) -> list[str]:
        return [f"{spec.name} {spec.datatype} [{', '.join(map(str, spec.shape))}]" for spec in specs]

    return {
        "name": status.name,
        "version": status.version,
        "state": str(status.state),
        "reason": status.reason,
        "backend": status.backend,
        "inputs": declared(status.inputs),
        "outputs": declared(status.outputs),
        "max_batch_size": status.max_batch_size,
    }
