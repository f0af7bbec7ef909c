"""Reading a request's body: within its limit of bytes, also decompressed, and of time."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Final

from latebind.services.serving.errors import BodyTooLargeError, InvalidRequestError, RequestTimeoutError

if TYPE_CHECKING:
    from starlette.requests import Request

#: Window sizes of zlib's decompressor: gzip's format; zlib's.
_WINDOWS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


async def read_body(request: Request, limit: int, timeout: float) -> bytes:
    """Return a request's body, decompressed.

    Parameters
    ----------
    limit
        Bytes that it may have, compressed and not.
    timeout
        Seconds that the client may take to send it.

    Raises
    ------
    BodyTooLargeError, RequestTimeoutError
        If it is larger, or slower.
    InvalidRequestError
        If it is not compressed as it says.
    """
    length = request.headers.get("content-length")
    if length is not None and length.isdigit() and (len(length) > 15 or int(length) > limit):
        raise BodyTooLargeError(f"the body has {length[:20]} bytes, at most {limit} are taken")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise BodyTooLargeError(f"the body has more than the {limit} bytes that are taken")
                parts.append(part)
    except TimeoutError:
        raise RequestTimeoutError(f"the body was not there after {timeout:g} s") from None
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    return body if encoding in ("", "identity") else _decompressed(body, encoding, limit)


def _decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    window = _WINDOWS.get(encoding)
    if window is None:
        raise InvalidRequestError(f"Content-Encoding {encoding[:40]!r} is not known: gzip and deflate are")
    decompressor = zlib.decompressobj(window)
    try:
        found = decompressor.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidRequestError(f"the body is not {encoding}: {error}") from None
    if len(found) > limit:
        raise BodyTooLargeError(f"the body has more than the {limit} bytes that are taken, decompressed")
    if not decompressor.eof or decompressor.unused_data:
        raise InvalidRequestError(f"the body is not one whole {encoding} stream")
    return found
