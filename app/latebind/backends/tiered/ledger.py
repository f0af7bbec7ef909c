"""The accounts of all graphs under one lock, and the counters of the report."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from typing import Final

from latebind.backends.tiered.policy import Phase, Policy
from latebind.backends.tiered.program import TieredProgram
from latebind.backends.tiered.report import table

#: Counters of `metric_report`, with what they count.
COUNTERS: Final[dict[str, str]] = {
    "TierBaselineRuns": "computations run on the baseline, the kernels of interpreted graphs with them",
    "TierOptimizingRuns": "computations run on the optimizing backend",
    "TierCompilesRequested": "graphs that were queued to be compiled",
    "TierQueueFull": "graphs for which the queue had no room",
    "TierCompiled": "graphs that were compiled",
    "TierCompileFailed": "graphs that the optimizing backend failed to compile",
    "TierUnsupported": "graphs that the optimizing backend has no operations for",
    "TierSwitched": "decisions for the optimizing backend",
    "TierKept": "decisions for the baseline, after measuring",
    "TierReturned": "decisions to leave the optimizing backend again",
    "TierRunFailed": "graphs that failed on the optimizing backend and went on on the baseline",
    "TierTransfers": "values that were handed from one tier to the other",
}
#: Timers of `metric_report`.
TIMERS: Final[dict[str, str]] = {
    "TierCompileTime": "lowering and compiling for the optimizing backend, in the background or not",
    "TierTransferTime": "handing values from one tier to the other",
    "TierTrialTime": "runs that were waited for to compare the tiers",
}


class Ledger:
    """What the policy knows and decides, for several threads.

    Parameters
    ----------
    policy

    Attributes
    ----------
    counters : Counter
        See `COUNTERS`; the two of runs are in `baseline_runs` and `optimizing_runs`, since each call counts there.
    seconds : Counter
        See `TIMERS`.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.baseline_runs = 0
        self.optimizing_runs = 0
        self._counters: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))
        self._seconds: dict[str, float] = dict.fromkeys(TIMERS, 0.0)
        #: Reentrant: a finaliser that runs a graph may run at any allocation, also inside a critical section.
        self._lock = threading.RLock()
        self._programs: weakref.WeakSet[TieredProgram] = weakref.WeakSet()

    def add(self, program: TieredProgram) -> None:
        """Follow a graph as long as its computation lives."""
        with self._lock:
            self._programs.add(program)

    def count(self, name: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._counters[name] += 1

    def transferred(self, seconds: float) -> None:
        """Note that a value was handed from one tier to the other."""
        with self._lock:
            self._counters["TierTransfers"] += 1
            self._seconds["TierTransferTime"] += seconds

    # Compiling

    def wants_compiling(self, program: TieredProgram) -> bool:
        """Whether a graph is to be compiled; said once."""
        with self._lock:
            wanted = self.policy.wants_compiling(program)
            self._counters["TierCompilesRequested"] += wanted
            return wanted

    def refused(self, program: TieredProgram) -> None:
        """Note that the queue had no room for a graph."""
        with self._lock:
            self._counters["TierQueueFull"] += 1
            self.policy.refused(program)

    def compiled(self, program: TieredProgram, seconds: float) -> None:
        """Note that a graph was compiled."""
        with self._lock:
            self._counters["TierCompiled"] += 1
            self._seconds["TierCompileTime"] += seconds
            self.policy.compiled(program, seconds)

    def fix(self, program: TieredProgram, reason: str, counter: str | None = None) -> None:
        """Leave a graph on the baseline for ever."""
        with self._lock:
            if counter is not None:
                self._counters[counter] += 1
            self.policy.fix(program, reason)
            program.graph = None

    # Running

    def next_run(self, program: TieredProgram) -> tuple[bool, bool, bool]:
        """Return whether the next run is on the optimizing backend, whether it is measured, and whether on trial."""
        with self._lock:
            before = program.adopted
            optimizing, measured = self.policy.next_tier(program)
            self._count_change(program, before)
            return optimizing, measured, program.phase is Phase.TRIAL

    def ran(self, program: TieredProgram, optimizing: bool, measured: bool, trial: bool, seconds: float) -> None:
        """Note a run, and decide if it was the last one that was needed."""
        with self._lock:
            before = program.adopted
            decided = self.policy.ran(program, optimizing, measured, seconds)
            if trial:
                self._seconds["TierTrialTime"] += seconds
            if not self._count_change(program, before) and decided is False:
                self._counters["TierKept"] += 1

    def abandon(self, program: TieredProgram) -> None:
        """End a trial of which a run failed."""
        with self._lock:
            self.policy.abandon(program)

    def _count_change(self, program: TieredProgram, before: bool) -> bool:
        if program.adopted is before:
            return False
        self._counters["TierSwitched" if program.adopted else "TierReturned"] += 1
        return True

    # Reporting

    def counters(self) -> dict[str, int]:
        """Return all counters, by name."""
        with self._lock:
            counters = dict(self._counters)
        return {**counters, "TierBaselineRuns": self.baseline_runs, "TierOptimizingRuns": self.optimizing_runs}

    def programs(self) -> list[TieredProgram]:
        """Return the graphs whose computations live."""
        with self._lock:
            return list(self._programs)

    def report(self) -> str:
        """Return counters, times, and a line per graph."""
        lines = [f"Counter: {name}\n  Value: {value}" for name, value in sorted(self.counters().items())]
        lines += [f"Metric: {name}\n  Accumulator: {value * 1e3:.3f} ms" for name, value in self._seconds.items()]
        return "\n".join([*lines, table(self.programs())])
