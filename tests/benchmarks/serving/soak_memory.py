"""The memory of a server and of each of its workers over time."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy
import orjson
from tests.benchmarks.serving.soak_client import Client, LostRequest

from latebind.services.serving.limits import resident_bytes

_MIB: Final = 1 << 20
#: Fewer samples say nothing about growth.
_ENOUGH: Final = 40
#: Growth from the first quarter to the last that is none: this share, and so many MiB (or files, threads) beside.
_SHARE, _BESIDE = 0.02, 4.0


@dataclass(frozen=True, slots=True)
class Growth:
    """How one series went.

    Attributes
    ----------
    first, last : float
        Medians of the first and the last quarter of the samples; what is taken and given back at once does not count.
    most : float
    slope : float
        Of a straight line through all samples, per minute.
    samples : int
    """

    first: float
    last: float
    most: float
    slope: float
    samples: int

    @property
    def is_flat(self) -> bool | None:
        """Whether the last quarter is not above the first; `None` if there are too few samples to say."""
        if self.samples < _ENOUGH:
            return None
        return self.last <= self.first * (1 + _SHARE) + _BESIDE


def growth(samples: list[tuple[float, float]]) -> Growth:
    """Return how a series of times in seconds and values went."""
    times, values = numpy.array(samples, float).T
    quarter = max(1, len(values) // 4)
    slope = float(numpy.polyfit(times / 60, values, 1)[0]) if len(values) > 1 else 0.0
    first, last = float(numpy.median(values[:quarter])), float(numpy.median(values[-quarter:]))
    return Growth(first, last, float(values.max()), slope, len(values))


class Sampler(threading.Thread):
    """Looks at the server and its workers again and again, on a thread of its own.

    A worker is known by its program and its place, so that one that was replaced goes on where the last one was;
    while it starts it does not count.

    Parameters
    ----------
    client
        What it asks the server with.
    pid
        Of the server.
    warm_up, every
        Seconds before the first sample, and between two.
    """

    def __init__(self, client: Client, pid: int, warm_up: float, every: float) -> None:
        super().__init__(name="memory", daemon=True)
        self._client = client
        self._pid = pid
        self._wait = warm_up
        self._every = every
        self._over = threading.Event()
        self._series: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.misses = 0

    def run(self) -> None:
        """Sample until `finish`."""
        while not self._over.wait(self._wait):
            self._wait = self._every
            self._sample()

    def finish(self) -> dict[str, Growth]:
        """Take a last sample; return how each series went."""
        self._over.set()
        self.join()
        self._sample()
        return {name: growth(samples) for name, samples in sorted(self._series.items(), key=_server_first)}

    def _sample(self) -> None:
        now = time.monotonic()
        self._note(now, "server, MiB", resident_bytes(self._pid) / _MIB)
        for name, folder in (("server, open files", "fd"), ("server, threads", "task")):
            self._note(now, name, _entries(self._pid, folder))
        try:
            report = orjson.loads(self._client.get("/page/data").content)["report"]
        except (LostRequest, KeyError, ValueError):
            self.misses += 1
            return
        for program, figures in report.items():
            settled = [one for one in figures["workers"] if one["state"] in ("ready", "busy")]
            for place, worker in enumerate(settled):
                self._note(now, f"{program} {place + 1}, MiB", worker["resident_bytes"] / _MIB)

    def _note(self, now: float, name: str, value: float) -> None:
        if value:
            self._series[name].append((now, value))


def _entries(pid: int, folder: str) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/{folder}").iterdir()))
    except OSError:
        return 0


def _server_first(item: tuple[str, Any]) -> tuple[bool, str]:
    return not item[0].startswith("server"), item[0]
