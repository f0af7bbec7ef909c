"""The kinds of traffic of the soak test, good and bad: each sends one request and checks what comes of it."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy
import orjson
from tests.benchmarks.serving.soak_client import (
    Answer,
    Client,
    LostRequest,
    WrongAnswer,
    binary_body,
    check_refused,
    check_right,
    json_body,
)
from tests.benchmarks.serving.soak_programs import (
    DEVOUR,
    DIE,
    HANG,
    RAISE,
    WIDEST,
    WIDTH,
    expected_dense,
    make_dense_weights,
)

#: Bytes of a body beyond the limit of 1 MiB.
_TOO_MANY = (1 << 20) + (1 << 18)


@dataclass(slots=True)
class Scene:
    """What the kinds of traffic share.

    Attributes
    ----------
    ended : threading.Event
        Set when the time is over.
    kills : int
        Workers of `killed` that were sent SIGKILL.
    deaths : int
        Requests that were answered with the death of such a worker.
    """

    ended: threading.Event
    kills: int = 0
    deaths: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    weights: dict[str, numpy.ndarray] = field(default_factory=make_dense_weights)


Act = Callable[[Client, Scene], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of traffic: what one request is, how many clients send such, and their seconds between two."""

    name: str
    act: Act
    clients: int = 1
    pause: float = 0.01


# Good


def dense(client: Client, scene: Scene) -> str:
    """Rows through the engine's compiled program: JSON or bytes, compressed or not."""
    x = client.rows()
    body, headers = binary_body(x) if client.random.random() < 0.5 else (json_body(x), {})
    if client.random.random() < 0.2:
        body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
    check_right(client.infer("dense", body, headers), expected_dense(x, scene.weights))
    return "200"


def among_trouble(client: Client, scene: Scene) -> str:
    """Good rows that may share a batch with rows that raise, hang, devour memory or die."""
    x = client.rows()
    check_right(client.infer("trouble", json_body(x)), 2 * x)
    return "200"


def among_kills(client: Client, scene: Scene) -> str:
    """Good rows of a program whose workers are killed: at most one request is lost to a kill, and hears of it."""
    x = client.rows()
    answer = client.infer("killed", json_body(x))
    if answer.status == 500:
        check_refused(answer, 500, "process died")
        with scene.lock:
            scene.deaths += 1
        return "500"
    check_right(answer, 2 * x)
    return "200"


def crowd(client: Client, scene: Scene) -> str:
    """More clients than a queue has places."""
    x = client.rows(1)
    answer = client.infer("busy", json_body(x))
    if answer.status == 429:
        check_refused(answer, 429, "queue")
        if int(answer.headers.get("retry-after", "0")) < 1:
            raise WrongAnswer("a 429 without Retry-After")
        return "429"
    check_right(answer, 2 * x)
    return "200"


def new_shapes(client: Client, scene: Scene) -> str:
    """Rows of ever other widths: each is compiled when it comes, and forgotten again."""
    x = client.rows(2)
    x = numpy.resize(x, (len(x), client.random.randint(1, WIDEST)))
    check_right(client.infer("shapes", json_body(x)), (x * x).sum(axis=1))
    return "200"


def watching(client: Client, scene: Scene) -> str:
    """Somebody who looks at health, metrics and the page."""
    for path in ("/v2/health/live", "/metrics", "/", "/page/data", "/v2/models/dense/ready", "/page/graphs/dense"):
        answer = client.get(path)
        if answer.status != 200 or not answer.content:
            raise WrongAnswer(f"{path} answered {answer.status}: {answer.content[:300]!r}")
    return "200"


def reload(client: Client, scene: Scene) -> str:
    """Loading a program again under load: nobody else notices."""
    answer = client.post("/v2/repository/models/killed/load", b"")
    if answer.status != 200:
        raise WrongAnswer(f"loading again answered {answer.status}: {answer.content[:300]!r}")
    return "200"


# Programs that make trouble


