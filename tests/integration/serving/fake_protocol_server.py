"""A server of the standard library that answers as the Open Inference Protocol says, for tests of the client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import numpy as np

HEADER_LENGTH = "Inference-Header-Content-Length"


class FakeServer(ThreadingHTTPServer):
    """Answers each image with what `digit_of(image)` says.

    Attributes
    ----------
    binary : bool
        Whether outputs are sent as bytes; otherwise as JSON, which a server may always do.
    full : int
        So many requests more are answered with 429.
    refusal : tuple of int and str or None
        Status and reason that everything is answered with.
    seen : list of tuple of str
        Method and path of each request, and its `Authorization`.
    connections : int
        How often somebody has connected.
    """

    daemon_threads = True

    def __init__(self, digit_of: Callable[[np.ndarray], int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.digit_of = digit_of
        self.binary = True
        self.full = 0
        self.refusal: tuple[int, str] | None = None
        self.seen: list[tuple[str, str, str | None]] = []
        self.connections = 0
        self.lock = Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request, client_address) -> None:
        """Count a connection, and answer what comes on it."""
        self.connections += 1
        super().process_request(request, client_address)

    def takes(self) -> bool:
        """Whether there is room for a request."""
        with self.lock:
            self.full -= 1
            return self.full < 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FakeServer

    def do_GET(self) -> None:
        self._note()
        if self.server.refusal is not None:
            return self._refuse(*self.server.refusal)
        self._send(200, json.dumps({"name": "digits", "ready": True}).encode())

    def do_POST(self) -> None:
        self._note()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refusal is not None:
            return self._refuse(*self.server.refusal)
        if not self.server.takes():
            return self._refuse(429, "the queue is full", {"Retry-After": "0"})
        cut = int(self.headers[HEADER_LENGTH])
        request = json.loads(body[:cut])
        (declared,) = request["inputs"]
        assert declared["parameters"]["binary_data_size"] == len(body) - cut
        assert (declared["name"], declared["datatype"], declared["shape"]) == ("images", "FP32", [1, 64])
        assert [each["name"] for each in request["outputs"]] == ["digit"]
        digit = self.server.digit_of(np.frombuffer(body[cut:], "<f4"))
        output = {"name": "digit", "datatype": "INT64", "shape": [1]}
        if not self.server.binary:
            return self._send(200, json.dumps({"outputs": [{**output, "data": [digit]}]}).encode())
        header = json.dumps({"outputs": [{**output, "parameters": {"binary_data_size": 8}}]}).encode()
        self._send(200, header + np.int64(digit).tobytes(), {HEADER_LENGTH: str(len(header))})

    def _note(self) -> None:
        self.server.seen.append((self.command, self.path, self.headers["Authorization"]))

    def _refuse(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps({"error": reason}).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def fake_server(digit_of: Callable[[np.ndarray], int]) -> Iterator[FakeServer]:
    """Run one on a free port."""
    with FakeServer(digit_of) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
