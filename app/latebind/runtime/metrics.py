"""Counters and timers under the lazy tensor core's names."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import defaultdict
from types import FunctionType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from latebind.runtime.cache import Variant

#: What each name means, in the order of the report.
DESCRIPTIONS: Final[dict[str, str]] = {
    "RecordedOps": "operations recorded",
    "Steps": "calls of mark_step",
    "Recordings": "recordings closed with something to compute",
    "CachedCompile": "recordings whose computation was in the cache",
    "UncachedCompile": "recordings that were lowered and compiled",
    "ScalarPromotion": "compilations because a scalar changed and became a parameter",
    "VariantCompile": "compilations because the live outputs or the donated buffers of a known graph changed",
    "FailedCompile": "recordings that the backend could not compile as a whole",
    "FallbackGraphs": "graphs that the backend refused to compile and that run on the reference backend",
    "Compiled::": "the engine's own figures on what it compiled, summed: flops, temp_bytes, from_disk, ...",
    "Fallback::": "operations, by name, that run on the reference backend",
    "NumpyFallback::": "NumPy functions, by name, that converted lazy arrays because they have no lazy form",
    "Interpreted": "recordings run operation by operation because their graph is too new to be worth compiling",
    "AutomaticCut": "recordings closed because they reached the limit",
    "LoopsFound": "loops found in a recording",
    "LoopCut": "recordings closed at a loop's period",
    "DirectPhases": "times that a thread went over to running operations directly, because recordings kept missing",
    "DirectOps": "operations run directly, without recording",
    "Captures": "functions captured by compile",
    "CapturedCalls": "calls of captured functions",
    "Evicted": "computations dropped from the cache",
    "DonatedBuffers": "buffers that a computation was allowed to overwrite",
    "RecordTime": "from the first operation of a recording to its end, with the program's own Python",
    "DispatchTime": "finding the computation, its arguments and its outputs; not in short calls of captured functions",
    "LowerTime": "building, simplifying and lowering graphs",
    "CompileTime": "the engine's compiler",
    "ExecuteTime": "running computations; for short calls of captured functions, as measured in every 128th",
    "TransferToDeviceTime": "host memory to the device",
    "TransferFromDeviceTime": "the device to host memory",
}


#: Captured functions whose calls are counted by a `CallCount` before those that are gone are looked for.
_FOLLOWED_AT_LEAST: Final = 64


class CallCount:
    """Counts the calls of one captured function that are too short for the metrics to be updated at each.

    Every `every`th call is to take the way that measures, and counts itself.

    Parameters
    ----------
    variant
        What the calls run: it knows the expected time of one.

    Attributes
    ----------
    every : int
        `SAMPLED`, or 1 while somebody watches.
    tick : callable
        Counts one call and returns its number; atomic.
    """

    SAMPLED: Final = 128
    __slots__ = ("_last", "every", "tick", "variant")

    def __init__(self, variant: Variant, *, every: int = SAMPLED) -> None:
        self.every = every
        self.tick = itertools.count().__next__
        self.variant = variant
        self._last = -1

    def take(self) -> int:
        """Return how many calls since the last time did not count themselves. For one thread at a time."""
        last, now = self._last, self.tick()  # the reader's own number is no call's
        self._last = now
        return now - last - 1 - ((now - 1) // self.every - last // self.every)


class Metrics:
    """Counters (`CachedCompile`, ...) and timers (`CompileTime`, ...) of one container.

    Updates are single dictionary operations; under concurrent updates a count may be lost, never corrupted. Short calls
    of captured functions count for themselves (`CallCount`); what they counted is added when somebody reads.
    """

    __slots__ = ("_counters", "_followed", "_lock", "_prune_at", "_timers", "every")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a finaliser may read the metrics too
        #: One in so many short calls is measured.
        self.every = CallCount.SAMPLED
        self._followed: list[tuple[CallCount, weakref.ref[FunctionType]]] = []
        self._prune_at = _FOLLOWED_AT_LEAST
        self._counters: defaultdict[str, int] = defaultdict(int)
        self._timers: dict[str, list[float]] = {}

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter."""
        self._counters[name] += amount

    def add_time(self, name: str, seconds: float) -> None:
        """Add one measurement, in seconds, to a timer."""
        try:
            timer = self._timers[name]
        except KeyError:
            timer = self._timers[name] = [0, 0.0]
        timer[0] += 1
        timer[1] += seconds

    def follow(self, calls: CallCount, function: FunctionType) -> None:
        """Include what a short call's own count says, for as long as the function that counts is alive."""
        with self._lock:
            calls.every = function.__globals__["SAMPLED"] = self.every
            self._followed.append((calls, weakref.ref(function)))
        if len(self._followed) > self._prune_at:
            self._collect()
            self._prune_at = max(_FOLLOWED_AT_LEAST, 2 * len(self._followed))

    def measure_every_call(self, watched: bool) -> None:
        """Send every short call the way that measures, and tells observers, while somebody watches."""
        self._collect()
        with self._lock:
            self.every = 1 if watched else CallCount.SAMPLED
            for calls, reference in self._followed:
                function = reference()
                if function is not None:
                    calls.every = function.__globals__["SAMPLED"] = self.every

    def _collect(self) -> None:
        """Add what was counted elsewhere since the last time."""
        if not self._followed:
            return
        with self._lock:
            kept = []
            for calls, function in self._followed:
                alive = function() is not None
                taken = calls.take()
                if taken:
                    for name in ("CapturedCalls", "Recordings", "CachedCompile"):
                        self.count(name, taken)
                    if calls.variant.donated:
                        self.count("DonatedBuffers", taken * len(calls.variant.donated))
                    timer = self._timers.setdefault("ExecuteTime", [0, 0.0])
                    timer[0] += taken
                    timer[1] += taken * (calls.variant.seconds or 0.0)
                if alive:
                    kept.append((calls, function))
            self._followed = kept

    def add_step(self, operations: int, recorded: float, dispatched: float, executed: float) -> None:
        """Count a recording whose computation was in the cache, with its times in seconds."""
        counters, timers = self._counters, self._timers
        counters["RecordedOps"] += operations
        counters["Recordings"] += 1
        counters["CachedCompile"] += 1
        try:
            record, dispatch, execute = timers["RecordTime"], timers["DispatchTime"], timers["ExecuteTime"]
        except KeyError:  # somebody has reset the metrics
            self.add_time("RecordTime", recorded)
            self.add_time("DispatchTime", dispatched)
            self.add_time("ExecuteTime", executed)
            return
        record[0] += 1
        record[1] += recorded
        dispatch[0] += 1
        dispatch[1] += dispatched
        execute[0] += 1
        execute[1] += executed

    def counter(self, name: str) -> int:
        """Return a counter; 0 if nothing was counted."""
        self._collect()
        return self._counters.get(name, 0)

    def counters(self) -> dict[str, int]:
        """Return all counters, by name."""
        self._collect()
        return dict(self._counters)

    def seconds(self, name: str) -> float:
        """Return a timer's total in seconds."""
        self._collect()
        return self._timers.get(name, [0, 0.0])[1]

    def timers(self) -> dict[str, tuple[int, float]]:
        """Return all timers: number of measurements and total in seconds, by name."""
        self._collect()
        return {name: (int(count), total) for name, (count, total) in self._timers.items()}

    def reset(self) -> None:
        """Forget everything counted so far."""
        self._collect()
        self._counters.clear()
        self._timers.clear()

    def to_prometheus(self, **labels: str) -> str:
        """Return all metrics in Prometheus's text format, which `exposition.CONTENT_TYPE` names.

        Counters are `latebind_..._total`; timers are summaries, `latebind_..._seconds_count` and `_sum`.

        Parameters
        ----------
        labels
            Put on every sample: `to_prometheus(container="train")`.

        Raises
        ------
        ValueError
            If the name of a label is not one that Prometheus takes.
        """
        from latebind.runtime.exposition import exposition, metric_families

        return exposition(metric_families(self, labels))

    def report(self) -> str:
        """Return all metrics as text, one per line."""
        self._collect()
        lines = [f"Counter: {name}\n  Value: {value}" for name, value in sorted(self._counters.items())]
        lines += [
            f"Metric: {name}\n  TotalSamples: {count}\n  Accumulator: {total * 1e3:.3f} ms"
            for name, (count, total) in sorted(self.timers().items())
        ]
        return "\n".join(lines)
