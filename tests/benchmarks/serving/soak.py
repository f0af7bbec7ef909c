"""Mixed good and bad traffic for a while: every answer is checked, and so is the memory."""

from __future__ import annotations

import http.client
import random
import threading
import time
import urllib.request
from collections import Counter
from typing import Any

import numpy
import orjson
from rich.console import Console
from tests.benchmarks.serving.programs import MODELS, forward, make_weights

_CLIENTS = 12
_BAD: tuple[bytes, ...] = (
    b"",
    b"{",
    b'{"inputs": []}',
    b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 64], "data": [1]}]}',
    b'{"inputs": [{"name": "x", "datatype": "INT8", "shape": [1, 64], "data": []}]}',
    b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [100000000, 64], "data": []}]}',
    b"\x00" * 1000,
)


def soak(url: str, seconds: float, console: Console) -> int:
    """Run; return 1 if an answer was wrong, lost or had another status than it should."""
    address = url.removeprefix("http://")
    weights = make_weights(MODELS["digits"])
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_client, args=(address, weights, end, counts, i)) for i in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(min(10.0, seconds / 4))
    before = _memory(url)
    for thread in threads:
        thread.join()
    after = _memory(url)
    console.print(f"{seconds:.0f} s, {_CLIENTS} clients: {dict(sorted(counts.items()))}")
    console.print(f"workers' memory after warming up {before / 2**20:.0f} MiB, at the end {after / 2**20:.0f} MiB")
    return int(any(counts[name] for name in ("wrong answers", "wrong statuses", "lost")))


def _client(address: str, weights: dict[str, Any], end: float, counts: Counter[str], seed: int) -> None:
    rng, choice = numpy.random.default_rng(seed), random.Random(seed)
    connection = http.client.HTTPConnection(address, timeout=60)
    while time.monotonic() < end:
        try:
            if choice.random() < 0.3:
                body = choice.choice(_BAD)
                connection.request("POST", "/v2/models/digits/infer", body)
                answer = connection.getresponse()
                answer.read()
                counts["bad requests"] += 1
                counts["wrong statuses"] += answer.status != 400
                continue
            x = rng.uniform(size=(choice.randint(1, 6), 64)).astype(numpy.float32)
            entry = {"name": "x", "datatype": "FP32", "shape": list(x.shape), "data": x}
            body = orjson.dumps({"inputs": [entry]}, option=orjson.OPT_SERIALIZE_NUMPY)
            connection.request("POST", "/v2/models/digits/infer", body)
            answer = connection.getresponse()
            document = orjson.loads(answer.read())
            counts["good requests"] += 1
            if answer.status != 200:
                counts["wrong statuses"] += 1
                continue
            scores = numpy.array(document["outputs"][0]["data"]).reshape(len(x), -1)
            expected = forward(numpy, x, weights)
            # Products of float32 in another order.
            counts["wrong answers"] += not numpy.allclose(scores, expected, rtol=1e-3, atol=1e-4)
        except (OSError, http.client.HTTPException):
            counts["lost"] += 1
            connection.close()


def _memory(url: str) -> float:
    with urllib.request.urlopen(url + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("latebind_worker_resident_bytes{"))
