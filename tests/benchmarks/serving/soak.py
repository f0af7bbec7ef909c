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
    """Run; return 1 if an answer was wrong, lost, or had another status than it should, or if nothing was asked."""
    address = url.removeprefix("http://")
    weights = make_weights(MODELS["digits"])
    counts = [Counter[str]() for _ in range(_CLIENTS)]
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_client, args=(address, weights, end, counts[i], i)) for i in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(min(10.0, seconds / 4))
    before = _memory(url)
    for thread in threads:
        thread.join()
    after = _memory(url)
    total = sum(counts, Counter[str]())
    console.print(f"{seconds:.0f} s, {_CLIENTS} clients: {dict(sorted(total.items()))}")
    console.print(f"workers' memory after warming up {before / 2**20:.0f} MiB, at the end {after / 2**20:.0f} MiB")
    ended = sum(each["ended"] for each in counts) == _CLIENTS
    wrong = sum(total[name] for name in ("wrong answers", "wrong statuses", "lost"))
    return int(bool(wrong) or not ended or not total["right answers"])


def _client(address: str, weights: dict[str, Any], end: float, counts: Counter[str], seed: int) -> None:
    rng, choice = numpy.random.default_rng(seed), random.Random(seed)
    connection = http.client.HTTPConnection(address, timeout=60)
    while time.monotonic() < end:
        is_bad = choice.random() < 0.3
        x = rng.uniform(size=(choice.randint(1, 6), 64)).astype(numpy.float32)
        entry = {"name": "x", "datatype": "FP32", "shape": list(x.shape), "data": x.ravel()}
        body = choice.choice(_BAD) if is_bad else orjson.dumps({"inputs": [entry]}, option=orjson.OPT_SERIALIZE_NUMPY)
        try:
            connection.request("POST", "/v2/models/digits/infer", body)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            counts["lost"] += 1
            connection.close()
            continue
        if answer.status != (400 if is_bad else 200):
            counts["wrong statuses"] += 1
        elif is_bad:
            counts["refused"] += 1
        else:
            counts["right answers" if _is_right(content, x, weights) else "wrong answers"] += 1
    counts["ended"] += 1


def _is_right(content: bytes, x: numpy.ndarray, weights: dict[str, Any]) -> bool:
    expected = forward(numpy, x, weights)
    try:
        (output,) = orjson.loads(content)["outputs"]
        scores = numpy.array(output["data"], numpy.float64).reshape(output["shape"])
    except (ValueError, KeyError, TypeError):
        return False
    # Products of float32 in another order.
    return scores.shape == expected.shape and numpy.allclose(scores, expected, rtol=1e-3, atol=1e-4)


def _memory(url: str) -> float:
    with urllib.request.urlopen(url + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("latebind_worker_resident_bytes{"))
