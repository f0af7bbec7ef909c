"""What a request can end with, beside a result: each error knows its HTTP status."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from latebind.errors import LatebindError


class ServingError(LatebindError):
    """A request that has no result. The message goes to the client: it names the field, never a path or a traceback.

    Attributes
    ----------
    status : http.HTTPStatus
    retry_after : float or None
        Seconds after which it is worth trying again.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidRequestError(ServingError, ValueError):
    """Names, dtypes, shapes or bytes that do not fit what the program declares."""

    status = HTTPStatus.BAD_REQUEST


class UnknownModelError(ServingError, LookupError):
    """No program has this name and version."""

    status = HTTPStatus.NOT_FOUND


class BodyTooLargeError(ServingError):
    """A body beyond the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnauthorizedError(ServingError):
    """The bearer token is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED


class ForbiddenError(ServingError):
    """Something that the configuration switches off."""

    status = HTTPStatus.FORBIDDEN


class RequestTimeoutError(ServingError):
    """The client sends too slowly."""

    status = HTTPStatus.REQUEST_TIMEOUT


class OverloadedError(ServingError):
    """The program's queue is full."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class ModelUnavailableError(ServingError):
    """The program is there, but not loaded, or its workers are starting."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class ProgramFailedError(ServingError):
    """The program raised, died, or took too much memory."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class ProgramTimeoutError(ServingError):
    """The program took longer than it may."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class ProgramLoadError(LatebindError):
    """A program that cannot be loaded: its function, weights, settings or results do not fit the declaration."""


class ResultMismatchError(ProgramLoadError, ValueError):
    """What a program returned has other names, dtypes or shapes than its declared outputs."""
