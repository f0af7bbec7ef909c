"""Everything that a run measured, and what is read from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.benchmarks.case import Spread, geometric_mean
from tests.benchmarks.comparison import Comparison
from tests.benchmarks.contenders import LATEBIND
from tests.benchmarks.workloads import WORKLOADS

#: Who the goals of the workloads are for: the first of these that was measured.
SUBJECTS = (f"{LATEBIND}tiered", f"{LATEBIND}xla", f"{LATEBIND}numpy")


@dataclass(frozen=True, slots=True)
class Cold:
    """First calls of one workload in fresh processes.

    Attributes
    ----------
    imports, cold, second : dict
        By contender, in ms: the import, the first call with empty caches on the disk, and the first call of the next
        process, which finds them filled.
    """

    workload: str
    imports: dict[str, list[float]] = field(default_factory=dict)
    cold: dict[str, list[float]] = field(default_factory=dict)
    second: dict[str, list[float]] = field(default_factory=dict)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Results:
    """Everything that a run measured.

    Attributes
    ----------
    micro : dict
        The micro-benchmarks, by name.
    workloads : dict
        The workloads in steady state, by name.
    first_calls : list
        Per generation of processes: first calls in ms, by workload and contender.
    operations : dict
        Median time in us of NumPy's operations in a workload, and their number.
    """

    machine: dict[str, str]
    quick: bool
    micro: dict[str, Comparison] = field(default_factory=dict)
    workloads: dict[str, Comparison] = field(default_factory=dict)
    first_calls: list[dict[str, dict[str, float]]] = field(default_factory=list)
    operations: dict[str, tuple[float, int]] = field(default_factory=dict)
    cold: list[Cold] = field(default_factory=list)

    def micro_ratio(self, case: str, above: str, below: str) -> Spread | None:
        """Return the ratio of two contenders at a micro-benchmark."""
        return self.micro[case].ratio(above, below) if case in self.micro else None

    def subject(self) -> str:
        """Return the backend that the goals of the workloads are measured on."""
        return next(
            (name for name in SUBJECTS if any(name in one.taken for one in self.workloads.values())), SUBJECTS[0]
        )

    def speedups(self, contender: str, over: str, only: Iterable[str] = WORKLOADS) -> dict[str, float]:
        """Return how many times as fast a contender is as another, by workload."""
        found = {}
        for name in only:
            ratio = self.workloads[name].ratio(over, contender) if name in self.workloads else None
            if ratio is not None:
                found[name] = ratio.median
        return found

    def absent(self, contender: str) -> list[str]:
        """Return the workloads that a contender has no figure for."""
        return [name for name, one in self.workloads.items() if contender not in one.taken]

    def mean_speedup(self, contender: str, over: str) -> float:
        """Return the geometric mean over the workloads that both were measured at."""
        return geometric_mean(list(self.speedups(contender, over).values()))

    def first_call_sums(self, contender: str) -> list[tuple[float, float]]:
        """Return, per generation, the sum of a contender's first calls and of NumPy's at the same workloads, in ms."""
        sums = []
        for generation in self.first_calls:
            common = [calls for calls in generation.values() if contender in calls and "numpy" in calls]
            if common:
                sums.append((sum(calls[contender] for calls in common), sum(calls["numpy"] for calls in common)))
        return sums

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)
