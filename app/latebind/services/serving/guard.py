"""What stands in front of every route: request ids, the token, errors as JSON, the log and the counts of requests."""

from __future__ import annotations

import hmac
import logging
import re
import time
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from latebind.services.serving.errors import ServingError, UnauthorizedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger: Final = logging.getLogger("latebind.serving.http")
HEALTH: Final = ("/v2/health/live", "/v2/health/ready")
#: Routes that anybody may see: they hold no data.
_STATIC: Final = frozenset(("/", "/page/app.js", "/page/style.css"))
_SANE_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


class HttpCounts:
    """Responses by method, route and status."""

    def __init__(self) -> None:
        self.responses: Counter[tuple[str, str, int]] = Counter()


class Guard:
    """Middleware around the whole application.

    Parameters
    ----------
    app
    token
        What clients have to send; `None` asks for none.
    counts
        Where responses are counted.
    """

    def __init__(self, app: ASGIApp, token: str | None, counts: HttpCounts) -> None:
        self._app = app
        self._expected = None if token is None else f"Bearer {token}".encode()
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        try:
            self._check_token(scope)
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.status = 499
        except Exception as error:
            await exchange.fail(error, receive)
        self._note(scope, exchange)

    def _check_token(self, scope: Scope) -> None:
        if self._expected is None or scope["path"] in HEALTH or scope["path"] in _STATIC:
            return
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not hmac.compare_digest(given, self._expected):
            raise UnauthorizedError("a bearer token is needed: send the header 'Authorization: Bearer TOKEN'")

    def _note(self, scope: Scope, exchange: _Exchange) -> None:
        template = _template(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._counts.responses[method, template, exchange.status] += 1
        level = logging.DEBUG if template in HEALTH or template == "/page/data" else logging.INFO
        logger.log(
            level,
            "%s %s %d %.1f ms",
            *(scope["method"], scope["path"], exchange.status, 1e3 * (time.perf_counter() - exchange.started)),
            extra={
                "request_id": exchange.request_id,
                "method": scope["method"],
                "path": scope["path"],
                "status": exchange.status,
                "seconds": time.perf_counter() - exchange.started,
                "client": (scope.get("client") or ("",))[0],
            },
        )


def _template(scope: Scope) -> str:
    """Return a request's route with names in the place of what the client wrote, so that counts stay few."""
    if scope.get("endpoint") is None:
        return "unknown"
    values = {value: name for name, value in scope.get("path_params", {}).items()}
    parts = scope["path"].split("/")
    return "/".join("{" + values[part] + "}" if part in values and i > 2 else part for i, part in enumerate(parts))


_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))


class _Exchange:
    """One request: its id, and the status that was sent."""

    def __init__(self, scope: Scope, send: Send) -> None:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        self.request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = self.request_id
        self.started = time.perf_counter()
        self.status = 0
        self._scope = scope
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a message on, with the request's id among the headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())]
            message = {**message, "headers": headers}
        await self._send(message)

    async def fail(self, error: Exception, receive: Receive) -> None:
        """Answer with an error; what nobody expected is logged and not told."""
        if self.status:  # the response has begun: all that can be done is to end it
            logger.error("request %s failed after its response began", self.request_id, exc_info=error)
            raise error
        if isinstance(error, ServingError):
            response = error_response(int(error.status), str(error), _headers(error))
        elif isinstance(error, HTTPException):
            response = error_response(error.status_code, str(error.detail), dict(error.headers or {}))
        else:
            logger.error("request %s failed", self.request_id, exc_info=error)
            response = error_response(500, f"internal error; the log has it under request id {self.request_id}")
        await response(self._scope, receive, self.send)


def _headers(error: ServingError) -> dict[str, str]:
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    if isinstance(error, UnauthorizedError):
        headers["www-authenticate"] = "Bearer"
    if int(error.status) in (408, 413):  # the rest of the body is not read
        headers["connection"] = "close"
    return headers


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return the protocol's error object: `{"error": ...}`."""
    return Response(orjson.dumps({"error": message}), status, headers, "application/json")
