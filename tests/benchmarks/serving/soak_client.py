"""A client of the soak test: what it sends, and what it says of the answers."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy
import orjson
from tests.benchmarks.serving.soak_programs import WIDTH

#: Seconds without a byte after which a request counts as lost.
PATIENCE = 90.0


class WrongAnswer(Exception):
    """An answer other than the one that there should be."""


class LostRequest(Exception):
    """No answer at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by names in small letters, and body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Client:
    """One connection to the server, made again where the server closes it.

    Parameters
    ----------
    address
        Host and port.
    random
        What it draws from.
    """

    def __init__(self, address: tuple[str, int], random: Random) -> None:
        self.address = address
        self.random = random
        self._connection = http.client.HTTPConnection(*address, timeout=PATIENCE)

    def post(self, path: str, body: bytes | Iterable[bytes], headers: Mapping[str, str] | None = None) -> Answer:
        """Send a body and return the answer."""
        return self._ask("POST", path, body, headers or {})

    def get(self, path: str) -> Answer:
        """Return the answer to a GET."""
        return self._ask("GET", path, None, {})

    def infer(self, program: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Send an inference request."""
        return self.post(f"/v2/models/{program}/infer", body, headers)

    def _ask(self, method: str, path: str, body: bytes | Iterable[bytes] | None, headers: Mapping[str, str]) -> Answer:
        try:
            # The server may answer before everything is sent; its answer is to be read then.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._connection.request(method, path, body, dict(headers))
            response = self._connection.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, received, response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LostRequest(f"{method} {path}: {type(error).__name__}: {error}") from error

    def socket(self) -> socket.socket:
        """Return a connection of its own, for what no HTTP client does."""
        return socket.create_connection(self.address, PATIENCE)

    def rows(self, most: int = 6) -> numpy.ndarray:
        """Return rows of small whole numbers."""
        count = self.random.randint(1, most)
        return numpy.array([[self.random.randint(-7, 7) for _ in range(WIDTH)] for _ in range(count)], numpy.float32)


# Bodies


def json_body(x: numpy.ndarray, **fields: Any) -> bytes:
    """Return a request with JSON numbers."""
    entry = {"name": "x", "datatype": "FP32", "shape": list(x.shape), "data": x.ravel(), **fields}
    return orjson.dumps({"inputs": [entry]}, option=orjson.OPT_SERIALIZE_NUMPY)


def binary_body(x: numpy.ndarray) -> tuple[bytes, dict[str, str]]:
    """Return a request with bytes that asks for bytes, and its headers."""
    data = x.astype("<f4").tobytes()
    entry = {"name": "x", "datatype": "FP32", "shape": list(x.shape), "parameters": {"binary_data_size": len(data)}}
    head = orjson.dumps({"inputs": [entry], "parameters": {"binary_data_output": True}})
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return head + data, headers


# Judgements


def check_right(answer: Answer, expected: numpy.ndarray) -> None:
    """Ask for status 200 and exactly these numbers."""
    if answer.status != 200:
        raise WrongAnswer(f"{answer.status} instead of 200: {answer.content[:300]!r}")
    try:
        found = _output(answer)
    except (ValueError, KeyError, TypeError) as error:
        raise WrongAnswer(f"an answer that is none: {type(error).__name__}: {answer.content[:300]!r}") from error
    if found.shape != expected.shape or not numpy.array_equal(found, expected):
        raise WrongAnswer(f"wrong numbers: {found.tolist()} instead of {expected.tolist()}")


def _output(answer: Answer) -> numpy.ndarray:
    length = answer.headers.get("inference-header-content-length")
    cut = len(answer.content) if length is None else int(length)
    (output,) = orjson.loads(answer.content[:cut])["outputs"]
    if (output["name"], output["datatype"]) != ("y", "FP32"):
        raise ValueError(output["name"])
    if length is None:
        flat = numpy.array(output["data"], numpy.float32)
    else:
        flat = numpy.frombuffer(answer.content[cut:], "<f4")
    return flat.reshape(output["shape"])


def check_refused(answer: Answer, status: int, words: str = "") -> None:
    """Ask for a status, and for a JSON object with an `error` that has these words and no traceback."""
    if answer.status != status:
        raise WrongAnswer(f"{answer.status} instead of {status}: {answer.content[:300]!r}")
    try:
        document = orjson.loads(answer.content)
    except ValueError as error:
        raise WrongAnswer(f"an error that is no JSON: {answer.content[:300]!r}") from error
    text = document.get("error", "") if isinstance(document, dict) and document.keys() == {"error"} else ""
    if not text or words not in text or "Traceback" in text:
        raise WrongAnswer(f"another error than one with {words!r}: {answer.content[:300]!r}")
