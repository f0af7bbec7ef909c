"""Running the application with uvicorn: the socket, slow clients, signals."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from latebind.errors import LatebindError
from latebind.services.serving.app import create_app
from latebind.services.serving.container import serving_container
from latebind.services.serving.settings import ServeSettings

#: Bytes of a request's line and headers at most.
MOST_HEADER_BYTES: Final = 65_536


class AddressError(LatebindError):
    """The server cannot listen where it should."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 takes a free one.

    Raises
    ------
    AddressError
        If it is taken, or is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(2048)
    except OSError as error:
        raise AddressError(
            f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with --port or 'port:'"
        ) from None
    found.setblocking(False)
    return found


def protocol_class(timeout: float) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol with a limit to the time and the size of a request's headers."""

    class Protocol(HttpToolsProtocol):
        _header_bytes = 0
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._late = self.loop.call_later(timeout, self._give_up)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._header_bytes = 0
            if self._late is None:
                self._late = self.loop.call_later(timeout, self._give_up)

        def on_headers_complete(self) -> None:
            self._in_time()
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            if self._late is not None:
                self._header_bytes += len(data)
                if self._header_bytes > MOST_HEADER_BYTES + 2**20:
                    self._give_up()
                    return
            super().data_received(data)

        def on_header(self, name: bytes, value: bytes) -> None:
            super().on_header(name, value)
            if sum(len(one) + len(other) for one, other in self.headers) > MOST_HEADER_BYTES:
                self._give_up()

        def connection_lost(self, exc: Exception | None) -> None:
            self._in_time()
            super().connection_lost(exc)
            self._unset_keepalive_if_required()  # uvicorn leaves it after a reset, which keeps all this for a while

        def _in_time(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _give_up(self) -> None:
            self._in_time()
            self.transport.close()

    return Protocol


class Server(uvicorn.Server):
    """uvicorn's server; `/v2/health/ready` says no as soon as it is told to stop, and stopping is no failure."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM; uvicorn's own would end the process by the signal after all is done."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop: take no more connections, let requests end."""
        state = getattr(self.config.app, "state", None)
        if state is not None:
            state.stopping = True
        super().handle_exit(sig, frame)


def make_server(settings: ServeSettings, base: Path) -> Server:
    """Return the server of these settings, not running yet."""
    app = create_app(serving_container(settings, base))
    config = uvicorn.Config(
        app,
        http=protocol_class(settings.body_timeout),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(settings.drain_timeout)),
    )
    return Server(config)
