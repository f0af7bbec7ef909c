"""Send held-out digits to a server, one image a request from several threads; print the accuracy and the latencies.

`python -m latebind.examples.digits_client --url http://127.0.0.1:8000 --clients 8`, while `make serve` runs. It speaks
the Open Inference Protocol with the binary tensor extension over the standard library's HTTP client; any other client
of the protocol would do. The images are those that `latebind run digits` with the same `--seed` did not train on.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urlsplit

import numpy as np

from latebind.errors import LatebindError
from latebind.examples.digits import load

HEADER_LENGTH: Final = "Inference-Header-Content-Length"
#: Seconds that the server gets for a response, and those after which it is asked again if it does not say.
_TIMEOUT, _RETRY = 60.0, 0.1
_CONNECTIONS: Final = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


class ClientError(LatebindError):
    """No server, another one than expected, or a refusal that does not pass by waiting."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the server said.

    Attributes
    ----------
    digits : numpy.ndarray
        int64, `(n,)`: one for each image.
    latencies : numpy.ndarray
        Seconds of each request, `(n,)`; waiting for a server with a full queue is part of it.
    seconds : float
        From the first request to the last response.
    retries : int
        Requests that found the queue full and were sent again.
    """

    digits: np.ndarray
    latencies: np.ndarray
    seconds: float
    retries: int


class DigitsClient:
    """One connection, kept open, to one program. For one thread.

    Parameters
    ----------
    url
        Where the server is: `http://127.0.0.1:8000`.
    program
        Name of the program there.
    token
        Bearer token, if the server asks for one.
    """

    def __init__(self, url: str, program: str = "digits", token: str | None = None) -> None:
        parts, port = _parts(url)
        assert parts.hostname is not None
        self._connection = _CONNECTIONS[parts.scheme](parts.hostname, port, timeout=_TIMEOUT)
        self._url = url
        self._path = f"{parts.path.rstrip('/')}/v2/models/{program}"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.retries = 0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def check_ready(self) -> None:
        """Ask whether the program is ready.

        Raises
        ------
        ClientError
            If it is not, or there is no server.
        """
        response, body = self._ask("GET", "/ready")
        if response.status != HTTPStatus.OK:
            raise self._refusal(response, body)

    def predict(self, image: np.ndarray) -> int:
        """Return the digit on one image, float32 `(64,)`.

        Raises
        ------
        ClientError
            If there is no answer to have.
        """
        declared = {"name": "images", "shape": [1, image.size], "datatype": "FP32"}
        header = {
            "inputs": [{**declared, "parameters": {"binary_data_size": image.nbytes}}],
            "outputs": [{"name": "digit", "parameters": {"binary_data": True}}],
        }
        described = json.dumps(header).encode()
        headers = {HEADER_LENGTH: str(len(described)), "Content-Type": "application/octet-stream"}
        body = described + image.astype("<f4").tobytes()
        while True:
            response, answer = self._ask("POST", "/infer", body, headers)
            if response.status == HTTPStatus.OK:
                return self._digit(response, answer)
            if response.status != HTTPStatus.TOO_MANY_REQUESTS:
                raise self._refusal(response, answer)
            self.retries += 1
            self.close()  # the server may give the connection up before it is used again
            time.sleep(_seconds(response.getheader("Retry-After")))

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        try:
            self._connection.request(method, self._path + path, body, {**self._headers, **(headers or {})})
            response = self._connection.getresponse()
            return response, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ClientError(
                f"no answer from a server at {self._url} ({error or type(error).__name__}); "
                "start one with: latebind serve --config config/serve.yaml"
            ) from None

    def _digit(self, response: http.client.HTTPResponse, body: bytes) -> int:
        try:
            length = response.getheader(HEADER_LENGTH)
            described = json.loads(body[: int(length)] if length else body)
            (output,) = described["outputs"]
            if length:
                return int(np.frombuffer(body[int(length) :], "<i8")[0])
            return int(output["data"][0])
        except (ValueError, LookupError, TypeError) as error:
            raise ClientError(f"{self._url} answers otherwise than the protocol says: {error}") from None

    def _refusal(self, response: http.client.HTTPResponse, body: bytes) -> ClientError:
        try:
            reason = str(json.loads(body)["error"])
        except (ValueError, LookupError, TypeError):
            reason = "it gives no reason"
        return ClientError(f"{self._url} answers {response.status} {response.reason}: {reason}")


def _parts(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        if parts.scheme in _CONNECTIONS and parts.hostname:
            return parts, parts.port
    except ValueError:  # a port that is no number, half an IPv6 address
        pass
    raise ClientError(f"{url!r} is no address of a server; it should be like http://127.0.0.1:8000")


def _seconds(retry_after: str | None) -> float:
    try:
        return max(float(retry_after or ""), _RETRY)
    except ValueError:  # absent, or a date
        return _RETRY


def send_all(images: np.ndarray, clients: int, url: str, program: str = "digits", token: str | None = None) -> Answers:
    """Send each image, float32 `(n, 64)`, in a request of its own, from so many threads at once.

    Raises
    ------
    ClientError
        If a request has no answer; the others are not sent then.
    """
    digits = np.full(len(images), -1, np.int64)
    latencies = np.zeros(len(images))
    places = iter(range(len(images)))
    turn, failed = threading.Lock(), threading.Event()

    def places_of_one_client() -> Iterator[int]:
        while not failed.is_set():
            with turn:
                place = next(places, None)
            if place is None:
                return
            yield place

    def run() -> int:
        client = DigitsClient(url, program, token)
        try:
            for place in places_of_one_client():
                sent = time.perf_counter()
                digits[place] = client.predict(images[place])
                latencies[place] = time.perf_counter() - sent
            return client.retries
        except BaseException:
            failed.set()
            raise
        finally:
            client.close()

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        try:
            running = [threads.submit(run) for _ in range(clients)]
            retries = sum(each.result() for each in running)
        except BaseException:  # Ctrl-C, while the threads still run
            failed.set()
            raise
    return Answers(digits, latencies, time.perf_counter() - start, retries)


def summary(answers: Answers, labels: np.ndarray, clients: int) -> str:
    """Return the lines to print: accuracy against the right digits, latencies in ms, requests a second."""
    count = len(answers.digits)
    p50, p90, p99, longest = np.percentile(answers.latencies, [50, 90, 99, 100]) * 1e3
    lines = [
        f"accuracy  {np.mean(answers.digits == labels):.2%} of {count} requests",
        f"latency   p50 {p50:.2f} ms, p90 {p90:.2f} ms, p99 {p99:.2f} ms, max {longest:.2f} ms",
        f"rate      {count / answers.seconds:.0f} requests/s, {clients} clients, {answers.seconds:.2f} s",
    ]
    if answers.retries:
        lines.append(f"retries   {answers.retries}, because the queue was full")
    return "\n".join(lines)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m latebind.examples.digits_client", description="Send held-out digits to latebind serve."
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the server is (default %(default)s)")
    parser.add_argument("--program", default="digits", help="the program's name there (default %(default)s)")
    parser.add_argument("--clients", type=_positive, default=8, help="requests at once (default %(default)s)")
    parser.add_argument("--requests", type=_positive, help="requests in all (default: one for each held-out image)")
    parser.add_argument("--seed", type=int, default=0, help="the seed that the training had (default %(default)s)")
    parser.add_argument(
        "--token",
        default=os.environ.get("LATEBIND_SERVE__TOKEN"),
        help="bearer token (default: the variable LATEBIND_SERVE__TOKEN)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options, send, print; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        client = DigitsClient(options.url, options.program, options.token)
        try:
            client.check_ready()
        finally:
            client.close()
        data = load(np.random.default_rng(options.seed))
        order = np.arange(options.requests or len(data.test_images)) % len(data.test_images)
        images, labels = data.test_images[order], data.test_labels.argmax(axis=1)[order]
        answers = send_all(images, options.clients, options.url, options.program, options.token)
    except LatebindError as error:
        print(f"digits_client: {error}", file=sys.stderr)
        return 1
    print(summary(answers, labels, options.clients))
    return 0


if __name__ == "__main__":
    sys.exit(main())