def _asking_for(flag: float, status: int, words: str) -> Act:
    def act(client: Client, scene: Scene) -> str:
        x = client.rows(3)
        x[client.random.randrange(len(x)), 0] = flag
        check_refused(client.infer("trouble", json_body(x)), status, words)
        return str(status)

    return act


def kill(client: Client, scene: Scene) -> str:
    """Not a request: SIGKILL for a worker of `killed`."""
    answer = client.get("/page/data")
    if answer.status != 200:
        raise WrongAnswer(f"/page/data answered {answer.status}")
    report = orjson.loads(answer.content)["report"]["killed"]
    workers = [one for one in report["workers"] if one["state"] in ("ready", "busy")]  # not those that are being loaded
    if not workers:
        return "nobody there"
    with scene.lock:  # before it is done: whoever hears of the death finds it counted
        scene.kills += 1
    with contextlib.suppress(ProcessLookupError):
        os.kill(client.random.choice(workers)["pid"], signal.SIGKILL)
    return "killed"


# Requests that are wrong


def malformed(client: Client, scene: Scene) -> str:
    """Bodies that are no request, or none for this program: 400."""
    x = client.rows(2)
    good = json_body(x)
    bytes_, headers = binary_body(x)
    cases: tuple[tuple[bytes, dict[str, str]], ...] = (
        (b"", {}),
        (b"{", {}),
        (b"[1, 2]", {}),
        (b"\x00" * 1000, {}),
        (good[: client.random.randrange(1, len(good))], {}),
        (b'{"inputs": []}', {}),
        (good.replace(b'"x"', b'"z"'), {}),
        (good.replace(b"FP32", b"INT8"), {}),
        (good.replace(b"FP32", b"BYTES"), {}),
        (json_body(x, shape=[len(x), WIDTH + 1]), {}),
        (json_body(x, shape=[len(x)]), {}),
        (json_body(x, shape=[10**9, WIDTH]), {}),
        (json_body(x, shape=[2**62, 2**62]), {}),
        (json_body(numpy.zeros((17, WIDTH), numpy.float32)), {}),
        (json_body(x, data=["a"] * x.size), {}),
        (bytes_[: -client.random.randrange(1, 4 * x.size)], headers),
        (bytes_ + b"more", headers),
        (bytes_, headers | {"Inference-Header-Content-Length": "100000"}),
        (bytes_, headers | {"Inference-Header-Content-Length": "-1"}),
        (good, {"Content-Encoding": "gzip"}),
        (good, {"Content-Encoding": "br"}),
        (gzip.compress(good)[:-5], {"Content-Encoding": "gzip"}),
    )
    body, headers = client.random.choice(cases)
    check_refused(client.infer("dense", body, headers), 400)
    return "400"


def unknown(client: Client, scene: Scene) -> str:
    """Programs, versions and routes that there are not: 404."""
    body = json_body(client.rows(1))
    names = ("none", "dense/versions/2", "..%2F..%2Fetc%2Fpasswd", "%00", "../repository", "a" * 5000, "dense%20")
    check_refused(client.infer(client.random.choice(names), body), 404)
    return "404"


