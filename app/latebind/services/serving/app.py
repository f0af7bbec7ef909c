"""The ASGI application: routes, the guard around them, and what happens at the start and at the end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from latebind.services.serving.guard import Guard, error_response
from latebind.services.serving.routes import ROUTES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from latebind.services.serving.container import ServingContainer

logger: Final = logging.getLogger("latebind.serving")


def create_app(container: ServingContainer) -> FastAPI:
    """Return the application of a container whose `wire` is done.

    The programs are started with the application, and drained and stopped with it.
    """
    settings, service = container.settings(), container.service()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.stopping = False
        if hasattr(service, "start"):
            await service.start()
        try:
            yield
        finally:
            app.state.stopping = True
            if hasattr(service, "drain"):
                logger.info("stopping: requests get %g s to end", settings.drain_timeout)
                await service.drain(settings.drain_timeout)
            if hasattr(service, "close"):
                await service.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.stopping = False
    for method, path, handler in ROUTES:
        app.router.add_route(path, handler, methods=[method])
    if settings.page:
        from latebind.services.serving.page import page_routes

        app.include_router(page_routes(service, settings))
    app.add_exception_handler(HTTPException, _as_json)
    app.add_middleware(_guard(container))
    return app


def _guard(container: ServingContainer) -> Callable[..., Any]:
    token = container.settings().token
    counts = container.http_counts()
    return lambda app: Guard(app, None if token is None else token.get_secret_value(), counts)


async def _as_json(request: Request, error: Exception) -> Response:
    """Answer what the router refuses (unknown routes, wrong methods) in the protocol's form."""
    assert isinstance(error, HTTPException)
    text = {404: f"there is nothing at {request.url.path[:200]!r}", 405: f"{request.method} is not allowed here"}
    return error_response(error.status_code, text.get(error.status_code, str(error.detail)), dict(error.headers or {}))
