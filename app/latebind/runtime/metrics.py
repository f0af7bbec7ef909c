"""Counters and timers under the lazy tensor core's names."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

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
    "DispatchTime": "finding the computation, its arguments and its outputs",
    "LowerTime": "building, simplifying and lowering graphs",
    "CompileTime": "the engine's compiler",
    "ExecuteTime": "running computations",
    "TransferToDeviceTime": "host memory to the device",
    "TransferFromDeviceTime": "the device to host memory",
}


class Metrics:
    """Counters (`CachedCompile`, ...) and timers (`CompileTime`, ...) of one container.

    Updates are single dictionary operations; under concurrent updates a count may be lost, never corrupted.
    """

    __slots__ = ("_counters", "_timers")

    def __init__(self) -> None:
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

    def counter(self, name: str) -> int:
        """Return a counter; 0 if nothing was counted."""
        return self._counters.get(name, 0)

    def counters(self) -> dict[str, int]:
        """Return all counters, by name."""
        return dict(self._counters)

    def seconds(self, name: str) -> float:
        """Return a timer's total in seconds."""
        return self._timers.get(name, [0, 0.0])[1]

    def timers(self) -> dict[str, tuple[int, float]]:
        """Return all timers: number of measurements and total in seconds, by name."""
        return {name: (int(count), total) for name, (count, total) in self._timers.items()}

    def reset(self) -> None:
        """Forget everything counted so far."""
        self._counters.clear()
        self._timers.clear()

    def report(self) -> str:
        """Return all metrics as text, one per line."""
        lines = [f"Counter: {name}\n  Value: {value}" for name, value in sorted(self._counters.items())]
        lines += [
            f"Metric: {name}\n  TotalSamples: {count}\n  Accumulator: {total * 1e3:.3f} ms"
            for name, (count, total) in sorted(self.timers().items())
        ]
        return "\n".join(lines)