def oversized(client: Client, scene: Scene) -> str:
    """Bodies beyond the limit, announced, in parts, or decompressed: 413."""
    way = client.random.randrange(3)
    path = "/v2/models/dense/infer"
    if way == 0:
        answer = client.post(path, b" " * _TOO_MANY)
    elif way == 1:
        answer = client.post(path, (b" " * 65536 for _ in range(_TOO_MANY // 65536)))
    else:
        answer = client.post(path, gzip.compress(b" " * (50 << 20), 1), {"Content-Encoding": "gzip"})
    check_refused(answer, 413)
    return "413"


# Clients that are slow, or gone


def _head(length: int) -> bytes:
    return f"POST /v2/models/dense/infer HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode()


def slow_body(client: Client, scene: Scene) -> str:
    """A byte a second of a body: 408, long before it is there."""
    with client.socket() as connection:
        connection.sendall(_head(1000))
        content = _while_dripping(connection, b"{")
    if not content:
        raise LostRequest("no answer to a body that comes slowly")
    head, _, body = content.partition(b"\r\n\r\n")
    check_refused(Answer(int(head.split()[1]), {}, body), 408)
    return "408"


def slow_head(client: Client, scene: Scene) -> str:
    """A byte a second of the headers: the connection is closed."""
    with client.socket() as connection:
        connection.sendall(b"POST /v2/models/dense/infer HTTP/1.1\r\nX-Slow: ")
        content = _while_dripping(connection, b"a")
    if content:
        raise WrongAnswer(f"half a request was answered: {content[:300]!r}")
    return "closed"


def _while_dripping(connection: socket.socket, byte: bytes) -> bytes:
    """Send a byte a second until the server closes the connection; return what it said."""
    connection.settimeout(1.0)
    found = b""
    for _ in range(90):
        try:
            part = connection.recv(65536)
            if not part:
                return found
            found += part
        except TimeoutError:
            with contextlib.suppress(ConnectionError):
                connection.sendall(byte)
        except ConnectionError:
            return found
    raise LostRequest("the server lets a slow client go on for more than 90 s")


def slow_reader(client: Client, scene: Scene) -> str:
    """A client that asks for many answers at once, and takes them a few bytes at a time: all are right."""
    x = client.rows()
    body, count = json_body(x), 20
    head = _head(len(body))
    with client.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall((head + body) * count)
        stream = connection.makefile("rb", buffering=0)
        for _ in range(count):
            check_right(_read_slowly(stream, scene), expected_dense(x, scene.weights))
    return "200"


def _read_slowly(stream: Any, scene: Scene) -> Answer:
    content = b""
    while b"\r\n\r\n" not in content:
        part = stream.read(1)
        if not part:
            raise LostRequest("the connection ended before the answer")
        content += part
    lines = content.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    body = b""
    while len(body) < int(headers["content-length"]):
        part = stream.read(min(64, int(headers["content-length"]) - len(body)))
        if not part:
            raise LostRequest("the connection ended inside an answer")
        body += part
        scene.ended.wait(0.001)
    return Answer(int(lines[0].split()[1]), headers, body)


def leaver(client: Client, scene: Scene) -> str:
    """A client that is gone in the middle of its request, or before its answer."""
    program = client.random.choice(("dense", "trouble", "busy"))
    body = json_body(client.rows(1))
    request = _head(len(body)).replace(b"dense", program.encode()) + body
    part = client.random.choice((10, len(request) // 2, len(request) - 1, len(request)))
    with client.socket() as connection:
        if client.random.random() < 0.5:  # the end comes as a reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.sendall(request[:part])
        scene.ended.wait(client.random.choice((0.0, 0.005)))
    return "left"


KINDS: tuple[Kind, ...] = (
    Kind("good", dense, clients=4, pause=0.004),
    Kind("good, among trouble", among_trouble, clients=3, pause=0.01),
    Kind("good, among kills", among_kills, clients=3, pause=0.01),
    Kind("good, full queue", crowd, clients=6, pause=0.01),
    Kind("good, new shapes", new_shapes, pause=0.1),
    Kind("good, slow reader", slow_reader, pause=0.1),
    Kind("health, metrics, page", watching, pause=1.0),
    Kind("loads a program again", reload, pause=15.0),
    Kind("program raises", _asking_for(RAISE, 500, "raised ValueError"), pause=0.1),
    Kind("program hangs", _asking_for(HANG, 504, "longer than"), pause=2.0),
    Kind("program out of memory", _asking_for(DEVOUR, 500, "MemoryError"), pause=2.0),
    Kind("program dies", _asking_for(DIE, 500, "process died"), pause=3.0),
    Kind("worker is killed", kill, pause=3.0),
    Kind("malformed", malformed, clients=2, pause=0.02),
    Kind("unknown program", unknown, pause=0.05),
    Kind("oversized", oversized, pause=0.2),
    Kind("slow body", slow_body, pause=0.1),
    Kind("slow headers", slow_head, pause=0.1),
    Kind("gone before the answer", leaver, pause=0.02),
)
