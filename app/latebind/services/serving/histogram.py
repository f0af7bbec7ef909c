"""What the report counts: how often, how long, how many rows."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

#: Upper bounds of the buckets of times, in seconds.
BOUNDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip


class Histogram:
    """Counts times by bucket; the last bucket has no bound."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one measurement."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def report(self) -> dict[str, Any]:
        """Return plain numbers: `bounds`, `counts` (one more, not cumulative), `sum`, `count`."""
        return {"bounds": list(BOUNDS), "counts": list(self.counts), "sum": self.sum, "count": sum(self.counts)}


class ProgramFigures:
    """What happened to the requests of one program.

    Attributes
    ----------
    requests : int
        All that were made, also those without a result.
    failures : int
        The program raised or died.
    rejected : int
        The queue was full, or the program not there.
    timeouts : int
    batches : int
        Runs of the program.
    batch_rows : Counter
        Runs by their rows, without padding.
    latency, queue_seconds, compute_seconds : Histogram
        Per request that was let in: from its arrival to its end, and to its run; per run, in the worker.
    seconds_per_run : float
        What a run takes at present.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.failures = 0
        self.rejected = 0
        self.timeouts = 0
        self.batches = 0
        self.batch_rows: Counter[int] = Counter()
        self.latency = Histogram()
        self.queue_seconds = Histogram()
        self.compute_seconds = Histogram()
        self.seconds_per_run = 0.0
        self._retired: Counter[str] = Counter()
        self._retired_fallbacks: Counter[str] = Counter()
        self._retired_compilations = 0

    def ran(self, rows: int, seconds: float) -> None:
        """Note a run."""
        self.batches += 1
        self.batch_rows[rows] += 1
        self.compute_seconds.observe(seconds)
        self.seconds_per_run += (seconds - self.seconds_per_run) * (0.2 if self.batches > 1 else 1.0)

    def retire(self, figures: Mapping[str, Any]) -> None:
        """Keep what a worker that is gone has counted, so that no counter ever falls."""
        self._retired.update(figures.get("counters", {}))
        self._retired_fallbacks.update(figures.get("fallbacks", {}))
        self._retired_compilations += figures.get("compilations", 0)

    def report(self, workers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return everything, with what the living workers have counted."""
        counters, fallbacks = Counter(self._retired), Counter(self._retired_fallbacks)
        for figures in workers:
            counters.update(figures.get("counters", {}))
            fallbacks.update(figures.get("fallbacks", {}))
        device = [figures["device_bytes"] for figures in workers if figures.get("device_bytes") is not None]
        return {
            "requests": self.requests,
            "failures": self.failures,
            "rejected": self.rejected,
            "timeouts": self.timeouts,
            "batches": self.batches,
            "batch_rows": {str(rows): count for rows, count in sorted(self.batch_rows.items())},
            "latency": self.latency.report(),
            "queue_seconds": self.queue_seconds.report(),
            "compute_seconds": self.compute_seconds.report(),
            "compilations": self._retired_compilations + sum(figures.get("compilations", 0) for figures in workers),
            "fallbacks": dict(fallbacks),
            "device_bytes": sum(device) if device else None,
            "counters": dict(counters),
        }
